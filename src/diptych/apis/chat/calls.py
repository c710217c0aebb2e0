"""The tool calls of a message: whole ones, and fragments of a stream that must stay apart.

Rule: which call a fragment continues is decided by its id and its index. An id that came
before continues its call; a new id begins a call, even under an index that came before.
Without an id, the index decides; without either, the fragment continues the last call.
A fragment without an id still begins a call where it names a function although the last
call is finished (its arguments are a whole JSON object), or where the request offers a
tool of either name. The calls of a whole message, and
the entries of one list without index and id, are never joined.

A name can come in fragments (``get_``, ``weather``) or be repeated with every chunk. A
fragment that equals the name so far is a repetition, except where the request offers a
tool of the doubled name, and neither the id was repeated nor the arguments have begun.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ...errors import FormatError
from ...model import EMPTY, FrozenMap, ToolCall
from ...projection import ABSENT, PAYLOADS
from ...response import Event


def text_field(value: Mapping[str, Any], name: str, what: str) -> str:
    """Return a text of an answer, "" where it is absent or null. Raises FormatError for any other type."""
    found = value.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise FormatError(f"{what} is {_kind(found)}, not a string")
    return found


def index_of(value: Mapping[str, Any], what: str) -> int | None:
    """Return the index of a choice or a call, None where it has none. Raises FormatError for any other type."""
    found = value.get("index")
    if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
        raise FormatError(f"the index of {what} is {_kind(found)}, not an integer")
    return found


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object", str: "a string"}
    return names.get(type(value), "null")


def _payload(value: Any, what: str) -> str:
    """Return arguments as JSON text: some servers send the object itself. Raises FormatError for another type."""
    if value is None or isinstance(value, str):
        return value or ""
    if not isinstance(value, Mapping):
        raise FormatError(f"the {what} of a call are {_kind(value)}, not a string of JSON")
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise FormatError(f"the {what} of a call hold a value that JSON cannot say") from None


class Named:
    """A name and the text beside it, growing: the function of a call, or its custom tool.

    >>> whole = Named(frozenset())
    >>> [whole.add(name, more) for name, more in (("get_", ""), ("weather", '{"a"'), ("get_weather", ": 1}"))]
    ['get_', 'weather', '']
    >>> whole.name, whole.payload
    ('get_weather', '{"a": 1}')
    """

    def __init__(self, tools: frozenset[str]) -> None:
        self.name = ""
        self._tools = tools
        self._payloads: list[str] = []

    @property
    def payload(self) -> str:
        """The arguments or the input so far."""
        return "".join(self._payloads)

    @property
    def begun(self) -> bool:
        """True where the arguments have begun."""
        return bool(self._payloads)

    def add(self, name: str, payload: str, *, same_id: bool = False) -> str:
        """Take a fragment of each and return what it adds to the name; ``same_id`` where it repeats the call's id."""
        if payload:
            self._payloads.append(payload)
        repeats = name == self.name and (same_id or self.begun or name * 2 not in self._tools)
        added = "" if repeats else name
        self.name += added
        return added

    def is_whole_object(self) -> bool:
        """Return whether the arguments are one JSON object, to which nothing can be added."""
        try:
            return isinstance(json.loads(self.payload), dict)
        except (ValueError, RecursionError):
            return False


def read_function(value: Any, kind: str = "function") -> tuple[str, str]:
    """Return name and arguments of a function, or name and input of a custom tool. Raises FormatError."""
    if value is None:
        return "", ""
    if not isinstance(value, Mapping):
        raise FormatError(f"the {kind} of a call is {_kind(value)}, not an object")
    field = PAYLOADS[kind]
    return text_field(value, "name", "the name of a call"), _payload(value.get(field), field)


@dataclass(frozen=True, slots=True)
class _Fragment:
    """One entry of ``tool_calls``."""

    index: int | None
    id: str
    type: str
    kind: str
    name: str
    payload: str
    more: dict[str, Any]


def _fragment(value: Any) -> _Fragment:
    if not isinstance(value, Mapping):
        raise FormatError(f"a tool call is {_kind(value)}, not an object")
    type_ = text_field(value, "type", "the type of a call")
    kind = "custom" if value.get("custom") is not None or type_ == "custom" else "function"
    more = {k: v for k, v in value.items() if k not in ("index", "id", "type", *PAYLOADS) and v is not None}
    id_ = text_field(value, "id", "the id of a call")
    return _Fragment(index_of(value, "a call"), id_, type_, kind, *read_function(value.get(kind), kind), more)


