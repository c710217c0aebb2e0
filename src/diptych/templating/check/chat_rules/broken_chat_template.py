"""The chat template does not load, or does not render one user message.

Nothing else can be said of it before that is mended.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import USER, ChatSubject
from ..finding import Finding

CODE = "H000"
BAD = "{% for m in messages %}{{ m.content }}"
GOOD = "{% for m in messages %}{{ m.content }}{% endfor %}"


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render one user message."""
    found = subject.render([USER], add_generation_prompt=True)
    if found.error is not None:
        place = getattr(found.error, "location", None)
        place = place._replace(file=subject.file) if place else subject.at()
        message = subject.problem or "one user message is not rendered"
        yield from subject.found(CODE, message, place, found, "correct it first: nothing else can be checked")
