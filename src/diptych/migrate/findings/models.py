"""Models with a shutdown date, and their replacements.

Rule: a name counts where it is the whole of a text; one that could be anything else (``ada``,
``davinci``, ``o1``) only beside a word that says that it is a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from ...catalogue import replacement_for, shutdown_days
from .finding import Finding

#: What stands before the name of a model: ``model: ada``, ``engine="davinci"``.
_SAYS_SO: Final = re.compile(r"(model|engine|deployment)[\w\"']*\s*[:=]\s*[\"']?$", re.IGNORECASE)
_WORD: Final = re.compile(r"(?<![\w./-])[A-Za-z][\w.:-]*\w(?![\w/-])")


@lru_cache(maxsize=1)
def dated_models() -> dict[str, dict[str, Any]]:
    """Return what is known of every model with a shutdown date, by name."""
    return {
        name: {"shutdown_date": entry.shutdown, "stand_in": entry.model, "source": entry.source}
        for name in shutdown_days()
        if (entry := replacement_for(name))
    }


@lru_cache(maxsize=1)
def _beginnings() -> tuple[re.Pattern[str], ...]:
    """Return patterns of what begins a text that is the name of such a model; one that could be anything ends, too.

    There is one for each quote, and its next letter is looked at first: that is how most files are passed quickly.
    """
    heads = {name[: 8 if name[4:5] == "-" else 5] for name in dated_models() if is_certain(name)}
    others = {name for name in dated_models() if not any(name.startswith(head) for head in heads)}
    found = [*map(re.escape, sorted(heads)), *(f"{re.escape(name)}[\"']" for name in sorted(others))]
    firsts = "".join(sorted({name[0] for name in dated_models()}))
    return tuple(re.compile(f"{quote}(?=[{re.escape(firsts)}])(?:{'|'.join(found)})") for quote in "\"'")


def may_concern(text: str) -> bool:
    """Tell whether a source may name a dated model or an endpoint; most do not, and are not even parsed.

    >>> may_concern("x = 1"), may_concern("M = 'text-davinci-003'")
    (False, True)
    """
    return "openai" in text or "/v1/" in text or any(each.search(text) for each in _beginnings())


def is_certain(name: str) -> bool:
    """Tell whether a text that is this name can be nothing but the model."""
    return len(name) > 5 and "-" in name


def model_finding(name: str, place: str) -> Finding:
    """Return the finding of a model's use."""
    return Finding("model", place, {"model": name, **dated_models()[name]})


def models_in(text: str, file: str) -> Iterator[Finding]:
    """Yield the models that a text of lines names, as front matter and settings do."""
    for number, line in enumerate(text.splitlines(), 1):
        for word in _WORD.finditer(line):
            name = word.group()
            if name in dated_models() and (is_certain(name) or _SAYS_SO.search(line[: word.start()])):
                yield model_finding(name, f"{file}:{number}:{word.start() + 1}")
