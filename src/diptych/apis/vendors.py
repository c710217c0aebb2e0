"""What crosses from one API to another by what their vendors share: files, custom tools, refusals and signatures.

Rule: a file that is named by an id, or by an address that only its vendor's server opens, is one of the vendor's own
and goes nowhere else. Chat and Responses are of one vendor: they share files, and tools that take any text. A refusal
stands as such in these two alone; elsewhere it is a text. What a model signed goes with it where another API serves a
model of the same family: signatures of Claude hold on Bedrock, too (Anthropic, extended thinking, read 2026-11-27), and
Google's server of the Chat API takes those of Gemini in ``extra_content``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from ..model import (
    EMPTY,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    thaw,
)
from ..request import Request
from ..response import native_of
from .checks import without_field
from .echoes import is_same_vendor
from .fields import ITEMS, MISSING, dig, place
from .ledger import Ledger

_OPENAI: Final = frozenset({"chat", "completions", "responses"})
#: Addresses that one vendor's servers open: buckets, and files of Gemini's API, which ask for the key of their owner.
_CLOSED: Final = re.compile(r"(gs|s3)://|https://generativelanguage\.googleapis\.com/", re.IGNORECASE)


def shared(source: str, target: str, request: Request, ledger: Ledger) -> Request:
    """Return a request of an API as another one takes it over."""
    messages = tuple(_crossed(message, source, target, ledger) for message in request.conversation.messages)
    if any(one is not two for one, two in zip(messages, request.conversation.messages, strict=True)):
        request = request.replace(messages=messages)
    return _with_custom_tools(source, target, request)


def _crossed(message: Message, source: str, target: str, ledger: Ledger) -> Message:
    if message.is_plain:
        return message
    message = _with_refusals(message, ledger) if source == "chat" and message.role == "assistant" else message
    parts = [found for part in message.parts if (found := _taken(part, source, target, ledger)) is not None]
    if len(parts) == len(message.parts) and all(map(lambda one, two: one is two, parts, message.parts)):
        return message
    made = message.replace(parts=parts)
    ledger.same(made, message)
    return made


def _taken(part: Part, source: str, target: str, ledger: Ledger) -> Part | None:
    """Return a part as the other API takes it, None (and a loss) where it is its vendor's own."""
    if isinstance(part, RefusalPart) and target not in _OPENAI:
        ledger.lose(part, kind="substituted", detail="the refusal is a text")
        text = TextPart(part.text)
        ledger.same(text, part)
        return text
    if source == target or {source, target} <= _OPENAI or not isinstance(part, FilePart | ImagePart):
        return part
    if (isinstance(part, FilePart) and part.file_id) or (part.url and _CLOSED.match(part.url)):
        ledger.lose(part, detail=f"the file is known to the vendor of {source} alone")
        return None
    return part


# refusals ----------------------------------------------------------------------------------------


def _with_refusals(message: Message, ledger: Ledger) -> Message:
    """Return a message of Chat whose refusals are parts: those in its content, and the field beside it."""
    parts = [_refusal(part, ledger) for part in message.parts]
    own = message.native.get("chat", EMPTY)
    beside = own.get("refusal")
    if isinstance(beside, str) and beside:
        part = RefusalPart(beside)
        ledger.at(part, f"{ledger.path(message)}.refusal")
        parts.append(part)
        own = FrozenMap({name: value for name, value in own.items() if name != "refusal"})
    elif all(map(lambda one, two: one is two, parts, message.parts)):
        return message
    native = {**message.native, "chat": own}
    made = message.replace(parts=parts, native=FrozenMap({name: said for name, said in native.items() if said}))
    ledger.same(made, message)
    return made


def _refusal(part: Part, ledger: Ledger) -> Part:
    value = part.value if isinstance(part, OtherPart) and part.api == "chat" else EMPTY
    if value.keys() != {"type", "refusal"} or value["type"] != "refusal" or not isinstance(value["refusal"], str):
        return part
    made = RefusalPart(value["refusal"])
    ledger.same(made, part)
    return made


# signatures --------------------------------------------------------------------------------------


def resigned(source: str, target: str, request: Request, before: str | None, ledger: Ledger) -> Request:
    """Return a request with the signatures of its model as the other API has them; ``before`` is the source's model."""
    resign = _SIGNED.get((source, target))
    if resign is None or not is_same_vendor(target, before, request.model):
        return request
    messages = []
    for message in request.conversation.messages:
        parts = () if message.is_plain else tuple(_as_signed(part, resign, ledger) for part in message.parts)
        messages.append(message if parts == message.parts or not parts else message.replace(parts=parts))
        ledger.same(messages[-1], message)
    request = request.replace(messages=tuple(messages))
    return _with_thinking(source, target, request)


