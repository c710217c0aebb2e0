"""A budget keeps what it reserved whenever the true cost of a call is unknown."""

import asyncio
import json
from decimal import Decimal

import pytest

import diptych
from diptych import AsyncClient, Budget, Client
from diptych.client import Retries
from diptych.client.costs import Usage, settle_usage
from diptych.client.requests import ask
from diptych.response import ResponseChoice
from diptych.testing import Server, cut, hang, raw, reset, status

CHAT = [{"role": "user", "content": "one two three"}]
#: Models: with a price and no tokenizer, with both, with both and hidden reasoning.
BLIND, SEEN, REASONING = "claude-sonnet-4-5", "gpt-4o-mini", "gpt-5-mini"


@pytest.fixture
def server():
    with Server() as running:
        yield running


def reply(usage=..., message=None, reasons=("stop",)):
    message = message or {"role": "assistant", "content": "four five six"}
    choices = [{"index": i, "message": message, "finish_reason": reason} for i, reason in enumerate(reasons)]
    return {"choices": choices, **({} if usage is ... else {"usage": usage})}


def events(*chunks, done=True):
    data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + ("data: [DONE]\n\n" if done else "")
    return raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + data.encode())


def chunk(text, reason=None, **more):
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}], **more}


def worst(model, **params):
    """Return what one call reserves."""
    budget = Budget(usd=1, tokens=10**6)
    with Server() as server, Client(server.base_url, budget=budget, retries=0) as client:
        server.next(reset())
        with pytest.raises(diptych.ConnectionFailed):
            client.send(CHAT, model=model, max_tokens=50, **params)
    return budget.spent_usd, budget.spent_tokens


@pytest.fixture(scope="module")
def reserved():
    return {model: worst(model) for model in (BLIND, SEEN, REASONING)}


def spent(driver, server, fault, model, *, stream=False, retries=0):
    """Return the budget after one call that meets a fault, and what came of it."""
    budget = Budget(usd=1, tokens=10**6)
    server.next(fault)
    try:
        outcome = driver(server.base_url, budget, model, stream, retries)
    except diptych.DiptychError as error:
        outcome = error
    assert (budget.reserved_usd, budget.reserved_tokens) == (0, 0)
    return budget, outcome


def blocking(url, budget, model, stream, retries):
    with Client(url, budget=budget, retries=retries, timeout=300) as client:
        if not stream:
            return client.send(CHAT, model=model, max_tokens=50)
        with client.stream(CHAT, model=model, max_tokens=50) as deltas:
            list(deltas)
            return deltas.reply


def awaited(url, budget, model, stream, retries):
    async def run():
        async with AsyncClient(url, budget=budget, retries=retries, timeout=300) as client:
            if not stream:
                return await client.send(CHAT, model=model, max_tokens=50)
            async with client.stream(CHAT, model=model, max_tokens=50) as deltas:
                async for _ in deltas:
                    pass
                return deltas.reply

    return asyncio.run(run())


