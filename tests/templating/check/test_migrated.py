"""Two hundred migrated templates: what is found in them is so, and the migration makes no fault."""

from __future__ import annotations

import collections
import datetime
import json
from pathlib import Path

import yaml

from diptych import DiptychError
from diptych.migrate import migrate_template
from diptych.templating.check import Settings, check_text, selected

CASES = Path(__file__).parents[2] / "migrate/templates"
#: What a source file may really have: a model that ends, data in a system message, an open history, JSON mode
#: without its word, a schema that is not strict, a refused parameter, a placeholder left as text, lines that `~` joins.
REAL = {"T203", "T401", "T402", "T202", "T204", "T201", "T006", "T404", "T301"}


def _migrated() -> list[str]:
    found = []
    for path in sorted((CASES / "cases").glob("*.yaml")):
        for case in yaml.safe_load(path.read_text("utf-8")):
            try:
                found.append(migrate_template(case["text"], case["file"], layout=case.get("layout", "auto")).source)
            except DiptychError:
                continue
    bodies = json.loads((CASES / "handlebars.json").read_text("utf-8"))["cases"]
    front = "---\nmodel: m\n---\n"
    for body, _ in bodies[:600]:
        try:
            found.append(migrate_template(front + body, "a.prompt").source)
        except DiptychError:
            continue
        if len(found) >= 260:
            break
    return found


def test_what_is_found_in_migrated_templates_is_so() -> None:
    settings = Settings(datetime.date(2026, 11, 26))
    sources = _migrated()
    told: collections.Counter[str] = collections.Counter()
    for source in sources:
        told.update(one.code for one in check_text(source, selected(), settings))
    print(f"{len(sources)} migrated templates: {sorted(told.items())}")
    assert len(sources) >= 200
    wrong = sum(number for code, number in told.items() if code not in REAL)
    assert wrong <= 0.02 * sum(told.values()), told
