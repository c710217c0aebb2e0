"""What a strict test server refuses inside of the messages, tools and formats of a Chat body.

Rule: what is missing, empty or of another type, at its parameter and in the words of OpenAI's server, as public issue
reports quote them (2024-2026). Names, ranges and what excludes each other stand in :mod:`.refusals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .refusals import TYPE_NAMES, BadRequestError

#: The field that each part of a content has, and its type.
_PARTS: Final[Mapping[str, tuple[str, type]]] = {
    "text": ("text", str), "image_url": ("image_url", dict), "input_audio": ("input_audio", dict),
    "refusal": ("refusal", str), "audio": ("audio", dict), "file": ("file", dict),
}  # fmt: skip
#: What an assistant may say in place of a content.
_INSTEAD: Final = ("tool_calls", "function_call", "refusal", "audio")
#: The longest value of the metadata (characters).
_MOST_METADATA: Final = 512


def check_nested(body: Mapping[str, Any]) -> None:
    """Raise BadRequestError for the first such fault of a Chat body whose outer types are right."""
    for index, message in enumerate(body["messages"]):
        _check_content(message, f"messages[{index}]")
    for index, tool in enumerate(body.get("tools") or ()):
        if _needed(tool, "type", str, f"tools[{index}]") == "function":
            _check_function(_needed(tool, "function", dict, f"tools[{index}]"), f"tools[{index}].function")
    _check_format(body.get("response_format"))
    if body.get("functions") == []:
        raise BadRequestError("[] is too short - 'functions'", "functions")
    if body.get("function_call") is not None and not body.get("functions"):
        words = "'function_call' is only allowed when 'functions' are specified."
        raise BadRequestError(f"Invalid value for 'function_call': {words}", "function_call")
    _check_names(body)


def _needed(value: Any, name: str, kind: type, path: str) -> Any:
    """Return a field that must be there."""
    if not isinstance(value, Mapping):
        raise _of_type(path, dict, value)
    if value.get(name) is None:
        words = f"Missing required parameter: '{path}.{name}'."
        raise BadRequestError(words, f"{path}.{name}", "missing_required_parameter")
    if not isinstance(value[name], kind):
        raise _of_type(f"{path}.{name}", kind, value[name])
    return value[name]


def _of_type(path: str, kind: type, value: Any) -> BadRequestError:
    words = f"expected {TYPE_NAMES[kind]}, but got {TYPE_NAMES.get(type(value), 'another value')} instead."
    return BadRequestError(f"Invalid type for '{path}': {words}", path, "invalid_type")


def _empty(path: str) -> BadRequestError:
    words = "Expected an array with minimum length 1, but got an empty array instead."
    return BadRequestError(f"Invalid '{path}': empty array. {words}", path, "empty_array")


def _check_content(message: Mapping[str, Any], path: str) -> None:
    content, is_assistant = message.get("content"), message.get("role") == "assistant"
    if message.get("tool_calls") == []:
        raise _empty(f"{path}.tool_calls")
    if content is None and not (is_assistant and any(message.get(name) for name in _INSTEAD)):
        raise BadRequestError("Invalid value for 'content': expected a string, got null.", f"{path}.content")
    if content == []:
        raise _empty(f"{path}.content")
    for place, part in enumerate(content if isinstance(content, list) else ()):
        at = f"{path}.content[{place}]"
        kind = _needed(part, "type", str, at)
        if kind not in _PARTS:
            known = ", ".join(f"'{name}'" for name in _PARTS)
            words = f"Invalid value: '{kind}'. Supported values are: {known}."
            raise BadRequestError(words, f"{at}.type", "invalid_value")
        inner = _needed(part, *_PARTS[kind], at)
        if kind == "image_url":
            _needed(inner, "url", str, f"{at}.image_url")


def _check_function(function: Mapping[str, Any], path: str) -> None:
    name, parameters = _needed(function, "name", str, path), function.get("parameters")
    if parameters is None:
        return
    if not isinstance(parameters, Mapping):
        raise _of_type(f"{path}.parameters", dict, parameters)
    if (kind := parameters.get("type", "object")) != "object":
        words = f"""schema must be a JSON Schema of 'type: "object"', got 'type: "{kind}"'."""
        code = "invalid_function_parameters"
        raise BadRequestError(f"Invalid schema for function '{name}': {words}", f"{path}.parameters", code)


def _check_format(wanted: Any) -> None:
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_schema":
        schema = _needed(wanted, "json_schema", dict, "response_format")
        _needed(schema, "name", str, "response_format.json_schema")


def _check_names(body: Mapping[str, Any]) -> None:
    for key in body.get("logit_bias") or ():
        if not key.isdecimal():
            words = "You should only be submitting non-negative integers."
            raise BadRequestError(f"Invalid key in 'logit_bias': {key}. {words}", "logit_bias")
    for key, value in (body.get("metadata") or {}).items():
        if isinstance(value, str) and len(value) > _MOST_METADATA:
            words = f"string too long. Expected a string with maximum length {_MOST_METADATA}"
            path = f"metadata.{key}"
            raise BadRequestError(f"Invalid '{path}': {words}.", path, "string_above_max_length")
