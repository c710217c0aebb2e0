"""OpenAI Chat: bodies of ``/v1/chat/completions``, and lists of their messages.

- ``content``: texts, ``image_url``, ``input_audio`` and ``file`` parts; ``reasoning_content``,
  ``tool_calls`` beside it: ``reordered`` where they stood among the parts
- the functions of 2023 (``functions``, ``function_call``, role ``function``) are tools, calls, results
- parameters keep their names, which are the neutral ones; a name that the API does not have is one
  server's own, and kept
- any other field or part is kept as it is
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ...model import (
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
    TextPart,
    ToolCall,
)
from ...projection import write_message
from ...request import Request
from .. import api
from ..api import Api, Reader, Writer
from ..detection import detector
from ..fields import NOTE
from ..formats import format_of
from ..ledger import Ledger
from ..values import chosen, chosen_name
from . import messages as wire_messages
from .messages import write_response_format, write_tools
from .rules import NAME, RULES
from .tables import FORMAT as WANTED
from .tables import PARAMS, PARTS, TOOLS

#: A body that has ``functions`` in place of tools, and ``function_call`` in place of a choice.
_FUNCTIONS: Final = f"{NOTE}functions"
_CHOICE: Final = f"{NOTE}function_call"


def _read_messages(reader: Reader, body: dict[str, Any]) -> Conversation:
    _modernise(reader, body)
    messages = wire_messages.read_list(body.pop("messages", None), "$.messages")
    return Conversation(messages, cue=_cue(messages, body))


def _modernise(reader: Reader, body: dict[str, Any]) -> None:
    """Give functions and their choice the form of tools; a note says what they were."""
    if isinstance(functions := body.get("functions"), list) and functions and "tools" not in body:
        body |= {"tools": functions, _FUNCTIONS: True}
        reader.ledger.moved["$.tools"] = "$.functions"
        del body["functions"]
    choice = body.get("function_call")
    name = choice.get("name") if isinstance(choice, Mapping) and len(choice) == 1 else None
    if "tool_choice" not in body and (isinstance(name, str) or choice in ("auto", "none")):
        body |= {"tool_choice": choice if name is None else chosen(name), _CHOICE: True}
        reader.ledger.moved["$.tool_choice"] = "$.function_call"
        del body["function_call"]


def _write_messages(writer: Writer, request: Request) -> dict[str, Any]:
    messages = request.wire_messages()
    return {"messages": write_list(writer, request.conversation.messages) if messages is None else messages}


def write_list(writer: Writer, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Write the list of messages."""
    return [_write_message(writer, message) for message in messages]


def _write_message(writer: Writer, message: Message) -> dict[str, Any]:
    held_ = message if message.plain_text is not None else _held(writer, message, bodies=True)
    return writer.ledger.wrote(write_message(held_), message)


def _held(writer: Writer, message: Message, *, bodies: bool = False) -> Message:
    """Return a message without what Chat has no place for; in ``bodies`` users alone have media."""
    ledger = writer.ledger
    writer.native(message, message.native, {})
    if message.is_error is not None:
        ledger.lose(message, "is_error")
    has_media = message.role == "user" or not bodies
    parts = [part for part in message.parts if _has_place(writer, part, has_media=has_media)]
    reasoning = [part for part in parts if isinstance(part, ReasoningPart)]
    for part in reasoning[1:]:
        ledger.lose(part, kind="merged", detail="a Chat message has one reasoning text")
    ranks = [_rank(part) for part in parts]
    if ranks != sorted(ranks):
        ledger.lose(message, kind="reordered", detail="Chat has reasoning, then the content, then the calls")
    content = [part for part in parts if not isinstance(part, ReasoningPart | RefusalPart | ToolCall)]
    has_content = content or message.is_list or message.role == "assistant" or "chat" in message.native
    if len(parts) == len(message.parts) and has_content:
        return message
    if not content and message.role != "assistant":
        parts.append(TextPart(""))
    copy = message.replace(parts=parts, is_list=message.is_list and len(content) > 1)
    ledger.same(copy, message)
    return copy


def in_order(request: Request, ledger: Ledger) -> Request:
    """Return a request whose tool results follow their calls at once, as Chat wants it."""
    messages = request.conversation.messages
    if not any(message.role == "tool" for message in messages):
        return request
    found: list[Message] = []
    at = -1  # where the next result of the last calls stands; -1 where there are no calls
    for message in messages:
        if message.role == "assistant":
            at = len(found) + 1 if message.tool_calls else -1
        if message.role == "tool" and at > -1:
            if at < len(found):
                ledger.lose(message, kind="reordered", detail="results follow their calls")
            found.insert(at, message)
            at += 1
        else:
            found.append(message)
    return request if list(messages) == found else request.replace(messages=tuple(found))


def held(request: Request, ledger: Ledger) -> Request:
    """Return a request of which nothing is left that Chat has no place for: what texts and rows are written from."""
    writer = Writer(API, request, ledger)
    messages = request.conversation.messages
    made = [m if m.plain_text is not None else _of_chat(_held(writer, m), ledger) for m in messages]
    return request.replace(messages=tuple(made))


