"""What the test server answers to Chat and Completions: a pure function from a request body to a reply.

Rule: the same body gives the same bytes. The text is the last message or the prompt again, cut at
``stop`` and at the output cap and counted as the model's tokens; a body that forces a function gets its
call, one that wants JSON a value that fits. Log probabilities are made from each token, not random.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from .. import tokens
from ..apis.chat import response as chat
from ..apis.chat import stream as chat_stream
from ..apis.checks import texts_of
from ..apis.completions import response as completions
from ..apis.completions import stream as completions_stream
from ..apis.framing import FRAMINGS
from ..catalogue import DEFAULT_MODEL
from ..errors import DiptychError
from ..model import Message, ReasoningPart, RefusalPart, TextPart, ToolCall
from ..projection import is_old
from ..response import HEAD, Event, Response, ResponseChoice, Usage, native_of
from . import calls
from .examples import example, schema_in
from .likelihoods import stated, steps_of
from .nested import check_nested
from .refusals import BadRequestError, check

CREATED: Final = 1_700_000_000
FINGERPRINT: Final = "fp_diptych_test"
ENCODING: Final = "o200k_base"
#: The cap of the Completions API where none is given.
_DEFAULT_CAP: Final = 16
#: Makes an answer from a body: its text, or a whole message in the shape of Chat.
Answer = Callable[[Mapping[str, Any]], str | Mapping[str, Any]]


class Rules(NamedTuple):
    """How a server answers: who makes the texts, and whether it refuses what the real one does."""

    answer: Answer | None = None
    strict: bool = False


PLAIN: Final = Rules()


def whole(api: str, body: Mapping[str, Any], rules: Rules = PLAIN) -> dict[str, Any]:
    """Return the whole answer to a body. Raises BadRequestError."""
    write = chat.write_response if api == "chat" else completions.write_response
    return write(response(api, body, rules))[0]


def events(api: str, body: Mapping[str, Any], rules: Rules = PLAIN) -> Iterator[bytes]:
    """Yield the events of the same answer as a stream, ``[DONE]`` the last. Raises BadRequestError."""
    writer = chat_stream.StreamWriter() if api == "chat" else completions_stream.StreamWriter()
    found = response(api, body, rules)
    if not (body.get("stream_options") or {}).get("include_usage"):
        found = replace(found, usage=None)
    for step in steps(api, found):
        for chunk in writer.feed(step):
            yield FRAMINGS[api].frame(chunk)
    yield FRAMINGS[api].end


def response(api: str, body: Mapping[str, Any], rules: Rules = PLAIN) -> Response:
    """Return the answer to a body as a neutral value. Raises BadRequestError."""
    if rules.strict and api == "chat":
        check(api, body, strict=False)
        check_nested(body)
    check(api, body, strict=rules.strict)
    choices, used = [], 0
    for index, prompt in enumerate(_prompts(api, body)):
        choice, count = _choice(api, body, prompt, rules.answer)
        choices.append(replace(choice, index=index))
        used += count
    id_ = f"{'chatcmpl' if api == 'chat' else 'cmpl'}-{_digest(body)[:24]}"
    head = {"model": body["model"], "id": id_, "created": CREATED, "system_fingerprint": FINGERPRINT}
    return Response(tuple(choices), usage_of(body, used), **head, native=native_of(api, {}))


def _choice(api: str, body: Mapping[str, Any], prompt: str, answer: Answer | None) -> tuple[ResponseChoice, int]:
    """Return one choice, and how many tokens were made for it."""
    said = answer(body) if answer else calls.forced(body) if api == "chat" else None
    message = chat.read_message(said) if isinstance(said, Mapping) else None
    text = message.text if message else said if isinstance(said, str) else _text(prompt, body)
    ids, reason = _capped(_ids(_until_stop(text, body)), _cap(api, body))
    rest = [part for part in message.parts if not isinstance(part, TextPart)] if message and api == "chat" else []
    called = [part for part in rest if isinstance(part, ToolCall)]
    if called and reason == "stop":
        reason = "function_call" if any(map(is_old, called)) else "tool_calls"
    used = len(ids) + sum(len(_ids(call.arguments)) for call in called)
    before = prompt if body.get("echo") and api == "completions" else ""
    kept = before + tokens.encoding(ENCODING).decode_bytes(ids).decode("utf-8", "ignore")
    logprobs = None if rest else stated(api, body, [*_ids(before), *ids], is_echoed=bool(before))
    parts = [*(part for part in rest if part not in called), *([TextPart(kept)] if kept or not rest else ()), *called]
    made = Message.of("assistant", parts, native=native_of(api, {"refusal": None} if api == "chat" else {}))
    native = native_of(api, {} if logprobs else {"logprobs": None})
    return ResponseChoice(made, reason, 0, logprobs, native), used


def _ids(text: str) -> list[int]:
    return tokens.encode_text(text, encoding_name=ENCODING) if text else []


def steps(api: str | None, whole: Response) -> Iterator[Event]:
    """Yield a response as events: texts and the arguments of calls in the tokens of the model."""
    yield Event("head", name=api, value={name: getattr(whole, name) for name in HEAD})
    for choice in whole.choices:
        index, message = choice.index, choice.message
        yield Event("start", index, message.role)
        for part in message.parts:
            if isinstance(part, ReasoningPart | RefusalPart):
                yield Event("reasoning" if isinstance(part, ReasoningPart) else "refusal", index, part.text)
        for piece, logprobs in steps_of(message.text, choice.logprobs):
            yield Event("text", index, piece, value=logprobs)
        for number, call in enumerate(message.tool_calls):
            yield from calls.steps(call, index, number)
        yield Event("finish", index, choice.finish_reason or "")
    if whole.usage is not None:
        yield Event("usage", value=whole.usage)


# the parts of an answer ---------------------------------------------------------------


def _prompts(api: str, body: Mapping[str, Any]) -> list[str]:
    n = body.get("n") or 1
    if api == "chat":
        return [_last_text(body["messages"])] * n
    prompt = body["prompt"] or ""
    if isinstance(prompt, str) or isinstance(prompt[0], int):
        prompt = [prompt]
    return [text for one in prompt for text in [_decoded(one)] * n]


def _decoded(prompt: Any) -> str:
    if isinstance(prompt, str):
        return prompt
    try:
        return tokens.encoding(ENCODING).decode(prompt)
    except (KeyError, OverflowError):
        raise BadRequestError("Invalid value for 'prompt': unknown token id.", "prompt", "invalid_value") from None


def _last_text(messages: list[Mapping[str, Any]]) -> str:
    content = messages[-1].get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part.get("type") == "text")


def _text(prompt: str, body: Mapping[str, Any]) -> str:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        shown = schema_in(texts_of([message.get("content") for message in body.get("messages") or ()]))
        return json.dumps({"echo": prompt} if shown is None else example(shown), ensure_ascii=False)
    if wanted.get("type") == "json_schema":
        declared = wanted.get("json_schema")
        schema = declared.get("schema") if isinstance(declared, Mapping) else None
        return json.dumps(example(schema), ensure_ascii=False)
    return prompt


def _until_stop(text: str, body: Mapping[str, Any]) -> str:
    """Return a text up to the first stop; what comes after the answer (``suffix``) ends it, too."""
    stops = body.get("stop") or []
    stops = [stops] if isinstance(stops, str) else stops
    for stop in [*stops, body.get("suffix")]:
        text = text.split(stop, 1)[0] if stop else text
    return text


def _cap(api: str, body: Mapping[str, Any]) -> int | None:
    caps = [body[name] for name in ("max_completion_tokens", "max_tokens") if isinstance(body.get(name), int)]
    return caps[0] if caps else (None if api == "chat" else _DEFAULT_CAP)


def _capped(ids: list[int], cap: int | None) -> tuple[list[int], str]:
    return (ids, "stop") if cap is None or len(ids) <= cap else (ids[: max(cap, 0)], "length")


def usage_of(body: Mapping[str, Any], completion: int) -> Usage:
    """Return the usage of an answer of so many tokens: those of the prompt are counted."""
    try:
        known = tokens.model_info(str(body.get("model"))).encoding is not None
        prompt = tokens.count(body, None if known else DEFAULT_MODEL).tokens or 0
    except DiptychError:
        prompt = 0
    return Usage(prompt, completion)


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
