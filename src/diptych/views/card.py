"""What a value shows of itself in a notebook and in a terminal: a card of facts, tables and messages.

A class derives from :class:`diptych.views.shown.Shown` and says what is on its card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from ..loss import KINDS, Loss
from ..model import Segment

#: A table shows so many rows, a text so many characters; the rest is counted.
ROWS: Final = 100
CHARACTERS: Final = 20_000


class Table(NamedTuple):
    """Rows under column names."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]


class Talk(NamedTuple):
    """Messages: the role of each, and its text in runs of one author."""

    title: str
    messages: Sequence[tuple[str, Sequence[Segment]]]


class Text(NamedTuple):
    """A text, character by character."""

    title: str
    text: str


Block: TypeAlias = Table | Talk | Text


class Card(NamedTuple):
    """A title, facts by name, and blocks below them. Facts that are None or empty are left out."""

    title: str
    facts: Mapping[str, object]
    blocks: Sequence[Block] = ()


def loss_table(losses: Iterable[Loss]) -> list[Block]:
    """Return the table of losses, nothing where there are none.

    >>> loss_table([Loss("$.n", "parameter-dropped", "one answer")])[0].rows
    [('dropped', 'parameter-dropped', '$.n', 'one answer')]
    """
    rows = [(loss.severity.name.lower(), loss.kind, loss.path, loss.detail or KINDS[loss.kind][1]) for loss in losses]
    return [Table("Losses", ("severity", "kind", "where", "detail"), rows)] if rows else []


def shown_number(value: float | Decimal | None) -> str:
    """Return a number with its thousands apart, nothing for None.

    >>> shown_number(12000), shown_number(None)
    ('12,000', '')
    """
    return "" if value is None else f"{value:,}"


def shortened(text: str) -> str:
    """Return the text, or its beginning and the number of characters that follow.

    >>> shortened("x" * 20_003)[-24:]
    'xxxx\\n… 3 more characters'
    """
    more = len(text) - CHARACTERS
    return text if more <= 0 else f"{text[:CHARACTERS]}\n… {more:,} more characters"


def cells(rows: Sequence[Sequence[object]]) -> list[list[str]]:
    """Return the rows to show, as text; None is an empty cell, and a last row counts what is not shown.

    >>> cells([("a", None), (1, 2)])
    [['a', ''], ['1', '2']]
    """
    shown = [["" if value is None else str(value) for value in row] for row in rows[:ROWS]]
    more = len(rows) - ROWS
    return [*shown, [f"… {more:,} more rows"]] if more > 0 else shown


def facts(card: Card) -> list[tuple[str, str]]:
    """Return the facts of a card that say something, as text."""
    return [(name, str(value)) for name, value in card.facts.items() if value is not None and value != ""]
