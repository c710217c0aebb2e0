"""Which layout the rows of a file have.

Rule: every row says it for itself, and all must say the same; a file of two layouts is two files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ..errors import FormatError
from ..format import Format


def detect_layout(rows: Iterable[Any], formats: Collection[Format]) -> tuple[str, float]:
    """Return which of the formats the rows have, and how sure that is (0 to 1): as sure as the least sure row.

    Raises FormatError, with the number of the row as its path, for a row of no layout or of another
    than the first, and where there is no row.

    >>> from diptych import list_formats
    >>> detect_layout([{"prompt": "2+2?", "completion": " 4"}, {"prompt": "3+3?", "completion": " 6"}], list_formats())
    ('finetune_legacy', 0.92)
    """
    found, least = "", 1.0
    for number, row in enumerate(rows, 1):
        confidence, name = _layout_of(row, formats)
        if not confidence:
            names = ", ".join(row) if isinstance(row, dict) else type(row).__name__
            raise FormatError(
                f"nobody knows a row of {names or 'nothing'}", path=f"row {number}", hint="name its layout"
            )
        if found and name != found:
            raise FormatError(f"this row is {name}, those before are {found}", path=f"row {number}")
        found, least = name, min(least, confidence)
    if not found:
        raise FormatError("there is no row to tell the layout by", path="$")
    return found, least


def _layout_of(row: Any, formats: Collection[Format]) -> tuple[float, str]:
    return max(
        ((entry.detect(row), entry.name) for entry in formats if entry.kind == "dataset" and entry.detect),
        default=(0.0, ""),
    )
