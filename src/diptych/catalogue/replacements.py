"""The model of a request that moves from Completions to Chat, and what that model refuses.

Rule: a model that is in no row keeps its name, since servers of one's own call theirs as they
like. The last Completions models of OpenAI ended on 2026-09-28 (its notice of 2025-09-26).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..loss import Loss
from . import Replacement, apis_of, refused_parameters, replacement_for

_DEFAULTS: Final = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}


def is_asked(name: str, value: Any) -> bool:
    """Tell whether a parameter asks for anything: a value that is the default is accepted everywhere.

    >>> is_asked("presence_penalty", 0), is_asked("temperature", 0)
    (False, True)
    """
    if value is None or value is False or value in ([], {}):
        return False
    default = _DEFAULTS.get(name)
    return default is None or value != default


def refusals(model: str, names: Iterable[str], *, reasoning_effort: str | None = None) -> dict[str, str]:
    """Return those of the names that a model is known to refuse, each with what is known.

    ``max_tokens`` is left out: it is written as ``max_completion_tokens``.

    >>> refusals("gpt-5.4-mini", ["stop", "temperature", "max_tokens"])
    {'stop': 'gpt-5.4-mini refuses stop'}
    """
    said = refused_parameters(model, reasoning_effort=reasoning_effort)
    return {name: said[name] for name in names if name in said and name != "max_tokens"}


def chat_replacement(name: str | None) -> Replacement | None:
    """Return what replaces a Completions model that ended, None for every other name.

    >>> chat_replacement("davinci-002").model, chat_replacement("gpt-4o")
    ('gpt-5.4-mini', None)
    """
    return replacement_for(name) if name and apis_of(name) == ("completions",) else None


def chat_model(name: str, asked: str | None) -> tuple[str, list[Loss]]:
    """Return the model of a converted request, and the loss where it is another.

    >>> chat_model("my-llama", None)
    ('my-llama', [])
    """
    if asked is not None:
        return asked, [] if asked == name else [Loss("$.model", "substituted", f"{name} became {asked}, as asked")]
    found = chat_replacement(name)
    if found is None:
        return name, []
    detail = f"{name} was shut down on {found.shutdown}; {found.model} stands in ({found.source})"
    return found.model, [Loss("$.model", "substituted", detail)]
