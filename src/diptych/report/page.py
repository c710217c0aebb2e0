"""A document as one self-contained page: no script, no request to anywhere, readable on paper.

Rule: everything that stands in a document goes through autoescape, and the page's own policy
forbids scripts and addresses, so that nothing a document holds can run or phone home.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import __version__
from ..views.terminal import visible

#: So many rows are shown at once; further ones are folded, so many a fold.
FOLD: Final = 100


def page_of(document: Mapping[str, Any], *, today: date | None = None) -> str:
    """Return the page of a document.

    ``made_by`` in it is the version of Diptych that made it, by default this one.

    >>> "<script" in page_of({"kind": "versions", "title": "<script>", "before": "a", "after": "b", "samples": []})
    False
    """
    day = (today or date.today()).isoformat()
    partial = _environment().get_template(f"{document['kind']}.html.jinja")
    html: str = partial.render(doc={"made_by": __version__, **document}, day=day)
    return html.encode("utf-8", "replace").decode()


@lru_cache(maxsize=1)
def _environment() -> Any:
    environment = Environment(
        loader=PackageLoader("diptych.report", "partials"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "usd": usd, "share": share, "shown": visible, "folds": folds}
    return environment


def number(value: int | float | None) -> str:
    """Return a number with its thousands apart, ``unknown`` for None."""
    return "unknown" if value is None else f"{value:,}"


def usd(value: str | None) -> str:
    """Return money as it was reckoned, no digit cut."""
    return "unknown" if value is None else f"{value} USD"


def share(value: float | None, total: float | None) -> str:
    """Return how much of a bar is filled, in percent of its width."""
    return f"{100 * value / total:.1f}" if value and total else "0"


def folds(rows: Sequence[Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield rows in folds, each with what to call it.

    >>> [(name, len(rows)) for name, rows in folds(range(150))]
    [('1 to 100', 100), ('101 to 150', 50)]
    """
    start = 1
    while fold := rows[start - 1 : start - 1 + FOLD]:
        yield f"{start:,} to {start + len(fold) - 1:,}", fold
        start += len(fold)
