"""JSON paths: ``$.messages[0].role``, from the steps to a place and from what pydantic says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError


def json_path(steps: Iterable[str | int], root: str = "$") -> str:
    """Return the path of these steps.

    >>> json_path(["messages", 0, "role"])
    '$.messages[0].role'
    """
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def first_problem(error: ValidationError, value: Any, root: str = "$") -> tuple[str, str]:
    """Return where the first error of a validation is in the value, and what it says."""
    return problems(error, value, root)[0]


def problems(error: ValidationError, value: Any, root: str = "$") -> list[tuple[str, str]]:
    """Return where the errors of a validation are in the value, and what they say: one for each place.

    Pydantic also names the branches of unions (``content.str``). A step counts only if the
    value has it, or lacks it as a required field.
    """
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        steps, last, at = [], len(one["loc"]) - 1, value
        for number, step in enumerate(one["loc"]):
            item = _item(at, step)
            if item is not ...:
                at = item
                steps.append(step)
            elif number == last and one["type"] == "missing":
                steps.append(step)
        found.setdefault(json_path(steps, root), one["msg"])
    return list(found.items())


def _item(value: Any, step: str | int) -> Any:
    """Return an item of a JSON value, ``...`` where there is none."""
    if isinstance(value, Mapping):
        return value.get(step, ...)
    if isinstance(step, int) and isinstance(value, list | tuple) and step < len(value):
        return value[step]
    return ...
