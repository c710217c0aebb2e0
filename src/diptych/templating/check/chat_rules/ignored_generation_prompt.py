"""``add_generation_prompt`` is ignored.

The prompt ends after the last message whether a reply is asked for or not: the model may go on with
the user's turn instead of answering.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..chat import USER, ChatSubject
from ..finding import Finding

CODE = "H004"
BAD = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
GOOD = BAD + "{% if add_generation_prompt %}<assistant>{% endif %}"


def check(subject: ChatSubject) -> Iterator[Finding]:
    """Render one user message with and without it."""
    if not subject.works:
        return
    with_it = subject.render([USER], add_generation_prompt=True)
    if with_it.text is not None and with_it.text == subject.render([USER]).text:
        place = subject.at("add_generation_prompt")
        hint = "end with {% if add_generation_prompt %}…{% endif %}"
        yield from subject.found(CODE, "add_generation_prompt changes nothing", place, with_it, hint)
