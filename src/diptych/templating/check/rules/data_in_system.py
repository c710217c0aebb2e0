"""Data in a system message.

A model gives the system message more weight than any other: text that users or documents wrote
there can change the rules. Put it into a user message; an input of fixed values (``enum``), a
number or a boolean is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import nodes

from ..finding import Finding
from ..names import Names, uses
from ..subject import Subject

CODE = "T401"
BAD = "---\ninputs: {page: string}\n---\n{% system %}Answer from {{ page }}{% endsystem %}{% user %}Hi{% enduser %}"
GOOD = "{% system %}Answer from the page.{% endsystem %}{% user %}{{ page }}{% enduser %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find free text of inputs that is printed in system and developer messages."""
    if subject.template is None or subject.tree is None:
        return
    roles = {
        id(output): message.role
        for message in subject.messages
        if message.role in ("system", "developer")
        for node in message.inside
        for output in [node, *node.find_all(nodes.Output)]
        if isinstance(output, nodes.Output)
    }
    free = {item.name for item in subject.template.inputs.values() if _is_free(item.schema)}
    for use in uses(subject.tree, free, _passes_on) if roles else ():
        role = roles.get(id(use.statement))
        if role is None or getattr(use.expression, "structural", False):
            continue
        for name in texts(use.expression, use.names):
            message = f"{name.name!r} is data in a {role} message"
            yield Finding(CODE, message, subject.at(name.lineno, name.name), "put it into a user message")


def _passes_on(statement: nodes.Assign | nodes.For, names: Names) -> bool:
    return any(texts(statement.iter if isinstance(statement, nodes.For) else statement.node, names))


def texts(node: nodes.Node, names: Names) -> Iterator[nodes.Name]:
    """Yield the names whose text can be part of a value: not those that are only asked for, counted or compared."""
    if isinstance(node, nodes.Name) and node.name in names:
        yield node
    if isinstance(node, nodes.Test | nodes.Compare | nodes.Not) or getattr(node, "name", None) in ("length", "count"):
        return
    for child in node.iter_child_nodes():
        if not (isinstance(node, nodes.CondExpr) and child is node.test):
            yield from texts(child, names)


def _is_free(schema: Mapping[str, Any]) -> bool:
    if "enum" in schema or "const" in schema:
        return False
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        return _is_free(schema["items"])
    return schema.get("type") not in ("integer", "number", "boolean", "null")
