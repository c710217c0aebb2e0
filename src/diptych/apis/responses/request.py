"""OpenAI Responses: bodies of ``/v1/responses``.

- a leading plain ``system`` message is ``instructions``; every other message is an item of ``input`` under
  its own role
- texts are ``input_text``, of the assistant ``output_text``; ``input_image``, ``input_file``, ``refusal``;
  there is no audio
- what the assistant says and does in one turn (``reasoning``, a ``message``, ``function_call``,
  ``custom_tool_call``) is one neutral message with parts in their order; a second ``message`` begins a new one
- results are ``function_call_output`` or ``custom_tool_call_output`` items
- reasoning goes back to Responses alone; from elsewhere it is left out (``reasoning-dropped``)
- tools are flat; JSON mode and schemas are ``text.format``
- ids, status, ``phase``, ``encrypted_content``, annotations, items of built-in tools and unknown fields are kept
  for Responses
- names of participants are lost
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...errors import FormatError
from ...model import (
    EMPTY,
    FrozenMap,
    Message,
)
from ...request import Request
from .. import api
from ..api import Api, Reader, Writer
from ..detection import detector
from ..fields import NOTE, Kind
from ..formats import format_of
from ..ledger import Ledger
from .items import BARE, Items, Written
from .rules import NAME, RULES
from .tables import PARAMS, TOOL, WANTED

#: Notes of a body: its input was a string, or was not there.
_STRING: Final = f"{NOTE}string"
_ABSENT: Final = f"{NOTE}absent"


def _read_messages(reader: Reader, body: dict[str, Any]) -> Iterable[Message]:
    if isinstance(body.get("instructions"), str):
        message = Message("system", body.pop("instructions"))
        reader.ledger.at(message, "$.instructions", Kind(Message, ()))
        yield message
    items = body.pop("input", None)
    if isinstance(items, str):
        message = Message("user", items)
        reader.ledger.at(message, "$.input", Kind(Message, ()))
        body[_STRING] = {"is": True}
        yield message
    elif isinstance(items, list | tuple):
        yield from Items(reader, items, body).read()
    elif items is None and body.keys() & {"prompt", "previous_response_id", "conversation"}:
        body[_ABSENT] = {"is": True}
    else:
        raise FormatError("the input is text or a list of items", path="$.input")


def _write_messages(writer: Writer, request: Request) -> dict[str, Any]:
    messages = request.conversation.messages
    own = request.native.get("responses", EMPTY)
    wire: dict[str, Any] = {}
    if messages and _is_instruction(messages[0]):
        wire["instructions"] = messages[0].text
        writer.native(messages[0].parts[0], messages[0].parts[0].native, {})  # type: ignore[union-attr]
        if messages[0].name is not None:
            writer.ledger.lose(messages[0], "name", "name-dropped")
        messages = messages[1:]
    items = Written(writer, is_bare=BARE in own).write(messages)
    if _STRING in own and len(items) == 1 and items[0].keys() <= {"type", "role", "content"}:
        return {**wire, "input": items[0]["content"]}
    return wire if _ABSENT in own and not items else {**wire, "input": items}


def _is_instruction(message: Message) -> bool:
    is_text = len(message.parts) == 1 and type(message.content) is str
    return message.role == "system" and is_text and not message.native


def _without_notes(wire: dict[str, Any], _ledger: Ledger) -> dict[str, Any]:
    return {name: value for name, value in wire.items() if not name.startswith(NOTE)}


def _without_defaults(request: Request, ledger: Ledger) -> Request:
    """Leave out parameters that ask for what Responses does anyway."""
    if request.params.keys().isdisjoint(("stream_options", "logprobs")):
        return request
    params = dict(request.params)
    options = params.get("stream_options")
    if isinstance(options, Mapping) and "include_usage" in options:
        rest = {name: value for name, value in params.pop("stream_options").items() if name != "include_usage"}
        params |= {"stream_options": rest} if rest else {}
        ledger.report("$.stream_options.include_usage", "by-format-rule", "Responses always states the usage")
    if params.get("logprobs") is False:
        del params["logprobs"]
        ledger.report("$.logprobs", "by-format-rule", "Responses gives log probabilities only where they are included")
    if params.keys() == request.params.keys() and params == request.params:
        return request
    return Request(request.conversation, model=request.model, params=FrozenMap(params), native=request.native)


API: Final = Api(
    "responses",
    params=PARAMS,
    parts=(),
    read_messages=_read_messages,
    write_messages=_write_messages,
    holds=frozenset({"input", "instructions"}),
    tool=TOOL,
    format=WANTED,
    format_at="text.format",
    mend=_without_defaults,
    fold=_without_notes,
    names=NAME,
    rules=RULES,
)


def read_request(body: Mapping[str, Any], ledger: Ledger | None = None) -> Request:
    """Read a body of ``/v1/responses``.

    >>> read_request({"model": "m", "input": "Hi", "max_output_tokens": 20}).params["max_completion_tokens"]
    20
    """
    return api.read_request(API, body, ledger)


def write_request(request: Request, ledger: Ledger | None = None, *, whole: bool = True) -> dict[str, Any]:
    """Write a body of ``/v1/responses``.

    >>> write_request(read_request({"model": "m", "input": "Hi"}))
    {'model': 'm', 'input': 'Hi'}
    """
    return api.write_request(API, request, ledger, whole=whole)


FORMAT: Final = format_of(
    API,
    "instructions beside input items; function_call and function_call_output; names are lost",
    detect=detector("responses"),
    aliases=("openai_responses",),
    bare="input",
)
