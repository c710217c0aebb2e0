"""A system message is dropped or refused.

The instructions of a program do not reach the model, or the call fails. Put them into the first user
message, as the model's own documentation says.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import USER, ChatSubject
from ..finding import Finding

CODE = "H009"
BAD = "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}"
GOOD = "{% for m in messages %}{{ m.content }}{% endfor %}"


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render a system message before a user's."""
    found = subject.render([{"role": "system", "content": "Sq1"}, USER])
    if not subject.works or "Sq1" in (found.text or ""):
        return
    said = "a system message is refused" if found.text is None else "a system message is dropped"
    place = subject.at(r"[Ss]ystem role", r"['\"]system['\"]", r"messages")
    yield from subject.found(CODE, said, place, found, "put it into the first user message")
