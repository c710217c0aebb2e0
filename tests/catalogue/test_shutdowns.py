"""The days of shutdown: what the SDK's own docstring says, and the stand-ins."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

import diptych
from diptych.apis.completions.convert_request import convert_request
from diptych.catalogue.models import model_info
from diptych.catalogue.replacements import DEFAULT_CHAT_MODEL, TO_CHAT, refused_parameters
from diptych.catalogue.shutdowns import AS_OF, SHUTDOWNS
from diptych.prices import default, list_models


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


def test_the_replacement_serves_for_a_year_as_far_as_is_announced():
    """Counted from the day of the list, not from today: no test fails by the calendar alone."""
    year = date.fromisoformat(AS_OF) + timedelta(days=365)
    day = SHUTDOWNS.get(DEFAULT_CHAT_MODEL)
    assert day is None or date.fromisoformat(day) > year
    assert {entry.model for entry in TO_CHAT.values()} == {DEFAULT_CHAT_MODEL}
    assert model_info(DEFAULT_CHAT_MODEL).known
    assert default().find(DEFAULT_CHAT_MODEL) is not None


def test_the_command_line_names_the_replacement():
    for command in ("migrate_code.py", "migrate_data.py"):
        source = (Path(diptych.__file__).parent / "cli" / command).read_text("utf-8")
        assert f"(default: {DEFAULT_CHAT_MODEL})" in source


@pytest.mark.parametrize(
    ("model", "names", "refused"),
    [
        (DEFAULT_CHAT_MODEL, ("stop", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs"), "all"),
        (DEFAULT_CHAT_MODEL, ("temperature", "top_p", "n", "seed", "max_completion_tokens", "user", "stream"), "none"),
        ("gpt-5", ("temperature", "top_p", "stop", "logprobs", "logit_bias"), "all"),
        ("gpt-5-mini-2025-08-07", ("temperature",), "all"),
        ("o3", ("stop", "temperature"), "all"),
        ("openai/gpt-6-sol", ("stop",), "all"),
        ("gpt-4o-mini", ("stop", "temperature", "logprobs"), "none"),
        ("gpt-5-chat-latest", ("stop", "temperature"), "none"),
        ("my-model", ("stop",), "none"),
    ],
)  # fmt: skip
def test_what_models_refuse(model, names, refused):
    assert set(refused_parameters(model, names)) == (set(names) if refused == "all" else set())


def test_a_converted_request_says_what_its_model_refuses():
    body = {"model": "text-davinci-003", "prompt": "Hi", "max_tokens": 5, "stop": ["END"], "presence_penalty": 1,
            "frequency_penalty": 0, "temperature": 0, "logprobs": 2}  # fmt: skip
    (found,) = convert_request(body, to="chat", on_loss="ignore")
    said = {loss.path: loss.detail for loss in found.losses if loss.kind == "model-refuses"}
    assert sorted(said) == ["$.logprobs", "$.presence_penalty", "$.stop", "$.top_logprobs"]
    assert said["$.stop"] == f"{DEFAULT_CHAT_MODEL} refuses stop"
    assert found.output["stop"] == ["END"], "it stays: whether to go without it is the reader's to decide"
    (other,) = convert_request(body, to="chat", on_loss="ignore", model="gpt-4o-mini")
    assert not [loss for loss in other.losses if loss.kind == "model-refuses"]


def test_the_list_of_models_has_the_days():
    days = {row.name: row.shutdown_date for row in list_models()}
    assert (days["gpt-4o-mini"], days["davinci-002"]) == ("2027-01-14", "2026-09-28")
