"""There are no ``{% generation %}`` marks.

Training on the assistant's words alone (``assistant_only_loss``, ``return_assistant_tokens_mask``) needs
them. A template that is only served does without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..chat import ChatSubject
from ..finding import Finding

CODE = "H010"
BAD = "{% for m in messages %}{{ m.content }}{% endfor %}"
GOOD = (
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% else %}{{ m.content }}{% endif %}{% endfor %}"
)

_MARK: Final = re.compile(r"\{%[-+]?\s*generation\s*[-+]?%\}")


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Look for the tag."""
    if subject.works and not _MARK.search(subject.source):
        place = subject.at(r"['\"]assistant['\"]", r"messages")
        hint = "put {% generation %} around what the assistant says, if you train on it"
        yield from subject.found(
            CODE, "no {% generation %} marks", place, "nothing in the source says generation", hint
        )
