"""A default that is not of its input's type.

The template does not load: the default would be printed where its type promises something else.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import DiptychError
from ..finding import Finding
from ..subject import Subject

CODE = "T103"
BAD = "---\ninputs:\n  n: {type: integer, default: abc}\n---\n{{ n }}"
GOOD = "---\ninputs:\n  n: {type: integer, default: 3}\n---\n{{ n }}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find the defaults that keep the template from loading."""
    for error in filter(is_default, subject.errors):
        yield Finding(CODE, error.message, subject.at_error(error), error.hint or "give a default of the declared type")


def is_default(error: DiptychError) -> bool:
    """Tell whether an error is about the default of an input."""
    return error.message.startswith("the default of")
