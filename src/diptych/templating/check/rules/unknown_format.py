"""A text format that does not exist.

``format:`` names the text format in which messages become a prompt. An unknown one is an error only when
a prompt is asked for, in front of a user. ``diptych formats --kind text`` lists the known ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import FormatError
from ....text.registry import grammar_of
from ..finding import Finding
from ..subject import Subject

CODE = "T205"
BAD = "---\nformat: chatlm\n---\n{% user %}Hi{% enduser %}"
GOOD = "---\nformat: chatml\n---\n{% user %}Hi{% enduser %}"


def check(subject: Subject) -> Iterator[Finding]:
    """Look the name up as writing a prompt does."""
    name = subject.front.get("format")
    if not isinstance(name, str) or not name:
        return
    try:
        grammar_of(name)
    except FormatError as error:
        yield Finding(CODE, error.message, subject.at_key("format"), error.hint or "name a text format")
