"""What a template's front matter declares beside its inputs: tools, a response format, samples."""

from __future__ import annotations

from typing import Any

from ..errors import TemplateSyntaxError
from ..model import FrozenMap, ResponseFormat, ToolSpec


def read_tools(value: Any) -> tuple[ToolSpec, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TemplateSyntaxError("tools must be a list", path="$.tools")
    tools = []
    for index, item in enumerate(value):
        tool = item.get("function", item) if isinstance(item, dict) else None
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise TemplateSyntaxError("a tool needs a name", path=f"$.tools[{index}]")
        parameters = tool.get("parameters")
        if parameters is not None and not isinstance(parameters, dict):
            raise TemplateSyntaxError("a tool's parameters are a JSON Schema", path=f"$.tools[{index}].parameters")
        tools.append(
            ToolSpec(
                tool["name"],
                tool.get("description"),
                None if parameters is None else FrozenMap(parameters),
                tool.get("strict"),
            )
        )
    return tuple(tools)


def read_response_format(value: Any) -> ResponseFormat | None:
    if value is None:
        return None
    if value in ("text", "json_object"):
        return ResponseFormat(value)
    if not isinstance(value, dict):
        raise TemplateSyntaxError("response_format is text, json_object or a JSON Schema", path="$.response_format")
    if value.get("type") == "json_schema" and isinstance(value.get("json_schema"), dict):
        value = value["json_schema"]
    if isinstance(value.get("schema"), dict):
        return ResponseFormat(
            "json_schema",
            value.get("name", "reply"),
            FrozenMap(value["schema"]),
            value.get("strict"),
            value.get("description"),
        )
    return ResponseFormat("json_schema", value.get("title", "reply"), FrozenMap(value), None)


def read_samples(value: Any) -> dict[str, dict[str, Any]]:
    """Return the example inputs by name. Raises TemplateSyntaxError."""
    if value is None:
        return {}
    named, hint = named_samples(value), "write a list of mappings, or a mapping of names to them"
    if not isinstance(named, dict):
        raise TemplateSyntaxError("samples are mappings of inputs", path="$.samples", hint=hint)
    for name, one in named.items():
        if not isinstance(one, dict):
            raise TemplateSyntaxError(f"{name} must be a mapping of inputs", path=f"$.samples.{name}", hint=hint)
    return named


def named_samples(value: Any) -> Any:
    """Return samples by name: ``sample 1`` and so on for those in a list."""
    return {f"sample {number}": one for number, one in enumerate(value, 1)} if isinstance(value, list) else value
