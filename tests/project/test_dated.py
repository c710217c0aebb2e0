"""What ends within a year, and the refresh of dated data. Days are counted from the catalogue's own date."""

import json
import sys
from datetime import date
from pathlib import Path

import pytest

from diptych.catalogue import DEFAULT_MODEL, seen

pytest.importorskip("openai", reason="a dependency of development")
pytest.importorskip("genai_prices", reason="a dependency of development")
ROOT = Path(__file__).resolve().parents[2]
TODAY = date.fromisoformat(seen())


@pytest.fixture
def dated(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    yield pytest.importorskip("dated")
    for name in ("dated", "build_prices"):
        sys.modules.pop(name, None)


def test_no_template_default_or_replacement_ends_within_a_year(dated):
    found = [ending.place for ending in dated.endings(TODAY)]
    chosen = ("templates/", "README.md", "docs/tutorial.md", "scripts/", "models.json", "diptych.catalogue")
    assert not [place for place in found if place.startswith(chosen)]
    assert any(place.startswith("docs/how-to/migrate.md:") for place in found), "a page on what ends may name it"


def test_a_model_that_ends_is_listed_with_place_day_and_replacement(dated, monkeypatch, tmp_path):
    (tmp_path / "README.md").write_text("Ask gpt-4o:\n\n    model: gpt-5.4-nano\n")
    monkeypatch.setattr(dated, "ROOT", tmp_path)
    first, second = dated.endings(TODAY)
    assert str(first) == "README.md:1:5: gpt-4o ends on 2027-01-14; gpt-5.4 replaces it"
    assert second.place == "README.md:3:12"
    assert [ending.model for ending in dated.endings(TODAY, within=60)] == ["gpt-4o"]


def test_a_default_model_that_ends_is_listed(dated, monkeypatch):
    monkeypatch.setattr(dated, "DEFAULT_MODEL", "gpt-4o")
    assert "diptych.catalogue.DEFAULT_MODEL" in [ending.place for ending in dated.endings(TODAY)]


def test_the_table_is_written_as_it_stands(dated):
    text = dated.TABLE.read_text("utf-8")
    assert dated.written(json.loads(text)) == text


def test_a_refresh_of_what_is_the_same_changes_nothing(dated):
    table = json.loads(dated.TABLE.read_text("utf-8"))
    dated.refresh(table, {"gpt-4o": "2027-01-14"}, {"gpt-4o": {"context_window": 128000}}, "2030-01-01")
    assert dated.written(table) == dated.TABLE.read_text("utf-8")


def test_a_refresh_takes_days_limits_and_new_models(dated, monkeypatch):
    table = json.loads(dated.TABLE.read_text("utf-8"))
    monkeypatch.setattr(dated, "_listed", lambda: iter([("gpt-9", ("responses",)), (DEFAULT_MODEL, ("chat",))]))
    days = {"gpt-9": "2031-01-01", "gpt-5.4-mini-2026-03-17": "2030-05-05"}
    dated.refresh(table, days, {"gpt-9": {"max_output": 9}}, "2030-01-01")
    rows = {name: row for row in table["models"] for name in row.get("names", ())}
    assert rows["gpt-9"] | {"source": ""} == {
        "names": ["gpt-9"], "vendor": "openai", "encoding": "o200k_base", "family": "gpt5", "prefill": "instruction",
        "recorded": False, "apis": ["responses"], "seen": "2030-01-01", "source": "", "max_output": 9,
        "shutdown": {"gpt-9": "2031-01-01"},
    }  # fmt: skip
    assert rows[DEFAULT_MODEL]["shutdown"] == {"gpt-5.4-mini-2026-03-17": "2030-05-05"}
    assert list(rows[DEFAULT_MODEL])[-2:] == ["seen", "source"]


def test_days_are_read_from_the_list_of_the_sdk(dated):
    text = 'x\n"""Deprecated values:\n\n- "a", "b":\n  Announced shutdown\n  date: 2027-04-01. See\n- "c": Not supported.\n"""'
    assert dated.announced(text) == {"a": "2027-04-01", "b": "2027-04-01"}


def test_limits_are_read_from_model_cards(dated, tmp_path):
    card = "const a_spec = {\n  name: 'a',\n  context_window: 4_000,\n  max_output_tokens: 1e3,\n  reasoning_tokens: true,\n} as const"
    (tmp_path / "models.gen.ts").write_text(card)
    assert dated.read_limits(tmp_path / "models.gen.ts") == {
        "a": {"context_window": 4000, "max_output": 1000, "reasoning": True}
    }
