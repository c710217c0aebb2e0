"""Fitting a conversation into a window: what goes first, and what never goes.

Rule: system and developer messages and the last message stay. The rest goes by
priority, the lowest first, and among equals the oldest first; a tool call and its
results go together or not at all. What goes is rounded up to a step, so that the next
turns of a growing conversation drop the same messages and their common prefix stays
cached. Nothing goes unsaid: every message dropped or cut stands in the report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..apis.chat.messages import write
from ..catalogue import DEFAULT_MODEL
from ..conversion.requests import build
from ..errors import TokenError
from ..model import Conversation, Message
from ..prices.book import default as default_prices
from ..prices.bounds import choices, output_cap
from ..request import Request
from ..tokens import count
from ..tokens.shapes import whole_number
from ..views.card import Card, Table
from ..views.shown import Shown
from ..views.wire import wire_talk
from .rendered import Rendered

#: What goes at once, as a share of the room: one eighth keeps the prefix for several turns.
STEP: Final = 8
#: What stands where the end of a text was cut off.
CUT_MARK: Final = " […]"
_INDEX: Final = re.compile(r"\$\.messages\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that went, or was cut: where it stood and what that saved.

    ``kept_tokens`` is 0 for a message that went, and what is left of one that was cut.

    >>> Dropped("$.messages[1]", "user", 120, 0, 0.0).saved_tokens
    120
    """

    path: str
    role: str
    tokens: int
    kept_tokens: int
    priority: float

    @property
    def saved_tokens(self) -> int:
        """The tokens that this saved."""
        return self.tokens - self.kept_tokens


@dataclass(frozen=True, slots=True)
class Fitted(Shown):
    """A conversation that fits, and what it took.

    ``tokens`` is the highest that the count allows for, ``limit`` the window less the reserve.
    """

    messages: list[dict[str, Any]]
    tokens: int
    limit: int
    dropped: tuple[Dropped, ...] = ()

    @property
    def saved_tokens(self) -> int:
        """The tokens of everything that went."""
        return sum(one.saved_tokens for one in self.dropped)

    def to_json(self) -> dict[str, Any]:
        """Return the conversation and the report as a JSON object."""
        gone = [
            {"path": d.path, "role": d.role, "tokens": d.tokens, "kept_tokens": d.kept_tokens, "priority": d.priority}
            for d in self.dropped
        ]
        found: dict[str, Any] = {"messages": self.messages, "tokens": self.tokens, "limit": self.limit}
        return {**found, "dropped": gone, "saved_tokens": self.saved_tokens}

    def _card(self) -> Card:
        facts = {"tokens": f"{self.tokens:,} of {self.limit:,}", "saved tokens": f"{self.saved_tokens:,}"}
        rows = [(one.path, one.role, f"{one.tokens:,}", f"{one.kept_tokens:,}") for one in self.dropped]
        gone = [Table("Left out or cut", ("where", "role", "tokens", "kept"), rows)] if rows else []
        return Card("Fitted", facts, [*gone, wire_talk(self.messages)])


@dataclass(slots=True)
class _Unit:
    """Messages that go together: one, or a tool call with its results."""

    indexes: list[int]
    priority: float
    tokens: int = 0
    stays: bool = False


