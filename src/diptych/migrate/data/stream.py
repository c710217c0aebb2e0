"""Rows that are in memory already: for the ``map`` of datasets, Daft, Spark and Ray Data, and for loops.

Rule: a row becomes what it would become in a file. The layout and the separators are those of the first
rows, unless the spec names them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from ...errors import MigrationError
from .counts import ShardCounts
from .layout import SAMPLE, resolve_rows
from .rows import Rows, as_row
from .spec import Spec


def convert_rows(
    rows: Iterable[Mapping[str, Any]],
    spec: Spec | Mapping[str, Any],
    *,
    rejects: list[dict[str, Any]] | None = None,
    counts: ShardCounts | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the rows that rows become, in their order.

    ``rejects`` takes what cannot be converted, as a rejects file has it (``line``, ``error``, ``row``); without it
    the first such row raises MigrationError. ``counts`` is added to. Raises MigrationError, too, where the first
    rows have no layout in common. Where the rows come in pieces (``map`` in batches), name the layout in the spec.

    >>> list(convert_rows([{"query": "2+2?", "response": "4"}], {"to": "trl_prompt_completion"}))
    [{'prompt': [{'role': 'user', 'content': '2+2?'}], 'completion': [{'role': 'assistant', 'content': '4'}]}]
    """
    asked, given = Spec.of(spec), map(as_row, rows)
    first = list(islice(given, SAMPLE))
    if not first:
        return
    resolved = replace(resolve_rows(asked, first), fail_fast=rejects is None)
    one = Rows(resolved, ShardCounts() if counts is None else counts)
    for number, row in enumerate(chain(first, given), 1):
        if not isinstance(row, Mapping):
            raise MigrationError(f"row {number} is not an object but {type(row).__name__}")
        good, bad = one.row(number, dict(row))
        if bad and rejects is not None:
            rejects.append(json.loads(bad))
        yield from map(json.loads, good.splitlines())
