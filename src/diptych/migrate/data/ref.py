"""Where a shard lies: a file, or a range of one."""

from __future__ import annotations

from typing import NamedTuple

from .storage import State


class ShardRef(NamedTuple):
    """A shard's place: a file, or a range of it.

    ``start`` and ``end`` are bytes of a file of lines, wherever they fall: the shard has the lines that begin
    between them. Of a Parquet file they are row groups. ``first`` is the number of its first row or line; a part of
    lines counts from 1, and its numbers are put right when the parts come together. ``state`` is that of the file when
    its conversion was planned: a file that shows another one is refused. ``notes`` is the folder of the manifest and
    of the rejects, where they do not stand beside the target.
    """

    path: str
    start: int = 0
    end: int | None = None
    first: int = 1
    state: State | None = None
    notes: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the file."""
        return self.start == 0 and self.end is None
