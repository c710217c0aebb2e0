"""Links between calls and their results: every call has an id that its API takes, and its results have the same.

Rule: an id is resolved within its turn, since servers and logs use ids again. A missing id is made; one
outside the alphabet of the API, or used before, is written another way, and both sides change together.
Used before means in the same turn, and anywhere where ids are unique. A result without an id belongs to
the next unanswered call of its name, else to the next unanswered one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..model import Message, ToolCall
from ..request import Request
from .api import Api
from .ledger import Ledger


@dataclass
class _Open:
    """A call that waits for its result: its old id, and the one that it gets."""

    call: ToolCall
    new: str
    answered: bool = False


@dataclass
class _Links:
    """What is known while messages are walked."""

    api: Api
    ledger: Ledger
    used: set[str] = field(default_factory=set)
    turn: list[_Open] = field(default_factory=list)
    before: list[_Open] = field(default_factory=list)

    def message(self, message: Message) -> Message:
        """Return a message with ids that its API takes."""
        if message.role == "tool":
            return self._result(message)
        if message.tool_calls and message.role != "assistant":
            return self._without_calls(message)
        if message.tool_calls:
            self.before, self.turn = [*self.turn, *self.before], []
            return self._calls(message)
        return message

    def _without_calls(self, message: Message) -> Message:
        """Return a message of another role than the assistant's, whose calls no API but its own has a place for."""
        for call in message.tool_calls:
            self.ledger.lose(call, detail=f"the role {message.role} calls no tools")
        made = message.replace(parts=[part for part in message.parts if not isinstance(part, ToolCall)])
        self.ledger.same(made, message)
        return made

    def _calls(self, message: Message) -> Message:
        parts = [self._call(part) if isinstance(part, ToolCall) else part for part in message.parts]
        if all(new is old for new, old in zip(parts, message.parts, strict=True)):
            return message
        made = message.replace(parts=parts)
        self.ledger.same(made, message)
        return made

    def _call(self, call: ToolCall) -> ToolCall:
        new = self._id(call.id)
        self.used.add(new)
        self.turn.append(_Open(call, new))
        if new == call.id:
            return call
        kind, said = ("relabelled", f"{call.id!r} became {new!r}") if call.id else ("synthesised", new)
        self.ledger.lose(call, "id", kind, said)
        made = ToolCall(new, call.name, call.arguments, call.type, call.native)
        self.ledger.same(made, call)
        return made

    def _id(self, old: str) -> str:
        new = re.sub(self.api.not_in_ids, "_", old) if self.api.not_in_ids else old
        stem, number = new or "call", 1 if new else 0
        in_turn = {one.new for one in self.turn}  # of two calls with one id, a result would belong to either
        while not new or new in in_turn or (new in self.used and self.api.unique_ids):
            number += 1
            new = f"{stem}_{number}"
        return new

    def _result(self, message: Message) -> Message:
        found = self._asked(message)
        if found is None:
            return message
        found.answered = True
        changes: dict[str, str | None] = {}
        if found.new != message.tool_call_id:
            kind = "relabelled" if message.tool_call_id else "synthesised"
            self.ledger.lose(message, "tool_call_id", kind, found.new)
            changes["tool_call_id"] = found.new
        if message.name is not None and message.name == found.call.name and self.api.name != "chat":
            self.ledger.lose(message, "name", "renamed", "its call has the name")
            changes["name"] = None
        if not changes:
            return message
        made = message.replace(**changes)
        self.ledger.same(made, message)
        return made

    def _asked(self, message: Message) -> _Open | None:
        """Return the call that a result answers."""
        known = [*self.turn, *self.before]
        if message.tool_call_id:
            found = [one for one in known if one.call.id == message.tool_call_id]
        else:
            found = [one for one in self.turn if not one.answered and message.name in (None, one.call.name)]
            found = found or [one for one in self.turn if not one.answered]
        return next((one for one in found if not one.answered), found[0] if found else None)


def linked(api: Api, request: Request, ledger: Ledger) -> Request:
    """Return a request whose calls and results have ids that the API takes, the same on both sides."""
    messages = request.conversation.messages
    if not any(message.role == "tool" or message.tool_calls for message in messages):
        return request
    links = _Links(api, ledger)
    made = tuple(map(links.message, messages))
    return request if all(map(_is, made, messages)) else request.replace(messages=made)


def _is(one: Message, two: Message) -> bool:
    return one is two
