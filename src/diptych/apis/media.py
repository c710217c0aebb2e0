"""Media: data URLs, and the sources that Anthropic and Bedrock write in their place."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any


def split_data_url(url: str) -> tuple[str, str] | None:
    """Return type and base64 text of a ``data:`` URL, None for any other address.

    >>> split_data_url("data:image/png;base64,AAAA")
    ('image/png', 'AAAA')
    """
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    return head[5:-7], data


def data_url(media_type: str, data: str) -> str:
    """Return a ``data:`` URL."""
    return f"data:{media_type};base64,{data}"


def text_url(text: str, media_type: str = "text/plain") -> str:
    """Return a text as a ``data:`` URL."""
    return data_url(media_type, base64.b64encode(text.encode("utf-8", "surrogatepass")).decode())


def text_of(url: str, media_type: str = "text/plain") -> str | None:
    """Return the text of a ``data:`` URL of this type, None for any other.

    >>> text_of(text_url("Hi"))
    'Hi'
    """
    inline = split_data_url(url)
    if inline is None or inline[0] != media_type:
        return None
    try:
        return base64.b64decode(inline[1], validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return None


def source_kind(kind: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return reader and writer of a ``source`` of Anthropic: ``base64``, ``url``, ``file`` or ``text``.

    >>> read, write = source_kind("url")
    >>> write("https://e.org/a.png")
    {'type': 'url', 'url': 'https://e.org/a.png'}
    """
    return _SOURCES[kind]


def _base64(source: Any) -> str | None:
    strings = [source.get(name) for name in ("media_type", "data")] if _is(source, "base64") else []
    return data_url(*strings) if strings and all(isinstance(one, str) for one in strings) else None


def _write_base64(url: str) -> dict[str, Any] | None:
    inline = split_data_url(url)
    # Text is no base64 source: it has a source of its own.
    if inline is None or inline[0] == "text/plain":
        return None
    return {"type": "base64", "media_type": inline[0], "data": inline[1]}


def _text(source: Any) -> str | None:
    known = _is(source, "text") and source.get("media_type") == "text/plain" and isinstance(source.get("data"), str)
    return text_url(source["data"]) if known else None


def _write_text(url: str) -> dict[str, Any] | None:
    text = text_of(url)
    return None if text is None else {"type": "text", "media_type": "text/plain", "data": text}


def _is(source: Any, kind: str) -> bool:
    return isinstance(source, Mapping) and source.get("type") == kind


def _named(kind: str, name: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    def read(source: Any) -> str | None:
        found = source.get(name) if _is(source, kind) else None
        return found if isinstance(found, str) else None

    def write(value: str) -> dict[str, Any] | None:
        return None if value.startswith("data:") else {"type": kind, name: value}

    return read, write


_SOURCES = {
    "base64": (_base64, _write_base64),
    "text": (_text, _write_text),
    "url": _named("url", "url"),
    "file": _named("file", "file_id"),
}
