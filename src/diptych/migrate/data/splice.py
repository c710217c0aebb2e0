"""Rows of prompt and completion, spliced into messages without being taken apart.

Rule: the bytes between the quotes stay as they were. A line is spliced only where it is
nothing but the two texts and valid JSON: the standard library's own scanner, or msgspec,
has read both. Any other line is left to the general way; what is spliced says what the
general way would have said, and msgspec changes no byte of it
(tests/migrate/data/test_splice.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import chain, repeat
from json.decoder import scanstring  # type: ignore[attr-defined]
from operator import attrgetter
from typing import Any, Final, NamedTuple

from ...datasets.finetune import COMPLETION_MARKS, PROMPT_MARKS, Separators
from ...datasets.talks import BLANKS, tails

#: A line up to its first text, and from the first text to the second.
_FIRST: Final = re.compile(r'[ \t]*\{[ \t]*"prompt"[ \t]*:[ \t]*"')
_BETWEEN: Final = re.compile(r'[ \t]*,[ \t]*"completion"[ \t]*:[ \t]*"')

#: Lines whose escapes of surrogates stand in pairs: half of a pair is not Unicode, and the rules of the target decide.
_PAIRED: Final = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+"
)

#: Gives the rows of a line that cannot be spliced: its number, its bytes.
Slow = Callable[[int, bytes], bytes]
#: What may stand behind a back slash in JSON.
_ESCAPED: Final = frozenset('"\\/bfnrtu')
_OPEN: Final = b'{"messages":[{"role":"user","content":"'
_ANSWER: Final = b'"},{"role":"assistant","content":"'
_CLOSE: Final = b'"}]}\n'
#: White space as JSON spells it: letters of escapes are taken for it, too, from both sides of a comparison.
_WHITE: Final = b" \\nrt"
#: What an escape of a line break, or of a character by its number, ends in.
_ESCAPE_ENDS: Final = b"n0123456789abcdefABCDEF"


class Texts(NamedTuple):
    """The texts of spliced rows, as they were."""

    prompts: list[str]
    completions: list[str]


_Run = Callable[[str, int, list[str]], int]


class Shape(NamedTuple):
    """How a line is written around its two texts."""

    head: str
    between: str
    tail: str


def shape_of(line: str) -> Shape | None:
    """Return the shape of a line, None where it is no row of a prompt and a completion.

    >>> shape_of('{"prompt": "a", "completion": "b"}')
    Shape(head='{"prompt": "', between=', "completion": "', tail='}')
    """
    first = _FIRST.match(line)
    if first is None:
        return None
    try:
        between = _BETWEEN.match(line, scanstring(line, first.end(), True)[1])
        tail = line[scanstring(line, between.end(), True)[1] :] if between else ""
    except ValueError:
        return None
    return Shape(first.group(), between.group(), tail) if between and tail.strip(" \t\r") == "}" else None


def _splicer(shape: Shape, separators: Separators, texts: Texts | None) -> _Run:
    """Return a function that splices lines of this shape, from a place on, and gives the place of the first other one.

    What is taken off a text must stand in the line as those very characters, not as escapes.
    """
    head, between, tail = shape.head, shape.between, f"{shape.tail}\n"
    prompt_end, start, completion_end = separators
    raw_prompt_end, raw_end = (json.dumps(mark)[1:-1] for mark in (prompt_end, completion_end))
    opening, answering, closing = (piece.decode() for piece in (_OPEN, _ANSWER, _CLOSE))
    head_size, step, tail_size, scan = len(head), len(between), len(tail), scanstring
    prompt_size, start_size, end_size = len(raw_prompt_end), len(start), len(raw_end)
    asking = () if prompt_end else tails()

    def splice(text: str, at: int, rows: list[str]) -> int:
        while text.startswith(head, at):
            begin = at + head_size
            try:
                prompt, end = scan(text, begin, True)  # stops at a line break: it is no character of a text
                if not text.startswith(between, end):
                    return at
                first = end + step
                completion, stop = scan(text, first, True)
            except ValueError:
                return at
            if not text.startswith(tail, stop):
                return at
            if asking and prompt.rstrip(BLANKS).endswith(asking):
                return at  # it may be a talk, and so several messages
            behind, end, stop = stop + tail_size, end - 1, stop - 1
            # A text without its mark, or with one that the data set has not, deviates.
            if prompt_end:
                end -= prompt_size
                if not prompt.endswith(prompt_end) or not text.startswith(raw_prompt_end, end):
                    return at
            elif prompt.endswith(PROMPT_MARKS):
                return at
            if start:
                if not text.startswith(start, first):
                    return at
                first += start_size
            if completion_end:
                stop -= end_size
                if not completion.endswith(completion_end) or not text.startswith(raw_end, stop):
                    return at
            elif completion.endswith(COMPLETION_MARKS):
                return at
            if end <= begin or stop <= first:
                return at  # an empty text: what becomes of it, the rules of the target say
            if texts is not None:
                texts.prompts.append(prompt)
                texts.completions.append(completion)
            rows.append(f"{opening}{text[begin:end]}{answering}{text[first:stop]}{closing}")
            at = behind
        return at

    return splice


def splice_lines(
    data: bytes, separators: Separators, slow: Slow, out: list[bytes], number: int = 1, texts: Texts | None = None
) -> int:
    """Put the rows of a block of lines into ``out``, in order; return how many were spliced.

    ``slow`` gives the rows of every line that cannot be; ``number`` is that of the first line.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        lines = data.split(b"\n")
        if len(lines) == 1:  # only the line that is not UTF-8 goes the general way
            out.append(slow(number, data))
            return 0
        return sum(splice_lines(line, separators, slow, out, number + n, texts) for n, line in enumerate(lines))
    if has_lone_surrogate(data):
        lines = data.split(b"\n")
        if len(lines) == 1:
            out.append(slow(number, data))
            return 0
        return sum(splice_lines(line, separators, slow, out, number + n, texts) for n, line in enumerate(lines))
    # Where nobody wants the texts, the bytes are taken for characters: narrow ones are faster.
    codec = "utf-8" if texts is not None else "latin-1"
    text = text if texts is not None else data.decode("latin-1")
    text = text if text.endswith("\n") else f"{text}\n"
    shape: Shape | None = None
    at = others = 0
    splice: _Run = _nothing
    rows: list[str] = []
    while at < len(text):
        known = len(rows)
        at = splice(text, at, rows)
        number += len(rows) - known
        if at == len(text):
            break
        end = text.index("\n", at)
        line = text[at:end]
        other = shape_of(line)
        if other is not None and other != shape:
            shape, splice = other, _splicer(other, separators, texts)
            continue
        raw = line.encode(codec)
        if raw.strip():
            rows.append(slow(number, raw).decode(codec))
            others += 1
        at, number = end + 1, number + 1
    out.append("".join(rows).encode(codec))
    return len(rows) - others


