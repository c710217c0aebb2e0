"""A message API as tables: its request bodies are read and written by one engine.

An :class:`Api` names the tables (parameters, parts, tools, response format) and the two functions
that are its own: how messages stand in its bodies. From these come :func:`read_request`, which loses
nothing (what the neutral model has no place for stays in ``native``), and :func:`write_request`,
which reports whatever of the request it has no place for, with the path of the source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

from ..errors import FormatError
from ..model import (
    EMPTY,
    AudioPart,
    Conversation,
    Cue,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    thaw,
)
from ..request import Request
from .fields import ITEMS, MISSING, NOTE, OBJECT, Field, Kind, bind_field, dig, joined, natives, place
from .ledger import Ledger, distinct
from .rules import Rules
from .values import raw, write_json

#: A neutral parameter that Chat does not have, and many of its servers do.
LACKS: Final[Mapping[str, tuple[str, str]]] = {"top_k": ("parameter-dropped", "")}
#: The note that says which kind of its class a part was, where it is not the first.
KIND: Final = f"{NOTE}kind"
#: What the neutral model says of a value beside ``native``; a constant there says nothing.
NAMES: Final[dict[type, tuple[str, ...]]] = {
    TextPart: ("text",),
    ImagePart: ("url", "detail"),
    AudioPart: ("data", "format"),
    FilePart: ("data", "filename", "file_id", "url"),
    ReasoningPart: ("text",),
    RefusalPart: ("text",),
    ToolCall: ("id", "name", "arguments", "type"),
    ToolSpec: ("name", "description", "parameters", "strict"),
    ResponseFormat: ("type", "name", "schema", "strict", "description"),
}

#: The kinds of parts by their neutral class.
Tables: TypeAlias = Mapping[type, tuple[Kind, ...]]


def tables_of(kinds: Iterable[Kind]) -> dict[type, tuple[Kind, ...]]:
    """Return kinds of parts by their neutral class."""
    kinds = tuple(kinds)
    return {cls: tuple(kind for kind in kinds if kind.cls is cls) for cls in dict.fromkeys(kind.cls for kind in kinds)}


@dataclass(frozen=True)
class Api:
    """A message API.

    ``params`` are the rows of a body by neutral names, ``model`` among them; ``parts`` the kinds of parts,
    the one that is written by default first; ``tool`` and ``more_tools`` those of functions. ``tools_at``
    and ``format_at`` say where the tools and the response format stand. ``read_messages(reader, body)``
    takes the messages, or the whole conversation, out of the body; ``write_messages(writer, request)``
    gives the fields that hold them, which ``holds`` names. ``finish(body, writer)`` adds what a whole body
    needs. ``cue(messages)`` says what the last message asks for. ``not_in_ids`` matches the characters that an id
    of a call may not have;
    ``unique_ids`` says that no two calls may have the same, ``names`` is the pattern of the names of
    functions. ``mend(request, ledger)`` makes a request of another API fit for this one's server, and
    reports what it changes; ``rules`` say what its server refuses in a body. ``said_by_path`` names
    parameters that stand in the path of a call, and says how. ``unfold(body, ledger)`` lays a body out for
    the tables, and ``fold`` is its inverse. ``shares`` names APIs whose further fields this one takes over,
    and an ``is_open`` one writes parameters that it has no row for: servers of one's own have more; those that
    it ``lacks`` are reported by the kind that stands there. ``leave(request, ledger)`` says outright what the API
    leaves unsaid, on the way to another one.
    """

    name: str
    params: tuple[Field, ...]
    parts: tuple[Kind, ...]
    read_messages: Callable[[Reader, dict[str, Any]], Iterable[Message] | Conversation]
    write_messages: Callable[[Writer, Request], dict[str, Any]]
    holds: frozenset[str] = frozenset({"messages"})
    tool: Kind | None = None
    more_tools: tuple[Kind, ...] = ()
    tools_at: str = "tools"
    format: Kind | None = None
    format_at: str = "response_format"
    finish: Callable[[dict[str, Any], Writer], None] | None = None
    cue: Callable[[tuple[Message, ...]], Cue] | None = None
    not_in_ids: str = ""
    unique_ids: bool = False
    names: str = ""
    mend: Callable[[Request, Ledger], Request] | None = None
    rules: Rules | None = None
    said_by_path: Mapping[str, str] = field(default_factory=dict)
    shares: frozenset[str] = field(default=frozenset())
    is_open: bool = False
    lacks: Mapping[str, tuple[str, str]] = field(default_factory=lambda: LACKS)
    leave: Callable[[Request, Ledger], Request] | None = None
    unfold: Callable[[Mapping[str, Any], Ledger], Mapping[str, Any]] | None = None
    fold: Callable[[dict[str, Any], Ledger], dict[str, Any]] | None = None

    @cached_property
    def kinds(self) -> dict[type, tuple[Kind, ...]]:
        """The kinds of parts by their neutral class."""
        return tables_of(self.parts)

    @cached_property
    def text_mark(self) -> Mapping[str, Any] | None:
        """What marks a part that is a text alone, None where such a part may be of another kind."""
        at = next((index for index, kind in enumerate(self.parts) if kind.cls is TextPart), None)
        if at is None or [row.path for row in self.parts[at].fields] != ["text"] or self.parts[at].fits is not None:
            return None
        mark = self.parts[at].fixed
        return mark if all(kind.fixed.keys() - {"text", *mark} for kind in self.parts[:at]) else None

    @cached_property
    def tools(self) -> tuple[Kind, ...]:
        """The kinds of functions: what is written, and what is read, too."""
        return (*filter(None, (self.tool,)), *self.more_tools)

    @cached_property
    def rows(self) -> dict[str, Field]:
        """The rows of a body by neutral name."""
        return {name: row for row in self.params for name in (row.to, *row.also)}

    @cached_property
    def heads(self) -> dict[str, tuple[tuple[Field, str], ...]]:
        """The rows of a body by the first step of their path, each with the second one ("": there is none)."""
        found: dict[str, tuple[tuple[Field, str], ...]] = {}
        for row in self.params:
            head, *more = row.path.split(".")
            found[head] = (*found.get(head, ()), (row, more[0] if more else ""))
        return found

    def path_of(self, name: str) -> str:
        """Return where a body has a parameter."""
        return self.rows[name].path if name in self.rows else name


# reading -----------------------------------------------------------------------------------------


def read_request(api: Api, body: Mapping[str, Any], ledger: Ledger | None = None) -> Request:
    """Read a body. Raises FormatError with the path of what is malformed.

    What has no neutral meaning stands in ``native`` under the name of the API, so that the same API
    writes the same body. ``ledger`` learns where every value stood.
    """
    if not isinstance(body, Mapping):
        raise FormatError(f"a body is an object, not {type(body).__name__}", path="$")
    ledger = Ledger() if ledger is None else ledger
    rest = dict(api.unfold(body, ledger) if api.unfold else body)
    reader = Reader(api, ledger)
    found = api.read_messages(reader, rest)
    said = found if isinstance(found, Conversation) else Conversation(tuple(found))
    tools = reader.tools(rest) or said.tools
    wanted = reader.format(rest)
    params = reader.params(rest)
    reader.ledger.param, reader.ledger.read = api.path_of, reader.read
    model = params.pop("model", None)
    cue = api.cue(said.messages) if api.cue and said.cue == "none" else said.cue
    conversation = Conversation(said.messages, tools, wanted, cue)
    return Request(conversation, model=model, params=params, native=natives(api.name, rest) if rest else EMPTY)


class Reader:
    """Reads the objects of one API by its tables."""

    def __init__(self, api: Api, ledger: Ledger) -> None:
        self.api, self.ledger = api, ledger
        #: Paths of the body that were read.
        self.read: set[str] = set()

    def part(self, value: Any, path: str, tables: Tables | None = None) -> Part:
        """Read one part, by the API's tables or those of its place; what no table knows is kept as it is."""
        if not isinstance(value, OBJECT):
            raise FormatError(f"a part is an object, not {type(value).__name__}", path=path)
        if tables is None and (text := self._text(value)) is not None:
            self.ledger.at(text, path, self.api.kinds[TextPart][0])
            return text
        for kinds in (tables or self.api.kinds).values():
            if (made := self.object(kinds, value, path)) is not None:
                part: Part = made
                return part
        other = OtherPart(FrozenMap(value), self.api.name)
        self.ledger.at(other, path)
        return other

    def _text(self, value: Mapping[str, Any]) -> TextPart | None:
        """Return a part that is a text and nothing else, as most are; None for any other."""
        fixed, text = self.api.text_mark, value.get("text")
        if fixed is None or type(text) is not str or len(value) != len(fixed) + 1:
            return None
        return TextPart(text) if all(value.get(name) == constant for name, constant in fixed.items()) else None

    def object(self, kinds: tuple[Kind, ...], value: Any, path: str) -> Any:
        """Read an object as one of these kinds, None where it is none of them."""
        for index, kind in enumerate(kinds) if isinstance(value, Mapping) else ():
            if (bound := kind.bind(value)) is not None:
                made = self._made(kind, bound, path, index if _would_be_taken(kinds[:index], kind, bound[0]) else 0)
                if kind.fits is None or kind.fits(made):
                    return made
        return None

    def _made(self, kind: Kind, bound: tuple[dict[str, Any], Any], path: str, index: int) -> Any:
        found, rest = bound
        notes = {} if rest is MISSING else rest
        if index:  # another kind would write it
            notes[KIND] = index
        if kind.cls is ReasoningPart:
            found["origin"] = self.api.name
        made = kind.cls(**found, native=natives(self.api.name, notes)) if notes else kind.cls(**found)
        self.ledger.at(made, path, kind)
        return made

    def tools(self, rest: dict[str, Any]) -> tuple[ToolSpec, ...]:
        """Take the functions out of a body; a tool of another kind stays, under its index."""
        listed = dig(rest, self.api.tools_at)
        if not isinstance(listed, list | tuple) or not listed:
            return ()
        found, others = [], {}
        for index, item in enumerate(listed):
            tool = self.object(self.api.tools, item, f"$.{self.api.tools_at}[{index}]")
            if tool is None:
                others[str(index)] = item
            else:
                found.append(tool)
        _leave(rest, self.api.tools_at, {ITEMS: others} if others else MISSING)
        return tuple(found)

    def format(self, rest: dict[str, Any]) -> ResponseFormat | None:
        """Take the response format out of a body."""
        kind, value = self.api.format, dig(rest, self.api.format_at)
        bound = kind.bind(value) if kind and isinstance(value, Mapping) else None
        if bound is None or kind is None:
            return None
        _leave(rest, self.api.format_at, bound[1])
        self.read.add(f"{self.api.format_at}.type")
        made: ResponseFormat = kind.cls(**bound[0])
        self.ledger.at(made, f"$.{self.api.format_at}", kind)
        return made

    def params(self, rest: dict[str, Any]) -> dict[str, Any]:
        """Take the parameters out of a body."""
        found: dict[str, Any] = {}
        heads = self.api.heads
        for head in [name for name in rest if name in heads]:
            for row, step in heads[head]:
                inside = rest.get(head) if step else None
                if type(inside) is dict and step not in inside:
                    continue
                value = dig(rest, row.path)
                got, left = bind_field(row, value)
                if got is not None and row.to not in found:
                    found[row.to] = got
                    self.read.add(row.path + ".")
                    _leave(rest, row.path, left)
        return found


