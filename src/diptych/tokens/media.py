"""Audio and files as ranges: what recordings say they cost, no more exact than that.

Rule: a range that the truth falls into, with the most likely number inside. Audio goes
by its length, read from a WAV or MP3 header; a PDF by its pages, counted in its bytes.
"""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

#: Tokens a second of input audio (recorded 2024-2025: 69 for 6.96 s, 44 for 4.4 s).
AUDIO_PER_SECOND: Final = 10
#: Tokens around one audio part: recorded prompts hold 4 beyond text and ``audio_tokens``.
AUDIO_EXTRA: Final = 4
# Bytes a second of the thinnest and the thickest audio that the API takes: 8 kbit/s MP3, 48 kHz 16-bit stereo WAV.
_THINNEST, _THICKEST = 1_000, 192_000

#: One PDF page: some were billed 4 tokens, a trivial page 215-255, pages of text 950-1,733; the same file
#: differed by a factor of 1.8 between two dates (recorded 2025-2026).
PAGE: Final = (4, 600, 2600)
#: The API takes at most this many pages, so a file known only by its id has no more.
MOST_PAGES: Final = 100

_PAGE: Final = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_PAGE_COUNT: Final = re.compile(rb"/Count\s+(\d{1,5})")
#: kbit/s of MPEG-1 and MPEG-2 layer III by the header's bitrate index.
_MP3_RATES: Final = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
#: Samples a second of MPEG-1 (3) and MPEG-2 (2) by the header's index; MPEG-2.5 has half of MPEG-2's.
_MP3_SAMPLING: Final = {3: (44_100, 48_000, 32_000, 0), 2: (22_050, 24_000, 16_000, 0)}


class Range(NamedTuple):
    """Tokens: at least, most likely, at most."""

    low: int
    expected: int
    high: int


def audio_range(data: bytes | None, size: int = 0) -> Range:
    """Return the tokens of an audio part from its bytes; ``size`` stands in where they are missing.

    >>> audio_range(None, 160_000)
    Range(low=12, expected=104, high=1604)
    """
    seconds = audio_seconds(data) if data else None
    if seconds is not None:
        tokens = AUDIO_PER_SECOND * seconds
        return Range(int(tokens * 0.85) + 1, int(tokens) + AUDIO_EXTRA, int(tokens * 1.15) + 8)
    size = len(data) if data else size
    low, high = size / _THICKEST, size / _THINNEST
    likely = size / 16_000
    return Range(*(int(AUDIO_PER_SECOND * s) + AUDIO_EXTRA for s in (low, likely, high)))


def audio_seconds(data: bytes) -> float | None:
    """Return the length in seconds of a WAV or an MP3; None where unknown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _wav_seconds(data)
    frame = data.find(b"\xff", 10 + _id3_size(data) if data[:3] == b"ID3" else 0)
    if frame < 0 or frame + 4 > len(data) or data[frame + 1] & 0xE6 != 0xE2:
        return None
    version = data[frame + 1] >> 3 & 3
    counted = _xing_frames(data, frame)
    if counted:
        samples, sampling = (1152, _MP3_SAMPLING[3]) if version == 3 else (576, _MP3_SAMPLING[2])
        rate = sampling[data[frame + 2] >> 2 & 3] // (2 if version == 0 else 1)
        return counted * samples / rate if rate else None
    rates = _MP3_RATES.get(version, _MP3_RATES[2])
    rate = rates[data[frame + 2] >> 4]
    return (len(data) - frame) * 8 / (rate * 1000) if rate else None


def _xing_frames(data: bytes, frame: int) -> int:
    """Return the frames that a header for variable bitrates states, 0 where there is none."""
    at = max(data.find(b"Xing", frame, frame + 200), data.find(b"Info", frame, frame + 200))
    if at < 0 or at + 12 > len(data) or not data[at + 7] & 1:
        return 0
    return int.from_bytes(data[at + 8 : at + 12], "big")


def _id3_size(data: bytes) -> int:
    if len(data) < 10:
        return 0
    return data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]


def _wav_seconds(data: bytes) -> float | None:
    position, rate = 12, 0
    while position + 8 <= len(data):
        name, size = data[position : position + 4], struct.unpack("<I", data[position + 4 : position + 8])[0]
        if name == b"fmt " and position + 20 <= len(data):
            (rate,) = struct.unpack("<I", data[position + 16 : position + 20])
        if name == b"data":
            # A streamed WAV states no size; the bytes at hand do.
            return min(size, len(data) - position - 8) / rate if rate else None
        position += 8 + size + size % 2
    return None


def pdf_pages(data: bytes) -> int | None:
    """Return the pages of a PDF, None where its bytes do not show them.

    >>> pdf_pages(b"%PDF-1.4 << /Type /Pages /Count 2 >> << /Type /Page >> << /Type /Page >>")
    2
    """
    if not data.startswith(b"%PDF"):
        return None
    counts = [int(count) for count in _PAGE_COUNT.findall(data)]
    return max([len(_PAGE.findall(data)), *counts]) or None


def file_range(data: bytes | None) -> Range:
    """Return the tokens of a file part from its bytes, None for a file known by its id.

    >>> file_range(b"%PDF-1.4 << /Type /Page >>")
    Range(low=4, expected=600, high=2600)
    """
    pages = pdf_pages(data) if data else None
    if pages is not None:
        return Range(*(pages * tokens for tokens in PAGE))
    return Range(PAGE[0], PAGE[1], PAGE[2] * MOST_PAGES)
