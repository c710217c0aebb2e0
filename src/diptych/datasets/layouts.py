"""Which layout the rows of a file have.

Rule: every row says it for itself, and all must say the same; a file of two layouts is two files.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..conversion.registry import list_formats
from ..errors import FormatError


def detect_layout(rows: Iterable[Any]) -> tuple[str, float]:
    """Return the layout of the rows, and how sure it is (0 to 1): as sure as the least sure row.

    Raises FormatError, with the number of the row as its path, for a row of no layout or of another
    than the first, and where there is no row.

    >>> detect_layout([{"prompt": "2+2?", "completion": " 4"}, {"prompt": "3+3?", "completion": " 6"}])
    ('finetune_legacy', 0.92)
    """
    found, least = "", 1.0
    for number, row in enumerate(rows, 1):
        confidence, name = _layout_of(row)
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


def _layout_of(row: Any) -> tuple[float, str]:
    return max(
        ((entry.detect(row), entry.name) for entry in list_formats() if entry.kind == "dataset" and entry.detect),
        default=(0.0, ""),
    )
