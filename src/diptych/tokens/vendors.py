"""Models of other vendors: ranges from the tokens that o200k makes of the same text.

Rule: the real tokens of recorded requests (November 2026, texts of 100 tokens or more, no tools)
divided by o200k's give a factor and its spread. With tools no factor holds: the range is wide.
A request with images, audio or files stays unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from .memo import message_memo
from .tally import Item


class Vendor(NamedTuple):
    """Tokens per token of o200k: at least, likely, at most; and what a short request has beside its text."""

    low: float
    likely: float
    high: float
    beside: int


#: By the name of the model, the more special first.
VENDORS: Final[tuple[tuple[re.Pattern[str], Vendor], ...]] = tuple(
    (re.compile(pattern), vendor)
    for pattern, vendor in (
        (r"claude-opus-4-[7-9]|claude-\w+-[5-9]", Vendor(1.0, 1.3, 1.9, 27)),
        (r"claude", Vendor(1.0, 1.04, 1.8, 8)),
        (r"gemini", Vendor(0.98, 1.11, 1.25, 2)),
        (r"deepseek", Vendor(0.97, 1.01, 1.12, 6)),
        (r"qwen", Vendor(0.98, 1.04, 1.22, 8)),
    )
)
_ENCODING: Final = "o200k_base"
#: The parts of a body of any API that hold its conversation.
_TALK: Final = ("system", "systemInstruction", "system_instruction", "instructions", "messages", "contents", "input",
                "prompt")  # fmt: skip
_TOOLS: Final = ("tools", "functions", "toolConfig", "tool_config")
#: Keys of a message that name or point to something and hold no text.
_SILENT: Final = frozenset({"role", "type", "id", "model", "cache_control", "status", "tool_use_id", "tool_call_id"})
_MEDIA: Final = frozenset({
    "image", "image_url", "input_image", "document", "file", "input_file", "inlineData", "inline_data", "fileData",
    "file_data", "input_audio", "audio", "video", "source", "images",
})  # fmt: skip


def vendor_of(model: str) -> Vendor | None:
    """Return what is known of the tokens of a model of another vendor.

    >>> vendor_of("anthropic/claude-sonnet-4-5").beside, vendor_of("my-llama")
    (8, None)
    """
    return next((vendor for pattern, vendor in VENDORS if pattern.search(model.lower())), None)


def vendor_items(body: Mapping[str, Any], vendor: Vendor) -> list[Item] | None:
    """Return the lines of a body of any API as ranges, None where it holds more than text and tools."""
    talk = [body[name] for name in _TALK if body.get(name) is not None]
    if any(_has_media(value) for value in talk):
        return None
    count = message_memo(_ENCODING)
    text, parts = 0, 0
    for piece in (piece for value in talk for piece in _texts(value)):
        text, parts = text + count(piece), parts + 1
    low, high = max(min(1, text), int(text * vendor.low)), int(text * vendor.high) + vendor.beside + 12 * parts
    likely = round(text * vendor.likely) + vendor.beside
    items = [Item("$", "vendor", likely, "approximate", min(low, likely), high + 8)]
    tools = [body[name] for name in _TOOLS if body.get(name)]
    if tools:
        tokens = count(json.dumps(tools, default=str))
        items.append(Item("$.tools", "tools", tokens, "approximate", tokens // 4, tokens * 2 + 1000))
    return items


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _SILENT:
                yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _has_media(value: Any) -> bool:
    if isinstance(value, Mapping):
        return not _MEDIA.isdisjoint(value) or any(map(_has_media, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_media, value))
