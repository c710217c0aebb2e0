"""A request body of Gemini's API as a template, by way of Chat.

====================================  ====================================================
``systemInstruction``, ``contents``   messages; ``{{ name }}`` in a text is a hole
everything else                       what the conversion to Chat makes of it, with its losses
                                      at their paths in the file; then as ``openai-request``
====================================  ====================================================
"""

from __future__ import annotations

from typing import Final

from .converted import read_body
from .draft import Draft
from .model import Layout, Source


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a request body. Raises MigrationError."""
    read_body(source.object(), "gemini", draft)


def _is_certain(source: Source) -> bool:
    value = source.keys
    return isinstance(value.get("contents"), list) and source.name.endswith(".json")


LAYOUT: Final = Layout("gemini-request", read, _is_certain, _is_certain, rank=35)
