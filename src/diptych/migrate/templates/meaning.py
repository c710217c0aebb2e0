"""What a source says, as a function: from inputs to roles and contents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

#: From inputs by the source's names to roles and contents; None for inputs it cannot take.
Meaning: TypeAlias = Callable[[Mapping[str, Any]], "list[tuple[str, str]] | None"]
#: Stands for a role where a history goes: the content is the name of its input.
HISTORY: Final = "*history*"
