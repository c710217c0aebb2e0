"""A file that is not UTF-8 text.

Templates are UTF-8; any other encoding would be read as other characters. A file that cannot be
decoded is found where it is read, so this rule only names the code.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from ..subject import Subject

CODE = "T004"
BAD = "caf\udce9"
GOOD = "café"


def check(subject: Subject) -> Iterator[Finding]:
    """Find characters that stand for bytes that are not text."""
    for position, character in enumerate(subject.text):
        if "\ud800" <= character <= "\udfff":
            yield Finding(CODE, "not UTF-8 text", subject.at_offset(position), "save it as UTF-8")
            return
