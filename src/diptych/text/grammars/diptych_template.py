"""The source of a Diptych template: a prompt with holes, or messages, as message tags.

- holes of Jinja stay as they are; ``{name}`` of an f-string or ``str.format`` becomes ``{{ name }}``
- messages become ``{% user %}…{% enduser %}`` and the like; a prompt that is one user message stays text
- text that Jinja would obey is kept raw

It is written, not read: load it with ``Template.from_string`` and render it.
"""

from __future__ import annotations

from typing import Final

from ...format import Format
from ...loss import Loss
from ...model import Conversation
from ..template_text import to_template


def _write(conversation: Conversation) -> tuple[str, tuple[Loss, ...]]:
    written = to_template(conversation)
    return written.output, written.losses


FORMAT: Final = Format(
    name="diptych-template",
    kind="request",
    mapping="a prompt with holes, or messages → the source of a template with message tags",
    write=_write,
)
