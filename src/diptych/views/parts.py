"""Parts that are not text, in a few words: what a picture of a message shows in their place."""

from __future__ import annotations

from typing import Any, Final

from ..model import AudioPart, FilePart, ImagePart, Part, ToolCall

#: Longer than an address that a person reads.
_MOST: Final = 80


def described(part: Part) -> str:
    """Return what a part is, and its address or size.

    >>> described(ImagePart("https://a.b/c.png")), described(ToolCall("c1", "look", '{"q": 1}'))
    ('image: https://a.b/c.png', 'tool call: look({"q": 1})')
    """
    if isinstance(part, ImagePart):
        return f"image: {_address(part.url)}"
    if isinstance(part, AudioPart):
        return f"audio: {part.format}, {_size(part.data)}"
    if isinstance(part, FilePart):
        return f"file: {part.filename or part.file_id or _address(part.data or '')}"
    if isinstance(part, ToolCall):
        return f"tool call: {part.name}({_short(part.arguments)})"
    text: Any = getattr(part, "text", None)
    kind = type(part).__name__.removesuffix("Part").lower()
    return f"{kind}: {_short(text)}" if isinstance(text, str) else kind


def _address(url: str) -> str:
    head, comma, data = url.partition(",")
    if not comma or not url.startswith("data:"):
        return _short(url)
    return f"{head.removeprefix('data:').partition(';')[0]}, {_size(data)}"


def _size(data: str) -> str:
    return f"{len(data) * 3 // 4:,} bytes"


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
