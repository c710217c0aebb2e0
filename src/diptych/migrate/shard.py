"""One shard: a file of JSON lines in, a file of JSON lines out, all of it or none.

Rule: lines are read and written one at a time, so memory does not grow with the file.
The results are written beside their place and moved there when they are whole; the
manifest, written last, says what was done to which bytes. A shard whose manifest fits is
not converted again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..errors import DiptychError, FormatError, LossError, MigrationError
from ..formats.base import Conversion
from ..formats.convert import convert
from ..loss import OnLoss

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Spec:
    """What becomes of each row: its format, the target, and what a loss does to it.

    ``on_loss="raise"`` puts rows that would lose anything among the rejects.
    """

    source: str = "auto"
    target: str = "openai_chat"
    on_loss: OnLoss = "raise"

    @classmethod
    def of(cls, value: Spec | Mapping[str, Any]) -> Spec:
        """Return the spec of a mapping with ``from``, ``to`` and ``on_loss``. Raises MigrationError."""
        if isinstance(value, Spec):
            return value
        names = {"from": "source", "to": "target", "source": "source", "target": "target", "on_loss": "on_loss"}
        if wrong := sorted(set(value) - set(names)):
            raise MigrationError(f"a spec has no {wrong[0]!r}", path=f"$.{wrong[0]}", hint="from, to, on_loss")
        return cls(**{names[name]: item for name, item in value.items()})


@dataclass
class ShardCounts:
    """What a shard came to: rows read, written, rejected; losses by kind."""

    rows: int = 0
    converted: int = 0
    rejected: int = 0
    losses: dict[str, int] = field(default_factory=dict)
    skipped: bool = False

    def add(self, other: ShardCounts) -> None:
        """Add another shard's counts."""
        self.rows += other.rows
        self.converted += other.converted
        self.rejected += other.rejected
        self.losses = dict(Counter(self.losses) + Counter(other.losses))

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        return asdict(self)


def convert_shard(src: _Path, out: _Path, spec: Spec | Mapping[str, Any]) -> ShardCounts:
    """Convert a file of JSON lines (``.gz`` is unpacked and packed by its name); return the counts.

    Beside ``out`` stand ``out.rejects.jsonl`` (each row that failed: line, error, the row as
    it was) and ``out.manifest.json``. Raises MigrationError where the source cannot be read
    or ``out`` is the source.
    """
    spec, source, target = Spec.of(spec), Path(src), Path(out)
    if source.resolve() == target.resolve():
        raise MigrationError("a shard is not written over its source", path=os.fspath(target))
    try:
        digest = _digest(source)
    except OSError as error:
        raise MigrationError(f"the shard cannot be read: {error.strerror}", path=os.fspath(source)) from None
    done = _done(target, digest, spec)
    if done is not None:
        return done
    target.parent.mkdir(parents=True, exist_ok=True)
    rejects = target.with_name(f"{target.name}.rejects.jsonl")
    counts = ShardCounts()
    with _Writing(target) as good, _Writing(rejects) as bad, _opened(source) as lines:
        for number, raw in enumerate(lines, 1):
            if raw.strip():
                _row(number, raw, spec, counts, good.file, bad.file)
        good.keep()
        if counts.rejected:
            bad.keep()
    if not counts.rejected:
        rejects.unlink(missing_ok=True)
    manifest = {"version": 1, "source_sha256": digest, "spec": asdict(spec), "counts": counts.to_json()}
    with _Writing(_manifest(target)) as file:
        file.file.write(json.dumps(manifest, indent=2).encode())
        file.keep()
    return counts


def _row(number: int, raw: bytes, spec: Spec, counts: ShardCounts, good: BinaryIO, bad: BinaryIO) -> None:
    counts.rows += 1
    try:
        found = _converted(raw, number, spec)
    except DiptychError as error:
        counts.rejected += 1
        if isinstance(error, LossError):
            counts.losses = dict(Counter(counts.losses) + Counter(loss.kind for loss in error.losses))
        said = {"code": error.error_code, "message": error.message, "path": error.path}
        text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        bad.write(_line({"line": number, "error": said, "row": text}))
        return
    counts.converted += 1
    for loss in found.losses:
        counts.losses[loss.kind] = counts.losses.get(loss.kind, 0) + 1
    good.write(_line(found.output))


def _converted(raw: bytes, number: int, spec: Spec) -> Conversion:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the line is no JSON: {error}", path=f"line {number}") from None
    # Losses are counted here, a million warnings help nobody.
    return convert(value, spec.source, spec.target, on_loss="raise" if spec.on_loss == "raise" else "ignore")


def _line(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        return f"{json.dumps(value, separators=(',', ':'))}\n".encode()


def _opened(path: Path) -> BinaryIO:
    """Open a file of lines; one that ends in ``.gz`` is unpacked as it is read."""
    return cast("BinaryIO", gzip.open(path, "rb")) if path.name.endswith(".gz") else path.open("rb")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(target: Path) -> Path:
    return target.with_name(f"{target.name}.manifest.json")


def _done(target: Path, digest: str, spec: Spec) -> ShardCounts | None:
    """Return the counts of a shard that was converted before, from the same bytes in the same way."""
    try:
        manifest = json.loads(_manifest(target).read_bytes())
        same = manifest["source_sha256"] == digest and manifest["spec"] == asdict(spec) and target.exists()
        return ShardCounts(**{**manifest["counts"], "skipped": True}) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _Writing:
    """A file that appears under its name only when it is whole."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._beside = target.with_name(f".{target.name}.{os.getpid()}.part")
        self._raw: BinaryIO = self._beside.open("wb")
        # No name and no time inside: the same rows give the same bytes.
        packed = target.name.endswith(".gz")
        self.file = cast("BinaryIO", gzip.GzipFile("", "wb", 6, self._raw, mtime=0)) if packed else self._raw
        self._kept = False

    def __enter__(self) -> _Writing:
        return self

    def keep(self) -> None:
        """Say that everything has been written."""
        self._kept = True

    def __exit__(self, kind: object, *_: object) -> None:
        if self._kept and kind is None:
            if self.file is not self._raw:
                self.file.close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
            self._raw.close()
            self._beside.replace(self._target)
        else:
            self._raw.close()
            self._beside.unlink(missing_ok=True)
