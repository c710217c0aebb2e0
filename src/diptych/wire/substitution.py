"""Models that only one API serves, and what stands in for them.

Rule: a row has its date and its source; a model that is in no row keeps its name, since
servers of one's own call theirs as they like. The last Completions models of OpenAI ended on
2026-09-28 (its notice of 2025-09-26). The stand-in is a small general Chat model; ``model=``
asks for another.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..loss import Loss
from ..tokens.shutdowns import SHUTDOWNS


class Substitute(NamedTuple):
    """A model to use instead, the day the old one was shut down, and who says so."""

    model: str
    shutdown: str
    source: str


_LAST: Final = "OpenAI, notice of 2025-09-26"
_FIRST: Final = "OpenAI, notice of 2023-07-06"
_CODEX: Final = "OpenAI, notice of March 2023"
_SOURCES: Final = {
    _LAST: "gpt-3.5-turbo-instruct gpt-3.5-turbo-instruct-0914 davinci-002 babbage-002",
    _FIRST: "text-davinci-003 text-davinci-002 text-davinci-001 text-curie-001 text-babbage-001 text-ada-001 davinci "
    "curie babbage ada davinci-instruct-beta curie-instruct-beta",
    _CODEX: "code-davinci-002 code-cushman-001",
}
TO_CHAT: Final[dict[str, Substitute]] = {
    name: Substitute("gpt-4o-mini", SHUTDOWNS[name], source)
    for source, names in _SOURCES.items()
    for name in names.split()
}


def chat_model(name: str, asked: str | None) -> tuple[str, list[Loss]]:
    """Return the model of a converted request, and the loss where it is another.

    >>> chat_model("my-llama", None)
    ('my-llama', [])
    """
    if asked is not None:
        return asked, [] if asked == name else [Loss("$.model", "substituted", f"{name} became {asked}, as asked")]
    found = TO_CHAT.get(name)
    if found is None:
        return name, []
    detail = f"{name} was shut down on {found.shutdown}; {found.model} stands in ({found.source})"
    return found.model, [Loss("$.model", "substituted", detail)]
