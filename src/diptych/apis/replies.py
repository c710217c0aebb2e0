"""Responses as tables: what the bodies of all message APIs have in common.

Rule: as for requests (:mod:`.fields`), the rows of a table take their values out of an object, and the
rest is kept in ``native`` under the name of the API. Parts are read and written by the tables of
requests, so that a block is read in one place. A finish reason is one word per meaning: each API has a
bijective table of its words, and :data:`NEAREST` says what stands for a meaning that an API has no word for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..errors import FormatError
from ..model import EMPTY, Conversation, Message, Part, ReasoningPart, RefusalPart, ToolCall, thaw
from ..projection import ABSENT
from ..request import Request
from ..response import Response, ResponseChoice, Usage, native_of
from .api import Api, Reader, Writer
from .fields import MISSING, Field, Kind, dig, joined
from .ledger import Ledger
from .usage import TABLES, not_written, read_usage, write_usage

#: What a finish reason means where an API has no word for it, step by step.
NEAREST: Final = {
    "function_call": "tool_calls", "stop_sequence": "stop", "pause": "stop", "refusal": "content_filter",
    "guardrail": "content_filter", "safety": "content_filter", "recitation": "content_filter",
    "blocklist": "content_filter", "prohibited_content": "content_filter", "spii": "content_filter",
    "image_safety": "content_filter", "context_window": "length", "tool_calls": "stop", "content_filter": "stop",
    "length": "stop",
}  # fmt: skip
_OF_RESPONSE: Final = ("id", "created", "model", "system_fingerprint")
_OF_CHOICE: Final = ("finish_reason", "logprobs")


@dataclass(frozen=True)
class Shape:
    """How an API says a response.

    ``head`` are the rows of its fields and ``choice`` those of a reply; ``finish`` the words for the
    end of a reply. ``fixed`` are constants of a body. ``required`` are fields that the SDK of the API
    requires, with what stands where nothing is known. ``calls_stop`` is true where a reply that ends
    with calls ends as any other does.
    """

    api: Api
    head: tuple[Field, ...]
    finish: Mapping[str, str]
    choice: tuple[Field, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    required: Mapping[str, Any] = field(default_factory=dict)
    calls_stop: bool = False

    @property
    def name(self) -> str:
        """The name of the API."""
        return self.api.name


def finish_row(path: str, words: Mapping[str, str]) -> Field:
    """Return the row of a finish reason; a word that the table does not have stays as it is.

    >>> finish_row("stop_reason", {"end_turn": "stop"}).write("stop")
    'end_turn'
    """
    back = {neutral: word for word, neutral in words.items()}
    return Field(path, "finish_reason", lambda word: words.get(word, word), lambda one: back.get(one, one), type=str)


def usage_row(api: str) -> Field:
    """Return the row of a usage."""
    return Field(TABLES[api].at, "usage", lambda value: read_usage(value, api), type=Mapping)


def take(rows: tuple[Field, ...], rest: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take what the rows say out of an object; return the neutral values and what is left."""
    found: dict[str, Any] = {}
    for row in rows:
        if row.to == "usage" and isinstance(dig(rest, row.path), Mapping):
            found["usage"] = row.read(rest.pop(row.path)) if row.read else None
        elif (bound := Kind(dict, (row,)).bind(rest)) is not None:
            found |= bound[0]
            rest = {} if bound[1] is MISSING else bound[1]
    return found, rest


