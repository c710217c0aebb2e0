"""Where a shard lies: a file, or a range of one."""

from __future__ import annotations

from typing import NamedTuple


class ShardRef(NamedTuple):
    """A shard's place: a file, or a range of it.

    ``start`` and ``end`` are bytes of a file of lines, at the ends of lines, and row groups of a
    Parquet file; ``first`` is the number of its first row or line in the file. ``sha256`` is that
    of the whole file, where it is known already, and ``own_sha256`` that of the bytes of the range.
    """

    path: str
    start: int = 0
    end: int | None = None
    first: int = 1
    sha256: str | None = None
    own_sha256: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the file."""
        return self.start == 0 and self.end is None
