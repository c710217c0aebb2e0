"""Gemini: ``contents``, ``systemInstruction`` and ``tools`` of a ``generateContent`` body.

- leading ``system`` and ``developer`` messages are ``systemInstruction``, a part each; a later
  one is written as ``user`` (``role-changed``); ``assistant`` is ``model``
- parts: ``text``, ``inlineData`` (data URLs of images, audio, files), ``fileData`` (addresses)
- tool calls are ``functionCall`` parts; results are ``functionResponse`` parts that carry the
  function's name and a JSON object: a text is put under ``result``
- reasoning is a text part with ``thought``; ids of calls are kept in ``id``
- a response schema is ``generationConfig.responseSchema``, JSON mode ``responseMimeType``
- names and the ``strict`` of tools are lost
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...errors import FormatError
from ...format import Format, Wire
from ...loss import Loss
from ...model import (
    AudioPart,
    ContentPart,
    Conversation,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    OtherPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    thaw,
)
from ..proof import call_input, data_url, split_data_url, written_arguments


def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    """Read a body, or its list of contents. Raises FormatError with a path."""
    body = value if isinstance(value, Mapping) else {"contents": value}
    contents = body.get("contents")
    if not isinstance(contents, list | tuple):
        raise FormatError("contents are a list", path="$.contents")
    found: list[Message] = []
    system = body.get("systemInstruction", body.get("system_instruction"))
    for part in system.get("parts") or () if isinstance(system, Mapping) else ():
        found.append(Message("system", str(part.get("text", "")) if isinstance(part, Mapping) else ""))
    for index, content in enumerate(contents):
        found += _read_content(content, f"$.contents[{index}]")
    return Conversation(tuple(found), _read_tools(body.get("tools")), _read_schema(body)), ()


def _read_content(content: Any, path: str) -> list[Message]:
    if not isinstance(content, Mapping) or content.get("role", "user") not in ("user", "model", "function"):
        raise FormatError("a content has the role user or model", path=f"{path}.role")
    parts = content.get("parts")
    if not isinstance(parts, list | tuple) or not all(isinstance(part, Mapping) for part in parts):
        raise FormatError("a content has a list of parts", path=f"{path}.parts")
    results = [_read_result(p["functionResponse"]) for p in parts if isinstance(p.get("functionResponse"), Mapping)]
    calls = tuple(
        ToolCall(str(c.get("id", "")), str(c.get("name", "")), written_arguments(c.get("args") or {}))
        for c in (p.get("functionCall") for p in parts)
        if isinstance(c, Mapping)
    )
    thoughts = [str(p.get("text", "")) for p in parts if p.get("thought")]
    rest = tuple(
        _read_part(p) for p in parts if not (p.get("thought") or "functionCall" in p or "functionResponse" in p)
    )
    if not rest and results:
        return results
    text = rest[0].text if len(rest) == 1 and isinstance(rest[0], TextPart) else rest or None
    role = "assistant" if content.get("role") == "model" else "user"
    return [*results, Message(role, text, tool_calls=calls, reasoning="\n".join(thoughts) or None)]


def _read_result(result: Mapping[str, Any]) -> Message:
    response = result.get("response")
    if isinstance(response, Mapping) and set(response) == {"result"} and isinstance(response["result"], str):
        text = response["result"]
    else:
        text = json.dumps(response, ensure_ascii=False)
    return Message("tool", text, tool_call_id=str(result.get("id") or result.get("name") or ""))


def _read_part(part: Mapping[str, Any]) -> ContentPart:
    if isinstance(part.get("text"), str):
        return TextPart(part["text"])
    inline, file = part.get("inlineData"), part.get("fileData")
    if isinstance(inline, Mapping):
        kind, data = str(inline.get("mimeType")), str(inline.get("data"))
        if kind.startswith("image/"):
            return ImagePart(data_url(kind, data))
        if kind.startswith("audio/"):
            return AudioPart(data, kind.removeprefix("audio/"))
        return FilePart(data_url(kind, data))
    if isinstance(file, Mapping):
        uri = str(file.get("fileUri"))
        return ImagePart(uri) if str(file.get("mimeType", "image/")).startswith("image/") else FilePart(file_id=uri)
    return OtherPart(FrozenMap(part))


def _read_tools(tools: Any) -> tuple[ToolSpec, ...]:
    found = []
    for tool in tools or ():
        for declared in (tool.get("functionDeclarations") or ()) if isinstance(tool, Mapping) else ():
            schema = declared.get("parametersJsonSchema", declared.get("parameters"))
            frozen = FrozenMap(schema) if isinstance(schema, Mapping) else None
            found.append(ToolSpec(str(declared.get("name")), declared.get("description"), frozen))
    return tuple(found)


def _read_schema(body: Mapping[str, Any]) -> ResponseFormat | None:
    config = body.get("generationConfig")
    if not isinstance(config, Mapping) or config.get("responseMimeType") != "application/json":
        return None
    schema = config.get("responseJsonSchema", config.get("responseSchema"))
    if not isinstance(schema, Mapping):
        return ResponseFormat("json_object")
    return ResponseFormat("json_schema", "reply", FrozenMap(schema))


def write(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the body's contents, system instruction, tools and schema."""
    losses: list[Loss] = []
    messages = conversation.messages
    start = next((i for i, m in enumerate(messages) if m.role not in ("system", "developer")), len(messages))
    body: dict[str, Any] = {}
    if start:
        body["systemInstruction"] = {"parts": [{"text": message.text} for message in messages[:start]]}
    contents: list[dict[str, Any]] = []
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    for index, message in enumerate(messages[start:], start):
        _write_message(message, f"$.messages[{index}]", names, contents, losses)
    body["contents"] = contents
    if conversation.tools:
        body["tools"] = [{"functionDeclarations": [_write_tool(tool) for tool in conversation.tools]}]
    wanted = conversation.response_format
    if wanted is not None and wanted.type != "text":
        config: dict[str, Any] = {"responseMimeType": "application/json"}
        if wanted.schema is not None:
            config["responseJsonSchema"] = thaw(wanted.schema)
        body["generationConfig"] = config
    return body, tuple(losses)


