"""Which files of a folder are data, where each is written, and what is left out and why.

Rule: nothing is left out in silence. A target of a folder is JSON lines under the name of its source, or a table.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

from ...errors import MigrationError
from ...walk import iter_files
from .packing import MAGIC
from .sources import ENDINGS, LINES, TABLES, named_as_data, unpacked_name
from .storage import Remote, size_of

#: JSON documents that stand beside data sets (LLaMA-Factory, Hugging Face, this module's own).
_NO_ROWS: Final = frozenset({"manifest.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json",
                             "state.json", "package.json", "config.json"})  # fmt: skip


def pairs_of(
    src: Path, out: Path, *, ignore: bool = True, join: bool = True
) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Return source and target of every data file, and what of a folder is left out, with the reason.

    Raises MigrationError where there is no data file.
    """
    if not src.is_dir():
        pairs = [(src, out / src.name if join and out.is_dir() else out)] if src.is_file() else []
        left: list[str] = []
    else:
        pairs, left = _pairs_of_folder(src, out, ignore)
    if not pairs:
        raise MigrationError("there is nothing to convert", path=os.fspath(src), hint=_hint(src, ignore))
    return pairs, left


def _pairs_of_folder(src: Path, out: Path, ignore: bool) -> tuple[list[tuple[Path, Path]], list[str]]:
    made = out.resolve()  # a target inside of the source is no source of the next run
    files, left = list[Path](), list[str]()
    for path in _files(src, ignore):
        if made in path.resolve().parents:
            continue
        if reason := _no_data(path):
            left.append(f"{path.relative_to(src).as_posix()}: left out: {reason}")
        else:
            files.append(path)
    if ignore and (hidden := {*_data_files(src, ignore=False)} - {*files}):
        left.append(f"{len(hidden)} data files are ignored (.gitignore, exclude): --no-ignore takes them")
    return list(zip(files, _targets(files, src, out), strict=True)), left


def _targets(files: list[Path], src: Path, out: Path) -> list[Path]:
    """Return a target for each file: JSON lines keep their names, of other forms only the first part."""
    places = [out / path.relative_to(src) for path in files]
    made = [place.with_name(_target_name(place.name)) for place in places]
    return [
        place.with_name(f"{place.name}.jsonl") if new != place and (new in places or made.count(new) > 1) else new
        for place, new in zip(places, made, strict=True)
    ]


def _target_name(name: str) -> str:
    inner = unpacked_name(name)
    if inner.endswith((*LINES, *TABLES)) or not inner.lower().endswith(ENDINGS):
        return name
    return f"{inner.rpartition('.')[0]}.jsonl{name[len(inner) :]}"


def _no_data(path: Path) -> str:
    """Return why a file of a folder is not taken for rows, empty where it is."""
    name = path.name.lower()
    if name.endswith((".rejects.jsonl", ".manifest.json")) or name in _NO_ROWS:
        return "it says something about a data set"
    if not named_as_data(name):
        return "its name is none of a data file; convert it by itself if it is one"
    if size_of(path) == 0:
        return "it is empty"
    return ""


def _files(src: Path, ignore: bool) -> Iterator[Path]:
    """Yield the files of a folder; one elsewhere has nothing that is ignored."""
    return cast("Iterator[Path]", src.files()) if isinstance(src, Remote) else iter_files(src, ignore=ignore)


def _data_files(src: Path, ignore: bool) -> Iterator[Path]:
    return (path for path in _files(src, ignore) if not _no_data(path))


def _hint(src: Path, ignore: bool) -> str:
    if not src.exists():
        return "there is no such file"
    if ignore and src.is_dir() and any(_data_files(src, ignore=False)):
        return "its data files are ignored (.gitignore, exclude): --no-ignore or ignore=False takes them"
    return f"data files end in {', '.join(ENDINGS)}, compressed or not ({', '.join(MAGIC)})"
