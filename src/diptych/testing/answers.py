"""What the test server answers: a pure function from a request body to a reply.

Rule: the same body gives the same bytes. The text is the last message or the prompt
again, cut at ``stop`` and at the output cap, counted as the model's tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .. import tokens
from ..errors import DiptychError

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
    _check(api, body)
    choices, used = [], 0
    for index, prompt in enumerate(_prompts(api, body)):
        text = answer(body) if answer else _text(prompt, body)
        calls = _tool_calls(body) if api == "chat" and answer is None else None
        ids = tokens.encode_text(text, encoding_name=_ENCODING)
        kept, reason = _capped(ids, _cap(api, body))
        used += len(kept)
        text = text if reason == "stop" else tokens.encoding(_ENCODING).decode(kept)
        choices.append(_choice(api, index, (prompt if body.get("echo") else "") + text, reason, calls))
    return {
        "id": f"{'chatcmpl' if api == 'chat' else 'cmpl'}-{_digest(body)[:24]}",
        "object": "chat.completion" if api == "chat" else "text_completion",
        "created": CREATED,
        "model": body.get("model"),
        "system_fingerprint": FINGERPRINT,
        "choices": choices,
        "usage": _usage(body, used),
    }


def events(api: str, body: Mapping[str, Any], answer: Answer | None = None) -> Iterator[bytes]:
    """Yield the events of the same answer as a stream, ``[DONE]`` the last. Raises BadRequestError."""
    reply = whole(api, body, answer)
    usage, choices = reply.pop("usage"), reply.pop("choices")
    if api == "chat":
        reply["object"] = "chat.completion.chunk"
    for choice in choices:
        for part in _parts(api, choice):
            yield _event({**reply, "choices": [{"index": choice["index"], **part}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _event({**reply, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _event(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _parts(api: str, choice: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    message = choice.get("message")
    text = choice.get("text") if message is None else message["content"] or ""
    if message is not None:
        yield {"delta": {"role": "assistant", "content": ""}, "finish_reason": None}
        for index, call in enumerate(message.get("tool_calls") or ()):
            yield {"delta": {"tool_calls": [{"index": index, **call}]}, "finish_reason": None}
    encoding = tokens.encoding(_ENCODING)
    pieces = encoding.decode_tokens_bytes(tokens.encode_text(text or "", encoding_name=_ENCODING)) if text else []
    waiting = b""
    for piece in pieces:
        waiting += piece
        try:
            shown, waiting = waiting.decode(), b""
        except UnicodeDecodeError:
            continue  # half a character: it goes out with its other half
        yield (
            {"delta": {"content": shown}, "finish_reason": None}
            if api == "chat"
            else {
                "text": shown,
                "finish_reason": None,
            }
        )
    end = {"finish_reason": choice["finish_reason"]}
    yield {"delta": {}, **end} if api == "chat" else {"text": "", **end}


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


def _choice(api: str, index: int, text: str, reason: str, calls: list[Any] | None) -> dict[str, Any]:
    if api != "chat":
        return {"index": index, "text": text, "finish_reason": reason, "logprobs": None}
    message: dict[str, Any] = {"role": "assistant", "content": None if calls else text}
    if calls:
        message["tool_calls"] = calls
    return {"index": index, "message": message, "finish_reason": "tool_calls" if calls else reason, "logprobs": None}


def _tool_calls(body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return one call of the function that the body forces, None where it forces none."""
    choice, offered = body.get("tool_choice"), body.get("tools") or []
    if not offered or choice in (None, "auto", "none"):
        return None
    functions = [tool.get("function") or {} for tool in offered]
    name = (choice.get("function") or {}).get("name") if isinstance(choice, Mapping) else functions[0].get("name")
    schema = next((f.get("parameters") or {} for f in functions if f.get("name") == name), {})
    arguments = json.dumps(example(schema))
    return [{"id": "call_0", "type": "function", "function": {"name": name, "arguments": arguments}}]


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


def _usage(body: Mapping[str, Any], completion: int) -> dict[str, int]:
    try:
        prompt = tokens.count(body, "gpt-4o").tokens or 0
    except DiptychError:
        prompt = 0
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