def fit(
    x: Any,
    model: str | None = None,
    *,
    api: str | None = None,
    reserve: int | None = None,
    limit: int | None = None,
    priorities: Sequence[float | None] | None = None,
    trim: bool = False,
    step: int | None = None,
    start_on: str | None = None,
) -> Fitted:
    """Return the messages of ``x`` that fit the model's window, and what went.

    ``x`` is a list of messages (objects or :class:`diptych.Message`), a request body with
    messages, a :class:`diptych.Request`, or a rendered chat, whose ``{% message priority=… %}``
    count: a higher number stays longer, no number is 0. ``priorities`` gives them by hand, one per
    message. ``reserve`` tokens are kept free for the reply; by default the cap that the request
    states, else none. ``api`` may say ``chat``, the API whose messages are fitted. ``limit``
    (tokens) stands in for the model's window. What goes is rounded up to ``step`` tokens, one
    eighth of the room by default; 1 drops no more than needed. ``start_on="user"`` also drops
    what then stands before the first message of that role, the system message apart. ``trim`` lets
    the last message that must go be cut at a space instead, where it is plain text. Raises
    TokenError where what must stay is too long already, or the window or the count is unknown.

    >>> talk = [{"role": "user", "content": "One " * 50}, {"role": "user", "content": "Two"}]
    >>> found = fit(talk, "gpt-5.4-mini", limit=20)
    >>> [m["content"] for m in found.messages], found.dropped[0].path
    (['Two'], '$.messages[0]')
    """
    limit, step = whole_number(limit, "limit"), whole_number(step, "step", least=1)
    if api not in (None, "chat"):
        raise TokenError(f"messages of {api!r} cannot be fitted", hint="use api='chat'")
    body, declared = _body_of(x, model)
    reserve = whole_number(reserve, "reserve")
    reserve = (output_cap(body) or 0) * choices(body) if reserve is None else reserve
    messages = [dict(message) for message in body["messages"]]
    name = model or str(body.get("model") or DEFAULT_MODEL)
    room = _room(name, reserve) if limit is None else limit - reserve
    counted = count({**body, "messages": messages}, name)
    highest = _highest(counted)
    if highest <= room:
        return Fitted(messages, highest, room)
    tokens = _tokens_by_message(counted, len(messages))
    units = _units(messages, list(priorities or declared or ()), tokens)
    needed, grain = highest - room, max(1, room // STEP) if step is None else step
    gone, cut = _choose(units, messages, needed if trim else -(-needed // grain) * grain, trim)
    while True:
        if start_on is not None:
            gone = [*gone, *_before(units, messages, gone, start_on)]
        kept, report = _apply(messages, tokens, units, gone, cut, name)
        total = _highest(count({**body, "messages": kept}, name))
        if total <= room:
            return Fitted(kept, total, room, report)
        rest = [unit for unit in _in_order(units) if id(unit) not in {id(one) for one in gone}]
        if not rest:
            raise TokenError(
                f"the messages that must stay have {total} tokens, {room} fit",
                hint="shorten the system message or the last message, or reserve less",
            )
        gone, cut = [*gone, rest[0]], None


def _body_of(x: Any, model: str | None) -> tuple[Mapping[str, Any], list[float | None] | None]:
    if isinstance(x, Request):
        body = build(x, model=model, api="chat", on_loss="ignore", checks=False).body
        return body, x.priorities if isinstance(x, Rendered) else None
    if isinstance(x, Mapping) and isinstance(x.get("messages"), list | tuple):
        return x, None
    if isinstance(x, list | tuple) and all(isinstance(message, Mapping | Message) for message in x):
        return {"messages": [message if isinstance(message, Mapping) else _wire(message) for message in x]}, None
    raise TokenError("only messages can be fitted", hint="give messages, a Chat body or a rendered chat")


def _wire(message: Message) -> dict[str, Any]:
    return write(Conversation((message,)))[0]


def _room(model: str, reserve: int) -> int:
    price = default_prices().find(model)
    if price is None or price.context_window is None:
        raise TokenError(f"the window of {model!r} is not known", hint="give limit= in tokens")
    room = price.context_window - reserve
    return room if price.input_limit is None else min(room, price.input_limit)


def _highest(counted: Any) -> int:
    if counted.high is None:
        raise TokenError(counted.reason or "the count is unknown", hint="name a model whose encoding is known")
    return int(counted.high)


def _tokens_by_message(counted: Any, size: int) -> list[int]:
    tokens = [0] * size
    for item in counted.items:
        if (found := _INDEX.match(item.path)) is not None:
            tokens[int(found[1])] += item.range[1]
    return tokens


def _units(messages: Sequence[Mapping[str, Any]], given: Sequence[float | None], tokens: Sequence[int]) -> list[_Unit]:
    units: list[_Unit] = []
    open_calls: dict[str, _Unit] = {}
    called: _Unit | None = None
    for index, message in enumerate(messages):
        own = given[index] if index < len(given) else None
        caller = open_calls.get(str(message.get("tool_call_id"))) if message.get("role") == "tool" else None
        if message.get("role") == "function":  # the legacy pair has no ids: a result follows its call
            caller = called
        unit = caller or _Unit([], 0.0 if own is None else own)
        if caller is None:
            units.append(unit)
        elif own is not None:
            unit.priority = max(unit.priority, own)
        unit.indexes.append(index)
        unit.tokens += tokens[index]
        unit.stays |= message.get("role") in ("system", "developer") and own is None
        unit.stays |= index == len(messages) - 1
        called = unit if message.get("function_call") else None
        for call in message.get("tool_calls") or ():
            open_calls[str(call.get("id"))] = unit
    return units


def _in_order(units: Sequence[_Unit]) -> list[_Unit]:
    return sorted((u for u in units if not u.stays), key=lambda u: (u.priority, u.indexes[0]))


def _choose(
    units: list[_Unit], messages: Sequence[Mapping[str, Any]], wanted: int, trim: bool
) -> tuple[list[_Unit], tuple[_Unit, int] | None]:
    """Return the units that go, and the one that is cut with the tokens it must lose."""
    gone: list[_Unit] = []
    freed = 0
    for unit in _in_order(units):
        if freed >= wanted:
            break
        missing = wanted - freed
        if trim and unit.tokens > missing + 16 and _is_plain(unit, messages):
            return gone, (unit, missing)
        gone.append(unit)
        freed += unit.tokens
    return gone, None


def _before(
    units: Sequence[_Unit], messages: Sequence[Mapping[str, Any]], gone: Sequence[_Unit], role: str
) -> list[_Unit]:
    """Return what is left before the first message of this role and does not have to stay."""
    out = {id(unit) for unit in gone}
    found = []
    for unit in units:
        if id(unit) in out or unit.stays:
            continue
        if messages[unit.indexes[0]].get("role") == role:
            break
        found.append(unit)
    return found


def _is_plain(unit: _Unit, messages: Sequence[Mapping[str, Any]]) -> bool:
    return len(unit.indexes) == 1 and isinstance(messages[unit.indexes[0]].get("content"), str)


def _apply(
    messages: Sequence[dict[str, Any]],
    tokens: Sequence[int],
    units: Sequence[_Unit],
    gone: Sequence[_Unit],
    cut: tuple[_Unit, int] | None,
    model: str,
) -> tuple[list[dict[str, Any]], tuple[Dropped, ...]]:
    out = {index for unit in gone for index in unit.indexes}
    kept: list[dict[str, Any]] = []
    report: list[Dropped] = []
    by_index = {index: unit for unit in units for index in unit.indexes}
    for index, message in enumerate(messages):
        unit = by_index[index]
        own, role = tokens[index], str(message.get("role"))
        if index in out:
            report.append(Dropped(f"$.messages[{index}]", role, own, 0, unit.priority))
        elif cut is not None and unit is cut[0]:
            shorter = _shortened(message, own - cut[1], model)
            report.append(Dropped(f"$.messages[{index}]", role, own, _alone(shorter, model), unit.priority))
            kept.append(shorter)
        else:
            kept.append(message)
    return kept, tuple(report)


def _alone(message: dict[str, Any], model: str) -> int:
    """Return the tokens of one message without what every request costs."""
    return _highest(count({"messages": [message]}, model)) - _highest(count({"messages": []}, model))


def _shortened(message: dict[str, Any], tokens: int, model: str) -> dict[str, Any]:
    """Return the message with the longest start of its text, up to a space, that has so many tokens."""
    text = message["content"]
    cuts = [match.start() for match in re.finditer(r"\s", text)]
    low, high, best = 0, len(cuts) - 1, {**message, "content": CUT_MARK.strip()}
    while low <= high:
        middle = (low + high) // 2
        candidate = {**message, "content": text[: cuts[middle]].rstrip() + CUT_MARK}
        if _alone(candidate, model) <= tokens:
            best, low = candidate, middle + 1
        else:
            high = middle - 1
    return best
