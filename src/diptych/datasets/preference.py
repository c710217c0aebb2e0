"""Rows of OpenAI's preference files: one question, a better and a worse answer.

- ``input.messages``, ``input.tools``, ``input.parallel_tool_calls``: the question
- ``preferred_output``, ``non_preferred_output``: the messages of the two answers; the older names
  ``preferred_completion`` and ``non_preferred_completion`` are read, too. A question that they repeat is
  said once
- reasoning and further fields of a message are lost; a row without a worse answer is refused,
  and so is one whose answers are more than one message each (OpenAI trains one turn)

Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import FormatError
from ..format import Format
from ..loss import Loss
from ..model import Conversation, Example
from .finetune import body_parts, openai_messages, request_of
from .openai_rules import dpo_rules
from .rows import Read, Written, border_of, example_of, other, proven_row, read_tools, refusal, row_of
from .talks import said_once
from .turns import Turns

_OLD: Final = {"preferred_output": "preferred_completion", "non_preferred_output": "non_preferred_completion"}
_INPUT: Final = ("messages", "tools", "parallel_tool_calls")


def _read(value: Any) -> Read:
    row = row_of(value)
    asked = row.get("input")
    if not isinstance(asked, Mapping):
        raise FormatError("a row has an input of messages", path="$.input")
    losses = other(row, ("input", *_OLD, *_OLD.values())) + other(asked, _INPUT, "$.input")
    turns = Turns(losses)
    prompt = turns.read(asked.get("messages"), "$.input.messages")
    better, worse = (turns.read(row.get(name), f"$.{name}") for name in (_name(row, new, losses) for new in _OLD))
    prompt, (better, worse) = said_once(
        prompt, dict(zip((f"$.{name}" for name in _OLD), (better, worse), strict=True)), losses
    )
    tools = read_tools(asked.get("tools"), losses, "$.input.tools")
    fields = {"answer": len(prompt), "rejected": worse, "request": request_of(asked)}
    return example_of((*prompt, *better), losses, tools=tools, **fields)


def _name(row: Mapping[str, Any], name: str, losses: list[Loss]) -> str:
    if name in row or _OLD[name] not in row:
        return name
    losses.append(Loss(f"$.{_OLD[name]}", "renamed", name))
    return _OLD[name]


def _write(conversation: Conversation) -> Written:
    example = Example.of(conversation)
    if example.rejected is None:
        return {}, refusal("$.rejected", "a row compares two answers, and there is one")
    losses: list[Loss] = []
    border = border_of(example, losses)
    messages = openai_messages(example.messages, losses)
    row = {
        "input": {"messages": messages[:border], **body_parts(example)},
        "preferred_output": messages[border:],
        "non_preferred_output": openai_messages(example.rejected, losses, "$.rejected"),
    }
    return row, proven_row(example, losses, _read, row)


def _is_preference(value: Any) -> float:
    asked = value.get("input") if isinstance(value, Mapping) else None
    named = isinstance(asked, Mapping) and "messages" in asked
    return 0.97 if named and any(new in value or old in value for new, old in _OLD.items()) else 0.0


FORMATS: Final = (
    Format(
        name="openai_dpo",
        kind="dataset",
        mapping="input messages, preferred and non-preferred output",
        read=_read,
        write=_write,
        detect=_is_preference,
        aliases=("dpo", "openai_preference"),
        carries=frozenset({"answer", "rejected", "request.parallel_tool_calls"}),
        rules=dpo_rules,
    ),
)
