"""From a draft to a template that is handed out: checked, completed, proved.

Rule: one way out of this package; every layout takes it.
"""

from __future__ import annotations

from .draft import Draft
from .jinja import check, complete_inputs
from .model import Layout, TemplateMigration
from .proof import prove


def finish(draft: Draft, layout: Layout) -> TemplateMigration:
    """Check what a body uses, declare what it needs, and prove the result. Raises MigrationError."""
    complete_inputs(draft, check(draft.source(), draft), is_lenient=layout.is_lenient)
    prove(draft)
    source = draft.source()
    if any(map(_is_surrogate, source)):
        source = "".join("\ufffd" if _is_surrogate(character) else character for character in source)
        draft.lose("$", "replaced", "lone surrogates became U+FFFD")
    return TemplateMigration(source, layout.name, tuple(draft.losses), draft.name, "; ".join(draft.doubts))


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"
