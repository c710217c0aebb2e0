"""A default that is not of its input's type.

The template does not load: the default would be printed where its type promises something else.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import TemplateError
from ..finding import Finding
from ..subject import Subject

CODE = "T103"
BAD = "---\ninputs:\n  n: {type: integer, default: abc}\n---\n{{ n }}"
GOOD = "---\ninputs:\n  n: {type: integer, default: 3}\n---\n{{ n }}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find the default that keeps the template from loading."""
    error = subject.error if subject.template is None else None
    if isinstance(error, TemplateError) and "the default of" in error.message and error.location:
        yield Finding(CODE, error.message, error.location, error.hint or "give a default of the declared type")
