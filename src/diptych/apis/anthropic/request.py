"""Anthropic Messages: bodies of ``/v1/messages``.

- leading ``system`` and ``developer`` messages are ``system``, each a block where there are several
  (``merged``); a later one is written as ``user`` (``role-changed``)
- blocks: ``text``, ``image`` (base64, url, file), ``document`` (PDF, text, url, file), ``thinking``,
  ``tool_use`` with its ``input`` as an object; any other block is kept for Anthropic
- tool results are ``tool_result`` blocks; neighbouring ones share a user turn
- thinking needs the signature of its origin: reasoning without one is left out (``reasoning-dropped``)
- ``max_tokens`` is required: without a cap, the model's own limit is written
- ``cache_control``, citations, signatures, server tools and unknown fields are kept for Anthropic
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from ...catalogue import model_row
from ...errors import FormatError
from ...model import (
    FilePart,
    ImagePart,
    Message,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    freeze,
)
from ...request import Request
from .. import api
from ..api import Api, Reader, Writer
from ..detection import detector
from ..fields import Field, Kind
from ..formats import format_of
from ..ledger import Ledger
from ..media import source_kind
from ..turns import Shape, elsewhere, message_of, open_end, read_turns, write_beside_system
from ..values import NO_PARAMETERS, as_list, one_of, opposite, read_json, strings, tool_choice, write_json
from .rules import NAME, RULES

#: The cap where a body has none and nothing is known of the model.
OPEN_CAP: Final = 4096
_RESULT: Final = Kind(
    Message,
    (
        Field("tool_use_id", "tool_call_id", type=str),
        Field("content", "content", elsewhere),
        Field("is_error", "is_error", type=bool),
    ),
    {"type": "tool_result"},
    needs=("tool_call_id",),
)
SHAPE: Final = Shape(_RESULT, roles={"user": "user", "assistant": "assistant", "system": "system"})
SYSTEM: Final = Kind(Message, ())

_base64, _url, _file, _text = map(source_kind, ("base64", "url", "file", "text"))
_TITLE: Final = Field("title", "filename", type=str)


def _is_pdf(part: FilePart) -> bool:
    return (part.data or "").startswith("data:application/pdf;")


PARTS: Final = (
    Kind(TextPart, (Field("text", "text", type=str),), {"type": "text"}, needs=("text",)),
    Kind(ImagePart, (Field("source", "url", *_base64),), {"type": "image"}, ("url",)),
    Kind(ImagePart, (Field("source", "url", *_url),), {"type": "image"}, ("url",)),
    *(
        Kind(FilePart, (Field("source", to, *pair), _TITLE), {"type": "document"}, (to,), fits)
        for to, pair, fits in (
            ("data", _base64, _is_pdf),
            ("data", _text, None),
            ("url", _url, None),
            ("file_id", _file, None),
        )
    ),
    Kind(FilePart, (Field("source", "file_id", *_file),), {"type": "image"}, ("file_id",)),
    Kind(
        ReasoningPart,
        (Field("thinking", "text", type=str),),
        {"type": "thinking"},
        ("text",),
        lambda part: "signature" in part.native.get("anthropic", {}),
    ),
    Kind(
        ToolCall,
        (
            Field("id", "id", type=str),
            Field("name", "name", type=str),
            Field("input", "arguments", read_json, write_json),
        ),
        {"type": "tool_use"},
        ("id", "name", "arguments"),
    ),
)
TOOL: Final = Kind(
    ToolSpec,
    (
        Field("name", "name", type=str),
        Field("description", "description", type=str),
        Field("input_schema", "parameters", freeze, type=Mapping),
        Field("strict", "strict", type=bool),
    ),
    needs=("name", "parameters"),
    fits=lambda tool: "type" not in tool.native.get("anthropic", {}),
    defaults={"parameters": NO_PARAMETERS},
)
_CUSTOM: Final = replace(TOOL, fixed={"type": "custom"}, fits=None)
WANTED: Final = Kind(
    ResponseFormat,
    (Field("type", "type", *one_of({"json_schema": "json_schema"})), Field("schema", "schema", freeze, type=Mapping)),
    needs=("type", "schema"),
)
_CHOICES: Final = {"auto": "auto", "any": "required", "none": "none"}
_EFFORTS: Final = ("low", "medium", "high", "xhigh")
PARAMS: Final = (
    Field("model", "model", type=str),
    Field("max_tokens", "max_completion_tokens", type=int, also=("max_tokens",)),
    Field("temperature", "temperature"),
    Field("top_p", "top_p"),
    Field("top_k", "top_k"),
    Field("stop_sequences", "stop", strings, as_list),
    Field("stream", "stream", type=bool),
    Field("tool_choice", "tool_choice", *tool_choice(_CHOICES, "tool")),
    Field("tool_choice.disable_parallel_tool_use", "parallel_tool_calls", opposite, opposite),
    Field("output_config.effort", "reasoning_effort", *one_of({name: name for name in _EFFORTS})),
    Field("metadata.user_id", "user", type=str, also=("safety_identifier",)),
)


def _read_messages(reader: Reader, body: dict[str, Any]) -> Iterable[Message]:
    system = body.get("system")
    if isinstance(system, str):
        body.pop("system")
        message = Message("system", system)
        reader.ledger.at(message, "$.system", SYSTEM)
        yield message
    elif isinstance(system, list | tuple) and system:
        body.pop("system")
        parts = [reader.part(block, f"$.system[{index}]") for index, block in enumerate(system)]
        message = message_of(reader, SHAPE, "system", parts, {})
        reader.ledger.at(message, "$.system", SYSTEM)
        yield message
    if "messages" not in body:
        raise FormatError("messages are a list", path="$.messages")
    yield from read_turns(reader, SHAPE, body.pop("messages"), "$.messages")


def _finish(body: dict[str, Any], writer: Writer) -> None:
    """Add what the server requires of a body."""
    if "tool_choice" in body and "type" not in body["tool_choice"]:
        body["tool_choice"]["type"] = "auto"
    if "max_tokens" not in body:
        row = model_row(body["model"]) if isinstance(body.get("model"), str) else None
        limit = row.max_output if row else None
        body["max_tokens"] = limit or OPEN_CAP
        kind = "synthesised" if limit else "clamped"
        writer.ledger.report("$.max_tokens", kind, f"Anthropic requires a cap: {body['max_tokens']}")


API: Final = Api(
    "anthropic",
    params=PARAMS,
    parts=PARTS,
    read_messages=_read_messages,
    write_messages=partial(write_beside_system, SHAPE),
    holds=frozenset({"messages", "system"}),
    tool=TOOL,
    more_tools=(_CUSTOM,),
    format=WANTED,
    not_in_ids=r"[^a-zA-Z0-9_-]",
    unique_ids=True,
    format_at="output_config.format",
    finish=_finish,
    cue=open_end,
    names=NAME,
    rules=RULES,
)


def read_request(body: Mapping[str, Any], ledger: Ledger | None = None) -> Request:
    """Read a body of ``/v1/messages``.

    >>> body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "top_k": 4}
    >>> read_request(body).params["max_completion_tokens"]
    9
    """
    return api.read_request(API, body, ledger)


def write_request(request: Request, ledger: Ledger | None = None, *, whole: bool = True) -> dict[str, Any]:
    """Write a body of ``/v1/messages``.

    >>> write_request(read_request({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}))
    {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}], 'max_tokens': 9}
    """
    return api.write_request(API, request, ledger, whole=whole)


FORMAT: Final = format_of(
    API,
    "system beside messages; blocks; tool_use and tool_result; thinking; names are lost",
    detect=detector("anthropic"),
    aliases=("anthropic-messages", "claude-messages"),
    bare="messages",
)
