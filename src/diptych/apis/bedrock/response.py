"""Bedrock Converse: whole answers of a Converse call.

- ``output.message.content`` blocks are the parts of one message, by the table of requests; a text with
  citations is a text; guards, redacted reasoning and other blocks are kept for Bedrock
- ``stopReason``: end_turn, stop_sequence → stop; max_tokens, model_context_window_exceeded → length;
  tool_use → tool_calls; content_filtered, guardrail_intervened → content_filter; malformed output is Bedrock's alone
- ``usage``: what was read from a cache and written to one stands beside the input, and is part of the prompt
- an answer has neither an id nor a model; metrics, traces and tiers are kept for Bedrock
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...errors import FormatError
from ...loss import Loss
from ...model import EMPTY, Message, thaw
from ...response import Response, ResponseChoice, native_of
from ..answers import Answers, only_choice, parts_of, placed, read_answer, write_answer
from ..api import Reader, Writer
from ..counts import BEDROCK
from ..fields import MISSING, joined
from ..ledger import Ledger
from .request import API

#: botocore 1.44, ``StopReason`` of bedrock-runtime.
ENDS: Final = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "stop_sequence": "stop",
    "model_context_window_exceeded": "length",
}
_PATH: Final = "$.output.message.content"


def _read_choices(reader: Reader, body: dict[str, Any]) -> Iterable[ResponseChoice]:
    output = body.pop("output", None)
    said = output.get("message") if isinstance(output, Mapping) else None
    if not isinstance(output, Mapping) or not isinstance(said, Mapping):
        raise FormatError("the output of an answer holds a message", path="$.output.message")
    blocks = said.get("content")
    if not isinstance(blocks, list):
        raise FormatError("the content of an answer is a list of blocks", path=_PATH)
    parts = [reader.part(block, f"{_PATH}[{index}]") for index, block in enumerate(blocks)]
    rest = {name: value for name, value in said.items() if name not in ("role", "content")}
    around: dict[str, Any] = {name: value for name, value in output.items() if name != "message"}
    around |= {"message": rest} if rest else {}
    end, note = ANSWERS.end_of(body.pop("stopReason", MISSING))
    message = Message.of(str(said.get("role") or "assistant"), parts, is_list=True, native=native_of("bedrock", {}))
    native = native_of("bedrock", {**note, **({"output": around} if around else {})})
    yield placed(reader, ResponseChoice(message, end, native=native), "$", "stopReason", "output.message")


def _write_choices(writer: Writer, choices: tuple[ResponseChoice, ...]) -> dict[str, Any]:
    choice = only_choice(ANSWERS, writer, choices)
    blocks = [block for part in parts_of(ANSWERS, writer, choice) if (block := writer.part(part)) is not None]
    role = choice.message.role if "bedrock" in choice.native else "assistant"
    output = {"message": {"role": role, "content": blocks}}
    own = thaw(choice.native.get("bedrock", EMPTY)).get("output", {})
    return {"output": joined(output, own), **ANSWERS.write_end(writer, choice, "stopReason")}


ANSWERS: Final = Answers(
    API,
    BEDROCK,
    _read_choices,
    _write_choices,
    needs={"usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, "metrics": {"latencyMs": 0}},
    ends=ENDS,
    has_media=True,
)


def read_response(body: Mapping[str, Any], ledger: Ledger | None = None) -> Response:
    """Read a whole answer. Raises FormatError with the path of what is malformed.

    >>> read_response({"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}}).text
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
    >>> body["output"]["message"]["content"], body["stopReason"]
    ([{'text': 'Hi'}], 'end_turn')
    """
    ledger = Ledger() if ledger is None else ledger
    body = write_answer(ANSWERS, response, ledger)
    return body, tuple(ledger.losses)
