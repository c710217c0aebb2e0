"""A request body of Anthropic's Messages API as a template, by way of Chat.

====================================  ====================================================
``system``, ``messages``              messages; ``{{ name }}`` in a text is a hole
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
    read_body(source.object(), "anthropic", draft)


def _is_certain(source: Source) -> bool:
    value = source.keys
    is_chat = isinstance(value.get("messages"), list)
    return is_chat and source.name.endswith(".json") and ("system" in value or "anthropic_version" in value)


LAYOUT: Final = Layout("anthropic-request", read, _is_certain, _is_certain, rank=35)
