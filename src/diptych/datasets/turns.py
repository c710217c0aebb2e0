"""The turns of rows of training data: each becomes a Chat message, whatever the names of its fields and speakers are.

Calls and results without ids are linked by their order. Several results that stand in one turn as a list
are a result each, where there are as many as calls that wait for one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Final

from ..apis.chat import messages as openai_chat
from ..errors import FormatError
from ..loss import Loss
from ..model import Message
from .rows import as_text, other, speaker_of

_PLAIN: Final = ("user", "assistant", "system", "developer")
_CALL_FIELDS: Final = frozenset({"id", "type", "function"})
#: Names that trainers have for the weight of a turn (ms-swift, axolotl, LLaMA-Factory v1).
_WEIGHTS: Final = ("weight", "loss", "train", "training", "loss_weight")


class _Calls:
    """The calls that wait for a result: layouts without ids link them by their order."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._waiting: list[str] = []
        self.is_answered = False  # whether a result was linked by its order

    @property
    def waiting(self) -> int:
        """How many calls have no result yet."""
        return len(self._waiting)

    def call(self, given: Any) -> str:
        id_ = given if isinstance(given, str) and given else self._new()
        self._ids.add(id_)
        self._waiting.append(id_)
        return id_

    def _new(self) -> str:
        return next(id_ for id_ in (f"call_{number}" for number in count()) if id_ not in self._ids)

    def result(self) -> str | None:
        self.is_answered = True
        return self._waiting.pop(0) if self._waiting else None

    def answered(self, id_: str) -> None:
        if id_ in self._waiting:
            self._waiting.remove(id_)


