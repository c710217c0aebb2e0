"""HTML of rendered messages: self-contained, escaped, no script.

Rule: styles stand inline, since notebooks strip style sheets; every text goes
through autoescape; colours work on light and dark ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..model import Segment

#: Border colours by role, readable on light and dark ground.
COLOURS = {
    "system": "#8b7ae0", "developer": "#8b7ae0", "user": "#3f8fd6", "assistant": "#3da46a", "tool": "#c77d2e",
}  # fmt: skip


@lru_cache(maxsize=1)
def partials() -> Any:
    """Return the environment of the partials: the only one here, with autoescape on."""
    return Environment(loader=PackageLoader(__package__, "partials"), autoescape=True, undefined=StrictUndefined)


def messages_html(messages: Sequence[tuple[str, Sequence[Segment]]], *, title: str | None = None) -> str:
    """Return messages as HTML: roles as headings, data marked apart from author text.

    >>> "<b>" in messages_html([("user", [Segment("<b>", "data", "x")])])
    False
    """
    template = partials().get_template("messages.html.jinja")
    colours = {role: COLOURS.get(role) for role, _ in messages}
    html: str = template.render(messages=messages, title=title, colours=colours)
    return html.encode("utf-8", "replace").decode()
