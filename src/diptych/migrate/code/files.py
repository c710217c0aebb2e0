"""Files and folders: which are looked at, how they are read, and how they are written whole or not at all.

Rule: bytes in, bytes out. A file is decoded as Python itself would, and what is not
changed is given back byte for byte; a new file takes the old one's place in one step.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import fnmatch
import multiprocessing
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...errors import MigrationError
from ...walk import iter_files, iter_paths
from . import DEFAULT_MODEL, elsewhere, fixtures, may_concern, migrate_text, requirements, target_named
from .disk import decoded, replace_file
from .model import KINDS, NOTHING_HELD, Change, Held, Link, Place, Prompted, Refusal
from .models import NO_MAP, Models
from .notebooks import migrate_notebook
from .proving import Prover, proved
from .together import MOCKS, Together
from .widths import width_of

ENDINGS: Final = (".py", ".ipynb")
#: Bytes of a file of another language that is looked at; a larger one is data.
_LARGEST: Final = 2_000_000
#: Files that make it worth to start processes.
_MANY: Final = 40
#: Names that are looked for one by one before all at once.
_FEW: Final = 50
_ROOTS: Final = (".git", "pyproject.toml", "setup.py", "setup.cfg")
_IMPORTED: Final = re.compile(r"^[ \t]*from[ \t]+\S+[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_ATTRIBUTE: Final = re.compile(r"\.\s*([A-Za-z_]\w*)")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")


@dataclass
class FileMigration:
    """One file: its text before and after, what was changed, what was refused."""

    file: str
    before: str = ""
    after: str = ""
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    links: tuple[Link, ...] = field(default=(), repr=False)
    prompts: tuple[Prompted, ...] = field(default=(), repr=False)
    encoding: str = "utf-8"

    def to_json(self) -> dict[str, Any]:
        """Return the report of the file as a JSON object."""
        return {
            "file": self.file,
            "changes": [{"place": str(c.place), "what": c.what, "kind": c.kind} for c in self.changes],
            "refusals": [
                {"place": str(r.place), "code": r.code, "reason": r.reason, "hint": r.hint} for r in self.refusals
            ],
        }


@dataclass
class CodeReport:
    """What a run over files found, in the order of the files."""

    files: list[FileMigration] = field(default_factory=list)
    #: Files that hold no word of the API, and were not parsed.
    passed_over: int = 0

    @property
    def refused(self) -> int:
        """How many calls were refused, and files that could not be read."""
        return sum(len(file.refusals) for file in self.files)

    def summary(self) -> dict[str, Any]:
        """Return the numbers by kind of change and code of refusal."""
        changes = [change.kind for file in self.files for change in file.changes]
        codes = [refusal.code for file in self.files for refusal in file.refusals]
        return {
            "files": len(self.files) + self.passed_over,
            "changed": sum(file.before != file.after for file in self.files),
            "changes": {kind: changes.count(kind) for kind in KINDS if kind in changes},
            "refusals": {code: codes.count(code) for code in sorted(set(codes))},
        }


def migrate_files(
    paths: Sequence[str | os.PathLike[str]],
    *,
    write: bool = False,
    backup: bool = False,
    todo: bool = False,
    workers: int | None = None,
    model: str = DEFAULT_MODEL,
    model_map: Mapping[str, str] | None = None,
    dated: bool = False,
    new_sdk: bool = False,
    target: str = "chat",
    prove: Prover | None = None,
    only: Sequence[str] = (),
    ignore: bool = True,
) -> CodeReport:
    """Migrate Python files and notebooks, and folders of them.

    Nothing is written without ``write``; ``backup`` keeps the old text as ``FILE.bak``.
    ``workers`` is the number of processes; by default one, or the processors' where there
    are many files; ``model``, ``model_map``, ``dated``, ``new_sdk`` and ``target`` are those of :func:`migrate_code`.
    A mock and the calls that it stands for change together or not at all, also across files: every file is
    looked at before any is written. ``only`` narrows the run to files that match one of these patterns
    (``src/*.py``); the others count as files around it. Calls in Markdown, shell and JSON are listed and stay.
    ``prove`` is a chat template, or a client of a server that shows what it renders: each prompt that goes to a
    server of one's own gets a note that says whether the model sees the same.
    ``ignore=False`` also takes files of folders that ``.gitignore`` or ``exclude`` leave out.
    Raises MigrationError for a path that does not exist.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.py").write_text("print(1)")
    >>> migrate_files([folder]).passed_over
    1
    """
    files = [file for file in _files(paths, ignore) if _is_meant(file, only)]
    models = Models(model, model_map or {}, dated, new_sdk, target_named(target))
    concerned = [file for file in files if _concerns(file, chat=models.looks_at_chat)]
    report = CodeReport(passed_over=len(files) - len(concerned))
    project = _project_of(paths, files) if concerned else []
    jobs = _jobs(concerned, project, models, todo=todo)
    found = _all_migrated(list(jobs.values()), workers)
    _hold_apart(found, jobs, project, files)
    report.files = [*(found[name] for name in jobs), *_elsewhere(paths, only, ignore)]
    if any(change.kind == "sdk" for file in report.files for change in file.changes):
        report.files += _requirements(paths, ignore)
    for file in report.files:
        _prove(file, prove)
        if write:
            _write(file, backup=backup)
    return report


def _prove(file: FileMigration, by: Prover | None) -> None:
    if by is not None:
        file.changes = (*file.changes, *(proved(prompt, by) for prompt in file.prompts))


class _Job(NamedTuple):
    """A file to migrate, and how: names that others use, and sites that stay."""

    path: str
    outside: list[str]
    todo: bool
    models: Models
    held: Held = NOTHING_HELD
    is_configured_elsewhere: bool = False


def _jobs(concerned: list[Path], project: list[Path], models: Models, *, todo: bool) -> dict[str, _Job]:
    """Return what is to be done with each file, with what the files around it say."""
    outside = _outside(concerned, project)
    jobs = {file.as_posix(): _Job(os.fspath(file), sorted(outside[file]), todo, models) for file in concerned}
    conftests = {f.resolve().parent: fixtures.fixtures_of(_text(f)) for f in project if f.name == "conftest.py"}
    for name, job in jobs.items():
        width = width_of(Path(os.path.realpath(job.path)).parent)
        jobs[name] = job._replace(models=dataclasses.replace(models, width=width))
    for name, job in jobs.items() if any(conftests.values()) else ():
        given = fixtures.around(Path(job.path), conftests)
        jobs[name] = job._replace(models=dataclasses.replace(job.models, fixtures=given))
    if models.new_sdk:
        texts = {Path(os.path.realpath(f)): _text(f) for f in project}
        for name, job in jobs.items():
            away = requirements.is_configured(Path(os.path.realpath(job.path)), texts)
            jobs[name] = job._replace(is_configured_elsewhere=away)
    return jobs


def _all_migrated(jobs: list[_Job], workers: int | None) -> dict[str, FileMigration]:
    if workers is None:
        workers = (os.cpu_count() or 1) if len(jobs) >= _MANY else 1
    if workers > 1 and len(jobs) > 1:
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
            done = list(pool.map(_migrated, jobs, chunksize=max(1, len(jobs) // (workers * 4))))
    else:
        done = [_migrated(job) for job in jobs]
    return {file.file: file for file in done}


def _migrated(job: _Job) -> FileMigration:
    return _looked_at(Path(job.path), job)


def _hold_apart(found: dict[str, FileMigration], jobs: dict[str, _Job], project: list[Path], files: list[Path]) -> None:
    """Migrate files again without the mocks and calls whose counterparts do not change, until all agree."""
    links = {name: file.links for name, file in found.items()}
    if not any(links.values()):
        return
    texts = {file.as_posix(): _text(file) for file in project}
    together = Together(texts, frozenset(found))
    given = {os.path.realpath(file) for file in files}
    around = [f.as_posix() for f in project if os.path.realpath(f) not in given]
    _look_around(links, together, [name for name in around if may_concern(texts[name])])
    if not any(link.is_mock for every in links.values() for link in every):
        return
    while held := together.held(links):
        for name, sites in held.items():
            jobs[name] = jobs[name]._replace(held={**jobs[name].held, **sites})
            found[name] = _migrated(jobs[name])
            links[name] = found[name].links


def _look_around(links: dict[str, tuple[Link, ...]], together: Together, around: list[str]) -> None:
    """Add the links of files around the run: of those that lead to it or that it leads to, else of all."""
    calls = any(not link.is_mock for every in links.values() for link in every)
    waiting = [name for name in around if not calls or MOCKS.search(together.texts[name])]
    for is_near in (True, False):
        taken = [name for name in waiting if not is_near or together.is_near(name, links)]
        for name in taken if is_near or together.has_alone(links) else ():
            links[name] = migrate_file(Path(name)).links
        waiting = [name for name in waiting if name not in links]


def migrate_file(
    path: Path,
    *,
    outside: Iterable[str] = (),
    write: bool = False,
    backup: bool = False,
    todo: bool = False,
    models: Models = NO_MAP,
) -> FileMigration:
    """Migrate one file by itself; what cannot be read is a refusal of the file."""
    found = _looked_at(path, _Job(os.fspath(path), sorted(outside), todo, models))
    if write:
        _write(found, backup=backup)
    return found


def _looked_at(path: Path, job: _Job) -> FileMigration:
    name = path.as_posix()
    try:
        text, encoding = decoded(path.read_bytes(), is_python=path.suffix != ".ipynb")
    except (SyntaxError, UnicodeError, LookupError) as error:
        return _unread(name, "", Refusal.of(Place(name, 1, 1), "encoding", str(error)))
    try:
        options: dict[str, Any] = {
            "outside": frozenset(job.outside),
            "models": job.models,
            "held": job.held,
            "is_configured_elsewhere": job.is_configured_elsewhere,
        }
        if path.suffix == ".ipynb":
            found = migrate_notebook(text, name, **options)
        else:
            found = migrate_text(text, name, todo=job.todo, **options)
    except MigrationError as error:
        code = "internal" if error.__cause__ is not None else "notebook" if path.suffix == ".ipynb" else "syntax"
        return _unread(name, text, Refusal.of(_place_of(error, name), code, error.message))
    return FileMigration(name, text, found.source, found.changes, found.refusals, found.links, found.prompts, encoding)


def _unread(name: str, text: str, refusal: Refusal) -> FileMigration:
    """Return a file that could not be read: whatever calls it holds, they stay."""
    return FileMigration(name, text, text, refusals=(refusal,), links=(Link(refusal.place, "", False, True),))


def _write(file: FileMigration, *, backup: bool) -> None:
    if file.after != file.before:
        before, after = (text.encode(file.encoding) for text in (file.before, file.after))
        replace_file(Path(file.file), before, after, backup=backup)


def _place_of(error: MigrationError, name: str) -> Place:
    parts = str(error.path or "").rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        return Place(name, int(parts[1]), int(parts[2]))
    return Place(name, 1, 1)


# which files ----------------------------------------------------------------------------------------


def _files(paths: Sequence[str | os.PathLike[str]], ignore: bool) -> Iterator[Path]:
    check_paths(paths)
    seen: set[str] = set()
    folders: dict[Path, str] = {}
    for file in iter_paths(paths, ENDINGS, ignore=ignore):
        real = _real(file, folders)
        if real not in seen:
            seen.add(real)
            yield file


def _real(file: Path, folders: dict[Path, str]) -> str:
    """Return the real path of a file; those of ``folders`` are known."""
    if file.is_symlink():
        return os.path.realpath(file)
    parent = file.parent
    if parent not in folders:
        folders[parent] = os.path.realpath(parent)
    return os.path.join(folders[parent], file.name)


def check_paths(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Raise MigrationError for a path that does not exist."""
    for path in paths:
        if not Path(path).exists():
            raise MigrationError("there is no such file or folder", path=os.fspath(path))


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace")


def _is_meant(file: Path, only: Sequence[str]) -> bool:
    return not only or any(fnmatch.fnmatch(file.as_posix(), pattern) or file.match(pattern) for pattern in only)


def _elsewhere(paths: Sequence[str | os.PathLike[str]], only: Sequence[str], ignore: bool) -> Iterator[FileMigration]:
    """Yield the files of other languages that hold calls."""
    for file in iter_paths(paths, elsewhere.ENDINGS, ignore=ignore):
        is_other = file.suffix.lower() in elsewhere.ENDINGS and file.stat().st_size <= _LARGEST
        if is_other and _is_meant(file, only):
            text = file.read_bytes().decode("utf-8", "replace")
            if refusals := elsewhere.seen_elsewhere(text, file.as_posix()):
                yield FileMigration(file.as_posix(), text, text, refusals=tuple(refusals))


def _requirements(paths: Sequence[str | os.PathLike[str]], ignore: bool) -> Iterator[FileMigration]:
    """Yield the files that say which openai the project needs, with a note where that is below 1."""
    for file in iter_paths(paths, requirements.ENDINGS, ignore=ignore):
        text = file.read_bytes().decode("utf-8", "replace") if file.stat().st_size <= _LARGEST else ""
        if notes := requirements.requirement_notes(text, file.as_posix()):
            yield FileMigration(file.as_posix(), text, text, tuple(notes))


def _concerns(file: Path, *, chat: bool = False) -> bool:
    return may_concern(file.read_bytes().decode("utf-8", "replace"), chat=chat)


def _project_of(paths: Sequence[str | os.PathLike[str]], files: list[Path]) -> list[Path]:
    """Return the files that may use those: their own folders', and the project's of a file that was named."""
    found = {os.path.realpath(file): file for file in files}
    for name in paths:
        folder = Path(name).resolve()
        roots = [up for up in (folder, *folder.parents) if any((up / mark).exists() for mark in _ROOTS)]
        root = roots[0] if roots else folder if folder.is_dir() else folder.parent
        for file in iter_files(root, ENDINGS):
            found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def _outside(concerned: list[Path], project: list[Path]) -> dict[Path, set[str]]:
    """Return, by file, the names that other files of the project may take from it.

    A file that mentions another's name may use whatever it imports or reads as an attribute.
    """
    found: dict[Path, set[str]] = {file: set() for file in concerned}
    stems: dict[str, list[Path]] = {}
    for file in concerned:
        stems.setdefault(file.parent.name if file.stem == "__init__" else file.stem, []).append(file)
    if not stems:
        return found
    mention = re.compile(r"\b(?:" + "|".join(map(re.escape, stems)) + r")\b")
    for file in project:
        text = _text(file)
        may_mention = len(stems) > _FEW or any(stem in text for stem in stems)
        mentioned = set(mention.findall(text)) if may_mention else set[str]()
        if not mentioned:
            continue
        words = set(_ATTRIBUTE.findall(text))
        for names in _IMPORTED.findall(text):
            words.update(_WORD.findall(names))
        real = os.path.realpath(file)
        for stem in mentioned:
            for other in stems[stem]:
                if os.path.realpath(other) != real:
                    found[other] |= words
    return found
