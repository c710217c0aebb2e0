"""Which layout the rows of a file have.

Rule: every row says it for itself, and nine of ten must say the same; a file of two layouts is two files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, Final

from ..errors import FormatError
from ..format import Format

#: Share of the rows that have to be of one layout.
_MOST: Final = 0.9


def detect_layout(rows: Iterable[Any], formats: Collection[Format]) -> tuple[str, float]:
    """Return which of the formats the rows have, and how sure that is (0 to 1): as sure as the least sure row.

    Raises FormatError, with the number of the row as its path, where more than one row in ten is of no
    layout or of another one, and where there is no row.

    >>> from diptych import list_formats
    >>> detect_layout([{"prompt": "2+2?", "completion": " 4"}, {"prompt": "3+3?", "completion": " 6"}], list_formats())
    ('finetune_legacy', 0.92)
    """
    known = [(number, row, *_layout_of(row, formats)) for number, row in enumerate(rows, 1)]
    if not known:
        raise FormatError("there is no row to tell the layout by", path="$")
    names = Counter(name for _, _, confidence, name in known if confidence)
    found, most = names.most_common(1)[0] if names else ("", 0)
    # Single rows of another layout, or of none, are rejects; a file of two layouts is two files.
    if most < _MOST * len(known):
        raise _another(known, next(name for _, _, _, name in known), formats)
    return found, min(confidence for _, _, confidence, name in known if name == found)


def why(rows: Iterable[Any], name: str, formats: Collection[Format]) -> str:
    """Return why rows are taken for those of a layout: how many say so for themselves, and what they have in common.

    >>> from diptych import list_formats
    >>> why([{"question": "2+2?", "answer": "4", "id": 7}], "question_answer", list_formats())
    '1 of the first 1 rows by answer, question'
    """
    found = list(rows)
    own = [row for row in found if _layout_of(row, formats)[1] == name]
    common = set.intersection(*({*row} for row in own)) if own else set[str]()
    # A column says something where the row without it is of no layout, or of another one.
    telling = [
        key
        for key in sorted(common)
        if _layout_of({k: v for k, v in own[0].items() if k != key}, formats) != _layout_of(own[0], formats)
    ]
    return f"{len(own)} of the first {len(found)} rows by {', '.join(telling) or 'their turns'}"


def _another(known: list[tuple[int, Any, float, str]], first: str, formats: Collection[Format]) -> FormatError:
    """Return the error of the first row of no layout, or of another than the first."""
    number, row, confidence, name = next(one for one in known if not one[2] or one[3] != first)
    if confidence:
        return FormatError(f"this row is {name}, those before are {first}", path=f"row {number}")
    names = ", ".join(row) if isinstance(row, dict) else type(row).__name__
    hint = (_hint(row, formats) if isinstance(row, dict) else "") or "name its layout"
    return FormatError(f"unknown layout: a row of {names or 'nothing'}", path=f"row {number}", hint=hint)


def _hint(row: dict[str, Any], formats: Collection[Format]) -> str:
    """Return what makes a row of no layout one of a layout, empty where nothing simple does."""
    if {"parent_id", "role", "text"} <= row.keys():
        return "it is one message of a tree (OpenAssistant); join the messages of each path by parent_id first"
    if "message_tree_id" in row and isinstance(row.get("prompt"), dict):
        return "it is a tree of OpenAssistant; write each path from the prompt to a last reply as a row of messages"
    if len(row) < 4 and {"role", "content"} <= row.keys():
        return "it is one turn; a row holds all of them, as {\"messages\": [...]}"
    usual = {_usual_name(name): name for name in row}
    found, name = _layout_of({own: row[given] for own, given in usual.items()}, formats)
    if found and len(usual) == len(row):
        flags = " ".join(f"--column {own}={given!r}" for own, given in usual.items() if own != given)
        return f"it is one of {name} with {flags}"
    numbers = [name for name, item in row.items() if isinstance(item, int | float) and not isinstance(item, bool)]
    found, name = _layout_of({**row, **{number: str(row[number]) for number in numbers}}, formats)
    if found:
        return f"it would be one of {name} if its numbers were text ({', '.join(numbers)})"
    parsed = {name: _json_in(item) for name, item in row.items()}
    found, name = _layout_of(parsed, formats)
    if found:
        texts = ", ".join(column for column in row if parsed[column] is not row[column])
        return f"it would be one of {name} if {texts} were JSON, not the text of it"
    return _hint_inside(row, formats)


def _json_in(value: Any) -> Any:
    """Return what a text of a JSON list or object holds, any other value as it is."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def _hint_inside(row: dict[str, Any], formats: Collection[Format]) -> str:
    """Return where rows of a layout stand inside of a row, empty where none do."""
    for name, item in row.items():
        inner = item[0] if isinstance(item, list) and item else item
        sure, known = _layout_of(inner, formats) if isinstance(inner, dict) else (0.0, "")
        if sure:
            flag = f"name its fields: --column FIELD={name}.FIELD"
            way = f"write each element of {name!r} as a line of its own" if isinstance(item, list) else flag
            return f"{name!r} holds rows of {known}: {way}"
    return ""


def _usual_name(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _layout_of(row: Any, formats: Collection[Format]) -> tuple[float, str]:
    if isinstance(row, dict) and {"message_id", "parent_id", "role", "text"} <= row.keys():
        return 0.0, ""  # OpenAssistant: a text alone is no row
    return max(
        ((entry.detect(row), entry.name) for entry in formats if entry.kind == "dataset" and entry.detect),
        default=(0.0, ""),
    )
