"""Gemini: bodies of ``generateContent``.

- leading ``system`` and ``developer`` messages are ``systemInstruction``, each a part where there are
  several (``merged``); a later one is written as ``user`` (``role-changed``); ``assistant`` is ``model``
- parts: ``text``, ``inlineData`` (data URLs of images, audio, files), ``fileData`` (addresses)
- tool calls are ``functionCall`` parts; results are ``functionResponse`` parts that carry the function's
  name and an object: a text is put under ``result``, an error under ``error``, media under ``parts``.
  Ids may be absent: results then belong to calls by name and order
- reasoning is a text part with ``thought``, and goes back to Gemini alone
- a response schema is ``generationConfig.responseJsonSchema``, JSON mode ``responseMimeType``; schemas
  with types in capitals are read as JSON Schema
- ``thoughtSignature``, safety settings, cached contents, server tools and unknown fields are kept for Gemini;
  snake case, the SDK's ``config`` and bytes come back as they were
- names of participants and the ``strict`` of tools are lost; streaming is said by the path
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any, Final

from ...errors import FormatError
from ...model import (
    EMPTY,
    Cue,
    FrozenMap,
    Message,
    Part,
    TextPart,
    thaw,
)
from ...request import Request
from .. import api
from ..api import Api, Reader, Writer
from ..detection import detector
from ..fields import NOTE, natives
from ..formats import format_of
from ..ledger import Ledger
from ..turns import message_of, read_turns, write_turns
from .fold import fold, path_folder, unfold
from .rules import NAME, RULES
from .spelling import path_speller, plain, spelt
from .tables import PARAMS, PARTS, SHAPE, STREAM, SYSTEM, TOOL, WANTED

#: The system instruction was a string.
_STRING: Final = f"{NOTE}string"
#: What the system instruction says of its role.
_ROLE: Final = f"{NOTE}role"


def _read_messages(reader: Reader, body: dict[str, Any]) -> Iterable[Message]:
    system = body.pop("systemInstruction", None)
    if system is not None:
        message = _read_system(reader, system)
        reader.ledger.at(message, "$.systemInstruction", SYSTEM)
        yield message
    yield from read_turns(reader, SHAPE, body.pop("contents"), "$.contents")


def _read_system(reader: Reader, system: Any) -> Message:
    if isinstance(system, str):
        return Message.of("system", (TextPart(system),), native=natives("gemini", {_STRING: {"is": True}}))
    parts = system.get("parts") if isinstance(system, Mapping) else None
    if not isinstance(parts, list | tuple):
        raise FormatError("a system instruction is a content with parts, or a text", path="$.systemInstruction")
    found = [reader.part(part, f"$.systemInstruction.parts[{index}]") for index, part in enumerate(parts)]
    rest = {name: value for name, value in system.items() if name != "parts"}
    if "role" in rest:
        rest[_ROLE] = {"is": rest.pop("role")}
        reader.ledger.report("$.systemInstruction.role", "by-format-rule", "Gemini does not look at it")
    return message_of(reader, SHAPE, "system", found, rest)


def _write_messages(writer: Writer, request: Request) -> dict[str, Any]:
    messages = [_with_signatures(writer, message) for message in request.conversation.messages]
    system = list(takewhile(lambda message: message.role in ("system", "developer"), messages))
    wire = {"systemInstruction": _write_system(writer, system)} if system else {}
    return {**wire, "contents": write_turns(writer, SHAPE, messages[len(system) :])}


def _write_system(writer: Writer, messages: list[Message]) -> Any:
    for index, message in enumerate(messages):
        if message.role != "system":
            writer.ledger.lose(message, "role", "role-changed", f"{message.role} became system")
        if message.name is not None:
            writer.ledger.lose(message, "name", "name-dropped")
        if index:
            writer.ledger.lose(message, kind="merged", detail="one system instruction holds several messages")
    wire: dict[str, Any] = {"parts": []}
    for message in messages:
        if message.is_plain:
            wire["parts"].append(writer.text(message.text))
        else:
            wire["parts"] += [part for one in message.parts if (part := writer.part(one)) is not None]
    for message in messages:
        wire = writer.native(message, message.native, wire)
    if (role := wire.pop(_ROLE, None)) is not None:
        wire["role"] = role["is"]
    return wire["parts"][0]["text"] if wire.pop(_STRING, None) and len(wire["parts"]) == 1 else wire


def _with_signatures(writer: Writer, message: Message) -> Message:
    """Take the thought signatures that a Chat body carries for Gemini as Gemini's own."""
    if message.is_plain or not any(_signature(part) for part in message.parts):
        return message
    made = message.replace(parts=tuple(_signed(writer, part) for part in message.parts))
    writer.ledger.same(made, message)
    return made


def _signature(part: Part) -> str | None:
    at: Any = getattr(part, "native", EMPTY).get("chat", EMPTY)
    for step in ("extra_content", "google", "thought_signature"):
        at = at.get(step) if isinstance(at, Mapping) else None
    return at if isinstance(at, str) else None


def _signed(writer: Writer, part: Any) -> Any:
    signature = _signature(part)
    if signature is None:
        return part
    chat = thaw(part.native["chat"])
    del chat["extra_content"]["google"]["thought_signature"]
    own = {**part.native.get("gemini", EMPTY), "thoughtSignature": signature}
    native = {**part.native, "gemini": own, "chat": chat}
    fields = {name: getattr(part, name) for name in part.__dataclass_fields__}
    made = type(part)(**{**fields, "native": FrozenMap(native)})
    writer.ledger.same(made, part)
    return made


def _cue(messages: tuple[Message, ...]) -> Cue:
    return "continue" if messages and messages[-1].role == "assistant" else "none"


def _unfold(body: Mapping[str, Any], ledger: Ledger) -> Mapping[str, Any]:
    """Lay a body out, in one spelling; the ledger learns what its paths were."""
    written = plain(body)
    place, spell = path_folder(written), path_speller(written)
    ledger.spell = lambda path: spell(place(path))
    return unfold(written)


def _fold(wire: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    if wire.pop(STREAM, None):
        ledger.report("$.stream", "renamed", "the path says it: streamGenerateContent")
    return spelt(fold(wire))


API: Final = Api(
    "gemini",
    params=PARAMS,
    parts=PARTS,
    read_messages=_read_messages,
    write_messages=_write_messages,
    holds=frozenset({"contents", "systemInstruction"}),
    tool=TOOL,
    format=WANTED,
    format_at="generationConfig",
    cue=_cue,
    unfold=_unfold,
    fold=_fold,
    names=NAME,
    rules=RULES,
)


def read_request(body: Mapping[str, Any], ledger: Ledger | None = None) -> Request:
    """Read a body of ``generateContent``, in camel or snake case.

    >>> read_request({"contents": [{"parts": [{"text": "Hi"}]}], "generation_config": {"top_k": 3}}).params["top_k"]
    3
    """
    return api.read_request(API, body, ledger)


def write_request(request: Request, ledger: Ledger | None = None, *, whole: bool = True) -> dict[str, Any]:
    """Write a body of ``generateContent``.

    >>> write_request(read_request({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}))
    {'contents': [{'role': 'user', 'parts': [{'text': 'Hi'}]}]}
    """
    return api.write_request(API, request, ledger, whole=whole)


FORMAT: Final = format_of(
    API,
    "contents of user and model; systemInstruction; functionCall and functionResponse; names are lost",
    detect=detector("gemini"),
    aliases=("google",),
    bare="contents",
)
