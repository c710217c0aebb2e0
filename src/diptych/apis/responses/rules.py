"""What the server of OpenAI Responses refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from ..checks import (
    among,
    at_most,
    between,
    fields_of,
    is_filled,
    matches,
    names_one,
    needs,
    ranges,
    relabel,
    remove,
    says_json,
    that,
)
from ..rules import (
    OBJECT,
    Check,
    Mend,
    Rule,
    Rules,
    nested,
)

_SPEC: Final = "OpenAI API specification, createResponse, 2026-11-23"
_SDK: Final = "openai 3.57, types/responses, 2026-11-26"
_ERRORS: Final = "OpenAI, errors of Responses in public reports of 2025-10 to 2026-08, read 2026-11-27"
_DOCS: Final = "OpenAI, guides on reasoning and function calling, 2026-11"

NAME: Final = r"[a-zA-Z0-9_-]{1,128}"
_NAMED: Final = matches(NAME, "a name of 1 to 128 letters, digits, _ and -")
_ID: Final = matches(r"(?s).{0,64}", "an id of at most 64 characters")
_SHORT: Final = relabel("a-zA-Z0-9_-", 64)
_OUTPUTS: Final = {"function_call_output": "function_call", "custom_tool_call_output": "custom_tool_call"}


def _links(items: Any) -> Any:
    """Find outputs whose call is not in the input. (The call may stand in an earlier response.)"""
    if not isinstance(items, list):
        return
    objects = [(index, item) for index, item in enumerate(items) if isinstance(item, OBJECT)]
    calls = [item.get("call_id") for _, item in objects if str(item.get("type")) not in _OUTPUTS]
    known = {call for call in calls if isinstance(call, str)}
    for index, item in objects:
        if str(item.get("type")) in _OUTPUTS and str(item.get("call_id")) not in known:
            yield f".input[{index}].call_id", "no call with this id is in the input"


def _open_calls(items: Any) -> Any:
    """Find calls without output that something is said after: the server wants every output before it goes on."""
    if not isinstance(items, list):
        return
    objects = [item if isinstance(item, OBJECT) else {} for item in items]
    said = [index for index, item in enumerate(objects) if item.get("role") in ("user", "system", "developer")]
    answered = {str(item.get("call_id")) for item in objects if str(item.get("type")) in _OUTPUTS}
    for index, item in enumerate(objects[: said[-1]] if said else ()):
        if item.get("type") in _OUTPUTS.values() and str(item.get("call_id")) not in answered:
            yield f"[{index}].call_id", f"no tool output found for the call {item.get('call_id')!r}"


def _links_of_body(body: Mapping[str, Any]) -> Any:
    if body.get("previous_response_id") is None and body.get("conversation") is None:
        yield from _links(body.get("input"))


def _reasoning_ends(items: Any) -> Any:
    """Find reasoning at the end of the input: the server wants the item that it led to."""
    if isinstance(items, list) and items and isinstance(items[-1], OBJECT) and items[-1].get("type") == "reasoning":
        yield f"[{len(items) - 1}]", "no item follows the reasoning"


def _lacks(name: str, kind: str) -> Check:
    return that(lambda value: value.get("type") != kind or name in value, f"without {name}", Mapping)


def _with(name: str, default: Any) -> Mend:
    return lambda value: {**value, name: default}


def _has_id(item: Mapping[str, Any]) -> bool:
    content: Any = item.get("content")
    is_output = item.get("role") == "assistant" and isinstance(content, list)
    kinds = {part.get("type") for part in content if isinstance(part, OBJECT)} if is_output else ()
    return "id" in item or not {"output_text", "refusal"} & set(kinds)


def _as_output(item: dict[str, Any]) -> dict[str, Any]:
    """Return an assistant's message as the output that it was, as the SDK has it."""
    parts = [{**part, "annotations": []} if part.get("type") == "output_text" else part for part in item["content"]]
    id_ = f"msg_{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}"
    return {"type": "message", "id": id_, "status": "completed", **item, "content": parts}