def _would_be_taken(kinds: tuple[Kind, ...], kind: Kind, values: dict[str, Any]) -> bool:
    """Tell whether a value would be written as one of these kinds, unless it says otherwise."""
    return bool(kinds) and any(_takes(one, kind.cls(**values), values) for one in kinds)


def _leave(rest: dict[str, Any], path: str, left: Any) -> None:
    """Put what is left of a value in its place; an object that is empty by that goes, too."""
    head, _, inner = path.partition(".")
    if inner:
        copy = dict(rest[head])
        _leave(copy, inner, left)
        left = copy or MISSING
    if left is MISSING:
        rest.pop(head, None)
    else:
        rest[head] = left


# writing -----------------------------------------------------------------------------------------


def write_request(api: Api, request: Request, ledger: Ledger | None = None, *, whole: bool = True) -> dict[str, Any]:
    """Write a body; what has no place in it is reported in the ``ledger``.

    ``whole`` is false for the messages alone, without what a server requires of a body.
    """
    return write_distinct(api, distinct(request), Ledger() if ledger is None else ledger, whole=whole)


def write_distinct(api: Api, request: Request, ledger: Ledger, *, whole: bool = True) -> dict[str, Any]:
    """Write the body of a request in which no value stands twice as the same object."""
    ledger.of(request)
    writer = Writer(api, request, ledger)
    wire: dict[str, Any] = {}
    if request.model is not None and "model" in api.rows:
        place(wire, api.rows["model"].path, request.model)
    wire |= api.write_messages(writer, request)
    writer.tools(request.conversation.tools, wire)
    writer.format(request.conversation.response_format, wire)
    writer.params(request.params, wire)
    wire = writer.beside(request.native, wire)
    if api.finish and whole:
        api.finish(wire, writer)
    return api.fold(wire, ledger) if api.fold else wire


