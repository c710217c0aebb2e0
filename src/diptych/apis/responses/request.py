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

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ...errors import FormatError
from ...model import (
    EMPTY,
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
    freeze,
)
from ...request import Request
from .. import api
from ..api import Api, Reader, Writer, tables_of
from ..detection import detector
from ..fields import NOTE, Field, Kind, natives
from ..formats import format_of
from ..ledger import Ledger
from ..turns import INSIDE, LIST, elsewhere
from ..values import one_of, read_json, write_json
from .rules import NAME, RULES

#: Notes: an item that is no content, a body whose input was a string or was not there, messages without a type.
_ITEM: Final = f"{NOTE}item"
_STRING: Final = f"{NOTE}string"
_ABSENT: Final = f"{NOTE}absent"
_BARE: Final = f"{NOTE}bare"
#: A message differs from the others in that it has a type, or none; a result is one of a custom tool.
_ODD: Final = f"{NOTE}odd"
_CUSTOM: Final = f"{NOTE}custom"
#: How the texts of a reasoning item were cut.
_CUTS: Final = f"{NOTE}cuts"
_ROLES: Final = ("user", "assistant", "system", "developer")

_IN: Final = Kind(TextPart, (Field("text", "text", type=str),), {"type": "input_text"}, ("text",))
_OUT: Final = Kind(TextPart, (Field("text", "text", type=str),), {"type": "output_text"}, ("text",))
_MEDIA: Final = (
    Kind(
        ImagePart,
        (Field("image_url", "url", type=str), Field("detail", "detail", type=str)),
        {"type": "input_image"},
        ("url",),
    ),
    Kind(
        FilePart,
        (
            Field("file_data", "data", type=str),
            Field("filename", "filename", type=str),
            Field("file_id", "file_id", type=str),
            Field("file_url", "url", type=str),
        ),
        {"type": "input_file"},
    ),
)
_REFUSAL: Final = Kind(RefusalPart, (Field("refusal", "text", type=str),), {"type": "refusal"}, ("text",))
#: The contents of a message: what is said to the model, and what it says.
SAID: Final = tables_of((_IN, _OUT, *_MEDIA))
ANSWERED: Final = tables_of((_OUT, _IN, _REFUSAL, *_MEDIA))
_CALL: Final = (
    Field("call_id", "id", type=str),
    Field("name", "name", type=str),
)
#: The items that are parts of an assistant's turn.
ITEMS: Final = tables_of(
    (
        Kind(
            ReasoningPart,
            (Field("text", "text", type=str),),
            {"type": "reasoning"},
            ("text",),
            lambda part: "responses" in part.native,
        ),
        Kind(
            ToolCall,
            (*_CALL, Field("arguments", "arguments", type=str)),
            {"type": "function_call"},
            ("id", "name", "arguments"),
            lambda call: call.type == "function",
        ),
        Kind(
            ToolCall,
            (
                *_CALL,
                Field("input", "arguments", type=str),
                Field("type", "type", *one_of({"custom_tool_call": "custom"})),
            ),
            {},
            ("id", "name", "arguments", "type"),
        ),
        Kind(
            ToolCall,
            (*_CALL, Field("arguments", "arguments", read_json, write_json)),
            {"type": "function_call"},
            ("id", "name", "arguments"),
        ),
    )
)
_MESSAGE: Final = Kind(Message, (Field("role", "role", elsewhere), Field("content", "content", elsewhere)))
_OUTPUTS: Final = {
    name: Kind(
        Message,
        (Field("call_id", "tool_call_id", type=str), Field("output", "content", elsewhere)),
        {"type": name},
        ("tool_call_id",),
    )
    for name in ("function_call_output", "custom_tool_call_output")
}
TOOL: Final = Kind(
    ToolSpec,
    (
        Field("name", "name", type=str),
        Field("description", "description", type=str),
        Field("parameters", "parameters", freeze, type=Mapping),
        Field("strict", "strict", type=bool),
    ),
    {"type": "function"},
    ("name",),
)
_TYPES: Final = ("text", "json_object", "json_schema")
WANTED: Final = Kind(
    ResponseFormat,
    (
        Field("type", "type", *one_of({name: name for name in _TYPES})),
        Field("name", "name", type=str),
        Field("schema", "schema", freeze, type=Mapping),
        Field("strict", "strict", type=bool),
        Field("description", "description", type=str),
    ),
    needs=("type",),
)


