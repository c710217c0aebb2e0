"""Blocks of media of Bedrock Converse, as data URLs and back.

``bytes`` are bytes for boto3, which encodes them, and base64 text in raw JSON. Both are read; bytes
are written, so that boto3 does not encode twice, and :func:`as_json` makes the other form of a body.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from ..media import data_url, split_data_url, text_of, text_url

_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_TYPES: Final = {word: kind for kind, word in _DOCUMENTS.items()}


def media_type(kind: str, word: str) -> str | None:
    """Return the media type that a block of this kind means by the word for its format.

    >>> media_type("document", "txt"), media_type("image", "png")
    ('text/plain', 'image/png')
    """
    return _TYPES.get(word) if kind == "document" else f"{kind}/{word}"


def word_of(kind: str, media: str) -> str | None:
    """Return the word of a block of this kind for a media type, None for another kind's."""
    if kind == "document":
        return _DOCUMENTS.get(media)
    found, _, word = media.partition("/")
    return word if found == kind and word else None


def inline(kind: str, *, raw: bool) -> tuple[Any, Any]:
    """Return reader and writer of a block of inline data: of bytes, or (``raw`` false) of base64 text.

    >>> read, write = inline("image", raw=True)
    >>> write("data:image/png;base64,aGk=")
    {'format': 'png', 'source': {'bytes': b'hi'}}
    """

    def read(block: Any) -> str | None:
        data, media = _data(block), _media(kind, block)
        if media is None or not isinstance(data, bytes if raw else str):
            return None
        return data_url(media, base64.b64encode(data).decode() if isinstance(data, bytes) else data)

    def write(url: str) -> dict[str, Any] | None:
        media, data = split_data_url(url) or ("", "")
        word = word_of(kind, media)
        found = _bytes(data) if raw else data
        return None if word is None or found is None else {"format": word, "source": {"bytes": found}}

    return read, write


def _media(kind: str, block: Any) -> str | None:
    word = block.get("format") if isinstance(block, Mapping) else None
    return media_type(kind, word) if isinstance(word, str) else None


def _data(block: Any) -> Any:
    source = block.get("source") if isinstance(block, Mapping) else None
    return source.get("bytes") if isinstance(source, Mapping) else None


def _bytes(data: str) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None


def read_text(block: Any) -> str | None:
    """Read a document whose source is a text."""
    media, source = _media("document", block), block.get("source") if isinstance(block, Mapping) else None
    text = source.get("text") if isinstance(source, Mapping) else None
    return text_url(text, media) if media is not None and isinstance(text, str) else None


def write_text(url: str) -> dict[str, Any] | None:
    """Write a document as a text."""
    media = (split_data_url(url) or ("",))[0]
    text, word = text_of(url, media), word_of("document", media)
    return None if text is None or word is None else {"format": word, "source": {"text": text}}


def as_json(value: Any) -> Any:
    """Return a body whose bytes are base64 text, as raw JSON has them; anything else stays as it is.

    >>> as_json({"source": {"bytes": b"hi"}})
    {'source': {'bytes': 'aGk='}}
    """
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list | tuple) else value
