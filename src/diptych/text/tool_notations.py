"""How one tool is written where a text declares it: as JSON, or as tags.

A notation writes a tool and reads it. Reading is proved by writing the tool again: what does not come out the
same is no tool of this notation, and stays text.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ..model import FrozenMap, ToolSpec, thaw
from ..projection import present

_FIELDS: Final = {"name", "description", "parameters", "strict"}


class Notation(Protocol):
    """One tool as text, and back."""

    def write(self, tool: ToolSpec) -> str: ...

    def read(self, text: str, position: int) -> tuple[ToolSpec, int] | None:
        """Return the tool that begins at a position and where it ends, None where none does."""


@dataclass(frozen=True, slots=True)
class Json:
    """JSON as Chat sends it, with an indent or on one line; ``is_bare``: the function without its type.

    >>> Json().read('{"name": "f"} and more', 0)[1]
    13
    """

    indent: int | None = None
    is_bare: bool = False

    def write(self, tool: ToolSpec) -> str:
        body = tool_body(tool)
        return json.dumps(body["function"] if self.is_bare else body, ensure_ascii=False, indent=self.indent)

    def read(self, text: str, position: int) -> tuple[ToolSpec, int] | None:
        try:
            value, end = json.JSONDecoder().raw_decode(text, position)
        except (ValueError, RecursionError):
            return None
        tool = _tool(value)
        return (tool, end) if tool else None


#: What most formats have.
JSON: Final = Json()
_NAME: Final = re.compile(r"<function>\n<name>([^<\n]+)</name>")
_PARAMETER: Final = "\n<parameter>\n<name>"
_KEY: Final = re.compile(r"\n<(\w+)>")


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags for a tool, its parameters and their fields, as Qwen3-Coder has them.

    Objects are JSON; lists are JSON where ``has_json_lists``, else as Python shows them.

    >>> Tags().write(ToolSpec("f", "Does it."))
    '<function>\\n<name>f</name>\\n<description>Does it.</description>\\n<parameters>\\n</parameters>\\n</function>'
    """

    has_json_lists: bool = False

    def write(self, tool: ToolSpec) -> str:
        schema = thaw(tool.parameters) if tool.parameters is not None else {}
        properties = schema.get("properties")
        given = properties if isinstance(properties, dict) else {}
        inner = "".join(map(self._parameter, given, given.values()))
        rest = self._fields(schema, {"type", "properties"} if properties is given else {"type"})
        description = "" if tool.description is None else f"\n<description>{tool.description.strip()}</description>"
        strict = "" if tool.strict is None else self._field("strict", tool.strict)
        head = f"<function>\n<name>{tool.name}</name>{description}\n<parameters>"
        return f"{head}{inner}{rest}\n</parameters>{strict}\n</function>"

    def read(self, text: str, position: int) -> tuple[ToolSpec, int] | None:
        found = _NAME.match(text, position)
        end = text.find("\n</function>", position) + len("\n</function>") if found else 0
        if found is None or end < position:
            return None
        described, opened, rest = text[found.end() : end].partition("\n<parameters>")
        inner, closed, more = rest.rpartition("\n</parameters>")
        if not opened or not closed:
            return None
        first, *parameters = inner.split(_PARAMETER)
        read = [one.partition("\n</parameter>") for one in parameters]
        properties = {one.partition("</name>")[0]: _fields_of(one.partition("</name>")[2]) for one, _, _ in read}
        others = _fields_of(first + "".join(behind for _, _, behind in read))
        schema = FrozenMap({"type": "object", "properties": properties, **others})
        strict = _fields_of(more).get("strict")
        description = _fields_of(described).get("description")
        tool = ToolSpec(found[1], description, schema, strict if isinstance(strict, bool) else None)
        return (tool, end) if self.write(tool) == text[position:end] else None

    def _parameter(self, name: str, fields: Any) -> str:
        inner = self._fields(fields, set()) if isinstance(fields, dict) else ""
        return f"\n<parameter>\n<name>{name}</name>{inner}\n</parameter>"

    def _fields(self, fields: dict[str, Any], known: set[str]) -> str:
        """Return the type and the description first, and then the other fields in their order."""
        first = {key: fields[key] for key in ("type", "description") if key in fields}
        return "".join(self._field(key, value) for key, value in (first | fields).items() if key not in known)

    def _field(self, key: str, value: Any) -> str:
        is_json = isinstance(value, dict) or (self.has_json_lists and isinstance(value, list))
        shown = json.dumps(value, ensure_ascii=False) if is_json else str(value)
        return f"\n<{key}>{shown.strip() if key == 'description' else shown}</{key}>"


def _fields_of(text: str) -> dict[str, Any]:
    """Return what the tags of a text hold, up to the first that does not end."""
    found: dict[str, Any] = {}
    position = 0
    while opened := _KEY.match(text, position):
        end = text.find(close := f"</{opened[1]}>", opened.end())
        if end < 0:
            break
        found[opened[1]] = _value(opened[1], text[opened.end() : end])
        position = end + len(close)
    return found


def _value(key: str, shown: str) -> Any:
    """Return what a field says: JSON or a Python value where it is one, else the text."""
    if key == "description" or not shown or shown[0] in "'\"(":
        return shown
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(shown)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return value if isinstance(value, str | int | float | list | dict | None) else shown
    return shown


def tool_body(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool as Chat sends it.

    >>> tool_body(ToolSpec("f"))
    {'type': 'function', 'function': {'name': 'f'}}
    """
    fields = {"name": tool.name, "description": tool.description, "parameters": thaw(tool.parameters)}
    return {"type": "function", "function": present(fields | {"strict": tool.strict})}


def _tool(value: Any) -> ToolSpec | None:
    inner = value.get("function", value) if isinstance(value, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        return None
    if not {key for key, one in inner.items() if one is not None} <= _FIELDS:
        return None
    parameters = inner.get("parameters")
    if not isinstance(parameters, dict | None):
        return None
    frozen = None if parameters is None else FrozenMap(parameters)
    return ToolSpec(inner["name"], inner.get("description"), frozen, inner.get("strict"))
