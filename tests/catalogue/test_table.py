"""The table of language models: every row is well formed, dated and sourced, and the look-ups agree with it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from diptych.catalogue import (
    DEFAULT_MODEL,
    Model,
    apis_of,
    approximate_row,
    model_row,
    refused_parameters,
    replacement_for,
    rows,
    serves,
    shutdown_days,
    shutdown_of,
)

_ROWS = [pytest.param(row, id=row.names[0] if row.names else row.pattern) for row in rows()]
_APIS = [
    "completions",
    "chat",
    "responses",
    "anthropic",
    "gemini",
    "embeddings",
    "images",
    "realtime",
    "speech",
    "transcriptions",
    "edits",
]


@pytest.mark.parametrize("row", _ROWS)
def test_a_row_is_dated_sourced_and_within_its_own_limits(row):
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row.seen)
    assert row.source
    assert row.vendor
    assert row.names or row.pattern
    assert set(row.apis or ()) <= set(_APIS)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in row.shutdown.values())
    window = row.context_window or 10**9
    assert (row.input_limit or 0) <= window
    assert (row.max_output or 0) <= window
    assert (row.encoding is None) == (row.family is None)


def test_the_docs_explain_every_column():
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "models.md").read_text("utf-8")
    table = page.partition("## Columns")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if "|" in line]
    explained = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert explained == {column.name for column in fields(Model)}


def test_no_name_stands_in_two_rows():
    names = [name for row in rows() for name in row.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(shutdown_days()))
def test_a_model_that_ends_has_a_replacement_that_lasts_longer(name):
    found = replacement_for(name)
    row = model_row(name) or next(row for row in rows() if name in row.shutdown)
    if row.replacement is None:
        assert row.vendor != "openai", "OpenAI names a replacement for each; of others only those that are known stand here"
        return
    assert found is not None
    assert found.shutdown == shutdown_of(name)
    assert (shutdown_of(found.model) or "9999") > found.shutdown
    assert model_row(found.model) is not None


@pytest.mark.parametrize(
    ("name", "apis"),
    [
        ("gpt-4o", ("chat", "responses")),
        ("openai/gpt-4o-2024-08-06", ("chat", "responses")),
        ("ft:gpt-4o-mini-2024-07-18:acme::x", ("chat", "responses")),
        (DEFAULT_MODEL, ("chat", "responses")),
        ("gpt-3.5-turbo-instruct-0914", ("completions",)),
        ("davinci:2023-07-21-v2", ("completions",)),
        *[(name, ("responses",)) for name in ["o1-pro", "o3-pro", "gpt-5-pro", "gpt-5-codex", "gpt-5.1-codex-max"]],
        *[(name, ("responses",)) for name in ["codex-mini-latest", "o3-deep-research", "computer-use-preview"]],
        ("text-embedding-3-small", ("embeddings",)),
        ("gpt-realtime", ("realtime",)),
        ("claude-sonnet-4-5-20250929", ("anthropic", "chat")),
        ("gpt-oss-20b", None),
        ("gpt-9-vast", None),
        ("prod-gpt-4o-eu", None),
        ("my-llama", None),
    ],
)
def test_apis(name, apis):
    assert apis_of(name) == apis
    assert serves(name, "chat") is (None if apis is None else "chat" in apis)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("gpt-5.1-chat-beta", "gpt-5.1-chat"),
        ("gpt-5.7", "gpt-5.5"),
        ("gpt-4o-mini-next", "gpt-4o-mini"),
        ("gpt-3.5-next-instruct", "gpt-3.5-turbo-instruct"),
        ("o4-mini-next", "o4-mini"),
    ],
)
def test_a_name_in_no_row_is_approximated_by_the_pattern_that_matches_most_of_it(name, row):
    assert model_row(name) is None
    assert approximate_row(name).names[0] == row


@pytest.mark.parametrize(
    ("name", "effort", "refused", "taken"),
    [
        (DEFAULT_MODEL, None, "stop presence_penalty logit_bias max_tokens", "temperature top_p logprobs seed"),
        (DEFAULT_MODEL, "none", "stop max_tokens", "temperature logprobs top_logprobs"),
        (DEFAULT_MODEL, "low", "stop temperature top_p logprobs", "seed max_completion_tokens"),
        ("gpt-5.5", None, "stop temperature", "seed"),
        ("gpt-5.5", "none", "stop", "temperature"),
        ("gpt-5-mini-2025-08-07", "none", "stop temperature logprobs", "seed"),
        ("o3", None, "stop temperature max_tokens", "max_completion_tokens"),
        ("o3-mini", None, "temperature max_tokens", "stop"),
        ("gpt-5-chat-latest", None, "", "stop temperature max_tokens"),
        ("gpt-4o-mini", None, "", "stop temperature max_tokens logprobs"),
        ("my-model", None, "", "stop temperature max_tokens"),
    ],
)
def test_refused_parameters(name, effort, refused, taken):
    found = refused_parameters(name, reasoning_effort=effort)
    assert set(refused.split()) <= set(found)
    assert not set(taken.split()) & set(found)
