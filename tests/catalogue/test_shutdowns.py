"""The days of shutdown: what the SDK's own docstring says, and the replacements."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

import diptych
from diptych import convert_request
from diptych.catalogue import DEFAULT_MODEL, replacement_for, seen, shutdown_days, shutdown_of
from diptych.catalogue.models import model_info
from diptych.catalogue.replacements import chat_replacement, refusals
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
    assert {name: shutdown_of(name) for name in said} == said


def test_days_of_claude_are_those_of_the_sdk():
    deprecated = pytest.importorskip("anthropic._data.deprecated_models", reason="the SDK is a dependency of development")
    said = {}
    for name, text in deprecated.DEPRECATED_MODELS.items():
        said[name] = datetime.strptime(re.sub(r"(\d)(?:st|nd|rd|th)", r"\1", text), "%B %d, %Y").date().isoformat()
    assert said
    assert {name: shutdown_of(name) for name in said} == said


def test_every_priced_name_whose_day_is_known_shows_it():
    listed = {row.name: row.shutdown_date for row in list_models()}
    for name in ("claude-opus-4-1", "gemini-2.5-pro", "deepseek-chat", "grok-3", "mistral-large-2512"):
        assert listed[name] == shutdown_of(name) is not None
    assert replacement_for("gemini-2.5-flash").model == "gemini-3.5-flash-lite"


def test_the_default_model_serves_for_a_year_as_far_as_is_announced():
    """Counted from the day of the table, not from today: no test fails by the calendar alone."""
    year = date.fromisoformat(seen()) + timedelta(days=365)
    day = shutdown_of(DEFAULT_MODEL)
    assert day is None or date.fromisoformat(day) > year
    assert model_info(DEFAULT_MODEL).known
    assert default().find(DEFAULT_MODEL) is not None


def test_completions_models_become_the_default_model():
    found = {name: entry.model for name in shutdown_days() if (entry := chat_replacement(name))}
    assert len(found) == 18
    assert set(found.values()) == {DEFAULT_MODEL}
    assert chat_replacement("gpt-4o") is None
    assert replacement_for("gpt-4o").model == "gpt-5.4"


def test_the_command_line_names_the_replacement():
    for command in ("migrate_code.py", "migrate_data.py"):
        source = (Path(diptych.__file__).parent / "cli" / command).read_text("utf-8")
        assert f"(default: {DEFAULT_MODEL})" in source


@pytest.mark.parametrize(
    ("model", "names", "refused"),
    [
        (DEFAULT_MODEL, ("stop", "presence_penalty", "frequency_penalty", "logit_bias"), "all"),
        (DEFAULT_MODEL, ("temperature", "top_p", "n", "seed", "max_completion_tokens", "user", "stream", "logprobs"), "none"),
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
    assert set(refusals(model, names)) == (set(names) if refused == "all" else set())


def test_a_converted_request_says_what_its_model_refuses():
    body = {"model": "text-davinci-003", "prompt": "Hi", "max_tokens": 5, "stop": ["END"], "presence_penalty": 1,
            "frequency_penalty": 0, "temperature": 0, "logprobs": 2}  # fmt: skip
    (found,) = convert_request(body, to="chat", on_loss="ignore")
    said = {loss.path: loss.detail for loss in found.losses if loss.kind == "model-refuses"}
    assert sorted(said) == ["$.presence_penalty", "$.stop"]
    assert said["$.stop"] == f"{DEFAULT_MODEL} refuses stop"
    assert found.output["stop"] == ["END"], "it stays: whether to go without it is the reader's to decide"
    (other,) = convert_request(body, to="chat", on_loss="ignore", model="gpt-4o-mini")
    assert not [loss for loss in other.losses if loss.kind == "model-refuses"]


def test_the_list_of_models_has_the_days():
    days = {row.name: row.shutdown_date for row in list_models()}
    assert (days["gpt-4o-mini"], days["davinci-002"]) == ("2027-01-14", "2026-09-28")
