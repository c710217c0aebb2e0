"""Changes of a text as replaced ranges: what no range names stays as it was, byte for byte.

Rule: ranges do not overlap; several insertions at one place keep the order they were made in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """A range of characters and the text that takes its place.

    >>> apply("a.text", [Edit(2, 6, "content")])
    'a.content'
    """

    start: int
    end: int
    text: str


def apply(source: str, edits: Iterable[Edit]) -> str:
    """Return the text with every edit made.

    Equal edits are made once. Raises ValueError for edits that overlap.
    """
    pieces, last = [], 0
    for edit in sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end)):
        if edit.start < last:
            raise ValueError(f"two changes meet at character {edit.start}")
        pieces += [source[last : edit.start], edit.text]
        last = edit.end
    return "".join([*pieces, source[last:]])
