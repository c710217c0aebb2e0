"""A placeholder of another template language.

``{name}``, ``${name}``, ``%(name)s`` and ``<<name>>`` are printed as they stand. Only names that
the template declares are found, and only in the author's own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import nodes

from ..finding import Finding
from ..subject import Subject

CODE = "T006"
BAD = "---\ninputs: {name: string}\n---\nHi {name}, {{ name }}"
GOOD = "---\ninputs: {name: string}\n---\nHi {{ name }}"

_FOREIGN: Final = re.compile(r"(?<![{\w])\$?\{(\w+)(?:![rsa])?(?::[^\s{}\"']+)?\}(?!\})|%\((\w+)\)s|<<(\w+)>>")


def check(subject: Subject) -> Iterator[Finding]:
    """Find placeholders whose names are inputs."""
    if subject.template is None or subject.tree is None or "inputs" not in subject.front:
        return
    for data in subject.each(nodes.TemplateData):
        for found in _FOREIGN.finditer(data.data):
            name = next(filter(None, found.groups()))
            if name in subject.template.inputs:
                line = data.lineno + data.data.count("\n", 0, found.start())
                hint = f"write {{{{ {name} }}}}"
                yield Finding(CODE, f"{found[0]} is printed as it stands", subject.at(line, found[0]), hint)
