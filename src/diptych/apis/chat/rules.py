"""What the server of Chat Completions refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..checks import (
    among,
    at_most,
    between,
    is_filled,
    matches,
    names_one,
    needs,
    ranges,
    remove,
    says_json,
    that,
    value_at,
)
from ..rules import (
    OBJECT,
    Rule,
    Rules,
    nested,
)

_SPEC: Final = "OpenAI API specification, createChatCompletion, 2026-11-23"
_SDK: Final = "openai 3.57, types/chat, 2026-11-26"
_DOCS: Final = "OpenAI, guides on function calling and structured outputs, 2026-11"

NAME: Final = r"[a-zA-Z0-9_-]{1,64}"
_NAMED: Final = matches(NAME, "a name of 1 to 64 letters, digits, _ and -")


_PLAIN: Final = frozenset({"role", "content", "name"})


def _links(messages: Any) -> Any:
    """Find results without a call before them, and calls that no result follows."""
    open_: dict[str, int] = {}
    if all(type(one) is dict and one.keys() <= _PLAIN and one.get("role") != "tool" for one in messages):
        return
    for index, message in enumerate(messages):
        if not isinstance(message, OBJECT):
            continue
        if message.get("role") == "tool":
            if open_.pop(str(message.get("tool_call_id")), None) is None:
                yield f"[{index}].tool_call_id", "no call with this id stands before the result"
            continue
        yield from ((f"[{at}].tool_calls", f"no result follows the call {id_!r}") for id_, at in open_.items())
        calls = message.get("tool_calls") or ()
        open_ = {str(call.get("id")): index for call in calls if isinstance(call, OBJECT)}


#: The parts that the messages of a role take; a user's takes all.
_PARTS: Final = {
    "tool": ("text",),
    "system": ("text",),
    "developer": ("text",),
    "assistant": ("text", "refusal"),
}


def _parts_of_role(message: Any) -> Any:
    """Find the parts that a message of its role does not take."""
    content = message.get("content") if isinstance(message, OBJECT) else None
    for index, part in enumerate(content if isinstance(content, list) else ()):
        if not _is_taken(message, part):
            yield f".content[{index}]", f"a message of the role {message['role']} does not take this"


def _is_taken(message: Mapping[str, Any], part: Any) -> bool:
    known = _PARTS.get(str(message.get("role")))
    return known is None or (isinstance(part, OBJECT) and part.get("type") in known)


def _taken_alone(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": [part for part in message["content"] if _is_taken(message, part)] or ""}


_ERRORS: Final = "OpenAI, errors of Chat Completions in public reports of 2023-06 to 2026-08, read 2026-11-27"


def _beside(name: str, other: str, is_idle: Callable[[Any], bool], verb: str = "are specified") -> Any:
    words = f"{name!r} is only allowed when {other!r} {verb}"
    return needs(_ERRORS, name, lambda body: body.get(other), words, is_idle)


def _is_open(choice: Any) -> bool:
    """Tell whether a choice forces nothing."""
    return choice in ("auto", "none")


def _plain_name(function: Any) -> Any:
    return value_at(function, ("name",))


def _name(tool: Mapping[str, Any]) -> Any:
    kind = tool.get("type")
    return value_at(tool, (kind, "name")) if kind in ("function", "custom") else None


#: What an assistant may say besides its content; a server of one's own may take more (``reasoning_content``).
_SAYS_NOTHING: Final = frozenset({"role", "name", "content"})


def _says(message: Mapping[str, Any]) -> bool:
    if message.get("role") != "assistant" or message.get("content") not in (None, []):
        return True
    return any(value not in (None, []) and name not in _SAYS_NOTHING for name, value in message.items())


RULES: Final = Rules.of(
    Rule("messages", is_filled, _SPEC, kind="rule-breach"),
    Rule("messages", _links, _DOCS, kind="rule-breach", of_texts=False),
    Rule("messages[*].name", matches(r"[^\s<|\\/>]{1,64}", "a name without white space and <|\\/>"), _SPEC),
    Rule("messages[*].tool_calls[*].function.name", _NAMED, _SPEC),
    Rule("messages[*].content[*].input_audio.format", among("wav", "mp3"), _SDK),
    Rule("messages[*]", nested(that(_says, "a message without content", Mapping)), _ERRORS, remove, "message-dropped"),
    Rule("messages[*]", nested(_parts_of_role), _SDK, _taken_alone, "media-dropped"),
    Rule("prompt_cache_options.ttl", among("30m"), _SDK, kind="rule-breach"),
    Rule("tools", at_most(128, "tools"), _SPEC),
    Rule("tools", is_filled, _SPEC, remove, "by-format-rule"),
    Rule("tools[*].function.name", _NAMED, _SPEC),
    Rule("functions[*].name", _NAMED, _SPEC),
    Rule("response_format.json_schema.name", _NAMED, _SPEC),
    Rule("stop", at_most(4, "stop sequences", (list, tuple)), _SPEC),
    *ranges(_SPEC, temperature=(0, 2), top_p=(0, 1), presence_penalty=(-2, 2), frequency_penalty=(-2, 2)),
    *ranges(_SPEC, n=(1, 128), top_logprobs=(0, 20)),
    Rule("max_tokens", between(1), _SPEC),
    Rule("max_completion_tokens", between(1), _SPEC),
    Rule("metadata", at_most(16, "entries"), _SPEC),
    Rule("safety_identifier", at_most(128, "characters"), _SDK),
    Rule("modalities[*]", among("text", "audio"), _SDK, remove, "parameter-dropped"),
    *_beside("tool_choice", "tools", _is_open),
    *_beside("parallel_tool_calls", "tools", lambda _: True),
    *_beside("function_call", "functions", _is_open),
    *_beside("top_logprobs", "logprobs", lambda _: False, "is enabled"),
    *_beside("stream_options", "stream", lambda _: True, "is enabled"),
    names_one(_ERRORS, "tool_choice", _name, lambda body: map(_name, body.get("tools") or ())),
    names_one(_ERRORS, "function_call", _plain_name, lambda body: map(_plain_name, body.get("functions") or ())),
    Rule("", says_json(lambda body: body.get("messages"), ("response_format", "type")), _SPEC, kind="rule-breach"),
)