def _read_choice(value: Any) -> Any:
    if isinstance(value, str):
        return value if value in ("auto", "none", "required") else None
    if not isinstance(value, Mapping):
        return None
    if value.get("type") in ("function", "custom") and isinstance(value.get("name"), str):
        kind = value["type"]
        return {"type": kind, kind: {"name": value["name"]}}
    if value.get("type") == "allowed_tools":
        tools = [_read_choice(tool) for tool in value.get("tools") or ()]
        return {"type": "allowed_tools", "allowed_tools": {"mode": value.get("mode"), "tools": tools}}
    return None


def _write_choice(value: Any) -> Any:
    if isinstance(value, str):
        return value
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == "allowed_tools":
        allowed = value.get(kind, {})
        tools = [_write_choice(tool) for tool in allowed.get("tools") or ()]
        return None if None in tools else {"type": kind, "mode": allowed.get("mode"), "tools": tools}
    inner = value.get(kind) if kind in ("function", "custom") else None
    return {"type": kind, "name": inner["name"]} if isinstance(inner, Mapping) and "name" in inner else None


_LOGPROBS: Final = ["message.output_text.logprobs"]
_SAME: Final = (
    "temperature", "top_p", "top_logprobs", "parallel_tool_calls", "metadata", "store", "stream", "user",
    "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "moderation",
)  # fmt: skip
PARAMS: Final = (
    Field("model", "model", type=str),
    *(Field(name, name, freeze) for name in _SAME),
    Field("max_output_tokens", "max_completion_tokens", type=int, also=("max_tokens",)),
    Field("reasoning.effort", "reasoning_effort", type=str),
    Field("text.verbosity", "verbosity", type=str),
    Field("tool_choice", "tool_choice", _read_choice, _write_choice),
    Field("stream_options.include_obfuscation", "stream_options", lambda value: {"include_obfuscation": value},
          lambda value: value.get("include_obfuscation"), type=bool),
    Field("include", "logprobs", lambda value: True if list(value) == _LOGPROBS else None,
          lambda value: _LOGPROBS if value else None, type=(list, tuple)),
)  # fmt: skip


# reading -----------------------------------------------------------------------------------------


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
        yield from _Items(reader, items, body).read()
    elif items is None and body.keys() & {"prompt", "previous_response_id", "conversation"}:
        body[_ABSENT] = {"is": True}
    else:
        raise FormatError("the input is text or a list of items", path="$.input")


