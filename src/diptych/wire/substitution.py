"""Models that only one API serves, and what stands in for them.

Rule: a row has its date and its source; a model that is in no row keeps its name, since
servers of one's own call theirs as they like. Completions models of OpenAI ended on
2026-09-28 (OpenAI, "Deprecations", read 2026-11); the replacement is the smallest general
Chat model with a public price.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..loss import Loss


class Substitute(NamedTuple):
    """A model to use instead, the day the old one was shut down, and who says so."""

    model: str
    shutdown: str
    source: str


_PAGE: Final = "OpenAI, Deprecations (read 2026-11)"
TO_CHAT: Final[dict[str, Substitute]] = {
    "gpt-3.5-turbo-instruct": Substitute("gpt-4o-mini", "2026-09-28", _PAGE),
    "gpt-3.5-turbo-instruct-0914": Substitute("gpt-4o-mini", "2026-09-28", _PAGE),
    "davinci-002": Substitute("gpt-4o-mini", "2026-09-28", _PAGE),
    "babbage-002": Substitute("gpt-4o-mini", "2026-09-28", _PAGE),
    **{
        name: Substitute("gpt-4o-mini", "2024-01-04", _PAGE)
        for name in (
            "text-davinci-003", "text-davinci-002", "text-davinci-001", "text-curie-001", "text-babbage-001",
            "text-ada-001", "davinci", "curie", "babbage", "ada", "code-davinci-002", "code-cushman-001",
            "davinci-instruct-beta", "curie-instruct-beta",
        )
    },
}  # fmt: skip


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
