"""OpenAI Responses: whole answers of ``/v1/responses``.

- the items of ``output`` are the parts of one message, by the tables of requests; items of built-in tools,
  item ids, annotations and encrypted reasoning are kept for Responses
- ``status`` completed → stop, or tool_calls where the last item is a call; incomplete → length or
  content_filter by ``incomplete_details``; failed, cancelled and the like are Responses' alone
- ``logprobs`` of an output that is one text are those of the reply, with Chat's tokens
- ``usage``: cached tokens are part of the input, reasoning of the output
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...errors import FormatError
from ...loss import Loss
from ...model import EMPTY, Message, Part, ReasoningPart, TextPart, ToolCall, thaw
from ...response import Response, ResponseChoice, native_of
from ..answers import (
    END,
    Answers,
    has_own_end,
    only_choice,
    parts_of,
    placed,
    read_answer,
    write_answer,
    write_logprobs,
)
from ..api import Reader, Writer
from ..counts import RESPONSES
from ..fields import NOTE, Field
from ..ledger import Ledger
from ..logprobs import read_tokens
from .items import Items, Written
from .request import API

#: Notes: how many parts each message of the output had, and what Responses says of it; what status it had.
_TURNS: Final = f"{NOTE}turns"
_STATUS: Final = f"{NOTE}status"
#: openai 3.57, ``responses.Response.incomplete_details``.
_INCOMPLETE: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
_WORDS: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}


def _read_choices(reader: Reader, body: dict[str, Any]) -> Iterable[ResponseChoice]:
    items = body.pop("output", None)
    if not isinstance(items, list):
        raise FormatError("the output of an answer is a list of items", path="$.output")
    messages = list(Items(reader, items, {}, "$.output", is_answer=True).read())
    for message in messages:
        if message.role != "assistant":
            raise FormatError("the output holds what the assistant says", path=reader.ledger.path(message))
    parts = [part for message in messages for part in message.parts]
    parts, text, tokens = _take_logprobs(reader, parts)
    turns = [
        {"parts": len(one.parts), "list": one.is_list, "native": thaw(one.native.get("responses", EMPTY))}
        for one in messages
    ]
    native = native_of("responses", {_TURNS: turns, **_said(reader, messages, turns)})
    message = Message.of("assistant", parts, is_list=True, native=native)
    end, note = read_end(body, parts)
    at = reader.ledger.path(text)[2:] if text else ""
    choice = ResponseChoice(message, end, logprobs=tokens, native=native_of("responses", note))
    yield placed(reader, choice, "$", "status", logprobs=f"{at}.logprobs")


def _take_logprobs(reader: Reader, parts: list[Part]) -> tuple[list[Part], TextPart | None, dict[str, Any] | None]:
    """Take the log probabilities out of a text that is the only one; return the parts, the text and its tokens."""
    texts = [part for part in parts if isinstance(part, TextPart)]
    own = texts[0].native.get("responses", EMPTY) if len(texts) == 1 else EMPTY
    tokens = read_tokens(thaw(own.get("logprobs")))
    if tokens is None:
        return parts, None, None
    rest = {name: value for name, value in own.items() if name != "logprobs"}
    text = TextPart(texts[0].text, native_of("responses", rest) if rest else EMPTY)
    reader.ledger.same(text, texts[0])
    return [text if part is texts[0] else part for part in parts], text, tokens


def _place_logprobs(writer: Writer, choice: ResponseChoice, items: list[dict[str, Any]]) -> None:
    """Write the log probabilities of a reply into its text; without one text they have no place."""
    contents = [item["content"] for item in items if item.get("type") == "message"]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    texts = [part for part in parts if part.get("type") == "output_text"]
    if choice.logprobs is not None and len(texts) != 1:
        writer.ledger.lose(choice, "logprobs", "field-dropped", "they are those of one text")
    elif tokens := write_logprobs(writer, choice, whole=True):
        texts[0]["logprobs"] = tokens


def _said(reader: Reader, messages: list[Message], turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is said of each message of the output by its path in the body: other APIs report it so."""
    rows = [(reader.ledger.path(message)[2:], turn["native"]) for message, turn in zip(messages, turns, strict=True)]
    return {f"{at}.{name}": one for at, said in rows for name, one in said.items() if not name.startswith(NOTE)}


def read_end(body: dict[str, Any], parts: list[Part]) -> tuple[str | None, dict[str, Any]]:
    """Take status and its reason out of a body; return the neutral end and the note where another would be written."""
    stated = {name: body.pop(name) for name in ("status", "incomplete_details") if name in body}
    details = stated.get("incomplete_details")
    end: str | None = None
    if stated.get("status") in ("completed", None):
        end = "tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop"
    elif stated["status"] == "incomplete" and isinstance(details, Mapping):
        end = _INCOMPLETE.get(str(details.get("reason")))
    note: dict[str, Any] = {} if end or "status" not in stated else {END: {"is": stated["status"]}}
    if stated == _write_end(end):
        return end, {}
    if details and stated.get("status") != "incomplete":  # nothing was read of it
        note["incomplete_details"] = stated.pop("incomplete_details")
    return end, {_STATUS: stated, **note}


