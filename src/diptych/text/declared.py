"""Tools that a text declares: their JSON in a frame of the format's own words.

One row of data writes the declaration and reads it. What stands in the frame is read as tools where each
is one JSON value with a name and nothing that a tool has no place for; anything else stays text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..model import FrozenMap, ToolSpec, thaw
from ..projection import present

_FIELDS = {"name", "description", "parameters", "strict"}


@dataclass(frozen=True, slots=True)
class Declared:
    """How a format declares tools: ``before``, each with ``open`` and ``close`` around it, ``after``.

    ``place`` says where: behind the system text (``joined`` stands between), in a system turn of their own
    before it, before everything, or before the turn of the last user. ``between`` stands between two tools.
    ``is_bare``: of a tool only its function is written, without its type.
    """

    before: str
    after: str
    open: str = "\n"
    close: str = ""
    joined: str = "\n\n"
    between: str = ""
    place: Literal["system", "turn", "head", "last-user"] = "system"
    is_bare: bool = False

    def write(self, tools: Sequence[ToolSpec]) -> str:
        """Return the declaration of tools.

        >>> Declared("<t>", "</t>", open="").write([ToolSpec("f")])
        '<t>{"type": "function", "function": {"name": "f"}}</t>'
        """
        bodies = [body["function"] if self.is_bare else body for body in map(tool_body, tools)]
        written = [self.open + json.dumps(body, ensure_ascii=False) + self.close for body in bodies]
        return self.before + self.between.join(written) + self.after

    def apart(self, text: str) -> tuple[str | None, tuple[ToolSpec, ...]]:
        """Return a system text and the tools declared behind it; no text: there is nothing but them.

        >>> Declared("<t>", "</t>", open="").apart('Hi\\n\\n<t>{"name": "f"}</t>')
        ('Hi', (ToolSpec(name='f', description=None, parameters=None, strict=None, native=FrozenMap({})),))
        """
        start = text.rfind(self.before)
        if start < 0 or not text.endswith(self.after):
            return text, ()
        tools = self._tools(text[start + len(self.before) : len(text) - len(self.after)])
        own = text[:start]
        if not tools or (own and (self.place == "turn" or not own.endswith(self.joined))):
            return text, ()
        return (own.removesuffix(self.joined) if own else None), tools

    def cut(self, text: str, user: str) -> tuple[str, tuple[ToolSpec, ...]]:
        """Return a text without the tools that stand before it, or before the last mark that opens a user's turn.

        >>> Declared("<t>", "</t>", open="", place="head").cut('<t>{"name": "f"}</t>Hi', "<u>")[0]
        'Hi'
        """
        start = text.find(self.before) if self.place in ("head", "last-user") else -1
        end = text.find(self.after, start + len(self.before))
        follows = end + len(self.after)
        if start < 0 or end < 0 or (self.place == "last-user" and text.rfind(user) != follows):
            return text, ()
        tools = self._tools(text[start + len(self.before) : end])
        return (text[:start] + text[follows:], tools) if tools else (text, ())

    def _tools(self, inner: str) -> tuple[ToolSpec, ...]:
        """Return the tools inside the frame, none where it holds anything else."""
        found: list[ToolSpec] = []
        position = 0
        while inner.startswith(self.open, position) and position < len(inner):
            try:
                value, end = json.JSONDecoder().raw_decode(inner, position + len(self.open))
            except (ValueError, RecursionError):
                return ()
            tool = _tool(value)
            if tool is None or not inner.startswith(self.close, end):
                return ()
            found.append(tool)
            position = end + len(self.close)
            if self.between and position < len(inner):
                if not inner.startswith(self.between, position):
                    return ()
                position += len(self.between)
        return tuple(found) if position == len(inner) else ()


def tool_body(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool as Chat sends it.

    >>> tool_body(ToolSpec("f"))
    {'type': 'function', 'function': {'name': 'f'}}
    """
    fields = {"name": tool.name, "description": tool.description, "parameters": thaw(tool.parameters)}
    return {"type": "function", "function": present(fields | {"strict": tool.strict})}


def _tool(value: Any) -> ToolSpec | None:
    inner = value.get("function", value) if isinstance(value, dict) else None
    if not isinstance(inner, dict) or not set(inner) <= _FIELDS or not isinstance(inner.get("name"), str):
        return None
    parameters = inner.get("parameters")
    if not isinstance(parameters, dict | None):
        return None
    frozen = None if parameters is None else FrozenMap(parameters)
    return ToolSpec(inner["name"], inner.get("description"), frozen, inner.get("strict"))
