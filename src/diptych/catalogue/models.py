"""Which encoding and which counting family a model has, for names of the table and for others.

Rule: an exact name or its dated snapshot gets its row. Another name gets the row that its name
suggests, marked ``known=False``; a name that suggests none gets nothing, and no number is made
up for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .table import Family, Model, approximate_row, base_name, by_name, rows


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What counting knows of a model.

    ``base`` is the name in the table; ``known`` is False where a family was only
    suggested by the name; ``is_recorded`` where the family's rule was seen to hold for
    this model or its close kin; ``encoding`` is None where nothing is known.

    >>> model_info("gpt-4o-2024-08-06").base
    'gpt-4o'
    """

    name: str
    base: str
    encoding: str | None
    family: Family | None
    known: bool
    is_recorded: bool = True


@lru_cache(maxsize=1024)
def model_info(model: str) -> ModelInfo:
    """Return what counting knows of ``model``; never raises.

    Fine-tuned names (``ft:gpt-4o-mini-2024-07-18:org::id``) and names with the
    provider in front (``openai/gpt-4o``) are those of their base model. A deployment
    whose name holds a model's name, or ends in the date of one, is taken for that
    model with ``known=False``.

    >>> model_info("gpt-9-vast").known, model_info("gpt-9-vast").encoding
    (False, 'o200k_base')
    >>> model_info("claude-3").encoding is None
    True
    >>> model_info("prod-gpt-4o-eu").base
    'gpt-4o'
    """
    base = base_name(model)
    row = approximate_row(model)
    if row is None or row.encoding is None:
        base = _kin_of(model) or base
        row = by_name().get(base, Model())
        return ModelInfo(model, base, row.encoding, row.family, False, False)
    known = base in by_name()
    return ModelInfo(model, base, row.encoding, row.family, known, known and row.recorded)


def _kin_of(model: str) -> str | None:
    """Return the known model that a deployment's name speaks of, if it speaks of one."""
    within = _within().search(model)
    return within[1].lower() if within else _by_snapshot().get(model[-10:])


@lru_cache(maxsize=1)
def _within() -> re.Pattern[str]:
    # The longer names of the table inside another name: "prod-gpt-4o-eu" is a gpt-4o, "ada-llama" no ada.
    inner = sorted((name for name in known_models() if name.startswith(("gpt-", "text-", "code-"))), key=len)
    return re.compile(rf"(?:^|[-_./ ])({'|'.join(map(re.escape, reversed(inner)))})(?=$|[-_./: ])", re.IGNORECASE)


@lru_cache(maxsize=1)
def _by_snapshot() -> dict[str, str]:
    return {date: row.names[0] for row in rows() for date in row.snapshots}


@lru_cache(maxsize=1)
def known_models() -> tuple[str, ...]:
    """Return the names of every model whose encoding is known, in the order of the table.

    >>> "gpt-4o" in known_models()
    True
    """
    return tuple(name for name, row in by_name().items() if row.encoding is not None)
