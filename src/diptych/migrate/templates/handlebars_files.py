"""Templates in files of Handlebars and Mustache: ``.hbs``, ``.handlebars``, ``.mustache``.

====================================  ====================================================
Handlebars                            a prompt, by :mod:`.handlebars`: simple tags alone
Mustache                              a prompt, by :mod:`.mustache`: names, sections, comments
``{{x}}``                             not escaped for HTML: reported, for the engines do
partials, other delimiters            refused: they stand in other files
====================================  ====================================================
"""

from __future__ import annotations

import re
from typing import Final

from .draft import Draft
from .handlebars import Handlebars
from .holes import ended
from .model import Layout, Source
from .mustache import mustache_meaning, pieces_of_mustache
from .pieces import write

_HANDLEBARS: Final = (".hbs", ".handlebars")
_ESCAPED: Final = re.compile(r"(?<![\\{])\{\{(?!\{)(?!~?\s*(?:[#/^!>&]|else\b|@(?:index|first|last)\b))")


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a file. Raises MigrationError."""
    text = source.text
    if not source.name.endswith(".mustache"):
        reader = Handlebars(text, draft, {})
        reader.has_roles = False
        draft.prompt(ended(write(reader.read())))
        if _ESCAPED.search(text):
            draft.lose("$.template", "substituted", "values were escaped for HTML; here they are not")
        return
    draft.prompt(ended(write(pieces_of_mustache(text, draft))))
    draft.meaning = lambda inputs: [("user", mustache_meaning(text, inputs, is_chevron=False))]


def _is_likely(source: Source) -> bool:
    return source.name.endswith((*_HANDLEBARS, ".mustache"))


LAYOUT: Final = Layout(
    "handlebars",
    read,
    lambda _: False,
    _is_likely,
    rank=36,
    is_lenient=True,
    oracle="handlebars 4.7.10 and mustache 4.2.0",
)
