"""Rows of Alpaca's shape, as LLaMA-Factory and axolotl take them.

- ``instruction`` and ``input`` are one user message: the input follows the instruction after a line
  break, as LLaMA-Factory joins them, and cannot be told from it again (``merged``)
- ``output`` (or ``response``): the answer; ``system``: the system message; ``history``: pairs before
- ``chosen``, ``rejected`` in the place of the output: the better and the worse answer;
  ``kto_tag``: whether the answer is good
- only texts are held: names, calls, media and tools are lost, and any other order of roles is refused

Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

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
    refusal,
    row_of,
    system_of,
    text_of,
)
from .sharegpt import is_plain_system, last_turn, tell_tagged
from .turns import Turns

_FIELDS: Final = ("instruction", "input", "output", "system", "history", "chosen", "rejected", "kto_tag")


def _read(value: Any) -> Read:
    row = row_of(value)
    losses: list[Loss] = []
    messages = [*system_of(row), *history_of(row.get("history")), Message("user", _question(row, losses))]
    fields: dict[str, Any] = {}
    output = "output"
    if row.get("output") is None and row.get("response") is not None:
        output = "response"
        losses.append(Loss("$.response", "renamed", "output"))
    elif row.get("output") is None and row.get("chosen") is not None:
        output = "chosen"
        fields = {"answer": len(messages), "rejected": (Message("assistant", _said(row, "rejected", losses)),)}
    messages.append(Message("assistant", _said(row, output, losses)))
    if row.get("kto_tag") is not None:
        fields |= {"label": flag_of(row, "kto_tag", losses), "answer": last_turn(messages)}
    known = [name for name in _FIELDS if name not in ("chosen", "rejected") or output == "chosen"]
    return example_of(messages, [*losses, *other(row, (*known, output))], **fields)


def _question(row: Mapping[str, Any], losses: list[Loss]) -> str:
    text = text_of(row, "instruction")
    if row.get("input") in (None, ""):
        return text
    losses.append(Loss("$.input", "merged", "instruction and input became one message"))
    return f"{text}\n{text_of(row, 'input')}"


def _said(row: Mapping[str, Any], name: str, losses: list[Loss]) -> str:
    """Return an answer of text; LLaMA-Factory's older preference rows have a turn there."""
    answer = row.get(name)
    return Turns(losses).read(answer, f"$.{name}")[0].text if isinstance(answer, Mapping) else text_of(row, name)


def history_of(history: Any) -> list[Message]:
    if not isinstance(history, list | tuple | None):
        raise FormatError("a history is pairs of texts", path="$.history")
    found = []
    for index, pair in enumerate(history or ()):
        is_pair = isinstance(pair, list | tuple) and len(pair) == 2
        if not is_pair or not all(isinstance(text, str) for text in pair):
            raise FormatError("a history is pairs of texts", path=f"$.history[{index}]")
        found += [Message("user", pair[0]), Message("assistant", pair[1])]
    return found


def _write(conversation: Conversation) -> Written:
    example = Example.of(conversation)
    losses: list[Loss] = []
    messages = example.messages
    skipped = bool(messages) and is_plain_system(messages[0])
    texts = texts_of_pairs(messages[skipped:])
    if texts is None:
        return {}, refusal("$.messages", "a row is pairs of user and assistant")
    row: dict[str, Any] = {"instruction": texts[-2], "input": ""}
    if example.rejected is None:
        row["output"] = texts[-1]
        tell_tagged(example, losses) if example.label is not None else losses.extend(border_kept(example))
    else:
        is_last = border_of(example, losses) == last_turn(messages)
        if not is_last or [message.role for message in example.rejected] != ["assistant"]:
            return {}, refusal("$.rejected", "a row compares two answers of one message each")
        row |= {"chosen": texts[-1], "rejected": example.rejected[0].text}
    if skipped:
        row["system"] = messages[0].text
    if len(texts) > 2:
        row["history"] = [list(pair) for pair in zip(texts[0:-2:2], texts[1:-2:2], strict=True)]
    if example.label is not None:
        row["kto_tag"] = example.label
    return row, proven_row(example, losses, _read, row)


def texts_of_pairs(messages: Sequence[Message]) -> list[str] | None:
    """Return the texts of user and assistant in turn, None where the roles are others."""
    roles = [message.role for message in messages]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        return None
    return [message.text for message in messages]


def _is_alpaca(value: Any) -> float:
    if not isinstance(value, Mapping) or "instruction" not in value:
        return 0.0
    if {"chosen", "rejected"} <= value.keys():
        return 0.97
    # Above the Responses API, whose bodies have an input, too.
    return 0.96 if "output" in value else 0.95 if "response" in value else 0.0


FORMATS: Final = (
    Format(
        name="alpaca_row",
        kind="dataset",
        mapping="instruction, input, output, system, history, chosen and rejected",
        read=_read,
        write=_write,
        detect=_is_alpaca,
        aliases=("alpaca", "instruction", "llama_factory_alpaca"),
        carries=frozenset({"answer", "rejected", "label"}),
    ),
)
