"""One row: a line, or a row of a table, becomes the lines of the target, or a reject with its reason.

Rule: a row is never dropped. What cannot be converted stands among the rejects with its
number, the error and the row as it was; the data set goes on, unless it was asked to stop.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ...errors import DiptychError, FormatError, LossError, MigrationError
from ...formats.base import Conversion
from ...formats.convert import convert
from ...formats.registry import get
from ...loss import Loss, settle
from ...model import thaw
from ...wire.convert_request import convert_request
from .counts import ShardCounts
from .spec import Spec
from .tokens import Tokens

BATCH: Final = "openai_batch"


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
        raise FormatError(f"the line is no JSON: {error}") from None


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
    raise FormatError(f"{text} is no JSON")


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
        self._tokens = Tokens(spec, counts)
        self._renamed = {column: name for name, column in spec.columns.items()}
        self._same = spec.source == spec.target and not spec.columns and not spec.drop and not spec.request

    @property
    def tokens(self) -> Tokens:
        """What counts the tokens of the rows."""
        return self._tokens

    def spliced(self, count: int) -> None:
        """Count rows that were spliced: each became one, and lost nothing."""
        self.counts.rows += count
        self.counts.converted += count
        self.counts.written += count

    def line(self, number: int, raw: bytes) -> tuple[bytes, bytes]:
        """Return the lines that a line becomes, and the line of the reject; one of them is empty."""
        try:
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
        except DiptychError as error:
            text = json.dumps(value, ensure_ascii=False) if raw is None else raw.decode("utf-8", "surrogateescape")
            return b"", self._rejected(number, error, text)
        self.counts.converted += 1
        self.counts.written += len(found)
        for conversion in found:
            self.counts.lose(conversion.losses)
        self._tokens.add(value, [conversion.output for conversion in found])
        if self._same and raw is not None and len(found) == 1 and found[0].output == value:
            return (raw if raw.endswith(b"\n") else raw + b"\n"), b""  # untouched: byte for byte
        return b"".join(line_of(conversion.output) for conversion in found), b""

    def _converted(self, number: int, value: Any) -> list[Conversion]:
        # Losses are counted here: a million warnings help nobody.
        policy: Any = "raise" if self.spec.on_loss == "raise" else "ignore"
        if isinstance(value, Mapping):
            value = self._columns(value)
        if self.spec.source == self.spec.target == BATCH:
            return _batch(value, self.spec, policy)
        found = convert(_unwrapped(value, self.spec.source), self.spec.source, self.spec.target, policy)
        return [replace(found, output=_wrapped(found.output, self.spec.target))]

    def _columns(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row under the names of its layout, without what is left out knowingly."""
        if not self._renamed and not self.spec.drop:
            return dict(value)
        found: dict[str, Any] = {}
        for column, item in value.items():
            if column in self.spec.drop:
                continue
            name = self._renamed.get(column, column)
            if name in found:
                raise FormatError(f"two columns are the {name!r} of the row", path=f"$.{column}")
            found[name] = item
        return found

    def _rejected(self, number: int, error: DiptychError, text: str) -> bytes:
        if self.spec.fail_fast:
            raise MigrationError(f"row {number}: {error.message}", path=error.path, hint=error.hint) from None
        self.counts.rejected += 1
        if isinstance(error, LossError):
            self.counts.lose(error.losses)
        said = {"code": error.error_code, "message": error.message, "path": error.path}
        return line_of({"line": number, "error": said, "row": text.rstrip("\r\n")})


def _unwrapped(row: Any, source: str) -> Any:
    """Return the text of a row where the layout is a text format: the row itself, its ``text`` or its ``prompt``."""
    if isinstance(row, str) or get(source).kind != "text":
        return row
    names = [name for name in ("text", "prompt") if isinstance(row, Mapping) and isinstance(row.get(name), str)]
    if len(names) != 1 or len(row) != 1:
        raise FormatError(f"a row of {source} is a text, or an object with a text alone", path="$")
    return row[names[0]]


def _wrapped(output: Any, target: str) -> Any:
    """Return an output as a row: an object, as every reader of data sets wants it."""
    if isinstance(output, str):
        return {"text": output}
    return {"messages": output} if isinstance(output, list) and get(target).kind == "messages" else output


def _batch(value: Any, spec: Spec, policy: Any) -> list[Conversion]:
    """Return the chat lines of a batch line: one, or one a prompt, each with an id of its own."""
    if not isinstance(value, Mapping) or not isinstance(value.get("body"), Mapping):
        raise FormatError("a batch line has a body", path="$.body")
    asked = thaw(spec.request)
    body = {**value["body"], **{name: item for name, item in asked.items() if name != "model"}}
    found = convert_request(body, "chat", policy, model=asked.get("model"))
    several = len(found) > 1
    lines = []
    for index, conversion in enumerate(found):
        id_ = f"{value.get('custom_id')}-{index}" if several else value.get("custom_id")
        line = {**value, "custom_id": id_, "url": "/v1/chat/completions", "body": conversion.output}
        split = (Loss("$.body.prompt", "split", "one line a prompt"),) if several else ()
        rules = get(BATCH).rules
        settle(rules(line) if rules else (), policy)
        lines.append(Conversion(line, conversion.verdict, (*conversion.losses, *split), BATCH))
    return lines
