"""A request of a client becomes the requests to the upstream, before anything is sent.

Rule: no I/O. What cannot be carried is known here, so that a refusal costs nothing. A body that the upstream
speaks itself goes through as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..apis.between import converted
from ..apis.completions.request import insertion
from ..apis.completions.tables import ALONE
from ..client.requests import Ask
from ..conversion.registry import get
from ..errors import DiptychError, FormatError
from ..format import Conversion
from ..loss import Loss
from ..request import Api
from .faces import Face
from .policy import Signal, asked, settled, stateful, unknown_fields
from .prefill import begun_reply
from .refusals import refuse
from .settings import Settings
from .templates import with_template

#: APIs whose streams leave the tokens out unless they are asked for.
_ASKED_USAGE: Final = frozenset({"chat", "completions"})
#: APIs that have their model, or whether they stream, in the path.
_BY_PATH: Final = frozenset({"gemini", "bedrock"})
#: Parameters that say what the bridge does with the answers, not what the upstream does.
_OF_ANSWER: Final = frozenset({"stream", "stream_options"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent for one request: a body, or one per prompt.

    ``body`` is the request as the client means it, ``requests`` the part of it that each ask answers.
    """

    face: Face
    body: Mapping[str, Any]
    asks: tuple[Ask, ...]
    requests: tuple[Mapping[str, Any], ...]
    signal: Signal
    model: str | None
    same: bool

    @property
    def streams(self) -> bool:
        """Whether the client wants a stream."""
        return bool(self.body.get("stream"))

    @property
    def wants_usage(self) -> bool:
        """Whether the tokens belong into the stream; Responses and Messages always have them."""
        options = self.body.get("stream_options")
        said = isinstance(options, Mapping) and bool(options.get("include_usage"))
        return said or self.face.api not in _ASKED_USAGE

    def begun(self, number: int) -> str:
        """Return the reply that the request of an ask has begun, which a Chat server may say again."""
        return begun_reply(self.asks[number].body) if self.asks[number].api == "chat" and not self.same else ""

    @property
    def per_prompt(self) -> int:
        """How many choices each prompt of a list has."""
        n = self.body.get("n")
        return n if type(n) is int and n > 0 else 1


def make_plan(face: Face, body: Any, settings: Settings) -> Plan:
    """Return what is sent for a body. Raises RefusedError, LossError, FormatError."""
    if not isinstance(body, Mapping):
        raise refuse(400, "the body is not a JSON object", again=False)
    body = with_template(body, face.api, settings)
    model = _model(body, settings)
    if settings.unknown == "refuse" and (names := unknown_fields(body, face.api)):
        raise refuse(400, f"unknown parameter: {names[0]!r}", param=names[0], code="unknown_parameter", again=False)
    upstream = settings.upstream_api
    if face.api == upstream:
        ask = _ask(upstream, {**body, **({} if model is None else {"model": model})}, bool(body.get("stream")))
        return Plan(face, body, (ask,), (body,), Signal(), model, True)
    plain = asked(body)
    beyond = _beyond(plain, settings.opt_in) if face.api == "completions" else stateful(plain, face.api)
    settled(beyond, strict=settings.strict)
    found = _conversions(face.api, plain, settings, model)
    losses = [loss for one in found for loss in one.losses if not _is_answered(loss, body, model)]
    signal = settled(losses, strict=settings.strict)
    asks = tuple(_ask(upstream, one.output, bool(body.get("stream"))) for one in found)
    return Plan(face, body, asks, _requests(plain, len(asks)), signal, model, False)


def _model(body: Mapping[str, Any], settings: Settings) -> str | None:
    given = body.get("model")
    if given is not None and not isinstance(given, str):
        raise refuse(400, "the model is a text", param="model", again=False)
    model = settings.model_for(given)
    if not model:
        raise refuse(400, "you must provide a model parameter", param="model", again=False)
    return model


def _conversions(api: Api, body: Mapping[str, Any], settings: Settings, model: str | None) -> list[Conversion]:
    sent = {name: value for name, value in body.items() if name not in _OF_ANSWER}
    target = get(settings.upstream_api, "api")
    # A prompt is read in one format, and written in another.
    way = settings.format if api == "completions" else settings.render_format
    try:
        return converted(sent, get(api, "api"), target, model=model, format=way, opt_in=settings.opt_in)
    except FormatError:
        raise
    except (DiptychError, TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        # A reader that trips over a malformed body has met a mistake of the client.
        raise refuse(400, f"the body cannot be read: {error}", again=False) from None


def _is_answered(loss: Loss, body: Mapping[str, Any], model: str | None) -> bool:
    """Return whether a loss is none here: the model was mapped as asked, or the bridge mends it in the answer."""
    if loss.path == "$.model":
        return model != body.get("model")
    return loss.path == "$.prompt" and loss.kind == "split" and isinstance(body.get("prompt"), list)


def _beyond(body: Mapping[str, Any], opt_in: Collection[str]) -> list[Loss]:
    """Return why ``suffix`` and ``best_of`` are refused, which no chat has, unless they were opted into."""
    if beyond := insertion(body, opt_in):
        return beyond
    if body.get("best_of") in (None, 1, body.get("n") or 1):
        return []
    if "best_of" not in opt_in:
        return [Loss("$.best_of", "unsupported", ALONE["best_of"][1])]
    if body.get("stream"):
        return [Loss("$.best_of", "unsupported", "choices are ranked when all are there: not in a stream")]
    return []


def _ask(api: Api, body: Mapping[str, Any], streams: bool) -> Ask:
    sent = dict(body)
    if api not in _BY_PATH and (streams or "stream" in sent or api == "ollama"):
        sent["stream"] = streams
    if streams and api in _ASKED_USAGE:
        options = sent.get("stream_options")
        sent["stream_options"] = {**(options if isinstance(options, Mapping) else {}), "include_usage": True}
    return Ask(api, sent, streams=streams)


def _requests(body: Mapping[str, Any], count: int) -> tuple[Mapping[str, Any], ...]:
    """Return the part of a request that each ask answers: one prompt of a list."""
    prompt = body.get("prompt")
    if count == 1 or not isinstance(prompt, list):
        return (body,)
    return tuple({**body, "prompt": one} for one in prompt)
