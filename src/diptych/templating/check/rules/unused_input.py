"""A declared input that the template does not use.

Callers have to give it, or think that it does something. Take it out, or use it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from ..subject import Subject

CODE = "T102"
BAD = "---\ninputs: {text: string, tone: string}\n---\n{{ text }}"
GOOD = "---\ninputs: {text: string}\n---\n{{ text }}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find inputs of the file's own front matter; silent where an include's name is not known."""
    template, parts = subject.template, subject.parts
    if template is None or parts is None or None in template.compiled.references:
        return
    declared = parts.meta.get("inputs")
    if not isinstance(declared, dict) or "properties" in declared:
        declared = dict.fromkeys(template.inputs)
    for name in declared:
        if name in template.inputs and name not in template.variables:
            yield Finding(
                CODE, f"the input {name!r} is not used", subject.at_key("inputs", name), "take it out, or use it"
            )
