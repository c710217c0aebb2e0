"""What a conversion cannot carry: a loss is a value, never silence.

Rule: readers and writers only record losses; one policy, :func:`settle`, decides
what they mean. A kind has one severity, and the list of kinds is closed, so that
reports, tests and programs can rely on it.
"""

from __future__ import annotations

import warnings
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from .errors import FormatError, LossError

if TYPE_CHECKING:
    from collections.abc import Iterable

Verdict = Literal["lossless", "lossy", "ambiguous"]
#: What is done about a loss above exact; ``warn`` is the name that 0.1 had for ``report``.
OnLoss = Literal["raise", "report", "ignore", "warn"]
_POLICIES: Final[dict[str, Literal["raise", "report", "ignore"]]] = {
    "raise": "raise", "report": "report", "ignore": "ignore", "warn": "report",
}  # fmt: skip


class Severity(IntEnum):
    """How much a loss costs: exact < changed < dropped < refused."""

    EXACT = 0
    CHANGED = 1
    DROPPED = 2
    REFUSED = 3


#: Every kind of loss: its severity and what it means. Closed: a new kind is a
#: decision, made here.
KINDS: Final[dict[str, tuple[Severity, str]]] = {
    "renamed": (Severity.EXACT, "moved to another field; the meaning is the same"),
    "defaulted": (Severity.EXACT, "a default that was hidden is now written out"),
    "synthesised": (Severity.EXACT, "added because the target requires it; it says nothing new"),
    "trimmed": (Severity.CHANGED, "white space at an end of a text is gone"),
    "escaped": (Severity.CHANGED, "a marker of the format inside a content was neutralised"),
    "marker-in-content": (Severity.CHANGED, "a content holds a marker of the format: the text reads back differently"),
    "replaced": (Severity.CHANGED, "characters that cannot be sent (lone surrogates) became U+FFFD"),
    "merged": (Severity.CHANGED, "two messages or parts became one; the border is gone"),
    "split": (Severity.CHANGED, "one value became several"),
    "reordered": (Severity.CHANGED, "the order changed"),
    "role-changed": (Severity.CHANGED, "a message has another role in the target"),
    "flattened": (Severity.CHANGED, "structure became text"),
    "clamped": (Severity.CHANGED, "a number was cut to the target's range"),
    "substituted": (Severity.CHANGED, "a value was replaced by the target's nearest"),
    "reencoded": (Severity.CHANGED, "token ids were decoded and encoded for another model"),
    "model-refuses": (Severity.CHANGED, "a request parameter stays that the model asked is known to refuse"),
    "name-dropped": (Severity.DROPPED, "a participant's name is gone"),
    "role-dropped": (Severity.DROPPED, "the target does not say who speaks"),
    "message-dropped": (Severity.DROPPED, "a whole message is gone"),
    "media-dropped": (Severity.DROPPED, "an image, audio or file part is gone"),
    "tools-dropped": (Severity.DROPPED, "tool definitions or a tool choice are gone"),
    "tool-calls-dropped": (Severity.DROPPED, "a tool call, or the link from its result, is gone"),
    "reasoning-dropped": (Severity.DROPPED, "a reasoning text is gone"),
    "schema-dropped": (Severity.DROPPED, "a response format is gone"),
    "parameter-dropped": (Severity.DROPPED, "a request parameter has no place in the target"),
    "field-dropped": (Severity.DROPPED, "a field has no place in the target"),
    "text-dropped": (Severity.DROPPED, "text is gone"),
    "unsupported": (Severity.REFUSED, "the target cannot express this, and leaving it out would change the task"),
    "unreadable": (Severity.REFUSED, "the value is malformed"),
    "undecidable": (Severity.REFUSED, "several readings exist and none is certain"),
}


class Loss(NamedTuple):
    """One thing that a conversion changed, dropped or refused.

    ``path`` says where in the source (``$.messages[0].name``), ``kind`` is one of
    :data:`KINDS`, ``detail`` says it in words.

    >>> Loss("$.messages[0].name", "name-dropped", "'ann' has no place in a transcript").severity
    <Severity.DROPPED: 2>
    """

    path: str
    kind: str
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """The severity of this kind."""
        return KINDS[self.kind][0]

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}: {self.detail or KINDS[self.kind][1]}"

    def to_json(self) -> dict[str, str]:
        """Return the loss as the JSON object that reports and ``--json`` carry."""
        return {
            "path": self.path,
            "kind": self.kind,
            "severity": self.severity.name.lower(),
            "detail": self.detail,
        }


class LossWarning(UserWarning):
    """Issued once a loss by the policy ``warn``."""


def worst(losses: Iterable[Loss]) -> Severity:
    """Return the gravest severity among the losses, EXACT where there is none.

    >>> worst([])
    <Severity.EXACT: 0>
    """
    return max((loss.severity for loss in losses), default=Severity.EXACT)


def verdict_of(losses: Iterable[Loss]) -> Verdict:
    """Return ``lossless`` where nothing but exact losses stands, else ``lossy``."""
    return "lossless" if worst(losses) is Severity.EXACT else "lossy"


def policy_of(on_loss: str) -> Literal["raise", "report", "ignore"]:
    """Return the policy of that name. Raises FormatError for an unknown one.

    >>> policy_of("warn")
    'report'
    """
    if found := _POLICIES.get(on_loss):
        return found
    raise FormatError(f"unknown policy {on_loss!r}", path="$.on_loss", hint="raise, report or ignore")


def settle(losses: Iterable[Loss], on_loss: OnLoss = "raise") -> tuple[Loss, ...]:
    """Apply the policy to the losses and return them.

    ``raise`` raises on anything above exact, ``report`` issues a
    :class:`LossWarning` for each, ``ignore`` keeps quiet. A refused loss raises
    under every policy: there is no output to continue with.

    Raises :class:`~diptych.errors.LossError`, and FormatError for an unknown policy.
    """
    policy = policy_of(on_loss)
    found = tuple(losses)
    above = [loss for loss in found if loss.severity > Severity.EXACT]
    stop = above if policy == "raise" else [loss for loss in above if loss.severity is Severity.REFUSED]
    if stop:
        hint = None if any(x.severity is Severity.REFUSED for x in stop) else "pass on_loss='report' to continue"
        more = f" (and {len(stop) - 1} more)" if len(stop) > 1 else ""
        raise LossError(f"{stop[0]}{more}", losses=found, hint=hint)
    if policy == "report":
        for loss in above:
            warnings.warn(str(loss), LossWarning, stacklevel=3)
    return found
