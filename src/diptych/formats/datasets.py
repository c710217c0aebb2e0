"""Rows of training data: one conversation a row, its last message the answer to learn.

- ``finetune_legacy``: ``{"prompt", "completion"}``. The separator that ended each prompt
  (`` ->``, ``\\n\\n###\\n\\n`` …), the space that began each completion and the mark that ended it
  belong to no message; ``separators_of`` finds them in a data set, a single row is read with
  the ones that were customary
- ``finetune_chat``: ``{"messages", "tools"}`` as OpenAI takes it; ``weight`` is kept with its message
- ``sharegpt``: ``{"conversations": [{"from", "value"}], "system"}``; ``human``, ``gpt``, ``observation``,
  ``function_call`` are user, assistant, tool and a tool call
- ``alpaca_row``: ``{"instruction", "input", "output", "system", "history"}``; the input follows the
  instruction after a line break, and cannot be told from it again (``merged``)

Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..errors import FormatError
from ..loss import Loss
from ..model import Conversation, Message, ToolCall
from . import openai_chat
from .base import Format
from .proof import proven

#: Ends of prompts and of completions that were customary (openai 1.50, ``lib/_validators.py``, and its guide).
PROMPT_ENDS: Final = (
    "\n\n###\n\n",
    "\n\n===\n\n",
    "\n\n---\n\n",
    "\n\n=>\n\n",
    "\n\n->\n\n",
    " ->",
    " =>",
    "\n\n%%%\n\n",
)
COMPLETION_ENDS: Final = (" END", "\nEND", "###", "\n###", " ###", "\n")
_SPEAKERS: Final = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "bot": "assistant", "system": "system", "tool": "tool", "observation": "tool", "function_response": "tool",
}  # fmt: skip


class Separators(NamedTuple):
    """What stands around the texts of a data set and belongs to none of them."""

    prompt_end: str = ""
    completion_start: str = " "
    completion_end: str = ""


def separators_of(rows: Iterable[Mapping[str, Any]]) -> Separators:
    """Return what all rows have in common at the ends of their texts.

    >>> separators_of([{"prompt": "a ->", "completion": " b END"}, {"prompt": "c ->", "completion": " d END"}])
    Separators(prompt_end=' ->', completion_start=' ', completion_end=' END')
    """
    pairs = [(str(row.get("prompt", "")), str(row.get("completion", ""))) for row in rows]
    if not pairs:
        return Separators()
    prompts, completions = zip(*pairs, strict=True)
    return Separators(
        next((end for end in PROMPT_ENDS if all(p.endswith(end) for p in prompts)), ""),
        " " if all(c.startswith(" ") for c in completions) else "",
        next((end for end in COMPLETION_ENDS if all(c.endswith(end) for c in completions)), ""),
    )


def read_row(row: Mapping[str, Any], separators: Separators) -> Conversation:
    """Read a row of prompt and completion. Raises FormatError where one is no text."""
    for name in ("prompt", "completion"):
        if not isinstance(row.get(name), str):
            raise FormatError(f"a row has a {name} of text", path=f"$.{name}")
    prompt = row["prompt"].removesuffix(separators.prompt_end)
    completion = row["completion"].removeprefix(separators.completion_start).removesuffix(separators.completion_end)
    return Conversation((Message("user", prompt), Message("assistant", completion)))


def _read_legacy(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    row = _row(value)
    separators = separators_of([row])
    return read_row(row, separators), _other(row, ("prompt", "completion"))


def _write_legacy(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    *before, last = conversation.messages or (Message("user", ""),)
    losses: list[Loss] = []
    if len(before) != 1 or before[0].role != "user" or last.role != "assistant":
        losses.append(Loss("$.messages", "unsupported", "a row is one user message and one answer"))
    prompt = before[0].text if before else ""
    row = {"prompt": f"{prompt}\n\n###\n\n", "completion": f" {last.text} END"}
    return row, proven(conversation, losses, _read_legacy, row)


def _read_chat(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    row = _row(value)
    found = openai_chat.read_messages(row.get("messages"), tools=row.get("tools"))
    return found, _other(row, ("messages", "tools"))


def _write_chat(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    row: dict[str, Any] = {"messages": openai_chat.write(conversation)}
    if conversation.tools:
        row["tools"] = openai_chat.write_tools(conversation)
    return row, proven(conversation, [], _read_chat, row)


def _read_sharegpt(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    row = _row(value)
    turns = row.get("conversations")
    if not isinstance(turns, list):
        raise FormatError("a row has a list of conversations", path="$.conversations")
    found = [Message("system", row["system"])] if isinstance(row.get("system"), str) and row["system"] else []
    calls = 0
    for index, turn in enumerate(turns):
        path = f"$.conversations[{index}]"
        if not isinstance(turn, Mapping) or not isinstance(turn.get("value"), str):
            raise FormatError("a turn has a value of text", path=path)
        speaker = turn.get("from")
        if speaker == "function_call":
            found.append(Message("assistant", None, tool_calls=(_call(turn["value"], f"call_{calls}", path),)))
            calls += 1
        elif speaker not in _SPEAKERS:
            raise FormatError(f"nobody knows the speaker {speaker!r}", path=f"{path}.from")
        else:
            role = _SPEAKERS[speaker]
            id_ = f"call_{max(calls - 1, 0)}" if role == "tool" else None
            found.append(Message(role, turn["value"], tool_call_id=id_))
    return Conversation(tuple(found)), _other(row, ("conversations", "system"))


def _call(text: str, id_: str, path: str) -> ToolCall:
    try:
        value = json.loads(text)
        return ToolCall(id_, str(value["name"]), json.dumps(value.get("arguments", {}), ensure_ascii=False))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FormatError("a function call is a JSON object with a name", path=f"{path}.value") from None


def _write_sharegpt(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    names = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system", "developer": "system"}
    row: dict[str, Any] = {}
    turns: list[dict[str, str]] = []
    for index, message in enumerate(conversation.messages):
        if index == 0 and message.role == "system" and message.text:
            row["system"] = message.text
            continue
        if message.text or not message.tool_calls:
            turns.append({"from": names[message.role], "value": message.text})
        for call in message.tool_calls:
            arguments = _json_or_text(call.arguments)
            value = json.dumps({"name": call.name, "arguments": arguments}, ensure_ascii=False)
            turns.append({"from": "function_call", "value": value})
    row = {"conversations": turns, **row}
    return row, proven(conversation, [], _read_sharegpt, row)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_alpaca(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    row = _row(value)
    for name in ("instruction", "output"):
        if not isinstance(row.get(name), str):
            raise FormatError(f"a row has an {name} of text", path=f"$.{name}")
    found = [Message("system", row["system"])] if isinstance(row.get("system"), str) and row["system"] else []
    for index, pair in enumerate(row.get("history") or ()):
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise FormatError("a history is pairs of texts", path=f"$.history[{index}]")
        found += [Message("user", str(pair[0])), Message("assistant", str(pair[1]))]
    losses = list(_other(row, ("instruction", "input", "output", "system", "history")))
    text = row["instruction"]
    if row.get("input"):
        text = f"{text}\n{row['input']}"
        losses.append(Loss("$.input", "merged", "instruction and input became one message"))
    return Conversation((*found, Message("user", text), Message("assistant", row["output"]))), tuple(losses)


def _write_alpaca(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    messages = list(conversation.messages)
    row: dict[str, Any] = {}
    if messages and messages[0].role == "system":
        row["system"] = messages.pop(0).text
    losses: list[Loss] = []
    roles = [message.role for message in messages]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        losses.append(Loss("$.messages", "unsupported", "a row is pairs of user and assistant"))
        return row, tuple(losses)
    texts = [message.text for message in messages]
    if len(texts) > 2:
        row["history"] = [list(pair) for pair in zip(texts[0:-2:2], texts[1:-2:2], strict=True)]
    row = {"instruction": texts[-2], "input": "", "output": texts[-1], **row}
    return row, proven(conversation, losses, _read_alpaca, row)


def _row(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FormatError(f"a row is an object, not {type(value).__name__}", path="$")
    return value


def _other(row: Mapping[str, Any], known: Sequence[str]) -> tuple[Loss, ...]:
    return tuple(Loss(f"$.{name}", "field-dropped", "no place in a conversation") for name in row if name not in known)


def _has(*names: str) -> Any:
    def detect(value: Any) -> float:
        return 0.92 if isinstance(value, Mapping) and all(name in value for name in names) else 0.0

    return detect


FORMATS: Final = (
    Format("finetune_legacy", "dataset", "prompt and completion, separators taken off", _read_legacy, _write_legacy,
           _has("prompt", "completion")),
    Format("finetune_chat", "dataset", "messages and tools of a row", _read_chat, _write_chat),
    Format("sharegpt", "dataset", "conversations of from and value", _read_sharegpt, _write_sharegpt,
           _has("conversations")),
    Format("alpaca_row", "dataset", "instruction, input, output, system, history", _read_alpaca, _write_alpaca,
           _has("instruction", "output")),
)  # fmt: skip
