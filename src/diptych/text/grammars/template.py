"""A Diptych template out of a prompt or of messages.

- a prompt with holes (``{name}``, ``{{ name }}``) becomes a template with those inputs: of a text
  without turns a Completions template, of a text with turns a message tag for each
- text that Jinja would obey is kept raw; line breaks at the ends of a message are layout (``trimmed``)
- of messages, texts and roles are kept; names, tool calls, media, tools and response formats are
  lost and reported

Read a template by rendering it.
"""

from __future__ import annotations

from typing import Any

from ...format import Format
from ...loss import Loss
from ...model import Conversation
from ..template_text import to_template


def _write(conversation: Conversation) -> tuple[Any, tuple[Loss, ...]]:
    made = to_template(conversation)
    return made.output, made.losses


FORMAT = Format(
    name="diptych-template",
    kind="text",
    mapping="a prompt with holes, or messages, as a template; names, calls and media are lost",
    write=_write,
)
