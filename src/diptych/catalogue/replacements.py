"""Models that only one API serves, and what stands in for them.

Rule: a row has its date and its source; a model that is in no row keeps its name, since
servers of one's own call theirs as they like. The last Completions models of OpenAI ended on
2026-09-28 (its notice of 2025-09-26). The replacement is :data:`DEFAULT_CHAT_MODEL`; ``model=``
asks for another. What a model is known to refuse is said by :func:`refused_parameters`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from ..loss import Loss
from .shutdowns import SHUTDOWNS


class Substitute(NamedTuple):
    """A model to use instead, the day the old one was shut down, and who says so."""

    model: str
    shutdown: str
    source: str


#: The model that replaces a Completions model wherever none is asked for. Chosen on 2026-11-26: every
#: OpenAI model without reasoning ends by 2027-01-14, and this one has no announced shutdown
#: (OpenAI, deprecations, as in openai 3.57.0). Its ``reasoning_effort`` is ``none`` by default.
DEFAULT_CHAT_MODEL: Final = "gpt-5.4-mini"

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
    name: Substitute(DEFAULT_CHAT_MODEL, SHUTDOWNS[name], source)
    for source, names in _SOURCES.items()
    for name in names.split()
}

_DEFAULTS: Final = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
_NEVER: Final = ("stop", "presence_penalty", "frequency_penalty", "logit_bias")
_SAMPLING: Final = ("temperature", "top_p")
_LOGPROBS: Final = ("logprobs", "top_logprobs")
#: Reasoning models by their names, what they refuse, and what they accept only with ``reasoning_effort: none``.
#: Sources (read 2026-11-26): OpenAI's reasoning guide; vercel/ai #10932, #10940 for gpt-5.1 and later;
#: smolagents #1671, litellm #15244 for ``stop``. ``gpt-5-chat-latest`` and its kin do not reason.
_LIMITS: Final = (
    (re.compile(r"gpt-5(?:\.\d+)?-chat(?:-latest)?"), (), ()),
    (re.compile(r"(?:o[134]|gpt-5)(?:-.+)?"), (*_NEVER, *_SAMPLING, *_LOGPROBS), ()),
    (re.compile(r"gpt-(?:5\.\d+|[6-9](?:\.\d+)?)(?:-.+)?"), _NEVER, _LOGPROBS),
)


def is_asked(name: str, value: Any) -> bool:
    """Tell whether a parameter asks for anything: a value that is the default is accepted everywhere.

    >>> is_asked("presence_penalty", 0), is_asked("temperature", 0)
    (False, True)
    """
    if value is None or value is False or value in ([], {}):
        return False
    default = _DEFAULTS.get(name)
    return default is None or value != default


def refused_parameters(model: str, names: Iterable[str]) -> dict[str, str]:
    """Return the parameters that a model is known to refuse, each with what is known.

    >>> refused_parameters("gpt-5.4-mini", ["stop", "temperature"])
    {'stop': 'gpt-5.4-mini refuses stop'}
    """
    found = next((row for row in _LIMITS if row[0].fullmatch(model.removeprefix("openai/"))), None)
    if found is None:
        return {}
    _, never, limited = found
    said = {name: f"{model} refuses {name}" for name in names if name in never}
    for name in names:
        if name in limited:
            said[name] = f"{model} accepts {name} only with reasoning_effort none, which is its default"
    return said


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
