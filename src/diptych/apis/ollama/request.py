"""Ollama: bodies of its own ``/api/chat``.

- a message is a text with ``images`` (base64, no addresses) and ``thinking``; several texts are one (``merged``)
- arguments of calls are objects. Ids may be absent: results then belong to calls by ``tool_name`` and order
- sampling parameters stand under ``options``, the cap is ``num_predict``; ``think`` is the reasoning effort
- JSON mode is ``format: "json"``, a response schema stands there itself
- without ``stream`` Ollama streams: a body for it always says whether
- ``keep_alive``, other options and unknown fields are kept for Ollama
- a last message of the assistant is continued; reasoning goes back to Ollama alone
- names of participants, tool choice and the ``strict`` of tools are lost
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ...errors import FormatError
from ...model import (
    EMPTY,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    freeze,
)
from ...request import Request
from .. import api
from ..api import Api, Reader, Writer, tables_of
from ..detection import detector
from ..fields import NOTE, Field, Kind, natives
from ..formats import format_of
from ..ledger import Ledger
from ..media import data_url, split_data_url
from ..order import Links
from ..turns import elsewhere, open_end
from ..values import as_list, one_of, read_json, strings, write_json
from .rules import RULES

#: What was not there, of a message or a call; and the whole body did not say whether it streams.
_HOW: Final = f"{NOTE}how"
_STREAMS: Final = f"{NOTE}streams"
_ROLES: Final = ("system", "user", "assistant", "tool")
#: How the base64 text of an image begins.
_IMAGES: Final = {"/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp", "Qk": "image/bmp"}

CALLS: Final = tables_of(
    (
        Kind(
            ToolCall,
            (
                Field("id", "id", type=str),
                Field("function.name", "name", type=str),
                Field("function.arguments", "arguments", read_json, write_json),
            ),
            needs=("id", "name", "arguments"),
        ),
    )
)
_MESSAGE: Final = Kind(
    Message,
    (
        Field("role", "role", elsewhere),
        Field("content", "content", elsewhere),
        Field("tool_name", "name", elsewhere),
        Field("tool_call_id", "tool_call_id", elsewhere),
    ),
)
#: Values that are no objects: they are the text, or the address, themselves.
_THINKING: Final = Kind(ReasoningPart, (Field("", "text"),))
_IMAGE: Final = Kind(ImagePart, (Field("", "url"),))
_TEXT: Final = Kind(TextPart, (Field("", "text"),))
TOOL: Final = Kind(
    ToolSpec,
    (
        Field("function.name", "name", type=str),
        Field("function.description", "description", type=str),
        Field("function.parameters", "parameters", freeze, type=Mapping),
    ),
    {"type": "function"},
    ("name",),
)


WANTED: Final = Kind(
    ResponseFormat,
    (
        Field("type", "type", *one_of({name: name for name in ("json_object", "json_schema")})),
        Field("schema", "schema", freeze, type=Mapping),
    ),
    needs=("type",),
)
_OPTIONS: Final = ("temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty")
_EFFORTS: Final = {False: "none", "low": "low", "medium": "medium", "high": "high"}
PARAMS: Final = (
    Field("model", "model", type=str),
    Field("stream", "stream", type=bool),
    Field("think", "reasoning_effort", *one_of(_EFFORTS), type=(bool, str)),
    Field("logprobs", "logprobs", type=bool),
    Field("top_logprobs", "top_logprobs", type=int),
    *(Field(f"options.{name}", name) for name in _OPTIONS),
    Field("options.stop", "stop", strings, as_list),
    # -1 and -2 have meanings of Ollama's own.
    Field(
        "options.num_predict", "max_completion_tokens", lambda cap: cap if cap > 0 else None,
        type=int, also=("max_tokens",),
    ),
)  # fmt: skip


# reading -----------------------------------------------------------------------------------------


def _read_messages(reader: Reader, body: dict[str, Any]) -> Iterator[Message]:
    messages = body.pop("messages", None)
    if not isinstance(messages, list | tuple):
        raise FormatError("messages are a list", path="$.messages")
    links = Links(_ids(messages))
    for index, message in enumerate(messages):
        path = f"$.messages[{index}]"
        if not isinstance(message, Mapping) or message.get("role") not in _ROLES:
            raise FormatError(f"a message has the role {', '.join(_ROLES)}", path=f"{path}.role")
        if len(message) == 2 and message["role"] != "tool" and type(text := message.get("content")) is str and text:
            made = Message(message["role"], text)
            reader.ledger.at(made, path, _MESSAGE)
            yield made
        else:
            yield read_message(reader, message, path, links)
    if body.get("stream") is None and "model" in body:
        body |= {"stream": True, _STREAMS: {"was": body.get("stream", "absent")}}


def _ids(messages: Iterable[Any]) -> Iterator[str]:
    for message in messages:
        calls = message.get("tool_calls") if isinstance(message, Mapping) else None
        calls = calls if isinstance(calls, list | tuple) else ()
        given = (call.get("id") for call in calls if isinstance(call, Mapping))
        yield from (id_ for id_ in given if id_ and isinstance(id_, str))


def read_message(reader: Reader, message: Mapping[str, Any], path: str, links: Links) -> Message:
    rest = {name: value for name, value in message.items() if name not in ("role", "content")}
    how: dict[str, Any] = {}
    parts = [*_beside(reader, rest, path, "thinking"), *_text(message, path, how)]
    images = _beside(reader, rest, path, "images")
    parts += [*images, *_read_calls(reader, rest, path, links)]
    fields = _result(rest, links, how) if message["role"] == "tool" else {}
    is_silent = all(isinstance(part, ReasoningPart) for part in parts)
    if is_silent and (message["role"] != "assistant" or not (parts or how)):
        parts.append(TextPart(""))
    for part in parts:
        if isinstance(part, TextPart):
            reader.ledger.at(part, f"{path}.content", _TEXT)
    if how:
        rest[_HOW] = how
    native = natives("ollama", rest) if rest else EMPTY
    made = Message.of(message["role"], parts, is_list=bool(images), native=native, **fields)
    reader.ledger.at(made, path, _MESSAGE)
    return made


def _text(message: Mapping[str, Any], path: str, how: dict[str, Any]) -> list[TextPart]:
    content = message.get("content")
    if content is None:
        how["content"] = message.get("content", "absent")
    elif not isinstance(content, str):
        raise FormatError("a content is a text", path=f"{path}.content")
    return [TextPart(content)] if content else []


def _beside(reader: Reader, rest: dict[str, Any], path: str, name: str) -> list[Part]:
    """Take the thinking or the images out of a message."""
    value = rest.get(name)
    if name == "thinking" and isinstance(value, str) and value:
        found: list[Part] = [ReasoningPart(rest.pop(name), "ollama")]
    elif name == "images" and isinstance(value, list | tuple) and value:
        found = [ImagePart(_read_image(image, f"{path}.images[{i}]")) for i, image in enumerate(rest.pop(name))]
    else:
        return []
    for index, part in enumerate(found):
        is_image = isinstance(part, ImagePart)
        reader.ledger.at(
            part, f"{path}.images[{index}]" if is_image else f"{path}.thinking", _IMAGE if is_image else _THINKING
        )
    return found


def _read_image(image: Any, path: str) -> str:
    data = base64.b64encode(image).decode() if isinstance(image, bytes) else image
    if not isinstance(data, str):
        raise FormatError("an image is base64 text", path=path)
    return data_url(_kind_of(data), data)


def _kind_of(data: str) -> str:
    return next((kind for start, kind in _IMAGES.items() if data.startswith(start)), "image/png")


def _read_calls(reader: Reader, rest: dict[str, Any], path: str, links: Links) -> list[Part]:
    calls = rest.get("tool_calls")
    if not isinstance(calls, list | tuple) or not calls:
        return []
    del rest["tool_calls"]
    return [reader.part(_with_id(call, links), f"{path}.tool_calls[{i}]", CALLS) for i, call in enumerate(calls)]


def _with_id(call: Any, links: Links) -> Any:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        return call
    id_ = links.call(str(function.get("name")), call.get("id") or None)
    return {**call, "id": id_} if call.get("id") else {**call, "id": id_, _HOW: {"id": call.get("id", "absent")}}


def _result(rest: dict[str, Any], links: Links, how: dict[str, Any]) -> dict[str, Any]:
    """Take the link of a result out of its message."""
    name, id_ = rest.pop("tool_name", None), rest.pop("tool_call_id", None)
    if name is not None and not isinstance(name, str):
        raise FormatError("the name of a tool is a string")
    link = links.result(name, id_ or None)
    if not id_:
        how["tool_call_id"] = link
    if name is None:
        how["tool_name"] = "absent"
    return {"tool_call_id": link, "name": name if name != links.name(link) else None}


# writing -----------------------------------------------------------------------------------------


def _write_messages(writer: Writer, request: Request) -> dict[str, Any]:
    links = Links()
    return {"messages": [write_message(writer, message, links) for message in request.conversation.messages]}


def write_message(writer: Writer, message: Message, links: Links) -> dict[str, Any]:
    if message.plain_text is not None and message.role in _ROLES:
        return {"role": message.role, "content": message.plain_text}
    role = "system" if message.role == "developer" else message.role
    if role != message.role:
        writer.ledger.lose(message, "role", "role-changed", "developer became system")
    _tell_order(writer, message)
    text = _write_text(writer, message)
    thoughts = [part for part in message.parts if isinstance(part, ReasoningPart)]
    images = [image for part in message.parts if (image := _write_image(writer, part)) is not None]
    calls = [_write_call(writer, part, links) for part in message.parts if isinstance(part, ToolCall)]
    thinking = "".join(part.text for part in thoughts)
    found = {"thinking": thinking, "content": text, "images": images, "tool_calls": calls}
    wire: dict[str, Any] = {"role": role}
    wire |= {name: value for name, value in found.items() if value or name == "content"}
    for part in thoughts:
        writer.native(part, part.native, {})
    if role == "tool":
        wire |= {"tool_name": message.name or links.name(message.tool_call_id or "")}
        wire |= {"tool_call_id": message.tool_call_id}
    elif message.name is not None:
        writer.ledger.lose(message, "name", "name-dropped")
    if message.is_error is not None:
        writer.ledger.lose(message, "is_error")
    return _restored(writer.native(message, message.native, wire))


def _rank(part: Part) -> int:
    return 0 if isinstance(part, ReasoningPart) else 2 if isinstance(part, ToolCall) else 1


def _tell_order(writer: Writer, message: Message) -> None:
    """Report parts that stand in another order in a message of Ollama, which has one reasoning."""
    ranks = [_rank(part) for part in message.parts if isinstance(part, TextPart | ImagePart | ReasoningPart | ToolCall)]
    if ranks != sorted(ranks):
        detail = "Ollama has reasoning, then the content, then the calls"
        writer.ledger.lose(message, kind="reordered", detail=detail)
    for part in [part for part in message.parts if isinstance(part, ReasoningPart)][1:]:
        writer.ledger.lose(part, kind="merged", detail="a message of Ollama has one reasoning")


def _write_text(writer: Writer, message: Message) -> str:
    texts = [index for index, part in enumerate(message.parts) if isinstance(part, TextPart)]
    images = [index for index, part in enumerate(message.parts) if isinstance(part, ImagePart)]
    if len(texts) > 1:
        writer.ledger.lose(message, kind="merged", detail="a message of Ollama has one text")
    if texts and images and min(images) < max(texts):
        writer.ledger.lose(message, kind="reordered", detail="the images of Ollama follow the text")
    for index in texts:
        writer.native(message.parts[index], message.parts[index].native, {})  # type: ignore[union-attr]
    return message.text


def _write_image(writer: Writer, part: Part) -> str | None:
    if isinstance(part, TextPart | ReasoningPart | ToolCall):
        return None
    inline = split_data_url(part.url) if isinstance(part, ImagePart) else None
    if inline is None or not isinstance(part, ImagePart):
        writer.ledger.lose(part)
        return None
    if part.detail is not None:
        writer.ledger.lose(part, "detail")
    if inline[0] != _kind_of(inline[1]):
        writer.ledger.lose(part, "url", "substituted", f"Ollama takes the type from the data, not {inline[0]}")
    writer.native(part, part.native, {})
    return inline[1]


def _write_call(writer: Writer, call: ToolCall, links: Links) -> dict[str, Any]:
    links.call(call.name, call.id)
    wire = writer.part(call, CALLS) or {}
    how = wire.pop(_HOW, None)
    if how:
        wire["id"] = how["id"]
    return {name: value for name, value in wire.items() if value != "absent"}


def _restored(wire: dict[str, Any]) -> dict[str, Any]:
    """Return a message without what its source had not."""
    how = wire.pop(_HOW, {})
    if how.get("tool_call_id") == wire.get("tool_call_id"):
        wire.pop("tool_call_id", None)
    if wire.get("tool_name") is None or "tool_name" in how:
        wire.pop("tool_name", None)
    if "content" in how and not wire["content"]:
        wire["content"] = how["content"]
        if how["content"] == "absent":
            del wire["content"]
    return wire


def _finish(body: dict[str, Any], writer: Writer) -> None:
    if "stream" not in body:
        body["stream"] = False
        writer.ledger.report("$.stream", "defaulted", "without it, Ollama streams")


def _unfold(body: Mapping[str, Any], ledger: Ledger) -> Mapping[str, Any]:
    """Give the response format as an object."""
    wanted = body.get("format")
    if not isinstance(wanted, Mapping) and wanted != "json":
        return body
    ledger.spell = lambda path: "$.format" if path.startswith("$.format.") else path
    found = {"type": "json_object"} if wanted == "json" else {"type": "json_schema", "schema": wanted}
    return {**body, "format": found}


def _fold(wire: dict[str, Any], _ledger: Ledger) -> dict[str, Any]:
    if isinstance(wanted := wire.get("format"), Mapping):
        wire["format"] = wanted.get("schema", "json")
    was = wire.pop(_STREAMS, {}).get("was")
    if was == "absent" and wire.get("stream"):
        del wire["stream"]
    return wire


API: Final = Api(
    "ollama",
    params=PARAMS,
    parts=(),
    read_messages=_read_messages,
    write_messages=_write_messages,
    tool=TOOL,
    format=WANTED,
    format_at="format",
    finish=_finish,
    cue=open_end,
    unfold=_unfold,
    fold=_fold,
    rules=RULES,
)


def read_request(body: Mapping[str, Any], ledger: Ledger | None = None) -> Request:
    """Read a body of ``/api/chat``.

    >>> read_request({"model": "m", "messages": [], "options": {"num_predict": 9}}).params["max_completion_tokens"]
    9
    """
    return api.read_request(API, body, ledger)


def write_request(request: Request, ledger: Ledger | None = None, *, whole: bool = True) -> dict[str, Any]:
    """Write a body of ``/api/chat``.

    >>> write_request(read_request({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": False}))
    {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}], 'stream': False}
    """
    return api.write_request(API, request, ledger, whole=whole)


FORMAT: Final = format_of(
    API,
    "messages with one text and images; arguments as objects; options; names are lost",
    detect=detector("ollama"),
    aliases=("ollama_chat",),
    bare="messages",
)
