"""The size of an image from its first bytes: PNG, JPEG, GIF and WebP.

Rule: reads headers only, decodes no pixel, downloads nothing and never raises on
malformed bytes: an unknown size is None. The optional ``imagesize`` (extra
``images``) is asked for other types.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Final

Size = tuple[int, int]

#: Bytes of a data URL that are decoded first: enough for all but JPEGs with large metadata.
_HEAD: Final = 64 * 1024
#: JPEG markers that hold a size: SOF0-SOF15 without DHT (C4), JPG (C8) and DAC (CC).
_SOF: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def data_url_size(url: str) -> Size | None:
    """Return width and height in pixels of a base64 ``data:`` URL, None where unknown.

    >>> data_url_size("data:image/gif;base64,R0lGODlhAQACAAAAACw=")
    (1, 2)
    """
    data = data_url_bytes(url, _HEAD)
    if data is None:
        return None
    found = image_size(data)
    if found is None and len(url) > _HEAD * 4 // 3:
        found = image_size(data_url_bytes(url) or b"")
    return found


def data_url_bytes(url: str, limit: int | None = None) -> bytes | None:
    """Return the bytes of a base64 ``data:`` URL, the first ``limit`` at most, None where malformed."""
    head, comma, text = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    return decode_base64(text, limit)


def decode_base64(text: str, limit: int | None = None) -> bytes | None:
    """Return decoded base64, ``limit`` bytes at most, None where it is none."""
    if limit is not None:
        text = text[: -(-limit // 3) * 4]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


def image_size(data: bytes) -> Size | None:
    """Return width and height in pixels, None where the bytes do not say.

    >>> image_size(b"GIF89a" + bytes([10, 0, 20, 0]))
    (10, 20)
    """
    try:
        found = _png(data) or _gif(data) or _webp(data) or _jpeg(data) or _other(data)
    except (struct.error, IndexError):
        return None
    return found if found and min(found) > 0 else None


def _png(data: bytes) -> Size | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _gif(data: bytes) -> Size | None:
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return width, height


def _webp(data: bytes) -> Size | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return None


def _jpeg(data: bytes) -> Size | None:
    if data[:2] != b"\xff\xd8":
        return None
    position = 2
    while position < len(data) - 8:
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker in _SOF:
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:
            position += 1 if marker == 0xFF else 2
            continue
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None


def _other(data: bytes) -> Size | None:
    try:
        import imagesize
    except ImportError:
        return None
    from io import BytesIO

    try:
        width, height = imagesize.get(BytesIO(data))
    except Exception:  # a third party's parser on untrusted bytes: any failure means "unknown"
        return None
    return (width, height) if width > 0 and height > 0 else None
