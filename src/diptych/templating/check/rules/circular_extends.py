"""A template that extends itself, or others that extend it in a circle.

There is no outermost template to render: the render ends with an error. Take one ``extends`` of the
circle out.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ....errors import DiptychError
from ..finding import Finding
from ..subject import Subject

CODE = "T008"
BAD = "(a.jinja with {% extends 'b' %}, and b.jinja with {% extends 'a' %})"
GOOD = "(a.jinja with {% extends 'b' %}, and b.jinja without)"


def check(subject: Subject) -> Iterator[Finding]:
    """Follow ``extends`` from file to file until one comes again."""
    names = [one.template for one in subject.each(nodes.Extends) if isinstance(one.template, nodes.Const)]
    chain = [subject.name]
    for name in names[:1]:
        for parent in _parents(subject, str(name.value)):
            chain.append(parent)
            if parent in chain[:-1]:
                said = " → ".join(chain[chain.index(parent) :])
                place = subject.at(name.lineno, str(name.value))
                yield Finding(CODE, f"templates extend each other in a circle: {said}", place, "take one extends out")
                return


def _parents(subject: Subject, name: str | None) -> Iterator[str]:
    engine, limits = subject.library.engine, subject.library.limits
    while name is not None and subject.finds(name) and (found := engine.lookup(name)):
        yield found.name
        try:
            name = engine.load(found, limits).parent
        except DiptychError:  # what is wrong with that file is a finding of its own
            return
