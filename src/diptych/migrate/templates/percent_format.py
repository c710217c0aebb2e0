"""A text of the ``%`` operator with names.

=======================  ======================================================
``%(x)s``                ``{{ x }}``
``%(x)5.2f`` ``%(x)r``   ``{{ '%(x)5.2f' % {'x': x} }}``; Python carries it out
``%%``                   one percent sign
``%s`` ``%(x)*d``        refused: they have no name
a lone ``%``             refused
=======================  ======================================================

A text says its language by its marks alone, which is a doubt: this layout is taken where somebody
names it. What it gives is held against the engine itself.
"""

from __future__ import annotations

from typing import Final

from .holes import PERCENTS
from .model import Layout

LAYOUT: Final = Layout(
    "percent-format",
    lambda source, draft: PERCENTS.read(source.text, draft),
    lambda _: False,
    rank=98,
    oracle="the % operator of Python 3.11",
)
