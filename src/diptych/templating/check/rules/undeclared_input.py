"""A name that the template uses and does not declare.

Inputs that are not declared cannot be given, so the name is undefined whenever the line runs.
Declare it under ``inputs:``, or set it in the template.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ....suggest import closest
from ..finding import Finding
from ..names import uses
from ..subject import Subject

CODE = "T101"
BAD = "---\ninputs: {text: string}\n---\n{{ text }} {{ langauge }}"
GOOD = "---\ninputs: {text: string, language: string}\n---\n{{ text }} {{ language }}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find names of the body and of its static includes that are neither declared nor set."""
    template, tree = subject.template, subject.tree
    if template is None or tree is None or "inputs" not in subject.front:
        return
    used, seen = template.compiled.variables, set[str]()
    for use in uses(tree, used - template.inputs.keys()):
        for node in [use.expression, *use.expression.find_all(nodes.Name)]:
            if isinstance(node, nodes.Name) and node.name in use.names - seen:
                seen.add(node.name)
                yield _finding(subject, node.name, node.lineno, node.name)
    elsewhere = template.variables - used - template.inputs.keys() - subject.assigned
    for node in subject.each(nodes.Include):
        target = node.template
        if isinstance(target, nodes.Const) and isinstance(target.value, str):
            for name in sorted(elsewhere & _used_by(subject, target.value)):
                yield _finding(subject, name, target.lineno, target.value)


def _used_by(subject: Subject, name: str) -> frozenset[str]:
    engine = subject.library.engine
    found = engine.lookup(name)
    return engine.all_variables(engine.load(found), subject.library.limits) if found else frozenset()


def _finding(subject: Subject, name: str, line: int, word: str) -> Finding:
    assert subject.template is not None
    known = {*subject.template.inputs, *subject.assigned} - {name}
    close = closest(name, sorted(known))
    hint = f"did you mean {close!r}? Else declare it under inputs:" if close else "declare it under inputs:"
    through = "" if word == name else f", which {word!r} uses,"
    return Finding(CODE, f"{name!r}{through} is not declared", subject.at(line, word), hint)
