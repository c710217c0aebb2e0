"""A sample that the template does not take.

Samples are what tests, reports and cost caps run with: one that misses an input, or has one of
another type, tests nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from ..subject import Subject

CODE = "T105"
BAD = "---\ninputs: {n: integer}\nsamples:\n  - {n: many}\n---\n{{ n }}"
GOOD = "---\ninputs: {n: integer}\nsamples:\n  - {n: 3}\n---\n{{ n }}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find samples that do not render."""
    for sample in subject.samples:
        for error in sample.errors:
            path = f"$.samples.{sample.name}{(error.path or '').removeprefix('$.inputs')}"
            message = f"{sample.name} does not render: {error.message}"
            yield Finding(CODE, message, subject.at_path(path) or subject.top, error.hint or "correct the sample")
