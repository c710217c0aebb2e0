"""Findings that say the same of one file, as one line: the model, the reason, and every place.

Rule: nothing is left out. Recordings of HTTP and pages of documentation are one line each, since their
findings are seldom what is to be changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .finding import Finding

#: Places that a line names; the others are counted.
_SHOWN: Final = 8
_RECORDINGS: Final = re.compile(
    r"(?:^|/)(?:cassettes?|recordings?|fixtures?|snapshots?|__snapshots__)/|\.(?:md|rst|markdown)$"
)


@dataclass
class Group:
    """Findings of one file that say the same."""

    findings: list[Finding]

    @property
    def first(self) -> Finding:
        """The first of them, which speaks for all."""
        return self.findings[0]

    @property
    def places(self) -> str:
        """The file, and the lines and columns in it.

        >>> Group([Finding("model", f"a.py:{n}:1", {}) for n in (1, 5)]).places
        'a.py:1:1, 5:1'
        """
        head, line, column = self.first.place.rsplit(":", 2)
        others = [":".join(each.place.rsplit(":", 2)[1:]) for each in self.findings[1:_SHOWN]]
        more = len(self.findings) - _SHOWN
        return ", ".join([f"{head}:{line}:{column}", *others]) + (f" and {more} more" if more > 0 else "")


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Return the findings in groups, in the order of their first ones."""
    found: dict[tuple[str, ...], Group] = {}
    for finding in findings:
        found.setdefault(_key(finding), Group([])).findings.append(finding)
    return list(found.values())


def _key(finding: Finding) -> tuple[str, ...]:
    """Return what findings of a group share: the file, the kind, and what is said."""
    file, facts = finding.place.rsplit(":", 2)[0], finding.facts
    if finding.kind in ("model", "endpoint"):
        return file, finding.kind, str(facts.get("model") or facts.get("endpoint"))
    if finding.kind == "call" and (facts["migrates"] or _RECORDINGS.search(file)):
        return file, finding.kind, str(facts.get("code", ""))
    if finding.kind == "call":
        return file, finding.kind, facts["code"], facts["reason"]
    return file, finding.kind, finding.place
