"""``tojson`` that escapes no more.

0.1 wrote JSON as Jinja does: keys sorted, escapes for HTML and for what is not ASCII. 0.2 writes what
people and models read. Where the bytes matter, the fix adds the options of 0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....sandbox.guards import JSON_OF_JINJA
from ..finding import Finding, Fix
from ..subject import Subject

CODE = "UP002"
IS_DEFAULT = False
BAD = "{{ x | tojson }}"
GOOD = f"{{{{ x | tojson({JSON_OF_JINJA}) }}}}"
_FILTER = re.compile(r"\|\s*(tojson)\b(?!\s*\()")


def check(subject: Subject) -> Iterator[Finding]:
    """Find ``tojson`` without options."""
    if subject.tree is None:
        return
    for found in _FILTER.finditer(subject.text):
        place = subject.at_offset(found.start(1), len("tojson"))
        fix = Fix(found.start(1), found.end(1), f"tojson({JSON_OF_JINJA})")
        yield Finding(CODE, "tojson no longer escapes HTML", place, "add the options of 0.1 if the bytes matter", fix)
