"""The generation prompt is not a prefix of the turn that was trained.

What asks for a reply differs from what stands before a reply in a whole conversation, so the model
is asked in a form that it has never seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import ASSISTANT, USER, ChatSubject
from ..finding import Finding

CODE = "H005"
BAD = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<bot>{% endif %}"
GOOD = BAD.replace("<bot>", "<assistant>")


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render a question with the generation prompt, and the same question with its answer."""
    asked, whole = subject.render([USER], add_generation_prompt=True), subject.render([USER, ASSISTANT])
    if asked.text is None or whole.text is None or not subject.works:
        return
    if not whole.text.startswith(asked.text):
        same = next((i for i, (a, b) in enumerate(zip(asked.text, whole.text, strict=False)) if a != b), 0)
        shown = (
            f"asked with {asked.text[max(0, same - 20) :][:80]!r}, trained on {whole.text[max(0, same - 20) :][:80]!r}"
        )
        message = "the generation prompt is not a prefix of the assistant's turn"
        hint = "let the generation prompt be what stands before an assistant's content"
        yield from subject.found(CODE, message, subject.at("add_generation_prompt"), shown, hint)
