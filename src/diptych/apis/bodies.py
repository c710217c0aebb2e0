"""Bodies to send, checked before they leave.

Rule: only what was given stands in a body, as it was given. A parameter that the API
does not know is an error that names the closest one; ``extra_body`` is the door for
what only one server knows, and is merged last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import FormatError
from ..jsonpath import first_problem
from ..suggest import suggest
from .schemas import ChatRequest, CompletionsRequest

#: Parameters of one API that go by another name, or not at all, in the other.
_ELSEWHERE = {
    "max_completion_tokens": "Completions calls it max_tokens",
    "top_logprobs": "Completions takes logprobs=<number>",
    "messages": "Completions takes a prompt",
    "prompt": "Chat takes messages",
    "echo": "only Completions can echo its prompt",
    "suffix": "only Completions can insert before a suffix",
    "best_of": "only Completions has best_of",
    "response_format": "only Chat has response_format; some servers take it in extra_body",
    "tools": "only Chat has tools",
}


def chat_body(messages: list[dict[str, Any]], *, model: str | None, **params: Any) -> dict[str, Any]:
    """Return the body of a Chat call.

    Raises FormatError with the path of a parameter that is unknown or out of range.
    """
    return _body(ChatRequest, {"model": model, "messages": messages}, params)


def completions_body(prompt: str | list[Any], *, model: str | None, **params: Any) -> dict[str, Any]:
    """Return the body of a Completions call; see :func:`chat_body`."""
    return _body(CompletionsRequest, {"model": model, "prompt": prompt}, params)


def check_body(body: Mapping[str, Any]) -> None:
    """Check a whole body of either API; ``messages`` or ``prompt`` says which. Raises FormatError as above."""
    _check(ChatRequest if "messages" in body else CompletionsRequest, dict(body))


def _body(schema: type[BaseModel], start: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    extra = params.pop("extra_body", None)
    if start["model"] is None:
        raise FormatError("a request needs a model", path="$.model", hint="pass model=…, or set it in the template")
    body = {**start, **params}
    _check(schema, body)
    if extra is not None and not isinstance(extra, Mapping):
        raise FormatError("extra_body is a mapping", path="$.extra_body")
    return {**body, **(extra or {})}


def _check(schema: type[BaseModel], body: dict[str, Any]) -> None:
    for name in body:
        if name not in schema.model_fields:
            raise FormatError(f"there is no parameter {name!r}", path=f"$.{name}", hint=_hint(schema, name))
    try:
        schema.model_validate(body)
    except ValidationError as error:
        path, message = first_problem(error, body)
        name = next(iter(re.findall(r"\w+", path)), "the body")
        raise FormatError(message.replace("Input", name, 1), path=path) from None


def _hint(schema: type[BaseModel], name: str) -> str:
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    return suggest(name, schema.model_fields, "give what only your server knows in extra_body={…}")
