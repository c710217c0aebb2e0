"""The fast path: templates of constants and inputs, rendered without Jinja.

Rule: a body made of author text, printed inputs (with a constant default or a
simple filter) and message tags with fixed roles is recognised when it is compiled,
and runs as a join over prepared pieces. Anything else returns no plan and goes the
Jinja way; both ways give the same result, which a property test holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, Union

from jinja2 import nodes

from ..model import ROLES, Message, Segment
from .assemble import Assembled, Entry, add_segment
from .events import text
from .history import plain_message

_GLOBALS = frozenset({"range", "dict", "namespace", "cycler", "joiner", "self", "loop", "caller", "super"})
_FILTERS: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "upper": str.upper,
    "lower": str.lower,
    "string": lambda value: value,
}


class Slot(NamedTuple):
    """A printed input; ``filters`` names the simple filters it passes through."""

    name: str
    filters: tuple[str, ...] = ()

    def text_of(self, values: Mapping[str, Any]) -> str:
        shown = text(values[self.name])
        for name in self.filters:
            shown = _FILTERS[name](shown)
        return shown


Piece: TypeAlias = Union[str, Slot]


class Turn(NamedTuple):
    """A message with a fixed role."""

    role: str
    name: str | None
    pieces: tuple[Piece, ...]
    priority: float | None = None


class HistorySlot(NamedTuple):
    """``{% history name %}``; ``roles`` are those that its messages may have, None where none are named."""

    name: str
    roles: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A recognised body: the pieces of a prompt, or the turns of a chat.

    ``prompt`` and ``messages`` are functions of the values, made once: they hold the
    constants and join. ``size`` is how many characters of the author's the Jinja way yields
    (layout included), ``slots`` every place that prints an input.
    """

    pieces: tuple[Piece, ...]
    turns: tuple[Turn | HistorySlot, ...]
    is_chat: bool
    names: frozenset[str]
    histories: Mapping[str, frozenset[str] | None]
    make_prompt: Callable[[Mapping[str, Any]], str]
    make_messages: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
    size: int
    slots: tuple[Slot, ...]

    def output(self, values: Mapping[str, Any]) -> int:
        """Return how many characters the Jinja way yields for these texts, histories left out."""
        return self.size + sum(len(slot.text_of(values)) for slot in self.slots)

    def assembled(self, values: Mapping[str, Any]) -> Assembled:
        """Return what the Jinja path would have assembled from the same values."""
        if not self.is_chat:
            return Assembled(segments_of(self.pieces, values), (), False)
        entries: list[Entry] = []
        for turn in self.turns:
            if isinstance(turn, HistorySlot):
                entries += [_history_entry(m) for m in values[turn.name]]
            else:
                segments = segments_of(turn.pieces, values)
                content = "".join(segment.text for segment in segments)
                entries.append(Entry(Message(turn.role, content, turn.name), segments, turn.priority))
        return Assembled((), tuple(entries), True)


def _history_entry(message: dict[str, Any]) -> Entry:
    segments = (Segment(message["content"], "data"),) if message["content"] else ()
    return Entry(plain_message(message), segments)


def segments_of(pieces: tuple[Piece, ...], values: Mapping[str, Any]) -> tuple[Segment, ...]:
    """Return the segments of a text: constants by the author, slots by their input."""
    items: list[Segment] = []
    for piece in pieces:
        if isinstance(piece, str):
            add_segment(items, Segment(piece, "template"))
        else:
            add_segment(items, Segment(piece.text_of(values), "data", piece.name))
    return tuple(items)


# recognising ---------------------------------------------------------------------------


class _Unplanned(Exception):
    """This body needs Jinja."""


def make_plan(body: list[nodes.Node]) -> Plan | None:
    """Return the plan of a parsed body, or None where it needs Jinja."""
    try:
        return _plan(body)
    except _Unplanned:
        return None


def _plan(body: list[nodes.Node]) -> Plan:
    turns: list[Turn | HistorySlot] = []
    loose: list[Piece] = []
    texts: list[list[Piece]] = [loose]
    inside: list[Piece] | None = None
    fields: dict[str, nodes.Expr] = {}
    for node in body:
        if not isinstance(node, nodes.Output):
            raise _Unplanned
        if (history := getattr(node, "history_fields", None)) is not None:
            turns.append(_history_slot(history, inside))
        elif (start := getattr(node, "message_fields", None)) is not None:
            if inside is not None:
                raise _Unplanned
            inside, fields = [], start
            texts.append(inside)
        elif inside is not None and _is_end(node):
            turns.append(_turn(fields, inside))
            inside = None
        else:
            (loose if inside is None else inside).extend(_pieces(node))
    if inside is not None:
        raise _Unplanned
    return _finish(turns, loose, [piece for text in texts for piece in text])


