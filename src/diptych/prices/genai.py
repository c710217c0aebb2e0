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
                    "variants": _variants(model, prices if provider_id == "google" else None),
                    **_hours(model.prices),
                    **_introductory(model, prices),
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
    """Return the prices of the whole day with the day each holds from, the oldest first."""
    found = []
    for entry in prices if isinstance(prices, list) else [prices]:
        constraint = getattr(entry, "constraint", None)
        start = getattr(constraint, "start_date", None)
        rates = _rates(getattr(entry, "prices", entry))
        if rates and (constraint is None or start is not None):
            found.append({"from": start.isoformat() if start else None, "rates": rates})
    return sorted(found, key=lambda entry: str(entry["from"] or ""))


def _with_caching(variants: dict[str, Any], prices: list[dict[str, Any]]) -> dict[str, Any]:
    """Return Google's variants with cached rates: where a tier states none, that of the standard tier holds."""
    found: dict[str, Any] = {}
    for name, entries in variants.items():
        found[name] = []
        for entry in entries:
            standard = [one["rates"] for one in prices if (one["from"] or "") <= (entry["from"] or "")][-1]
            cached = {kind: rate for kind, rate in standard.items() if kind.startswith("cached")}
            found[name].append({**entry, "rates": {**cached, **entry["rates"]}})
    return found


def _hours(prices: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the windows of the day in which another price holds: since the last change of the others."""
    since = (_dated(prices) or [{"from": None}])[-1]["from"]
    found: list[dict[str, Any]] = []
    for entry in prices if isinstance(prices, list) else []:
        start, end = (getattr(entry.constraint, name, None) for name in ("start_time", "end_time"))
        if start is None or end is None:
            continue
        rates, window = _rates(entry.prices), f"{start:%H:%M}-{end:%H:%M}"
        same = next((one for one in found if one["rates"] == rates), None)
        if same is None:
            found.append(same := {"from": since, "windows": [], "rates": rates})
        same["windows"].append(window)
    return {"hours": found} if found else {}


def _introductory(model: Any, prices: list[dict[str, Any]]) -> dict[str, bool]:
    """Say whether the vendor calls the price before the last change a promotion."""
    is_said = re.search(r"(?i)introductory rates apply|promotional rates", model.price_comments or "")
    return {"introductory": True} if is_said and len(prices) > 1 else {}


def _variants(model: Any, standard: list[dict[str, Any]] | None) -> dict[str, list[dict[str, Any]]]:
    """Return the prices of the other tiers; ``standard`` those that hold for what a tier leaves out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for variant in model.price_variants or ():
        key = next(iter(variant.when.items()))
        if len(variant.when) == 1 and key in _VARIANTS and (entries := _dated([variant])):
            found.setdefault(_VARIANTS[key], []).extend(entries)
    dated = {name: sorted(entries, key=lambda entry: str(entry["from"] or "")) for name, entries in found.items()}
    return dated if standard is None else _with_caching(dated, standard)
