"""A text of ``str.format`` or an f-string of names.

=======================  ======================================================
``{x}`` ``{x.a}``        ``{{ x }}`` ``{{ x.a }}``; ``{x[k]}`` likewise
``{x!r:>10}``            ``{{ '{!r:>10}'.format(x) }}``; Python carries it out
``{x:{w}}``              ``{{ '{:{}}'.format(x, w) }}``
``{{`` ``}}``            one brace
``{0}`` ``{}`` ``{a+b}``  refused: they have no name
=======================  ======================================================

A text says its language by its marks alone, which is a doubt: this layout is taken where somebody
names it. What it gives is held against the engine itself.
"""

from __future__ import annotations

from typing import Final

from .holes import FORMATS
from .model import Layout

LAYOUT: Final = Layout(
    "str-format",
    lambda source, draft: FORMATS.read(source.text, draft),
    lambda _: False,
    rank=98,
    oracle="str.format of Python 3.11",
)
