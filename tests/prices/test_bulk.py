"""Totals of many requests equal the sum of their estimates, however they are split."""

import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.errors import TokenError
from diptych.prices import Bulk, Cost, Lengths
from diptych.prices.plain import usd

PNG = "data:image/gif;base64,R0lGODlhAQACAAAAACw="
IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}
TOOL = {"type": "function", "function": {"name": "now"}}
MARKED = {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]}
MODELS = ["gpt-4o", "gpt-4.1-mini", "gpt-5.4-mini", "gpt-5.6-sol", "o4-mini", "gpt-4", "claude-sonnet-4-5", "no-model"]

words = st.integers(0, 3000).map(lambda n: "word " * n)
messages = st.lists(
    st.one_of(
        st.builds(
            lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "user", "assistant"]), words
        ),
        st.sampled_from([IMAGE, MARKED]),
    ),
    min_size=1,
    max_size=3,
)
bodies = st.builds(
    lambda talk, more: {"messages": talk, **more},
    messages,
    st.fixed_dictionaries({}, optional={
        "max_tokens": st.integers(1, 5000), "n": st.integers(1, 3), "tools": st.just([TOOL]),
        "service_tier": st.sampled_from(["flex", "priority", "default"]), "modalities": st.just(["text", "audio"]),
    }),
)  # fmt: skip


@given(st.lists(bodies, max_size=4), st.sampled_from([None, 0, 700, Lengths.of([1, 2, 2, 900])]), st.booleans())
def test_totals_are_the_sum_of_estimates(rows, output, batch):
    bulk = Bulk(MODELS, output=output, batch=batch)
    for body in rows:
        bulk.add(body)
    for model in MODELS if rows else ():
        found = [diptych.estimate(body, model, output=output, batch=batch) for body in rows]
        priced = [estimate.cost for estimate in found if estimate.cost is not None]
        totals, wanted = bulk.totals[model], sum(priced, Cost(0, 0, 0))
        assert totals.requests - totals.unpriced == len(priced)
        got = [None if amount is None else usd(amount) for amount in (totals.low, totals.expected, totals.high)]
        assert got == list(wanted)
        assert totals.prompt == sum(e.prompt.tokens for e in found if e.cost is not None)


@given(st.lists(bodies, min_size=2, max_size=5), st.data())
def test_the_parts_of_a_file_merge(rows, data):
    cut = data.draw(st.integers(0, len(rows)))
    parts = [Bulk(["gpt-4o"]), Bulk(["gpt-4o"])]
    for index, body in enumerate(rows):
        parts[index >= cut].add(body, key=str(index))
    whole = Bulk(["gpt-4o"])
    for index, body in enumerate(rows):
        whole.add(body, key=str(index))
    merged = Bulk(["gpt-4o"])
    for part in parts:
        merged.merge(pickle.loads(pickle.dumps(part)))
    assert merged.to_json() == whole.to_json()


def test_a_common_start_says_what_a_cache_would_save():
    bulk, start = Bulk(["gpt-4o"]), "shared words " * 1500
    for end in ("one", "two", "three"):
        bulk.add([{"role": "system", "content": start}, {"role": "user", "content": end}])
    found = bulk.to_json()
    held = found["common_prefix_tokens"]
    assert held > 2900
    assert held % 128 == 0
    assert float(found["totals"]["gpt-4o"]["cache_saves"]) == pytest.approx(2 * held * 1.25 / 1e6)


def test_a_row_that_cannot_be_counted_is_refused_and_costs_nothing():
    bulk = Bulk(["gpt-4o"])
    with pytest.raises(TokenError):
        bulk.add({"messages": [{"role": "user", "content": 5}]})
    assert (bulk.requests, bulk.refused, bulk.totals) == (1, 1, {})


def test_percentiles_and_the_dearest_rows():
    bulk = Bulk(["gpt-4o"], output=0, most=2)
    for size in range(1, 101):
        bulk.add("word " * size * 10, key=f"r{size}")
    found = bulk.to_json()["totals"]["gpt-4o"]
    assert [row["row"] for row in found["dearest"]] == ["r100", "r99"]
    for share in (50, 90, 99):
        true = diptych.estimate("word " * share * 10, "gpt-4o", output=0).cost.expected
        assert float(found["percentiles"][f"p{share}"]) == pytest.approx(float(true), rel=0.03)


def test_an_answer_is_counted_for_each_model():
    bulk = Bulk(["gpt-4", "gpt-4o"], output=5)
    bulk.add([{"role": "user", "content": "Hi"}], answer="日本語のテキスト")
    for name, totals in bulk.totals.items():
        assert totals.output == diptych.count("日本語のテキスト", name).tokens


def test_a_file_says_between_which_sums_it_lies():
    lengths = Lengths.of(range(100, 300))
    whole, parts = Bulk(["gpt-4o"], output=lengths), [Bulk(["gpt-4o"], output=lengths) for _ in range(2)]
    for index in range(50):
        for bulk in (whole, parts[index % 2]):
            bulk.add([{"role": "user", "content": f"Hi {index}"}], key=str(index))
    parts[0].merge(pickle.loads(pickle.dumps(parts[1])))
    totals = whole.totals["gpt-4o"]
    least, most = totals.likely()
    assert usd(totals.low) < least < usd(totals.expected) < most < usd(totals.high)
    assert parts[0].totals["gpt-4o"].likely() == (least, most)
    tokens = lengths.between(50, cap=None)
    assert most - least == pytest.approx((tokens[1] - tokens[0]) * Decimal("0.00001"), rel=Decimal("0.01"))
    assert totals.to_json()["likely"]["p90"] == format(most, "f")
