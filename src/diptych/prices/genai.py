"""The adapter to an installed genai-prices: its data in the shape of the snapshot.

Rule: the only module that imports genai_prices. It fetches nothing: where a program
has started genai-prices' own updates, their result is what is read.
"""

from __future__ import annotations

import re
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
_CHECKED: Final = re.compile(r"(?:verified|checked) on (\d{4}-\d{2}-\d{2})")
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
                    **_checked(model),
                    **_window(model),
                }
    return {"date": date.today().isoformat(), "source": f"genai-prices {version('genai-prices')}", "models": models}


def _checked(model: Any) -> dict[str, str]:
    """Return the latest day on which genai-prices compared the price with its vendor's page, as it says."""
    said = getattr(model, "prices_checked", None)
    days = _CHECKED.findall(model.price_comments or "") if said is None else [str(said)]
    return {"checked": max(days)} if days else {}


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
    """Return prices with the day each holds from.

    Where a price depends on the hour, the dearest holds: an estimate must not be too low.
    """
    found: list[dict[str, Any]] = []
    hours: list[dict[str, Any]] = []
    for entry in prices if isinstance(prices, list) else [prices]:
        constraint = getattr(entry, "constraint", None)
        start = getattr(constraint, "start_date", None)
        rates: dict[str, Any] = _rates(getattr(entry, "prices", entry))
        if rates and (constraint is None or start is not None):
            found.append({"from": start.isoformat() if start else None, "rates": rates})
        elif rates:
            hours.append(rates)
    return [{**entry, "rates": _dearest([entry["rates"], *hours])} for entry in found]


def _dearest(prices: list[dict[str, Any]]) -> dict[str, Any]:
    return _chosen(prices, max)


def _cheapest(prices: list[dict[str, Any]]) -> dict[str, Any]:
    return _chosen(prices, min)


def _chosen(prices: list[dict[str, Any]], choose: Any) -> dict[str, Any]:
    """Return the rates of the first price, each with the choice among all of them; rates with tiers stay."""
    names = [name for name in prices[0] if all(isinstance(rates.get(name), str) for rates in prices)]
    return {**prices[0], **{name: choose((rates[name] for rates in prices), key=Decimal) for name in names}}


def _off_peak(prices: Any) -> list[dict[str, Any]]:
    """Return the prices of the hours in which a model costs least, where it has such hours."""
    entries = prices if isinstance(prices, list) else [prices]
    timed = [one for one in entries if getattr(getattr(one, "constraint", None), "start_time", None) is not None]
    plain = _dated([one for one in entries if one not in timed])
    hours = [_rates(one.prices) for one in timed]
    return [{**entry, "rates": _cheapest([entry["rates"], *hours])} for entry in plain] if timed else []


def _variants(model: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    if low := _off_peak(model.prices):
        found["off_peak"] = low
    for variant in model.price_variants or ():
        key = next(iter(variant.when.items()))
        if len(variant.when) == 1 and key in _VARIANTS and (entries := _dated([variant])):
            found.setdefault(_VARIANTS[key], []).extend(entries)
    return found
