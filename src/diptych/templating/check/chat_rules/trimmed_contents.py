"""Contents are trimmed.

Blanks and line breaks at the ends of a message do not reach the model: indented code, a prefilled
answer and a separator at an end change.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import ASSISTANT, ChatSubject
from ..finding import Finding

CODE = "H003"
BAD = "{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}"
GOOD = BAD.replace(" | trim", "")


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render contents with blanks at both ends, of a user and of an assistant."""
    if not subject.works:
        return
    padded = {"user": "  Uq1  ", "assistant": "  Aq1  "}
    found = subject.render([{"role": role, "content": text} for role, text in padded.items()])
    plain = subject.render([{"role": "user", "content": "Uq1"}, ASSISTANT])
    if found.text is None or plain.text is None:
        return
    trimmed = [role for role, text in padded.items() if text.strip() in found.text and text not in found.text]
    if trimmed:
        said = f"the contents of {' and '.join(trimmed)} messages are trimmed"
        place = subject.at(r"\|\s*trim\b", r"\.strip\(\)", r"content")
        yield from subject.found(CODE, said, place, found, "print the content as it is")
