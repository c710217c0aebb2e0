"""A branch that never runs.

A condition that is a constant, or that an earlier branch of the same ``if`` has already.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ..finding import Finding
from ..subject import Subject

CODE = "T404"
BAD = "{% if x == 1 %}a{% elif x == 1 %}b{% endif %}"
GOOD = "{% if x == 1 %}a{% elif x == 2 %}b{% endif %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find constant conditions and repeated ones."""
    if subject.tree is None:
        return
    for node in subject.each(nodes.If):
        seen: list[nodes.Node] = []
        for branch in [node, *node.elif_]:
            if isinstance(branch.test, nodes.Const):
                said = "always true" if branch.test.value else "never true"
                yield Finding(CODE, f"this condition is {said}", subject.at(branch.lineno), "take it out")
            elif branch.test in seen:
                yield Finding(CODE, "an earlier branch has this condition", subject.at(branch.lineno), "take it out")
            seen.append(branch.test)
