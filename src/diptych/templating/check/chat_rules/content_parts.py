"""Content parts are printed as Python writes them, or refused.

A message's content may be a list of parts. A template that prints it as a text shows the model
``[{'type': 'text', …``. Loop over the parts where the content is not a string.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import USER, ChatSubject
from ..finding import Finding

CODE = "H002"
BAD = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
GOOD = (
    "{% for m in messages %}{{ m.role }}: {% if m.content is string %}{{ m.content }}{% else %}"
    "{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}\n{% endfor %}"
)


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render a user message of one text part."""
    if not subject.works:
        return
    found = subject.render([{"role": "user", "content": [{"type": "text", "text": USER["content"]}]}])
    hint = "loop over the parts where the content is not a string"
    place = subject.at(r"content")
    if found.text is None:
        yield from subject.found(CODE, "a content of parts is refused", place, found, hint)
    elif "'type'" in found.text or '"type"' in found.text:
        yield from subject.found(CODE, "a content of parts is printed as data", place, found.shown("type"), hint)
    elif "Uq1" not in found.text:
        yield from subject.found(CODE, "a content of parts is lost", place, found, hint)
