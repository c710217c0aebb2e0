"""The days of shutdown: what the SDK's own docstring says, and the stand-ins."""

import re
from pathlib import Path

import pytest

from diptych.prices import list_models
from diptych.tokens.shutdowns import SHUTDOWNS
from diptych.wire.substitution import TO_CHAT


def test_days_are_those_of_the_sdk():
    openai = pytest.importorskip("openai", reason="the SDK is a dependency of development")
    text = (Path(openai.__file__).parent / "types" / "shared" / "chat_model.py").read_text("utf-8")
    if "Announced shutdown" not in text:
        pytest.skip("this version of the SDK names no days")
    said = {}
    for item in re.split(r"\n- (?=\")", text)[1:]:
        day = re.search(r"shutdown\s+date:\s+(\d{4}-\d\d-\d\d)", item)
        if day:
            said |= dict.fromkeys(re.findall(r'"([^"]+)"', item[: day.start()]), day.group(1))
    assert len(said) > 40
    assert {name: SHUTDOWNS.get(name) for name in said} == said


def test_stand_ins_serve_longer_than_what_they_stand_in_for():
    for name, entry in TO_CHAT.items():
        assert SHUTDOWNS[name] == entry.shutdown
        assert entry.model not in SHUTDOWNS or SHUTDOWNS[entry.model] > entry.shutdown


def test_the_list_of_models_has_the_days():
    days = {row.name: row.shutdown_date for row in list_models()}
    assert (days["gpt-4o-mini"], days["davinci-002"]) == ("2027-01-14", "2026-09-28")
