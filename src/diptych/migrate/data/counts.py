"""What a shard or a data set came to; sums are the same in any order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ...errors import DiptychError
from ...loss import Loss, Severity
from ...prices.usage import price_usage

#: Tokens of a prompt that no long-context tier begins below: a row is priced as a short prompt.
_SHORT = 100_000


#: What a text without the white space of the others is told as: it changes nothing.
_DEVIATES = ("$.completion", "by-format-rule")


@dataclass
class ShardCounts:
    """Rows read, converted and rejected, rows written, losses by kind, tokens before and after.

    ``written`` differs from ``converted`` where one row became several. Tokens are None where
    they were not asked for. ``duplicates`` are rows that were written before, ``validation`` rows
    of the second file, which are among ``written``. ``problems`` are what the receiver's rules say of the file as a
    whole. ``skipped``: the work had been done before. ``left_out`` counts, by their names, the columns that
    were left out because they only describe the rows. ``reasons`` groups the rejects: for each reason how many,
    and the first of them, with its file and line. ``told`` groups what rows lost that were written, or how they
    deviate from the others, in the same way. ``layout_reasons`` says of a data set why a layout was taken that was
    not named. ``layouts`` counts the rows by the layout that was found.
    """

    rows: int = 0
    converted: int = 0
    rejected: int = 0
    written: int = 0
    losses: dict[str, int] = field(default_factory=dict)
    tokens_before: int | None = None
    tokens_after: int | None = None
    image_rows: int = 0
    duplicates: int = 0
    validation: int = 0
    problems: list[str] = field(default_factory=list)
    skipped: bool = False
    left_out: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)
    layouts: dict[str, int] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    layout_reasons: dict[str, str] = field(default_factory=dict)

    def add(self, other: ShardCounts) -> None:
        """Add another shard's counts."""
        self.rows += other.rows
        self.converted += other.converted
        self.rejected += other.rejected
        self.written += other.written
        self.losses = dict(sorted((Counter(self.losses) + Counter(other.losses)).items()))
        self.tokens_before = _sum(self.tokens_before, other.tokens_before)
        self.tokens_after = _sum(self.tokens_after, other.tokens_after)
        self.image_rows += other.image_rows
        self.duplicates += other.duplicates
        self.validation += other.validation
        self.problems += other.problems
        self.left_out = dict(sorted((Counter(self.left_out) + Counter(other.left_out)).items()))
        self.layouts = dict(sorted((Counter(self.layouts) + Counter(other.layouts)).items()))
        for mine, others in ((self.reasons, other.reasons), (self.told, other.told)):
            for reason, group in others.items():
                own = mine.setdefault(reason, {**group, "rows": 0})
                own["rows"] += group["rows"]

    def placed(self, name: str, *, before: int) -> None:
        """Say which file the first row of each group stands in, and how many lines of it come before these."""
        for group in (*self.reasons.values(), *self.told.values()):
            group["file"], group["line"] = name, group["line"] + before

    def leave_out(self, names: Iterable[str]) -> None:
        """Count columns of one row that were left out."""
        for name in names:
            self.left_out[name] = self.left_out.get(name, 0) + 1

    def reject(self, number: int, *, error: DiptychError) -> None:
        """Count a rejected row under its reason; the first of each reason is its example."""
        self.rejected += 1
        path = error.path or ""
        said = f"{path}: {error.message}" if path and not error.message.startswith(path) else error.message
        _grouped(self.reasons, number, said)

    def lose(self, losses: Iterable[Loss], *, number: int | None = None) -> None:
        """Count the losses of one row; with its number, those that change something under their reasons, too."""
        for loss in losses:
            self.losses[loss.kind] = self.losses.get(loss.kind, 0) + 1
            if number is not None and (loss.severity > Severity.EXACT or (loss.path, loss.kind) == _DEVIATES):
                _grouped(self.told, number, str(loss))

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ShardCounts:
        """Return the counts of a manifest."""
        return cls(**value)


def _grouped(groups: dict[str, dict[str, Any]], number: int, said: str) -> None:
    group = groups.setdefault(_kind_of(said), {"rows": 0, "file": None, "line": number, "message": said})
    group["rows"] += 1


@lru_cache(maxsize=512)
def _kind_of(message: str) -> str:
    """Return a message without what differs from row to row: numbers, and what stands in quotes.

    >>> _kind_of("$.messages[3].role: unknown speaker 'ann'")
    "$.messages[N].role: unknown speaker '…'"
    """
    return re.sub(r"\d+", "N", re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "'…'", message))[:200]


def _sum(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b


def cost_of(model: str | None, tokens: int | None) -> Decimal | None:
    """Return the USD of so many tokens as input of short prompts, None where no price is known."""
    if model is None or tokens is None:
        return None
    price = price_usage(model, {"prompt_tokens": _SHORT, "completion_tokens": 0})
    return None if price is None else price / _SHORT * tokens
