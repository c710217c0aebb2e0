"""Ollama: whole answers of its own ``/api/chat``.

- ``message`` is read and written as in requests: a text, ``thinking``, calls whose arguments are objects
- ``done_reason`` stop → stop, or tool_calls where a function is called; length → length; others are Ollama's
- ``logprobs`` are the tokens of Chat's
- the tokens stand among the fields of the body; times are Ollama's alone
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from ...errors import FormatError
from ...loss import Loss
from ...model import EMPTY, Message, ToolCall
from ...response import Response, ResponseChoice, native_of
from ..answers import END, Answers, only_choice, parts_of, placed, read_answer, write_answer, write_logprobs
from ..api import Reader, Writer
from ..counts import OLLAMA
from ..fields import MISSING, Field
from ..ledger import Ledger
from ..logprobs import read_tokens
from ..order import Links
from .request import API, read_message, write_message

ENDS: Final = {"stop": "stop", "length": "length"}


def _read_choices(reader: Reader, body: dict[str, Any]) -> Iterable[ResponseChoice]:
    message = body.pop("message", None)
    if not isinstance(message, Mapping):
        raise FormatError("an answer holds a message", path="$.message")
    made = read_message(reader, message, "$.message", Links())
    end, note = read_end(body.pop("done_reason", MISSING), made)
    if tokens := read_tokens(body.get("logprobs")):
        del body["logprobs"]
    choice = ResponseChoice(made, end, logprobs=tokens, native=native_of("ollama", note))
    yield placed(reader, choice, "$", "done_reason", "message")


def read_end(word: Any, message: Message) -> tuple[str | None, dict[str, Any]]:
    """Return the neutral end of a reply: a call of a function is no end of its own."""
    end, note = ANSWERS.end_of(word)
    return ("tool_calls" if end == "stop" and message.tool_calls else end), note


def _write_choices(writer: Writer, choices: tuple[ResponseChoice, ...]) -> dict[str, Any]:
    choice = only_choice(ANSWERS, writer, choices)
    parts = parts_of(ANSWERS, writer, choice)
    native = native_of("ollama", choice.message.native.get("ollama", {}))
    role = choice.message.role if "ollama" in choice.native else "assistant"
    message = Message.of(role, parts, is_list=choice.message.is_list, native=native)
    calls = choice.finish_reason == "tool_calls" and any(isinstance(part, ToolCall) for part in parts)
    plain = calls and END not in choice.native.get("ollama", EMPTY)
    end = ANSWERS.write_end(writer, replace(choice, finish_reason="stop") if plain else choice, "done_reason")
    wire = write_message(writer, message, Links())
    tokens = {"logprobs": found} if (found := write_logprobs(writer, choice)) else {}
    return {"message": wire, **tokens, **{name: word for name, word in end.items() if word is not None or not plain}}


def _seconds(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int(found.timestamp()) if found.tzinfo is not None else None


@lru_cache(maxsize=64)
def written_time(seconds: int) -> str:
    """Return a time as Ollama writes it.

    >>> written_time(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ANSWERS: Final = Answers(
    API,
    OLLAMA,
    _read_choices,
    _write_choices,
    head=(Field("model", "model", type=str), Field("created_at", "created", _seconds, written_time, type=str)),
    fixed={"done": True},
    needs={"model": "unknown", "created_at": written_time(0)},
    ends=ENDS,
    usage_at="",
    has_logprobs=True,
    has_media=True,
)


def read_response(body: Mapping[str, Any], ledger: Ledger | None = None) -> Response:
    """Read a whole answer. Raises FormatError with the path of what is malformed.

    >>> read_response({"model": "m", "message": {"role": "assistant", "content": "Hi"}, "done": True}).text
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
    >>> body["message"], body["done_reason"]
    ({'role': 'assistant', 'content': 'Hi'}, 'stop')
    """
    ledger = Ledger() if ledger is None else ledger
    body = write_answer(ANSWERS, response, ledger)
    return body, tuple(ledger.losses)
