"""The adapter to an installed genai-prices: its data in the shape of the snapshot.

Rule: the only module that imports genai_prices. It fetches nothing: where a program
has started genai-prices' own updates, their result is what is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from typing import Any, Final

from genai_prices.data_snapshot import get_snapshot

from ..catalogue import model_row

#: The first provider that names a model gives its price.
PROVIDERS: Final = ("openai", "anthropic", "google", "mistral", "deepseek", "x-ai", "cohere")

#: genai-prices' field, USD a million tokens, and ours.
_RATES: Final = {
    "input_mtok": "input",
    "cache_read_mtok": "cached",
    "cache_write_mtok": "cache_write",
    "output_mtok": "output",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cached_audio",
    "output_audio_mtok": "output_audio",
    "input_image_mtok": "input_image",
    "cache_image_read_mtok": "cached_image",
    "output_image_mtok": "output_image",
}
_VARIANTS: Final = {
    ("processing", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("service_tier", "fast"): "fast",
}


def snapshot() -> dict[str, Any]:
    """Return genai-prices' models of :data:`PROVIDERS` as a snapshot without limits.

    Only names that genai-prices matches by equality are taken: rules by prefix have
    priced new models as old ones.
    """
    by_id = {provider.id: provider for provider in get_snapshot().providers}
    models: dict[str, Any] = {}
    taken: set[str] = set()
    for provider_id in PROVIDERS:
        for model in by_id[provider_id].models if provider_id in by_id else ():
            names = [name for name in _names(model) if name not in taken]
            prices = _dated(model.prices)
            # Google resells claude models under their own names at its own prices.
            if names and prices and not (provider_id == "google" and model.id.startswith("claude")):
                taken.update(names)
                models[model.id.rstrip("-")] = {
                    "provider": provider_id,
                    "names": names,
                    "prices": prices,
                    "variants": _variants(model),
                    **_window(model),
                }
    return {"date": date.today().isoformat(), "source": f"genai-prices {version('genai-prices')}", "models": models}


def _window(model: Any) -> dict[str, int]:
    """Return the context window of a model of which the catalogue knows none."""
    row = model_row(model.id.rstrip("-"))
    known = row is not None and row.context_window is not None
    return {} if known or model.context_window is None else {"context_window": model.context_window}


def _names(model: Any) -> list[str]:
    return sorted({model.id.rstrip("-"), *_equal(model.match)})


def _equal(clause: Any) -> Iterator[str]:
    if type(clause).__name__ == "ClauseEquals":
        yield clause.equals
    if type(clause).__name__ == "ClauseOr":
        for inner in clause.or_:
            yield from _equal(inner)


def _rates(prices: Any) -> dict[str, Any]:
    found = {name: getattr(prices, field, None) for field, name in _RATES.items()}
    return {name: _rate(value) for name, value in found.items() if value is not None}


def _rate(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    # Every tier reprices all tokens of a prompt that is longer than its start.
    return [_rate(value.base), *([tier.start, _rate(tier.price)] for tier in value.tiers)]


def _dated(prices: Any) -> list[dict[str, Any]]:
    """Return prices with the day each holds from; prices by the hour are left out."""
    found = []
    for entry in prices if isinstance(prices, list) else [prices]:
        constraint = getattr(entry, "constraint", None)
        start = getattr(constraint, "start_date", None)
        rates = _rates(getattr(entry, "prices", entry))
        if rates and (constraint is None or start is not None):
            found.append({"from": start.isoformat() if start else None, "rates": rates})
    return found


def _variants(model: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for variant in model.price_variants or ():
        key = next(iter(variant.when.items()))
        if len(variant.when) == 1 and key in _VARIANTS and (entries := _dated([variant])):
            found.setdefault(_VARIANTS[key], []).extend(entries)
    return found
