"""The one-call forms: what a script wants in one line."""

from __future__ import annotations

import os
from typing import Any

from ..sandbox import DEFAULT_LIMITS, Limits
from .library import load
from .rendered import Rendered
from .template import Template


def render(template: str | os.PathLike[str] | Template, /, **inputs: Any) -> Rendered:
    """Render a template, or the file at a path, with these inputs.

    ``limits=Limits(…)`` sets its caps; anything else of that name is an input like any other.

    >>> from diptych import Template
    >>> render(Template.from_string("Hi {{ name }}"), name="Ann").prompt
    'Hi Ann'
    """
    limits = inputs.pop("limits") if isinstance(inputs.get("limits"), Limits) else None
    if not isinstance(template, Template):
        return load(template, limits=limits or DEFAULT_LIMITS).render(**inputs)
    return (template.with_limits(limits) if limits else template).render(**inputs)
