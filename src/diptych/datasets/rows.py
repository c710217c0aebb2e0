"""What the layouts of training data have in common: rows, turns, tools, borders, proofs.

Rule: a row is read turn by turn into Chat messages, whatever names its fields have, and
everything that finds no place is a loss with its path. A null says nothing, so it is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, Final

from ..apis.chat import messages as openai_chat
from ..apis.proof import differences
from ..errors import FormatError
from ..format import Format
from ..loss import Loss, Severity
from ..model import Conversation, Example, Message

Read = tuple[Example, tuple[Loss, ...]]
Written = tuple[dict[str, Any], tuple[Loss, ...]]
#: Names of speakers that were seen in data sets, and the roles that they are.
SPEAKERS: Final = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "model": "assistant", "bot": "assistant", "system": "system", "developer": "developer", "tool": "tool",
    "observation": "tool", "function_response": "tool", "ipython": "tool",
}  # fmt: skip
_PLAIN: Final = ("user", "assistant", "system", "developer")
_CALL_FIELDS: Final = frozenset({"id", "type", "function"})
_TOOL_FIELDS: Final = frozenset({"name", "description", "parameters", "strict"})


def row_of(value: Any) -> Mapping[str, Any]:
    """Return a row as the object it is. Raises FormatError for any other value."""
    if not isinstance(value, Mapping):
        raise FormatError(f"a row is an object, not {type(value).__name__}", path="$")
    return value


def other(fields: Mapping[str, Any], known: Iterable[str], path: str = "$") -> list[Loss]:
    """Return a loss for every field that is not known here."""
    names = frozenset(known)
    return [
        Loss(f"{path}.{name}", "field-dropped", "no place in a conversation")
        for name, value in fields.items()
        if name not in names and value is not None
    ]


def text_of(row: Mapping[str, Any], name: str, path: str = "$") -> str:
    """Return a field of text. Raises FormatError where it is none."""
    value = row.get(name)
    if isinstance(value, str):
        return value
    raise FormatError(f"{name!r} is text, not {type(value).__name__}", path=f"{path}.{name}")


def flag_of(row: Mapping[str, Any], name: str, losses: list[Loss], path: str = "$") -> bool:
    """Return a field of true or false; 1 and 0 are taken, too."""
    value = row.get(name)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        losses.append(Loss(f"{path}.{name}", "renamed", f"{value!r} became {bool(value)}"))
        return bool(value)
    raise FormatError(f"{name!r} is true or false, not {type(value).__name__}", path=f"{path}.{name}")


#: Fields that say whether an answer is good (TRL, LLaMA-Factory). They may stand beside any layout.
JUDGEMENTS: Final = ("label", "kto_tag")


def judged(entry: Format) -> Format:
    """Return a layout that reads a judgement of the answer also where it has no field for one."""
    if entry.kind != "dataset" or entry.asks or entry.read is None:
        return entry
    return replace(entry, read=judging(entry.read))


def judging(read: Callable[[Any], tuple[Conversation, tuple[Loss, ...]]]) -> Callable[[Any], Read]:
    """Return a reader that takes ``label`` and ``kto_tag`` for what they say, where ``read`` has no place for them."""

    def reading(value: Any) -> Read:
        conversation, losses = read(value)
        example = Example.of(conversation)
        names = [name for name in JUDGEMENTS if any(_has_no_place(loss, name) for loss in losses)]
        if not names:
            return example, losses
        kept = [loss for loss in losses if not any(_has_no_place(loss, name) for name in names)]
        labels = {example.label, *(_judgement(row_of(value), name, kept) for name in names)} - {None}
        if len(labels) > 1:
            kept.append(Loss(f"$.{names[-1]}", "undecidable", "two fields judge the answer, and they differ"))
        return replace(example, label=labels.pop(), answer=border_of(example, [])), tuple(kept)

    return reading


def _has_no_place(loss: Loss, name: str) -> bool:
    return loss.kind == "field-dropped" and loss.path == f"$.{name}"


def _judgement(row: Mapping[str, Any], name: str, losses: list[Loss]) -> bool:
    try:
        return flag_of(row, name, losses)
    except FormatError as error:
        said = f"{error.message}; leave the column out (drop) if it does not judge the answer"
        raise FormatError(said, path=error.path) from None


# turns --------------------------------------------------------------------------------------


class _Calls:
    """The calls that wait for a result: layouts without ids link them by their order."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._waiting: list[str] = []

    def call(self, given: Any) -> str:
        id_ = given if isinstance(given, str) and given else self._new()
        self._ids.add(id_)
        self._waiting.append(id_)
        return id_

    def _new(self) -> str:
        return next(id_ for id_ in (f"call_{number}" for number in count()) if id_ not in self._ids)

    def result(self) -> str | None:
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
        return tuple(self._turn(turn, f"{path}[{index}]") for index, turn in enumerate(turns))

    def _turn(self, turn: Any, path: str) -> Message:
        if not isinstance(turn, Mapping):
            raise FormatError(f"a turn is an object, not {type(turn).__name__}", path=path)
        if len(turn) == 2 and isinstance(turn.get("content"), str) and turn.get("role") in _PLAIN:
            return Message(turn["role"], turn["content"])  # nearly every turn of nearly every row
        said = {name: value for name, value in turn.items() if value is not None or name == "content"}
        wire = self._spoken(said, path) if "role" not in said and "from" in said else self._chat(said, path)
        if "thinking" in wire and "reasoning_content" not in wire:
            wire["reasoning_content"] = wire.pop("thinking")
            self.losses.append(Loss(f"{path}.thinking", "renamed", "reasoning"))
        if wire.get("role") == "tool":
            self._result(wire)
        return openai_chat.read_message(wire, path)

    def _spoken(self, turn: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Return a turn of ``from`` and ``value`` as a message; a function call is JSON in the value."""
        speaker, value = turn["from"], turn.get("value")
        wire = {name: item for name, item in turn.items() if name not in ("from", "value")}
        if speaker == "function_call":
            if not isinstance(value, str):
                raise FormatError("a function call is JSON text", path=f"{path}.value")
            return {"role": "assistant", "content": None, "tool_calls": self._functions(value, path), **wire}
        if not isinstance(speaker, str) or speaker not in SPEAKERS:
            raise FormatError(f"nobody knows the speaker {speaker!r}", path=f"{path}.from")
        if "value" not in turn:
            raise FormatError("a turn has a value of text", path=path)
        return {"role": SPEAKERS[speaker], "content": self._content(value, f"{path}.value"), **wire}

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
            self.losses.append(Loss(f"{path}.role", "role-changed", "function became tool"))
        elif isinstance(role, str) and SPEAKERS.get(role, role) != role:
            wire["role"] = SPEAKERS[role]
            self.losses.append(Loss(f"{path}.role", "renamed", f"{role} is {wire['role']}"))
        if "content" not in wire and "value" in wire:
            wire["content"] = wire.pop("value")
            self.losses.append(Loss(f"{path}.value", "renamed", "content"))
        if "content" in wire:
            wire["content"] = self._content(wire["content"], f"{path}.content")
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


def _present(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part without its nulls: a table of parts has the columns of every kind in each."""
    return {name: value for name, value in part.items() if value is not None}


def as_text(value: Any) -> str:
    """Return a text as it is, and any other JSON value as its text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def read_tools(tools: Any, losses: list[Loss], path: str = "$.tools") -> Any:
    """Return the tools of a row as the Chat reader takes them: lists, and JSON text of one."""
    if isinstance(tools, str):
        losses.append(Loss(path, "renamed", "JSON text became a list")) if tools else None
        try:
            tools = json.loads(tools or "null")
        except (ValueError, RecursionError):
            raise FormatError("tools are a list, or JSON text of one", path=path) from None
    if isinstance(tools, Mapping):
        tools = [tools]
    if tools is None or not isinstance(tools, list | tuple):
        if tools is not None:
            raise FormatError(f"tools are a list, not {type(tools).__name__}", path=path)
        return None
    for index, tool in enumerate(tools):
        place = f"{path}[{index}]"
        function = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise FormatError("a tool needs a function with a name", path=place)
        if function is tool:
            losses += other(tool, {*_TOOL_FIELDS, "type"}, place)
        else:
            losses += other(tool, ("type", "function"), place)
            losses += other(function, _TOOL_FIELDS, f"{place}.function")
        if function.get("parameters") is not None and not isinstance(function["parameters"], Mapping):
            raise FormatError("parameters are a JSON Schema", path=f"{place}.function.parameters")
    return tools


def example_of(messages: Sequence[Message], losses: Iterable[Loss] = (), *, tools: Any = None, **fields: Any) -> Read:
    """Return an example of these messages and tools, with the losses of reading them."""
    return Example(tuple(messages), openai_chat.read_tools(tools), **fields), tuple(losses)


# borders ------------------------------------------------------------------------------------


def implied(messages: Sequence[Message], answer: int | None) -> bool:
    """Say whether the messages alone show where this answer begins."""
    first = next((i for i, m in enumerate(messages) if m.role == "assistant"), len(messages))
    asks = not messages or messages[-1].role != "assistant"
    return answer is None or answer == first or (asks and answer == len(messages))


def border_of(example: Example, losses: list[Loss]) -> int:
    """Return where the answer begins; where a row does not say, at its last turn.

    Cutting a talk of several answers at the last leaves the others untaught: a loss.
    """
    messages = example.messages
    if example.answer is not None:
        return min(example.answer, len(messages))
    if not messages or messages[-1].role != "assistant":
        return len(messages)
    start = len(messages)
    while start and messages[start - 1].role in ("assistant", "tool"):
        start -= 1
    start += next(i for i, message in enumerate(messages[start:]) if message.role == "assistant")
    if not implied(messages, start):
        losses.append(Loss("$.answer", "split", "several answers are learnt; the cut is before the last turn"))
    return start


def border_kept(example: Example) -> list[Loss]:
    """Return the loss of a border that a list of messages does not show."""
    if implied(example.messages, example.answer):
        return []
    return [Loss("$.answer", "merged", f"nothing says that the answer begins at message {example.answer}")]


def refusal(path: str, detail: str) -> tuple[Loss, ...]:
    """Return the one loss of a row that this layout cannot hold."""
    return (Loss(path, "unsupported", detail),)


def proven_row(example: Example, told: Iterable[Loss], read: Callable[[Any], Read], output: Any) -> tuple[Loss, ...]:
    """Return the losses told of, and those that reading the row again shows beside them.

    What its own reader would refuse is not written, either.
    """
    said = tuple(told)
    again, reread = read(output)
    found = differences(example, again)
    if example.rejected is not None and again.rejected is not None:
        worse = differences(Conversation(example.rejected), Conversation(again.rejected))
        found += [loss._replace(path=loss.path.replace("$.messages", "$.rejected", 1)) for loss in worse]
    known = tuple(loss.path for loss in said if loss.severity > Severity.EXACT)
    refused = [loss for loss in reread if loss.severity is Severity.REFUSED]
    return (*said, *(loss for loss in found if not loss.path.startswith(known)), *refused)


def untouched(value: Any, source: str, output: Any, target: str) -> bool:
    """Tell whether a row came out of its own layout as it went in: then reading it lost nothing."""
    return source == target and bool(output == value)
