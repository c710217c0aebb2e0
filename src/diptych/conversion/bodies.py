"""Whole request bodies from any API to any other, by the tables of both (:mod:`diptych.apis.between`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, get_args

from ..apis.bedrock.media import as_json
from ..apis.between import converted
from ..apis.completions.continuation import Way
from ..apis.detection import fits
from ..errors import FormatError, malformed
from ..format import Conversion, Format
from ..policy import OnLoss, settle
from .registry import get

Binary = Literal["bytes", "base64"]
_BINARY: Final = get_args(Binary)


def convert_request(
    body: Mapping[str, Any],
    *,
    to: str,
    source: str = "auto",
    model: str | None = None,
    on_loss: OnLoss = "raise",
    format: str | None = None,
    continuation: Way | None = None,
    opt_in: Collection[str] = (),
    binary: Binary = "bytes",
) -> list[Conversion]:
    """Convert a request body to another API: one body, or one per prompt.

    ``to`` and ``source`` are completions, chat, responses, anthropic, gemini, bedrock or ollama;
    ``model`` is the model to ask instead. ``format`` is the text format of a prompt (read: ``auto``
    by default, written: ``chatml``); ``binary`` says how Bedrock's media are written: as bytes, which
    boto3 encodes, or as ``base64`` text for raw JSON. Between Chat and Completions ``continuation`` says how a prefill
    is continued, and ``opt_in`` may name ``suffix`` (it becomes an instruction) and ``best_of`` (that
    many choices are asked for, and ``convert_response`` ranks them). Raises LossError as ``on_loss``
    says, and always for what would change the task; FormatError for a value that is not a body.

    >>> convert_request({"model": "m", "prompt": "Hi", "max_tokens": 5}, to="anthropic")[0].output
    {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}], 'max_tokens': 5}
    """
    if not isinstance(body, Mapping):
        raise FormatError(f"a body is an object, not {type(body).__name__}", path="$")
    target, given = get(to, "api"), get(source, "api") if source != "auto" else None
    with malformed("the body"):
        found = converted(
            body, given or api_of(body), target, model=model, format=format, continuation=continuation, opt_in=opt_in
        )
    for one in found:
        settle(one.losses, on_loss)
    return [encoded(one, binary) for one in found]


def encoded(found: Conversion, binary: str) -> Conversion:
    """Return a conversion with its bytes as they are wanted. Raises FormatError for an unknown form."""
    if binary not in _BINARY:
        raise FormatError(f"unknown form of bytes {binary!r}", path="$.binary", hint="bytes or base64")
    return found if binary == "bytes" else replace(found, output=as_json(found.output))


def api_of(body: Mapping[str, Any]) -> Format:
    """Return the API of a body: the first of those that it fits. Raises FormatError where it fits none.

    >>> api_of({"contents": []}).name
    'gemini'
    """
    if "prompt" in body and not isinstance(body["prompt"], Mapping):
        if "messages" in body:
            raise FormatError("a body has messages or a prompt, not both", path="$")
        return get("completions", "api")
    found = fits(body) or (("chat",) if "messages" in body else ())
    if not found:
        raise FormatError("the API of the body is not recognised", path="$", hint="name it with source=")
    return get(found[0], "api")
