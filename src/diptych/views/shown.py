"""A value that shows itself; the modules that draw are loaded when it does."""

from __future__ import annotations

from typing import Any

from .card import Card


class Shown:
    """A value that shows itself in notebooks (``_repr_html_``) and in terminals (``rich.print``)."""

    __slots__ = ()

    def _card(self) -> Card:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return drawn_html(self._card())

    def __rich__(self) -> Any:
        return drawn_rich(self._card())


def drawn_html(card: Card) -> str:
    """Return a card as HTML."""
    from .html import card_html

    return card_html(card)


def drawn_rich(card: Card) -> Any:
    """Return a card as a rich renderable."""
    from .terminal import card_rich

    return card_rich(card)
