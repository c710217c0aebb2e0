"""Two answers to the same request: the same, or who is to blame that they differ.

Rule: "best effort" is what servers promise of ``seed``; ``system_fingerprint`` names the
backend. A fingerprint that is null, empty or ``unknown`` is never called the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

Outcome = Literal["identical", "nondeterminism", "backend-drift", "fingerprint-unknown", "model-moved"]
#: From the best outcome to the worst; a run of several is as bad as its worst pair.
ORDER: Final[tuple[Outcome, ...]] = (
    "identical", "nondeterminism", "fingerprint-unknown", "backend-drift", "model-moved",
)  # fmt: skip


class Drift(NamedTuple):
    """How two answers compare, in a word and a sentence."""

    outcome: Outcome
    detail: str


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Drift:
    """Compare two replies in the shape of ``Reply.to_json``.

    >>> compare({"text": "a", "system_fingerprint": "fp"}, {"text": "b", "system_fingerprint": "fp"}).outcome
    'nondeterminism'
    """
    if before.get("model") != after.get("model"):
        return Drift("model-moved", f"{before.get('model')!r} answered before, {after.get('model')!r} now")
    if _answer(before) == _answer(after):
        return Drift("identical", "the answers are identical")
    first, second = before.get("system_fingerprint"), after.get("system_fingerprint")
    if not (_is_known(first) and _is_known(second)):
        return Drift("fingerprint-unknown", f"the texts differ; fingerprints {first!r} and {second!r} say nothing")
    if first != second:
        return Drift("backend-drift", f"the texts differ; the backend changed from {first} to {second}")
    return Drift("nondeterminism", f"the texts differ under the same fingerprint {first}")


def worst(replies: Sequence[Mapping[str, Any]]) -> Drift:
    """Return the worst of what the first reply and each other make."""
    found = [compare(replies[0], other) for other in replies[1:]]
    return max(found, key=lambda drift: ORDER.index(drift.outcome), default=Drift("identical", "there is one answer"))


def _is_known(fingerprint: Any) -> bool:
    return isinstance(fingerprint, str) and bool(fingerprint) and "unknown" not in fingerprint


def _answer(reply: Mapping[str, Any]) -> Any:
    choices = reply.get("choices") or [{"text": reply.get("text")}]
    return [(choice.get("text"), choice.get("finish_reason")) for choice in choices]
