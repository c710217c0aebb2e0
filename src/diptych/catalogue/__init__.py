"""What a language model is, in one dated table: ``models.json``.

Encoding, counting rules, limits, the APIs that serve a model, the parameters it refuses, its last
day, its replacement, how it continues a prefill and bills images. The table claims nothing of
names that are in no row; prices are in :mod:`diptych.prices`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from .table import Model, approximate_row, base_name, by_name, rows, seen, shutdown_days

__all__ = [
    "DEFAULT_MODEL",
    "Model",
    "Replacement",
    "apis_of",
    "approximate_row",
    "base_name",
    "model_row",
    "refused_parameters",
    "replacement_for",
    "rows",
    "seen",
    "serves",
    "shutdown_of",
    "shutdown_days",
]

#: The model that is used wherever none is named, and that replaces a Completions model. Chosen on
#: 2026-11-26: every OpenAI model without reasoning ends by 2027-01-14, and this one has no
#: announced shutdown (OpenAI, deprecations, as in openai 3.57.0). Its ``reasoning_effort`` is
#: ``none`` by default, so it takes ``temperature``.
DEFAULT_MODEL: Final = "gpt-5.4-mini"


class Replacement(NamedTuple):
    """A model to use instead, the day the old one is shut down, and who says so."""

    model: str
    shutdown: str
    source: str


def model_row(name: str) -> Model | None:
    """Return the row of a model, None where no row has its name or the name without its date.

    >>> model_row("gpt-4o-2024-08-06").encoding
    'o200k_base'
    >>> model_row("my-llama") is None
    True
    """
    return by_name().get(base_name(name))


def apis_of(name: str) -> tuple[str, ...] | None:
    """Return the APIs that a model's vendor serves it by, None where nothing is claimed.

    >>> apis_of("gpt-4o"), apis_of("davinci-002"), apis_of("my-llama")
    (('chat', 'responses'), ('completions',), None)
    """
    row = model_row(name)
    return None if row is None else row.apis


@lru_cache(maxsize=1024)
def serves(name: str, api: str) -> bool | None:
    """Tell whether a model's vendor serves it by this API, None where nothing is claimed.

    >>> serves("o1-pro", "chat"), serves("my-llama", "chat")
    (False, None)
    """
    apis = apis_of(name)
    return None if apis is None else api in apis


def shutdown_of(name: str) -> str | None:
    """Return the last day of a model as ISO text: of this exact name, as announced.

    >>> shutdown_of("gpt-4o"), shutdown_of("gpt-5.4-mini")
    ('2027-01-14', None)
    """
    return shutdown_days().get(name.removeprefix("openai/"))


def replacement_for(name: str) -> Replacement | None:
    """Return what replaces a model whose last day is announced, None for any other.

    >>> replacement_for("text-davinci-003").model
    'gpt-5.4-mini'
    >>> replacement_for("my-llama") is None
    True
    """
    day, row = shutdown_of(name), model_row(name)
    if day is None or row is None or row.replacement is None:
        return None
    model = DEFAULT_MODEL if row.replacement == "default" else row.replacement
    return Replacement(model, day, row.shutdown_source)


def refused_parameters(name: str, *, reasoning_effort: str | None = None) -> dict[str, str]:
    """Return the Chat parameters that a model is known to refuse, each with what is known.

    ``reasoning_effort`` is that of the request; without it the model's default effort holds.

    >>> refused_parameters("gpt-5.4-mini")["stop"]
    'gpt-5.4-mini refuses stop'
    >>> "temperature" in refused_parameters("gpt-5.4-mini")
    False
    >>> refused_parameters("gpt-5.4-mini", reasoning_effort="low")["temperature"]
    'gpt-5.4-mini accepts temperature only with reasoning_effort none'
    """
    row = approximate_row(name)
    if row is None:
        return {}
    said = {parameter: f"{name} refuses {parameter}" for parameter in row.refuses.always}
    if (reasoning_effort or row.refuses.default_effort) != "none":
        for parameter in row.refuses.unless_effort_none:
            said[parameter] = f"{name} accepts {parameter} only with reasoning_effort none"
    return said
