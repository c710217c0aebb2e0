"""Check template files: every finding at once, and nothing of one file keeps another from being checked.

A line with ``# diptych: ignore[CODE]`` (in the front matter), or ``{# diptych: ignore[CODE] #}``, silences these
codes on its line; ``# diptych: ignore-file[CODE]`` silences them in the file. Without brackets it
is every code.
"""

from __future__ import annotations

import datetime
import multiprocessing
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Final

from ...errors import FormatError, Location
from ...walk import iter_paths
from ..library import Library
from ..sources import SUFFIXES
from .chat import ChatSubject, chat_templates_of, is_chat_template
from .finding import Finding
from .registry import Rule, selected
from .subject import Settings, Subject

#: Files that one process checks at a time; fewer than two shares are not worth another process.
_SHARE: Final = 100
_UNREADABLE: Final = (FormatError, OSError, RecursionError, MemoryError)
_IGNORE: Final = re.compile(r"#[-+]?\s*diptych:\s*ignore(-file)?(?:\[([\w,\s]*)\])?")


def check_paths(
    paths: Iterable[str | os.PathLike[str]],
    *,
    select: list[str] | None = None,
    ignore: list[str] | None = None,
    settings: Settings | None = None,
) -> Iterator[Finding]:
    """Yield what the rules find in template files, file by file; folders are searched for templates.

    Raises FormatError for a code of no rule, and what a path that does not exist raises.

    >>> list(check_paths([]))
    []
    """
    selected(select, ignore)  # raises before a file is read
    known = settings or Settings(datetime.date.today())
    for _, findings in check_files(list(files_of(paths)), select=select, ignore=ignore, settings=known):
        yield from findings


def check_files(
    files: Sequence[tuple[Path, Path]],
    *,
    select: list[str] | None,
    ignore: list[str] | None,
    settings: Settings,
    start: str = "spawn",
) -> Iterator[tuple[Path, list[Finding]]]:
    """Yield each file with what the rules find in it; ``files`` are as of :func:`files_of`.

    Many files are shared out among the processors of the machine; the order stays. ``start`` is how
    processes begin: ``fork`` is quicker, for a program without threads.
    """
    workers = min(os.cpu_count() or 1, len(files) // _SHARE)
    if workers < 2:
        yield from _checked(files, select, ignore, settings)
        return
    shares = [files[at : at + _SHARE] for at in range(0, len(files), _SHARE)]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(start)) as pool:
        for found in pool.map(_checked, shares, repeat(select), repeat(ignore), repeat(settings)):
            yield from found


def _checked(
    files: Sequence[tuple[Path, Path]], select: list[str] | None, ignore: list[str] | None, settings: Settings
) -> list[tuple[Path, list[Finding]]]:
    rules = selected(select, ignore)
    return [(file, check_file(file, root, rules, settings)) for root, file in files]


def files_of(paths: Iterable[str | os.PathLike[str]], *, ignore: bool = True) -> Iterator[tuple[Path, Path]]:
    """Yield the template files of these paths, each once, with the folder that its includes are named from."""
    seen: set[Path] = set()
    for path in map(Path, paths):
        path.stat()  # one that was named and is not there is an error, not a finding
        for file in iter_paths([path], (*SUFFIXES, "tokenizer_config.json", ".gguf"), ignore=ignore):
            if file not in seen:
                seen.add(file)
                yield (path if path.is_dir() else file.parent), file


def check_file(file: Path, root: Path, rules: Sequence[Rule], settings: Settings) -> list[Finding]:
    """Return what the rules find in a file; ``root`` is the folder that its includes are named from."""
    try:
        if file.suffix in (".json", ".gguf"):
            return [one for subject in chat_templates_of(file) for one in check_chat(subject, rules)]
        return _check_template(file, root, rules, settings)
    except _UNREADABLE as error:
        code = "H000" if file.suffix in (".json", ".gguf") else "T001"
        return [Finding(code, _said(error), Location(file.as_posix(), 1), "correct the file, or leave it out")]


def _check_template(file: Path, root: Path, rules: Sequence[Rule], settings: Settings) -> list[Finding]:
    data, shown = file.read_bytes(), file.as_posix()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return [_not_text(shown, data, error)] if any(rule.code == "T004" for rule in rules) else []
    name = file.relative_to(root).as_posix()
    return check_text(text, rules, settings, file=shown, name=name, library=_library(root, file.parent))


def _said(error: Exception) -> str:
    """Return why a file cannot be read or walked."""
    if isinstance(error, FormatError):
        return error.message
    words = {RecursionError: "nested too deeply", MemoryError: "too large"}
    return words.get(type(error), f"cannot be read: {getattr(error, 'strerror', None) or error}")


@lru_cache(maxsize=8)
def _library(root: Path, folder: Path) -> Library:
    """Return the library of a folder's files; one environment serves all of them."""
    return Library(root) if root == folder else Library(root, folder)


def check_text(
    text: str,
    rules: Sequence[Rule],
    settings: Settings,
    *,
    file: str = "<string>",
    name: str = "<string>",
    library: Library | None = None,
) -> list[Finding]:
    """Return what the rules find in a text, in the order of their places."""
    if is_chat_template(text):
        return check_chat(ChatSubject(file, text), rules)
    subject = Subject(file, name, text, Library() if library is None else library, settings)
    found: dict[tuple[str, Location, str], Finding] = {}
    for rule in rules:
        for finding in () if rule.is_chat else rule.check(subject):
            found.setdefault((finding.code, finding.location, finding.message), finding)
    return _kept(found.values(), text)


def check_chat(subject: ChatSubject, rules: Sequence[Rule]) -> list[Finding]:
    """Return what the rules find in a model's chat template, each with the rendering that shows it."""
    found = [finding for rule in rules if rule.is_chat for finding in rule.check(subject)]
    return _kept(found, subject.source)


def _kept(found: Iterable[Finding], text: str) -> list[Finding]:
    silenced = list(_ignored(text))
    kept = [one for one in found if not any(_is_silent(one, *each) for each in silenced)]
    return sorted(kept, key=lambda one: (one.location.line, one.location.column, one.code))


def _not_text(file: str, data: bytes, error: UnicodeDecodeError) -> Finding:
    before = data[: error.start].decode("utf-8", "replace")
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    return Finding("T004", f"not UTF-8 text (byte {error.start})", Location(file, line, column), "save it as UTF-8")


def _ignored(text: str) -> Iterator[tuple[int | None, tuple[str, ...]]]:
    """Yield the line (None for the whole file) and the codes of each comment that silences."""
    if "diptych:" not in text:
        return
    for number, line in enumerate(text.split("\n"), 1):
        for found in _IGNORE.finditer(line):
            codes = tuple(code.strip() for code in (found[2] or "").split(",") if code.strip())
            yield (None if found[1] else number), codes


def _is_silent(finding: Finding, line: int | None, codes: tuple[str, ...]) -> bool:
    return line in (None, finding.location.line) and (not codes or finding.code.startswith(codes))


def fixed(text: str, findings: Iterable[Finding]) -> str:
    """Return a text with the fixes of these findings; of two that overlap the first is made."""
    start = len(text)
    for fix in sorted((one.fix for one in findings if one.fix), reverse=True):
        if fix.end <= start:
            text, start = text[: fix.start] + fix.text + text[fix.end :], fix.start
    return text


__all__ = ["check_file", "check_paths", "check_text", "fixed"]
