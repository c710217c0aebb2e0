"""Anthropic Messages: whole answers of ``/v1/messages``.

- ``content`` blocks are the parts of one message, by the table of requests; server tools and their
  results, citations and signatures are kept for Anthropic
- ``stop_reason``: end_turn, stop_sequence → stop; max_tokens, model_context_window_exceeded → length;
  tool_use → tool_calls; refusal → content_filter; pause_turn is Anthropic's alone
- ``usage``: what was read from a cache and written to one stands beside the input, and is part of the prompt
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...errors import FormatError
from ...loss import Loss
from ...model import Message
from ...response import Response, ResponseChoice, native_of
from ..answers import Answers, only_choice, parts_of, placed, read_answer, write_answer
from ..api import Reader, Writer
from ..counts import ANTHROPIC
from ..fields import MISSING, Field
from ..ledger import Ledger
from .request import API

#: anthropic 2.14, ``types.StopReason``.
ENDS: Final = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "model_context_window_exceeded": "length",
}


def _read_choices(reader: Reader, body: dict[str, Any]) -> Iterable[ResponseChoice]:
    blocks = body.pop("content", None)
    if not isinstance(blocks, list):
        raise FormatError("the content of an answer is a list of blocks", path="$.content")
    parts = [reader.part(block, f"$.content[{index}]") for index, block in enumerate(blocks)]
    end, note = ANSWERS.end_of(body.pop("stop_reason", MISSING))
    message = Message.of("assistant", parts, is_list=True, native=native_of("anthropic", {}))
    yield placed(reader, ResponseChoice(message, end, native=native_of("anthropic", note)), "$", "stop_reason")


def _write_choices(writer: Writer, choices: tuple[ResponseChoice, ...]) -> dict[str, Any]:
    choice = only_choice(ANSWERS, writer, choices)
    blocks = [block for part in parts_of(ANSWERS, writer, choice) if (block := writer.part(part)) is not None]
    return {"content": blocks, **ANSWERS.write_end(writer, choice, "stop_reason")}


ANSWERS: Final = Answers(
    API,
    ANTHROPIC,
    _read_choices,
    _write_choices,
    head=(Field("id", "id", type=str), Field("model", "model", type=str)),
    fixed={"type": "message", "role": "assistant", "stop_sequence": None},
    needs={"id": "msg_0", "model": "unknown", "usage": {"input_tokens": 0, "output_tokens": 0}},
    ends=ENDS,
)


def read_response(body: Mapping[str, Any], ledger: Ledger | None = None) -> Response:
    """Read a whole answer. Raises FormatError with the path of what is malformed.

    >>> read_response({"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}).text
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
    >>> body["content"], body["stop_reason"]
    ([{'type': 'text', 'text': 'Hi'}], 'end_turn')
    """
    ledger = Ledger() if ledger is None else ledger
    body = write_answer(ANSWERS, response, ledger)
    return body, tuple(ledger.losses)
