"""Gemini: whole answers of ``generateContent``.

- every candidate is a choice; its ``content.parts`` are parts by the table of requests; grounding, citations,
  safety ratings and thought signatures are kept for Gemini
- ``finishReason``: STOP → stop, or tool_calls where a function is called; MAX_TOKENS → length; SAFETY,
  RECITATION, BLOCKLIST, PROHIBITED_CONTENT, SPII, LANGUAGE and IMAGE_SAFETY → content_filter; others are Gemini's
- ``logprobsResult``: its tokens are those of the reply; their ids are Gemini's
- ``usageMetadata``: thoughts stand beside the candidates' tokens, and are part of the completion
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from ...errors import FormatError
from ...loss import Loss
from ...model import EMPTY, Message, ToolCall, thaw
from ...response import Response, ResponseChoice, native_of
from ..answers import END, Answers, natives_beside, parts_of, placed, read_answer, write_answer, write_logprobs
from ..api import Reader, Writer
from ..counts import GEMINI
from ..fields import MISSING, NOTE, Field
from ..ledger import Ledger
from .fold import fold, unfold
from .logprobs import AT, read_logprobs, restored
from .logprobs import write_logprobs as gemini_tokens
from .request import API
from .spelling import path_speller, plain, spelt

#: google-genai 3.6, ``types.FinishReason``.
ENDS: Final = {
    "STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter", "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter",
    "LANGUAGE": "content_filter", "IMAGE_SAFETY": "content_filter",
}  # fmt: skip
_CONTENT: Final = f"{NOTE}content"
_INDEX: Final = f"{NOTE}index"


def _read_choices(reader: Reader, body: dict[str, Any]) -> Iterable[ResponseChoice]:
    candidates = body.pop("candidates", None)
    if candidates is None:
        return
    if not isinstance(candidates, list):
        raise FormatError("candidates are a list", path="$.candidates")
    for number, candidate in enumerate(candidates):
        path = f"$.candidates[{number}]"
        if not isinstance(candidate, Mapping):
            raise FormatError("a candidate is an object", path=path)
        yield _read_candidate(reader, candidate, number, path)


def _read_candidate(reader: Reader, candidate: Mapping[str, Any], number: int, path: str) -> ResponseChoice:
    rest = dict(candidate)
    content = rest.pop("content", None)
    own: dict[str, Any] = {}
    parts = []
    if isinstance(content, Mapping) and isinstance(content.get("parts"), list):
        laid = unfold({"contents": [{"role": "model", "parts": content["parts"]}]})["contents"][0]["parts"]
        parts = [reader.part(part, f"{path}.content.parts[{index}]") for index, part in enumerate(laid)]
        own = {name: value for name, value in content.items() if name != "parts"}
        if own.get("role") == "model":
            del own["role"]
        elif "role" not in own:
            own[_CONTENT] = {"role": "absent"}
    else:
        own[_CONTENT] = {"is": content, "absent": "content" not in candidate}
    index = rest.pop("index", None)
    if index != number:
        rest[_INDEX] = {"is": index}
    end, note = _read_end(rest.pop("finishReason", MISSING), parts)
    tokens, ids = read_logprobs(rest.get(AT)) or (None, {})
    if tokens is not None:
        rest = {name: value for name, value in rest.items() if name != AT} | ids
    message = Message.of("assistant", parts, is_list=len(parts) != 1, native=native_of("gemini", own))
    at = index if type(index) is int else number
    found = ResponseChoice(message, end, at, tokens, native_of("gemini", rest | note))
    return placed(reader, found, path, "finishReason", "content", AT)


def _read_end(word: Any, parts: Iterable[Any]) -> tuple[str | None, dict[str, Any]]:
    end, note = ANSWERS.end_of(word)
    return ("tool_calls" if end == "stop" and any(isinstance(part, ToolCall) for part in parts) else end), note


def _write_choices(writer: Writer, choices: tuple[ResponseChoice, ...]) -> dict[str, Any]:
    if not choices:
        return {}
    return {"candidates": [_write_candidate(writer, choice) for choice in choices]}


def _write_candidate(writer: Writer, choice: ResponseChoice) -> dict[str, Any]:
    found = [part for one in parts_of(ANSWERS, writer, choice) if (part := writer.part(one)) is not None]
    parts = fold({"contents": [{"role": "model", "parts": found}]})["contents"][0]["parts"]
    own = choice.message.native.get("gemini", EMPTY)
    how = thaw(own.get(_CONTENT, EMPTY))
    content: Any = {"parts": parts} if how.get("role") == "absent" else {"parts": parts, "role": "model"}
    content |= {name: thaw(value) for name, value in own.items() if not name.startswith(NOTE)}
    wire: dict[str, Any] = {"content": content}
    if "is" in how and not parts:
        wire = {} if how["absent"] else {"content": how["is"]}
    wire |= _write_end(writer, choice)
    index = thaw(choice.native.get("gemini", EMPTY).get(_INDEX, EMPTY)).get("is", choice.index)
    wire |= {} if index is None else {"index": index}
    if stated := _written_logprobs(writer, choice):
        wire[AT] = stated
    whole = natives_beside(ANSWERS, choice.native, wire)
    return {name: value for name, value in whole.items() if not name.startswith(f"{AT}.")}


def _written_logprobs(writer: Writer, choice: ResponseChoice) -> dict[str, Any]:
    """Return the log probabilities of a reply with the ids of its tokens, nothing where they are not known."""
    tokens = write_logprobs(writer, choice, bytes_too=False)
    own = choice.native.get("gemini", EMPTY)
    kept = {name: value for name, value in own.items() if name == AT or name.startswith(f"{AT}.")}
    return restored(gemini_tokens(tokens), kept) if tokens else {}


def _write_end(writer: Writer, choice: ResponseChoice) -> dict[str, Any]:
    """Return the field that ends a candidate: a call of a function is no end of its own."""
    calls = choice.finish_reason == "tool_calls" and END not in choice.native.get("gemini", EMPTY)
    found = ANSWERS.write_end(writer, replace(choice, finish_reason="stop") if calls else choice, "finishReason")
    return {name: word for name, word in found.items() if word is not None}


ANSWERS: Final = Answers(
    API,
    GEMINI,
    _read_choices,
    _write_choices,
    head=(Field("responseId", "id", type=str), Field("modelVersion", "model", type=str)),
    ends=ENDS,
    usage_at="usageMetadata",
    has_logprobs=True,
    has_media=True,
)


def read_response(body: Mapping[str, Any], ledger: Ledger | None = None) -> Response:
    """Read a whole answer, in camel or snake case. Raises FormatError with the path of what is malformed.

    >>> read_response({"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}).text
    'Hi'
    """
    if not isinstance(body, Mapping):
        raise FormatError(f"a response is an object, not {type(body).__name__}", path="$")
    ledger = Ledger() if ledger is None else ledger
    written = plain(body)
    ledger.spell = path_speller(written)
    return read_answer(ANSWERS, written, ledger)


def write_response(
    response: Response,
    request: Mapping[str, Any] | None = None,  # noqa: ARG001  # every writer takes the request that is answered
    ledger: Ledger | None = None,
) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write a whole answer; return it and what it cannot carry.

    >>> body, _ = write_response(Response((ResponseChoice(Message("assistant", "Hi"), "stop"),)))
    >>> body["candidates"][0]["content"]["parts"]
    [{'text': 'Hi'}]
    """
    ledger = Ledger() if ledger is None else ledger
    body = spelt(write_answer(ANSWERS, response, ledger))
    return body, tuple(ledger.losses)