def _write_message(
    message: Message, path: str, names: Mapping[str, str], contents: list[dict[str, Any]], losses: list[Loss]
) -> None:
    if message.role == "tool":
        id_ = message.tool_call_id or ""
        response = {"name": names.get(id_, message.name or id_), "response": {"result": message.text}}
        part = {"functionResponse": {"id": id_, **response}}
        if contents and all("functionResponse" in p for p in contents[-1]["parts"]) and contents[-1]["parts"]:
            contents[-1]["parts"].append(part)
        else:
            contents.append({"role": "user", "parts": [part]})
        return
    parts: list[dict[str, Any]] = []
    if message.reasoning:
        parts.append({"text": message.reasoning, "thought": True})
    for index, item in enumerate(message.content_parts):
        written = _write_part(item)
        if written is None:
            losses.append(Loss(f"{path}.content", "media-dropped", f"{type(item).__name__} at {index} has no place"))
        else:
            parts.append(written)
    for index, call in enumerate(message.tool_calls):
        args = call_input(call, f"{path}.tool_calls[{index}]", losses)
        parts.append({"functionCall": {"id": call.id, "name": call.name, "args": args}})
    contents.append({"role": "model" if message.role == "assistant" else "user", "parts": parts})


def _write_part(part: ContentPart) -> dict[str, Any] | None:
    if isinstance(part, TextPart):
        return {"text": part.text}
    if isinstance(part, ImagePart):
        inline = split_data_url(part.url)
        if inline is None:
            return {"fileData": {"fileUri": part.url}}
        return {"inlineData": {"mimeType": inline[0], "data": inline[1]}}
    if isinstance(part, AudioPart):
        return {"inlineData": {"mimeType": f"audio/{part.format}", "data": part.data}}
    if isinstance(part, FilePart) and part.data and (inline := split_data_url(part.data)):
        return {"inlineData": {"mimeType": inline[0], "data": inline[1]}}
    if isinstance(part, FilePart) and part.file_id:
        return {"fileData": {"fileUri": part.file_id, "mimeType": "application/octet-stream"}}
    return None


def _write_tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description is not None else {}
    schema = {"parametersJsonSchema": thaw(tool.parameters)} if tool.parameters is not None else {}
    return {"name": tool.name, **described, **schema}


def _detect(value: Any) -> float:
    return 0.95 if isinstance(value, Mapping) and isinstance(value.get("contents"), list) else 0.0


FORMAT = Format(
    name="gemini",
    kind="api",
    mapping="contents of user and model; systemInstruction; functionCall and functionResponse; names are lost",
    read=read,
    write=write,
    detect=_detect,
    aliases=("google",),
    wire=Wire(
        holds=frozenset({"contents", "systemInstruction", "tools"}),
        bare="contents",
        talk=frozenset({"contents", "systemInstruction", "system_instruction"}),
        implied=frozenset({("role", "user")}),
    ),
)
