"""A text in Jinja, whatever its ending.

===========================  ==================================================
``{{ x }}`` ``{% if x %}``   as they stand; white space as Jinja's defaults have it
``{x}`` ``$x`` ``%(x)s``     text
a name that is not given     prints nothing there; here it has to be given, or is
                             false where it is only asked about
===========================  ==================================================

A file that ends in ``.jinja`` or the like is in this language, too; the layout ``text`` says so.
"""

from __future__ import annotations

from typing import Final

from .draft import Draft
from .holes import ended
from .jinja import plain_renderer, rewrite
from .model import Layout, Source


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from the text. Raises MigrationError."""
    body = source.text.removesuffix("\n")
    draft.prompt(ended(rewrite(body, draft)))
    draft.meaning = lambda inputs: [("user", plain_renderer(body)(inputs))]


LAYOUT: Final = Layout("jinja", read, lambda _: False, rank=98, is_lenient=True, oracle="Jinja 3.1")
