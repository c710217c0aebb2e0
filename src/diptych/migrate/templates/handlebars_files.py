"""Templates in files of Handlebars and Mustache: ``.hbs``, ``.handlebars``, ``.mustache``.

====================================  ====================================================
Handlebars                            a prompt, by :mod:`.handlebars`: simple tags alone
Mustache, names and comments          a prompt
``{{x}}``                             not escaped for HTML: reported, for the engines do
``{{#x}} … {{/x}}`` of Mustache       refused: what a section does depends on its value
partials                              refused: they stand in other files
====================================  ====================================================
"""

from __future__ import annotations

import re
from typing import Final

from .draft import Draft
from .handlebars import Handlebars
from .holes import ended, mustache_meaning, of_mustache
from .model import Layout, Source
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
    draft.prompt(ended(of_mustache(text, draft, escapes=True)))
    draft.meaning = lambda inputs: [("user", mustache_meaning(text, inputs))]


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
