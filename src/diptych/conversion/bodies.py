"""Whole request bodies from any API to any other.

Completions holds a text in place of messages: its prompts are read by the text formats, one request
each, and messages are written as a prompt. All other APIs go by their tables (:mod:`.between`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, get_args

from ..apis.api import ELSEWHERE
from ..apis.bedrock.media import as_json
from ..apis.chat.request import held
from ..apis.completions import convert_request as pair
from ..apis.completions.continuation import Way
from ..apis.completions.request import PromptRequest, read_requests, write_request
from ..apis.detection import fits
from ..apis.ledger import Ledger, parts
from ..errors import FormatError
from ..format import Conversion, Format
from ..loss import Loss, verdict_of
from ..policy import OnLoss, settle
from ..request import Request
from .between import between, read, written
from .registry import get

Binary = Literal["bytes", "base64"]
#: The APIs whose bodies hold the same parameters: each converts into the other by a table of its own.
PAIR: Final = ("chat", "completions")
#: What Completions calls the neutral parameters that it has by another name.
_PROMPT_NAMES: Final = {"max_completion_tokens": "max_tokens", "top_logprobs": "logprobs"}


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
    options = {"format": format, "continuation": continuation, "opt_in": opt_in}
    found = converted(body, given or api_of(body), target, model=model, **options)
    for one in found:
        settle(one.losses, on_loss)
    return [encoded(one, binary) for one in found]


def encoded(found: Conversion, binary: str) -> Conversion:
    """Return a conversion with its bytes as they are wanted. Raises FormatError for an unknown form."""
    if binary not in get_args(Binary):
        raise FormatError(f"unknown form of bytes {binary!r}", path="$.binary", hint="bytes or base64")
    return found if binary == "bytes" else replace(found, output=as_json(found.output))


def converted(
    body: Mapping[str, Any], source: Format, target: Format, *, model: str | None = None, **options: Any
) -> list[Conversion]:
    """Convert a body; the caller settles the losses."""
    if {source.name, target.name} <= {*PAIR} and (source is not target or source.api is None):
        made = pair.convert_request(body, to=target.name, on_loss="ignore", model=model, **options)  # type: ignore[arg-type]
        return [replace(one, format=source.name) for one in made]
    if source.name == "completions":
        requests = read_requests(body, format=options.get("format") or "auto", opt_in=options.get("opt_in", ()))
        paths = [f"$.prompt[{index}]" if len(requests) > 1 else "$.prompt" for index in range(len(requests))]
        return [_from_prompt(one, path, target, model) for one, path in zip(requests, paths, strict=True)]
    if target.name == "completions":
        return [_to_prompt(body, source, options.get("format") or "chatml", model)]
    return [between(body, source, target, model=model)]


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


def _from_prompt(read_: PromptRequest, path: str, target: Format, model: str | None) -> Conversion:
    ledger = Ledger()
    ledger.losses += read_.losses
    ledger.param = lambda name: _PROMPT_NAMES.get(name, name)
    for message in read_.request.conversation.messages:
        ledger.at(message, path)
        for part, _ in parts(message, path):
            ledger.at(part, path)
    request = read_.request if model is None else read_.request.replace(model=model)
    output = written(target.api, request, ledger)
    reading = read_.reading
    verdict = "ambiguous" if reading.verdict == "ambiguous" else verdict_of(ledger.losses)
    others = tuple(other.messages for other in reading.alternatives)
    return Conversion(output, verdict, tuple(ledger.losses), "completions", others, reading.detail)


def _to_prompt(body: Mapping[str, Any], source: Format, format: str, model: str | None) -> Conversion:
    request, ledger = read(body, source)
    for fields in request.native.values():
        ledger.lose_body(fields)
    for name in ELSEWHERE & request.params.keys():
        ledger.report(f"$.{ledger.param(name)}", "parameter-dropped")
    plain = held(request.replace(model=model or request.model, native=type(request.native)()), ledger)
    output, losses = write_request(plain, format=format)
    for loss in ledger.moved_to(plain.conversation, losses):
        ledger.report(*_named(loss, request, ledger))
    return Conversion(output, verdict_of(ledger.losses), tuple(ledger.losses), source.name)


def _named(loss: Loss, request: Request, ledger: Ledger) -> Loss:
    """Return a loss of a parameter with the source's name of it, where the source has it."""
    name = loss.path.removeprefix("$.")
    is_said = name in request.params or f"{name.removesuffix('tokens')}completion_tokens" in request.params
    return loss._replace(path=f"$.{ledger.param(name)}") if is_said else loss