def _write_end(end: str | None) -> dict[str, Any]:
    if word := _WORDS.get(end or ""):
        return {"status": "incomplete", "incomplete_details": {"reason": word}}
    return {"status": "completed", "incomplete_details": None}


def _write_choices(writer: Writer, choices: tuple[ResponseChoice, ...]) -> dict[str, Any]:
    choice = only_choice(ANSWERS, writer, choices)
    parts = parts_of(ANSWERS, writer, choice)
    items = Written(writer).write(_messages(choice, parts))
    if "responses" not in choice.native:
        items = [item_with_needs(item, index) for index, item in enumerate(items)]
    _place_logprobs(writer, choice, items)
    own = choice.native.get("responses", EMPTY)
    noted = thaw(own.get(_STATUS, EMPTY))
    if _STATUS in own and _is_same(choice, noted, parts):
        beside = {name: thaw(value) for name, value in own.items() if name == "incomplete_details"}
        return {"output": items, **noted, **beside}
    stated = _write_end(choice.finish_reason)
    if not _is_same(choice, stated, parts):
        said = choice.finish_reason or has_own_end(choice, "responses")
        writer.ledger.lose(choice, "finish_reason", "substituted", f"Responses has no {said!r} here")
    return {"output": items, **stated}


def _is_same(choice: ResponseChoice, stated: dict[str, Any], parts: tuple[Part, ...]) -> bool:
    return read_end(dict(stated), list(parts))[0] == choice.finish_reason


def _messages(choice: ResponseChoice, parts: tuple[Part, ...]) -> list[Message]:
    """Return the messages that a choice was made of, one where it came from elsewhere or was changed."""
    turns = choice.message.native.get("responses", EMPTY).get(_TURNS)
    if turns is None or sum(turn["parts"] for turn in turns) != len(parts):
        is_said = any(not isinstance(part, ReasoningPart | ToolCall) for part in parts)
        return [Message.of("assistant", parts, is_list=is_said)] if parts else []
    found, start = [], 0
    for turn in turns:
        end = start + turn["parts"]
        native = native_of("responses", thaw(turn["native"])) if turn["native"] else EMPTY
        found.append(Message.of("assistant", parts[start:end], is_list=turn["list"], native=native))
        start = end
    return found


def item_with_needs(item: dict[str, Any], index: int) -> dict[str, Any]:
    """Return an item with what Responses always says of one."""
    prefix = {"message": "msg", "function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs"}
    made = {"id": f"{prefix.get(item['type'], 'item')}_{index}"}
    if item["type"] != "message":
        return {**made, **item, **({} if item["type"] == "custom_tool_call" else {"status": "completed"})}
    content = [{"annotations": [], **part} if part["type"] == "output_text" else part for part in item["content"]]
    return {**made, **item, "status": "completed", "content": content}


def _seconds(value: Any) -> int | None:
    return int(value) if value == int(value) else None


ANSWERS: Final = Answers(
    API,
    RESPONSES,
    _read_choices,
    _write_choices,
    head=(
        Field("id", "id", type=str),
        Field("model", "model", type=str),
        Field("created_at", "created", _seconds, type=(int, float)),
    ),
    fixed={"object": "response"},
    has_refusals=True,
    needs={
        "id": "resp_0", "model": "unknown", "created_at": 0, "error": None, "instructions": None, "metadata": None,
        "parallel_tool_calls": True, "temperature": None, "tool_choice": "auto", "tools": [], "top_p": None,
    },
    has_logprobs=True,
)  # fmt: skip


def read_response(body: Mapping[str, Any], ledger: Ledger | None = None) -> Response:
    """Read a whole answer. Raises FormatError with the path of what is malformed.

    >>> text = {"type": "output_text", "text": "Hi", "annotations": []}
    >>> read_response({"output": [{"type": "message", "role": "assistant", "content": [text]}]}).text
    'Hi'
    """
    return read_answer(ANSWERS, body, ledger)


def write_response(
    response: Response,
    request: Mapping[str, Any] | None = None,  # noqa: ARG001  # every writer takes the request that is answered
    ledger: Ledger | None = None,
) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write a whole answer; return it and what it cannot carry.

    >>> body, _ = write_response(Response((ResponseChoice(Message("assistant", "Hi"), "stop"),)))
    >>> body["output"][0]["content"][0]["text"], body["status"]
    ('Hi', 'completed')
    """
    ledger = Ledger() if ledger is None else ledger
    body = write_answer(ANSWERS, response, ledger)
    return body, tuple(ledger.losses)
