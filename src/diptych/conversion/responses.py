"""Whole answers of every message API in, of any other out.

Rule: read → write through :class:`~diptych.response.Response`; the modules ``response`` of the API
packages are the registry. The same API in and out is the identity; whatever another API cannot say is
a loss with the path of the source.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

from ..apis.answers import as_chat, is_foreign, mark, modern
from ..apis.completions import response as completions
from ..apis.counts import CHAT, Counts
from ..apis.failures import convert_failure, failed_answer, failure_api
from ..apis.heads import OBJECTS
from ..apis.ledger import Ledger
from ..apis.marks import api_of_answer
from ..errors import FormatError, malformed
from ..format import Conversion
from ..loss import Loss, verdict_of
from ..policy import OnLoss, settle
from ..response import Response
from ..suggest import suggest

_APIS: Final = "diptych.apis"


@lru_cache(maxsize=1)
def answering() -> dict[str, ModuleType]:
    """Return the module of every API that reads and writes its answers, by the API's name.

    >>> sorted(answering())[:3]
    ['anthropic', 'bedrock', 'chat']
    """
    names = sorted(info.name for info in pkgutil.iter_modules(import_module(_APIS).__path__) if info.ispkg)
    return {name: import_module(path) for name in names if find_spec(path := f"{_APIS}.{name}.response")}


def answers_of(api: str) -> ModuleType:
    """Return the module that reads and writes the answers of an API. Raises FormatError for an unknown one."""
    if found := answering().get(api):
        return found
    raise FormatError(f"there is no API {api!r}", hint=suggest(api, answering()))


def convert_response(
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    to: str,
    source: str = "auto",
    request: Mapping[str, Any] | None = None,
    on_loss: OnLoss = "raise",
) -> Conversion:
    """Convert the answer of a message API, whole, to that of another.

    ``to`` and ``source`` are names of APIs: ``chat``, ``completions``, ``responses``, ``anthropic``,
    ``gemini``, ``bedrock``, ``ollama``. ``request`` is the request of the target API that is being
    answered (the one that was converted): the ``echo`` and ``n`` of Completions count. ``body`` may be
    the list of replies to the requests that one Completions request became. The body of a failed call
    becomes the one that the target API would send. Raises LossError for what the target cannot say,
    FormatError for what is not an answer.

    >>> reply = {"object": "chat.completion", "choices": [
    ...     {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
    >>> convert_response(reply, to="completions").output["choices"][0]["text"]
    'Hi'
    >>> convert_response(reply, to="gemini").output["candidates"][0]["content"]["parts"]
    [{'text': 'Hi'}]
    """
    writer = answers_of(to)
    if not isinstance(body, Mapping | list | tuple):
        raise FormatError(f"a response is an object, not {type(body).__name__}", path="$")
    bodies = [body] if isinstance(body, Mapping) else list(body)
    if not bodies or not all(isinstance(one, Mapping) for one in bodies):
        raise FormatError("a response is an object", path="$")
    with malformed("the response"):
        found = _failed(bodies, to, source) or _answered(bodies, to, writer, source, request)
    settle(found.losses, on_loss)
    return found


def _answered(
    bodies: list[Mapping[str, Any]], to: str, writer: ModuleType, source: str, request: Mapping[str, Any] | None
) -> Conversion:
    names = [source if source != "auto" else api_of(one, to) for one in bodies]
    # Servers mix up a message and a text: a list is of Chat where one of its answers is.
    name = "chat" if "chat" in names else names[0]
    ledger = Ledger()
    read = [_read(name, one, ledger) for one in bodies]
    output, losses = _written(to, writer, [_fitted(to, name, one, ledger) for one in read], request, ledger)
    return Conversion(output, verdict_of(losses), losses, name if source == "auto" and is_foreign([name, to]) else to)


def _failed(bodies: list[Mapping[str, Any]], to: str, source: str) -> Conversion | None:
    """Return the converted body of a failed call, None where the bodies are answers."""
    body = bodies[0]
    said = failed_answer(body) if to != "responses" else None
    error, beside = said or (body, ())
    name = "responses" if said else failure_api(body, source)
    if name is None or len(bodies) > 1:
        return None
    output, losses = convert_failure(error, source=name, to=to)
    found = (*beside, *losses)
    return Conversion(output, verdict_of(found), found, name)


def _read(name: str, body: Mapping[str, Any], ledger: Ledger) -> Response:
    module = answers_of(name)
    if hasattr(module, "ANSWERS"):
        response: Response = module.read_response(body, ledger)
        return response
    if not isinstance(body.get("choices"), list):
        raise FormatError("a response has choices", path="$")
    response = module.read_response(body)
    mark(response, ledger)
    return response


def _fitted(to: str, name: str, response: Response, ledger: Ledger) -> Response:
    """Return a response as the target can say it, and report its tokens that the target has no count for."""
    if not is_foreign([name, to]):
        return response
    if response.usage is not None:
        source, target = counts_of(name), counts_of(to)
        if source is not target:
            target.report(response.usage, source, ledger, usage_path(name))
            bare = replace(response, usage=replace(response.usage, server=None))
            ledger.same(bare, response)
            response = bare
    return as_chat(response, ledger, texts_alone=to == "completions") if to in OBJECTS else modern(response, ledger)


def _written(
    to: str, writer: ModuleType, responses: list[Response], request: Mapping[str, Any] | None, ledger: Ledger
) -> tuple[Any, tuple[Loss, ...]]:
    if to == "completions":
        output, losses = completions.write_responses(responses, request)
        return output, (*ledger.losses, *(_of_tokens(loss, responses, ledger) for loss in losses))
    if to == "chat":
        written = [writer.write_response(one, request) for one in responses]
        losses = (*ledger.losses, *(loss for _, more in written for loss in more))
        return (written[0][0] if len(written) == 1 else [one for one, _ in written]), losses
    found = [writer.write_response(one, request, ledger)[0] for one in responses]
    return (found[0] if len(found) == 1 else found), tuple(ledger.losses)


def _of_tokens(loss: Loss, responses: list[Response], ledger: Ledger) -> Loss:
    """Return a loss of a reply's tokens with its path in the source; Chat has them under ``logprobs.content``."""
    found = re.match(r"\$\.choices\[(\d+)\]\.logprobs\.content(?=\[)", loss.path)
    if found is None or len(responses) > 1:
        return loss
    place = ledger.path(responses[0].choices[int(found[1])], "logprobs")
    is_chat = loss.path.startswith(f"{place}.")
    return loss if is_chat else loss._replace(path=place + loss.path[found.end() :])


def counts_of(api: str) -> Counts:
    """Return where an API states the tokens of an answer."""
    answers = getattr(answers_of(api), "ANSWERS", None)
    return CHAT if answers is None else answers.counts


def usage_path(api: str) -> str:
    """Return the path at which an API states the tokens of an answer."""
    answers = getattr(answers_of(api), "ANSWERS", None)
    at = "usage" if answers is None else answers.usage_at
    return f"$.{at}" if at else "$"


def api_of(body: Mapping[str, Any], default: str = "chat") -> str:
    """Return the API that an answer is of. Raises FormatError where none has such answers.

    Choices of Chat hold a message, those of Completions a text; where neither is said, ``default`` stands.

    >>> api_of({"type": "message", "content": []}), api_of({"candidates": []})
    ('anthropic', 'gemini')
    """
    if found := api_of_answer(body, default):
        return found
    raise FormatError("a response has choices", path="$", hint=f"or is one of {', '.join(answering())}")
