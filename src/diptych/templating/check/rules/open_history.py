"""A history that may bring any role.

``{% history past %}`` splices messages as they are: a message of the role system in the data becomes a
system message. Name the roles: ``{% history past roles=['user', 'assistant'] %}``.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ..finding import Finding
from ..subject import Subject

CODE = "T402"
BAD = "{% history past %}{% user %}Hi{% enduser %}"
GOOD = "{% history past roles=['user', 'assistant'] %}{% user %}Hi{% enduser %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find histories without roles."""
    for output in subject.each(nodes.Output):
        fields = getattr(output, "history_fields", None)
        if fields is not None and "roles" not in fields:
            message = "the history may bring system messages"
            name = getattr(fields.get("messages"), "name", "past")
            hint = f"write {{% history {name} roles=['user', 'assistant'] %}}"
            yield Finding(CODE, message, subject.at(output.lineno, "history"), hint)