class _Items:
    """Reads items of input as messages: those of one turn of the assistant are one."""

    def __init__(self, reader: Reader, items: Any, body: dict[str, Any]) -> None:
        self.reader, self.items = reader, items
        messages = [item for item in items if isinstance(item, Mapping) and "role" in item]
        self.is_bare = bool(messages) and all("type" not in item for item in messages)
        if self.is_bare:
            body[_BARE] = {"is": True}
        self._clear()

    def _clear(self) -> None:
        self.parts: list[Part] = []
        self.native: dict[str, Any] = {}
        self.is_list, self.path, self.has_message = False, "", False

    def read(self) -> Iterator[Message]:
        for index, item in enumerate(self.items):
            path = f"$.input[{index}]"
            if not isinstance(item, Mapping):
                raise FormatError("an item is an object", path=path)
            kind = item.get("type", "message" if "role" in item else None)
            if kind == "message":
                is_alone = item.get("role") != "assistant" or item.get("content") == []
                if is_alone or self.has_message:
                    yield from self._flush()
                self._message(item, path, is_first=not index)
                if is_alone:
                    yield from self._flush(item["role"])
            elif isinstance(kind, str) and kind in _OUTPUTS and isinstance(item.get("call_id"), str):
                yield from self._flush()
                self._output(item, path)
                yield from self._flush("tool", item["call_id"])
            else:
                self.parts.append(self._part(item, path))
                self.path = self.path or path
        yield from self._flush()

    def _flush(self, role: str = "assistant", call_id: str | None = None) -> Iterator[Message]:
        if self.parts or self.has_message or call_id is not None:
            native = natives("responses", self.native) if self.native else EMPTY
            made = Message.of(role, self.parts, is_list=self.is_list, native=native, tool_call_id=call_id)
            self.reader.ledger.at(made, self.path, _MESSAGE if call_id is None else _OUTPUTS["function_call_output"])
            yield made
        self._clear()

    def _message(self, item: Mapping[str, Any], path: str, *, is_first: bool) -> None:
        role = item.get("role")
        if role not in _ROLES:
            raise FormatError(f"{role!r} is no role of the Responses API", path=f"{path}.role")
        self.native |= {name: value for name, value in item.items() if name not in ("type", "role", "content")}
        if ("type" not in item) != self.is_bare:
            self.native[_ODD] = True
        if is_first and role == "system":
            self.native[INSIDE] = True
        self._content(item.get("content"), f"{path}.content", ANSWERED if role == "assistant" else SAID)
        self.path, self.has_message = path, True

    def _content(self, content: Any, path: str, tables: api.Tables) -> None:
        if isinstance(content, str):
            self.parts.append(TextPart(content))
            return
        if not isinstance(content, list | tuple):
            raise FormatError("a content is text or a list of parts", path=path)
        found = [self.reader.part(part, f"{path}[{index}]", tables) for index, part in enumerate(content)]
        self.parts += found
        self.is_list = len(found) != 1
        if len(found) == 1 and type(found[0]) is TextPart:
            self.native[LIST] = True

    def _output(self, item: Mapping[str, Any], path: str) -> None:
        self.native = {name: value for name, value in item.items() if name not in ("type", "call_id", "output")}
        if item["type"] == "custom_tool_call_output":
            self.native[_CUSTOM] = True
        self._content(item.get("output"), f"{path}.output", SAID)
        self.path = path

    def _part(self, item: Mapping[str, Any], path: str) -> Part:
        part = self.reader.part(_unfold(item), path, ITEMS)
        if not isinstance(part, OtherPart):
            return part
        made = OtherPart(FrozenMap({**item, _ITEM: True}), "responses")
        self.reader.ledger.at(made, path)
        return made


#: Where a reasoning item has its texts, and of which type they are.
_THOUGHTS: Final = {"summary": "summary_text", "content": "reasoning_text"}


def _is_thought(part: Mapping[str, Any], kind: str) -> bool:
    return part.keys() == {"type", "text"} and part["type"] == kind and isinstance(part["text"], str)


