"""The thinking of earlier turns is dropped.

The template takes reasoning of the last answer and leaves out that of answers before it. Models that
were trained so expect it; a server's cache ends there, and tools that need the reasoning lose it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import AGAIN, LAST, USER, ChatSubject
from ..finding import Finding

CODE = "H008"
BAD = (
    "{% for m in messages %}{% if loop.last and m.reasoning_content %}<think>{{ m.reasoning_content }}</think>"
    "{% endif %}{{ m.content }}{% endfor %}"
)
GOOD = BAD.replace("loop.last and ", "")


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render reasoning in the last answer and in an earlier one, as a field and as tags in the content."""
    if not subject.works:
        return
    for thought in ({"content": "Aq1", "reasoning_content": "Tq1"}, {"content": "<think>\nTq1\n</think>\n\nAq1"}):
        answer = {"role": "assistant", **thought}
        alone = subject.render([USER, answer])
        earlier = subject.render([USER, answer, AGAIN, LAST])
        if "Tq1" in (alone.text or "") and earlier.text is not None and "Tq1" not in earlier.text:
            place = subject.at(r"reasoning_content", r"</think>", r"think")
            hint = "keep it where tools or caches need it"
            yield from subject.found(CODE, "the thinking of earlier turns is dropped", place, earlier, hint)
            return
