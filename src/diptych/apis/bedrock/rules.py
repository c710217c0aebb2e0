"""What the server of Bedrock Converse refuses."""

from __future__ import annotations

import re
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
    matches,
    merge_messages,
    messages_alternate,
    names_one,
    needs,
    ranges,
    relabel,
    remove,
    results_follow,
    says_something,
    that,
    value_at,
)
from ..rules import (
    GONE,
    OBJECT,
    Rule,
    Rules,
)

_MODEL: Final = "botocore 1.44, service model bedrock-runtime, 2026-11-26"
_DOCS: Final = "AWS, Converse API reference and its errors, 2026-11"

NAME: Final = r"[a-zA-Z0-9_-]{1,64}"
ID: Final = r"[a-zA-Z0-9_.:-]{1,64}"
IMAGES: Final = ("png", "jpeg", "gif", "webp")
DOCUMENTS: Final = ("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md")
VIDEOS: Final = ("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp")
AUDIOS: Final = ("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga",
                 "pcm", "webm")  # fmt: skip
#: Letters, digits, white space and brackets; no two blanks in a row.
DOCUMENT_NAME: Final = r"(?=.{1,200}$)[a-zA-Z0-9()\[\]-]+(?: [a-zA-Z0-9()\[\]-]+)*"

_NAMED: Final = matches(NAME, "a name of 1 to 64 letters, digits, _ and -")
_ID: Final = matches(ID, "an id of 1 to 64 letters, digits and _.:-")
_RELABEL: Final = relabel("a-zA-Z0-9_.:-", 64)
_MEDIA: Final = {"image": IMAGES, "document": DOCUMENTS, "video": VIDEOS, "audio": AUDIOS}
_FORMATS: Final = {"jpg": "jpeg", "plain": "txt", "markdown": "md", "3gp": "three_gp", "3gpp": "three_gp"}
_BLOCK: Final = "messages[*].content[*]"


def document_name(name: str) -> str:
    """Return a name as Bedrock takes it.

    >>> document_name("report_1.pdf")
    'report 1 pdf'
    """
    found = re.sub(r"[^a-zA-Z0-9()\[\]-]+", " ", name).strip()[:200].strip()
    return found or "document"


def _id_of(kind: str) -> Any:
    return lambda block: (block.get(kind) or {}).get("toolUseId")


_LINKED: Final = frozenset({"toolUse", "toolResult"})


def _needs_tools(body: Mapping[str, Any]) -> Any:
    """Find calls and results in a body that offers no tools."""
    if body.get("toolConfig"):
        return
    for index, message in enumerate(body.get("messages") or ()):
        blocks = message.get("content") if isinstance(message, OBJECT) else None
        if blocks and [one for one in blocks if isinstance(one, OBJECT) and not _LINKED.isdisjoint(one)]:
            yield f".messages[{index}]", "calls and results need a toolConfig"
            return


def _documents_need_text(content: Any) -> Any:
    kinds = {kind for block in content if isinstance(block, OBJECT) for kind in block}
    if "document" in kinds and "text" not in kinds:
        yield "", "a document needs a text beside it"


def _media(place: str) -> list[Rule]:
    """Return the rules of the media at a place."""
    named = matches(DOCUMENT_NAME, "a name of letters, digits, blanks and -()[]")
    rules = [Rule(f"{place}.document.name", named, _DOCS, document_name, "substituted")]
    for kind, formats in _MEDIA.items():
        spelt = that(lambda value: value not in _FORMATS, "{} goes by another word", str)
        rules.append(Rule(f"{place}.{kind}.format", spelt, _MODEL, instead(_FORMATS), "renamed"))
        rules.append(Rule(f"{place}.{kind}.format", among(*formats), _MODEL))
    return rules


def _has_tools(body: Mapping[str, Any]) -> bool:
    return value_at(body, ("toolConfig", "tools")) is not None


def _with_content(result: Mapping[str, Any]) -> dict[str, Any]:
    return {**result, "content": []}


def _named(choice: Mapping[str, Any]) -> Any:
    return value_at(choice, ("tool", "name"))


def _names(body: Mapping[str, Any]) -> Any:
    specs = fields_of(value_at(body, ("toolConfig", "tools")), "toolSpec")
    return fields_of([*specs], "name")


RULES: Final = Rules.of(
    Rule("system[*]", says_something, _MODEL, remove, "trimmed"),
    Rule("system", is_filled, _MODEL, remove, "by-format-rule"),
    *_media(_BLOCK),
    *_media(f"{_BLOCK}.toolResult.content[*]"),
    Rule(f"{_BLOCK}.toolResult", has("content"), _MODEL, _with_content, "synthesised"),
    Rule(f"{_BLOCK}.toolUse.toolUseId", _ID, _MODEL, _RELABEL, "relabelled"),
    Rule(f"{_BLOCK}.toolResult.toolUseId", _ID, _MODEL, _RELABEL, "relabelled"),
    Rule(f"{_BLOCK}.toolUse.name", _NAMED, _MODEL),
    Rule(_BLOCK, says_something, _DOCS, remove, "trimmed"),
    Rule("messages[*].content", _documents_need_text, _DOCS, kind="rule-breach"),
    Rule(
        "messages[*]",
        that(lambda message: message.get("content") != [], "a message without content", OBJECT),
        _DOCS,
        remove,
        "message-dropped",
    ),
    Rule("messages", messages_alternate("content"), _DOCS, merge_messages("content"), "merged"),
    Rule("messages", first_is("user"), _DOCS, kind="rule-breach"),
    Rule(
        "messages",
        results_follow("content", _id_of("toolUse"), _id_of("toolResult")),
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
    Rule("toolConfig.tools[*].toolSpec.name", _NAMED, _MODEL),
    Rule("toolConfig.tools[*].toolSpec.description", is_filled, _MODEL, remove, "by-format-rule"),
    Rule("toolConfig.tools", is_filled, _MODEL),
    *needs(_MODEL, "toolConfig.toolChoice", _has_tools, "there are no tools to choose from", lambda one: "auto" in one),
    Rule("toolConfig.toolChoice.tool.name", _NAMED, _MODEL),
    names_one(_DOCS, "toolConfig.toolChoice", _named, _names),
    Rule("inferenceConfig.maxTokens", between(1), _MODEL),
    *ranges(_MODEL, **{"inferenceConfig.temperature": (0, 1), "inferenceConfig.topP": (0, 1)}),
    Rule("inferenceConfig.stopSequences[*]", is_filled, _MODEL, remove, "parameter-dropped"),
    Rule("inferenceConfig.stopSequences", at_most(2500, "stop sequences"), _MODEL),
    Rule("requestMetadata", at_most(16, "entries"), _MODEL),
    Rule("additionalModelResponseFieldPaths", at_most(10, "paths"), _MODEL),
    Rule("", _needs_tools, _DOCS, kind="rule-breach", whole=True, of_texts=False),
)
