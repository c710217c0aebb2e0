"""Prices: exact money, dated, with a source; what is not known is None with a reason."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych import prices

CHAT = [{"role": "user", "content": "Hi"}]
NAMES = [row.name for row in prices.list_models()]


def test_money_is_exact():
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}
    assert prices.price_usage("gpt-4o-mini", usage) == Decimal("0.75")


def test_cached_tokens_are_cheaper():
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 1_000_000}}
    assert prices.price_usage("gpt-4o-mini", usage) == Decimal("0.075")


def test_batch_is_half():
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
    assert prices.price_usage("gpt-4o-mini", usage, batch=True) == Decimal("0.075")


def test_unknown_is_none_with_a_reason():
    assert prices.price_usage("no-such-model", {"prompt_tokens": 1, "completion_tokens": 1}) is None
    estimate = diptych.estimate(CHAT, "no-such-model")
    assert estimate.cost is None
    assert "no-such-model" in estimate.reason


@given(st.sampled_from(NAMES), st.integers(0, 4000), st.integers(0, 2000))
def test_low_expected_high_are_in_order(name, output, cached):
    talk = [{"role": "user", "content": "word " * 50}]
    most = diptych.count(talk, name).high  # more cannot be cached; unknown for some models
    cached = cached if most is None else min(cached, most)
    estimate = diptych.estimate(talk, name, output=output, cached=cached)
    assert estimate.output.low <= estimate.output.expected
    assert estimate.output.high is None or estimate.output.expected <= estimate.output.high
    if estimate.cost is not None:
        assert 0 <= estimate.cost.low <= estimate.cost.expected
        assert estimate.cost.high is None or estimate.cost.expected <= estimate.cost.high
        assert sum(line.cost for line in estimate.lines) == estimate.cost.expected


def test_a_cap_bounds_the_output():
    body = {"model": "gpt-4o-mini", "messages": CHAT, "max_tokens": 10, "n": 2}
    assert diptych.estimate(body).output.high == 20
    assert diptych.estimate({"prompt": "Hi", "model": "gpt-3.5-turbo-instruct"}).output.high == 16


def test_the_window_is_checked():
    assert diptych.estimate("word " * 5000, "gpt-3.5-turbo-instruct").fits_context is False
    found = diptych.estimate(CHAT, "gpt-4o-mini", output=100)
    assert found.fits_context is True
    assert found.headroom > 100_000


def test_reconcile_says_how_far_the_estimate_was():
    estimate = diptych.estimate(CHAT, "gpt-4o-mini", output=10)
    residual = estimate.reconcile({"prompt_tokens": estimate.prompt.tokens + 1, "completion_tokens": 12})
    assert (residual.prompt, residual.output) == (1, 2)
    assert residual.cost > 0


def test_the_limit_of_the_input_counts_beside_the_window():
    """gpt-5 has a window of 400,000 tokens, 272,000 of them for the input."""
    found = diptych.estimate("x " * 300_000, "gpt-5", output=10)
    assert found.fits_context is False
    assert diptych.estimate("x " * 270_000, "gpt-5", output=10).headroom <= 2_000


def test_every_listed_model_says_where_its_facts_come_from():
    for row in prices.list_models():
        assert (row.facts_date is None) == (row.facts_source is None)
        assert row.facts_date or row.apis is None


def test_every_listed_price_is_dated_and_has_a_source():
    for row in prices.list_models():
        found = row.to_json()
        assert {"name", "encoding", "context_window", "input", "output", "price_date", "shutdown_date"} <= found.keys()
        if found["input"] is not None:
            assert found["price_date"]


@pytest.mark.parametrize("name", ["gpt-4o-mini", "gpt-4.1", "gpt-5-mini", "gpt-3.5-turbo-instruct", "text-davinci-003"])
def test_known_models_have_prices(name):
    assert prices.default().find(name) is not None
