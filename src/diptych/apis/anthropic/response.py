"""Anthropic Messages, whole responses: ``content`` blocks with the reason why they end.

- blocks are read and written by the tables of requests (:mod:`.request`); ``signature``, ``citations``
  and blocks that are no text, thinking or call are kept for Anthropic
- ``stop_reason``: ``end_turn`` is ``stop``, ``max_tokens`` ``length``, ``tool_use`` ``tool_calls``; the
  others have meanings of their own
- ``usage``: ``input_tokens`` leave out what was read from and written to the cache
- reasoning of another origin is written without a signature, and no signature goes elsewhere
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ...errors import FormatError
from ...loss import Loss
from ...model import EMPTY, FrozenMap, Message, ReasoningPart
from ...response import Response, ResponseChoice, native_of
from ..api import Reader
from ..fields import Field, Kind
from ..ledger import Ledger
from ..replies import (
    Shape,
    beside,
    error_of,
    failed,
    finish_row,
    message_of,
    only_choice,
    read_parts,
    take,
    usage_row,
    without,
    write_fields,
    write_parts,
    writer_of,
)
from .request import API

#: "Handling stop reasons", docs of Anthropic (2026-11).
FINISH: Final = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "stop_sequence": "stop_sequence",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_window",
}
_ERRORS: Final = frozenset({
    "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
    "rate_limit_error", "timeout_error", "api_error", "overloaded_error",
})  # fmt: skip
SHAPE: Final = Shape(
    API,
    (Field("id", "id", type=str), Field("model", "model", type=str), usage_row("anthropic")),
    FINISH,
    (finish_row("stop_reason", FINISH),),
    {"type": "message", "role": "assistant"},
    {
        "id": "msg_0", "model": "", "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    },
)  # fmt: skip


def is_response(body: Mapping[str, Any]) -> bool:
    """Return whether a body is a response of this API."""
    return body.get("type") == "message" and isinstance(body.get("content"), list)


def read_response(body: Mapping[str, Any], ledger: Ledger | None = None) -> Response:
    """Read a whole body. Raises FormatError with the path of what is malformed.

    >>> read_response({"type": "message", "content": [{"type": "text", "text": "Hi"}]}).text
    'Hi'
    """
    ledger = Ledger() if ledger is None else ledger
    if body.get("type") == "error":
        return failed("anthropic", body.get("error"), {k: v for k, v in body.items() if k not in ("type", "error")})
    if not isinstance(body.get("content"), list):
        raise FormatError("the content of a response is a list of blocks", path="$.content")
    parts = read_parts(Reader(API, ledger), body["content"], "$.content")
    rest = without({name: value for name, value in body.items() if name != "content"}, SHAPE.fixed)
    found, rest = take(SHAPE.head, rest)
    ends, rest = take(SHAPE.choice, rest)
    choice = ResponseChoice(message_of("anthropic", parts), **ends, native=native_of("anthropic", {}))
    response = Response((choice,), **found, native=native_of("anthropic", rest))
    ledger.at(choice, "$", Kind(ResponseChoice, SHAPE.choice))
    ledger.at(response, "$", Kind(Response, SHAPE.head))
    return response


def write_response(
    response: Response,
    request: Mapping[str, Any] | None = None,  # noqa: ARG001  # as every writer
    ledger: Ledger | None = None,
) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write a whole body; return it and what it cannot carry.

    >>> body, _ = write_response(Response((ResponseChoice(Message("assistant", "Hi"), "stop"),)))
    >>> body["content"], body["stop_reason"]
    ([{'type': 'text', 'text': 'Hi'}], 'end_turn')
    """
    ledger = Ledger() if ledger is None else ledger
    if response.error is not None and not response.choices:
        return beside(SHAPE, response, error_body(response.error, "anthropic" in response.native), ledger), ()
    choice = only_choice(response, ledger)
    wire = {**SHAPE.fixed, **write_fields(SHAPE, SHAPE.head, response, ledger)}
    if choice is not None:
        wire["content"] = write_parts(writer_of(SHAPE, ledger), unsigned(choice.message, ledger))
        wire |= beside(SHAPE, choice, write_fields(SHAPE, SHAPE.choice, choice, ledger), ledger)
        beside(SHAPE, choice.message, {}, ledger)
    wire = beside(SHAPE, response, wire, ledger)
    return wire, tuple(ledger.losses)


def unsigned(message: Message, ledger: Ledger) -> Message:
    """Return a message whose foreign reasoning can be written: with an empty signature, which no server takes."""
    if not any(isinstance(part, ReasoningPart) for part in message.parts):
        return message
    parts = []
    for part in message.parts:
        made = part
        if isinstance(part, ReasoningPart) and "signature" not in part.native.get("anthropic", EMPTY):
            made = replace(part, native=FrozenMap({**part.native, "anthropic": {"signature": ""}}))
            ledger.same(made, part)
        parts.append(made)
    return message.replace(parts=tuple(parts))


def error_body(error: Any, is_own: bool) -> dict[str, Any]:
    """Return the body of an error."""
    if is_own:
        return {"type": "error", "error": dict(error) if isinstance(error, Mapping) else error}
    found = error_of(error)
    kind = found.get("type") if found.get("type") in _ERRORS else "api_error"
    return {"type": "error", "error": {"type": kind, "message": str(found.get("message", ""))}}