class _Call:
    """One call while it grows."""

    def __init__(self, number: int, first: _Fragment, tools: frozenset[str]) -> None:
        self.number, self.index, self.id, self.type, self.kind = number, first.index, "", "", first.kind
        self.named = Named(tools)
        self._tools = tools

    def add(self, fragment: _Fragment, choice: int) -> Event:
        """Take a fragment; return the event of what is new in it."""
        name = self.named.add(fragment.name, fragment.payload, same_id=bool(fragment.id) and fragment.id == self.id)
        value = dict(fragment.more)
        if not self.type and (fragment.type or self.kind == "custom"):
            self.type = value["type"] = fragment.type or self.kind
        new_id = None if self.id else fragment.id or None
        self.id = self.id or fragment.id
        return Event("call", choice, fragment.payload, self.number, new_id, name or None, value or None)

    def is_followed_by(self, fragment: _Fragment) -> bool:
        """Return whether a fragment of no other id than this call's begins the next call."""
        if fragment.id and self.id:
            return fragment.id != self.id
        if not fragment.name or (fragment.name == self.named.name and not fragment.payload):
            return False
        if self._tools >= {fragment.name, self.named.name} and self.named.name + fragment.name not in self._tools:
            return fragment.name != self.named.name or self.named.is_whole_object()
        if not self.named.begun:
            return False
        return self.named.is_whole_object() if self.kind == "function" else fragment.name != self.named.name


class ToolCalls:
    """The calls of one message while they grow.

    >>> calls = ToolCalls()
    >>> events = calls.add([{"id": "a", "function": {"name": "ls", "arguments": "{}"}}])
    >>> events += calls.add([{"id": "b", "function": {"name": "cat", "arguments": "{}"}}])
    >>> [(event.call, event.name) for event in events]
    [(0, 'ls'), (1, 'cat')]
    """

    def __init__(self, choice: int = 0, tools: frozenset[str] = frozenset()) -> None:
        self._choice, self._tools = choice, tools
        self._numbers: set[int] = set()
        self._by_id: dict[tuple[str, int | None], _Call] = {}
        self._by_index: dict[int, _Call] = {}
        self._by_place: dict[int, _Call] = {}
        self._last: _Call | None = None

    def add(self, value: Any) -> list[Event]:
        """Take the ``tool_calls`` of a delta. Raises FormatError where they are malformed."""
        if not value:
            return []
        if not isinstance(value, list):
            raise FormatError(f"the tool calls of a message are {_kind(value)}, not a list")
        taken: set[int] = set()  # the calls that an entry of this list has continued
        events = []
        for place, entry in enumerate(value):
            fragment = _fragment(entry)
            call = self._continued(fragment, place if len(value) > 1 else None, taken)
            if call is None:
                call = _Call(self._number(fragment.index), fragment, self._tools)
            events.append(call.add(fragment, self._choice))
            taken.add(id(call))
            self._remember(call, fragment, place)
        return events

    def _number(self, index: int | None) -> int:
        """Return the number of a new call: its index where no other call has it, so that calls stand in order."""
        number = index if index is not None and index not in self._numbers else max(self._numbers, default=-1) + 1
        self._numbers.add(number)
        return number

    def _continued(self, fragment: _Fragment, place: int | None, taken: set[int]) -> _Call | None:
        """Return the call that a fragment continues, None where it begins one."""
        if fragment.id and (known := self._of_id(fragment)):
            return known
        if fragment.index is not None:
            call = self._by_index.get(fragment.index)
            if call is None and not (fragment.id or fragment.name) and self._last and self._last.index is None:
                call = self._last  # the index comes only now
        else:
            call = self._last if place is None else self._by_place.get(place)
            if call is not None and id(call) in taken:
                return None
        return None if call is None or call.is_followed_by(fragment) else call

    def _of_id(self, fragment: _Fragment) -> _Call | None:
        """Return the call of this id. Under another index it is another call: some servers give all one id."""
        if fragment.index is None:
            return self._by_id.get((fragment.id, None))
        found = self._by_id.get((fragment.id, fragment.index)) or self._by_id.get((fragment.id, None))
        return found if found is not None and found.index in (None, fragment.index) else None

    def _remember(self, call: _Call, fragment: _Fragment, place: int) -> None:
        self._last = self._by_place[place] = call
        if call.index is None:
            call.index = fragment.index
        if call.index is not None:
            self._by_index[call.index] = call
        if call.id:
            self._by_id[call.id, call.index] = self._by_id[call.id, None] = call


# whole calls ----------------------------------------------------------------------------------------


def read_calls(value: Any) -> tuple[ToolCall, ...]:
    """Read the ``tool_calls`` of a whole message. Raises FormatError where they are malformed."""
    if not value:
        return ()
    if not isinstance(value, list):
        raise FormatError(f"the tool calls of a message are {_kind(value)}, not a list")
    return tuple(read_call(call) for call in value)


def read_call(value: Any) -> ToolCall:
    """Read one whole call; what only Chat says of it stands in ``native``.

    >>> read_call({"id": "a", "type": "function", "function": {"name": "ls", "arguments": "{}"}})
    ToolCall(id='a', name='ls', arguments='{}', type='function', native=FrozenMap({}))
    """
    found = _fragment(value)
    more = {name: field for name, field in value.items() if name not in ("id", "type", found.kind)}
    if rest := {k: v for k, v in (value.get(found.kind) or {}).items() if k not in ("name", PAYLOADS[found.kind])}:
        more[found.kind] = rest
    more |= {name: value.get(name, ABSENT) for name in ("id", "type") if not value.get(name)}
    native = FrozenMap({"chat": FrozenMap(more)}) if more else EMPTY
    return ToolCall(found.id, found.name, found.payload, cast("Any", found.type or found.kind), native)
