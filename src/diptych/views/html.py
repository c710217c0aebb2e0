"""HTML of cards: self-contained, escaped, no script.

Rule: styles stand inline, since notebooks strip style sheets; every text goes
through autoescape; characters that turn the direction of text are shown as symbols;
colours work on light and dark ground.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from .card import Block, Card, Table, Talk, cells, facts, shortened
from .terminal import visible

#: Border colours by role, readable on light and dark ground.
COLOURS = {
    "system": "#8b7ae0", "developer": "#8b7ae0", "user": "#3f8fd6", "assistant": "#3da46a", "tool": "#c77d2e",
}  # fmt: skip


@lru_cache(maxsize=1)
def partials() -> Any:
    """Return the environment of the partials: the only one here, with autoescape on."""
    return Environment(loader=PackageLoader(__package__, "partials"), autoescape=True, undefined=StrictUndefined)


def card_html(card: Card) -> str:
    """Return a card as HTML.

    >>> "<b>" in card_html(Card("<b>", {"a": "<b>"}))
    False
    """
    blocks = [_block(block) for block in card.blocks]
    has_data = any(
        source == "data" for block in blocks for _, segments in block["messages"] for _, source, _ in segments
    )
    template = partials().get_template("card.html.jinja")
    html: str = template.render(title=card.title, facts=facts(card), blocks=blocks, colours=COLOURS, has_data=has_data)
    return visible(html)


def _block(block: Block) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": block.title, "columns": (), "rows": (), "messages": (), "text": None}
    if isinstance(block, Table):
        return {**shown, "columns": block.columns, "rows": cells(block.rows)}
    return (
        {**shown, "messages": block.messages} if isinstance(block, Talk) else {**shown, "text": shortened(block.text)}
    )
