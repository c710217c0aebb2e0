"""The template does not load.

The body or the front matter has an error, and nothing else of the file can be checked before it
is mended. The message says what, where, and what to write in its place.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import Location
from ..finding import Finding
from ..subject import Subject

CODE = "T001"
BAD = "{% if x %}yes"
GOOD = "{% if x %}yes{% endif %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find the error that keeps the template from loading; other rules have the ones with codes of their own."""
    if subject.template is not None or subject.error is None:
        return
    message = subject.error.message
    if message.startswith(("unknown filter", "unknown test", "the filter")) or "the default of" in message:
        return
    location = getattr(subject.error, "location", None) or Location(subject.file, 1, 1, subject.source.line(1))
    yield Finding(CODE, message, location, subject.error.hint)
