"""The one-call forms: what a script wants in one line."""

from __future__ import annotations

import os
from typing import Any

from .rendered import Rendered
from .template import Template, load


def render(template: str | os.PathLike[str] | Template, /, **inputs: Any) -> Rendered:
    """Render a template, or the file at a path, with these inputs.

    >>> from diptych import Template
    >>> render(Template.from_string("Hi {{ name }}"), name="Ann").prompt
    'Hi Ann'
    """
    return (template if isinstance(template, Template) else load(template)).render(**inputs)
