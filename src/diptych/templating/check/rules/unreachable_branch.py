"""A branch that never runs.

A condition that is a constant, or that an earlier branch of the same ``if`` has already.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ..finding import Finding
from ..subject import Subject
from ..written import constants

CODE = "T404"
BAD = "{% if x == 1 %}a{% elif x == 1 %}b{% endif %}"
GOOD = "{% if x == 1 %}a{% elif x == 2 %}b{% endif %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find constant conditions and repeated ones."""
    for choice in subject.each(nodes.CondExpr):
        yield from _constant(subject, choice.test, choice.test.lineno)
    for node in subject.each(nodes.If) if subject.tree is not None else ():
        seen: list[nodes.Node] = []
        for branch in [node, *node.elif_]:
            yield from _constant(subject, branch.test, branch.lineno)
            if any(part in seen for part in _parts(branch.test)):
                yield Finding(CODE, "an earlier branch has this condition", subject.at(branch.lineno), "take it out")
            seen.append(branch.test)


def _constant(subject: Subject, test: nodes.Node, line: int) -> Iterator[Finding]:
    for value in constants(test):
        said = f"this condition is {'always' if value else 'never'} true"
        yield Finding(CODE, said, subject.at(line), "take it out")


def _parts(test: nodes.Node) -> list[nodes.Node]:
    """Return what all has to be true for a condition."""
    return [test, *_parts(test.left), *_parts(test.right)] if isinstance(test, nodes.And) else [test]