def _finish(turns: list[Turn | HistorySlot], loose: list[Piece], printed: list[Piece]) -> Plan:
    if turns and any(not isinstance(p, str) or p.strip() for p in loose):
        raise _Unplanned  # text beside messages: the careful way words the error
    pieces = () if turns else _join(loose)
    slots = tuple(piece for piece in printed if isinstance(piece, Slot))
    spliced = [turn for turn in turns if isinstance(turn, HistorySlot)]
    histories = {slot.name: slot.roles for slot in spliced}
    names = frozenset(s.name for s in slots)
    if names & histories.keys() or len(histories) != len(spliced):
        raise _Unplanned
    return Plan(
        pieces,
        tuple(turns),
        bool(turns),
        names | histories.keys(),
        histories,
        _prompt_function(pieces),
        _messages_function(tuple(turns)),
        sum(len(piece) for piece in printed if isinstance(piece, str)),
        slots,
    )


def _is_end(node: nodes.Output) -> bool:
    first = node.nodes[0] if node.nodes else None
    return (
        bool(getattr(first, "structural", False))
        and isinstance(first, nodes.Call)
        and (isinstance(first.node, nodes.ExtensionAttribute) and first.node.name == "make_end")
    )


def _history_slot(fields: dict[str, nodes.Expr], inside: list[Piece] | None) -> HistorySlot:
    source = fields["messages"]
    if inside is not None or not isinstance(source, nodes.Name):
        raise _Unplanned
    return HistorySlot(_input(source), _roles(fields["roles"]) if "roles" in fields else None)


def _roles(node: nodes.Expr) -> frozenset[str]:
    items = node.items if isinstance(node, nodes.List | nodes.Tuple) else []
    names = [item.value for item in items if isinstance(item, nodes.Const) and item.value in ROLES]
    if not names or len(names) != len(items):
        raise _Unplanned
    return frozenset(names)


def _turn(fields: dict[str, nodes.Expr], pieces: list[Piece]) -> Turn:
    constants = {}
    for name, value in fields.items():
        if not isinstance(value, nodes.Const):
            raise _Unplanned
        constants[name] = value.value
    role = constants.pop("role")
    name, priority = constants.pop("name", None), constants.pop("priority", None)
    if constants.pop("prefill", False) or constants.pop("cache_control", None):
        raise _Unplanned
    if role not in ROLES or constants or not isinstance(name, str | None):
        raise _Unplanned
    if not isinstance(priority, int | float | None) or abs(priority or 0) > 1e300:
        raise _Unplanned
    return Turn(role, name, _trim_layout(_join(pieces)), None if priority is None else float(priority))


def _join(pieces: list[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != "":
            joined.append(piece)
    return tuple(joined)


def _trim_layout(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Take the author's line breaks off both ends, as the assembly does."""
    trimmed = list(pieces)
    if trimmed and isinstance(trimmed[0], str):
        trimmed[0] = trimmed[0].lstrip("\r\n")
    if trimmed and isinstance(trimmed[-1], str):
        trimmed[-1] = trimmed[-1].rstrip("\r\n")
    return tuple(piece for piece in trimmed if piece != "")


def _pieces(node: nodes.Output) -> list[Piece]:
    return [_piece(child) for child in node.nodes]


def _piece(node: nodes.Node) -> Piece:
    if getattr(node, "structural", False):
        raise _Unplanned
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Const) and type(node.value) is str:
        return node.value
    filters: list[str] = []
    while isinstance(node, nodes.Filter) and node.name in _FILTERS and isinstance(node.node, nodes.Node):
        if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise _Unplanned
        filters.insert(0, node.name)
        node = node.node
    if not isinstance(node, nodes.Name):
        raise _Unplanned
    return Slot(_input(node), tuple(filters))


def _input(node: nodes.Name) -> str:
    if node.name in _GLOBALS:
        raise _Unplanned
    return node.name


# the functions of a plan -----------------------------------------------------------------
#
# A join over a tuple display of constants and look-ups is the fastest thing that
# Python can do here; writing the tuple out per template needs exec. Only names of
# our own making and `repr` of the author's constants stand in that source.


def _expression(pieces: tuple[Piece, ...]) -> str:
    terms = [repr(p) if isinstance(p, str) else _slot_expression(p) for p in pieces]
    if not terms:
        return "''"
    return terms[0] if len(terms) == 1 else f"''.join(({', '.join(terms)}))"


def _slot_expression(slot: Slot) -> str:
    value = f"v[{slot.name!r}]"
    shown = f"({value} if type({value}) is str else text({value}))"
    for name in slot.filters:
        shown = f"filters[{name!r}]({shown})"
    return shown


def _prompt_function(pieces: tuple[Piece, ...]) -> Callable[[Mapping[str, Any]], str]:
    function: Callable[[Mapping[str, Any]], str] = _compile(_expression(pieces))
    return function


def _messages_function(turns: tuple[Turn | HistorySlot, ...]) -> Callable[[Mapping[str, Any]], list[dict[str, Any]]]:
    items = []
    for turn in turns:
        if isinstance(turn, HistorySlot):
            items.append(f"*v[{turn.name!r}]")
        else:
            name = f", 'name': {turn.name!r}" if turn.name else ""
            items.append(f"{{'role': {turn.role!r}, 'content': {_expression(turn.pieces)}{name}}}")
    function: Callable[[Mapping[str, Any]], list[dict[str, Any]]] = _compile(f"[{', '.join(items)}]")
    return function


def _compile(expression: str) -> Any:
    scope = {"text": text, "filters": _FILTERS}
    return eval(f"lambda v: {expression}", scope)  # noqa: S307 - see the note above