_IMAGE: Final = Rule("", _lacks("detail", "input_image"), _SDK, _with("detail", "auto"), "defaulted")


def _media_said(item: Any) -> Any:
    """Find media in a message of the assistant, which says texts alone."""
    content = item.get("content") if isinstance(item, OBJECT) and item.get("role") == "assistant" else None
    for index, part in enumerate(content if isinstance(content, list) else ()):
        if _is_media(part):
            yield f".content[{index}]", "the assistant says texts alone"


def _is_media(part: Any) -> bool:
    return isinstance(part, OBJECT) and part.get("type") in ("input_image", "input_file")


def _without_media(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "content": [part for part in item["content"] if not _is_media(part)]}


#: Kinds of tools that bring further tools with them.
_GROUPS: Final = frozenset({"mcp", "namespace", "tool_search"})


def _may_choose(body: Mapping[str, Any]) -> bool:
    """Tell whether there is something to choose from, or nothing is forced; a stored prompt has tools of its own."""
    return bool(body.get("tools") or body.get("prompt")) or body.get("tool_choice") in ("auto", "none")


def _names(body: Mapping[str, Any]) -> Any:
    kinds = {*fields_of(body.get("tools"), "type")}
    is_open = body.get("prompt") is not None or not _GROUPS.isdisjoint(kinds)
    return [_named(body["tool_choice"])] if is_open else fields_of(body.get("tools"), "name")


def _named(choice: Mapping[str, Any]) -> Any:
    return choice.get("name") if choice.get("type") in ("function", "custom") else None


RULES: Final = Rules.of(
    Rule("input", is_filled, _SPEC, kind="rule-breach"),
    Rule("input", _open_calls, _ERRORS, kind="rule-breach", of_texts=False),
    Rule("input", _reasoning_ends, _DOCS, kind="rule-breach", of_texts=False),
    Rule("input[*].call_id", _ID, _SPEC, _SHORT, "relabelled"),
    Rule("input[*].name", _NAMED, _SPEC),
    Rule("input[*]", nested(_media_said), _SDK, _without_media, "media-dropped"),
    Rule("input[*].content[*].detail", among("low", "high", "auto", "original"), _SDK),
    _IMAGE._replace(at="input[*].content[*]"),
    _IMAGE._replace(at="input[*].output[*]"),
    Rule("input[*]", nested(that(_has_id, "output without an id", Mapping)), _SDK, _as_output, "synthesised"),
    Rule("tools[*]", _lacks("parameters", "function"), _SDK, _with("parameters", None), "synthesised"),
    Rule("tools[*]", _lacks("strict", "function"), _DOCS, _with("strict", False), "defaulted"),
    Rule("tools", is_filled, _SPEC, remove, "by-format-rule"),
    Rule("tools[*].name", _NAMED, _SPEC),
    Rule("text.format", _lacks("name", "json_schema"), _SDK, _with("name", "response"), "synthesised"),
    Rule("text.format.name", matches(r"[a-zA-Z0-9_-]{1,64}", "a name of 1 to 64 letters, digits, _ and -"), _SPEC),
    *needs(_ERRORS, "tool_choice", _may_choose, "a choice of tools needs tools", lambda _: False),
    names_one(_ERRORS, "tool_choice", _named, _names),
    *ranges(_SPEC, temperature=(0, 2), top_p=(0, 1), top_logprobs=(0, 20)),
    Rule("max_output_tokens", between(1), _SPEC),
    Rule("max_output_tokens", between(16), _SPEC, lambda cap: max(cap, 16), "clamped"),
    Rule("metadata", at_most(16, "entries"), _SPEC),
    Rule("safety_identifier", at_most(128, "characters"), _SDK),
    Rule(
        "",
        says_json(lambda body: [body.get("instructions"), body.get("input")], ("text", "format", "type")),
        _DOCS,
        kind="rule-breach",
    ),
    Rule("", _links_of_body, _DOCS, kind="rule-breach", of_texts=False),
)
