"""Whole responses of any message API in, of any other out.

Rule: read → write through :class:`~diptych.response.Response`. An API is a folder of ``apis`` that
holds ``response.py``: the folders are the registry. The same API in and out is the identity; what
another API cannot say is reported with the path where it stood.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

from .. import apis
from ..apis.heads import OBJECTS
from ..apis.ledger import Ledger
from ..errors import FormatError
from ..format import Conversion
from ..loss import Loss, verdict_of
from ..policy import OnLoss, settle
from ..text.registry import unknown
from .registry import get

#: The APIs whose bodies hold ``choices``: one that does not say which of them it is, is left alone.
_CHOICES: Final = ("chat", "completions")


@lru_cache(maxsize=4)
def modules(part: str) -> Mapping[str, ModuleType]:
    """Return the modules of all APIs that read and write a ``part``: ``response`` or ``stream``.

    >>> sorted(modules("response"))[:2]
    ['anthropic', 'chat']
    """
    names = sorted(info.name for info in pkgutil.iter_modules(apis.__path__) if info.ispkg)
    # Completions comes last: everything that has choices may be one.
    names.sort(key=lambda name: name == "completions")
    places = {name: f"{apis.__name__}.{name}.{part}" for name in names}
    return {name: import_module(place) for name, place in places.items() if find_spec(place)}


def module_of(name: str, part: str) -> tuple[str, ModuleType]:
    """Return the name of an API and its module for responses or streams. Raises FormatError for an unknown name."""
    known = modules(part)
    if name not in known and isinstance(name, str):
        try:
            name = get(name, "api").name
        except FormatError:
            raise unknown(name, [*known], "API") from None
    if name not in known:
        raise unknown(str(name), [*known], "API")
    return name, known[name]


def convert_response(
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    to: str,
    source: str = "auto",
    request: Mapping[str, Any] | None = None,
    on_loss: OnLoss = "raise",
) -> Conversion:
    """Convert a response body to another message API.

    ``to`` and ``source`` name APIs: completions, chat, responses, anthropic, gemini, bedrock, ollama.
    ``request`` is the request of the target API that is being answered (the one that was converted):
    the ``echo`` and ``n`` of Completions count. ``body`` may be the list of replies to the requests
    that one Completions request became. Raises LossError for what the target cannot say, FormatError
    for what is no response.

    >>> reply = {"object": "chat.completion", "choices": [
    ...     {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
    >>> convert_response(reply, to="completions").output["choices"][0]["text"]
    'Hi'
    """
    target, writer = module_of(to, "response")
    bodies = _bodies(body)
    given = _source(bodies, target) if source == "auto" else module_of(source, "response")[0]
    reader, ledgers = modules("response")[given], [Ledger() for _ in bodies]
    responses = [reader.read_response(one, ledger) for one, ledger in zip(bodies, ledgers, strict=True)]
    output: Any
    losses: tuple[Loss, ...]
    if len(responses) > 1 and hasattr(writer, "write_responses"):
        output, losses = writer.write_responses(responses, request)
    else:
        rows = zip(responses, ledgers, strict=True)
        written = [writer.write_response(response, request, ledger) for response, ledger in rows]
        output = written[0][0] if len(written) == 1 else [one for one, _ in written]
        losses = tuple(loss for _, more in written for loss in more)
    settle(losses, on_loss)
    return Conversion(output, verdict_of(losses), losses, given)


def _bodies(body: Any) -> list[Mapping[str, Any]]:
    if not isinstance(body, Mapping | list | tuple):
        raise FormatError(f"a response is an object, not {type(body).__name__}", path="$")
    bodies = [body] if isinstance(body, Mapping) else list(body)
    if not bodies or not all(isinstance(one, Mapping) for one in bodies):
        raise FormatError("a response is an object", path="$")
    return bodies


def _source(bodies: list[Mapping[str, Any]], target: str) -> str:
    """Return the API that bodies are of; one whose choices say nothing is of the target."""
    for body in bodies:
        if (found := source_of(body)) is None:
            raise FormatError("the API of a response is not recognised", path="$", hint="name it: source=…")
    choices = [one for body in bodies for one in body.get("choices") or () if isinstance(one, Mapping)]
    says = choices or any(body.get("object") in OBJECTS.values() for body in bodies)
    if found in _CHOICES and not says and target in _CHOICES:
        return target
    kinds = {source_of(body) for body in bodies}
    return "chat" if "chat" in kinds else str(found)


def source_of(body: Any) -> str | None:
    """Return the API whose response a value is, None where it is none.

    >>> source_of({"type": "message", "content": []})
    'anthropic'
    """
    if not isinstance(body, Mapping):
        return None
    return next((name for name, module in modules("response").items() if module.is_response(body)), None)
