"""A sample that the template does not take.

Samples are what tests, reports and cost caps run with: one that misses an input, or has one of
another type, tests nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import DiptychError
from ..finding import Finding
from ..subject import Subject

CODE = "T105"
BAD = "---\ninputs: {n: integer}\nsamples:\n  - {n: many}\n---\n{{ n }}"
GOOD = "---\ninputs: {n: integer}\nsamples:\n  - {n: 3}\n---\n{{ n }}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find samples that do not render."""
    if subject.template is None:
        return
    for name, sample in subject.template.samples.items():
        try:
            subject.template.render(sample)
        except DiptychError as error:
            front = subject.parts.front if subject.parts else ""
            place = subject.at_key(name if name in front else "samples")
            hint = error.hint or "correct the sample"
            yield Finding(CODE, f"{name} does not render: {error.message}", place, hint)