def has_lone_surrogate(data: bytes) -> bool:
    """Tell whether an escape in a block of lines is half of a pair of surrogates.

    >>> has_lone_surrogate(rb'"\\ud83d\\ude00"'), has_lone_surrogate(rb'"\\ud83d"'), has_lone_surrogate(rb'"\\\\ud83d"')
    (False, True, False)
    """
    return (b"\\ud" in data or b"\\uD" in data) and _PAIRED.fullmatch(data) is None


def _nothing(_: str, at: int, __: list[str]) -> int:
    return at


# with msgspec ---------------------------------------------------------------------------------


class Decoders(NamedTuple):
    """What takes a block of lines apart: into raw JSON, and into texts."""

    raw: Callable[[bytes], list[Any]]
    text: Callable[[bytes], list[Any]]


@lru_cache(maxsize=1)
def lines_decoder() -> Decoders | None:
    """Return what takes a block of lines apart, None where msgspec (extra ``fast``) is not installed."""
    try:
        import msgspec
    except ImportError:
        return None

    def decoder(kind: Any) -> Callable[[bytes], list[Any]]:
        fields = [("prompt", kind), ("completion", kind)]
        row = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, gc=False)
        decode: Callable[[bytes], list[Any]] = msgspec.json.Decoder(row).decode_lines
        return decode

    return Decoders(decoder(msgspec.Raw), decoder(str))


