"""Rendered messages in a terminal: a panel a message, data in colour.

Rule: text is shown as text: no markup of rich is read in it, and control characters
that a terminal would obey are shown as symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model import Segment

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


def messages_rich(messages: Sequence[tuple[str, Sequence[Segment]]], *, title: str | None = None) -> Any:
    """Return messages as a rich renderable: one panel a message, data coloured."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    panels: list[Any] = [Text(visible(title), style="bold")] if title else []
    for role, segments in messages:
        body = Text()
        for text, source, _ in segments:
            body.append(visible(text), style=DATA_STYLE if source == "data" else None)
        panels.append(Panel(body, title=role, title_align="left", border_style=STYLES.get(role, "white")))
    panels.append(Text("coloured: data", style=DATA_STYLE))
    return Group(*panels)
