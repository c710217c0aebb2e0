"""Findings that say the same, as one line: what is said, and the places by file.

Rule: nothing is left out of the counts. Recordings of HTTP and pages of documentation stand apart, as one line for
each kind of them, since their findings are seldom what is to be changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from .finding import Finding

#: Places that a line names in one file, and files; the others are counted.
_SHOWN: Final = 8
_FILES: Final = 6
_TOKENS: Final = ("tokens_before", "tokens_after")
_RECORDINGS: Final = re.compile(r"(?:^|/)(?:cassettes?|recordings?|fixtures?|snapshots?|__snapshots__)/")
_DOCUMENTS: Final = re.compile(r"\.(?:md|rst|markdown|mdx|adoc)$|(?:^|/)docs?/")
#: What a finding may be part of, beside the project's own files.
RECORDINGS: Final = "recordings"
DOCUMENTS: Final = "documentation"


def part_of(finding: Finding) -> str:
    """Return what the file of a finding is: recordings, documentation, or "" for the project's own.

    >>> [part_of(Finding("model", f"{file}:1:1", {})) for file in ("tests/cassettes/a.yaml", "docs/a.md", "src/a.py")]
    ['recordings', 'documentation', '']
    """
    file = _file_of(finding)
    return RECORDINGS if _RECORDINGS.search(file) else DOCUMENTS if _DOCUMENTS.search(file) else ""


@dataclass
class Group:
    """Findings that say the same."""

    findings: list[Finding]

    @property
    def first(self) -> Finding:
        """The first of them, which speaks for all."""
        return self.findings[0]

    @property
    def places(self) -> str:
        """The files, a line each, and the lines and columns in them.

        >>> print(Group([Finding("model", f"{f}.py:{n}:1", {}) for f in "ab" for n in (1, 5)]).places)
        a.py:1:1, 5:1
        b.py:1:1, 5:1
        """
        files: dict[str, list[str]] = {}
        for finding in self.findings:
            files.setdefault(_file_of(finding), []).append(":".join(finding.place.rsplit(":", 2)[1:]))
        lines = [f"{file}:{_some(places)}" for file, places in list(files.items())[:_FILES]]
        more = len(files) - _FILES
        return "\n".join([*lines, *([f"and {more:,} more file{'' if more == 1 else 's'}"] if more > 0 else [])])

    @property
    def together(self) -> Finding:
        """One finding that says what all of them do: their tokens are added up."""
        is_prompt = self.first.kind == "prompt"
        tokens = {name: sum(f.facts[name] for f in self.findings) for name in _TOKENS if is_prompt}
        return Finding(self.first.kind, self.first.place, {**self.first.facts, **tokens})

    @property
    def summary(self) -> str:
        """What the findings of a folded part are, in one line.

        >>> Group([Finding("model", "docs/a.md:1:1", {"model": "davinci"})] * 3).summary
        '3 findings in 1 file: davinci (3)'
        """
        names = Counter(str(f.facts.get("model") or f.facts.get("endpoint") or f.kind) for f in self.findings)
        said = ", ".join(f"{name} ({number:,})" for name, number in names.most_common(_SHOWN))
        more = len(names) - _SHOWN
        files = len({_file_of(finding) for finding in self.findings})
        head = f"{_number(len(self.findings), 'finding')} in {_number(files, 'file')}: {said}"
        return head + (f" and {more} more" if more > 0 else "")


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Return the findings of the project's own files in groups, in the order of their first ones."""
    return _by(findings, lambda finding: None if part_of(finding) else _key(finding))


def folded(findings: Iterable[Finding]) -> dict[str, Group]:
    """Return the findings of recordings and of documentation, a group each."""
    groups = _by(findings, lambda finding: (part,) if (part := part_of(finding)) else None)
    return {part_of(group.first): group for group in groups}


def _by(findings: Iterable[Finding], key: Callable[[Finding], tuple[str, ...] | None]) -> list[Group]:
    found: dict[tuple[str, ...], Group] = {}
    for finding in findings:
        if (at := key(finding)) is not None:
            found.setdefault(at, Group([])).findings.append(finding)
    return list(found.values())


def _key(finding: Finding) -> tuple[str, ...]:
    """Return what findings of a group share: the kind, and what is said."""
    facts = finding.facts
    if finding.kind in ("model", "endpoint"):
        return finding.kind, str(facts.get("model") or facts.get("endpoint"))
    if finding.kind == "call":
        return finding.kind, str(facts.get("code", "")), str(facts.get("reason", ""))
    if finding.kind == "prompt":
        return finding.kind, str(facts.get("format")), str(facts.get("verdict"))
    return finding.kind, finding.place


def _file_of(finding: Finding) -> str:
    return finding.place.rsplit(":", 2)[0]


def _some(places: list[str]) -> str:
    more = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _number(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
