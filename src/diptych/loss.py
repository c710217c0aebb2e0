"""Losses: what a conversion cannot carry, as values.

Readers and writers only record losses; :func:`~diptych.policy.settle` decides what
they mean. A kind has one severity, and the list of kinds is closed, so that reports,
tests and programs can rely on it. Imports nothing of Diptych, so that errors can
carry losses.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Verdict = Literal["lossless", "lossy", "ambiguous"]


class Severity(IntEnum):
    """How much a loss costs: exact < changed < dropped < refused.

    >>> Severity.EXACT < Severity.CHANGED < Severity.DROPPED < Severity.REFUSED
    True
    """

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
    "relabelled": (Severity.EXACT, "an id is another one, on both sides of its link"),
    "by-format-rule": (Severity.EXACT, "the rules of the format itself leave it out"),
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
    "rule-breach": (Severity.CHANGED, "the value breaks a published rule of its own API, and stays as it is"),
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


def worst(losses: Iterable[Loss]) -> Severity:
    """Return the gravest severity among the losses, EXACT where there is none.

    >>> worst([])
    <Severity.EXACT: 0>
    """
    return max((loss.severity for loss in losses), default=Severity.EXACT)


def verdict_of(losses: Iterable[Loss]) -> Verdict:
    """Return ``lossless`` where nothing but exact losses stands, else ``lossy``."""
    return "lossless" if not losses or worst(losses) is Severity.EXACT else "lossy"
