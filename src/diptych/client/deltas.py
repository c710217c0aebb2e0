"""Deltas that may hold the beginning of the API key wait until it is clear that they do not.

Rule: a key that one delta holds is replaced where bytes come in; one that is spelled over several is
replaced here, in their texts and chunks. No more than four characters of it go out, which all keys of
a vendor share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .replies import Delta
from .secret import Secret

#: Characters of a key's beginning that may go out: ``sk-`` and the like.
_SHARED: Final = 4


class HeldBack:
    """Takes deltas and gives them back, those that may spell the key later.

    >>> guard = HeldBack(Secret("sk-0123456789"))
    >>> first = guard.take([Delta("an sk-01")], last=False)
    >>> [delta.text for delta in first + guard.take([Delta("23456789!")], last=False)]
    ['an *****', '********!']
    """

    def __init__(self, key: Secret) -> None:
        self._key = key.reveal()
        self._choices: dict[int, _Run] = {}

    def take(self, deltas: list[Delta], *, last: bool) -> list[Delta]:
        """Return what may go out: everything at the end of the stream."""
        if not self._choices and len(deltas) == 1 and self._key[0] not in deltas[0].text:
            return deltas
        found: list[Delta] = []
        for delta in deltas:
            run = self._choices.get(delta.index)
            if run is not None:
                found += run.take(delta)
            elif self._key[0] not in delta.text:
                found.append(delta)
            else:
                self._choices[delta.index] = run = _Run(self._key)
                found += run.take(delta)
        if last:
            found += [delta for run in self._choices.values() for delta in run.held]
            self._choices.clear()
        return found


class _Run:
    """The deltas of one choice that wait, and the beginning of the key with which their texts end."""

    def __init__(self, key: str) -> None:
        self._key, self._begun = key, ""
        self.held: list[Delta] = []

    def take(self, delta: Delta) -> list[Delta]:
        text = self._begun + delta.text
        self.held.append(delta)
        if (at := text.find(self._key)) >= 0:
            self._strike(len(text) - at)
            text = text[at + len(self._key) :]
        self._begun = self._ending(text)
        if len(self._begun) > _SHARED:
            return []
        held, self.held = self.held, []
        return held

    def _ending(self, text: str) -> str:
        """Return the longest end of a text that is a beginning of the key."""
        at = text.find(self._key[0])
        while at >= 0:
            if self._key.startswith(text[at:]):
                return text[at:]
            at = text.find(self._key[0], at + 1)
        return ""

    def _strike(self, back: int) -> None:
        """Replace the key, which begins so many characters before the end of what waits."""
        texts = [delta.text for delta in self.held]
        whole = "".join(texts)
        start = max(0, len(whole) - back)
        end = len(whole) - back + len(self._key)
        whole = whole[:start] + "*" * (end - start) + whole[end:]
        at = 0
        for place, text in enumerate(texts):
            struck = whole[at : at + len(text)]
            at += len(text)
            if struck != text:
                self.held[place] = self.held[place]._replace(text=struck, raw=_with(self.held[place].raw, text, struck))


def _with(chunk: Any, text: str, struck: str) -> Any:
    """Return a chunk with one text replaced."""
    if isinstance(chunk, str):
        return chunk.replace(text, struck)
    if isinstance(chunk, Mapping):
        return {name: _with(value, text, struck) for name, value in chunk.items()}
    return [_with(value, text, struck) for value in chunk] if isinstance(chunk, list) else chunk
