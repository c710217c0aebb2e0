"""The template does not load.

The body or the front matter has an error. The message says what, where, and what to write in its
place. Rules that need the whole template are silent until a broken body is corrected.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from ..subject import Subject
from .wrong_default import is_default

CODE = "T001"
BAD = "{% if x %}yes"
GOOD = "{% if x %}yes{% endif %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find every error that keeps the template from loading; unknown names and wrong defaults have other rules."""
    for error in subject.errors:
        if not is_default(error):
            yield Finding(CODE, error.message, subject.at_error(error), error.hint or "correct it")
    for mistake in subject.mistakes:
        if not mistake.is_name:
            yield Finding(CODE, mistake.message, subject.at_mistake(mistake), mistake.hint or "take it out")
