"""One row: a line, or a row of a table, becomes the lines of the target, or a reject with its reason.

Rule: a row is never dropped. What cannot be converted stands among the rejects with its
number, the error and the row as it was; the data set goes on, unless it was asked to stop.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ...conversion.convert import convert
from ...conversion.registry import get
from ...datasets.alternation import ASKED
from ...datasets.carried import unkept
from ...datasets.finetune import Separators, read_row
from ...datasets.metadata import is_convention, left_out
from ...datasets.openai_rules import FileRules
from ...datasets.rows import judging, row_of, untouched
from ...errors import DiptychError, FormatError, LossError, MigrationError
from ...format import Format
from ...loss import Loss, Severity
from ...model import Conversation, Example, FrozenMap, thaw
from ...policy import OnLoss, settle
from .counts import ShardCounts
from .plain import Talk, plain_converter
from .spec import Spec
from .tokens import Tokens

BATCH: Final = "openai_batch"
#: A mark of the beginning, which no file of rows wants.
_BOM: Final = b"\xef\xbb\xbf"
LEGACY: Final = "finetune_legacy"
#: A row that was written, and what it lost.
_Written = tuple[Any, tuple[Loss, ...]]


def loads(raw: bytes) -> Any:
    """Read a line of JSON; integers keep every digit. Raises FormatError.

    A key that stands twice, and a number that no float holds, are errors: one of two values
    would be lost without a word.
    """
    try:
        return json.loads(raw, object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
    except RecursionError:
        raise FormatError("the line is nested too deeply") from None
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(f"the line is not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"the key {twice!r} stands twice in one object")
    return found


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise FormatError(f"the number {text[:20]} is larger than any float")
    return value


def _constant(text: str) -> Any:
    raise FormatError(f"{text} is not JSON")


def as_row(value: Any) -> Any:
    """Return a row that is nothing but its list of turns as an object with ``messages``, any other as it is.

    >>> as_row([{"role": "user", "content": "Hi"}])
    {'messages': [{'role': 'user', 'content': 'Hi'}]}
    """
    turns = value if isinstance(value, list) else []
    is_talk = bool(turns) and all(isinstance(turn, dict) and {"role", "from"} & turn.keys() for turn in turns)
    return {"messages": value} if is_talk else value


def line_of(value: Any) -> bytes:
    """Return a value as a line of JSON: UTF-8, or escapes where a lone surrogate stands."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        return f"{json.dumps(value, separators=(',', ':'))}\n".encode()


