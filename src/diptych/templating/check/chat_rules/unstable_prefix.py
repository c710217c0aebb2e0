"""A new turn changes what was written before.

The rendering of a conversation is not a prefix of the rendering with one more turn: servers cannot
reuse what they have computed, and training on turns sees other tokens than serving.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import AGAIN, ASSISTANT, USER, ChatSubject
from ..finding import Finding

CODE = "H006"
BAD = "{% for m in messages %}{% if loop.last %}[{{ m.content }}]{% else %}({{ m.content }}){% endif %}{% endfor %}"
GOOD = "{% for m in messages %}[{{ m.content }}]{% endfor %}"


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render a conversation with and without its last turn."""
    before, after = subject.render([USER, ASSISTANT]), subject.render([USER, ASSISTANT, AGAIN])
    if before.text is None or after.text is None or not subject.works:
        return
    if not after.text.startswith(before.text):
        at = next((i for i, (a, b) in enumerate(zip(before.text, after.text, strict=False)) if a != b), len(after.text))
        shown = f"before {before.text[max(0, at - 30) :][:70]!r}, then {after.text[max(0, at - 30) :][:70]!r}"
        message = "another turn changes the text before it"
        hint = "write each turn without asking whether it is the last"
        yield from subject.found(CODE, message, subject.at(r"loop\.last", r"messages\[-1\]", r"loop\."), shown, hint)
