"""Going on with a reply that the prompt has begun: how a server is told, if at all.

Rule: a trailing assistant message starts a new turn unless the server is told otherwise.
The catalogue says how; a model of which it says nothing is taken for an open model behind a
server that knows ``continue_final_message``.
"""

from __future__ import annotations

from typing import Any, Final

from ...catalogue import approximate_row
from ...catalogue.table import Prefill
from ...loss import Loss

Way = Prefill
_INSTRUCTION: Final = "Continue this reply. Write only what follows it:"


def way_of(model: str) -> Way:
    """Return how a model goes on with a reply that was begun.

    >>> way_of("deepseek-chat"), way_of("Qwen2.5-7B")
    ('prefix', 'continue_final_message')
    """
    row = approximate_row(model.lower())
    return (row.prefill if row is not None else None) or "continue_final_message"


def plan(
    messages: list[dict[str, Any]], model: str, way: Way | None
) -> tuple[list[dict[str, Any]], dict[str, Any], list[Loss]]:
    """Return messages, further parameters and losses for a chat that ends in a begun reply."""
    way = way or way_of(model)
    *before, last = messages
    if way == "prefix":
        return [*before, {**last, "prefix": True}], {}, [Loss("$.prompt", "synthesised", "prefix: true")]
    if way == "continue_final_message":
        flags = {"continue_final_message": True, "add_generation_prompt": False}
        return messages, flags, [Loss("$.prompt", "synthesised", "continue_final_message: true")]
    if way == "instruction":
        asked = {"role": "user", "content": f"{_INSTRUCTION}\n\n{last['content']}"}
        return [*before, asked], {}, [Loss("$.prompt", "substituted", "the begun reply became an instruction")]
    detail = f"{model} does not go on with a reply that was begun"
    return messages, {}, [Loss("$.prompt", "unsupported", detail)]
