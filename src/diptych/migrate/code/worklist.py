"""What is left to do by hand, for a person or a coding agent: place, reason, advice, and a site that was migrated.

Rule: an entry stands for itself. It holds the statement as it is, so that nothing else has to be opened to
judge it, and one change of the same run as an example, where there is one.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, Final, Protocol

from .model import Refusal

_LINES: Final = 8


class _File(Protocol):
    @property
    def file(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def refusals(self) -> tuple[Refusal, ...]: ...


def work_list(files: Sequence[_File]) -> list[dict[str, Any]]:
    """Return one entry per refusal, in the order of the files.

    >>> work_list([])
    []
    """
    examples = [example for file in files if (example := _example(file)) is not None]
    return [_entry(file, refusal, examples) for file in files for refusal in file.refusals]


def _entry(file: _File, refusal: Refusal, examples: list[dict[str, str]]) -> dict[str, Any]:
    near = next((example for example in examples if example["file"] == file.file), None)
    return {
        "location": str(refusal.place),
        "code": refusal.code,
        "reason": refusal.reason,
        "what_to_do": refusal.hint,
        "source": _statement(file.before, refusal.place.line) if "[cell" not in refusal.place.file else "",
        "example": near or (examples[0] if examples else None),
    }


def _statement(text: str, line: int) -> str:
    """Return the lines of a statement from its first, as far as its brackets go."""
    found: list[str] = []
    depth = 0
    for each in text.split("\n")[line - 1 : line - 1 + _LINES]:
        found.append(each)
        depth += sum(map(each.count, "([{")) - sum(map(each.count, ")]}"))
        if depth <= 0:
            break
    return "\n".join(found)


def _example(file: _File) -> dict[str, str] | None:
    """Return the first change of a file, before and after."""
    before, after = file.before.split("\n"), file.after.split("\n")
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "replace":
            return {"file": file.file, "before": "\n".join(before[a:b]), "after": "\n".join(after[c:d])}
    return None