def without(rest: dict[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without its constants; one that it does not have is noted."""
    kept = {name: value for name, value in rest.items() if name not in fixed or value != fixed[name]}
    return kept | {name: ABSENT for name in fixed if name not in rest}


def listed(value: Any, path: str) -> list[Any]:
    """Return a list, empty for null. Raises FormatError for anything else."""
    if not isinstance(value, list | tuple | None):
        raise FormatError(f"a list is expected here, not {type(value).__name__}", path=path)
    return list(value or ())


def read_part(reader: Reader, value: Any, path: str) -> Part:
    """Read a part of a reply; reasoning knows who made it."""
    part = reader.part(value, path)
    if not isinstance(part, ReasoningPart) or part.origin is not None:
        return part
    made = replace(part, origin=reader.api.name)
    reader.ledger.same(made, part)
    return made


def read_parts(reader: Reader, values: Any, path: str) -> tuple[Part, ...]:
    """Read the parts of a reply."""
    return tuple(read_part(reader, value, f"{path}[{n}]") for n, value in enumerate(listed(values, path)))


def message_of(api: str, parts: tuple[Part, ...], rest: Mapping[str, Any] = EMPTY, role: str = "assistant") -> Message:
    """Return the message of a reply."""
    beside = (ReasoningPart, RefusalPart, ToolCall)
    content = [part for part in parts if not isinstance(part, beside)]
    is_list = any(not hasattr(part, "text") for part in content)
    return Message.of(role, parts, is_list=is_list, native=native_of(api, rest))


def ended(shape: Shape, finish: str | None, parts: tuple[Part, ...]) -> str | None:
    """Return why a reply ended: with calls, where its API does not say so itself."""
    has_calls = shape.calls_stop and finish == "stop" and any(isinstance(part, ToolCall) for part in parts)
    return "tool_calls" if has_calls else finish


# writing --------------------------------------------------------------------------------------------


def writer_of(shape: Shape, ledger: Ledger) -> Writer:
    """Return a writer of parts that reports in the ledger."""
    return Writer(shape.api, Request(Conversation(())), ledger)


def write_parts(writer: Writer, message: Message) -> list[dict[str, Any]]:
    """Write the parts of a message, those that have a place; the empty text of a reply that says nothing is none."""
    if not message.text and all(
        getattr(part, "text", None) == "" and not getattr(part, "native", EMPTY) for part in message.parts
    ):
        return []
    return [block for part in message.parts if (block := writer.part(part)) is not None]


def write_fields(
    shape: Shape, rows: tuple[Field, ...], value: Response | ResponseChoice, ledger: Ledger
) -> dict[str, Any]:
    """Write the fields of a response or a choice; what has no place is reported."""
    names = _OF_RESPONSE if isinstance(value, Response) else _OF_CHOICE
    values = {name: getattr(value, name) for name in names}
    is_own = shape.name in value.native
    if isinstance(value, ResponseChoice):
        values["index"] = value.index
        values["finish_reason"] = finish_of(shape, value, ledger)
    kind = Kind(type(value), tuple(row for row in rows if row.to != "usage"))
    wire = kind.put(values)
    for name in kind.unplaced(values):
        if name != "index":
            ledger.lose(value, name)
    if isinstance(value, Response):
        wire |= _usage(shape, value.usage, ledger)
    return wire if is_own else {**(shape.required if isinstance(value, Response) else {}), **wire}


def _usage(shape: Shape, usage: Usage | None, ledger: Ledger) -> dict[str, Any]:
    if usage is None:
        return {}
    for path in not_written(usage, shape.name):
        ledger.report(path, "field-dropped")
    at, wire = TABLES[shape.name].at, write_usage(usage, shape.name)
    return {at: wire} if at else wire


def finish_of(shape: Shape, choice: ResponseChoice, ledger: Ledger) -> str | None:
    """Return the end of a reply in a word that the API has."""
    reason = choice.finish_reason
    if (
        reason is None
        or shape.name in choice.native
        or (shape.calls_stop and reason in ("tool_calls", "function_call"))
    ):
        return "stop" if reason in ("tool_calls", "function_call") and shape.calls_stop else reason
    known = nearest(shape.finish, reason)
    if known != reason:
        ledger.lose(choice, "finish_reason", "substituted", f"{reason} became {known}")
    return known


def nearest(words: Mapping[str, str], reason: str) -> str:
    """Return the nearest meaning that an API has a word for.

    >>> nearest({"end": "stop", "filtered": "content_filter"}, "refusal")
    'content_filter'
    """
    known = set(words.values())
    while reason not in known:
        if reason == "stop":
            return next(iter(words.values()))
        reason = NEAREST.get(reason, "stop")
    return reason


def beside(
    shape: Shape, value: Response | ResponseChoice | Message, wire: dict[str, Any], ledger: Ledger
) -> dict[str, Any]:
    """Add what this API alone says of a value; what others say is reported."""
    for api, fields in value.native.items():
        if api == shape.name:
            wire = joined({k: v for k, v in wire.items() if fields.get(k) != ABSENT}, thaw(fields))
        else:
            ledger.lose_natives(value, fields)
    return {name: one for name, one in wire.items() if one != ABSENT}


def only_choice(response: Response, ledger: Ledger) -> ResponseChoice | None:
    """Return the first choice of a response; the others are reported: the API has one reply."""
    for choice in response.choices[1:]:
        ledger.lose(choice, kind="message-dropped", detail="the target has one reply")
    return response.choices[0] if response.choices else None


# errors ---------------------------------------------------------------------------------------------


def error_of(error: Any) -> dict[str, Any]:
    """Return ``message``, ``type`` and ``code`` of an error as any API states it, those that it has.

    >>> error_of({"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"})
    {'message': 'Quota', 'type': 'RESOURCE_EXHAUSTED', 'code': 429}
    """
    fields = error if isinstance(error, Mapping) else {"message": error}
    found = {
        "message": fields.get("message"),
        "type": fields.get("type", fields.get("status")),
        "code": fields.get("code"),
    }
    return {name: value for name, value in found.items() if isinstance(value, str | int)}


def failed(api: str, error: Any, rest: Mapping[str, Any] = EMPTY) -> Response:
    """Return the response of a body that states an error and nothing else."""
    fields = error if isinstance(error, Mapping) else {"message": str(error)}
    return Response(error=fields, native=native_of(api, rest))
