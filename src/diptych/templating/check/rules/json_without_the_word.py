"""JSON mode without the word JSON.

OpenAI refuses a request with ``response_format: json_object`` whose messages do not say JSON. Say
in a message that the reply is JSON.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from ..subject import Subject

CODE = "T202"
BAD = "---\nresponse_format: json_object\n---\nList three colours."
GOOD = "---\nresponse_format: json_object\n---\nList three colours as JSON."


def check(subject: Subject) -> Iterator[Finding]:
    """Find JSON mode where neither the template nor what it includes has the word."""
    if subject.template is None or subject.tree is None or subject.front.get("response_format") != "json_object":
        return
    engine, limits = subject.library.engine, subject.library.limits
    if any(name is None for name in subject.template.compiled.references):
        return
    texts = engine.all_texts(subject.template.compiled, limits)
    if not any("json" in text.lower() for text in texts):
        message = "JSON mode needs the word JSON in a message; OpenAI refuses the request otherwise"
        yield Finding(CODE, message, subject.at_key("response_format"), "say in a message that the reply is JSON")
