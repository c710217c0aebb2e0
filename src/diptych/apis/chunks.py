"""Writing the chunks of a stream: what both APIs have in common.

Rule: nothing is held back. Every chunk bears the fields beside the choices as far as they are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..loss import Loss
from ..response import Event
from . import heads


class ChunkWriter:
    """Feed it events, get chunks. ``losses`` grows by what the API cannot say."""

    api: heads.Name
    object: str

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        self.losses: list[Loss] = []
        self._request = request or {}
        self._head: dict[str, Any] = {"object": self.object}
        self._is_own = False
        self._waits = False  # a field that no chunk has borne yet

    def feed(self, event: Event) -> list[dict[str, Any]]:
        """Take an event; return the chunks that it makes."""
        kind = event.kind
        if kind == "head":
            self._is_own = event.name == self.api
            self._head |= heads.head_of_chunk(event, self.api, self.losses)
            self._waits = True
            return []
        if kind == "usage":
            return [self._chunk([], usage=heads.write_usage(event.value))]
        if kind == "error":
            return [{"error": event.value}]
        return [self._chunk([choice]) for choice in (*self._opening(event), *self._step(event))]

    def finish(self) -> list[dict[str, Any]]:
        """Return what is left at the end: a chunk without choices where a field came after the last one."""
        return [self._chunk([])] if self._waits else []

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        self._waits = False
        return {**self._head, "choices": choices, **more}

    def _opening(self, event: Event) -> list[dict[str, Any]]:
        """Return what stands before the first entry of a choice."""
        raise NotImplementedError

    def _step(self, event: Event) -> list[dict[str, Any]]:
        """Return the entries of ``choices`` that an event makes, one a chunk."""
        raise NotImplementedError
