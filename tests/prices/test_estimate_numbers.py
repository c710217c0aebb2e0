"""Numbers that an estimate takes: whole, not negative, never more cached than sent; audio at its own rate."""

import base64
import math
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.errors import TokenError

CHAT = [{"role": "user", "content": "Hi"}]
BAD = [-5, -1, True, 1.5, math.nan, math.inf, "5", [5], {}]


@pytest.mark.parametrize("value", BAD, ids=repr)
@pytest.mark.parametrize("name", ["output", "cached"])
def test_an_argument_is_a_whole_number_of_at_least_0(name, value):
    if (name, value) == ("output", [5]):
        value = [5, "5"]  # several lengths may be given
    for model in ("gpt-4o", "no-such-model"):
        with pytest.raises(TokenError, match=f"^{name} is .*; expected a whole number of at least 0"):
            diptych.estimate(CHAT, model, **{name: value})


@pytest.mark.parametrize("value", BAD, ids=repr)
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "n", "best_of"])
def test_a_number_of_a_body_is_whole_and_not_negative(name, value):
    with pytest.raises(TokenError) as caught:
        diptych.estimate({"model": "gpt-4o", "messages": CHAT, name: value})
    assert caught.value.path == f"$.{name}"


def test_no_answer_at_all_is_refused_and_null_is_the_default():
    for name in ("n", "best_of"):
        with pytest.raises(TokenError, match="at least 1"):
            diptych.estimate({"messages": CHAT, name: 0})
    body = {"messages": CHAT, "max_tokens": None, "max_completion_tokens": None, "n": None}
    assert diptych.estimate(body) == diptych.estimate({"messages": CHAT})
    assert diptych.estimate({**body, "max_tokens": 0}).output == (0, 0, 0)


def test_no_more_is_cached_than_the_prompt_has():
    assert diptych.estimate(CHAT, "gpt-4o", cached=8).cost.expected > 0
    with pytest.raises(TokenError, match="cached is 9, but the prompt has 8 tokens"):
        diptych.estimate(CHAT, "gpt-4o", cached=9)


def test_a_service_tier_is_a_string():
    with pytest.raises(TokenError) as caught:
        diptych.estimate({"messages": CHAT, "service_tier": 5})
    assert caught.value.path == "$.service_tier"


def test_audio_pays_the_rate_of_audio_or_has_no_price():
    data = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", 480_000)
    audio = base64.b64encode(data + bytes(480_000)).decode()
    talk = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": audio, "format": "wav"}}]}]
    body = {"messages": talk, "max_tokens": 1}
    priced = diptych.estimate(body, "gpt-audio")
    assert Decimal("0.01") < priced.cost.expected <= priced.cost.high
    unpriced = diptych.estimate(body, "gpt-4o")
    assert unpriced.cost is None
    assert "lacks a rate" in unpriced.reason


def test_a_spoken_answer_pays_the_rate_of_audio():
    body = {"messages": CHAT, "max_tokens": 1000, "modalities": ["text", "audio"]}
    assert diptych.estimate(body, "gpt-audio").cost.high > 1000 * Decimal(64) / 10**6
    assert diptych.estimate(body, "gpt-4o").cost is None


@given(st.integers(0, 10**6), st.integers(0, 50), st.integers(0, 10**6), st.integers(1, 5))
def test_what_is_taken_has_no_negative_cost_and_keeps_its_order(output, cached, cap, n):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "word " * 60}], "max_tokens": cap, "n": n}
    cost = diptych.estimate(body, output=output, cached=cached).cost
    assert 0 <= cost.low <= cost.expected <= cost.high
