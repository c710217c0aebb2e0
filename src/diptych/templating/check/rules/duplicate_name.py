"""Two files with one name.

``translate.jinja`` and ``translate.j2`` are both called ``translate``: which one is meant depends
on the order of suffixes. Rename one.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...sources import SUFFIXES
from ..finding import Finding
from ..subject import Subject

CODE = "T007"
BAD = "(a.jinja beside a.j2)"
GOOD = "(a.jinja beside b.j2)"


def check(subject: Subject) -> Iterator[Finding]:
    """Find another file of the library whose name differs in its suffix alone."""
    stem = subject.name.rsplit(".", 1)[0]
    if subject.name == stem:
        return
    for suffix in SUFFIXES:
        other = stem + suffix
        if other != subject.name and subject.library.find(other):
            yield Finding(CODE, f"{other} has the same name", subject.top, "rename one of them")
