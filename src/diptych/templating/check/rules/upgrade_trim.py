"""White space that changed with version 0.2.

0.1 dropped the line break after every tag and the blanks before one; 0.2 drops lines that hold nothing
but tags. Where the two differ, ``trim: blocks`` keeps what 0.1 printed. The fix adds it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from ..subject import Subject

CODE = "UP001"
IS_DEFAULT = False
BAD = "{% if x %}yes{% endif %}\nno"
GOOD = "{% if x %}\nyes\n{% endif %}\nno"


def check(subject: Subject) -> Iterator[Finding]:
    """Find files without a rule of their own whose text the two rules cut differently."""
    if subject.tree is None or subject.parts is None or "trim" in subject.parts.meta:
        return
    lexers = subject.library.engine.environment.lexers
    texts = ["".join(_visible(lexers[rule], subject.parts.body)) for rule in ("lines", "blocks")]
    if texts[0] != texts[1]:
        hint = "write trim: blocks to keep what 0.1 printed"
        fix = subject.insert_key("trim: blocks")
        yield Finding(CODE, "white space differs from version 0.1", subject.top, hint, fix)


def _visible(lexer, body: str) -> Iterator[str]:  # type: ignore[no-untyped-def]
    for _, kind, value in lexer.tokeniter(body, None):
        if kind == "data":
            yield value
        elif kind in ("block_begin", "variable_begin"):
            yield "\0"
