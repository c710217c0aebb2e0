"""Write ``src/diptych/prices/snapshot.json`` from an installed genai-prices.

    python scripts/build_prices.py [--date YYYY-MM-DD]
    python scripts/build_prices.py --compare FILE      report differences to a second source and write nothing

Rule: prices come from genai-prices; scripts/price_corrections.json, each with its source and day,
replaces what is missing or wrong there. The second source is a JSON of litellm's shape
(model_prices_and_context_window.json). Only names that genai-prices matches by equality are
taken (``diptych.prices.genai``). Limits and last days stand in the catalogue; a context window
stands here only where genai-prices has one and the catalogue has none.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from diptych.prices import genai

TARGET = Path(__file__).resolve().parents[1] / "src" / "diptych" / "prices" / "snapshot.json"


def corrected(models: dict[str, Any]) -> dict[str, Any]:
    """Return the models with the corrections."""
    fixes = json.loads(Path(__file__).with_name("price_corrections.json").read_text("utf-8"))
    for name, rates in fixes["rates"].items():
        entry = models.get(name, {"provider": "openai", "names": [name], "variants": {}})
        models[name] = {**entry, "prices": [{"from": None, "rates": rates}], "source": fixes["source"]}
    for name, hours in fixes["hours"].items():
        stated = {json.dumps(one["rates"], sort_keys=True) for one in models[name]["hours"]}
        if json.dumps(hours[-1]["rates"], sort_keys=True) not in stated:
            raise SystemExit(f"{name}: genai-prices states other rates of the hours now; see price_corrections.json")
        models[name] = {**models[name], "hours": hours, "source": f"{fixes['hours_source']}; rates of genai-prices"}
    for names, factor in ((fixes["batch_at_half"], Decimal("0.5")), (fixes["batch_at_full_price"], Decimal(1))):
        for name in names:
            rates = models[name]["prices"][-1]["rates"]
            batch = {kind: format((Decimal(rate) * factor).normalize(), "f") for kind, rate in rates.items()}
            variants = {**models[name]["variants"], "batch": [{"from": None, "rates": batch}]}
            models[name] = {**models[name], "variants": variants, "source": fixes["source"]}
    return models


def differences(file: str) -> list[str]:
    """Return where the snapshot and a JSON of litellm's shape state different prices for the same model."""
    other = json.loads(Path(file).read_text("utf-8"))
    fields = {"input": "input_cost_per_token", "output": "output_cost_per_token",
              "cached": "cache_read_input_token_cost", "input_audio": "input_cost_per_audio_token"}  # fmt: skip
    found = []
    for name, entry in json.loads(TARGET.read_text("utf-8"))["models"].items():
        for kind, field in fields.items():
            ours, theirs = entry["prices"][-1]["rates"].get(kind), other.get(name, {}).get(field)
            ours = ours[0] if isinstance(ours, list) else ours
            if ours is not None and theirs is not None and Decimal(ours) != Decimal(str(theirs)) * 1_000_000:
                found.append(f"{name}: {kind} is {ours} here, {Decimal(str(theirs)) * 1_000_000:f} there")
    return found


def refresh(day: str) -> bool:
    """Write the snapshot with this date where prices or their source changed; tell whether they did."""
    old = json.loads(TARGET.read_text("utf-8"))
    models = corrected(genai.snapshot()["models"])
    source = f"genai-prices {version('genai-prices')}"
    if (old["source"], old["models"]) == (source, models):
        return False
    head = {
        "version": 1,
        "date": day,
        "source": source,
        "licence": "MIT, Copyright (c) Pydantic Services Inc. 2025 to present",
        "unit": "USD per million tokens",
    }
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in models.items()]
    text = json.dumps(head, indent=1)[:-2]
    TARGET.write_text(f'{text},\n "models": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")
    return True


def main() -> int:
    """Build and write the snapshot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", default=date.today().isoformat(), help="the day the prices were taken")
    parser.add_argument("--compare", metavar="FILE", help="report differences to this JSON of litellm's shape")
    asked = parser.parse_args()
    if asked.compare:
        print("\n".join(differences(asked.compare)) or "no differences")
        return 0
    print("prices have changed" if refresh(asked.date) else "prices are the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
