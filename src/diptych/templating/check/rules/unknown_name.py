"""A filter or test that does not exist.

Jinja finds an unknown name only when its branch is taken, in front of a user. Write one of the
names that ``diptych check`` suggests, or register your own with ``Library(filters=…)``.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....sandbox.mistakes import mistakes
from ..finding import Finding
from ..subject import Subject

CODE = "T002"
BAD = "{{ x | uper }}"
GOOD = "{{ x | upper }}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find every unknown filter and test."""
    if subject.tree is None or subject.template is not None:  # a template that loads has none
        return
    for mistake in mistakes(subject.tree, subject.library.engine.environment, in_branches=True):
        if "filter" in mistake.message or "test" in mistake.message:
            yield Finding(CODE, mistake.message, subject.source.place(mistake), mistake.hint)
