"""Lines that ``trim: blocks`` joins.

With ``trim: blocks`` the line break after a tag is dropped, also where text stands before the tag on
its line: the next line is glued to it. Write ``trim: lines`` (the default), or ``+%}`` to keep one
line break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from ..finding import Finding
from ..subject import Subject

CODE = "T301"
BAD = "---\ntrim: blocks\n---\n{% block a %}Be kind.{% endblock %}\n- no lies"
GOOD = "{% block a %}Be kind.{% endblock %}\n- no lies"

_TAG: Final = re.compile(r"\{%.*?%\}|\{#.*?#\}")
_LAST: Final = re.compile(r"\{%[^{}]*?(?<![-+])%\}$")
#: Tags whose bodies print nothing where they stand.
_KEPT: Final = re.compile(r"\{%[-+]?\s*end(?:macro|set)\b")
_OWN: Final = re.compile(r"\{%\s*(?:end)?(?:message|chat|system|developer|user|assistant|tool|history)\b")


def check(subject: Subject) -> Iterator[Finding]:
    """Find tags at the end of a line of text, or that take the line break before them, with text in the next line."""
    if subject.parts is None or subject.parts.trim != "blocks":
        return
    lines = subject.parts.body.replace("\r\n", "\n").split("\n")
    for number, (line, following) in enumerate(pairwise(lines), 1):
        tag = _LAST.search(line)
        if tag is None or _OWN.match(tag[0]) or _KEPT.match(tag[0]) or not _TAG.sub("", following).strip():
            continue
        joins_text = bool(_TAG.sub("", line).strip())
        joins_before = tag[0].startswith("{%-") and number > 1 and not line[: tag.start()].strip()
        if joins_text or joins_before:
            message = "the next line is glued to this one: trim: blocks drops the line break after the tag"
            place = subject.at(number)._replace(column=tag.start() + 1, width=len(tag[0]))
            yield Finding(CODE, message, place, "write trim: lines, or +%} to keep this line break")
