"""Tools as Harmony declares them: a namespace of TypeScript types.

``write_tools`` writes what OpenAI's renderer does (openai-harmony 0.0.8). TypeScript says less than a JSON Schema:
an integer is a number, and what it has no word for is ``any``. ``read_tools`` reads the types back, and takes them
for tools only where these are written the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..model import FrozenMap, ToolSpec, thaw

_HEAD: Final = "# Tools\n\n## functions\n\nnamespace functions {\n\n"
_TAIL: Final = "} // namespace functions"
_TYPE: Final = re.compile(r"type (?P<name>[^\s(]+) = \((?:\) => any;|_: (?:// (?P<note>.*)|\{))\Z")
_FIELD: Final = re.compile(r"(?P<name>[^\s?:]+)(?P<maybe>\??): (?P<type>.*?),(?: // default: (?P<default>.*))?\Z")
_SIMPLE: Final = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}
_STEP: Final = "    "


def write_tools(tools: Sequence[ToolSpec]) -> str:
    """Return the section of a developer message that declares tools.

    >>> write_tools([ToolSpec("now", "Tell the time.")]).splitlines()[6:8]
    ['// Tell the time.', 'type now = () => any;']
    """
    return _HEAD + "".join(map(_declared, tools)) + _TAIL


def read_tools(text: str) -> tuple[str, tuple[ToolSpec, ...]]:
    """Return the text before a section of tools, and the tools; the whole text where it ends in none.

    >>> read_tools("Hi\\n\\n" + write_tools([ToolSpec("now")]))[0]
    'Hi'
    """
    start = text.rfind(_HEAD)
    if start < 0 or not text.endswith(_TAIL) or (start and not text.endswith("\n\n", 0, start)):
        return text, ()
    section = text[start:]
    tools = _tools(section[len(_HEAD) : -len(_TAIL)])
    return (text[: max(0, start - 2)], tools) if tools and write_tools(tools) == section else (text, ())


def _declared(tool: ToolSpec) -> str:
    lines = (tool.description or "").splitlines()
    comment = "".join(f"// {line}\n" for line in lines)
    given = "" if tool.parameters is None else f"_: {_type(thaw(tool.parameters), '')}"
    return f"{comment}type {tool.name} = ({given}) => any;\n\n"


def _type(schema: Any, indent: str) -> str:
    """Return the type of a schema; the fields of an object stand behind ``indent``."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(kind, list):
        shown = " | ".join(_SIMPLE.get(one, "any") for one in kind)
    elif kind == "object":
        shown = _object(schema, indent)
    elif kind == "array":
        items = schema.get("items")
        shown = "Array<any>" if items is None else f"{_type(items, indent)}[]"
    elif kind == "string" and schema.get("enum"):
        shown = " | ".join(f'"{one}"' for one in schema["enum"])
    else:
        shown = _SIMPLE.get(str(kind), "any") if kind != "null" else "any"
    return f"{shown} | null" if isinstance(schema, dict) and schema.get("nullable") is True else shown


def _object(schema: Mapping[str, Any], indent: str) -> str:
    description = f"{indent}// {schema['description']}\n" if schema.get("description") else ""
    required = schema.get("required") or ()
    fields = (schema.get("properties") or {}).items()
    inner = "".join(_field(name, one, indent, name in required) for name, one in fields)
    return f"{description}{{\n{inner}{indent}}}"


def _field(name: str, schema: Any, indent: str, is_required: bool) -> str:
    fields = schema if isinstance(schema, dict) else {}
    comment = f"{indent}// {fields['title']}\n{indent}//\n" if fields.get("title") else ""
    comment += f"{indent}// {fields['description']}\n" if fields.get("description") else ""
    if fields.get("examples"):
        shown = (f"{indent}// - {json.dumps(one, ensure_ascii=False)}\n" for one in fields["examples"])
        comment += f"{indent}// Examples:\n{''.join(shown)}"
    default = f" // default: {_default(fields)}" if "default" in fields else ""
    mark = "" if is_required else "?"
    return f"{comment}{indent}{name}{mark}: {_type(schema, indent + _STEP)},{default}\n"


def _default(schema: Mapping[str, Any]) -> str:
    value = schema["default"]
    if isinstance(value, str) and schema.get("enum"):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# reading ------------------------------------------------------------------------------------


def _tools(inner: str) -> tuple[ToolSpec, ...]:
    """Return the tools of a namespace, none where it holds anything else."""
    found: list[ToolSpec] = []
    lines = iter(inner.split("\n"))
    comment: list[str] = []
    for line in lines:
        if line.startswith("// "):
            comment.append(line[3:])
        elif head := _TYPE.match(line):
            found.append(ToolSpec(head["name"], "\n".join(comment) or None, _parameters(head, lines)))
            comment = []
        elif line:
            return ()
    return tuple(found)


def _parameters(head: re.Match[str], lines: Iterator[str]) -> FrozenMap | None:
    if head.group().endswith("any;"):
        return None
    if (note := head["note"]) is None:
        return FrozenMap(_read_object(lines, ""))
    next(lines, "")
    return FrozenMap(_read_object(lines, "") | {"description": note})


def _read_object(lines: Iterator[str], indent: str) -> dict[str, Any]:
    """Return the schema of an object, or of lists of it, whose fields come line by line, its end included."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    comment: list[str] = []
    end = ""
    for line in lines:
        line = line.removeprefix(indent)
        if line.startswith("}"):
            end = line
            break
        if line.startswith("// "):
            comment.append(line[3:])
            continue
        name, schema, is_required = _read_field(line, lines, indent + _STEP)
        properties[name] = ({"description": "\n".join(comment)} if comment else {}) | schema
        required += [name] if is_required else []
        comment = []
    made = {"type": "object", "properties": properties} | ({"required": required} if required else {})
    return _listed(made, end.count("[]"))


def _listed(schema: dict[str, Any], depth: int) -> dict[str, Any]:
    return _listed({"type": "array", "items": schema}, depth - 1) if depth else schema


def _read_field(line: str, lines: Iterator[str], inner: str) -> tuple[str, dict[str, Any], bool]:
    """Return name and schema of a field, and whether it is required; an object goes on behind ``inner``."""
    name, colon, rest = line.partition(": ")
    opening = next(lines, "") if colon and rest.startswith(f"{inner}// ") else rest if colon else ""
    if opening == "{":
        schema = _read_object(lines, inner)
        if rest != "{":
            described = schema
            while "items" in described:
                described = described["items"]
            described["description"] = rest.removeprefix(f"{inner}// ")
        return name.removesuffix("?"), schema, not name.endswith("?")
    found = _FIELD.fullmatch(line)
    if found is None:
        return line, {}, False  # written again, it is another text
    schema = _read_type(found["type"])
    if found["default"] is not None:
        schema["default"] = _read_default(found["default"])
    return found["name"], schema, not found["maybe"]


def _read_type(shown: str) -> dict[str, Any]:
    if shown.startswith('"') and shown.endswith('"'):
        return {"type": "string", "enum": shown[1:-1].split('" | "')}
    if shown == "Array<any>":
        return {"type": "array"}
    if shown.endswith("[]"):
        return {"type": "array", "items": _read_type(shown[:-2])}
    kinds = shown.split(" | ")
    return {} if shown == "any" else {"type": kinds if len(kinds) > 1 else shown}


def _read_default(shown: str) -> Any:
    try:
        return json.loads(shown)
    except ValueError:
        return shown