def _of_chat(message: Message, ledger: Ledger) -> Message:
    """Return a message without what other APIs say of it and of its parts."""
    parts = [part if isinstance(part, OtherPart) else _own_alone(part, ledger) for part in message.parts]
    made = message.replace(parts=parts, native=_own(message.native), is_error=None)
    ledger.same(made, message)
    return made


def _own_alone(part: Any, ledger: Ledger) -> Any:
    if part.native.keys() <= {"chat"}:
        return part
    made = replace(part, native=_own(part.native))
    ledger.same(made, part)
    return made


def _own(native: FrozenMap) -> FrozenMap:
    return FrozenMap({"chat": native["chat"]}) if "chat" in native else EMPTY


def _rank(part: Part) -> int:
    if isinstance(part, ReasoningPart):
        return 0
    return 2 if isinstance(part, ToolCall) else 3 if isinstance(part, RefusalPart) else 1


def _has_place(writer: Writer, part: Part, *, has_media: bool) -> bool:
    is_lost = isinstance(part, OtherPart) and part.api != "chat"
    if isinstance(part, ImagePart | AudioPart | FilePart) and "chat" not in part.native:
        is_lost = not has_media or not _is_medium(part)
    if is_lost:
        writer.ledger.lose(part)
        return False
    if isinstance(part, FilePart) and part.url:
        writer.ledger.lose(part, "url")
    if not isinstance(part, OtherPart):
        writer.native(part, part.native, {})
    return True


def _is_medium(part: ImagePart | AudioPart | FilePart) -> bool:
    """Tell whether Chat takes a medium: sound as wav or mp3, files by id or by data that are neither sound nor film."""
    if isinstance(part, AudioPart):
        return part.format in ("wav", "mp3")
    if isinstance(part, ImagePart):
        return True
    return bool(part.file_id) or not (part.data or "data:video/").startswith(("data:video/", "data:audio/"))


def _finish(body: dict[str, Any], writer: Writer) -> None:
    """Give functions their old form where they had it, and a schema the name that Chat requires."""
    own = writer.own(writer.request)
    if own.get(_FUNCTIONS) and "tools" in body:
        body["functions"] = [tool.get("function", tool) for tool in body.pop("tools")]
    if own.get(_CHOICE) and "tool_choice" in body:
        choice = body.pop("tool_choice")
        body["function_call"] = {"name": chosen_name(choice)} if isinstance(choice, dict) else choice
    wanted, declared = body.get("response_format"), writer.request.conversation.response_format
    if declared and declared.type == "json_schema" and declared.name is None and isinstance(wanted, dict):
        wanted["json_schema"]["name"] = "response"
        writer.ledger.lose(declared, kind="synthesised", detail="Chat requires a name: response")


def _cue(messages: tuple[Message, ...], body: Mapping[str, Any]) -> Cue:
    last = messages[-1] if messages and messages[-1].role == "assistant" else None
    is_open = last is not None and (last.extra.get("prefix") or body.get("continue_final_message") is True)
    return "continue" if is_open else "none"


API: Final = Api(
    "chat",
    params=PARAMS,
    parts=PARTS,
    read_messages=_read_messages,
    write_messages=_write_messages,
    tool=TOOLS[0],
    more_tools=TOOLS[1:],
    format=WANTED,
    finish=_finish,
    mend=in_order,
    is_open=True,
    names=NAME,
    rules=RULES,
    shares=frozenset({"completions"}),
)


def read_request(body: Mapping[str, Any], ledger: Ledger | None = None) -> Request:
    """Read a Chat body. Raises FormatError with the path of a malformed message.

    >>> read_request({"model": "m", "messages": [], "seed": 7}).params["seed"]
    7
    """
    return api.read_request(API, body, ledger)


def write_request(request: Request, ledger: Ledger | None = None, *, whole: bool = True) -> dict[str, Any]:
    """Write the Chat body of a request.

    >>> write_request(read_request({"model": "m", "messages": [], "seed": 7}))
    {'model': 'm', 'messages': [], 'seed': 7}
    """
    return api.write_request(API, request, ledger, whole=whole)


def chat_params(request: Request) -> dict[str, Any]:
    """Return everything of a Chat body beside model and messages."""
    body = write_request(request.replace(messages=()))
    return {name: value for name, value in body.items() if name not in ("model", "messages")}


def with_declared(conversation: Conversation, params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with the tools and the response format that a conversation holds; what is given stays."""
    if conversation.tools:
        params.setdefault("tools", write_tools(conversation))
    declared = conversation.response_format
    if declared is not None and declared.type != "text":
        params.setdefault("response_format", write_response_format(conversation))
    return params


FORMAT: Final = format_of(
    API,
    "role, content and parts, name, tool calls and results as in the Chat API; the identity",
    detect=detector("chat"),
    aliases=("openai_chat", "messages", "openai"),
    bare="messages",
)
