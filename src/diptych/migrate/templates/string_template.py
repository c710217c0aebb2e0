"""A text of ``string.Template``.

=======================  ======================================================
``$x`` ``${x}``          ``{{ x }}``
``$$``                   one dollar sign
a lone ``$``             refused, as by ``substitute``
=======================  ======================================================

A text says its language by its marks alone, which is a doubt: this layout is taken where somebody
names it. What it gives is held against the engine itself.
"""

from __future__ import annotations

from typing import Final

from .holes import DOLLARS
from .model import Layout

LAYOUT: Final = Layout(
    "string-template",
    lambda source, draft: DOLLARS.read(source.text, draft),
    lambda _: False,
    rank=98,
    oracle="string.Template of Python 3.11",
)
