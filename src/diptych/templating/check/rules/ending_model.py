"""A model that is shut down, or will be within 90 days.

Calls to it fail from its last day on. The hint names the vendor's replacement where there is one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from ....catalogue import replacement_for, shutdown_of
from ..finding import Finding
from ..subject import Subject

CODE = "T203"
BAD = "---\nmodel: text-davinci-003\n---\nHi"
GOOD = "---\nmodel: gpt-5.4-mini\n---\nHi"
_DAYS = 90


def check(subject: Subject) -> Iterator[Finding]:
    """Find the model that the front matter names."""
    model = subject.parts.meta.get("model") if subject.parts else None
    day = shutdown_of(model) if isinstance(model, str) else None
    if day is None:
        return
    left = (datetime.date.fromisoformat(day) - subject.settings.today).days
    if left > _DAYS:
        return
    instead = replacement_for(str(model))
    hint = f"use {instead.model}" if instead else "name another model"
    said = f"was shut down on {day}" if left <= 0 else f"is shut down on {day}, in {left} days"
    yield Finding(CODE, f"{model} {said}", subject.at_key("model"), hint)
