"""Calls and results without ids, as Gemini and Ollama have them: a result belongs to a call by name and order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import FormatError


class Links:
    """The calls of a conversation whose result has not come yet, in their order.

    >>> links = Links(["call_0"])
    >>> links.call("look"), links.call("sum", "c7"), links.result("sum"), links.result("look"), links.result("look")
    ('call_1', 'c7', 'c7', 'call_1', 'call_2')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken, self._made = set(taken), 0
        self._open: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def call(self, name: str, id_: str | None = None) -> str:
        """Return the id of a call, a new one where it has none."""
        id_ = self._new() if id_ is None else _checked(id_)
        self._open[id_] = self._names[id_] = name
        return id_

    def result(self, name: str | None, id_: str | None = None) -> str:
        """Return the id of the call that a result belongs to: its own, or that of the first open call of the name."""
        if id_ is None:
            fits = (call for call, known in self._open.items() if name is None or known == name)
            id_ = next(fits, None) or self._new()
        self._open.pop(_checked(id_), None)
        return id_

    def name(self, id_: str) -> str | None:
        """Return the name of the latest call of this id."""
        return self._names.get(id_)

    def _new(self) -> str:
        while (id_ := f"call_{self._made}") in self._taken:
            self._made += 1
        self._taken.add(id_)
        return id_


def _checked(id_: Any) -> str:
    """Return an id. Raises FormatError for what is none."""
    if not isinstance(id_, str):
        raise FormatError("the id of a tool call is a string")
    return id_
