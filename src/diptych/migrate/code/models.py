"""What a run is asked for: which model replaces which, and what a model that reasons needs beside it.

Rule: a name in no row keeps its name, unless the map names it. A model that reasons spends its cap on
reasoning first: it is asked not to reason where its row allows that, else the cap gets a reserve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ...catalogue import DEFAULT_MODEL, approximate_row, replacement_for
from ...catalogue.replacements import chat_replacement
from .targets import CHAT, Target

#: Tokens that are added to the cap of a model that cannot be asked not to reason. OpenAI's reasoning guide
#: advises far more for hard tasks; a Completions call of some dozen tokens asks for little.
RESERVE: Final = 4096


@dataclass(frozen=True)
class Models:
    """The models of a run: the default replacement, the map, and whether dated Chat models are replaced, too.

    >>> Models(mapped={"my-curie": "my-chat"}).successor("my-curie")
    'my-chat'
    """

    default: str = DEFAULT_MODEL
    mapped: Mapping[str, str] = field(default_factory=dict)
    dated: bool = False
    #: Whether code of openai before 1 becomes client code of openai 1.
    new_sdk: bool = False
    #: What calls of Completions become.
    target: Target = CHAT
    #: The length that lines keep which kept it before; None leaves them as they come.
    width: int | None = None
    #: Parameters of tests that a fixture of conftest.py gives an OpenAI client.
    fixtures: frozenset[str] = frozenset()

    def successor(self, name: str | None) -> str | None:
        """Return what replaces a model that Chat does not serve, None for any other."""
        if name is None:
            return None
        return self.mapped.get(name) or (self.default if chat_replacement(name) else None)

    def of_chat(self, name: str | None) -> str | None:
        """Return what replaces the model of a Chat call: by the map, or because its last day is announced."""
        if name is None or name in self.mapped:
            return self.mapped.get(name or "")
        found = replacement_for(name) if self.dated and not chat_replacement(name) else None
        return None if found is None else self.default

    @property
    def looks_at_chat(self) -> bool:
        """Whether Chat calls are looked at, too."""
        return self.dated or self.new_sdk or bool(self.mapped)


#: Completions models become the default one, and nothing else is mapped.
NO_MAP: Final = Models()


def reasons(name: str) -> str:
    """Return how a model that reasons by default is kept from it: effort, reserve, or "" for any other.

    >>> reasons("gpt-5.5"), reasons("gpt-5-mini"), reasons("gpt-5.4-mini"), reasons("gpt-4o")
    ('effort', 'reserve', '', '')
    """
    row = approximate_row(name)
    if row is None or not row.reasoning or row.refuses.default_effort == "none":
        return ""
    return "effort" if row.refuses.unless_effort_none else "reserve"
