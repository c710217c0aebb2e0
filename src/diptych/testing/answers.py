"""What the test server answers: a pure function from a request body to a reply.

Rule: the same body gives the same bytes. The text is the last message or the prompt
again, cut at ``stop`` and at the output cap, counted as the model's tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from .. import tokens
from ..apis.chat import response as chat
from ..apis.chat import stream as chat_stream
from ..apis.completions import response as completions
from ..apis.completions import stream as completions_stream
from ..apis.framing import FRAMINGS
from ..catalogue import DEFAULT_MODEL
from ..errors import DiptychError
from ..model import Message, TextPart, ToolCall
from ..response import HEAD, Event, Response, ResponseChoice, Usage, native_of

CREATED: Final = 1_700_000_000
FINGERPRINT: Final = "fp_diptych_test"
_ENCODING: Final = "o200k_base"
#: The cap of the Completions API where none is given.
_DEFAULT_CAP: Final = 16
Answer = Callable[[Mapping[str, Any]], str]


class BadRequestError(Exception):
    """A body that the real API would refuse too: the message, and the parameter."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


def whole(api: str, body: Mapping[str, Any], answer: Answer | None = None) -> dict[str, Any]:
    """Return the whole answer to a body. Raises BadRequestError."""
    write = chat.write_response if api == "chat" else completions.write_response
    return write(response(api, body, answer))[0]


def events(api: str, body: Mapping[str, Any], answer: Answer | None = None) -> Iterator[bytes]:
    """Yield the events of the same answer as a stream, ``[DONE]`` the last. Raises BadRequestError."""
    writer = chat_stream.StreamWriter() if api == "chat" else completions_stream.StreamWriter()
    found = response(api, body, answer)
    if not (body.get("stream_options") or {}).get("include_usage"):
        found = replace(found, usage=None)
    for step in steps(api, found):
        for chunk in writer.feed(step):
            yield FRAMINGS[api].frame(chunk)
    yield FRAMINGS[api].end


def response(api: str, body: Mapping[str, Any], answer: Answer | None = None) -> Response:
    """Return the answer to a body as a neutral value. Raises BadRequestError."""
    _check(api, body)
    choices, used = [], 0
    for index, prompt in enumerate(_prompts(api, body)):
        text = answer(body) if answer else _text(prompt, body)
        calls = _tool_calls(body) if api == "chat" and answer is None else ()
        ids = tokens.encode_text(text, encoding_name=_ENCODING)
        kept, reason = _capped(ids, _cap(api, body))
        used += len(kept)
        text = text if reason == "stop" else tokens.encoding(_ENCODING).decode(kept)
        parts = calls or (TextPart((prompt if body.get("echo") else "") + text),)
        message = Message.of("assistant", parts, native=native_of(api, {}))
        native = native_of(api, {"logprobs": None})
        choices.append(ResponseChoice(message, "tool_calls" if calls else reason, index, native=native))
    id_ = f"{'chatcmpl' if api == 'chat' else 'cmpl'}-{_digest(body)[:24]}"
    head = {"model": body["model"], "id": id_, "created": CREATED, "system_fingerprint": FINGERPRINT}
    return Response(tuple(choices), _usage(body, used), **head, native=native_of(api, {}))


def steps(api: str | None, whole: Response) -> Iterator[Event]:
    """Yield a response as events: a text in the tokens of the model."""
    yield Event("head", name=api, value={name: getattr(whole, name) for name in HEAD})
    for choice in whole.choices:
        index, message = choice.index, choice.message
        yield Event("start", index, message.role)
        for number, call in enumerate(message.tool_calls):
            yield Event("call", index, call.arguments, number, call.id, call.name, {"type": call.type})
        for piece in _pieces(message.text):
            yield Event("text", index, piece)
        yield Event("finish", index, choice.finish_reason or "")
    if whole.usage is not None:
        yield Event("usage", value=whole.usage)


def _pieces(text: str) -> Iterator[str]:
    """Yield a text token by token; half a character goes out with its other half."""
    waiting = b""
    ids = tokens.encode_text(text, encoding_name=_ENCODING) if text else []
    for piece in tokens.encoding(_ENCODING).decode_tokens_bytes(ids):
        waiting += piece
        try:
            shown, waiting = waiting.decode(), b""
        except UnicodeDecodeError:
            continue
        yield shown


