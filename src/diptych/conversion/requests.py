"""Bodies to send: whatever can be sent becomes the body of one API.

Rule: one builder. ``Rendered.request``, ``count``, ``estimate``, ``fit``, the client and the
command line get their bodies here, so that what is counted is what is sent, and what an API
cannot carry is reported by the caller's policy instead of left out.

Which API: without ``api=`` the model's row in the catalogue decides where it lists only one of
Chat and Completions; else the shape that was given. The row rules on the vendor's own server
alone: elsewhere a name can stand for any model, and the shape that was given is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypedDict, cast, get_args

from ..apis.between import converted
from ..apis.bodies import chat_body, check_body, completions_body
from ..apis.chat import request as chat
from ..apis.chat.messages import write
from ..apis.chat.request import with_declared
from ..apis.completions import request as completions
from ..apis.completions.continuation import plan
from ..apis.detection import fits
from ..apis.echoes import renamed_reasoning
from ..apis.fields import joined
from ..apis.schemas import ChatRequest
from ..catalogue import DEFAULT_MODEL, apis_of, refused_parameters
from ..errors import FormatError
from ..loss import Loss
from ..policy import OnLoss, settle
from ..request import Api, Request
from ..text.writing import write_text

#: The APIs whose bodies can be built.
APIS: Final[tuple[Api, ...]] = get_args(Api)

#: The APIs between which a model's row in the catalogue decides.
_SERVED: Final[tuple[Api, ...]] = ("chat", "completions")
#: What a conversation declares beside its messages, and that it declares none.
_DECLARED: Final[dict[str, Any]] = {"tools": (), "response_format": None}


class _Way(TypedDict):
    """How :func:`choose_api` decides."""

    api: str | None
    own_server: bool
    must_serve: bool
    apis: tuple[Api, ...]


class Built(NamedTuple):
    """A body for one API, what it could not carry, and why this API was used."""

    api: Api
    body: dict[str, Any]
    losses: tuple[Loss, ...] = ()
    reason: str = ""


def choose_api(
    shape: Api,
    model: str | None,
    *,
    api: str | None = None,
    own_server: bool = True,
    must_serve: bool = True,
    apis: tuple[Api, ...] = ("chat", "completions"),
) -> tuple[Api, str]:
    """Return the API that a call uses, and why.

    ``shape`` is the API that the value was written for; ``own_server`` says whether the call
    goes to the vendor's own server. Raises FormatError for an API whose bodies cannot be built,
    and, where it ``must_serve``, for a model that serves neither Chat nor Completions.

    >>> choose_api("completions", "gpt-4o")
    ('chat', 'gpt-4o is served by Chat, not by Completions')
    >>> choose_api("completions", "my-model")
    ('completions', 'the shape that was given')
    """
    if api is not None:
        if api not in apis:
            names = " or ".join(f"api={name!r}" for name in apis)
            raise FormatError(f"unknown API {api!r}", hint=f"use {names}")
        return api, "asked for"
    if shape not in _SERVED:
        return shape, "the shape that was given"
    served = apis_of(model) if own_server and model else None
    if served is None or shape in served or (not must_serve and not {"chat", "completions"} & set(served)):
        return shape, "the shape that was given"
    other: Api = "chat" if shape == "completions" else "completions"
    if other in served:
        return other, f"{model} is served by {other.capitalize()}, not by {shape.capitalize()}"
    raise FormatError(
        f"{model} is served by {', '.join(served) or 'no API'}, not by Chat or Completions",
        path="$.model",
        hint="name another model, or api= where your server offers it",
    )


def build(
    x: Any,
    *,
    model: str | None = None,
    api: str | None = None,
    on_loss: OnLoss = "raise",
    own_server: bool = True,
    checks: bool = True,
    **params: Any,
) -> Built:
    """Return the body that sends ``x``: a rendered template, messages, a prompt, or a whole body.

    ``model`` wins over the value's own; a rendered template without any gets the catalogue's
    default model. ``params`` are parameters of the request by the API's names; None leaves one
    out. ``on_loss`` decides about what the API cannot carry. ``checks=False`` builds a body that
    is counted and not sent. A ``response_format`` may be a type that pydantic knows. Raises LossError as it says,
    FormatError for a parameter that the API does not know and for any other value.

    >>> build("Hello", model="my-model").body
    {'model': 'my-model', 'prompt': 'Hello'}
    >>> build("Hello", model="gpt-4o").body
    {'model': 'gpt-4o', 'messages': [{'role': 'user', 'content': 'Hello'}]}
    """
    if not isinstance(x, Mapping) and (given := {"messages", "prompt"} & params.keys()):
        name = min(given)
        raise FormatError(f"{name} is no parameter: it is what is sent", path=f"$.{name}", hint="pass it first, alone")
    if isinstance(params.get("response_format"), type):
        from ..apis.strict import response_format_of

        params["response_format"] = response_format_of(params["response_format"])
    way: _Way = {"api": api, "own_server": own_server, "must_serve": checks, "apis": APIS}
    if isinstance(x, Mapping):
        built = _of_body(x, model, way, params)
    elif isinstance(x, Request):
        built = _of_request(x, model, way, params)
    elif isinstance(x, list) and x and isinstance(x[0], Mapping):
        built = _of_messages(x, model, way, params)
    elif isinstance(x, str | list):
        built = _of_prompt(x, model, way, params)
    else:
        kind = type(x).__name__
        raise FormatError(f"a {kind} cannot be sent", hint="send a rendered template, messages, a string or a body")
    if built.api == "chat":
        body, renamed = renamed_reasoning(built.body)
        built = built._replace(body=body, losses=(*built.losses, *renamed))
    settle(built.losses, on_loss)
    if built.api != "chat" or not own_server:
        return built
    if checks:
        _check_json_mode(built.body)
    return _capped(built)


def _check_json_mode(body: Mapping[str, Any]) -> None:
    """Raise FormatError for JSON mode without its word (OpenAI's API reference, response_format, 2026-11)."""
    wanted = body.get("response_format")
    is_json = isinstance(wanted, Mapping) and wanted.get("type") == "json_object"
    if is_json and "json" not in str(body["messages"]).lower():
        raise FormatError(
            "JSON mode needs the word JSON in a message; OpenAI refuses the request otherwise",
            path="$.messages",
            hint="say in a message that the reply is JSON",
        )


def _capped(built: Built) -> Built:
    """Return the body with the output cap under the name that its model takes."""
    body = built.body
    if "max_tokens" not in body or "max_completion_tokens" in body:
        return built
    if "max_tokens" not in refused_parameters(str(body.get("model"))):
        return built
    body = {("max_completion_tokens" if name == "max_tokens" else name): value for name, value in body.items()}
    loss = Loss("$.max_tokens", "renamed", "max_completion_tokens")
    return built._replace(body=body, losses=(*built.losses, loss))


# what x is -------------------------------------------------------------------------------------


def _of_prompt(x: str | list[Any], model: str | None, way: _Way, params: dict[str, Any]) -> Built:
    chosen, reason = choose_api("completions", model, **way)
    if chosen == "completions":
        return Built(chosen, completions_body(x, model=model, **params), (), reason)
    if not isinstance(x, str):
        raise FormatError(
            "a list of prompts, or token ids, cannot be one Chat request",
            hint="send one text, or convert a whole body with diptych.convert_request(body, to='chat')",
        )
    return _of_chat(chosen, [{"role": "user", "content": x}], model, params, reason)


def _of_messages(
    x: list[dict[str, Any]], model: str | None, way: _Way, params: dict[str, Any]
) -> Built:
    chosen, reason = choose_api("chat", model, **way)
    return _of_chat(chosen, x, model, params, reason)


def _of_chat(
    api: Api, messages: list[dict[str, Any]], model: str | None, params: dict[str, Any], reason: str
) -> Built:
    """Return the body of messages. What another API calls by a name that Chat does not have is added as it is."""
    if api in _SERVED:
        body = chat_body(messages, model=model, **params)
        return Built(api, body, (), reason) if api == "chat" else _converted(body, "chat", api, reason)
    extra = params.pop("extra_body", None) or {}
    own = {name: params.pop(name) for name in [*params] if name not in ChatRequest.model_fields}
    built = _converted(chat_body(messages, model=model, **params), "chat", api, reason)
    return built._replace(body=joined({**own, **extra}, built.body))


def _of_body(x: Mapping[str, Any], model: str | None, way: _Way, params: dict[str, Any]) -> Built:
    if "messages" not in x and "prompt" not in x and not fits(x):
        raise FormatError("a body has messages or a prompt", path="$")
    shape = _shape(x, way["api"])
    extra = params.pop("extra_body", None) or {}
    at = "modelId" if shape == "bedrock" else "model"
    body = {**x, **extra, **params, **({} if model is None else {at: model})}
    named = body.get(at)
    chosen, reason = choose_api(shape, named if isinstance(named, str) else None, **way)
    return Built(chosen, body, (), reason) if chosen == shape else _converted(body, shape, chosen, reason)


def _shape(body: Mapping[str, Any], wanted: str | None) -> Api:
    """Return the API that a body is written for.

    Messages are those of Chat, whose servers have parameters of their own, unless another API is asked for.
    """
    if "messages" in body and ("prompt" in body or wanted in (None, *_SERVED)):
        return "chat"
    if "prompt" not in body and wanted in fits(body):
        return cast("Api", wanted)
    from .bodies import api_of  # it knows every format, which messages do not need

    return cast("Api", api_of(body).name)


def _converted(body: dict[str, Any], shape: Api, api: Api, reason: str) -> Built:
    """Return a body of another API. A prompt becomes one user message; messages are written as ChatML."""
    from .registry import get

    written_as = "plain" if shape == "completions" else None
    model = body.get("model") if {shape, api} <= {*_SERVED} else None
    found = converted(body, get(shape, "api"), get(api, "api"), model=model, format=written_as)
    if len(found) != 1:
        raise FormatError(
            f"{len(found)} prompts become as many Chat requests",
            path="$.prompt",
            hint="convert them with diptych.convert_request(body, to='chat') and send each",
        )
    return Built(api, found[0].output, found[0].losses, reason)


def _of_request(x: Request, model: str | None, way: _Way, params: dict[str, Any]) -> Built:
    name = model or x.model or DEFAULT_MODEL
    merged = {key: value for key, value in {**x.params, **params}.items() if value is not None}
    wants_chat = x.is_chat or bool(merged.get("response_format"))
    chosen, reason = choose_api("chat" if wants_chat else "completions", name, **way)
    unwanted = {name: empty for name, empty in _DECLARED.items() if params.get(name, ...) is None}
    body = with_declared(replace(x.conversation, **unwanted) if unwanted else x.conversation, merged)
    if chosen != "completions":
        messages = x.wire_messages()
        messages = write(x.conversation) if messages is None else messages
        if x.conversation.cue == "continue" and messages and chosen == "chat":
            messages, flags, lost = plan(messages, name, None)
            body["extra_body"] = {**flags, **(body.get("extra_body") or {})}
            return Built(chosen, chat_body(messages, model=name, **body), tuple(lost), reason)
        return _of_chat(chosen, messages, name, body, reason)
    extra = body.pop("extra_body", None) or {}
    writing = x.write_prompt() or write_text(x.conversation, "chatml")
    found, losses = completions.write_request(chat.read_request({"model": name, "messages": [], **body}), writing)
    if not x.is_chat:
        # It was written for Completions, whose default cap that is.
        losses = tuple(loss for loss in losses if loss.kind != "defaulted")
    check_body(found)
    return Built(chosen, {**found, **extra}, losses, reason)
