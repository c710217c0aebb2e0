"""Did-you-mean: one rule and one wording for every unknown name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

#: At most this many known names are listed where none is close.
_LISTED: Final = 12


def closest(name: str, known: Iterable[str], cutoff: float = 0.55) -> str | None:
    """Return the known name that is most like ``name``, None where none is.

    ``cutoff`` is the least ratio of ``difflib`` (0 to 1) that counts as alike.

    >>> closest("chatlm", ["chatml", "llama2"])
    'chatml'
    """
    import difflib  # loaded for an error alone

    return next(iter(difflib.get_close_matches(name, list(known), 1, cutoff)), None)


def suggest(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """Return the hint for an unknown name: the closest known one, else ``otherwise``, else the known names.

    >>> suggest("chatlm", ["chatml", "llama2"])
    "did you mean 'chatml'?"
    >>> suggest("x", ["chatml", "llama2"])
    'known: chatml, llama2'
    """
    names = list(known)
    if close := closest(name, names):
        return f"did you mean {close!r}?"
    return otherwise or list_known(names)


def list_known(known: Iterable[str]) -> str:
    """Return known names as a hint, sorted and shortened.

    >>> list_known(f"name{number:02}" for number in range(20))[-22:]
    'name10, name11, … (20)'
    """
    names = sorted(known)
    more = f", … ({len(names)})" if len(names) > _LISTED else ""
    return f"known: {', '.join(names[:_LISTED])}{more}" if names else "none are known"
