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
_FUNCTION: Final = re.compile(
    r"<function>\n<name>(?P<name>[^<\n]+)</name>(?:\n<description>(?P<description>.*?)</description>)?"
    r"\n<parameters>(?P<inner>.*?)\n</parameters>(?P<more>.*?)\n</function>",
    re.DOTALL,
)
_PARAMETER: Final = re.compile(r"\n<parameter>\n<name>(.*?)</name>(.*?)\n</parameter>", re.DOTALL)
_FIELD: Final = re.compile(r"\n<(\w+)>(.*?)</\1>", re.DOTALL)


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
        found = _FUNCTION.match(text, position)
        if found is None:
            return None
        properties = {name: self._read_fields(fields) for name, fields in _PARAMETER.findall(found["inner"])}
        rest = self._read_fields(_PARAMETER.sub("", found["inner"]))
        schema = FrozenMap({"type": "object", "properties": properties, **rest})
        strict = self._read_fields(found["more"]).get("strict")
        tool = ToolSpec(found["name"], found["description"], schema, strict if isinstance(strict, bool) else None)
        return (tool, found.end()) if self.write(tool) == found.group() else None

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

    def _read_fields(self, text: str) -> dict[str, Any]:
        return {key: _value(key, shown) for key, shown in _FIELD.findall(text)}


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
    if not isinstance(inner, dict) or not set(inner) <= _FIELDS or not isinstance(inner.get("name"), str):
        return None
    parameters = inner.get("parameters")
    if not isinstance(parameters, dict | None):
        return None
    frozen = None if parameters is None else FrozenMap(parameters)
    return ToolSpec(inner["name"], inner.get("description"), frozen, inner.get("strict"))
