"""Prices by the day and the hour: what is announced is said, and ``high`` and a budget hold the dearest."""

import itertools
import json
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych import prices
from diptych.errors import PriceError
from diptych.prices import Bulk, price_usage, worst_cost
from diptych.prices.hours import read_moment
from diptych.prices.plain import usd

CHAT = [{"role": "user", "content": "Hi"}]
BODY = {"messages": CHAT, "max_tokens": 1000}
USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
SNAPSHOT = json.loads(files("diptych.prices").joinpath("snapshot.json").read_bytes())["models"]
HOURLY = [name for name, entry in SNAPSHOT.items() if entry.get("hours")]
CHANGING = [name for name in SNAPSHOT if prices.default().find(name).changes()]


def test_the_book_has_hours_and_announced_prices():
    assert {"deepseek-v4-flash", "deepseek-v4-pro"} <= {*HOURLY}
    assert {"gemini-4-argon", "gemini-3.8-flash"} <= {*CHANGING}


@pytest.mark.parametrize("name", SNAPSHOT)
def test_dated_prices_stand_in_order(name):
    entry = SNAPSHOT[name]
    for dated in (entry["prices"], *entry["variants"].values(), entry.get("hours", [])):
        days = [one["from"] or "" for one in dated]
        assert days == sorted(days)


#: The rate of input of deepseek-v4-flash at a time: published by DeepSeek, peak hours at twice the price.
AT = {
    "2026-08-01T02:00Z": "0.14",  # no hours yet
    "2026-08-18T02:00Z": "0.44",
    "2026-08-18T05:00Z": "0.22",
    "2026-08-22T02:00Z": "0.44",  # a Saturday, before weekends were off-peak
    "2026-08-29T02:00Z": "0.22",  # a Saturday
    "2026-11-24T01:00Z": "0.3",
    "2026-11-24T03:59Z": "0.3",
    "2026-11-24T04:00Z": "0.15",
    "2026-11-24T06:00Z": "0.3",
    "2026-11-24T10:00Z": "0.15",
    "2026-11-24T11:30+08:00": "0.3",
    "2026-11-24": "0.3",  # the dearest hour
}


@pytest.mark.parametrize("at", AT)
def test_a_time_has_the_price_of_its_hour(at):
    assert price_usage("deepseek-v4-flash", USAGE, date=at) == Decimal(AT[at])


def test_a_window_may_pass_midnight():
    book = prices.SnapshotBook({"models": {"m": {"provider": "x", "names": ["m"], "prices": [
        {"from": None, "rates": {"input": "2"}}], "hours": [
        {"from": None, "windows": ["16:30-00:30"], "rates": {"input": "1"}}]}}})  # fmt: skip
    found = [price_usage("m", USAGE, date=f"2026-11-24T{at}", book=book) for at in ("16:29", "16:30", "00:29", "00:30")]
    assert found == [2, 1, 1, 2]


@pytest.mark.parametrize("name", HOURLY)
def test_a_day_without_a_time_has_a_range_that_holds_every_hour(name):
    found = diptych.estimate(BODY, name, output=500, cached=0)
    by_hour = [
        diptych.estimate(BODY, name, output=500, cached=0, date=f"{found.price_date}T{hour:02}:00Z")
        for hour in range(24)
    ]
    assert len({one.cost for one in by_hour}) == 2
    assert found.cost.low <= min(one.cost.low for one in by_hour)
    assert found.cost.expected == max(one.cost.expected for one in by_hour)
    assert found.cost.high == max(one.cost.high for one in by_hour)
    assert "UTC" in found.price_notes[0]
    assert not by_hour[0].price_notes


@pytest.mark.parametrize("name", CHANGING)
def test_an_announced_price_is_said_and_high_holds_it(name):
    found = diptych.estimate(BODY, name, output=500)
    day = prices.default().find(name).changes()[-1][0]
    later = diptych.estimate(BODY, name, output=500, date=day)
    before = diptych.estimate(BODY, name, output=500, date=prices.default().date)
    assert found.cost.expected == before.cost.expected
    assert before.cost.high <= later.cost.high == found.cost.high
    assert day in found.price_notes[0]
    assert not later.price_notes
    assert found.to_json()["price_notes"] == [*found.price_notes]
    assert worst_cost(found.prompt, output=1000, body=BODY, model=name) == later.cost.high


@given(st.sampled_from([*HOURLY, *CHANGING, "gpt-4o"]), st.none() | st.sampled_from([*AT, "2027-02-01"]))
def test_totals_of_a_file_are_priced_alike(name, date):
    bulk = Bulk([name], date=date)
    bulk.add(BODY)
    totals, cost = bulk.totals[name], diptych.estimate(BODY, name, date=date).cost
    assert (usd(totals.low), usd(totals.expected), usd(totals.high)) == cost


@pytest.mark.parametrize("date", ["", "x", "2026-13-01", "24.11.2026"])
def test_what_is_no_day_is_refused(date):
    with pytest.raises(PriceError, match="is not a day"):
        read_moment(date)


def test_a_tier_holds_from_its_day():
    """Of several dated rates the last one that has begun holds, in whatever order a source lists them."""
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
    days = {"2026-10-15": "0.34", "2026-10-21": "0.68", "2026-11-24": "0.35"}
    for day, rate in days.items():
        assert price_usage("mistral-large-4", usage, batch=True, date=day) == Decimal(rate)


def test_googles_tiers_read_the_cache_at_the_standard_price_where_they_state_none():
    usage = {"promptTokenCount": 1_000_000, "cachedContentTokenCount": 1_000_000, "candidatesTokenCount": 0}
    assert price_usage("gemini-3-flash-preview", usage, batch=True) == Decimal("0.05")


def test_no_kind_of_token_is_dearer_in_a_batch():
    for name in SNAPSHOT:
        price = prices.default().find(name)
        if (batch := price.rates("batch")) is None:
            continue
        for kind, length in itertools.product(("input", "cached", "output"), (0, 500_000)):
            rate = price.rates().at(kind, prompt_tokens=length)
            if rate is not None and batch.has(kind) and price.rates().has(kind):
                assert batch.at(kind, prompt_tokens=length) <= rate, (name, kind)
