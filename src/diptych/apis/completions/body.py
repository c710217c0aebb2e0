"""The body of a Completions call, made of what a Chat call would say.

Rule: every parameter goes by its row in :mod:`.parameters`; the prompt's text is written by
whoever calls, and the ends of its turns become stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...loss import Loss
from .parameters import PARAMETERS

_MOST_STOPS: Final = 4
_MOST_LOGPROBS: Final = 5


def completions_body_of(
    body: Mapping[str, Any], prompt: str, stop: tuple[str, ...] = (), *, open_cap: int | None = None
) -> tuple[dict[str, Any], list[Loss]]:
    """Return the Completions body for a Chat body whose messages were written as ``prompt``, and its losses.

    ``stop`` are the ends of turns of the text format. ``open_cap`` (tokens) is written where the
    body has no output cap; with None the server's own default of 16 tokens holds, which is said.

    >>> body, losses = completions_body_of({"model": "m", "max_completion_tokens": 5}, "Hi")
    >>> body, losses[0].kind
    ({'model': 'm', 'prompt': 'Hi', 'max_tokens': 5}, 'renamed')
    """
    losses: list[Loss] = []
    found: dict[str, Any] = {"model": body["model"]} if body.get("model") else {}
    found["prompt"] = prompt
    for name, value in body.items():
        if name != "model":
            _to_completions(name, value, found, losses)
    _completions_cap(body, found, losses, open_cap)
    _completions_logprobs(body, found, losses)
    _completions_stops(body, stop, found, losses)
    if body.get("safety_identifier") and "user" not in found:
        found["user"] = body["safety_identifier"]
        losses.append(Loss("$.safety_identifier", "renamed", "user"))
    return found, losses


def _to_completions(name: str, value: Any, found: dict[str, Any], losses: list[Loss]) -> None:
    row = PARAMETERS.get(name)
    if row is None or row.to_completions == "same" or (row.to_completions == "absent" and name != "messages"):
        found[name] = value
    elif value in (None, [], {}):
        return
    elif row.to_completions == "refused" and not (name == "tool_choice" and value == "none"):
        losses.append(Loss(f"$.{name}", "unsupported", row.note))
    elif row.to_completions == "dropped":
        losses.append(Loss(f"$.{name}", "parameter-dropped", row.note or "Completions does not have it"))
    elif name == "response_format" and not (isinstance(value, Mapping) and value.get("type") == "text"):
        losses.append(Loss("$.response_format", "schema-dropped", row.note))
    elif name == "modalities" and value != ["text"]:
        losses.append(Loss("$.modalities", "unsupported", row.note))


def _completions_cap(
    body: Mapping[str, Any], found: dict[str, Any], losses: list[Loss], open_cap: int | None
) -> None:
    cap = body.get("max_completion_tokens")
    cap = body.get("max_tokens") if cap is None else cap
    if cap is None and open_cap is None:
        losses.append(Loss("$.max_tokens", "defaulted", "no cap: Completions stops after 16 tokens"))
        return
    if cap is None:
        found["max_tokens"] = open_cap
        detail = f"no cap became {open_cap}; Completions would stop after 16 tokens"
        losses.append(Loss("$.max_tokens", "clamped", detail))
        return
    found["max_tokens"] = cap
    if "max_completion_tokens" in body:
        losses.append(Loss("$.max_completion_tokens", "renamed", "max_tokens"))


def _completions_logprobs(body: Mapping[str, Any], found: dict[str, Any], losses: list[Loss]) -> None:
    if not body.get("logprobs"):
        if body.get("top_logprobs"):
            losses.append(Loss("$.top_logprobs", "parameter-dropped", "without logprobs it asks for nothing"))
        return
    if body["logprobs"] is not True:  # a number: it is said as Completions says it
        found["logprobs"] = body["logprobs"]
        return
    wanted = body.get("top_logprobs") or 0
    found["logprobs"] = min(wanted, _MOST_LOGPROBS)
    losses.append(Loss("$.logprobs", "renamed", "logprobs=k"))
    if wanted > _MOST_LOGPROBS:
        losses.append(Loss("$.top_logprobs", "clamped", f"{wanted} became {_MOST_LOGPROBS}"))


def _completions_stops(
    body: Mapping[str, Any], own: tuple[str, ...], found: dict[str, Any], losses: list[Loss]
) -> None:
    stop = body.get("stop")
    given = [stop] if isinstance(stop, str) else list(stop or [])
    more = [mark for mark in own if mark not in given]
    room = _MOST_STOPS - len(given)
    if more and room <= 0:
        losses.append(Loss("$.stop", "unsupported", f"{len(given)} stops leave no room for the end of a turn"))
    added = more[: max(0, room)]
    if added and len(added) < len(more):
        left = ", ".join(map(repr, more[len(added) :]))
        losses.append(Loss("$.stop", "parameter-dropped", f"no room among 4 stops for {left}"))
    if added:
        losses.append(Loss("$.stop", "synthesised", f"ends of turns: {', '.join(map(repr, added))}"))
    if given or added:
        found["stop"] = [*given, *added]
