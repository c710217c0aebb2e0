"""An optional input that prints ``None``.

An input that was not given prints nothing by itself, but ``None`` through a filter, in ``~`` or in a
format; a loop over it fails. Ask for it first (``{% if x %}``), or give it a default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import nodes

from ..finding import Finding
from ..names import Names, uses
from ..nones import may_be_none, shown
from ..subject import Subject

CODE = "T104"
BAD = "---\ninputs:\n  tone: string?\n---\n{{ tone | upper }}"
GOOD = "---\ninputs:\n  tone: string?\n---\n{% if tone %}{{ tone | upper }}{% endif %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find every place where an optional input becomes text, or is looped over, that nothing asked for before."""
    if subject.template is None or subject.tree is None or "inputs" not in subject.front:
        return
    inputs = subject.template.inputs.values()
    optional = {item.name for item in inputs if _is_null(item.schema) or (not item.required and item.default is None)}
    for use in uses(subject.tree, optional, _passes_on):
        for name, fails in shown(use):
            said = f"{name.name!r} {'fails' if fails else 'prints None'} where it is not given"
            instead = f"write ({name.name} or [])" if fails else f"write {{% if {name.name} %}} around it"
            place = subject.at(name.lineno, name.name)
            yield Finding(CODE, said, place, f"{instead}, or give the input a default")


def _is_null(schema: Mapping[str, Any]) -> bool:
    kinds = schema.get("type")
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds)


def _passes_on(statement: nodes.Assign | nodes.For, names: Names) -> bool:
    return isinstance(statement, nodes.Assign) and bool(may_be_none(statement.node, names))
