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


def write(day: str) -> int:
    """Write the snapshot with this date, and return how many models it has."""
    head = {
        "version": 1,
        "date": day,
        "source": f"genai-prices {version('genai-prices')}",
        "licence": "MIT, Copyright (c) Pydantic Services Inc. 2025 to present",
        "unit": "USD per million tokens",
    }
    models = genai.snapshot()["models"]
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in models.items()]
    text = json.dumps(head, indent=1)[:-2]
    TARGET.write_text(f'{text},\n "models": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")
    return len(models)


def main() -> int:
    """Build and write the snapshot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", default=date.today().isoformat(), help="the day the prices were taken")
    print(f"{write(parser.parse_args().date)} models, {TARGET.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