class Turns:
    """Reads the turns of one row, which may stand in several of its fields.

    >>> [found] = Turns([]).read([{"from": "human", "value": "Hi"}], "$.conversations")
    >>> found.role, found.content
    ('user', 'Hi')
    """

    def __init__(self, losses: list[Loss]) -> None:
        self.losses = losses
        self._calls = _Calls()

    def goes_on_after(self, messages: Iterable[Message]) -> None:
        """Take calls and results of these messages as read: what is read next comes after them."""
        for message in messages:
            for call in message.tool_calls:
                self._calls.call(call.id)
            if message.tool_call_id is not None:
                self._calls.answered(message.tool_call_id)

    def read(self, turns: Any, path: str) -> tuple[Message, ...]:
        """Read a list of turns, or one alone. Raises FormatError with the path of a malformed one."""
        if isinstance(turns, Mapping):
            return (self._turn(turns, path),)
        if not isinstance(turns, list | tuple):
            raise FormatError(f"turns are a list, not {type(turns).__name__}", path=path)
        found: list[Message] = []
        for index, turn in enumerate(turns):
            for part in self._results(turns, index):
                found.append(self._turn(part, f"{path}[{index}]"))
            if isinstance(turn, Mapping) and "from" in turn and speaker_of(turn["from"]) in ("user", "assistant"):
                self._check_results(f"{path}[{index}]")
        return tuple(found)

    def _results(self, turns: Sequence[Any], index: int) -> Sequence[Any]:
        """Return a turn, or the results of several calls that stand as one list in one turn."""
        turn, waiting = turns[index], self._calls.waiting
        if waiting < 2 or not _is_observation(turn) or (index and _is_observation(turns[index - 1])):
            return (turn,)
        if index + 1 < len(turns) and _is_observation(turns[index + 1]):
            return (turn,)  # each call has its own
        results = _list_in(turn.get("value"))
        if len(results) != waiting:
            return (turn,)
        return [{**turn, "value": as_text(result)} for result in results]

    def _check_results(self, path: str) -> None:
        """Report calls that the turn at ``path`` goes on without a result of."""
        if self._calls.waiting and self._calls.is_answered:
            said = f"{self._calls.waiting} calls before this turn have no result"
            self.losses.append(Loss(path, "undecidable", said))

    def _turn(self, turn: Any, path: str) -> Message:
        if not isinstance(turn, Mapping):
            raise FormatError(f"a turn is an object, not {type(turn).__name__}", path=path)
        if len(turn) == 2 and isinstance(turn.get("content"), str) and turn.get("role") in _PLAIN:
            return Message(turn["role"], turn["content"])  # nearly every turn of nearly every row
        # Nulls say nothing, nor does a list of no calls: a table has them in every turn.
        said = {
            name: value
            for name, value in turn.items()
            if name == "content" or not (value is None or (name == "tool_calls" and value == []))
        }
        wire = self._spoken(said, path) if "role" not in said and "from" in said else self._chat(said, path)
        if "thinking" in wire and "reasoning_content" not in wire:
            wire["reasoning_content"] = wire.pop("thinking")
            self.losses.append(Loss(f"{path}.thinking", "renamed", "reasoning"))
        self._weigh(wire, path)
        if wire.get("role") == "tool":
            self._result(wire)
        return openai_chat.read_message(wire, path)

    def _weigh(self, wire: dict[str, Any], path: str) -> None:
        """Take whether a turn is learnt for its ``weight``; that answers are, and no others, goes without saying."""
        for name in _WEIGHTS:
            value, is_answer = wire.get(name), wire.get("role") == "assistant"
            if not isinstance(value, bool | int | float) or value not in (0, 1):
                continue
            if is_answer and (not value or name == "weight"):
                del wire[name]
                wire["weight"] = int(value)
                if name != "weight" or not isinstance(value, int) or isinstance(value, bool):
                    self.losses.append(Loss(f"{path}.{name}", "renamed", "weight"))
            elif bool(value) == is_answer:
                del wire[name]
                said = "every answer is learnt" if is_answer else "only answers are learnt"
                self.losses.append(Loss(f"{path}.{name}", "by-format-rule", said))

    def _unvalued(self, wire: dict[str, Any], path: str) -> None:
        """Take parts of ``type`` and ``value`` (LLaMA-Factory v1) for the fields of a message that they are."""
        parts, calls, thoughts = list[dict[str, Any]](), list[dict[str, Any]](), list[str]()
        for index, part in enumerate(wire["content"]):
            kind, value = part["type"], part["value"]
            if kind == "text":
                parts.append({"type": "text", "text": value})
            elif kind == "image_url":
                parts.append({"type": "image_url", "image_url": {"url": value}})
            elif kind == "reasoning":
                thoughts.append(value)
            else:
                calls += self._functions(value, f"{path}.content[{index}]")
        is_text = len(parts) == 1 and parts[0]["type"] == "text"
        wire["content"] = parts[0]["text"] if is_text else parts or None
        wire |= {"tool_calls": calls} if calls else {}
        wire |= {"reasoning_content": "\n".join(thoughts)} if thoughts else {}
        self.losses.append(Loss(f"{path}.content", "renamed", "parts of type and value are those of a message"))

    def _spoken(self, turn: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Return a turn of ``from`` and ``value`` as a message; a function call is JSON in the value."""
        speaker, value = turn["from"], turn.get("value")
        wire = {name: item for name, item in turn.items() if name not in ("from", "value")}
        if speaker == "function_call":
            if not isinstance(value, str):
                raise FormatError("a function call is JSON text", path=f"{path}.value")
            return {"role": "assistant", "content": None, "tool_calls": self._functions(value, path), **wire}
        role = speaker_of(speaker)
        if role is None:
            raise FormatError(f"unknown speaker {speaker!r} (name it: --role ROLE=NAME)", path=f"{path}.from")
        if "value" not in turn:
            raise FormatError("a turn has a value of text", path=path)
        return {"role": role, "content": self._content(value, f"{path}.value"), **wire}

    def _functions(self, text: str, path: str) -> list[dict[str, Any]]:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        calls = found if isinstance(found, list) else [found]
        if not calls or not all(isinstance(call, Mapping) and isinstance(call.get("name"), str) for call in calls):
            raise FormatError("a function call is a JSON object with a name", path=f"{path}.value")
        for index, call in enumerate(calls):
            place = f"{path}.value[{index}]" if isinstance(found, list) else f"{path}.value"
            self.losses += other(call, ("name", "arguments"), place)
        return [
            {"id": self._calls.call(None), "type": "function",
             "function": {"name": call["name"], "arguments": as_text(call.get("arguments", {}))}}
            for call in calls
        ]  # fmt: skip

    def _chat(self, turn: Mapping[str, Any], path: str) -> dict[str, Any]:
        wire, role = dict(turn), turn.get("role")
        if role == "function":
            wire["role"] = "tool"
            self.losses.append(Loss(f"{path}.role", "renamed", "function is tool"))
        elif speaker_of(role) not in (None, role):
            wire["role"] = speaker_of(role)
            self.losses.append(Loss(f"{path}.role", "renamed", f"{role} is {wire['role']}"))
        if "content" not in wire and "value" in wire:
            wire["content"] = wire.pop("value")
            self.losses.append(Loss(f"{path}.value", "renamed", "content"))
        if _are_valued(wire.get("content")):
            self._unvalued(wire, path)
            return wire
        if "content" in wire:
            wire["content"] = self._content(wire["content"], f"{path}.content")
        if isinstance(wire.get("function_call"), Mapping) and "tool_calls" not in wire:  # until November 2023
            wire["tool_calls"] = [{"type": "function", "function": wire.pop("function_call")}]
            self.losses.append(Loss(f"{path}.function_call", "renamed", "tool_calls"))
        if isinstance(wire.get("tool_calls"), list | tuple):
            wire["tool_calls"] = [
                self._call(call, f"{path}.tool_calls[{index}]") for index, call in enumerate(wire["tool_calls"])
            ]
        return wire

    def _content(self, content: Any, path: str) -> Any:
        """Return a content as text or parts; other JSON becomes its text, which is told."""
        if content is None or isinstance(content, str):
            return content
        if isinstance(content, list | tuple) and all(
            isinstance(part, str) or (isinstance(part, Mapping) and isinstance(part.get("type"), str))
            for part in content
        ):
            return [{"type": "text", "text": part} if isinstance(part, str) else _present(part) for part in content]
        self.losses.append(Loss(path, "flattened", f"{type(content).__name__} became its JSON text"))
        return as_text(content)

    def _call(self, call: Any, path: str) -> Any:
        if not isinstance(call, Mapping):
            return call  # the reader of messages says what is wrong with it
        function = call.get("function")
        if "function" not in call and isinstance(call.get("name"), str):
            function = {name: item for name, item in call.items() if name not in _CALL_FIELDS}
            self.losses.append(Loss(path, "renamed", "a bare call became one of a function"))
        elif isinstance(function, Mapping):
            self.losses += other(call, _CALL_FIELDS, path)
        if not isinstance(function, Mapping):
            return call
        self.losses += other(function, ("name", "arguments"), f"{path}.function")
        arguments = function.get("arguments", "")
        if not isinstance(arguments, str):
            self.losses.append(Loss(f"{path}.function.arguments", "renamed", "the same JSON, as text"))
        id_ = self._calls.call(call.get("id"))
        if call.get("id") != id_:
            self.losses.append(Loss(f"{path}.id", "synthesised", f"{id_}, so that its result can name it"))
        return {
            "id": id_,
            "type": "function",
            "function": {"name": function.get("name"), "arguments": as_text(arguments)},
        }

    def _result(self, wire: dict[str, Any]) -> None:
        if isinstance(wire.get("tool_call_id"), str):
            self._calls.answered(wire["tool_call_id"])
        elif "tool_call_id" not in wire:
            wire["tool_call_id"] = self._calls.result()


def _are_valued(content: Any) -> bool:
    kinds = ("text", "reasoning", "tool_call", "image_url")
    return (
        isinstance(content, list | tuple)
        and bool(content)
        and all(
            isinstance(part, Mapping)
            and part.keys() == {"type", "value"}
            and part["type"] in kinds
            and isinstance(part["value"], str)
            for part in content
        )
    )


def _is_observation(turn: Any) -> bool:
    return isinstance(turn, Mapping) and "role" not in turn and speaker_of(turn.get("from")) == "tool"


def _list_in(value: Any) -> list[Any]:
    """Return the list that a value is, or is the JSON text of; empty for any other."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return value if isinstance(value, list) else []


def _present(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part without its nulls: a table of parts has the columns of every kind in each."""
    return {name: value for name, value in part.items() if value is not None}
