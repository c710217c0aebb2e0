"""What the client promises beside the faults: keys, budgets, cassettes, cancellation, processes."""

import asyncio
import gc
import itertools
import json
import logging
import os
import pickle
import random
import threading
import traceback
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import diptych
from diptych import AsyncClient, Budget, Client
from diptych.client import Cassette, RateLimits, Retries, azure_url
from diptych.client.retry import Failure, retry_after, schedule
from diptych.client.sse import Decoder
from diptych.testing import Server, cut, hang, reset, status

KEY = "sk-canary-0123456789abcdef"
CHAT = [{"role": "user", "content": "one two three"}]


@pytest.fixture
def server():
    with Server() as running:
        yield running


# events ---------------------------------------------------------------------------------------

STREAM = ":ping\n\nevent: x\ndata: a\ndata:b\r\n\r\nid: 1\n\ndata: \u2028\U0001f389\r\rdata: last".encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_events_do_not_depend_on_the_chunks(cuts):
    places = [0, *sorted(cuts), len(STREAM)]
    decoder, found = Decoder(), []
    for start, end in itertools.pairwise(places):
        found += decoder.feed(STREAM[start:end])
    found += decoder.finish()
    assert found == [("x", b"a\nb"), ("message", "\u2028\U0001f389".encode()), ("message", b"last")]


def test_a_long_line_comes_in_small_pieces():
    decoder = Decoder()
    assert decoder.feed(b"data: ") == []
    assert not any(decoder.feed(b"x" * 100) for _ in range(30_000))
    assert [len(event.data) for event in decoder.feed(b"\n\n")] == [3_000_000]


# retries ----------------------------------------------------------------------------------------


def waits(failures, retries=5):
    plan = schedule(Retries(retries), random=lambda: 0.0, now=lambda: datetime.now(UTC))
    found = [next(plan)]
    for failure in failures:
        try:
            found.append(plan.send(failure))
        except StopIteration:
            break
    return found


def test_delays_double_up_to_a_ceiling():
    assert waits([Failure(503)] * 6, retries=6) == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "30", "retry-after": "7"}, 0.03),
        ({"retry-after": "Wed, 01 Jan 2025 00:00:30 GMT"}, 30.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after(headers, datetime(2025, 1, 1, tzinfo=UTC)) == seconds


def test_the_server_may_decide():
    assert waits([Failure(400, {"x-should-retry": "true"})]) == [0.0, 0.5]
    assert waits([Failure(503, {"x-should-retry": "false"})]) == [0.0]


# keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["sk-\nx", "sk x", "sk-é", "sk-\x00"])
def test_keys_that_no_header_carries_are_refused_without_being_shown(key):
    with pytest.raises(diptych.ClientError) as caught:
        Client("https://example.com/v1", key)
    assert key not in "".join(traceback.format_exception(caught.value))


def test_white_space_around_a_key_is_dropped(server):
    with Client(server.base_url, f" {KEY}\n") as client:
        client.send("Hi", model="m")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "url", ["http://example.com/v1", "https://u:p@example.com", "https://example.com?api_key=x", "ftp://x"]
)
def test_addresses_that_would_give_a_key_away(url):
    with pytest.raises(diptych.ClientError):
        Client(url, KEY)


