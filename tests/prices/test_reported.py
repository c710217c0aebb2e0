"""Counts and prices that were reported wrong, one row each with its right value, and the kind that it stands for.

The numbers of tokens follow from rules that recordings of the real API show (docs/explanation/counting.md); the
amounts are tokens times the vendor's rate.
"""

import base64
import json
import struct
from copy import deepcopy
from decimal import Decimal

import pytest

import diptych
from diptych import Client, TokenError, count, estimate, fit
from diptych.prices import price_usage, why_unpriced
from diptych.testing import Server, raw

HI = {"role": "user", "content": "Hi"}


def schema_body(properties, text="Rate it.", **more):
    schema = {
        "type": "object",
        **more,
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "Score", "strict": True, "schema": schema}}
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], "response_format": wanted}


def tool_body(properties, text="List.", name="save", **more):
    parameters = {"type": "object", "properties": properties, "required": [*properties], **more}
    tool = {"type": "function", "function": {"name": name, "parameters": parameters}}
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], "tools": [tool]}


ROWS_OF = {"type": "array", "description": "All rows", "items": {
    "type": "object", "description": "one row", "properties": {"id": {"type": "string", "description": "Its id"}},
    "required": ["id"],
}}  # fmt: skip
#: A request, its tokens, how sure they are.
COUNTS = {
    "keywords that constrain leave no trace in a schema": (
        schema_body({"score": {"type": "number", "default": 0.5, "minimum": 0.0, "maximum": 1.0}}), 38, "fitted"),
    "a schema is billed as ASCII": (
        schema_body({"a": {"type": "string"}}, "Go.", description="Short \u2014 really short"), 47, "fitted"),
    "the comment on entries stands too": (tool_body({"rows": ROWS_OF}), 56, "fitted"),
    "an open object names its further keys": (
        tool_body({"a": {"type": "string"}}, "Hi", "f", additionalProperties=True), 44, "fitted"),
    "a suffix is billed": (
        {"model": "gpt-3.5-turbo-instruct", "prompt": "def f(", "suffix": "    return x\n", "max_tokens": 20}, 7, "approximate"),
    "a body of Responses counts as in Chat": ({"model": "gpt-5-mini", "input": "Hello there"}, 8, "exact"),
}  # fmt: skip


@pytest.mark.parametrize("row", COUNTS)
def test_a_request_has_its_tokens(row):
    body, tokens, basis = COUNTS[row]
    found = count(body)
    assert (found.tokens, found.basis) == (tokens, basis)


def test_the_same_tokens_without_the_keywords():
    body = COUNTS["keywords that constrain leave no trace in a schema"][0]
    bare = deepcopy(body)
    score = bare["response_format"]["json_schema"]["schema"]["properties"]["score"]
    for keyword in ("default", "minimum", "maximum"):
        del score[keyword]
    assert count(body).tokens == count(bare).tokens


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        ([{"role": 5, "content": "x"}], "$.messages[0].role"),
        ([{"role": "user", "content": 5}], "$.messages[0].content"),
    ],
)
def test_a_malformed_request_is_an_error_with_its_place(messages, path):
    with pytest.raises(TokenError) as caught:
        count({"model": "gpt-4o", "messages": messages})
    assert caught.value.path == path


# estimates ------------------------------------------------------------------------------------


def spoken(seconds):
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", 8000 * seconds
    )
    audio = {"data": base64.b64encode(head + bytes(8000 * seconds)).decode(), "format": "wav"}
    return [{"role": "user", "content": [{"type": "input_audio", "input_audio": audio}]}]


def test_a_minute_of_audio_never_costs_more_than_high():
    cost = estimate({"model": "gpt-audio", "messages": spoken(60), "max_tokens": 1}).cost
    assert cost.low <= cost.expected <= cost.high
    assert cost.expected >= 600 * Decimal(32) / 10**6


