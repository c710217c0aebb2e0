"""The table of language models, read from ``models.json``: one row per family of models.

Rule: a row holds for its names and their dated snapshots, never for a bare prefix. A ``pattern``
offers the row as an approximation for names that are in no row. A column that a row leaves out
claims nothing. Every row has the day it was compared with its source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

Family = Literal["chat", "chat-0301", "o", "gpt5", "search", "completions", "embedding"]
Prefill = Literal["prefix", "continue_final_message", "instruction", "refuse"]

#: What the end of a dated snapshot looks like: -2024-08-06, -20250929, -0613, :20230824-v2.
_DATED: Final = re.compile(r"(?:-\d{4}-\d{2}-\d{2}|-20\d{6}|-(?:0\d|1[0-2])[0-3]\d|:\d{8}-v\d+)$")
#: Answers of the API that name a model otherwise than the request does.
_RENAMED: Final = {"davinci:2023-07-21-v2": "davinci-002", "babbage:2023-07-21-v2": "babbage-002"}


@dataclass(frozen=True, slots=True)
class Refusals:
    """The parameters of Chat that a model refuses: always, or unless ``reasoning_effort`` is ``none``.

    ``default_effort`` is the effort that holds where a request names none.
    """

    always: tuple[str, ...] = ()
    unless_effort_none: tuple[str, ...] = ()
    default_effort: str | None = None
    seen: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """One row: what is known of a family of language models.

    >>> from diptych.catalogue import model_row
    >>> model_row("gpt-5-mini").context_window, model_row("gpt-5-mini").input_limit
    (400000, 272000)
    """

    names: tuple[str, ...] = ()
    vendor: str = ""
    pattern: str | None = None  #: names in no row that this row approximates
    snapshots: tuple[str, ...] = ()  #: dates that its dated names bear, and no other model's
    encoding: str | None = None
    family: Family | None = None  #: the counting rules; see ``diptych.tokens.rules``
    recorded: bool = True  #: whether recorded usage shows these rules to hold for this model or its close kin
    context_window: int | None = None  #: tokens, input and output together
    input_limit: int | None = None  #: tokens, where the input may not fill the window
    max_output: int | None = None  #: tokens
    reasoning: bool | None = None
    apis: tuple[str, ...] | None = None  #: what the vendor's own server offers the model by
    refuses: Refusals = Refusals()
    prefill: Prefill | None = None  #: how a reply that the prompt begins is continued
    images: Mapping[str, Any] | None = None  #: how images are billed; see ``diptych.tokens.images``
    replacement: str | None = None  #: the model to use instead, ``default`` for the default model
    shutdown: Mapping[str, str] = field(default_factory=dict)  #: the last day of each exact name
    shutdown_source: str = ""
    seen: str = ""
    source: str = ""


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("models.json").read_bytes())
    return loaded


@lru_cache(maxsize=1)
def rows() -> tuple[Model, ...]:
    """Return every row, in the order of the file.

    >>> rows()[0].vendor
    'openai'
    """
    held = _file()
    refusals = {name: Refusals(**_frozen(entry)) for name, entry in held["refusals"].items()}
    defaults = {"shutdown_source": held["shutdown_source"]}
    return tuple(
        Model(**defaults | _frozen(row) | {"refuses": refusals.get(row.get("refuses"), Refusals())})
        for row in held["models"]
    )


def _frozen(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}


def seen() -> str:
    """Return the ISO day that the table was last compared with its sources."""
    return str(_file()["date"])


@lru_cache(maxsize=1)
def by_name() -> dict[str, Model]:
    """Return the rows by every name they hold for."""
    return {name: row for row in rows() for name in row.names}


@lru_cache(maxsize=1)
def shutdown_days() -> dict[str, str]:
    """Return the last day of every name that has one, as announced.

    >>> shutdown_days()["davinci-002"]
    '2026-09-28'
    """
    return {name: day for row in rows() for name, day in row.shutdown.items()}


def base_name(model: str) -> str:
    """Return the name that a row may have for ``model``: without provider, fine-tuning and date.

    >>> base_name("openai/gpt-4o-2024-08-06"), base_name("ft:gpt-4o-mini-2024-07-18:acme::x")
    ('gpt-4o', 'gpt-4o-mini')
    """
    name = _RENAMED.get(model, model)
    for provider in ("openai/", "azure/"):
        name = name.removeprefix(provider)
    if name.startswith("ft:"):
        name = name.split(":")[1]
    return name if name in by_name() else undated(name)


def undated(name: str) -> str:
    """Return a name without the date of its snapshot.

    >>> undated("gpt-4o-2024-08-06"), undated("claude-sonnet-4-5-20250929"), undated("gpt-4-0613")
    ('gpt-4o', 'claude-sonnet-4-5', 'gpt-4')
    """
    return _DATED.sub("", name)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], Model], ...]:
    return tuple((re.compile(row.pattern), row) for row in rows() if row.pattern is not None)


@lru_cache(maxsize=1024)
def approximate_row(model: str) -> Model | None:
    """Return the row of ``model``, else the row whose pattern matches most of the name.

    For what may be approximate: counting, images, prefill, parameters that are refused.

    >>> approximate_row("gpt-5.4-vast").names[0], approximate_row("my-llama")
    ('gpt-5.4', None)
    """
    name = base_name(model)
    if name in by_name():
        return by_name()[name]
    matches = [(match.end(), row) for pattern, row in _patterns() if (match := pattern.match(name))]
    return max(matches, key=lambda found: found[0])[1] if matches else None
