"""What an audit says: findings with their places, in the order of the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from ...views.card import Card, Table
from ...views.shown import Shown

KINDS: Final = ("call", "model", "endpoint", "prompt", "dataset", "template")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a migration touches: what kind, where (``file:line:col``), and the facts."""

    kind: str
    place: str
    facts: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return {"kind": self.kind, "place": self.place, **self.facts}

    @property
    def order(self) -> tuple[int, int]:
        """Line and column, as files are read."""
        _, line, column = self.place.rsplit(":", 2)
        return int(line), int(column)


@dataclass
class Audit(Shown):
    """Everything found, in the order of the files.

    ``unread`` are the files that could not be read, each with its reason.
    """

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    unread: list[str] = field(default_factory=list)
    #: The day that shutdown dates are compared with.
    today: date = field(default_factory=date.today)

    @property
    def dated(self) -> list[Finding]:
        """The findings whose model has a shutdown date."""
        return [finding for finding in self.findings if finding.facts.get("shutdown_date")]

    def is_past(self, finding: Finding) -> bool:
        """Tell whether a finding's model is no longer served: its last day is over."""
        day = finding.facts.get("shutdown_date")
        return day is not None and date.fromisoformat(day) < self.today

    def due(self, within: int | None = None) -> list[Finding]:
        """Return the findings whose model was shut down, or shuts down within so many days.

        >>> found = Audit([Finding("model", "a.py:1:1", {"shutdown_date": "2027-01-14"})], today=date(2026, 12, 1))
        >>> len(found.due()), len(found.due(60))
        (0, 1)
        """
        last = self.today + timedelta(days=-1 if within is None else within)
        return [finding for finding in self.dated if date.fromisoformat(finding.facts["shutdown_date"]) <= last]

    def of(self, kind: str) -> list[Finding]:
        """Return the findings of one kind: call, model, prompt, dataset or template."""
        return [finding for finding in self.findings if finding.kind == kind]

    @property
    def tokens(self) -> dict[str, int]:
        """The tokens of the prompts and data sets found, as they are and as Chat messages."""
        return {when: sum(f.facts.get(f"tokens_{when}") or 0 for f in self.findings) for when in ("before", "after")}

    def _card(self) -> Card:
        counts = {kind: len(self.of(kind)) or None for kind in KINDS}
        facts = {"files read": self.files, **counts, "models shut down": len(self.due()) or None}
        rows = [(f.kind, f.place, f.facts.get("model"), f.facts.get("shutdown_date")) for f in self.findings]
        blocks = [Table("Findings", ("what", "where", "model", "last day"), rows)] if rows else []
        unread = [Table("Not read", ("file and reason",), [(line,) for line in self.unread])] if self.unread else []
        return Card("Audit", facts, [*blocks, *unread])

    def to_json(self) -> dict[str, Any]:
        """Return the audit as a JSON object."""
        return {
            "files": self.files,
            "today": self.today.isoformat(),
            "summary": {kind: len(self.of(kind)) for kind in KINDS}
            | {"dated": len(self.dated), "shut_down": len(self.due())},
            "tokens": self.tokens,
            "findings": [finding.to_json() for finding in self.findings],
            "unread": self.unread,
        }
