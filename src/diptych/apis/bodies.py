"""Bodies to send, checked before they leave.

Rule: only what was given stands in a body, as it was given. A parameter that the API
does not know is an error that names the closest one; ``extra_body`` is the door for
what only one server knows, and is merged last.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import FormatError
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
    """Check a whole body of either API; the API is told by ``messages`` or ``prompt``."""
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
        first = error.errors(include_url=False, include_input=False)[0]
        path = "$" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in _steps(first["loc"]))
        raise FormatError(first["msg"].replace("Input", str(first["loc"][0]), 1), path=path) from None


def _steps(loc: tuple[Any, ...]) -> list[Any]:
    """Leave out the branches that pydantic names within a union."""
    return [s for i, s in enumerate(loc) if isinstance(s, int) or i == 0 or not _is_branch(s)]


def _is_branch(step: str) -> bool:
    return step in ("str", "int", "float", "bool") or "[" in step


def _hint(schema: type[BaseModel], name: str) -> str:
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    close = difflib.get_close_matches(name, schema.model_fields, 1, 0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return "give what only your server knows in extra_body={…}"