both = pytest.mark.parametrize("driver", [blocking, awaited])

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
#: An answer whose true cost nobody knows: the model and what the server sends.
UNKNOWN = {
    "no usage": (BLIND, status(200, body=reply())),
    "usage is null": (BLIND, status(200, body=reply(None))),
    "usage is empty": (BLIND, status(200, body=reply({}))),
    "usage of other names": (BLIND, status(200, body=reply({"input": 9, "output": 3}))),
    "usage of zeros": (BLIND, status(200, body=reply({"prompt_tokens": 0, "completion_tokens": 0}))),
    "only the total": (BLIND, status(200, body=reply({"total_tokens": 12}))),
    "only the prompt": (BLIND, status(200, body=reply({"prompt_tokens": 9}))),
    "only the completion": (BLIND, status(200, body=reply({"completion_tokens": 3}))),
    "a prompt of 0": (BLIND, status(200, body=reply({"prompt_tokens": 0, "completion_tokens": 3}))),
    "text of 0 tokens": (BLIND, status(200, body=reply({"prompt_tokens": 9, "completion_tokens": 0}))),
    "numbers as text": (BLIND, status(200, body=reply({"prompt_tokens": "9", "completion_tokens": "3"}))),
    "negative numbers": (BLIND, status(200, body=reply({"prompt_tokens": 9, "completion_tokens": -3}))),
    "a usage of one choice for two": (BLIND, status(200, body=reply({"prompt_tokens": 9, "completion_tokens": 1}, reasons="ab"))),
    "hidden reasoning": (REASONING, status(200, body=reply())),
    "a tool call": (SEEN, status(200, body=reply(message={"role": "assistant", "content": None, "tool_calls": [CALL]}))),
    "an error after the work": (SEEN, status(500)),
    "a gateway that gave up": (SEEN, status(504)),
    "a gateway's broken upstream": (SEEN, status(502, body=b"<html>")),
    "a request timeout": (SEEN, status(408)),
    "an error under status 200": (SEEN, status(200, body={"error": {"message": "upstream died"}})),
    "a 502 under status 200": (SEEN, status(200, body={"error": {"message": "upstream died", "code": 502}})),
    "not JSON": (SEEN, status(200, body=b"<html>")),
    "no choices": (SEEN, status(200, body={"id": "x"})),
    "a connection reset": (SEEN, reset()),
    "half an answer": (SEEN, reset(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")),
}  # fmt: skip


@both
@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_cost_keeps_the_reservation(server, reserved, driver, case):
    model, fault = UNKNOWN[case]
    budget, outcome = spent(driver, server, fault, model)
    assert (budget.spent_usd, budget.spent_tokens) == reserved[model]
    assert budget.possibly_billed == budget.spent_usd > 0
    if isinstance(outcome, diptych.Reply):
        assert outcome.cost is None
    else:
        assert outcome.attempts[-1].possibly_billed


STREAMS = {
    "no usage": (BLIND, events(chunk("four"), chunk("", "stop"))),
    "half a usage": (BLIND, events(chunk("four", "stop"), {"choices": [], "usage": {"prompt_tokens": 9}})),
    "zeros in every chunk": (BLIND, events(chunk("four", "stop", usage={"prompt_tokens": 0, "completion_tokens": 0}))),
    "cut": (SEEN, cut(2)),
    "cut before the end": (SEEN, events(chunk("four"), done=False)),
    "an error within": (SEEN, events(chunk("four"), {"error": {"message": "died"}})),
    "an error at once": (SEEN, events({"error": {"message": "died"}})),
    "not JSON": (SEEN, raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {\n\n")),
    "nothing": (SEEN, events(done=False)),
}


@both
@pytest.mark.parametrize("case", STREAMS)
def test_an_unknown_cost_of_a_stream_keeps_the_reservation(server, reserved, driver, case):
    model, fault = STREAMS[case]
    budget, _ = spent(driver, server, fault, model, stream=True)
    # The stream's own option makes the body, and so the bound of an unknown tokenizer, a little longer.
    assert budget.spent_usd >= reserved[model][0]
    assert budget.spent_tokens >= reserved[model][1]
    assert budget.possibly_billed == budget.spent_usd


KNOWN = {
    "usage": (BLIND, status(200, body=reply({"prompt_tokens": 9, "completion_tokens": 3})), 12),
    "no usage, but a tokenizer": (SEEN, status(200, body=reply()), diptych.count(CHAT, SEEN).tokens + 3),
    "half a usage, but a tokenizer": (
        SEEN, status(200, body=reply({"prompt_tokens": 10})), diptych.count(CHAT, SEEN).tokens + 3,
    ),
    "an empty answer": (
        BLIND, status(200, body=reply({"prompt_tokens": 9, "completion_tokens": 0}, {"role": "assistant", "content": ""})), 9,
    ),
    "refused": (SEEN, status(400), 0),
    "no key": (SEEN, status(401), 0),
    "too many": (SEEN, status(429), 0),
    "not there yet": (SEEN, status(503), 0),
    "overloaded": (SEEN, status(529), 0),
    "too many, in a good answer": (SEEN, status(200, body={"error": {"message": "slow down", "code": 429}}), 0),
}  # fmt: skip


@both
@pytest.mark.parametrize("case", KNOWN)
def test_a_known_cost_takes_the_place_of_the_reservation(server, driver, case):
    model, fault, tokens = KNOWN[case]
    budget, _ = spent(driver, server, fault, model)
    assert (budget.spent_tokens, budget.possibly_billed) == (tokens, 0)
    assert (budget.spent_usd > 0) == (tokens > 0)


def test_a_cancelled_call_keeps_its_reservation(reserved):
    async def run(url, budget):
        async with AsyncClient(url, budget=budget, retries=0) as client:
            task = asyncio.create_task(client.send(CHAT, model=SEEN, max_tokens=50))
            while not server.requests:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    budget = Budget(usd=1, tokens=10**6)
    with Server() as server:
        server.next(hang())
        asyncio.run(run(server.base_url, budget))
    assert (budget.spent_usd, budget.spent_tokens) == reserved[SEEN]


def test_a_stream_that_is_left_keeps_its_reservation(server):
    budget = Budget(usd=1)
    with Client(server.base_url, budget=budget) as client, client.stream(CHAT, model=SEEN, max_tokens=50) as stream:
        next(stream)
    assert budget.possibly_billed == budget.spent_usd > 0


def test_every_attempt_keeps_its_own(server, reserved):
    budget, found = spent(blocking, server, status(500), SEEN, retries=Retries(1, backoff=0))
    assert isinstance(found, diptych.Reply)
    assert budget.possibly_billed == reserved[SEEN][0]
    assert budget.spent_usd == budget.possibly_billed + found.cost


def test_a_gateway_that_gave_up_is_not_asked_twice_where_nothing_may_be_billed_twice(server):
    _, found = spent(blocking, server, status(504), SEEN, retries=Retries(2, backoff=0, ambiguous=False))
    assert isinstance(found, diptych.ApiError)
    assert len(server.requests) == 1


def test_a_kept_reservation_stops_the_next_call(server, reserved):
    """A ledger that forgets would send all twenty."""
    budget = Budget(usd=reserved[BLIND][0] * Decimal("2.5"))
    server.next(*[status(200, body=reply())] * 20)
    with Client(server.base_url, budget=budget) as client:
        found = client.send_many([CHAT] * 20, model=BLIND, max_tokens=50, concurrency=4)
    assert len(server.requests) == 2 == sum(isinstance(one, diptych.Reply) for one in found)


@pytest.mark.parametrize("cap", [-1, -2, "10", 1.5, [], True])
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_cap_that_bounds_nothing_is_none(server, name, cap):
    """llama.cpp and others read -1 as without end."""
    for body in ({"prompt": "Hi"}, {"messages": CHAT}):
        with (
            Client(server.base_url, budget=Budget(tokens=10**6)) as client,
            pytest.raises(diptych.BudgetExceeded) as caught,
        ):
            client.send({"model": SEEN, **body, name: cap})
        assert caught.value.reason == "no output cap"
    assert server.requests == []


def test_a_usage_that_lacks_a_number_prices_nothing():
    asked = ask(CHAT, model=BLIND)
    assert settle_usage(Usage(9, 0), asked, (), count=False) == Usage(9, 0)
    found = ResponseChoice(diptych.Message("assistant", "four"), "stop")
    assert settle_usage(Usage(9, 0), asked, (found,), count=False) is None


@pytest.mark.parametrize("usd", ["much", "nan", -1, "-0.01", float("nan"), ""])
def test_a_limit_that_is_none_is_refused(usd):
    with pytest.raises(diptych.FormatError, match="expected a number"):
        Budget(usd=usd)


def test_a_negative_limit_of_tokens_is_refused():
    with pytest.raises(diptych.FormatError, match="expected a number"):
        Budget(tokens=-1)


#: What is asked for, what the server says of it, and USD: gpt-5-mini in its tiers, gpt-5.6-sol with cache writes.
TIERS = {
    "priority": ("gpt-5-mini", "priority", {"service_tier": "priority"}, {}, "0.00486360"),
    "priority, billed as default": ("gpt-5-mini", "priority", {"service_tier": "default"}, {}, "0.00270200"),
    "flex, tier not stated": ("gpt-5-mini", "flex", {}, {}, "0.00135100"),
    "a cache write": ("gpt-5.6-sol", None, {}, {"prompt_tokens_details": {"cache_write_tokens": 10_008}}, "0.05204"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", TIERS)
def test_the_tier_that_was_billed_is_paid(server, case, stream):
    model, asked, said, details, usd = TIERS[case]
    usage = {"prompt_tokens": 10_008, "completion_tokens": 100, **details}
    talk, budget = [{"role": "user", "content": "a " * 10_000}], Budget(usd=1)
    server.next(events(chunk("x", "stop", **said), {"choices": [], "usage": usage, **said}) if stream
                else status(200, body={**reply(usage), **said}))  # fmt: skip
    with Client(server.base_url, budget=budget, retries=0) as client:
        options = {"model": model, "max_completion_tokens": 100, **({"service_tier": asked} if asked else {})}
        found = client.stream(talk, **options) if stream else client.send(talk, **options)
        if stream:
            with found:
                list(found)
                found = found.reply
    assert found.cost == budget.spent_usd
    assert found.cost == Decimal(usd)


@pytest.mark.parametrize(("model", "tier", "limit"), [
    ("gpt-5-mini", "priority", "0.0028"), ("gpt-5.6-sol", None, "0.0425"),
])  # fmt: skip
def test_the_dearer_tier_is_reserved(server, model, tier, limit):
    talk = [{"role": "user", "content": "a " * 10_000}]
    with Client(server.base_url, budget=Budget(usd=limit)) as client, pytest.raises(diptych.BudgetExceeded):
        client.send(talk, model=model, max_completion_tokens=100, **({"service_tier": tier} if tier else {}))
