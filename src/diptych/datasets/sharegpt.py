"""Rows of ShareGPT's shape, as LLaMA-Factory and others take them.

- ``conversations``: turns of ``from`` and ``value``: ``human``, ``gpt``, ``system``, ``observation`` and
  ``function_call`` are user, assistant, system, tool and a tool call (JSON of name and arguments, a
  list of several). Results belong to the calls in their order; ids of calls have no place
- ``system``: the system message before them; ``tools``: the tools, a list as JSON text
- ``chosen``, ``rejected``: the better and the worse next turn, one each; ``kto_tag``: whether the last answer is good
- turns of ``role`` and ``content`` are read, too. Names, media, reasoning and further fields of a turn
  are lost; ``developer`` becomes ``system``

Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ..apis.chat import messages as openai_chat
from ..errors import FormatError
from ..format import Format
from ..loss import Loss
from ..model import Conversation, Example, Message
from .rows import (
    Read,
    Written,
    border_kept,
    border_of,
    example_of,
    flag_of,
    other,
    proven_row,
    read_tools,
    refusal,
    row_of,
    system_of,
)
from .talks import said_once
from .turns import Turns

_FIELDS: Final = ("conversations", "system", "tools", "chosen", "rejected", "kto_tag")
_NAMES: Final = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system", "developer": "system"}


def _read(value: Any) -> Read:
    row = row_of(value)
    turns = row.get("conversations")
    if not isinstance(turns, list | tuple):
        raise FormatError("a row has a list of conversations", path="$.conversations")
    losses = other(row, _FIELDS)
    reader = Turns(losses)
    found = (*system_of(row), *reader.read(turns, "$.conversations"))
    fields: dict[str, Any] = {}
    if row.get("chosen") is not None or row.get("rejected") is not None:
        worse, better = _reread(found, row.get("rejected"), losses), reader.read(row.get("chosen"), "$.chosen")
        found, (better, worse) = said_once(found, {"$.chosen": better, "$.rejected": worse}, losses)
        fields = {"answer": len(found), "rejected": worse}
        found = (*found, *better)
    if row.get("kto_tag") is not None:
        fields["label"] = flag_of(row, "kto_tag", losses)
        fields.setdefault("answer", last_turn(found))
    return example_of(found, losses, tools=read_tools(row.get("tools"), losses), **fields)


def _reread(prompt: tuple[Message, ...], rejected: Any, losses: list[Loss]) -> tuple[Message, ...]:
    reader = Turns(losses)
    reader.goes_on_after(prompt)
    return reader.read(rejected, "$.rejected")


def last_turn(messages: Sequence[Message]) -> int:
    """Return where the answer that a tag speaks of begins: the last message."""
    return max(len(messages) - 1, 0)


def _write(conversation: Conversation) -> Written:
    example = Example.of(conversation)
    losses: list[Loss] = []
    messages = list(example.messages)
    row: dict[str, Any] = {"conversations": []}
    if messages and is_plain_system(messages[0]):
        row["system"] = messages[0].text
    skipped = len(row) - 1
    border = len(messages)
    if example.rejected is not None:
        border = border_of(example, losses)
        if len(example.rejected) != 1 or len(messages) - border != 1 or border < skipped:
            return {}, refusal("$.rejected", "a row compares two answers of one turn each")
        better, worse = turns_of(messages[border:]), turns_of(example.rejected)
        if len(better) != 1 or len(worse) != 1:
            return {}, refusal("$.rejected", "an answer that speaks and calls is two turns")
        row |= {"chosen": better[0], "rejected": worse[0]}
    elif example.label is not None:
        tell_tagged(example, losses)
    else:
        losses += border_kept(example)
    row["conversations"] = turns_of(messages[skipped:border])
    if example.tools:
        row["tools"] = json.dumps(openai_chat.write_tools(example), ensure_ascii=False)
    if example.label is not None:
        row["kto_tag"] = example.label
    return row, proven_row(example, losses, _read, row)


def tell_tagged(example: Example, losses: list[Loss]) -> None:
    """Tell where an answer is longer than the one message that a tag speaks of."""
    if border_of(example, losses) != last_turn(example.messages):
        losses.append(Loss("$.answer", "merged", "a tag speaks of the last message alone"))


def is_plain_system(message: Message) -> bool:
    """Say whether a message can stand in a column of its own."""
    return message.role in ("system", "developer") and bool(message.text)


def turns_of(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Write messages as turns of ``from`` and ``value``."""
    turns = []
    for message in messages:
        if message.text or not message.tool_calls:
            turns.append({"from": _NAMES[message.role], "value": message.text})
        if message.tool_calls:
            calls = [{"name": call.name, "arguments": _json_or_text(call.arguments)} for call in message.tool_calls]
            value = json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)
            turns.append({"from": "function_call", "value": value})
    return turns


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_sharegpt(value: Any) -> float:
    return 0.94 if isinstance(value, Mapping) and isinstance(value.get("conversations"), list | tuple) else 0.0


FORMATS: Final = (
    Format(
        name="sharegpt",
        kind="dataset",
        mapping="conversations of from and value, system, tools, chosen and rejected",
        read=_read,
        write=_write,
        detect=_is_sharegpt,
        aliases=("conversations", "llama_factory_sharegpt"),
        carries=frozenset({"answer", "rejected", "label"}),
    ),
)
