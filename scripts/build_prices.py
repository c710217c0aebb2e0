"""Write ``src/diptych/prices/snapshot.json`` from an installed genai-prices.

    python scripts/build_prices.py [--date YYYY-MM-DD]

Rule: prices come from genai-prices alone. Only names that genai-prices matches by equality are
taken (``diptych.prices.genai``). Limits and last days stand in the catalogue; a context window
stands here only where genai-prices has one and the catalogue has none.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

from diptych.prices import genai

TARGET = Path(__file__).resolve().parents[1] / "src" / "diptych" / "prices" / "snapshot.json"


def refresh(day: str) -> bool:
    """Write the snapshot with this date where prices or their source changed; tell whether they did."""
    old = json.loads(TARGET.read_text("utf-8"))
    models = genai.snapshot()["models"]
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
    print("prices have changed" if refresh(parser.parse_args().date) else "prices are the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