def splice_block(
    data: bytes, separators: Separators, decoders: Decoders, texts: Texts | None = None
) -> tuple[bytes, int] | None:
    """Return the lines and the number of rows of a block whose lines are all alike, None for any other block.

    Alike are lines of one shape, with the separators in each. msgspec checks the JSON of what
    it hands over raw, but not its UTF-8, and lets a key stand twice: so the block is put
    together again from what was read, and has to come out the same.
    """
    if has_lone_surrogate(data):
        return None
    try:
        shape = shape_of(data[: data.find(b"\n") + 1 or None].decode().rstrip("\n"))
        if shape is None:
            return None
        rows = decoders.raw(data)
        read = decoders.text(data) if texts is not None else []  # reads UTF-8, and no lone surrogate
        if texts is None and not data.isascii():
            data.decode()
    except ValueError:  # msgspec's errors are such, and those of UTF-8
        return None
    prompt_end, start, completion_end = (json.dumps(mark)[1:-1] for mark in separators)
    prompts = list(map(bytes, map(_get_prompt, rows)))
    completions = list(map(bytes, map(_get_completion, rows)))
    if not prompt_end and (_may_be_talks(prompts) or _any_ends_in(prompts, PROMPT_MARKS)):
        return None
    if not completion_end and _any_ends_in(completions, COMPLETION_MARKS):
        return None
    users = _cut(prompts, "", prompt_end)
    answers = _cut(completions, start, completion_end)
    if users is None or answers is None:
        return None
    opening = shape.head.encode()
    between = f'{prompt_end}"{shape.between}{start}'.encode()
    closing = f'{completion_end}"{shape.tail}\n'.encode()
    again = _joined(opening, users, between, answers, closing)
    if data != (again if data.endswith(b"\n") else again[:-1]):
        return None
    if texts is not None:
        texts.prompts.extend(map(_get_prompt, read))
        texts.completions.extend(map(_get_completion, read))
    return _joined(_OPEN, users, _ANSWER, answers, _CLOSE), len(rows)


def _cut(texts: list[bytes], start: str, end: str) -> list[bytes] | None:
    """Return raw texts without their quotes and as much as the marks around them are long.

    None where a text is empty, of which the rules of the target decide, or where a back slash
    stands before the end mark: it may belong to it.
    """
    first, last = len(start) + 1, -len(end) - 1
    found = [text[first:last] for text in texts]
    if b"" in found or (end[:1] in _ESCAPED and 92 in [text[-1] for text in found]):
        return None
    return found


def _may_be_talks(prompts: list[bytes]) -> bool:
    """Tell whether any raw prompt ends as one that is read turn by turn."""
    ends = _raw_tails()
    return any(prompt[:-1].rstrip(_WHITE).endswith(ends) for prompt in prompts)


def _any_ends_in(texts: list[bytes], marks: tuple[str, ...]) -> bool:
    """Tell whether any raw text ends in a mark: few end in the last character of one, or in an escape."""
    return any(
        json.loads(text.decode()).endswith(marks)
        for text in texts
        if text[-2] in b"D#>" or (text[-2] in _ESCAPE_ENDS and (text[-3:-1] == b"\\n" or text[-7:-5] == b"\\u"))
    )


@lru_cache(maxsize=1)
def _raw_tails() -> tuple[bytes, ...]:
    escapes = {f"u{ord(c):04{x}}".encode() for c in f">{BLANKS}" for x in "xX"}
    return (*(tail.encode().rstrip(_WHITE) for tail in tails()), *sorted(escapes))


def _joined(opening: bytes, users: list[bytes], between: bytes, answers: list[bytes], closing: bytes) -> bytes:
    pieces = zip(repeat(opening), users, repeat(between), answers, repeat(closing))
    return b"".join(chain.from_iterable(pieces))


_get_prompt, _get_completion = attrgetter("prompt"), attrgetter("completion")
