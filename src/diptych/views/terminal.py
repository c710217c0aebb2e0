"""Cards and rendered messages in a terminal: facts, tables, one panel per message, data in colour.

Rule: text is shown as text: no markup of rich is read in it, and control characters
that a terminal would obey are shown as symbols.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..model import Segment
from .card import Block, Card, Table, Talk, cells, facts, shortened

STYLES = {"system": "magenta", "developer": "magenta", "user": "blue", "assistant": "green", "tool": "yellow"}
DATA_STYLE = "bold yellow"

#: Control characters as their visible pictures, so that data cannot steer the terminal.
_VISIBLE = (
    {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
    | {127: "\u2421"}
    | dict.fromkeys([*range(128, 160), 8234, 8235, 8236, 8237, 8238, 8294, 8295, 8296, 8297], "�")
)


def visible(text: str) -> str:
    """Return the text with control characters made visible."""
    return text.translate(_VISIBLE).encode("utf-8", "replace").decode()


def card_rich(card: Card) -> Any:
    """Return a card as a rich renderable: facts as lines, tables, one panel per message."""
    from rich.console import Group
    from rich.text import Text as Line

    shown: list[Any] = [Line(visible(card.title), style="bold")] if card.title else []
    shown += [_grid(facts(card))] if facts(card) else []
    for block in card.blocks:
        shown += [Line(visible(f"\n{block.title}"), style="bold")] if block.title else []
        shown += _block(block)
    if any(piece.source == "data" for block in card.blocks if isinstance(block, Talk) for piece in _segments(block)):
        shown.append(Line("coloured: data", style=DATA_STYLE))
    return Group(*shown)


def _segments(block: Talk) -> Iterator[Segment]:
    for _, segments in block.messages:
        yield from segments


def _grid(rows: Sequence[tuple[str, str]]) -> Any:
    from rich.table import Table as Rows
    from rich.text import Text as Line

    grid = Rows.grid(padding=(0, 2, 0, 0))
    for name, value in rows:
        grid.add_row(Line(name, style="dim"), Line(visible(value), overflow="fold"))
    return grid


def _block(block: Block) -> list[Any]:
    from rich.panel import Panel
    from rich.text import Text as Line

    if isinstance(block, Talk):
        return [_panel(role, segments) for role, segments in block.messages]
    return [_table(block) if isinstance(block, Table) else Panel(Line(visible(shortened(block.text))))]


def _table(block: Table) -> Any:
    from rich import box
    from rich.table import Table as Rows
    from rich.text import Text as Line

    table = Rows(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in block.columns:
        table.add_column(name, overflow="fold")
    for row in cells(block.rows):
        table.add_row(*[Line(visible(cell), overflow="fold") for cell in row])
    return table


def _panel(role: str, segments: Sequence[Segment]) -> Any:
    from rich.panel import Panel
    from rich.text import Text as Line

    body = Line()
    for text, source, _ in segments:
        body.append(visible(text), style=DATA_STYLE if source == "data" else None)
    return Panel(body, title=Line(visible(role)), title_align="left", border_style=STYLES.get(role, "white"))
