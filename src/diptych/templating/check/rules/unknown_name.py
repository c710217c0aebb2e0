"""A filter or test that does not exist.

Jinja finds an unknown name only when its branch is taken, in front of a user. Write one of the
names that ``diptych check`` suggests, or register your own with ``Library(filters=…)``.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from ..subject import Subject

CODE = "T002"
BAD = "{{ x | uper }}"
GOOD = "{{ x | upper }}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find every unknown filter and test."""
    for mistake in subject.mistakes:
        if mistake.is_name:
            yield Finding(CODE, mistake.message, subject.at_mistake(mistake), mistake.hint)
