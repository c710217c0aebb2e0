"""Rows on their way out: a share of them goes to a second file.

Rule: nothing is drawn by lot. Which rows go to the second file depends on their bytes alone, so that
every run gives the same split, and equal rows never stand on both sides.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from .rows import Rows
from .sources import unpacked_name

#: What a hash is divided by, to be a share.
_ALL = 1 << 64


def validation_of(target: Path) -> Path:
    """Return the second file of a target.

    >>> validation_of(Path("chats.jsonl.gz")).name
    'chats.validation.jsonl.gz'
    """
    inner = unpacked_name(target.name)
    stem, dot, kind = inner.rpartition(".")
    return target.with_name(f"{stem}.validation.{kind}{target.name[len(inner) :]}" if dot else f"{inner}.validation")


class Sifting:
    """Writes rows to a file, or to the second one, by their bytes."""

    def __init__(self, rows: Rows, good: BinaryIO, second: BinaryIO, share: float) -> None:
        self._counts, self._good, self._second = rows.counts, good, second
        self._border = int(share * _ALL)

    def write(self, lines: bytes) -> None:
        """Write lines, each of which is a row."""
        for line in lines.split(b"\n")[:-1]:
            digest = hashlib.blake2b(line, digest_size=8).digest()
            is_second = int.from_bytes(digest, "big") < self._border
            self._counts.validation += is_second
            (self._second if is_second else self._good).write(line + b"\n")
