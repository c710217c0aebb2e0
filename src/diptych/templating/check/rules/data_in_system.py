"""Data in a system message.

A model gives the system message more weight than any other: text that users or documents wrote
there can change the rules. Put it into a user message; an input of fixed values (``enum``), a
number or a boolean is no finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ..finding import Finding
from ..subject import Subject

CODE = "T401"
BAD = "---\ninputs: {page: string}\n---\n{% system %}Answer from {{ page }}{% endsystem %}{% user %}Hi{% enduser %}"
GOOD = "{% system %}Answer from the page.{% endsystem %}{% user %}{{ page }}{% enduser %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find printed inputs of free text in system and developer messages."""
    if subject.template is None:
        return
    free = {item.name for item in subject.template.inputs.values() if _is_free(item.schema)} - subject.assigned
    for message in subject.messages:
        if message.role not in ("system", "developer"):
            continue
        for node in message.inside:
            outputs = [node] if isinstance(node, nodes.Output) else []
            for output in [*outputs, *node.find_all(nodes.Output)]:
                yield from _printed(subject, output, message.role, free)


def _printed(subject: Subject, output: nodes.Output, role: str, free: set[str]) -> Iterator[Finding]:
    for child in output.nodes:
        names = [child] if isinstance(child, nodes.Name) else list(child.find_all(nodes.Name))
        for name in names:
            if name.name in free and not getattr(child, "structural", False):
                message = f"the input {name.name!r} is data in a {role} message"
                yield Finding(CODE, message, subject.at(name.lineno, name.name), "put it into a user message")


def _is_free(schema: dict[str, object]) -> bool:
    if "enum" in schema or "const" in schema:
        return False
    kinds = schema.get("type")
    return kinds is None or kinds in ("string", "array", "object")
