"""Literal JSON that Jinja reads as code.

``{{`` begins an expression: an object in an object, or braces doubled as for Python's
``str.format``, is evaluated instead of printed. Put the JSON between ``{% raw %}`` and
``{% endraw %}``, or print a value with ``|tojson``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import nodes

from ..finding import Finding
from ..subject import Subject

CODE = "T005"
BAD = 'Answer as {{"a": 1}}'
GOOD = 'Answer as {% raw %}{"a": {"b": 1}}{% endraw %}'

_HINT: Final = "put literal JSON between {% raw %} and {% endraw %}, or print a value with |tojson"
#: Comments and raw text are passed over.
_OPENING: Final = re.compile(
    r"\{#.*?#\}|\{%[-+]?\s*raw\b.*?\{%[-+]?\s*endraw\b|(?P<opening>\{\{)\s*(?:\"[^\"\n]*\"|'[^'\n]*')\s*:", re.DOTALL
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find printed objects; where the body does not parse, double braces before a quoted key."""
    for output in subject.each(nodes.Output):
        for node in output.nodes:
            if isinstance(node, nodes.Dict):
                message = "a literal object is evaluated and printed as Python writes it"
                place = subject.at(node.lineno, "{")
                yield Finding(
                    CODE,
                    message,
                    place._replace(column=place.source.rfind("{{", 0, place.column + 1) + 1, width=2),
                    _HINT,
                )
    if subject.tree is None and subject.parts is not None:
        for found in _OPENING.finditer(subject.parts.body):
            if found["opening"]:
                place = subject.at_offset(len(subject.text) - len(subject.parts.body) + found.start("opening"), 2)
                yield Finding(CODE, "JSON braces begin an expression of Jinja here", place, _HINT)