def test_a_spoken_answer_may_cost_the_rate_of_audio():
    body = {"model": "gpt-audio", "messages": [HI], "modalities": ["text", "audio"], "max_tokens": 1000}
    assert estimate(body).cost.high >= 1000 * Decimal(64) / 10**6


def test_negative_output_is_refused():
    with pytest.raises(TokenError, match="output is -5"):
        estimate([HI], "gpt-4o", output=-5)


def test_an_embedding_costs_its_tokens():
    assert estimate("Hello there", "text-embedding-3-small").cost.expected == 2 * Decimal("0.02") / 10**6


# usage ----------------------------------------------------------------------------------------

#: A model, a reported usage and its price; None where it is not understood.
USAGES = {
    "a total alone": ("gpt-4o", {"total_tokens": 1000}, None),
    "Gemini": ("gemini-2.5-flash", {"promptTokenCount": 1000, "candidatesTokenCount": 1000}, "0.0028"),
}


@pytest.mark.parametrize("row", USAGES)
def test_a_usage_has_its_price_or_a_reason(row):
    model, usage, usd = USAGES[row]
    assert price_usage(model, usage) == (None if usd is None else Decimal(usd))
    assert (why_unpriced(model, usage) is None) == (usd is not None)


#: A model, the tier of the answer, its usage, USD, and a budget that must not let it pass.
SENT = {
    "priority": ("gpt-5-mini", "priority", {"prompt_tokens": 10_008, "completion_tokens": 100}, "0.00486360", "0.0028"),
    "cache write": ("gpt-5.6-sol", None, {"prompt_tokens": 10_007, "completion_tokens": 100,
                    "prompt_tokens_details": {"cache_write_tokens": 10_007}}, "0.052035", "0.0425"),
}  # fmt: skip


@pytest.mark.parametrize("row", SENT)
def test_a_call_costs_the_tier_and_the_cache_that_were_billed(row):
    model, tier, usage, usd, budget = SENT[row]
    usage = {**usage, "total_tokens": usage["prompt_tokens"] + usage["completion_tokens"]}
    body = {"id": "c", "object": "chat.completion", "model": model, "usage": usage, "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}]}  # fmt: skip
    sent = json.dumps(body | ({"service_tier": tier} if tier else {}))
    talk = [{"role": "user", "content": "word " * 10_000}]
    asked = {"service_tier": tier} if tier else {}
    with Server() as server, Client(server.base_url) as client:
        server.next(
            raw(
                f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(sent)}\r\n\r\n{sent}".encode()
            )
        )
        assert client.send(talk, model=model, max_completion_tokens=100, **asked).cost == Decimal(usd)
    reserved = diptych.Budget(usd=Decimal(budget))
    with (
        Server() as server,
        Client(server.base_url, budget=reserved) as client,
        pytest.raises(diptych.BudgetExceeded),
    ):
        client.send(talk, model=model, max_completion_tokens=100, **asked)


# fitting --------------------------------------------------------------------------------------


def test_a_talk_can_start_on_a_turn_of_the_user():
    talk = [{"role": "user", "content": "a " * 50}, {"role": "assistant", "content": "b " * 5}, HI]
    assert [message["role"] for message in fit(talk, "gpt-4o", limit=45).messages] == ["assistant", "user"]
    assert [message["role"] for message in fit(talk, "gpt-4o", limit=45, start_on="user").messages] == ["user"]


def test_the_limit_of_the_input_is_kept():
    talk = [{"role": "user", "content": "word " * 8_000} for _ in range(40)]
    assert count(talk, "gpt-5").tokens > 319_000
    found = fit(talk, "gpt-5")
    assert found.dropped
    assert count(list(found.messages), "gpt-5").tokens <= 272_000


def test_no_more_is_dropped_than_is_asked_for():
    talk = [{"role": "user", "content": "word " * 100} for _ in range(100)]
    assert len(fit(talk, "gpt-4o", limit=count(talk, "gpt-4o").tokens - 1, step=1).dropped) == 1
