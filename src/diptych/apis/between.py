"""From one message API to another: a request is read by one's tables and written by the other's.

A body of the same API stays as it is, and what its server would refuse is reported. On the way to
another API calls get ids that it takes, and what its server would refuse is mended and reported; what
cannot be mended is refused with its path. The prompts of a Completions body are as many requests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any, Final

from ..catalogue import replacements
from ..errors import FormatError
from ..format import Conversion, Format
from ..loss import Loss, Verdict, verdict_of
from ..model import Conversation
from ..request import Request
from .api import Api, read_request, write_distinct
from .chat.request import held
from .completions import continuation
from .completions import request as prompts
from .completions.bias import rebias
from .completions.continuation import Way, going_on
from .echoes import missing_reasoning, own_reasoning
from .formats import body_of, report_beside, report_declared
from .ledger import Ledger, distinct
from .links import linked
from .names import named
from .origins import obeyed
from .profiles import fit
from .vendors import resigned, shared

#: The APIs whose bodies know each other's parameters.
PAIR: Final = ("chat", "completions")


def converted(
    body: Mapping[str, Any],
    source: Format,
    target: Format,
    *,
    model: str | None = None,
    format: str | None = None,
    continuation: Way | None = None,
    opt_in: Collection[str] = (),
) -> list[Conversion]:
    """Convert a body: to one, or to one per prompt. The caller settles the losses."""
    if "messages" in body and isinstance(body.get("prompt"), str | list):
        raise FormatError("a body has messages or a prompt, not both", path="$")
    if source.name != target.name and target.name == "completions":
        target = prompts.written_as(format or "chatml")
    if source.name == target.name or source.name != "completions":
        return [between(body, source, target, model=model)]
    source = prompts.read_as(format or "auto")
    split = prompts.split(body, opt_in)
    return [between(one, source, target, model=model, ledger=ledger, way=continuation) for one, ledger in split]


def between(
    value: Any,
    source: Format,
    target: Format,
    *,
    model: str | None = None,
    ledger: Ledger | None = None,
    way: Way | None = None,
) -> Conversion:
    """Convert a body, or a list of messages, of one API to another.

    What holds a conversation alone gives what the target has for that; a body gives a body. ``way`` says
    how Chat goes on with a reply that a prompt has begun.
    """
    if source.name == target.name:
        return _same(value, source, model)
    request, ledger = read(value, source, ledger)
    before = request.model
    request = _asked(request, model, source, target, ledger)
    request = resigned(source.name, target.name, shared(source.name, target.name, request, ledger), before, ledger)
    if source.api.leave is not None:
        request = source.api.leave(request, ledger)
    is_whole = isinstance(value, Mapping) and not source.wire.talk >= value.keys()
    continues = source.name == "completions"
    output = written(target.api, request, ledger, whole=is_whole, continues=continues, way=way, before=before)
    if not is_whole and target.api.holds == {target.wire.bare}:
        output = output[target.wire.bare]
    return _conversion(output, ledger, source)


def _conversion(output: Any, ledger: Ledger, source: Format) -> Conversion:
    """Return what was written with its losses, and with the doubts about a text that was read."""
    losses, reading = tuple(ledger.losses), ledger.reading
    if reading is None:
        return Conversion(output, verdict_of(losses), losses, source.name)
    verdict: Verdict = "ambiguous" if reading.verdict == "ambiguous" else verdict_of(losses)
    others = tuple(other.messages for other in reading.alternatives)
    return Conversion(output, verdict, losses, source.name, others, reading.detail)


def _asked(request: Request, model: str | None, source: Format, target: Format, ledger: Ledger) -> Request:
    """Return a request with the model that is asked, and the token ids that its encoding has."""
    before = request.model
    if model is None and before is not None and (source.name, target.name) == ("completions", "chat"):
        model, losses = replacements.chat_model(before, None)
        for loss in losses:
            ledger.report(*loss)
    elif model not in (None, before) and before is not None:
        ledger.report(f"$.{source.api.path_of('model')}", "renamed", f"{model}, as asked")
    if model in (None, before):
        return request
    bias = request.params.get("logit_bias")
    if bias and before is not None and target.name in PAIR and isinstance(bias, Mapping):
        losses = []
        request = request.replace(params={**request.params, "logit_bias": rebias(bias, before, model, losses)})
        for loss in losses:
            ledger.report(*loss)
    return request.replace(model=model)


def _same(value: Any, source: Format, model: str | None) -> Conversion:
    output, ledger = deepcopy(value), _ledger(value, source)
    body = body_of(source.api, value, source.wire.bare)
    is_whole = isinstance(value, Mapping) and not source.wire.talk >= value.keys()
    for loss in source.api.rules.breaches(body, whole=is_whole) if source.api.rules else ():
        ledger.report(*loss)
    if model is not None and isinstance(output, dict):
        output[source.api.path_of("model")] = model
    for path, said in missing_reasoning(source.name, output):
        ledger.report(path, "rule-breach", said)
    losses = tuple(ledger.losses)
    return Conversion(output, verdict_of(losses), losses, source.name)


def _ledger(value: Any, source: Format) -> Ledger:
    """Return the ledger of a value. The paths of a list have no field before them, save in Chat."""
    ledger = Ledger()
    if not isinstance(value, Mapping) and source.name != "chat":
        ledger.moved[f"$.{source.wire.bare}"] = "$"
    return ledger


def read(value: Any, source: Format, ledger: Ledger | None = None) -> tuple[Request, Ledger]:
    """Read a body, or the list that stands for one."""
    ledger = _ledger(value, source) if ledger is None else ledger
    request = read_request(source.api, body_of(source.api, value, source.wire.bare), ledger)
    ledger.of(request)
    return request, ledger


def written(
    api: Api,
    request: Request,
    ledger: Ledger,
    *,
    whole: bool = True,
    continues: bool = False,
    way: Way | None = None,
    before: str | None = None,
) -> dict[str, Any]:
    """Write a request of another API as a body that the server of this one takes; the ledger has the losses.

    ``continues`` says that a reply which was begun is gone on with in Chat, too, in one ``way`` or another;
    ``before`` is the model that the source named.
    """
    request = distinct(request)
    ledger.of(request)
    if not _is_talk(request):
        request = own_reasoning(api.name, request, before, ledger)
        request = named(api, linked(api, request, ledger), ledger)
    if api.mend is not None:
        request = api.mend(request, ledger)
    request = fit(api.name, request, ledger)
    if request.conversation.cue == "continue" and (api.cue is not None or api.name == "completions"):
        request = going_on(request, ledger)
    body = write_distinct(api, request, ledger, whole=whole)
    for path, said in missing_reasoning(api.name, body):
        ledger.report(ledger.origin(path, body) or _last_call(request, ledger), "model-refuses", said)
    is_open = request.conversation.cue == "continue"
    if is_open and whole and api.name == "responses":
        _begins_anew(request, "Responses", ledger)
    if not whole or api.name != "chat":
        return obeyed(api, body, request, ledger, whole=whole)
    if is_open and not continues:
        _begins_anew(request, "Chat", ledger)
    _refused(body, ledger)
    body = obeyed(api, body, request, ledger)
    return _continued(body, way, ledger) if is_open and continues else body


def _begins_anew(request: Request, name: str, ledger: Ledger) -> None:
    last = request.conversation.messages[-1]
    ledger.lose(last, kind="substituted", detail=f"{name} begins a new reply; the source goes on with this one")


def _last_call(request: Request, ledger: Ledger) -> str:
    """Return where the last message with calls stood."""
    messages = (message for message in reversed(request.conversation.messages) if message.tool_calls)
    return next((ledger.path(message) for message in messages), "$")


def _is_talk(request: Request) -> bool:
    """Tell whether there is nothing but texts, so that no call, tool or result has an id or a name."""
    if request.conversation.tools or "tool_choice" in request.params:
        return False
    messages = request.conversation.messages
    return not [message for message in messages if not message.is_plain or message.role == "tool"]


def _continued(body: dict[str, Any], way: Way | None, ledger: Ledger) -> dict[str, Any]:
    """Return a Chat body that goes on with its last message."""
    messages, flags, losses = continuation.plan(body["messages"], str(body.get("model", "")), way)
    for loss in losses:
        ledger.report(*loss)
    return {**body, "messages": messages, **flags}


def _refused(body: Mapping[str, Any], ledger: Ledger) -> None:
    """Report the parameters that the model of a body is known to refuse."""
    names = [name for name, value in body.items() if replacements.is_asked(name, value)]
    effort = body.get("reasoning_effort")
    for name, said in replacements.refusals(str(body.get("model")), names, reasoning_effort=effort).items():
        ledger.report(f"$.{ledger.param(name)}", "model-refuses", said)


def conversation_of(value: Any, source: Format) -> tuple[Conversation, Ledger]:
    """Read the conversation of a body for a text or a row; whatever else the body says is reported."""
    request, ledger = read(value, source)
    report_beside(request, ledger)
    return held(request, ledger).conversation, ledger


def write_conversation(conversation: Conversation, target: Format, *, is_body: bool) -> tuple[Any, tuple[Loss, ...]]:
    """Write a conversation that no message API is the source of."""
    ledger = Ledger()
    output = written(target.api, Request(conversation), ledger, whole=is_body)
    if is_body or target.api.holds != {target.wire.bare}:
        return output, tuple(ledger.losses)
    report_declared(conversation, ledger)
    return output[target.wire.bare], tuple(ledger.losses)