def _as_signed(part: Part, resign: Callable[[Any], Part | None], ledger: Ledger) -> Part:
    made = resign(part) if isinstance(part, ReasoningPart | ToolCall) else None
    if made is None:
        return part
    ledger.same(made, part)
    return made


def _on_bedrock(part: Any) -> Part | None:
    said = part.native.get("anthropic", EMPTY)
    if not isinstance(part, ReasoningPart) or said.keys() != {"signature"}:
        return None
    signed = {"reasoningContent": {"reasoningText": {"signature": said["signature"]}}}
    return ReasoningPart(part.text, "bedrock", native_of("bedrock", signed))


def _on_anthropic(part: Any) -> Part | None:
    said = dig(part.native, "bedrock.reasoningContent.reasoningText")
    if not isinstance(part, ReasoningPart) or not isinstance(said, Mapping) or said.keys() != {"signature"}:
        return None
    return ReasoningPart(part.text, "anthropic", native_of("anthropic", dict(said)))


def _on_google_chat(part: Any) -> Part | None:
    own = part.native.get("gemini", EMPTY)
    if not isinstance(part, ToolCall) or not isinstance(own.get("thoughtSignature"), str):
        return None
    left = {name: value for name, value in own.items() if name != "thoughtSignature"}
    chat = {"extra_content": {"google": {"thought_signature": own["thoughtSignature"]}}}
    return replace(part, native=FrozenMap({"chat": chat, **({"gemini": left} if left else {})}))


_SIGNED: Final[dict[tuple[str, str], Callable[[Any], Part | None]]] = {
    ("anthropic", "bedrock"): _on_bedrock,
    ("bedrock", "anthropic"): _on_anthropic,
    ("gemini", "chat"): _on_google_chat,
}


#: Where the two APIs of Claude say how it thinks.
_THINKING: Final = {"anthropic": "thinking", "bedrock": "additionalModelRequestFields.thinking"}


def _with_thinking(source: str, target: str, request: Request) -> Request:
    """Return a request of Claude that says how to think where the other API takes it."""
    at = _THINKING.get(source, "")
    value = dig(request.native.get(source, EMPTY), at)
    if value is MISSING:
        return request
    left, there = without_field(request.native[source], at.split(".")), dict[str, Any]()
    place(there, _THINKING[target], value)
    return request.replace(native=FrozenMap({target: there, **({source: left} if left else {})}))


# tools that take a text --------------------------------------------------------------------------


def _with_custom_tools(source: str, target: str, request: Request) -> Request:
    """Return a request with the custom tools of Chat as those of Responses, or the other way round."""
    fields = request.native.get(source, EMPTY)
    tools = fields.get("tools")
    turned = _TURNED.get((source, target))
    if turned is None or not isinstance(tools, Mapping) or ITEMS not in tools:
        return request
    items = {at: turned(thaw(tool)) for at, tool in tools[ITEMS].items() if isinstance(tool, Mapping)}
    new = {at: tool for at, tool in items.items() if tool is not None}
    if not new:
        return request
    old = {at: tool for at, tool in tools[ITEMS].items() if at not in new}
    left = {name: value for name, value in fields.items() if name != "tools"} | ({"tools": {ITEMS: old}} if old else {})
    native = {**request.native, target: {**request.native.get(target, EMPTY), "tools": {ITEMS: new}}}
    native = {**native, source: left} if left else {name: value for name, value in native.items() if name != source}
    return request.replace(native=FrozenMap(native))


def _to_responses(tool: dict[str, Any]) -> dict[str, Any] | None:
    custom = tool.get("custom")
    if tool.keys() != {"type", "custom"} or tool["type"] != "custom" or not isinstance(custom, dict):
        return None
    wanted = custom.get("format")
    if isinstance(wanted, dict) and isinstance(wanted.get("grammar"), dict):
        wanted = {**{name: value for name, value in wanted.items() if name != "grammar"}, **wanted["grammar"]}
    return {"type": "custom", **custom, **({"format": wanted} if "format" in custom else {})}


def _to_chat(tool: dict[str, Any]) -> dict[str, Any] | None:
    if tool.get("type") != "custom" or not tool.keys() <= {"type", "name", "description", "format"}:
        return None
    custom = {name: value for name, value in tool.items() if name != "type"}
    wanted = custom.get("format")
    if isinstance(wanted, dict) and wanted.get("type") == "grammar":
        custom["format"] = {"type": "grammar", "grammar": {n: v for n, v in wanted.items() if n != "type"}}
    return {"type": "custom", "custom": custom}


_TURNED: Final[dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any] | None]]] = {
    ("chat", "responses"): _to_responses,
    ("responses", "chat"): _to_chat,
}
