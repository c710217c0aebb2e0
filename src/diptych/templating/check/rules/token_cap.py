"""A sample over the cap on tokens.

``diptych check --max-tokens N`` counts the request of every sample and finds those over N.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....tokens import count
from ..finding import Finding
from ..subject import Subject

CODE = "T501"
BAD = "(a sample of 120 tokens under --max-tokens 100)"
GOOD = "(a sample of 80 tokens under --max-tokens 100)"


def check(subject: Subject) -> Iterator[Finding]:
    """Find samples whose request has more tokens."""
    cap = subject.settings.max_tokens
    if cap is None:
        return
    for sample, tokens in subject.measured(lambda rendered: count(rendered, subject.model).tokens):
        if tokens > cap:
            message = f"{sample.name} has {tokens:,} tokens with {subject.model}, over {cap:,}"
            yield Finding(CODE, message, subject.at_key("samples", sample.name), "shorten the template or the sample")
