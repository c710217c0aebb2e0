"""promptflow's chat prompts: Jinja whose first line is a role, as ``# system:``.

=====================================  ==================================================
``system:``, ``# system:``             a message; white space around its text is layout
``{% for … %}`` over role lines        the same loop over messages
``![image]({{x}})``                    ``{% image x %}``: an address, not a file beside it
text before the first role line        no promptflow: such a file is a text
``# tool:``, ``# function:``           refused: results of calls come with a history
``## tool_calls:``, ``## name:`` …     refused: fields of a message are written by code there
=====================================  ==================================================

Its engine is Jinja as it comes, its roles are read in what was rendered; here they are read in
the author's text, once, so that no data can make one.
"""

from __future__ import annotations

import re
from typing import Final

from ...text.marks import place_of
from .draft import Draft
from .model import Layout, Source
from .prompty import ROLE_LINE, read_body

_FIRST: Final = re.compile(rf"\A\s*{ROLE_LINE.pattern}", re.I | re.M)
_TOOL: Final = re.compile(r"^[ \t]*#?[ \t]*(?:tool|function)[ \t]*:[ \t]*$", re.M | re.I)
_FIELD: Final = re.compile(r"^[ \t]*##[ \t]*(?:name|tool_calls|tool_call_id|content)[ \t]*:", re.M | re.I)
_DIPTYCH: Final = re.compile(r"\{%[-+]?\s*(?:message|chat|system|developer|user|assistant|history|insert)\b")
#: White space that promptflow takes off the ends of a message, beside role lines and at the end.
_AFTER_ROLE: Final = re.compile(rf"{ROLE_LINE.pattern}\s+", re.I | re.M)
_BEFORE_ROLE: Final = re.compile(rf"[ \t\n]+(?=\n{ROLE_LINE.pattern.removeprefix('^')})", re.I | re.M)


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a promptflow template. Raises MigrationError."""
    if not _FIRST.match(source.text):
        raise draft.refuse("the file does not begin with a role line", "1:1", hint="write a line of system: or user:")
    for pattern, what in (
        (_TOOL, "the result of a call comes with a history"),
        (_FIELD, "a field of a message is code"),
    ):
        if found := pattern.search(source.text):
            place = place_of(source.text, found.start())
            raise draft.refuse(f"{found.group().strip()} cannot be migrated: {what}", place, hint="pass a history")
    draft.strips_data = True
    body = _AFTER_ROLE.sub(lambda found: f"{found.group().rstrip()}\n", source.text.rstrip())
    read_body(_BEFORE_ROLE.sub("", body), draft, has_images=True, first=None)


def _is_certain(source: Source) -> bool:
    is_jinja = source.name.endswith((".jinja", ".jinja2", ".j2"))
    return is_jinja and _FIRST.match(source.text) is not None and not _DIPTYCH.search(source.text)


LAYOUT: Final = Layout("promptflow", read, _is_certain, rank=70, is_lenient=True)