# the parts of an answer ---------------------------------------------------------------


def _check(api: str, body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("model"), str):
        raise BadRequestError("you must provide a model parameter", "model")
    name = "messages" if api == "chat" else "prompt"
    if name not in body:
        raise BadRequestError(f"Missing required parameter: '{name}'.", name)
    if api == "chat":
        messages = body["messages"]
        if not isinstance(messages, list) or not messages or not all(isinstance(m, Mapping) for m in messages):
            raise BadRequestError("'messages' must be a list of messages.", "messages")
        for index, message in enumerate(messages):
            if message.get("role") not in ("system", "developer", "user", "assistant", "tool", "function"):
                raise BadRequestError(f"Invalid value: {message.get('role')!r}.", f"messages[{index}].role")


def _prompts(api: str, body: Mapping[str, Any]) -> list[str]:
    n = body.get("n") or 1
    if api == "chat":
        return [_last_text(body["messages"])] * n
    prompt = body["prompt"]
    if isinstance(prompt, str):
        return [prompt] * n
    encoding = tokens.encoding(_ENCODING)
    if all(isinstance(token, int) for token in prompt):
        return [encoding.decode(list(prompt))] * n
    return [p if isinstance(p, str) else encoding.decode(list(p)) for p in prompt for _ in range(n)]


def _last_text(messages: list[Mapping[str, Any]]) -> str:
    content = messages[-1].get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, Mapping))


def _text(prompt: str, body: Mapping[str, Any]) -> str:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        return json.dumps({"echo": prompt}, ensure_ascii=False)
    if wanted.get("type") == "json_schema":
        return json.dumps(example((wanted.get("json_schema") or {}).get("schema") or {}), ensure_ascii=False)
    stops = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        prompt = prompt.split(stop, 1)[0]
    return prompt


def _cap(api: str, body: Mapping[str, Any]) -> int | None:
    cap = body.get("max_completion_tokens") or body.get("max_tokens")
    return cap if isinstance(cap, int) else (None if api == "chat" else _DEFAULT_CAP)


def _capped(ids: list[int], cap: int | None) -> tuple[list[int], str]:
    return (ids, "stop") if cap is None or len(ids) <= cap else (ids[:cap], "length")


def _tool_calls(body: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """Return one call of the function that the body forces, none where it forces none."""
    choice, offered = body.get("tool_choice"), body.get("tools") or []
    if not offered or choice in (None, "auto", "none"):
        return ()
    functions = [tool.get("function") or {} for tool in offered]
    name = (choice.get("function") or {}).get("name") if isinstance(choice, Mapping) else functions[0].get("name")
    schema = next((f.get("parameters") or {} for f in functions if f.get("name") == name), {})
    return (ToolCall("call_0", str(name), json.dumps(example(schema))),)


def example(schema: Mapping[str, Any]) -> Any:
    """Return a value that fits a simple JSON Schema.

    >>> example({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}})
    {'name': 'text', 'age': 0}
    """
    return _example(schema, schema.get("$defs") or {}, 0)


def _example(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> Any:
    if "$ref" in schema and depth < 16:
        return _example(definitions.get(str(schema["$ref"]).rpartition("/")[2]) or {}, definitions, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return _example(options[0], definitions, depth + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        return {name: _example(sub, definitions, depth + 1) for name, sub in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [_example(schema.get("items") or {}, definitions, depth + 1) for _ in range(schema.get("minItems", 0))]
    least = schema.get("minimum", 0)
    return {"string": "text", "integer": least, "number": least, "boolean": True, "null": None}.get(str(kind), "text")


def _usage(body: Mapping[str, Any], completion: int) -> Usage:
    try:
        known = tokens.model_info(str(body.get("model"))).encoding is not None
        prompt = tokens.count(body, None if known else DEFAULT_MODEL).tokens or 0
    except DiptychError:
        prompt = 0
    return Usage(prompt, completion)


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