class Writer:
    """Writes the values of a request as the objects of one API, and reports what has no place."""

    def __init__(self, api: Api, request: Request | None, ledger: Ledger) -> None:
        self.api, self.ledger = api, ledger
        self.request = Request(Conversation(())) if request is None else request

    def own(self, value: Any) -> Mapping[str, Any]:
        """Return what this API alone says of a value."""
        found: Mapping[str, Any] = value.native.get(self.api.name, EMPTY)
        return found

    def text(self, text: str) -> dict[str, Any]:
        """Write a part that is a text and nothing else."""
        mark = self.api.text_mark
        return self.api.kinds[TextPart][0].put({"text": text}) if mark is None else {**mark, "text": text}

    def part(self, part: Part, tables: Tables | None = None) -> dict[str, Any] | None:
        """Write one part, None (and a loss) where the API has no place for it."""
        if isinstance(part, OtherPart):
            if part.api == self.api.name:
                return thaw(part.value)  # type: ignore[no-any-return]
            self.ledger.lose(part)
            return None
        return self.object(part, (tables or self.api.kinds).get(type(part), ()))

    def object(self, value: Any, kinds: tuple[Kind, ...]) -> dict[str, Any] | None:
        """Write a value as the first of these kinds that fits it."""
        values = {name: getattr(value, name) for name in NAMES[type(value)]}
        if values.get("type") == "function":
            del values["type"]
        kind = next((kind for kind in self._ordered(value, kinds) if _takes(kind, value, values)), None)
        if kind is None:
            self.ledger.lose(value)
            return None
        wire = self._put(kind, value, values)
        native: FrozenMap = getattr(value, "native", EMPTY)
        return self.ledger.wrote(self.native(value, native, wire) if native else wire, value, kind)

    def _put(self, kind: Kind, value: Any, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("type") == "custom" and kind.row_of("arguments").write is write_json:
            values["arguments"] = json.dumps(raw(values["arguments"]), ensure_ascii=False)
            self.ledger.lose(value, "arguments", "substituted", "its input is a text and becomes an object")
        for name in kind.unplaced(values):
            self.ledger.lose(value, name)
        for name, default in kind.defaults.items():
            if values[name] is None:
                values[name] = default
                self.ledger.lose(value, name, "synthesised", f"{self.api.name} requires {kind.path_of(name)}")
        for name in kind.changed(values):
            self.ledger.lose(value, name, "substituted", "it is written as another value")
        return kind.put(values)

    def _ordered(self, value: Any, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        own = getattr(value, "native", EMPTY).get(self.api.name, EMPTY).get(KIND, 0)
        return (kinds[own], *kinds) if 0 < own < len(kinds) else kinds

    def native(self, value: Any, native: FrozenMap, wire: dict[str, Any]) -> dict[str, Any]:
        """Add what this API alone says of a value; what others say is reported."""
        for api, fields in native.items():
            if api == self.api.name:
                wire = joined(wire, thaw(fields))
            else:
                self.ledger.lose_natives(value, fields)
        return wire

    def tools(self, tools: tuple[ToolSpec, ...], wire: dict[str, Any]) -> None:
        """Write the functions that are offered."""
        if not self.api.tools:
            for tool in tools:
                self.ledger.lose(tool, "", *self.api.lacks.get("tools", ()))
            return
        written = [self.object(tool, self.api.tools) for tool in tools]
        if found := [tool for tool in written if tool is not None]:
            place(wire, self.api.tools_at, found)

    def format(self, wanted: ResponseFormat | None, wire: dict[str, Any]) -> None:
        """Write what the reply must look like; plain text is what every API gives."""
        if wanted is None:
            return
        kind, values = self.api.format, {name: getattr(wanted, name) for name in NAMES[ResponseFormat]}
        if wanted.type == "json_schema" and wanted.schema is None and self.api.name != "chat":
            values["schema"] = EMPTY  # only Chat may leave it out
            self.ledger.lose(wanted, "schema", "synthesised", "a schema that allows everything")
        if kind is None or not _takes(kind, wanted, values):
            if wanted.type != "text":
                self.ledger.lose_format(wanted, self.api.lacks.get("response_format", ("", ""))[1])
            return
        place(wire, self.api.format_at, self._put(kind, wanted, values))

    def params(self, params: Mapping[str, Any], wire: dict[str, Any]) -> None:
        """Write the parameters; one without a row is reported, and one whose place another one took."""
        placed: set[str] = set()
        for name, value in params.items():
            row = self.api.rows.get(name)
            written = (row.write(value) if row.write else thaw(value)) if row else None
            if row and written is not None and row.path not in placed:
                place(wire, row.path, written)
                placed.add(row.path)
            elif name in self.api.said_by_path:
                self.ledger.report(f"$.{self.ledger.param(name)}", "renamed", self.api.said_by_path[name])
            elif row is None and self.api.is_open and name not in self.api.lacks:
                wire[name] = thaw(value)
            elif value is not None:
                kind, why = self.api.lacks.get(name, ("parameter-dropped", ""))
                self.ledger.report(f"$.{self.ledger.param(name)}", kind, why)

    def beside(self, native: FrozenMap, wire: dict[str, Any]) -> dict[str, Any]:
        """Add what this API alone says of the request; what others say is reported."""
        for api, fields in native.items():
            if api == self.api.name:
                wire = joined(wire, thaw(fields))
                continue
            is_shared = api in self.api.shares
            shared = [name for name in fields if is_shared and name not in self.api.lacks and fields[name] is not None]
            wire = joined(wire, {name: thaw(fields[name]) for name in shared})
            self.ledger.lose_body({name: value for name, value in fields.items() if name not in shared})
        return wire


def _takes(kind: Kind, value: Any, values: Mapping[str, Any]) -> bool:
    if kind.fits is not None and not kind.fits(value):
        return False
    missing = set(kind.unplaced(values))
    said = {**kind.defaults, **{name: value for name, value in values.items() if value is not None}}
    return all(said.get(name) is not None and name not in missing for name in kind.needs)