class Rows:
    """Converts the rows of one shard and counts what they come to."""

    def __init__(self, spec: Spec, counts: ShardCounts) -> None:
        self.spec, self.counts = spec, counts
        self.tokens = Tokens(spec, counts)
        self.rules = FileRules(spec.target)
        self._seen: set[bytes] = set()
        self.faults: dict[int, str] = {}  # why lines are no rows, by their numbers
        self._source, self._target = get(spec.source, "dataset"), get(spec.target, "dataset")
        self._reader = reader_of(self._source, spec.separators)
        self._map = spec.column_map
        self._same = spec.source == spec.target and not (self._map or spec.request)
        are_counted = self.tokens.are_asked
        is_plain = not (self._map or spec.request or spec.rules or spec.max_tokens or (spec.dedupe and are_counted))
        self.talks: list[Talk] = []  # of plain lines whose tokens are to be counted
        #: Converts a plain line without the neutral model, where there is such a way.
        self.plain = None
        if is_plain:
            self.plain = plain_converter(spec.source, spec.target, self.talks if are_counted else None)
        # Losses are counted: a million warnings help nobody.
        self._policy: OnLoss = "raise" if spec.on_loss == "raise" else "ignore"

    def spliced(self, count: int, size: int) -> None:
        """Count rows that went a shorter way: each became one, and lost nothing; ``size`` is that of their lines."""
        self.counts.rows += count
        self.counts.converted += count
        self.counts.written += count
        self.rules.rows += count
        self.rules.bytes += size

    def is_new(self, line: bytes, *, is_counted: bool = False) -> bool:
        """Tell whether a line is to be written: where equal rows are written once, 16 bytes of each are kept.

        A row that is left out is counted here, unless that it was read ``is_counted`` already.
        """
        if not self.spec.dedupe:
            return True
        digest = hashlib.blake2b(line, digest_size=16).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            return True
        self.counts.duplicates += 1
        if not is_counted:
            self.counts.rows += 1
            self.counts.converted += 1
        return False

    def line(self, number: int, raw: bytes) -> tuple[bytes, bytes]:
        """Return the lines that a line becomes, and the line of the reject; one of them is empty."""
        raw = raw.removeprefix(_BOM)
        try:
            if self.faults and (fault := self.faults.pop(number, None)):
                raise FormatError(fault)
            value = loads(raw)
        except DiptychError as error:
            self.counts.rows += 1
            return b"", self._rejected(number, error, raw.decode("utf-8", "surrogateescape"))
        return self.row(number, value, raw)

    def row(self, number: int, value: Any, raw: bytes | None = None) -> tuple[bytes, bytes]:
        """Return the lines that a row becomes, and the line of the reject; ``raw`` is the row's own line."""
        self.counts.rows += 1
        try:
            found = self._converted(number, value)
            self.tokens.fit([output for output, _ in found])
        except DiptychError as error:
            text = json.dumps(value, ensure_ascii=False) if raw is None else raw.decode("utf-8", "surrogateescape")
            return b"", self._rejected(number, error, text)
        self.counts.converted += 1
        lines, kept = list[bytes](), list[Any]()
        for output, losses in found:
            self.counts.lose(losses, number=number)
            untouched = self._same and raw is not None and len(found) == 1 and output == value
            line = raw.rstrip(b"\r\n") + b"\n" if raw is not None and untouched else line_of(output)
            if self.is_new(line, is_counted=True):
                self.rules.add(output, len(line))
                self.counts.written += 1
                lines.append(line)
                kept.append(output)
        self.tokens.add(value, kept)
        return b"".join(lines), b""

    def _converted(self, number: int, value: Any) -> list[_Written]:
        """Return the rows that a row becomes, each with its losses. Raises what the policy raises."""
        value = as_row(value)
        if isinstance(value, Mapping):
            value = self._map.apply(value)
        if self._source.kind == "text":
            found = convert(
                _unwrapped(value, self._source.name),
                source=self._source.name,
                target=self.spec.target,
                on_loss=self._policy,
            )
            return [(_wrapped(found.output), found.losses)]
        return [self._one(number, row, losses) for row, losses in _single(value, self._source.name)]

    def _one(self, number: int, value: Any, told: tuple[Loss, ...]) -> _Written:
        conversation, read = self._reader(value)
        example = Example.of(conversation)
        asked = tuple(loss for name in self.spec.rules for loss in ASKED[name](example))
        if self.spec.target == BATCH:
            request = FrozenMap({**thaw(example.request), **thaw(self.spec.request)})
            example = replace(example, id=example.id or f"row-{number}", request=request)
        written = convert(example, target=self.spec.target, on_loss="ignore")
        unheld = unkept(example, self._target, read, written.losses)
        made = written.losses
        if untouched(value, self._source.name, _wrapped(written.output), self.spec.target):
            # The row is as it was: only what its receiver refuses is to be told.
            read, made = (), tuple(loss for loss in made if loss.severity is Severity.REFUSED)
        names, kept = left_out((*told, *read, *asked, *made, *unheld), value, example)
        usual = tuple(loss for loss in kept if is_convention(loss))
        losses = settle(tuple(loss for loss in kept if loss not in usual), self._policy)
        self.counts.leave_out(names)
        return _wrapped(written.output), (*usual, *losses)

    def _rejected(self, number: int, error: DiptychError, text: str) -> bytes:
        if self.spec.fail_fast:
            raise MigrationError(f"row {number}: {error.message}", path=error.path, hint=error.hint) from None
        self.counts.reject(number, error=error)
        if isinstance(error, LossError):
            self.counts.lose(error.losses)
        said = {"code": error.error_code, "message": error.message, "path": error.path}
        return line_of({"line": number, "error": said, "row": text.rstrip("\r\n")})


def reader_of(source: Format, separators: Separators | None) -> Callable[[Any], tuple[Conversation, tuple[Loss, ...]]]:
    """Return what reads a row: a legacy one with the separators of its data set, not with its own."""
    if source.read is None:
        raise FormatError(f"{source.name} can be written, not read")
    if source.name != LEGACY or separators is None:
        return source.read

    def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
        return read_row(row_of(value), separators)

    return judging(read)


def _single(value: Any, source: str) -> Iterator[tuple[Any, tuple[Loss, ...]]]:
    """Yield a row; a batch line of several prompts as one line a prompt, each with an id of its own."""
    body = value.get("body") if source == BATCH and isinstance(value, Mapping) else None
    body = body if isinstance(body, Mapping) else {}
    prompts = body.get("prompt")
    if not isinstance(prompts, list) or len(prompts) < 2 or isinstance(prompts[0], int):
        yield value, ()
        return
    for index, prompt in enumerate(prompts):
        id_ = f"{value.get('custom_id')}-{index}"
        split = Loss(f"$.body.prompt[{index}]", "split", f"a line of its own: {id_}")
        yield {**value, "custom_id": id_, "body": {**body, "prompt": prompt}}, (split,)


def _unwrapped(row: Any, source: str) -> Any:
    """Return the text of a row of a text format: the row itself, its ``text`` or its ``prompt``."""
    if isinstance(row, str):
        return row
    names = [name for name in ("text", "prompt") if isinstance(row, Mapping) and isinstance(row.get(name), str)]
    if len(names) != 1 or len(row) != 1:
        raise FormatError(f"a row of {source} is a text, or an object with a text alone", path="$")
    return row[names[0]]


def _wrapped(output: Any) -> Any:
    """Return an output as a row: an object, as every reader of data sets wants it."""
    if isinstance(output, str):
        return {"text": output}
    return {"messages": output} if isinstance(output, list) else output
