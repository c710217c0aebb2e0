"""Read the one value of a file: JSON, or a text.

How a file is told apart: ``.json`` must be JSON, and ``.jsonl`` and ``.ndjson`` hold one
value per line. Any other file is JSON where it parses as one list or object. Several
values in a row are an error, and so is a broken request. Anything else is a text; where
it starts as JSON does, a note on standard error says so.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..errors import DiptychError, FormatError, Location
from .batch_lines import read_line
from .inputs import read_file

_LINES: Final = (".jsonl", ".ndjson")
_TEXTS: Final = (".txt", ".md", ".jinja", ".jinja2", ".j2", ".prompt")
#: What begins so was meant as a request or as messages, even on standard input.
_REQUEST: Final = re.compile(
    r'\s*(?:\{\s*"(?:model|messages|prompt|input|custom_id|contents|system)"\s*:|\[\s*\{\s*"(?:role|content)"\s*:)'
)
#: What begins so looks like JSON; ``[INST]`` does not.
_LIKE_JSON: Final = re.compile(r'\s*(?:\{|\[\s*[\[{"\d])')
#: Bytes that tell whether a file holds one value per line.
_HEAD: Final = 1 << 16
#: So much of a long line is shown around the place of an error.
_AROUND: Final = 60


def read_value(name: str, *, lines_hint: str) -> Any:
    """Return the JSON value of a file, or its text.

    ``lines_hint`` says what to do about a file with a value per line. Raises FormatError on
    such a file and on broken JSON, with its line and column.
    """
    return value_of(read_file(name), name, lines_hint=lines_hint)


def value_of(text: str, name: str, *, lines_hint: str) -> Any:
    """Return the JSON value of the text of a file, or the text; see :func:`read_value`."""
    ending = Path(name).suffix.lower()
    several = FormatError("the file has one JSON value per line, not one request", path=_shown(name), hint=lines_hint)
    if ending in _LINES:
        raise several
    if ending != ".json" and text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if _has_several(text):
            raise several from None
        broken = _broken(name, text, error)
    if ending == ".json" or (ending not in _TEXTS and _REQUEST.match(text)):
        raise broken
    if _LIKE_JSON.match(text):
        reason = broken.message.partition("\n")[0]
        print(f"note: {broken.path}: {reason}; the whole file is read as text", file=sys.stderr)
    return text


def is_lines(name: str) -> bool:
    """Say whether a file or standard input holds one JSON value per line, by its name or its beginning."""
    return Path(name).suffix.lower() in _LINES or _has_lines(_head(name).decode("utf-8-sig", "replace"))


def _head(name: str) -> bytes:
    """Return the beginning of a file, or of standard input, which stays to be read."""
    if name == "-":
        stream: Any = sys.stdin.buffer
        if hasattr(stream, "peek"):
            return bytes(stream.peek(_HEAD))
        start = stream.read(_HEAD)
        stream.seek(0)
        return bytes(start)
    if not Path(name).is_file():
        return b""
    with open(name, "rb") as file:
        return file.read(_HEAD)


def _shown(name: str) -> str:
    return "<stdin>" if name == "-" else name


def _has_several(text: str) -> bool:
    """Say whether a text is a row of JSON values, one per line or one after the other."""
    if _has_lines(text):
        return True
    is_record, end = _is_record(text)
    rest = text[end:]
    gap = rest[: len(rest) - len(rest.lstrip())]
    return is_record and "\n" in gap and rest.lstrip()[:1] == "{"


def _has_lines(text: str) -> bool:
    lines = [line.strip() for line in text.splitlines() if line.strip()][:50]
    if len(lines) < 2 or lines[0] in ("{", "[") or not all(line[0] in "{[" for line in lines):
        return False
    return any(_is_record(line)[0] for line in lines)


def _is_record(text: str) -> tuple[bool, int]:
    """Say whether a text begins with an object or a list of objects, and where that ends."""
    start = len(text) - len(text.lstrip())
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return False, len(text)
    is_list = isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
    return (isinstance(value, dict) and bool(value)) or is_list, end


def _broken(name: str, text: str, error: Exception) -> FormatError:
    """Return the error of broken JSON: where it is, the line with a caret, and what to do."""
    shown = _shown(name)
    if not isinstance(error, json.JSONDecodeError):
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return FormatError(f"not valid JSON: {reason}", path=shown)
    line = text.split("\n")[error.lineno - 1].rstrip("\r")
    start = max(0, error.colno - 1 - _AROUND)
    part = line[start : start + 2 * _AROUND]
    excerpt = Location(shown, error.lineno, error.colno - start, part).excerpt()
    message = f"not valid JSON: {error.msg[0].lower()}{error.msg[1:]}"
    return FormatError(
        f"{message}\n{excerpt}" if excerpt else message,
        path=f"{shown}:{error.lineno}:{error.colno}",
        hint="correct the JSON; a prompt that is meant as text belongs in a .txt file",
    )


def request_of(value: Any) -> tuple[Any, str]:
    """Return the request of a value, and its path: a line of a Batch file has it in a field."""
    if not isinstance(value, dict) or value.keys() & {"messages", "prompt"}:
        return value, "$"
    if (line := read_line(value)) is not None and isinstance(line.body, dict):
        return line.body, line.path
    return (value["body"], "$.body") if isinstance(value.get("body"), dict) else (value, "$")


@contextmanager
def at_path(path: str) -> Iterator[None]:
    """Put ``path`` before the paths of errors about a value that stands there."""
    try:
        yield
    except DiptychError as error:
        if error.path is not None and error.path.startswith("$"):
            error.path = path + error.path[1:]
        raise
