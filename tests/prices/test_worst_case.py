"""A budget holds: no usage within the bounds costs more than what was reserved, in any tier, cached or not."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import diptych
from diptych import convert_stream, prices
from diptych.prices import price_usage, worst_cost
from diptych.tokens import Item, TokenCount

MODELS = [
    "gpt-4o",
    "gpt-5-mini",
    "gpt-5.4",
    "gpt-5.6-sol",
    "gpt-4.1",
    "claude-sonnet-4-5",
    "gemini-2.5-flash",
    "gpt-audio",
]
TIERS = [None, "default", "flex", "priority", "fast"]


def counted(tokens, model, audio=0):
    items = (Item("$", "given", tokens - audio), Item("$", "audio", audio))
    return TokenCount(tokens, "exact", items, None, tokens, tokens, model)


@given(
    st.sampled_from(MODELS), st.sampled_from(TIERS), st.integers(1, 400_000), st.integers(0, 30_000),
    st.floats(0, 1), st.floats(0, 1), st.booleans(),
)  # fmt: skip
def test_no_usage_costs_more_than_was_reserved(model, tier, prompt, output, cached, written, spoken):
    body = {"service_tier": tier, "modalities": ["text", "audio"] if spoken else ["text"]}
    if model.startswith("claude"):
        body["messages"] = [
            {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]}
        ]
    worst = worst_cost(counted(prompt, model), output=output, body=body, model=model)
    assume(worst is not None)
    hit = int(prompt * cached)
    write = (
        int((prompt - hit) * written)
        if prices.default().find(model).rates().has("cache_write") and prompt >= 1024
        else 0
    )
    usage = {
        "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": hit, "cache_write_tokens": write},
        "completion_tokens_details": {"reasoning_tokens": output // 2, "audio_tokens": output // 3 if spoken else 0},
    }  # fmt: skip
    paid = price_usage(model, usage, service_tier=tier)
    assert paid is None or paid <= worst


@given(st.integers(1, 20_000), st.integers(0, 5_000))
def test_audio_is_reserved_at_its_own_rate(audio, output):
    usage = {
        "prompt_tokens": audio, "completion_tokens": output,
        "prompt_tokens_details": {"audio_tokens": audio}, "completion_tokens_details": {"audio_tokens": output},
    }  # fmt: skip
    worst = worst_cost(
        counted(audio, "gpt-audio", audio), output=output, body={"modalities": ["audio"]}, model="gpt-audio"
    )
    assert price_usage("gpt-audio", usage) <= worst


def test_an_unknown_tier_has_no_price():
    assert worst_cost(counted(10, "gpt-4-32k"), output=1, body={"service_tier": "flex"}, model="gpt-4-32k") is None


def test_a_marked_hour_pays_for_an_hour():
    talk = [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"ttl": "1h"}}]}]
    bodies = [{"messages": talk}, {"messages": []}]
    dear, plain = (
        worst_cost(counted(1000, "claude-sonnet-4-5"), output=0, body=body, model="claude-sonnet-4-5")
        for body in bodies
    )
    assert (dear, plain) == (Decimal("0.006"), Decimal("0.003"))


#: The public cases in which other libraries billed tokens twice, or at a wrong rate: model, usage, tier, USD.
BILLED_ONCE = {
    "priority cache write": ("gpt-5.6-sol", {"prompt_tokens": 2000, "completion_tokens": 0,
        "prompt_tokens_details": {"cache_write_tokens": 2000}}, "priority"),
    "flex cache write": ("gpt-5.6-sol", {"prompt_tokens": 2000, "completion_tokens": 0,
        "prompt_tokens_details": {"cache_write_tokens": 2000}}, "flex"),
    "flex cached": ("gpt-5-mini", {"prompt_tokens": 2000, "completion_tokens": 0,
        "prompt_tokens_details": {"cached_tokens": 1920}}, "flex"),
    "cached inside input": ("gpt-4o", {"prompt_tokens": 2000, "completion_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 1920}}, None),
    "reasoning inside output": ("gpt-5", {"prompt_tokens": 10, "completion_tokens": 100, "total_tokens": 110,
        "completion_tokens_details": {"reasoning_tokens": 90}}, None),
    "both lifetimes of the cache": ("claude-sonnet-4-5", {"input_tokens": 10, "output_tokens": 0,
        "cache_creation_input_tokens": 300, "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}}, None),
}  # fmt: skip
WORTH = {
    "priority cache write": lambda rate: 2000 * rate("cache_write"),
    "flex cache write": lambda rate: 2000 * rate("cache_write"),
    "flex cached": lambda rate: 80 * rate("input") + 1920 * rate("cached"),
    "cached inside input": lambda rate: 80 * rate("input") + 1920 * rate("cached") + 10 * rate("output"),
    "reasoning inside output": lambda rate: 10 * rate("input") + 100 * rate("output"),
    "both lifetimes of the cache": lambda rate: (
        10 * rate("input") + 100 * rate("cache_write") + 200 * rate("cache_write_1h")
    ),
}


@pytest.mark.parametrize("case", BILLED_ONCE)
def test_tokens_are_billed_once_at_their_rate(case):
    model, usage, tier = BILLED_ONCE[case]
    rates = prices.default().find(model).rates(tier)
    assert price_usage(model, usage, service_tier=tier) == WORTH[case](rates.at) / 1_000_000


#: A stream that repeats its usage with every chunk, as it grows, by API; the last one is what is billed.
USAGES = [{"prompt_tokens": 2000, "completion_tokens": n, "total_tokens": 2000 + n} for n in (1, 2, 3)]
REPEATED = {
    "chat": [
        {"object": "chat.completion.chunk", "model": "gpt-4o", "usage": usage, "choices": [
            {"index": 0, "delta": {"content": "a"}, "finish_reason": "stop" if usage is USAGES[-1] else None}]}
        for usage in USAGES
    ],
    "gemini": [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}, "index": 0}
                        | ({"finishReason": "STOP"} if n == 3 else {})],
         "usageMetadata": {"promptTokenCount": 2000, "candidatesTokenCount": n, "totalTokenCount": 2000 + n}}
        for n in (1, 2, 3)
    ],
    "anthropic": [
        {"type": "message_start", "message": {"type": "message", "role": "assistant", "content": [], "model": "m",
         "id": "x", "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 2000, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "aaa"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"input_tokens": 2000, "output_tokens": 3}},
        {"type": "message_stop"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("api", REPEATED)
def test_a_usage_that_every_chunk_repeats_is_billed_once(api):
    chunks = list(convert_stream(REPEATED[api], source=api, to="chat", on_loss="ignore"))
    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    assert price_usage("gpt-4o", usages[-1]) == price_usage("gpt-4o", USAGES[-1])


def test_cached_audio_pays_its_own_rate_or_has_no_price():
    usage = {
        "prompt_tokens": 100, "completion_tokens": 0,
        "prompt_tokens_details": {"audio_tokens": 60, "cached_tokens": 40, "cached_tokens_details": {"audio_tokens": 40}},
    }  # fmt: skip
    rates = prices.default().find("gpt-realtime").rates()
    worth = 40 * rates.at("input") + 20 * rates.at("input_audio") + 40 * rates.at("cached_audio")
    assert price_usage("gpt-realtime", usage) == worth / 1_000_000


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}, "gpt-4o"),
        ({"input": "Hi", "max_output_tokens": 5}, "gpt-4o"),
        ({"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 5}}, "gemini-2.5-flash"),
        ({"prompt": "Hi", "max_tokens": 5}, "gpt-3.5-turbo-instruct"),
    ],
)
def test_the_cap_of_every_api_bounds_the_output(body, name):
    assert diptych.estimate(body, name).output.high == 5


def test_an_embedding_costs_its_input():
    found = diptych.estimate({"model": "text-embedding-3-small", "input": ["Hello there", "Hi"]})
    assert found.cost.expected == found.cost.high == Decimal("0.02") * found.prompt.tokens / 1_000_000


def test_a_given_count_is_priced():
    assert diptych.estimate([], "gpt-4o", tokens=1000, output=0).cost.expected == Decimal("0.0025")


def test_what_is_billed_beside_the_tokens_is_named():
    body = {"model": "gpt-5", "input": "Hi", "tools": [{"type": "web_search"}]}
    assert "web search" in diptych.estimate(body).to_json()["not_included"][0]
