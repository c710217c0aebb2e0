"""Jupyter notebooks: the code cells are one module, and only the changed cells' sources change.

Rule: the JSON text outside those sources stays byte for byte. Lines of magic are kept, and
so are cells that begin with ``%%``; a call inside magic refuses the notebook's calls.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...errors import MigrationError
from .edits import Edit, apply
from .elsewhere import seen_elsewhere
from .model import NOTHING_HELD, Change, CodeMigration, Held, Link, Place, Prompted, Refusal
from .models import NO_MAP, Models

if TYPE_CHECKING:
    from .plan import Settled
    from .source import Source

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_MAGIC: Final = re.compile(r"^(\s*)(?:[%!?]|[\w., ]+=\s*[%!]|[\w.]+\?{1,2}\s*$)")
_BINDS: Final = re.compile(r"^(\s*[\w, ]+=)\s*[%!]")
#: Cell magic whose cell is Python all the same.
_PYTHON_CELL: Final = re.compile(r"%%(?:time|timeit|capture|prun|memit|mprun|lprun|debug|wandb|px)\b")
#: Line magic before a statement; ``if 1: `` is as long, and as true.
_TIMED: Final = re.compile(r"^(\s*)%(time|timeit) (?![ -])")
_CALL: Final = re.compile(r"\b(?:completions|Completion)\.a?create\b")
#: Kinds of change that move a call.
_MOVED: Final = frozenset({"call", "http", "langchain", "mock", "sdk"})
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+$")
_DECODER: Final = json.JSONDecoder()


class _Cell(NamedTuple):
    number: int
    source: str
    start: int
    end: int


@dataclass
class _Module:
    """The cells as one text: as it is in the notebook, and as Python can parse it."""

    original: str
    parsed: str
    #: The cell and its first line, by the first line in the module.
    starts: list[tuple[int, _Cell]]
    magic: list[Place]
    #: What a shell asks for in lines that are no Python.
    listed: list[Refusal]


def migrate_notebook(
    text: str,
    filename: str = "<notebook>",
    *,
    outside: Collection[str] = (),
    models: Models = NO_MAP,
    held: Held = NOTHING_HELD,
    is_configured_elsewhere: bool = False,
) -> CodeMigration:
    """Migrate the code cells of a notebook; places are ``file[cell n]:line:col``.

    Raises MissingExtra without libcst, MigrationError for what is no notebook.

    >>> migrate_notebook('{"cells": []}').source
    '{"cells": []}'
    """
    from . import in_order, may_concern

    if not may_concern(text, chat=models.looks_at_chat):
        return CodeMigration(text)

    def to_target(text: str) -> CodeMigration:
        from .migration import planned

        return _migrated(text, filename, lambda source: planned(source, outside, models, held))

    def to_new_sdk(text: str) -> CodeMigration:
        from .modern import moves

        away = is_configured_elsewhere
        return _migrated(text, filename, lambda source: moves(source, is_configured_elsewhere=away))

    return in_order(text, to_target, to_new_sdk, models)


def _migrated(text: str, filename: str, plan: Callable[[Source], Settled]) -> CodeMigration:
    """Make one pass over the cells, as one module."""
    from . import _parsed
    from .migration import written

    cells = list(_code_cells(text, filename))
    module = _module(cells, filename)
    source = _parsed(module.parsed, filename)
    edits, changes, refusals, links, prompts = plan(source)
    prompts = [_placed(prompt, module, filename) for prompt in prompts]
    links = [_placed(link, module, filename) for link in links]
    refused = [*module.listed, *(_placed(r, module, filename) for r in refusals)]
    if module.magic:
        calls = {c.place for c in changes if c.kind in _MOVED and "became" in c.what}
        told = f"line {module.magic[0].line} of {module.magic[0].file}"
        refused += [Refusal.of(place, "magic") for place in module.magic]
        refused += [_placed(Refusal.of(place, "shared-result", told), module, filename) for place in sorted(calls)]
        stay = tuple(link._replace(is_refused=True) for link in links)
        return CodeMigration(text, (), tuple(sorted(refused)), stay)
    written(source, edits)
    result = _spliced(text, cells, module, edits)
    said = tuple(sorted(_placed(c, module, filename) for c in changes))
    return CodeMigration(result, said, tuple(sorted(refused)), tuple(links), tuple(prompts))


def python_cells(text: str, filename: str) -> Iterator[tuple[int, str]]:
    """Yield the code cells of a notebook by number, each as the Python that the migration reads.

    Raises MigrationError for what is no notebook.

    >>> list(python_cells('{"cells": [{"cell_type": "code", "source": ["%time x = 1"]}]}', "n.ipynb"))
    [(1, 'if 1: x = 1')]
    """
    for cell in _code_cells(text, filename):
        yield cell.number, _python(cell.source)


# the cells as a module ------------------------------------------------------------------------------


def _module(cells: list[_Cell], filename: str) -> _Module:
    module = _Module("", "", [], [], [])
    line = 1
    for cell in cells:
        module.starts.append((line, cell))
        kept, parsed = cell.source, _python(cell.source)
        lines, shown = kept.split("\n"), parsed.split("\n")
        for number, (was, is_) in enumerate(zip(lines, shown, strict=True), 1):
            where = f"{filename}[cell {cell.number}]"
            if was == is_ or _TIMED.match(was):
                continue
            if _CALL.search(was):
                module.magic.append(Place(where, number, 1))
            else:
                module.listed += [r._replace(place=Place(where, number, r.place.column)) for r in _shell(was)]
        module.original += kept + "\n"
        module.parsed += parsed + "\n"
        line += len(lines)
    return module


def _shell(line: str) -> list[Refusal]:
    """Return the requests of a line that a shell runs: of a cell of ``%%bash``, or after ``!``."""
    return seen_elsewhere(line, "cell.sh")


def _python(source: str) -> str:
    """Return a cell as Python of as many lines: magic becomes ``pass``, what is no Python becomes nothing."""
    from . import required_libcst

    libcst = required_libcst()
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if not _PYTHON_CELL.match(lines[first]):
            return "\n" * (len(lines) - 1)
        lines = ["" if number <= first else line for number, line in enumerate(lines)]
        source = "\n".join(lines)
    for text in (source, "\n".join(_without_magic(lines))):
        try:
            libcst.parse_module(text)
        except (libcst.ParserSyntaxError, libcst.CSTValidationError):
            continue
        return text
    return "\n" * (len(lines) - 1)


def _without_magic(lines: list[str]) -> Iterator[str]:
    continued = False
    for line in lines:
        found = _MAGIC.match(line)
        if continued:
            yield ""
        elif timed := _TIMED.match(line):
            yield line.replace(f"%{timed[2]} ", "if 1: " if timed[2] == "time" else "if 100: ", 1)
        elif found is None:
            yield line
            continue
        elif binds := _BINDS.match(line):
            yield f"{binds.group(1)} None"
        else:
            yield f"{found.group(1)}pass"
        continued = line.endswith("\\")


def _placed(told: Any, module: _Module, filename: str) -> Any:
    """Return a change or refusal with its place in its cell."""
    place = told.place
    if "[cell " in place.file:
        return told
    number = bisect.bisect_right([start for start, _ in module.starts], place.line) - 1
    start, cell = module.starts[number]
    where = Place(f"{filename}[cell {cell.number}]", place.line - start + 1, place.column)
    return told._replace(place=where) if isinstance(told, Change | Refusal | Link | Prompted) else told


def _spliced(text: str, cells: list[_Cell], module: _Module, edits: list[Edit]) -> str:
    """Return the notebook's text with the changed cells' sources in it."""
    # Magic lines have other lengths in the text that was parsed: ranges are told by line and column.
    starts = [0, *(found.end() for found in re.finditer("\n", module.original))]
    parsed_starts = [0, *(found.end() for found in re.finditer("\n", module.parsed))]

    def moved(at: int) -> int:
        line = bisect.bisect_right(parsed_starts, at) - 1
        return starts[line] + at - parsed_starts[line]

    by_cell: dict[int, list[Edit]] = {}
    bounds = [starts[line - 1] for line, _ in module.starts]
    for edit in edits:
        start = moved(edit.start)
        number = bisect.bisect_right(bounds, start) - 1
        shift = bounds[number]
        by_cell.setdefault(number, []).append(Edit(start - shift, moved(edit.end) - shift, edit.text))
    splices = []
    for number, changed in by_cell.items():
        cell = cells[number]
        new = apply(cell.source, changed)
        splices.append(Edit(cell.start, cell.end, _written(text[cell.start : cell.end], new)))
    return apply(text, splices)


# JSON, with places ----------------------------------------------------------------------------------


def _code_cells(text: str, filename: str) -> Iterator[_Cell]:
    try:
        top = dict(_members(text, _skip(text, text.startswith("\ufeff"))))
        spans = list(_elements(text, top["cells"][0]))
        for number, (start, _) in enumerate(spans, 1):
            cell = dict(_members(text, start))
            if _value(text, cell["cell_type"][0]) != "code":
                continue
            source_start, source_end = cell["source"]
            source = _value(text, source_start)
            joined = source if isinstance(source, str) else "".join(source)
            yield _Cell(number, joined, source_start, source_end)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise MigrationError(f"this is no notebook: {error}", path=f"{filename}:1:1") from None


def _value(text: str, start: int) -> Any:
    return _DECODER.raw_decode(text, start)[0]


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _members(text: str, start: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the keys of the object at a place, with the ranges of their values."""
    if text[start] != "{":
        raise ValueError("an object is missing")
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        yield key, (at, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of the elements of the array at a place."""
    if text[start] != "[":
        raise ValueError("a list is missing")
    at = _skip(text, start + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _written(old: str, new: str) -> str:
    """Return a source as JSON, set as the old one: lines that stay keep their very text."""
    is_ascii = old.isascii()
    if old.startswith('"'):
        return json.dumps(new, ensure_ascii=is_ascii)
    spans = list(_elements(old, 0))
    known = {_value(old, start): old[start:end] for start, end in spans}
    lines = [known.get(line) or json.dumps(line, ensure_ascii=is_ascii) for line in _LINE.findall(new)]
    head, tail = old[: spans[0][0]], old[spans[-1][1] :]
    between = old[spans[0][1] : spans[1][0]] if len(spans) > 1 else "," + head[1:]
    return head + between.join(lines) + tail
