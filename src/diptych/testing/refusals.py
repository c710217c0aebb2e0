"""What the test server refuses with status 400, in the words of OpenAI's servers.

Rule: a body that is malformed (a field missing, or of another type) is always refused, as nobody could
answer it. A ``strict`` server also refuses what the real one does and many others let pass: numbers out
of range, unknown names, calls without results, parameters that exclude each other. Ranges and types are
those of :mod:`diptych.apis.schemas`, further rules those of each API's ``rules``.

Sources of the words: answers of api.openai.com, 2024-2026, as public issue reports quote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError

from ..apis.chat.request import read_request
from ..apis.chat.rules import RULES as CHAT_RULES
from ..apis.completions.rules import RULES as COMPLETIONS_RULES
from ..apis.schemas import ChatRequest, CompletionsRequest
from ..errors import DiptychError
from ..jsonpath import json_path
from ..loss import Loss


class BadRequestError(Exception):
    """A body that the real API would refuse too: the message, the parameter, the code."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param, self.code = param, code


#: Kinds of pydantic's errors that say more than that a value is of another type.
_STRICT: Final = frozenset({
    "extra_forbidden", "greater_than_equal", "less_than_equal", "too_long", "string_too_long", "literal_error",
    "value_error",
})  # fmt: skip
#: What the server calls the types of JSON.
TYPE_NAMES: Final[Mapping[type, str]] = {
    dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "an integer",
    float: "a decimal number", type(None): "null",
}  # fmt: skip
#: The most choices that anything is answered with.
_MOST: Final = 128


