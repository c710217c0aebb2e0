"""What the server of Gemini's ``generateContent`` refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..checks import (
    among,
    at_most,
    between,
    fields_of,
    has,
    is_filled,
    matches,
    needs,
    ranges,
    remove,
    that,
    value_at,
    without_field,
)
from ..rules import (
    GONE,
    OBJECT,
    Rule,
    Rules,
)

_SDK: Final = "google-genai 3.6, types, 2026-11-26"
_ERRORS: Final = "Google, errors of generateContent in pydantic-ai 5791 of 2026-06-05, read 2026-11-27"
_DOCS: Final = "Google, Gemini API reference and its errors, 2026-11"

NAME: Final = r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}"
_NAMED: Final = matches(NAME, "a name of 1 to 128 letters, digits and _.:- that begins with a letter or _")
_RANGES: Final = {
    "temperature": (0, 2), "topP": (0, 1), "candidateCount": (1, 8), "logprobs": (0, 20), "presencePenalty": (-2, 2),
    "frequencyPenalty": (-2, 2),
}  # fmt: skip
_PART: Final = "contents[*].parts[*]"


_says_something: Final = that(
    lambda part: part.get("text") != "" or not part.keys() <= {"text"}, "the text is empty", OBJECT, ".text"
)
_no_empty_contents: Final = that(lambda content: bool(content.get("parts")), "a content without parts", OBJECT)


_LINKED: Final = frozenset({"functionCall", "functionResponse"})


def _has_calls(contents: Any) -> bool:
    parts = [part for one in contents if isinstance(one, OBJECT) for part in one.get("parts") or ()]
    return not all(type(part) is dict and _LINKED.isdisjoint(part) for part in parts)


def _turns(contents: Any) -> Any:
    """Find calls that do not stand after a turn of the user, and results without as many calls before them."""
    if not _has_calls(contents):
        return
    calls = 0
    before = ""
    for index, content in enumerate(contents):
        if not isinstance(content, OBJECT):
            continue
        kinds = [kind for part in content.get("parts") or () if isinstance(part, OBJECT) for kind in part]
        if "functionCall" in kinds and before in ("", "model"):
            yield f"[{index}]", "calls stand after a turn of the user"
        if "functionResponse" in kinds and kinds.count("functionResponse") != calls:
            yield f"[{index}]", f"{kinds.count('functionResponse')} results after {calls} calls"
        calls, before = kinds.count("functionCall"), content.get("role") or "user"


_CHOICE: Final = "toolConfig.functionCallingConfig"


def _declared(body: Mapping[str, Any]) -> set[Any]:
    groups = fields_of(body.get("tools"), "functionDeclarations")
    return {name for group in groups for name in fields_of(group, "name")}


def _may_choose(body: Mapping[str, Any]) -> bool:
    return bool(_declared(body)) or value_at(body, ("toolConfig", "includeServerSideToolInvocations")) is True


def _is_open(choice: Any) -> bool:
    """Tell whether a choice forces nothing."""
    return isinstance(choice, OBJECT) and choice.get("mode") in (None, "MODE_UNSPECIFIED", "AUTO", "NONE")


def _allows_offered(body: Mapping[str, Any]) -> bool:
    allowed = value_at(body, (*_CHOICE.split("."), "allowedFunctionNames"))
    return {*(allowed or ())} <= _declared(body)


_DECLARED: Final = that(_allows_offered, "it names a function that is not declared", OBJECT, f".{_CHOICE}")
_TYPES: Final = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "heic": "image/heic", "pdf": "application/pdf", "txt": "text/plain", "html": "text/html", "csv": "text/csv",
    "mp3": "audio/mp3", "wav": "audio/wav", "flac": "audio/flac", "mp4": "video/mp4", "mov": "video/mov",
    "webm": "video/webm", "mpeg": "video/mpeg",
}  # fmt: skip


def _type_of(file: Mapping[str, Any]) -> str | None:
    path = str(file.get("fileUri")).partition("?")[0]
    return _TYPES.get(path.rpartition(".")[2].lower())


def _has_type(file: Mapping[str, Any]) -> bool:
    return "mimeType" in file or _type_of(file) is None


def _with_type(file: dict[str, Any]) -> dict[str, Any]:
    return {**file, "mimeType": _type_of(file)}


RULES: Final = Rules.of(
    Rule("contents[*].role", among("user", "model", "function"), _DOCS),
    Rule(f"{_PART}.functionCall.name", _NAMED, _SDK),
    Rule(f"{_PART}.functionResponse.name", _NAMED, _SDK),
    Rule(f"{_PART}.fileData", that(_has_type, "without mimeType", Mapping), _DOCS, _with_type, "synthesised"),
    Rule(f"{_PART}.fileData", has("mimeType"), _DOCS, kind="rule-breach"),
    Rule(_PART, _says_something, _DOCS, remove, "trimmed"),
    Rule("contents[*]", _no_empty_contents, _DOCS, remove, "message-dropped"),
    Rule("contents", _turns, _DOCS, kind="rule-breach", of_texts=False),
    Rule(
        "contents",
        that(lambda contents: any(c is not GONE for c in contents), "no content", list),
        _DOCS,
        kind="rule-breach",
    ),
    Rule("tools[*].functionDeclarations[*].name", _NAMED, _SDK),
    Rule("tools", is_filled, _DOCS, remove, "by-format-rule"),
    *needs(_ERRORS, _CHOICE, _may_choose, "function calling config is set without function_declarations", _is_open),
    Rule("", _DECLARED, _DOCS, lambda body: without_field(body, _CHOICE.split(".")), "parameter-dropped"),
    Rule("generationConfig.stopSequences", at_most(5, "stop sequences"), _DOCS),
    *ranges(_DOCS, **{f"generationConfig.{name}": limits for name, limits in _RANGES.items()}),
    Rule("generationConfig.maxOutputTokens", between(1), _DOCS),
)
