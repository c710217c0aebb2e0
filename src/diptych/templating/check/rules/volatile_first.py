"""An input before much stable text.

Servers reuse the beginning of a request that they have seen before (OpenAI from 1,024 tokens on,
"Prompt caching", 2026-11). An input near the beginning ends what can be reused: put stable text
first and inputs last.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ....encodings.text import count_text
from ..finding import Finding
from ..subject import Subject

CODE = "T503"
BAD = "{{ question }}\n" + "A rule that never changes and that every request repeats. " * 120
GOOD = "A rule that never changes and that every request repeats. " * 120 + "\n{{ question }}"
_LEAST = 1024


def check(subject: Subject) -> Iterator[Finding]:
    """Find the first printed input where 1,024 tokens of stable text stand behind it, and fewer before."""
    if subject.tree is None or len(subject.text) < 3 * _LEAST:
        return
    before: list[str] = []
    after: list[str] = []
    first: nodes.Node | None = None
    for child in (child for output in subject.each(nodes.Output) for child in output.nodes):
        if isinstance(child, nodes.TemplateData):
            (before if first is None else after).append(child.data)
        elif first is None and not getattr(child, "structural", False) and not isinstance(child, nodes.Const):
            first = child
    if first is None or count_text("".join(after)) < _LEAST or count_text("".join(before)) >= _LEAST:
        return
    message = f"this input stands before {count_text(''.join(after)):,} tokens of stable text, which no cache can reuse"
    yield Finding(CODE, message, subject.at(first.lineno, _word(first)), "put stable text first and inputs last")


def _word(node: nodes.Node) -> str | None:
    name = node if isinstance(node, nodes.Name) else node.find(nodes.Name)
    return name.name if name is not None else None
