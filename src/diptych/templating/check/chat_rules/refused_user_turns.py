"""Two user messages in a row are refused.

Chats of several people, an interrupted answer and messages sent in pieces are refused by
this template: it raises.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import AGAIN, USER, ChatSubject
from ..finding import Finding

CODE = "H007"
BAD = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}{{ m.content }}{% endfor %}"
)
GOOD = "{% for m in messages %}{{ m.content }}{% endfor %}"


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render two user messages."""
    found = subject.render([USER, AGAIN])
    if subject.works and found.text is None:
        place = subject.at(r"alternat", r"raise_exception")
        hint = "write them one after the other, or merge messages before the template"
        yield from subject.found(CODE, "two user messages in a row are refused", place, found, hint)
