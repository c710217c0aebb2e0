"""What the server of Anthropic Messages refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..checks import (
    among,
    at_most,
    between,
    fields_of,
    first_is,
    has,
    instead,
    is_filled,
    is_not_blank,
    matches,
    names_one,
    needs,
    ranges,
    relabel,
    remove,
    results_follow,
    says_something,
    that,
)
from ..rules import (
    GONE,
    OBJECT,
    Rule,
    Rules,
)

_SDK: Final = "anthropic 2.14, types, 2026-11-26"
_DOCS: Final = "Anthropic, Messages API reference and its errors, 2026-11"

NAME: Final = r"[a-zA-Z0-9_-]{1,128}"
ID: Final = r"[a-zA-Z0-9_-]+"
IMAGES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
_NAMED: Final = matches(NAME, "a name of 1 to 128 letters, digits, _ and -")
_ID: Final = matches(ID, "an id of letters, digits, _ and -")
_RELABEL: Final = relabel("a-zA-Z0-9_-", 64)
_SPELT: Final = that(lambda kind: kind != "image/jpg", "{} goes by another word", str)
_JPEG: Final = instead({"image/jpg": "image/jpeg"})


def _ends_clean(messages: Any) -> Any:
    message = messages[-1] if messages else None
    content = message.get("content") if isinstance(message, OBJECT) and message.get("role") == "assistant" else None
    text = content[-1].get("text") if isinstance(content, list) and content else content
    if content and isinstance(text, str) and text != text.rstrip():
        where = "" if text is content else f"[{len(content) - 1}].text"
        yield f"[{len(messages) - 1}].content{where}", "a last assistant message ends with white space"


def _clean_end(messages: Any) -> list[Any]:
    *before, last = messages
    content = last["content"]
    if isinstance(content, str):
        return [*before, {**last, "content": content.rstrip()}]
    return [*before, {**last, "content": [*content[:-1], {**content[-1], "text": content[-1]["text"].rstrip()}]}]


def _filled(messages: Any) -> Any:
    """Find messages without content; the last one may be an assistant message that is to be continued."""
    for index, message in enumerate(messages):
        content = message.get("content") if isinstance(message, OBJECT) else True
        if content.strip() if isinstance(content, str) else content:
            continue
        is_open = index == len(messages) - 1 and isinstance(message, OBJECT) and message.get("role") == "assistant"
        if not is_open:
            yield f"[{index}]", "a message without content"


def _without_empty(messages: Any) -> list[Any]:
    empty = {where for where, _ in _filled(messages)}
    return [GONE if f"[{index}]" in empty else message for index, message in enumerate(messages)]


def _rank(block: Any) -> bool:
    return not (isinstance(block, OBJECT) and block.get("type") == "tool_result")


def _is_results_first(content: list[Any]) -> bool:
    return sorted(content, key=_rank) == content


def _id_of(kind: str, name: str) -> Any:
    return lambda block: block.get(name) if block.get("type") == kind else None


def _thinking(body: Mapping[str, Any]) -> Any:
    """Find parameters that do not go together with extended thinking."""
    thinking = body.get("thinking")
    if not isinstance(thinking, OBJECT) or thinking.get("type") != "enabled":
        return
    budget, cap, choice = thinking.get("budget_tokens"), body.get("max_tokens"), body.get("tool_choice")
    if isinstance(budget, int) and isinstance(cap, int) and budget >= cap:
        yield ".thinking.budget_tokens", "the budget is not less than max_tokens"
    if body.get("temperature") not in (None, 1):
        yield ".temperature", "with thinking the temperature is 1"
    if isinstance(choice, OBJECT) and choice.get("type") in ("any", "tool"):
        yield ".tool_choice", "with thinking a call cannot be forced"


def _beside_tools(name: str, is_idle: Any) -> Any:
    words = "tool_choice may only be specified while providing tools"
    return needs(_DOCS, name, lambda body: body.get("tools"), words, is_idle)


def _is_open(choice: Any) -> bool:
    """Tell whether a choice forces nothing."""
    return isinstance(choice, OBJECT) and choice.get("type") in ("auto", "none")


def _is_signed(block: Mapping[str, Any]) -> bool:
    return block.get("type") != "thinking" or bool(block.get("signature"))


_BLOCK: Final = "messages[*].content[*]"

RULES: Final = Rules.of(
    Rule("system[*]", says_something, _DOCS, remove, "trimmed"),
    Rule("system", is_filled, _DOCS, remove, "by-format-rule"),
    Rule(f"{_BLOCK}.content[*]", says_something, _DOCS, remove, "trimmed"),
    Rule(
        f"{_BLOCK}.content[*].source.media_type",
        that(lambda kind: kind != "image/jpg", "{}", str),
        _SDK,
        _JPEG,
        "renamed",
    ),
    Rule(f"{_BLOCK}.source.media_type", that(lambda kind: kind != "image/jpg", "{}", str), _SDK, _JPEG, "renamed"),
    Rule(f"{_BLOCK}.source.media_type", among(*IMAGES, "application/pdf", "text/plain"), _SDK),
    Rule(f"{_BLOCK}.id", _ID, _DOCS, _RELABEL, "relabelled"),
    Rule(f"{_BLOCK}.tool_use_id", _ID, _DOCS, _RELABEL, "relabelled"),
    Rule(f"{_BLOCK}.name", _NAMED, _DOCS),
    Rule(_BLOCK, says_something, _DOCS, remove, "trimmed"),
    Rule(_BLOCK, that(_is_signed, "thinking without a signature", Mapping), _DOCS, remove, "reasoning-dropped"),
    Rule(
        "messages[*].content",
        that(_is_results_first, "results of tools stand first", list),
        _DOCS,
        lambda content: sorted(content, key=_rank),
        "reordered",
    ),
    Rule("messages", _ends_clean, _DOCS, _clean_end, "trimmed"),
    Rule("messages", _filled, _DOCS, _without_empty, "message-dropped", of_texts=False),
    Rule("messages", first_is("user"), _DOCS, kind="rule-breach"),
    Rule(
        "messages",
        results_follow("content", _id_of("tool_use", "id"), _id_of("tool_result", "tool_use_id")),
        _DOCS,
        kind="rule-breach",
        of_texts=False,
    ),
    Rule(
        "messages",
        that(lambda messages: any(m is not GONE for m in messages), "no message", list),
        _DOCS,
        kind="rule-breach",
    ),
    Rule("tools", is_filled, _DOCS, remove, "by-format-rule"),
    Rule("tools[*].name", _NAMED, _DOCS),
    Rule("max_tokens", between(1), _DOCS),
    *ranges(_SDK, temperature=(0, 1), top_p=(0, 1)),
    Rule("thinking.budget_tokens", between(1024), _SDK),
    Rule("stop_sequences[*]", is_not_blank, _DOCS, remove, "parameter-dropped"),
    Rule("metadata.user_id", at_most(256, "characters"), _DOCS),
    *_beside_tools("tool_choice.disable_parallel_tool_use", lambda _: True),
    *_beside_tools("tool_choice", _is_open),
    names_one(_DOCS, "tool_choice", lambda one: one.get("name"), lambda body: fields_of(body.get("tools"), "name")),
    Rule("", has("max_tokens"), _SDK, whole=True),
    Rule("", _thinking, _DOCS, kind="rule-breach"),
)