def check(api: str, body: Mapping[str, Any], *, strict: bool = False) -> None:
    """Raise BadRequestError where a Chat or Completions body is malformed, or ``strict`` where it is refused."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise BadRequestError("you must provide a model parameter")
    _check_shape(ChatRequest if api == "chat" else CompletionsRequest, body, strict=strict)
    if api == "chat":
        _check_messages(body)
    if _is_over(body.get("n")) or _is_over(body.get("best_of")):
        raise BadRequestError(f"Invalid 'n': integer above maximum value. Expected a value <= {_MOST}.", "n")
    if strict:
        _check_strictly(api, body)


def _is_over(value: Any) -> bool:
    return isinstance(value, int) and not 1 <= value <= _MOST


# types and ranges -------------------------------------------------------------------------------------


def _check_shape(schema: type[BaseModel], body: Mapping[str, Any], *, strict: bool) -> None:
    # Where a value may be null, the server means that it was not given.
    given = {name: value for name, value in body.items() if value is not None or name == "messages"}
    if schema is CompletionsRequest and "prompt" in body:
        given.setdefault("prompt", "")  # null means <|endoftext|>
    try:
        schema.model_validate(given)
    except ValidationError as error:
        for found in _by_name(error):
            if strict or found.kind not in _STRICT:
                raise _refusal(found) from None


class _Found(NamedTuple):
    """What pydantic says of one parameter."""

    name: str
    kind: str
    path: str
    value: Any
    context: Mapping[str, Any]
    message: str


def _by_name(error: ValidationError) -> Iterator[_Found]:
    """Yield one finding per parameter: of several ways in which it could be read, the one that came furthest."""
    groups: dict[str, list[Any]] = {}
    for one in error.errors(include_url=False):
        groups.setdefault(str(one["loc"][0]), []).append(one)
    for name, found in groups.items():
        best = max(found, key=lambda one: (one["type"] in _STRICT, len(one["loc"])))
        steps = [step for step in best["loc"][1:] if isinstance(step, int)]
        message = best["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        yield _Found(name, best["type"], json_path([name, *steps], "")[1:], best["input"], best.get("ctx", {}), message)


def _refusal(found: _Found) -> BadRequestError:
    name, value = found.path, found.value
    noun = "integer" if isinstance(value, int) else "decimal"
    if found.kind == "missing":
        return BadRequestError(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    if found.kind == "extra_forbidden":
        return BadRequestError(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if found.kind in ("less_than_equal", "greater_than_equal"):
        sign, where = ("<=", "above maximum") if found.kind == "less_than_equal" else (">=", "below minimum")
        limit = f"{found.context['le' if sign == '<=' else 'ge']:g}"
        message = f"Invalid '{name}': {noun} {where} value. Expected a value {sign} {limit}, but got {value} instead."
        short = "above_max" if sign == "<=" else "below_min"
        return BadRequestError(message, name, f"{noun}_{short}_value")
    if found.kind == "too_long":
        most, count = found.context["max_length"], found.context["actual_length"]
        message = f"Expected an array with maximum length {most}, but got an array with length {count} instead."
        return BadRequestError(f"Invalid '{name}': array too long. {message}", name, "array_above_max_length")
    if found.kind == "too_short":
        message = "Expected an array with minimum length 1, but got an empty array instead."
        return BadRequestError(f"Invalid '{name}': empty array. {message}", name, "empty_array")
    if found.kind in _STRICT:
        return BadRequestError(f"Invalid value for '{name}': {found.message}.", name, "invalid_value")
    got = TYPE_NAMES.get(type(value), "another value")
    message = f"Invalid type for '{name}': expected {found.message}, but got {got} instead."
    return BadRequestError(message, name, "invalid_type")


def _check_messages(body: Mapping[str, Any]) -> None:
    try:
        read_request(body)
    except DiptychError as error:
        param = (error.path or "").removeprefix("$").removeprefix(".") or None
        raise BadRequestError(f"Invalid value for '{param}': {error.message}.", param, "invalid_value") from None
    for index, message in enumerate(body["messages"]):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if part.get("type") == "text" and not isinstance(part.get("text"), str):
                param = f"messages[{index}].content[{place}].text"
                raise BadRequestError(f"Invalid type for '{param}': expected a string.", param, "invalid_type")


# what only the real server refuses ------------------------------------------------------------------


def _check_strictly(api: str, body: Mapping[str, Any]) -> None:
    for refused in _CHAT if api == "chat" else _COMPLETIONS:
        if refused.when(body):
            raise BadRequestError(refused.message, refused.param, refused.code)
    if api == "chat":
        _check_names(body)
        _check_calls(body["messages"])
    refuse_breaches((CHAT_RULES if api == "chat" else COMPLETIONS_RULES).breaches(body))


def refuse_breaches(losses: tuple[Loss, ...]) -> None:
    """Raise BadRequestError for the first rule of an API that a body breaks."""
    for loss in losses:
        param = loss.path.removeprefix("$").removeprefix(".") or None
        raise BadRequestError(f"Invalid value for '{param}': {loss.detail}.", param, "invalid_value")


class _Refused(NamedTuple):
    """Parameters that exclude or need each other."""

    when: Any
    message: str
    param: str | None
    code: str | None = None


def _word(choice: Any) -> bool:
    return isinstance(choice, str) and choice not in ("none", "auto", "required")


_CHAT: Final = (
    _Refused(
        lambda body: _word(body.get("tool_choice")),
        "Invalid value for 'tool_choice'. Supported values are: 'none', 'auto', and 'required'.",
        "tool_choice",
        "invalid_value",
    ),
    _Refused(
        lambda body: body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None,
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        None,
        "invalid_parameter_combination",
    ),
)
_COMPLETIONS: Final = (
    _Refused(
        lambda body: (body.get("best_of") or _MOST) < (body.get("n") or 1),
        "You requested that the server return more choices than it will generate: 'n' is at most 'best_of'.",
        "best_of",
    ),
    _Refused(
        lambda body: body.get("stream") and (body.get("best_of") or 1) > (body.get("n") or 1),
        "Results cannot be streamed when 'best_of' is greater than 'n'.",
        "best_of",
    ),
    _Refused(
        lambda body: body.get("suffix") and body.get("echo"),
        "You can't use 'suffix' and 'echo' in the same request.",
        "suffix",
    ),
)

#: The fields of a message of each role (API specification, createChatCompletion, 2026-11-23).
_FIELDS: Final = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "audio", "tool_calls", "function_call"},
    "tool": {"role", "content", "tool_call_id"},
    "function": {"role", "content", "name"},
}
#: Fields that the server sends with a message and takes back.
_SENT: Final = {"annotations"}


def _check_names(body: Mapping[str, Any]) -> None:
    for index, message in enumerate(body["messages"]):
        for name in message.keys() - _FIELDS[message["role"]] - _SENT:
            param = f"messages[{index}].{name}"
            raise BadRequestError(f"Unknown parameter: '{param}'.", param, "unknown_parameter")


def _check_calls(messages: list[Mapping[str, Any]]) -> None:
    open_: set[str] = set()
    for index, message in enumerate([*messages, {"role": ""}]):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_:
                words = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                raise BadRequestError(f"Invalid parameter: {words}", f"messages[{index}].role")
            open_.discard(message["tool_call_id"])
            continue
        if open_:
            words = "must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids"
            ids = ", ".join(sorted(open_))
            raise BadRequestError(
                f"An assistant message with 'tool_calls' {words} did not have response messages: {ids}",
                f"messages[{index}].role",
            )
        open_ = {str(call.get("id")) for call in message.get("tool_calls") or ()}
