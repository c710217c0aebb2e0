"""The price of a reported usage, API by API; what is not understood is None with a reason, never 0."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych import prices
from diptych.prices import price_usage, why_unpriced
from diptych.prices.dialects import _DIALECTS, read_usage

NAMES = [row.name for row in prices.list_models()]
#: Rates with which every kind of token shows in the price.
OWN = prices.Overrides(
    {
        "all": {
            "input": 1, "cached": "0.1", "cache_write": "1.25", "cache_write_1h": 2, "output": 10,
            "input_audio": 100, "cached_audio": 50, "output_audio": 1000, "input_image": 7, "cached_image": 3,
            "output_image": 70,
        },
        "text": {"input": 1, "output": 10},
    }
)  # fmt: skip


def price(usage, model="all"):
    """The price in USD per million tokens, for numbers that can be checked by eye."""
    found = price_usage(model, usage, book=OWN)
    return None if found is None else found * 1_000_000


# every API by its own rule ---------------------------------------------------------------

CHAT = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
RESPONSES = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
ANTHROPIC = {"input_tokens": 100, "output_tokens": 20}
GEMINI = {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}
BEDROCK = {"inputTokens": 100, "outputTokens": 20, "totalTokens": 120}
PRICED = {
    "chat": (CHAT, 300),
    "chat-null-details": ({**CHAT, "prompt_tokens_details": None, "completion_tokens_details": {}}, 300),
    "chat-cached": ({**CHAT, "prompt_tokens_details": {"cached_tokens": 40}}, 60 + 4 + 200),
    "chat-cached-beside": ({**CHAT, "cached_tokens": 40}, 60 + 4 + 200),
    "chat-cache-write": ({**CHAT, "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 20}}, 40 + 4 + 25 + 200),
    "chat-audio": ({**CHAT, "prompt_tokens_details": {"audio_tokens": 10}, "completion_tokens_details": {"audio_tokens": 5}}, 90 + 1000 + 150 + 5000),
    "chat-image-out": ({**CHAT, "completion_tokens_details": {"image_tokens": 5}}, 100 + 150 + 350),
    "chat-reasoning-inside": ({**CHAT, "completion_tokens_details": {"reasoning_tokens": 20}}, 300),
    "chat-prediction": ({**CHAT, "completion_tokens_details": {"accepted_prediction_tokens": 3, "rejected_prediction_tokens": 2}}, 300),
    "deepseek": ({**CHAT, "prompt_cache_hit_tokens": 40, "prompt_cache_miss_tokens": 60}, 60 + 4 + 200),
    "xai-reasoning-beside": ({**CHAT, "total_tokens": 214, "completion_tokens_details": {"reasoning_tokens": 94}}, 100 + 1140),
    "xai-reasoning-beside-no-total": ({"prompt_tokens": 100, "completion_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 94}}, 100 + 1140),
    "litellm": ({**CHAT, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40, "cache_creation_tokens": 20}}, 40 + 4 + 25 + 200),
    "litellm-1h": ({**CHAT, "prompt_tokens_details": {"cache_creation_tokens": 20, "cache_creation_token_details": {"ephemeral_1h_input_tokens": 20}}}, 80 + 40 + 200),
    "groq-times": ({**CHAT, "queue_time": 0.01, "total_time": 1.5}, 300),
    "openrouter-cost": ({**CHAT, "cost": 0.01, "is_byok": False}, 300),
    "zeros-of-a-second-api": ({**CHAT, "input_tokens": 0, "output_tokens": 0, "input_tokens_details": None}, 300),
    "the-same-in-two-apis": ({**CHAT, "input_tokens": 100, "output_tokens": 20}, 300),
    "embedding": ({"prompt_tokens": 100, "total_tokens": 100}, 100),
    "responses": (RESPONSES, 300),
    "responses-cached": ({**RESPONSES, "input_tokens_details": {"cached_tokens": 40}, "output_tokens_details": {"reasoning_tokens": 10}}, 60 + 4 + 200),
    "realtime": ({**RESPONSES, "input_token_details": {"text_tokens": 40, "audio_tokens": 60, "cached_tokens": 50, "cached_tokens_details": {"text_tokens": 20, "audio_tokens": 30}}, "output_token_details": {"audio_tokens": 20}}, 20 + 2 + 3000 + 1500 + 20_000),
    "transcription": ({"type": "tokens", **RESPONSES, "input_token_details": {"audio_tokens": 100, "text_tokens": 0}}, 10_000 + 200),
    "anthropic": ({**ANTHROPIC, "service_tier": "standard"}, 300),
    "anthropic-zeros": ({**ANTHROPIC, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, "server_tool_use": {"web_search_requests": 0}}, 300),
    "anthropic-read": ({**ANTHROPIC, "cache_read_input_tokens": 1000}, 100 + 100 + 200),
    "anthropic-write": ({**ANTHROPIC, "cache_creation_input_tokens": 1000}, 100 + 1250 + 200),
    "anthropic-write-1h": ({**ANTHROPIC, "cache_creation_input_tokens": 1000, "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600}}, 100 + 500 + 1200 + 200),
    "gemini": (GEMINI, 300),
    "gemini-thoughts": ({**GEMINI, "totalTokenCount": 170, "thoughtsTokenCount": 50}, 100 + 700),
    "gemini-thoughts-inside": ({**GEMINI, "thoughtsTokenCount": 5}, 300),
    "gemini-cached": ({**GEMINI, "cachedContentTokenCount": 40}, 60 + 4 + 200),
    "gemini-tool": ({**GEMINI, "totalTokenCount": 130, "toolUsePromptTokenCount": 10}, 110 + 200),
    "gemini-audio": ({**GEMINI, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 40}, {"modality": "AUDIO", "tokenCount": 60}]}, 40 + 6000 + 200),
    "gemini-cached-audio": ({**GEMINI, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 60}], "cachedContentTokenCount": 30, "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 30}]}, 40 + 3000 + 1500 + 200),
    "gemini-snake": ({"prompt_token_count": 100, "candidates_token_count": 20, "total_token_count": 120, "cached_content_token_count": None}, 300),
    "gemini-no-answer": ({"promptTokenCount": 100, "totalTokenCount": 100}, 100),
    "gemini-live": ({"promptTokenCount": 100, "responseTokenCount": 20, "totalTokenCount": 120}, 300),
    "bedrock": (BEDROCK, 300),
    "bedrock-cache": ({**BEDROCK, "totalTokens": 1130, "cacheReadInputTokens": 1000, "cacheWriteInputTokens": 10}, 100 + 100 + 12.5 + 200),
    "bedrock-cache-total-without": ({**BEDROCK, "cacheReadInputTokens": 1000}, 100 + 100 + 200),
    "bedrock-1h": ({**BEDROCK, "cacheWriteInputTokens": 10, "cacheDetails": [{"ttl": "1h", "inputTokens": 10}]}, 100 + 20 + 200),
    "bedrock-invoke": ({"inputTokenCount": 100, "outputTokenCount": 20, "cacheReadInputTokenCount": 1000}, 100 + 100 + 200),
    "ollama": ({"prompt_eval_count": 100, "eval_count": 20, "eval_duration": 5}, 300),
}  # fmt: skip


@pytest.mark.parametrize("name", PRICED)
def test_each_api_is_read_by_its_own_rule(name):
    usage, expected = PRICED[name]
    assert price(usage) == Decimal(str(expected))
    assert why_unpriced("all", usage, book=OWN) is None


@pytest.mark.parametrize("dialect", _DIALECTS, ids=[dialect.before[0] for dialect in _DIALECTS])
def test_every_api_of_the_table_prices_its_own_fields(dialect):
    for before in dialect.before:
        for after in dialect.after:
            assert price({before: 100, after: 20}) == 300
            assert price({before: 0, after: 0}) == 0
            assert price({after: 20}) is None, "the prompt is unknown"
            assert price({before: 100}) is None, "the output is unknown"


# what is not understood ------------------------------------------------------------------

UNPRICED = {
    "empty": ({}, "no field"),
    "total-only": ({"total_tokens": 1000}, "total_tokens"),
    "foreign": ({"tokens_in": 3, "tokens_out": 4}, "tokens_in"),
    "a-list": ([1, 2], "not an object"),
    "null": (None, "not an object"),
    "nulls": ({"prompt_tokens": None, "completion_tokens": None}, "known token fields"),
    "seconds": ({"type": "duration", "seconds": 9}, "known token fields"),
    "unknown-beside": ({**CHAT, "thinking_tokens": 50}, "thinking_tokens"),
    "unknown-inside": ({**CHAT, "prompt_tokens_details": {"smell_tokens": 50}}, "smell_tokens"),
    "negative": ({"prompt_tokens": -1, "completion_tokens": 5}, "negative"),
    "float": ({"prompt_tokens": 1.0, "completion_tokens": 5}, "whole number"),
    "nan": ({"prompt_tokens": math.nan, "completion_tokens": 5}, "whole number"),
    "bool": ({"prompt_tokens": True, "completion_tokens": 5}, "true or false"),
    "text": ({"prompt_tokens": "10", "completion_tokens": 5}, "a string"),
    "huge": ({"prompt_tokens": 10**30, "completion_tokens": 5}, "too large"),
    "negative-cached": ({**CHAT, "prompt_tokens_details": {"cached_tokens": -4}}, "$.prompt_tokens_details.cached_tokens"),
    "details-no-object": ({**CHAT, "prompt_tokens_details": 4}, "$.prompt_tokens_details"),
    "cached-over-prompt": ({**CHAT, "prompt_tokens_details": {"cached_tokens": 400}}, "more than its 100"),
    "audio-over-output": ({**CHAT, "completion_tokens_details": {"audio_tokens": 21}}, "more than its 20"),
    "reasoning-over-output": ({**CHAT, "completion_tokens_details": {"reasoning_tokens": 21}}, "reasoning"),
    "total-too-large": ({**CHAT, "total_tokens": 150}, "total_tokens is 150"),
    "total-too-small": ({**CHAT, "total_tokens": 90}, "total_tokens is 90"),
    "two-apis": ({**CHAT, "input_tokens": 7, "output_tokens": 20}, "two APIs"),
    "cached-twice": ({**CHAT, "cached_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}, "twice"),
    "deepseek-miss": ({**CHAT, "prompt_cache_hit_tokens": 40, "prompt_cache_miss_tokens": 40}, "missed"),
    "cache-beside-chat": ({**CHAT, "cache_read_input_tokens": 1000}, "cannot determine"),
    "anthropic-or-responses": ({**RESPONSES, "cache_read_input_tokens": 9, "input_tokens_details": {"cached_tokens": 9}}, "cannot determine"),
    "anthropic-writes": ({**ANTHROPIC, "cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_5m_input_tokens": 4}}, "add up"),
    "anthropic-delta": ({"output_tokens": 15}, "prompt"),
    "anthropic-search": ({**ANTHROPIC, "server_tool_use": {"web_search_requests": 2}}, "web_search_requests"),
    "anthropic-region": ({**ANTHROPIC, "inference_geo": "us"}, "region"),
    "anthropic-rounds": ({**ANTHROPIC, "iterations": [{}, {}]}, "iterations"),
    "anthropic-tier": ({**ANTHROPIC, "service_tier": "priority"}, "no priority price"),
    "xai-sources": ({**CHAT, "num_sources_used": 3}, "num_sources_used"),
    "gemini-total": ({**GEMINI, "totalTokenCount": 500}, "500"),
    "gemini-modality": ({**GEMINI, "promptTokensDetails": [{"modality": "SMELL", "tokenCount": 4}]}, "modality"),
    "gemini-rented": ({**GEMINI, "trafficType": "PROVISIONED_THROUGHPUT"}, "traffic"),
    "bedrock-total": ({**BEDROCK, "totalTokens": 500}, "total_tokens"),
    "cached-audio-or-text": ({**CHAT, "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 50}}, "which of text, audio"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNPRICED)
def test_what_is_not_understood_has_no_price_and_a_reason(name):
    usage, reason = UNPRICED[name]
    assert price(usage) is None
    assert reason in why_unpriced("all", usage, book=OWN)
    residual = diptych.estimate("Hi", "gpt-4o-mini").reconcile(usage)
    if name not in ("anthropic-tier", "cached-audio-or-text"):
        assert (residual.prompt, residual.output, residual.cost, residual.is_within) == (None, None, None, None)
        assert reason in residual.to_json()["reason"]


def test_audio_without_an_audio_rate_has_no_price():
    usage = {**CHAT, "prompt_tokens_details": {"audio_tokens": 90}}
    assert price(usage, "text") is None
    assert "no input_audio rate is known for 'text'" in why_unpriced("text", usage, book=OWN)
    assert price({**CHAT, "completion_tokens_details": {"audio_tokens": 1}}, "text") is None
    assert price_usage("gpt-4o", usage) is None
    # images are billed as text where the model has no rate for them
    assert price({**CHAT, "prompt_tokens_details": {"image_tokens": 90, "cached_tokens": 50}}, "text") == 300


def test_anthropic_has_factors_where_a_price_has_no_rate_for_the_cache():
    usage = {**ANTHROPIC, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 100}
    assert price(usage, "text") == 100 + 10 + 125 + 200
    hour = {**usage, "cache_creation": {"ephemeral_1h_input_tokens": 100}}
    assert price(hour, "text") == 100 + 10 + 200 + 200
    # an hour in the cache costs twice the input rate, in the snapshot too
    assert price_usage("claude-haiku-4-5", {**ANTHROPIC, "cache_creation": {"ephemeral_1h_input_tokens": 10**6}}) > 2


def test_real_models():
    assert price_usage(
        "claude-haiku-4-5",
        {"input_tokens": 9, "output_tokens": 10, "cache_read_input_tokens": 17102, "cache_creation_input_tokens": 0},
    ) == Decimal("0.0017692")
    assert price_usage(
        "grok-4",
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
    ) == Decimal("0.001641")
    assert price_usage("gemini-2.5-flash", {"promptTokenCount": 1000, "candidatesTokenCount": 1000}) == Decimal(
        "0.0028"
    )


def test_an_unknown_model_and_tier_have_reasons():
    assert why_unpriced("no-such-model", CHAT) == "no price is known for 'no-such-model'"
    assert "no flex price" in why_unpriced("gpt-4o-mini", CHAT, service_tier="flex")
    assert why_unpriced(None, CHAT) == "the model is unknown"
    assert why_unpriced("gpt-4o-mini", CHAT) is None


# laws ------------------------------------------------------------------------------------

COUNT = st.integers(0, 300_000)


@given(st.sampled_from(NAMES), st.sampled_from(_DIALECTS), COUNT, COUNT, COUNT)
def test_more_tokens_never_cost_less(model, dialect, before, after, more):
    first, second = dialect.before[0], dialect.after[0]
    base = price_usage(model, {first: before, second: after})
    for dearer in ({first: before + more, second: after}, {first: before, second: after + more}):
        found = price_usage(model, dearer)
        if base is None or found is None:
            assert why_unpriced(model, dearer) or why_unpriced(model, {first: before, second: after})
        else:
            assert 0 <= base <= found


@given(st.sampled_from(NAMES), COUNT, COUNT, COUNT, COUNT, st.integers(0, 3), COUNT)
def test_more_tokens_of_the_cache_never_cost_less_beside_the_prompt(model, fresh, out, read, written, at, more):
    numbers = [fresh, out, read, written]
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    camel = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    for fields in (names, camel):
        base = price_usage(model, dict(zip(fields, numbers, strict=True)))
        grown = [n + more * (i == at) for i, n in enumerate(numbers)]
        found = price_usage(model, dict(zip(fields, grown, strict=True)))
        assert base is None or found is None or 0 <= base <= found


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_cached_tokens_are_a_part_of_the_prompt(prompt, output, cached):
    usage = {"prompt_tokens": prompt, "completion_tokens": output, "prompt_tokens_details": {"cached_tokens": cached}}
    found = price_usage("gpt-4o-mini", usage)
    if cached > prompt:
        assert found is None
    else:
        assert sum(read_usage(usage).splits[0].values()) == prompt + output
        assert 0 <= found <= price_usage("gpt-4o-mini", {"prompt_tokens": prompt, "completion_tokens": output})


FIELDS = sorted(
    {name for dialect in _DIALECTS for name in dialect.fields}
    | {"modality", "tokenCount", "ttl", "service_tier", "speed", "usage"}
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(0, 50) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(
    st.sampled_from(["gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash", "gpt-audio", "none"]),
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), JUNK, max_size=6) | JUNK,
)
def test_any_object_has_a_price_or_a_reason(model, usage):
    found, reason = price_usage(model, usage), why_unpriced(model, usage)
    assert (found is None) == (reason is not None)
    assert found is None or (isinstance(found, Decimal) and found >= 0)
    diptych.estimate("Hi", "gpt-4o-mini").reconcile(usage)
