"""A plain text with holes: ``{name}`` of an f-string or ``str.format``, or Jinja's.

Rule: holes are opaque while the text is read, so that a prompt in a known text format
(ChatML, ``Human:`` and the like) becomes messages and its holes stay holes.

==================  =================================================
``{name}``          ``{{ name }}``
``{{`` ``}}``       one brace, where ``{name}`` stands elsewhere
``{{ name }}``      as it stands
a text with roles   messages, by the reader of its format
==================  =================================================
"""

from __future__ import annotations

from typing import Final

from ...formats.template_text import to_template
from .draft import Draft
from .jinja import syntax_of
from .model import Layout, Source


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a text with holes."""
    found = to_template(source.text, syntax=syntax_of(source.text))
    draft.losses += found.losses
    draft.prompt(str(found.output))


def _is_likely(source: Source) -> bool:
    return not source.name.endswith((".json", ".yaml", ".yml", ".py"))


LAYOUT: Final = Layout("text", read, lambda _: False, _is_likely, rank=99)
