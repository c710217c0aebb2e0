"""Text to tokens: exact, never raising, at any length.

Rule: a count equals ``len(encode_ordinary(text))`` wherever tiktoken can answer.
``<|endoftext|>`` and the like in text are text; control tokens come only from what
the author of a template wrote. A run of white space so long that the backtracking of
the split pattern panics is split by hand, as the pattern would.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..model import Segment
from .encoding import encoding, encoding_for_model
from .recipes import RECIPES

if TYPE_CHECKING:
    from tiktoken import Encoding

#: White space as the split patterns see it (Unicode White_Space); Python's ``\s`` adds U+001C-1F.
WHITE: Final = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

#: Runs at least this long are split by hand. The pattern of o200k_base backtracks once a
#: character and its engine gives up at a million steps, with a panic that is no Exception.
LONG_RUN: Final = 400_000

#: Longer texts are cut into pieces of at least this many characters, to bound memory.
PIECE: Final = 500_000
# A cut before white space that is no line break and follows a non-space is exact in every
# encoding: no pattern joins the two (tests/tokens/test_cuts.py).
_CUT: Final = re.compile(f"[^{WHITE}](?=[\t\x0b\x0c \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])")


def count_text(text: str, *, encoding_name: str = "o200k_base") -> int:
    """Return the number of tokens of ``text``, read as ordinary text.

    Never raises on control tokens, lone surrogates (each counts as U+FFFD, as tiktoken
    does), NUL or long runs. Raises TokenError for an unknown encoding.

    >>> count_text("Hello <|endoftext|>", encoding_name="o200k_base")
    8
    """
    bpe = encoding(encoding_name)
    if len(text) < LONG_RUN:
        return len(bpe.encode_ordinary(text))
    return sum(len(ids) for ids in _iter_ids(text, bpe))


def encode_text(text: str, *, encoding_name: str = "o200k_base") -> list[int]:
    """Return the token ids of ``text``, read as ordinary text; see :func:`count_text`.

    >>> encode_text("hello world", encoding_name="r50k_base")
    [31373, 995]
    """
    bpe = encoding(encoding_name)
    if len(text) < LONG_RUN:
        return bpe.encode_ordinary(text)
    return [token for ids in _iter_ids(text, bpe) for token in ids]


def _iter_ids(text: str, bpe: Encoding, long_run: int = LONG_RUN) -> Iterator[list[int]]:
    """Yield the ids of a long text in pieces."""
    start = 0
    for run in _long_runs(long_run).finditer(text):
        first, last = _own_part(text, run.start(), run.end(), bpe)
        if first < last:
            yield from _iter_pieces(text[start:first], bpe)
            yield from _run_ids(text[first:last], bpe)
            start = last
    yield from _iter_pieces(text[start:], bpe)


@lru_cache(maxsize=4)
def _long_runs(length: int) -> re.Pattern[str]:
    return re.compile(f"[{WHITE}]{{{length},}}")


def _own_part(text: str, start: int, end: int, bpe: Encoding) -> tuple[int, int]:
    """Return which part of the run ``start:end`` of white space stands on its own.

    A punctuation mark takes the line breaks after it along, and the last character
    joins what follows; both stay with their neighbours, as the split patterns have it.
    """
    breaks_join = _breaks_join(bpe)
    if start and breaks_join and unicodedata.category(text[start - 1])[0] not in "LN":
        while start < end and text[start] in "\r\n":
            start += 1
    if end < len(text) and not (breaks_join and text[end - 1] in "\r\n"):
        end -= 1
    return start, end


def _breaks_join(bpe: Encoding) -> bool:
    """Say whether the split pattern has rules of its own for line breaks; r50k and p50k have none."""
    return bpe.name not in ("r50k_base", "p50k_base", "p50k_edit")


def _run_ids(run: str, bpe: Encoding) -> Iterator[list[int]]:
    """Yield the ids of a run: everything up to its last line break, then the rest."""
    cut = max(run.rfind("\n"), run.rfind("\r")) + 1 if _breaks_join(bpe) else 0
    for piece in (run[:cut], run[cut:]):
        if piece:
            yield bpe._encode_single_piece(piece)


def _iter_pieces(text: str, bpe: Encoding) -> Iterator[list[int]]:
    start = 0
    while len(text) - start > PIECE:
        cut = _CUT.search(text, start + PIECE)
        if cut is None:
            break
        yield bpe.encode_ordinary(text[start : cut.end()])
        start = cut.end()
    yield bpe.encode_ordinary(text[start:])


def token_ids(segments: Sequence[Segment], *, model: str) -> list[int]:
    """Return the token ids of a text whose runs know their author.

    A control token of the model's encoding counts as one only where all its
    characters are the author's (``source="template"``); in data it is plain text. All
    text between two control tokens is tokenised as one, across the borders of
    segments. Raises TokenError for a model without a known encoding.

    >>> marker = "<|endoftext|>"
    >>> token_ids([Segment(marker, "template"), Segment(marker, "data", "q")], model="gpt-5.4-mini")
    [199999, 27, 91, 419, 1440, 919, 91, 29]
    """
    name = encoding_for_model(model).name
    special = RECIPES[name].special
    ids: list[int] = []
    plain: list[str] = []
    for text, source in _runs(segments):
        position = 0
        if source == "template":
            for match in _special_pattern(name).finditer(text):
                plain.append(text[position : match.start()])
                ids += encode_text("".join(plain), encoding_name=name)
                plain.clear()
                ids.append(special[match[0]])
                position = match.end()
        plain.append(text[position:])
    return ids + encode_text("".join(plain), encoding_name=name)


def _runs(segments: Sequence[Segment]) -> Iterator[tuple[str, str]]:
    """Yield text and source with neighbours of one source joined."""
    texts: list[str] = []
    source = ""
    for segment in segments:
        if segment.source != source and texts:
            yield "".join(texts), source
            texts.clear()
        source = segment.source
        texts.append(segment.text)
    if texts:
        yield "".join(texts), source


@lru_cache(maxsize=8)
def _special_pattern(name: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(token) for token in RECIPES[name].special))


def byte_bounds(text: str) -> tuple[int, int]:
    """Return bounds on the tokens of ``text`` without a tokenizer.

    A token is 1 to 128 bytes, so tokens lie between bytes / 128 (rounded up) and bytes.

    >>> byte_bounds("hello")
    (1, 5)
    """
    size = len(text.encode("utf-8", "replace"))
    # A lone surrogate becomes U+FFFD, three bytes, where "replace" wrote one question mark.
    if size == len(text) and not text.isascii():
        size = len(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode())
    return -(-size // 128), size


def fits(text: str, *, limit: int, encoding_name: str = "o200k_base") -> bool:
    """Say whether ``text`` has at most ``limit`` tokens; most answers need no tokenizer.

    >>> fits("hello", limit=5), fits("hello " * 1000, limit=4)
    (True, False)
    """
    low, high = byte_bounds(text)
    if high <= limit:
        return True
    return low <= limit and count_text(text, encoding_name=encoding_name) <= limit
