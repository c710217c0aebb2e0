"""What the server of Chat Completions refuses."""

from __future__ import annotations

from typing import Any, Final

from ..rules import (
    OBJECT,
    Rule,
    Rules,
    among,
    at_most,
    between,
    is_filled,
    matches,
    ranges,
    remove,
    says_json,
)

_SPEC: Final = "OpenAI API specification, createChatCompletion, 2026-11-23"
_SDK: Final = "openai 3.57, types/chat, 2026-11-26"
_DOCS: Final = "OpenAI, guides on function calling and structured outputs, 2026-11"

NAME: Final = r"[a-zA-Z0-9_-]{1,64}"
_NAMED: Final = matches(NAME, "a name of 1 to 64 letters, digits, _ and -")


def _links(messages: Any) -> Any:
    """Find results without a call before them, and calls that no result follows."""
    open_: dict[str, int] = {}
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


def _media_of_results(message: Any) -> Any:
    """Find what a tool result has beside texts."""
    content = message.get("content") if isinstance(message, OBJECT) and message.get("role") == "tool" else None
    for index, part in enumerate(content if isinstance(content, list) else ()):
        if not _is_text(part):
            yield f".content[{index}]", "a tool result takes texts alone"


def _is_text(part: Any) -> bool:
    return isinstance(part, OBJECT) and part.get("type") == "text"


def _texts_alone(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": [part for part in message["content"] if _is_text(part)]}


RULES: Final = Rules.of(
    Rule("messages", is_filled, _SPEC, kind="rule-breach"),
    Rule("messages", _links, _DOCS, kind="rule-breach"),
    Rule("messages[*].name", matches(r"[^\s<|\\/>]{1,64}", "a name without white space and <|\\/>"), _SPEC),
    Rule("messages[*].tool_calls[*].function.name", _NAMED, _SPEC),
    Rule("messages[*].content[*].input_audio.format", among("wav", "mp3"), _SDK),
    Rule("messages[*]", _media_of_results, _SDK, _texts_alone, "media-dropped"),
    Rule("tools", at_most(128, "tools"), _SPEC),
    Rule("tools", is_filled, _SPEC, remove, "by-format-rule"),
    Rule("tools[*].function.name", _NAMED, _SPEC),
    Rule("functions[*].name", _NAMED, _SPEC),
    Rule("response_format.json_schema.name", _NAMED, _SPEC),
    Rule("stop", at_most(4, "stop sequences"), _SPEC),
    *ranges(_SPEC, temperature=(0, 2), top_p=(0, 1), presence_penalty=(-2, 2), frequency_penalty=(-2, 2)),
    *ranges(_SPEC, n=(1, 128), top_logprobs=(0, 20)),
    Rule("max_tokens", between(1), _SPEC),
    Rule("max_completion_tokens", between(1), _SPEC),
    Rule("metadata", at_most(16, "entries"), _SPEC),
    Rule("safety_identifier", at_most(128, "characters"), _SDK),
    Rule("", says_json(lambda body: body.get("messages"), ("response_format", "type")), _SPEC, kind="rule-breach"),
)
