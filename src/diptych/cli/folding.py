"""Help in narrow windows: a name that does not fit goes on in the next line, and nothing of it is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

#: The flags that every command has, which are taken before it is run.
_ALSO: Final = "Also: --debug (show tracebacks), --quiet (no warnings and notes)."


def fold() -> None:
    """Make Typer's tables fold their texts; by default Rich cuts them with an ellipsis."""
    from rich.columns import Columns
    from rich.table import Table
    from rich.text import Text
    from typer import rich_utils

    def folded(item: Any) -> Any:
        if isinstance(item, Text):
            item.overflow = "fold"
        return item

    class FoldingTable(Table):
        def add_row(self, *renderables: Any, **options: Any) -> None:
            super().add_row(*map(folded, renderables), **options)
            for column, cell in zip(self.columns, renderables, strict=False):
                # What is typed stays whole as long as another column can give way.
                column.no_wrap = column.no_wrap or (isinstance(cell, Text) and cell.plain.startswith("-"))

    class FoldingColumns(Columns):
        def add_renderable(self, renderable: Any) -> None:
            super().add_renderable(folded(renderable))

        def __init__(self, renderables: Any = None, **options: Any) -> None:
            super().__init__(map(folded, renderables or ()), **options)

    vars(rich_utils).update(Table=FoldingTable, Columns=FoldingColumns)


class Command(TyperCommand):
    """A command whose help folds."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        fold()
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group of commands whose help folds."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        fold()
        super().format_help(ctx, formatter)


class Application(typer.Typer):
    """An application whose groups and commands fold their help."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"cls": Group, **options})

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Register a function as a command."""
        also = _ALSO if name != "serve" else "Also: --debug (show tracebacks)."  # serve has a --quiet of its own
        return super().command(name, **{"cls": Command, "epilog": also, **options})
