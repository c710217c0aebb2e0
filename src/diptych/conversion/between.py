"""From one message API to another: a request is read by one's tables and written by the other's.

A body of the same API stays as it is, and what its server would refuse is reported. On the way to
another API calls get ids that it takes, and what its server would refuse is mended and reported; what
cannot be mended is refused with its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ..apis.api import Api, read_request, write_request
from ..apis.chat.request import held
from ..apis.formats import body_of, report_beside, report_declared
from ..apis.ledger import Ledger, distinct
from ..apis.links import linked
from ..apis.names import named
from ..apis.origins import obeyed
from ..catalogue import replacements
from ..format import Conversion, Format
from ..loss import Loss, verdict_of
from ..model import Conversation
from ..request import Request


def between(value: Any, source: Format, target: Format, *, model: str | None = None) -> Conversion:
    """Convert a body, or a list of messages, of one API to another.

    What holds a conversation alone gives what the target has for that; a body gives a body.
    """
    if source.name == target.name:
        return _same(value, source, model)
    request, ledger = read(value, source)
    if model is not None and model != request.model:
        if request.model is not None:
            ledger.report(f"$.{source.api.path_of('model')}", "renamed", f"{model}, as asked")
        request = request.replace(model=model)
    is_whole = isinstance(value, Mapping) and not source.wire.talk >= value.keys()
    output = written(target.api, request, ledger, whole=is_whole)
    if not is_whole and target.api.holds == {target.wire.bare}:
        output = output[target.wire.bare]
    return Conversion(output, verdict_of(ledger.losses), tuple(ledger.losses), source.name)


def _same(value: Any, source: Format, model: str | None) -> Conversion:
    output, ledger = deepcopy(value), _ledger(value, source)
    body = body_of(source.api, value, source.wire.bare)
    is_whole = isinstance(value, Mapping) and not source.wire.talk >= value.keys()
    for loss in source.api.rules.breaches(body, whole=is_whole) if source.api.rules else ():
        ledger.report(*loss)
    losses = tuple(ledger.losses)
    if model is not None and isinstance(output, dict):
        output[source.api.path_of("model")] = model
    return Conversion(output, verdict_of(losses), losses, source.name)


def _ledger(value: Any, source: Format) -> Ledger:
    """Return the ledger of a value. The paths of a list have no field before them, save in Chat."""
    ledger = Ledger()
    if not isinstance(value, Mapping) and source.name != "chat":
        ledger.moved[f"$.{source.wire.bare}"] = "$"
    return ledger


def read(value: Any, source: Format) -> tuple[Request, Ledger]:
    """Read a body, or the list that stands for one."""
    ledger = _ledger(value, source)
    request = read_request(source.api, body_of(source.api, value, source.wire.bare), ledger)
    ledger.of(request)
    return request, ledger


def written(api: Api, request: Request, ledger: Ledger, *, whole: bool = True) -> dict[str, Any]:
    """Write a request of another API as a body that the server of this one takes; the ledger has the losses."""
    request = distinct(request)
    ledger.of(request)
    request = named(api, linked(api, request, ledger), ledger)
    if api.mend is not None:
        request = api.mend(request, ledger)
    body = write_request(api, request, ledger, whole=whole)
    if whole and api.name == "chat":
        _open_end(request, ledger)
        _refused(body, ledger)
    return obeyed(api, body, request, ledger, whole=whole)


def _open_end(request: Request, ledger: Ledger) -> None:
    if request.conversation.cue == "continue":
        last = request.conversation.messages[-1]
        ledger.lose(last, kind="substituted", detail="Chat begins a new reply; the source goes on with this one")


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