def _unfold(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a reasoning item with its texts as one; every other item is what it is."""
    if item.get("type") != "reasoning":
        return item
    for name, kind in _THOUGHTS.items():
        parts = item.get(name)
        texts = [part["text"] for part in parts or () if isinstance(part, Mapping) and _is_thought(part, kind)]
        if parts and len(texts) == len(parts):
            rest = {key: value for key, value in item.items() if key != name}
            return {**rest, "text": "\n".join(texts), _CUTS: {"of": name, "lengths": [*map(len, texts)]}}
    return {**item, "text": "", _CUTS: {"of": ""}}


def _fold(item: dict[str, Any]) -> dict[str, Any]:
    cuts = item.pop(_CUTS, None)
    if cuts is None:
        return item
    text = item.pop("text")
    if name := cuts["of"] or ("summary" if text else ""):
        item[name] = [{"type": _THOUGHTS[name], "text": one} for one in _cut(text, cuts.get("lengths", ()))]
    return item


def _cut(text: str, lengths: Iterable[int]) -> Iterator[str]:
    """Yield the lines of a text that have these lengths, the whole text where it is another."""
    lengths = tuple(lengths)
    if len(text) != sum(lengths) + len(lengths) - 1:
        lengths = (len(text),)
    start = 0
    for length in lengths:
        yield text[start : start + length]
        start += length + 1


# writing -----------------------------------------------------------------------------------------


def _write_messages(writer: Writer, request: Request) -> dict[str, Any]:
    messages = request.conversation.messages
    own = request.native.get("responses", EMPTY)
    wire: dict[str, Any] = {}
    if messages and _is_instruction(messages[0]):
        wire["instructions"] = messages[0].text
        writer.native(messages[0], messages[0].parts[0].native, {})  # type: ignore[union-attr]
        if messages[0].name is not None:
            writer.ledger.lose(messages[0], "name", "name-dropped")
        messages = messages[1:]
    items = _Written(writer, _BARE in own).write(messages)
    if _STRING in own and len(items) == 1 and items[0].keys() <= {"type", "role", "content"}:
        return {**wire, "input": items[0]["content"]}
    return wire if _ABSENT in own and not items else {**wire, "input": items}


def _is_instruction(message: Message) -> bool:
    is_text = len(message.parts) == 1 and type(message.content) is str
    return message.role == "system" and is_text and not message.native


class _Written:
    """The items that messages become."""

    def __init__(self, writer: Writer, is_bare: bool) -> None:
        self.writer, self.is_bare = writer, is_bare
        self.items: list[dict[str, Any]] = []
        self.custom: set[str] = set()

    def write(self, messages: Iterable[Message]) -> list[dict[str, Any]]:
        before = ""
        for message in messages:
            if before == message.role == "assistant" and message.parts and _is_item(message.parts[0]):
                self.writer.ledger.lose(message, kind="merged", detail="items of the assistant are one turn")
            before = message.role
            if message.name is not None:
                self.writer.ledger.lose(message, "name", "name-dropped")
            self._output(message) if message.role == "tool" else self._turn(message)
        return self.items

    def _output(self, message: Message) -> None:
        is_custom = message.tool_call_id in self.custom or _CUSTOM in message.native.get("responses", EMPTY)
        wire = {
            "type": "custom_tool_call_output" if is_custom else "function_call_output",
            "call_id": message.tool_call_id or "",
            "output": self._content(message, message.parts, SAID),
        }
        if message.is_error is not None:
            self.writer.ledger.lose(message, "is_error")
        self.items.append(self.writer.native(message, message.native, wire))

    def _turn(self, message: Message) -> None:
        """Write the items of a turn: what is said between calls and reasoning is a message each."""
        if message.is_plain:
            kind = {} if self.is_bare else {"type": "message"}
            self.items.append({**kind, "role": message.role, "content": message.text})
            return
        said: list[Part] = []
        native: FrozenMap | None = message.native
        for part in (*message.parts, None):
            is_item = isinstance(part, ReasoningPart | ToolCall) or (
                isinstance(part, OtherPart) and _ITEM in part.value
            )
            if part is not None and not is_item:
                said.append(part)
                continue
            if said or (part is None and native is not None and self._is_message(message)):
                self._message(message, said, native)
                said, native = [], None
            if part is not None:
                self._item(part)
        if native:
            self.writer.native(message, native, {})

    def _is_message(self, message: Message) -> bool:
        """Tell whether a message without contents is one nevertheless."""
        return message.is_list or not message.parts

    def _item(self, part: Part) -> None:
        if isinstance(part, ToolCall) and part.type == "custom":
            self.custom.add(part.id)
        wire = self.writer.part(part, ITEMS)
        if wire is not None:
            self.items.append(_fold({name: value for name, value in wire.items() if name != _ITEM}))

    def _message(self, message: Message, parts: list[Part], native: FrozenMap | None) -> None:
        own = message.native.get("responses", EMPTY)
        is_odd = native is not None and _ODD in own
        wire: dict[str, Any] = {} if self.is_bare != is_odd else {"type": "message"}
        tables = ANSWERED if message.role == "assistant" else SAID
        wire |= {"role": message.role, "content": self._content(message, parts, tables)}
        self.items.append(self.writer.native(message, native, wire) if native else wire)

    def _content(self, message: Message, parts: Iterable[Part], tables: api.Tables) -> Any:
        parts = tuple(parts)
        is_listed = message.is_list or LIST in message.native.get("responses", EMPTY)
        if not is_listed and not parts:
            return ""
        if not is_listed and len(parts) == 1 and isinstance(parts[0], TextPart) and "responses" not in parts[0].native:
            self.writer.native(parts[0], parts[0].native, {})
            return parts[0].text
        return [wire for part in parts if (wire := self.writer.part(part, tables)) is not None]


def _is_item(part: Part) -> bool:
    return isinstance(part, ReasoningPart | ToolCall) or (isinstance(part, OtherPart) and _ITEM in part.value)


def _cue(messages: tuple[Message, ...]) -> Cue:
    return "continue" if messages and messages[-1].role == "assistant" and messages[-1].text else "none"


def _without_notes(wire: dict[str, Any], _ledger: Ledger) -> dict[str, Any]:
    return {name: value for name, value in wire.items() if not name.startswith(NOTE)}


def _without_defaults(request: Request, ledger: Ledger) -> Request:
    """Leave out parameters that ask for what Responses does anyway."""
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
    cue=_cue,
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
