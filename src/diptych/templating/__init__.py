"""Templates in, segments out: who wrote each character is known to the end.

``engine`` compiles and runs, ``plan`` is the fast path, ``assemble`` makes messages.
"""

from .assemble import Assembled, Entry
from .engine import Compiled, Engine
from .inputs import Input, Inputs, read_inputs, suggest
from .plain import Reducer
from .plan import HistorySlot, Plan, Slot, Turn
from .sources import FolderSource, Found, MappingSource, Source, make_source

__all__ = [
    "Assembled",
    "Compiled",
    "Engine",
    "Entry",
    "FolderSource",
    "Found",
    "HistorySlot",
    "Input",
    "Inputs",
    "MappingSource",
    "Plan",
    "Reducer",
    "Slot",
    "Source",
    "Turn",
    "make_source",
    "read_inputs",
    "suggest",
]