def test_a_key_is_needed_elsewhere_and_taken_from_the_environment(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(diptych.ClientError, match="no API key"):
        Client()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert Client().base_url == "https://api.openai.com/v1"


def test_the_key_is_nowhere(server, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    tape = tmp_path / "tape.jsonl"
    shown = []
    with Client(server.base_url, KEY, cassette=Cassette(tape, mode="all"), retries=1) as client:
        shown.append(repr(client))
        server.next(status(500, body={"error": {"message": f"bad key {KEY}"}}))
        shown.append(repr(client.send(CHAT, model="m")))
        server.next(status(401, body={"error": {"message": f"Incorrect API key: {KEY}"}}), reset())
        try:
            client.send(CHAT, model="m")
        except diptych.ApiError as error:
            shown += ["".join(traceback.format_exception(error)), str(error.__dict__)]
            shown.append(str(pickle.loads(pickle.dumps(error))))
        with pytest.raises(TypeError):
            pickle.dumps(client)
    shown += [record.getMessage() for record in caplog.records]
    shown.append(tape.read_text())
    assert KEY not in "".join(shown)
    assert any(record.name.startswith("diptych") for record in caplog.records)


def test_azure_has_its_own_address_and_header():
    url = azure_url("https://me.openai.azure.com/", deployment="gpt-4o")
    client = Client(url, KEY)
    out = client._setup.server.outgoing("chat", {})
    assert out.url == "https://me.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    assert out.headers["api-key"] == KEY
    assert KEY not in repr(out)


# requests ---------------------------------------------------------------------------------------


def test_everything_that_can_be_sent(server):
    template = diptych.Template.from_string("{% user %}{{ text }}{% enduser %}")
    with Client(server.base_url) as client:
        client.send(template.render(text="a"), model="m")
        client.send(CHAT, model="m")
        client.send("a", model="m")
        client.send({"model": "m", "prompt": ["a", "b"], "n": 2})
        client.send(template.render(text="a"), model="m", api="completions")
    assert [r.path.rpartition("/v1")[2] for r in server.requests] == [
        "/chat/completions", "/chat/completions", "/completions", "/completions", "/completions",
    ]  # fmt: skip
    with Client(server.base_url) as client, pytest.raises(diptych.FormatError):
        client.send(CHAT, model="m", temprature=1)


def test_json_is_validated_here(server):
    class City(BaseModel):
        name: str
        inhabitants: int

    with Client(server.base_url) as client:
        reply = client.parse(CHAT, City, model="m")
        assert reply.parsed == City(name="text", inhabitants=0)
    with Server(answer=lambda body: '{"name": 3}') as other, Client(other.base_url) as client:
        with pytest.raises(diptych.InvalidResponse, match=r"\$\.name") as caught:
            client.parse(CHAT, City, model="m")
        assert caught.value.reply.text == '{"name": 3}'


def test_an_answer_that_does_not_fit_is_asked_for_again_and_counted():
    class City(BaseModel):
        name: str

    answers = iter(["no json", '{"name": 3}', '{"name": "Paris"}'] * 2)
    with Server(answer=lambda body: next(answers)) as server:
        with Client(server.base_url) as client:
            reply = client.parse(CHAT, City, model="gpt-4o-mini", reask=2)
        assert reply.parsed.name == "Paris"
        assert [len(r.body["messages"]) for r in server.requests] == [1, 3, 5]
        assert len(reply.attempts) == 3
        assert reply.usage.prompt_tokens > 60
        assert reply.cost > 0

        async def run():
            async with AsyncClient(server.base_url) as client:
                return await client.parse(CHAT, City, model="gpt-4o-mini", reask=1)

        with pytest.raises(diptych.InvalidResponse):
            asyncio.run(run())


def test_a_server_that_refuses_stream_options_is_asked_without(server):
    server.next(status(400, body={"error": {"message": "unknown field: stream_options"}}))
    with Client(server.base_url, retries=0) as client, client.stream(CHAT, model="m") as stream:
        assert "".join(d.text for d in stream) == "one two three"
    assert ["stream_options" in r.body for r in server.requests] == [True, False]


def test_many_keep_their_order_and_their_errors(server):
    items = [[{"role": "user", "content": str(n)}] for n in range(20)]
    items[7] = {"nonsense": 1}
    with Client(server.base_url) as client:
        found = client.send_many(items, concurrency=5, model="m")
    assert [getattr(r, "text", None) for r in found] == [None if n == 7 else str(n) for n in range(20)]
    assert isinstance(found[7], diptych.FormatError)

    async def run():
        async with AsyncClient(server.base_url) as client:
            return await client.send_many(items, concurrency=5, model="m")

    again = asyncio.run(run())
    assert [getattr(r, "text", None) for r in again] == [getattr(r, "text", None) for r in found]


def test_a_reply_knows_what_it_was_made_of(server):
    template = diptych.Template.from_string("{% user %}Hi{% enduser %}")
    with Client(server.base_url) as client:
        reply = client.send(template.render(), model="gpt-4o-mini", seed=4, max_tokens=5)
    assert reply.template_hash == template.hash
    assert len(reply.request_hash) == len(reply.prompt_hash) == 64
    assert reply.cost == Decimal(reply.usage.prompt_tokens * 150 + reply.usage.completion_tokens * 600) / 10**9
    assert reply.system_fingerprint == "fp_diptych_test"
    found = json.loads(json.dumps(reply.to_json()))
    assert found["residual"]["prompt"] == 0


# budgets ----------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["settle", "release", "keep", "open"])), max_size=30))
def test_spent_and_reserved_never_pass_the_limit(steps):
    budget = Budget(usd=100)
    for amount, end in steps:
        try:
            held = budget.reserve(usd=Decimal(amount), tokens=amount)
        except diptych.BudgetExceeded:
            continue
        if end == "settle":
            held.settle(Decimal(amount) / 2, amount)
        elif end == "release":
            held.release()
        elif end == "keep":
            held.settle(None, None)
        assert budget.spent_usd + budget.reserved_usd <= 100


def test_two_hundred_calls_against_a_budget_for_ten(server):
    worst = diptych.count(CHAT, model="gpt-4o-mini").tokens + 10
    budget = Budget(tokens=10 * worst)
    with Client(server.base_url, budget=budget, retries=0) as client:
        found = client.send_many([CHAT] * 200, concurrency=32, model="gpt-4o-mini", max_tokens=10)
    sent = sum(isinstance(r, diptych.Reply) for r in found)
    assert sent == len(server.requests)
    # What a call did not use is free again: more than ten may go, the limit holds.
    assert budget.spent_tokens <= 10 * worst
    assert budget.reserved_tokens == 0
    assert all(isinstance(r, diptych.Reply | diptych.BudgetExceeded) for r in found)


def test_two_hundred_tasks_against_a_budget_for_ten():
    worst = diptych.count(CHAT, model="gpt-4o-mini").tokens + 3
    budget = Budget(tokens=10 * worst)

    async def run(url):
        async with AsyncClient(url, budget=budget, retries=0) as client:
            return await client.send_many([CHAT] * 200, concurrency=200, model="gpt-4o-mini", max_tokens=3)

    with Server(delay=0.2) as server:
        found = asyncio.run(run(server.base_url))
        assert sum(isinstance(r, diptych.Reply) for r in found) == len(server.requests) == 10
    assert (budget.spent_tokens, budget.reserved_tokens) == (10 * worst, 0)


def test_a_budget_needs_a_cap_and_a_price(server):
    with Client(server.base_url, budget=Budget(usd=1)) as client:
        with pytest.raises(diptych.BudgetExceeded, match="max_tokens"):
            client.send(CHAT, model="gpt-4o-mini")
        with pytest.raises(diptych.PriceError, match="no price"):
            client.send(CHAT, model="no-such-model", max_tokens=5)
    assert server.requests == []


def test_an_outcome_that_nobody_knows_stays_spent(server):
    budget = Budget(usd=1)
    server.next(reset())
    with Client(server.base_url, budget=budget, retries=0) as client, pytest.raises(diptych.ConnectionFailed):
        client.send(CHAT, model="gpt-4o-mini", max_tokens=5)
    assert budget.possibly_billed == budget.spent_usd > 0
    server.next(status(400))
    spent = budget.spent_usd
    with Client(server.base_url, budget=budget, retries=0) as client, pytest.raises(diptych.ApiError):
        client.send(CHAT, model="gpt-4o-mini", max_tokens=5)
    assert budget.spent_usd == spent


# cassettes --------------------------------------------------------------------------------------


def test_a_stream_is_played_again_in_its_chunks(server, tmp_path):
    tape = tmp_path / "tape.jsonl"

    def deltas(mode):
        with (
            Client(server.base_url, cassette=Cassette(tape, mode=mode)) as client,
            client.stream(CHAT, model="gpt-4o-mini", seed=1) as stream,
        ):
            return [d.text for d in stream], stream.reply

    first, reply = deltas("all")
    again, replayed = deltas("none")
    assert first == again
    assert len(server.requests) == 1
    assert (replayed.cost, replayed.original_cost, replayed.replayed) == (0, reply.cost, True)
    with Client(server.base_url, cassette=Cassette(tape, mode="none")) as client, pytest.raises(diptych.ClientError):
        client.send(CHAT, model="gpt-4o-mini", seed=2)


def test_modes_of_cassettes(server, tmp_path):
    tape = tmp_path / "tape.jsonl"
    for mode, expected in (("once", 1), ("once", 1), ("new", 1), ("all", 2)):
        with Client(server.base_url, cassette=Cassette(tape, mode=mode)) as client:
            client.send(CHAT, model="m")
        assert len(server.requests) == expected, mode


# limits -----------------------------------------------------------------------------------------


def test_timeouts_are_the_setting_and_timeout_is_the_exception():
    with pytest.raises(TypeError):
        diptych.Timeout(total=3)
    for wrong in (diptych.Timeout("no answer"), "30", [30]):
        with pytest.raises(TypeError, match=r"seconds, Timeouts\(…\) or None"):
            Client("http://127.0.0.1:1/v1", timeout=wrong)
    with pytest.raises(ValueError):
        Client("http://127.0.0.1:1/v1", timeout=diptych.Timeouts(idle=0))


def test_an_http_client_is_of_the_right_kind():
    for make, http in ((Client, httpx.AsyncClient()), (AsyncClient, httpx.Client()), (Client, "http://127.0.0.1/v1")):
        with pytest.raises(TypeError, match=r"http= takes an httpx\."):
            make("http://127.0.0.1:1/v1", http=http)


def test_one_429_pauses_everyone():
    limits = RateLimits()
    limits.pause(2.0, now=10.0)
    assert limits.wait(0, now=11.0) == 1.0
    limits.learn({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m1s"}, now=10.0)
    assert limits.wait(0, now=10.0) == 61.0


# cancellation, processes, loops ---------------------------------------------------------------------


def test_cancelled_calls_leave_nothing_open(until):
    budget = Budget(tokens=10**9)

    async def run(url):
        http = httpx.AsyncClient()
        async with http, AsyncClient(url, http=http, budget=budget) as client:

            async def one():
                async with client.stream(CHAT, model="gpt-4o-mini", max_tokens=5) as stream:
                    async for _ in stream:
                        await asyncio.sleep(0.001)  # clock: so that the cancellation comes at any point

            rng = random.Random(1)
            for _ in range(1000):
                task = asyncio.create_task(one())
                await asyncio.sleep(rng.random() * 0.006)  # clock: at any point of the call
                task.cancel()
                await asyncio.sleep(0)
                task.cancel()  # twice: the second one may come while the connection closes
                await asyncio.gather(task, return_exceptions=True)
            await until.awaited(lambda: len(asyncio.all_tasks()) == 1, "the end of all tasks but this one")
            return [c for c in http._transport._pool.connections if not c.is_idle() and not c.is_closed()]

    with Server() as server:
        assert asyncio.run(run(server.base_url)) == []
    assert budget.reserved_tokens == 0


def test_leaving_a_stream_closes_its_connection(server):
    with httpx.Client() as http, Client(server.base_url, http=http) as client:
        with client.stream(CHAT, model="m") as stream:
            next(stream)
        assert all(c.is_closed() or c.is_idle() for c in http._transport._pool.connections)
        assert stream.partial.text == ""


def test_an_abandoned_stream_warns(server):
    with Client(server.base_url) as client:
        stream = client.stream(CHAT, model="m")
        next(stream)
        with pytest.warns(ResourceWarning, match="never closed"):
            stream.__del__()


def test_connections_are_used_again(server):
    with httpx.Client() as http, Client(server.base_url, http=http) as client:
        for _ in range(5):
            with client.stream(CHAT, model="m") as stream:
                list(stream)
            client.send(CHAT, model="m")
        assert len(http._transport._pool.connections) == 1


@pytest.mark.filterwarnings("ignore")  # connections of a loop that ended before they were closed
def test_a_client_works_in_several_event_loops(server):
    client = AsyncClient(server.base_url)
    for _ in range(2):
        assert asyncio.run(client.send(CHAT, model="m")).text == "one two three"
    del client
    gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_a_forked_process_uses_its_own_connections(server):
    with Client(server.base_url) as client:
        client.send(CHAT, model="m")
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, client.send("child", model="m").text.encode())
            os._exit(0)
        assert client.send("parent", model="m").text == "parent"
        os.waitpid(child, 0)
        assert os.read(reader, 100) == b"child"
        os.close(reader)
        os.close(writer)


def test_threads_share_a_client(server):
    found = []
    with Client(server.base_url) as client:
        threads = [
            threading.Thread(target=lambda n=n: found.append((n, client.send(str(n), model="m").text)))
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(str(n) == text for n, text in found)
    assert len(found) == 20


def test_a_closed_client_says_so(server):
    client = Client(server.base_url)
    client.send("Hi", model="m")
    client.close()
    with pytest.raises(diptych.ClientError, match="closed"):
        client.send("Hi", model="m")


def test_unused_faults_do_not_leak_between_servers(server):
    server.next(cut(1), hang())
    assert server.requests == []
