"""Lengths of earlier replies: their mean under a cap, and how often a sum lies where it is said to lie."""

import pickle
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.errors import TokenError
from diptych.prices import Lengths

CHAT = [{"role": "user", "content": "Hi"}]


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=60), st.none() | st.integers(1, 5000))
def test_the_mean_is_that_of_capped_lengths(values, cap):
    lengths = Lengths.of(values)
    capped = [value if cap is None else min(value, cap) for value in values]
    assert abs(lengths.expected(cap) - Decimal(sum(capped)) / len(capped)) <= Decimal("0.0005")
    assert min(capped) <= lengths.percentile(50, cap=cap) <= max(capped)
    if (between := lengths.between(1, cap=cap)) is not None:
        assert min(capped) <= between[0] <= between[1] <= max(capped)


def test_a_copy_is_the_same():
    lengths = pickle.loads(pickle.dumps(Lengths.of([3, 1, 2])))
    assert lengths.values == (1, 2, 3)
    assert "p50=2" in repr(lengths)


@pytest.mark.parametrize("values", [[], [1, -1], ["1"], [1.5], [True]])
def test_what_is_no_length_is_refused(values):
    with pytest.raises(TokenError, match="output"):
        diptych.estimate(CHAT, "gpt-4o", output=values)


#: Replies of many kinds: (name, a length).
KINDS = {
    "exponential": lambda rng: int(rng.expovariate(1 / 200)) + 1,
    "lognormal": lambda rng: int(rng.lognormvariate(5, 1)) + 1,
    "two kinds": lambda rng: rng.choice([1, 2, 2, 900]),
    "normal": lambda rng: max(1, int(rng.gauss(200, 20))),
    "a class": lambda rng: rng.choice([1, 1, 1, 2, 3]),
}


def test_8_of_10_sums_lie_between():
    """The calibration of ``likely``: over all kinds and sizes 75 to 87 %, for none below 60 %."""
    rng, shares = random.Random(7), []
    for size in (20, 50, 200):
        for times in (2, 20, 200):
            for kind, draw in KINDS.items():
                hits = 0
                for _ in range(60):
                    low, high = Lengths.of([draw(rng) for _ in range(size)]).between(times, cap=None)
                    hits += low <= sum(draw(rng) for _ in range(times)) <= high
                shares.append((hits / 60, kind, size, times))
    mean = sum(share for share, *_ in shares) / len(shares)
    print(f"{mean:.1%} of the sums lie between p10 and p90; the worst of {len(shares)}: {min(shares)}")
    assert 0.75 <= mean <= 0.87
    assert min(shares)[0] >= 0.6


def test_one_call_lies_between_the_percentiles_of_the_lengths():
    found = diptych.estimate(CHAT, "gpt-4o", output=list(range(100, 200)))
    prompt = Decimal(8) * Decimal("2.5") / 1_000_000
    assert found.prompt.tokens == 8
    assert found.output.expected == Decimal("149.5")
    assert found.cost.expected == prompt + Decimal("149.5") / 100_000
    assert found.likely == (prompt + Decimal(110) / 100_000, prompt + Decimal(190) / 100_000)
    document = found.to_json()
    assert document["output_tokens"]["expected"] == 149.5
    assert document["likely"] == {"p10": format(found.likely[0], "f"), "p90": format(found.likely[1], "f")}


def test_few_lengths_show_no_spread():
    found = diptych.estimate(CHAT, "gpt-4o", output=[10, 20])
    assert (found.output.expected, found.likely) == (15, None)


def test_a_cap_bounds_what_is_likely():
    body = {"messages": CHAT, "max_tokens": 150, "n": 3}
    found = diptych.estimate(body, "gpt-4o", output=[*range(100, 200)])
    assert found.likely[1] <= found.cost.high
    assert found.output.high == 450
    assert found.output.expected < 450
