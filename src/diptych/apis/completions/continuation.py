"""Going on with a reply that the prompt has begun: how a server is told, if at all.

Rule: a trailing assistant message starts a new turn unless the server is told otherwise.
The table says how, by the model's name, with its date; what is in no row is taken for
an open model behind a server that knows ``continue_final_message``.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from ...loss import Loss

Way = Literal["prefix", "continue_final_message", "instruction", "refuse"]


class Capability(NamedTuple):
    """How models whose names begin so go on with a reply."""

    starts: tuple[str, ...]
    way: Way
    source: str


CAPABILITIES: Final = (
    Capability(("deepseek",), "prefix", "DeepSeek API, chat prefix completion (2026-11)"),
    Capability(("mistral-", "ministral", "codestral", "open-mistral"), "prefix", "Mistral API (2026-11)"),
    Capability(("gpt-", "o1", "o3", "o4", "chatgpt"), "instruction", "OpenAI: no prefill in Chat (2026-11)"),
    Capability(("claude-opus-4-6", "claude-sonnet-4-6"), "refuse", "Anthropic: prefill is an error from 4.6 on"),
    Capability(("claude",), "continue_final_message", "Anthropic: a trailing assistant message is continued"),
)
_INSTRUCTION: Final = "Continue this reply. Write only what follows it:"


def way_of(model: str) -> Way:
    """Return how a model goes on with a reply that was begun.

    >>> way_of("deepseek-chat"), way_of("Qwen2.5-7B")
    ('prefix', 'continue_final_message')
    """
    for row in CAPABILITIES:
        if model.lower().startswith(row.starts):
            return row.way
    return "continue_final_message"


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
