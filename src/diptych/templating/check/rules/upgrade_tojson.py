"""``tojson`` that escapes no more.

0.1 wrote JSON as Jinja does: keys sorted, escapes for HTML and for what is not ASCII. 0.2 writes what
people and models read. Where the bytes matter, the fix adds the options of 0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import nodes

from ....sandbox.filters import JSON_OF_JINJA
from ..finding import Finding, Fix
from ..subject import Subject

CODE = "UP002"
IS_DEFAULT = False
BAD = "{{ x | tojson }}"
GOOD = f"{{{{ x | tojson({JSON_OF_JINJA}) }}}}"
_ARGUMENTS = re.compile(r"tojson\s*\(\s*([^()]*?)\s*\)")


def check(subject: Subject) -> Iterator[Finding]:
    """Find ``tojson`` without the options of 0.1; arguments with brackets in them get no fix."""
    if subject.tree is None:
        return
    for node in subject.each(nodes.Filter):
        if node.name == "tojson" and not any(keyword.key == "html" for keyword in node.kwargs):
            place = subject.at(node.lineno, "tojson")
            fix = _fix(subject.text, subject.position(place), node)
            yield Finding(
                CODE, "tojson no longer escapes HTML", place, "add the options of 0.1 if the bytes matter", fix
            )


def _fix(text: str, start: int, node: nodes.Filter) -> Fix | None:
    called = _ARGUMENTS.match(text, start)
    if (node.args or node.kwargs) and not called:
        return None
    given = {keyword.key for keyword in node.kwargs}
    options = [option for option in JSON_OF_JINJA.split(", ") if option.split("=")[0] not in given]
    arguments = ", ".join([*([called[1]] if called and called[1] else []), *options])
    return Fix(start, called.end() if called else start + len("tojson"), f"tojson({arguments})")
