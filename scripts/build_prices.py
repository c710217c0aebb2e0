"""Write ``src/diptych/prices/snapshot.json`` from an installed genai-prices.

    python scripts/build_prices.py [--limits MODELS_GEN_TS] [--date YYYY-MM-DD]

Rule: prices come from genai-prices alone, context windows from it and from the model
cards in gpt-tokenizer (``src/models.gen.ts`` of the npm package, given as a path), dates
of shutdown from ``diptych.catalogue.shutdowns``. Only names that genai-prices matches by equality are
taken (``diptych.prices.genai``). Without ``--limits`` the limits of the snapshot at hand
are kept.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from diptych.catalogue.shutdowns import SHUTDOWNS
from diptych.prices import genai

TARGET = Path(__file__).resolve().parents[1] / "src" / "diptych" / "prices" / "snapshot.json"


def read_limits(path: Path) -> dict[str, dict[str, Any]]:
    """Return context window, longest output and whether it reasons, by the names of OpenAI's model cards."""
    text = path.read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = {}
    for name, body in re.findall(r"_spec = \{\s+name: '([^']+)',(.*?)\n\} as const", text, re.DOTALL):
        limits: dict[str, Any] = {}
        for field, ours in (("context_window", "context_window"), ("max_output_tokens", "max_output")):
            if match := re.search(rf"^  {field}: ([\d_.e]+),", body, re.MULTILINE):
                limits[ours] = int(float(match[1].replace("_", "")))
        if match := re.search(r"^  reasoning_tokens: (true|false)", body, re.MULTILINE):
            limits["reasoning"] = match[1] == "true"
        found[name] = limits
    return found


def build(limits: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the models of the snapshot: prices as the adapter reads them, limits beside."""
    models: dict[str, Any] = genai.snapshot()["models"]
    for key, entry in models.items():
        known = next((limits[name] for name in [key, *entry["names"]] if name in limits), {})
        entry["context_window"] = known.get("context_window") or entry["context_window"]
        entry |= {"max_output": known.get("max_output"), "reasoning": known.get("reasoning")}
        entry["shutdown"] = SHUTDOWNS.get(key)
    return models


def kept_limits() -> tuple[dict[str, dict[str, Any]], str]:
    """Return the limits of the snapshot at hand, and their source."""
    if not TARGET.exists():
        return {}, ""
    old = json.loads(TARGET.read_text(encoding="utf-8"))
    fields = ("context_window", "max_output", "reasoning")
    return {name: {f: e.get(f) for f in fields} for name, e in old["models"].items()}, old["limits_source"]


def main() -> int:
    """Build and write the snapshot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limits", type=Path, help="src/models.gen.ts of the npm package gpt-tokenizer")
    parser.add_argument("--limits-version", default="4.0.0")
    parser.add_argument("--date", default=date.today().isoformat(), help="the day the prices were taken")
    options = parser.parse_args()
    if options.limits:
        limits = read_limits(options.limits)
        limits_source = f"model cards of OpenAI in gpt-tokenizer {options.limits_version} (MIT)"
    else:
        limits, limits_source = kept_limits()
    snapshot = {
        "version": 1,
        "date": options.date,
        "source": f"genai-prices {version('genai-prices')}",
        "licence": "MIT, Copyright (c) Pydantic Services Inc. 2025 to present",
        "limits_source": limits_source,
        "shutdown_source": "OpenAI's deprecations page and the docstrings of openai 3.57.0",
        "unit": "USD per million tokens",
        "models": build(limits),
    }
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in snapshot.pop("models").items()]
    head = json.dumps(snapshot, indent=1)[:-2]
    TARGET.write_text(f'{head},\n "models": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")
    print(f"{len(lines)} models, {TARGET.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
