"""Servers and callers that are careless: what a reply, an error, a limit and a batch make of it."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import pickle
import threading
import warnings
import zlib
from decimal import Decimal

import pytest
import trio

import diptych
from diptych import AsyncClient, Client, Template
from diptych.client import Cassette, RateLimits, batch
from diptych.client.compat import Completions
from diptych.client.results import read_results
from diptych.policy import LossWarning
from diptych.testing import Server, faults, raw, status

CHAT = [{"role": "user", "content": "Hi"}]
KEY = "sk-CANARY-0123456789"
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def said(content="Hello there", **more):
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            **more}  # fmt: skip


def stream_of(*chunks):
    """Return a fault that streams these chunks as server-sent events."""
    body = b"".join(b"data: " + (c if isinstance(c, bytes) else json.dumps(c).encode()) + b"\n\n" for c in chunks)
    return raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + body)


def piece(text, reason=None, **delta):
    return {"choices": [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": reason}]}


@pytest.fixture(scope="module")
def server():
    with Server() as found:
        yield found


@pytest.fixture
def client(server):
    with Client(server.base_url, KEY, retries=0) as found:
        yield found


# replies --------------------------------------------------------------------------------------------

PARTS = [
    ([{"type": "text", "text": "Bon"}, {"type": "text", "text": "jour"}], "Bonjour"),
    ([{"type": "output_text", "text": "Bonjour"}], "Bonjour"),
    ([{"type": "thinking", "thinking": []}, {"type": "text", "text": "Bonjour"}], "Bonjour"),
    ([{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": "Bonjour"}], "Bonjour"),
    ([{"type": "weird", "x": 1}], None),
    ([{"type": "text"}], None),
    (["Bonjour"], None),
    ([None], None),
    (5, None),
    ({"type": "text", "text": "Bonjour"}, None),
]


@pytest.mark.parametrize(("content", "text"), PARTS)
def test_known_parts_are_kept_and_others_refused_with_the_body(server, client, content, text):
    server.next(status(200, body=said(content)))
    if text is not None:
        assert client.send(CHAT, model="m").text == text
        return
    with pytest.raises(diptych.InvalidResponse) as found:
        client.send(CHAT, model="m")
    assert json.loads(found.value.body) == said(content)
    assert pickle.loads(pickle.dumps(found.value)).body == found.value.body
    assert len(str(found.value)) < 1000


def test_the_body_that_an_error_keeps_holds_no_key(server, client):
    server.next(status(200, body={"nothing": KEY}))
    with pytest.raises(diptych.InvalidResponse) as found:
        client.send(CHAT, model="m")
    assert "nothing" in found.value.body
    assert KEY not in found.value.body


WHOLE = json.dumps(said()).encode()
PACKED = gzip.compress(WHOLE)
BARE = zlib.compressobj(9, zlib.DEFLATED, -15)
ENCODED = {
    "gzip": ("gzip", PACKED, True),
    "several members": ("gzip", gzip.compress(WHOLE[:20]) + gzip.compress(WHOLE[20:]), True),
    "an empty member": ("gzip", PACKED + gzip.compress(b""), True),
    "deflate": ("deflate", zlib.compress(WHOLE), True),
    "bare deflate": ("deflate", BARE.compress(WHOLE) + BARE.flush(), True),
    "identity": ("identity", WHOLE, True),
    "a list": ("identity, GZIP,", PACKED, True),
    "twice": ("gzip, gzip", gzip.compress(PACKED), False),
    **{f"cut by {n}": ("gzip", PACKED[:-n], False) for n in (1, 4, 8, 9, len(PACKED) - 3)},
    "second member cut": ("gzip", gzip.compress(WHOLE[:20]) + gzip.compress(WHOLE[20:])[:5], False),
    "deflate cut": ("deflate", zlib.compress(WHOLE)[:-2], False),
    "another sum": ("gzip", PACKED[:-8] + bytes(4) + PACKED[-4:], False),
    "other bytes": ("deflate", b"not compressed at all", False),
    "unknown": ("br", WHOLE, False),
}


@pytest.mark.parametrize("case", ENCODED)
def test_compressed_answers_are_whole_or_refused(server, client, case):
    encoding, data, is_whole = ENCODED[case]
    server.next(status(200, body=data, headers={"content-encoding": encoding}))
    if is_whole:
        assert client.send(CHAT, model="m").text == "Hello there"
    else:
        with pytest.raises(diptych.InvalidResponse):
            client.send(CHAT, model="m")


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip", "deflate", "x"])
@pytest.mark.parametrize(("code", "error"), [(401, diptych.ApiError), (429, diptych.RateLimited)])
def test_an_error_status_keeps_its_meaning(server, client, encoding, code, error):
    server.next(status(code, body=b"abcd", headers={"content-encoding": encoding}))
    with pytest.raises(error) as found:
        client.send(CHAT, model="m")
    assert found.value.status == code


ERRORS = [
    ({"success": False, "errors": [{"code": 5007, "message": "No such model"}], "result": None}, "No such model"),
    ([{"error": {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT"}}], "API key not valid"),
    ({"errors": ["one", "two"]}, "one"),
    ({"error": {"errors": [{"message": "inner"}]}}, "inner"),
    ({"msg": "said so"}, "said so"),
    ({"error_message": "said so"}, "said so"),
]


@pytest.mark.parametrize("code", [200, 400])
@pytest.mark.parametrize(("body", "message"), ERRORS)
def test_errors_of_any_shape_keep_their_words(server, client, code, body, message):
    server.next(status(code, body=body))
    with pytest.raises(diptych.ApiError, match=message):
        client.send(CHAT, model="m")


@pytest.mark.parametrize(("count", "known"), [("3", True), ("3.0", True), ("3e0", True), ("2.5", False), ('"3"', False),
                                              ("1e400", False), ("true", False), ("[3]", False), ("-3", False)])  # fmt: skip
def test_usage_is_a_number_in_any_form_of_json(server, client, count, known):
    usage = f'"usage": {{"prompt_tokens": {count}, "completion_tokens": {count}}}'
    server.next(status(200, body=WHOLE[:-1] + f", {usage}}}".encode()))
    reply = client.send(CHAT, model="gpt-4o")
    if known:
        assert (reply.usage.prompt_tokens, reply.usage.source) == (3, "server")
        assert reply.cost == 3 * Decimal("0.0000025") + 3 * Decimal("0.00001")
    else:
        assert reply.usage is None or reply.usage.source == "counted"


@pytest.mark.parametrize(
    ("x", "params", "note"),
    [
        (CHAT, {"n": 2}, "asked for 2 choices, the server sent 1"),
        (CHAT, {"tools": [TOOL], "tool_choice": "required"}, "ignored tool_choice: a tool call"),
        (
            CHAT,
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "look"}}},
            "ignored tool_choice: the call of 'look'",
        ),
        ("Once", {"echo": True}, "ignored echo"),
        (["a", "b"], {"n": 2}, "asked for 4 choices, the server sent 1"),
    ],
)
def test_what_a_server_ignores_is_noted(server, client, x, params, note):
    body = said() if x is CHAT else {"choices": [{"index": 0, "text": "Hello", "finish_reason": "stop"}]}
    server.next(status(200, body=body))
    body = {"model": "m", "prompt": x, **params} if isinstance(x[0], str) else x
    reply = client.send(body) if isinstance(body, dict) else client.send(body, model="m", **params)
    assert any(note in one for one in reply.notes)


def test_what_a_server_honours_is_not_noted(client):
    for x, params in ((CHAT, {"n": 2}), (CHAT, {"tools": [TOOL], "tool_choice": "required"}), ("Once", {"echo": True})):
        assert client.send(x, model="test", **params).notes == ()


def test_the_old_call_shape_keeps_its_indices_and_warns(server):
    server.next(status(200, body=said()), status(200, body=said()))
    with Client(server.base_url) as client:
        completions = Completions(client)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = completions.create(model="gpt-4o-mini", prompt=["a", "b"], n=2, max_tokens=5)
        assert [choice.index for choice in found.choices] == [0, 2]
        assert [str(one.message) for one in told if "choices" in str(one.message)] == [
            "asked for 2 choices, the server sent 1"
        ]
        assert {one.category for one in told} == {LossWarning}
        body = {"model": "gpt-4o-mini", "prompt": "Hi", "max_tokens": 5, "stream": True}
        with warnings.catch_warnings(record=True), completions.create(**body) as chunks:
            assert "".join(chunk.choices[0].text for chunk in chunks) == "Hi"


def test_reading_an_answer_counts_in_its_time(server):
    clock = iter([0.0, *[1.0] * 5, *[9999.0] * 50])
    server.next(status(200, body=said()))
    with Client(server.base_url, retries=0, timeout=500) as client:
        object.__setattr__(client._setup, "clock", lambda: next(clock))
        with pytest.raises(diptych.Timeout):
            client.send(CHAT, model="m")


COOKIE = status(200, body=said(), headers={"set-cookie": "session=1; Path=/"})


def test_no_cookie_goes_back(server, client):
    async def twice():
        async with AsyncClient(server.base_url) as other:
            return [await other.send(CHAT, model="m") for _ in range(2)]

    for calls in (lambda: [client.send(CHAT, model="m") for _ in range(2)], lambda: asyncio.run(twice())):
        server.next(COOKIE)
        assert len(calls()) == 2
        assert "cookie" not in server.requests[-1].headers


# a key spelled over deltas --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, 7])
def test_a_key_that_a_stream_spells_is_in_no_delta(server, size):
    text = f"The key is {KEY}, the sky is sk-blue."
    pieces = [piece(text[at : at + size]) for at in range(0, len(text), size)]
    server.next(stream_of(*pieces, piece("", "stop"), b"[DONE]"))
    with Client(server.base_url, KEY, retries=0) as client, client.stream(CHAT, model="m") as stream:
        deltas = list(stream)
    assert "".join(delta.text for delta in deltas).endswith(", the sky is sk-blue.")
    shown = "".join(delta.text for delta in deltas)
    raws = "".join(choice["delta"]["content"] for delta in deltas for choice in delta.raw["choices"])
    assert len(shown) == len(text)
    assert KEY[5:] not in shown
    assert KEY[5:] not in raws
    assert KEY not in stream.reply.text


# addresses and cassettes ----------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["http://a:99999/x", "javascript:alert(1)", "http://[::1", "//", "http://\u2100.com",
                                     "http://a b/", "\\\\x", "http://xn--/", "http:///", "ftp://x/"])  # fmt: skip
def test_an_impossible_redirect_is_refused(server, client, address):
    server.next(faults.redirect(address.encode("utf-8").decode("latin-1")))
    with pytest.raises(diptych.RedirectRefused):
        client.send(CHAT, model="m")


@pytest.mark.parametrize("address", ["", " ", "x", "http://", "http://[::1", "http://a b/v1", "http://a:99999", "http://a:x",
                                     "http://\ud800.com", "http://a\n.com", "http://" + "a" * 300, "file:///x", 5,
                                     "http://.", "http://a..b", "http://\u2100.com/"])  # fmt: skip
def test_a_bad_base_url_is_an_error_of_ours(address):
    with pytest.raises(diptych.ClientError), Client(address or "http://", "", retries=0) as client:
        client.send(CHAT, model="m")


DAMAGED = [
    b"{", b"[]", b"null", b"\xff\xfe", b'{"key": "k"}', b"[" * 10_000,
    b'{"version": 1, "key": 5, "response": {"status": 200, "headers": {}, "chunks": []}}',
    b'{"version": 1, "key": "k", "response": {"status": "200", "headers": {}, "chunks": []}}',
    b'{"version": 1, "key": "k", "response": {"status": 200, "headers": {"a": 1}, "chunks": []}}',
    b'{"version": 1, "key": "k", "response": {"status": 200, "headers": {}, "chunks": [{"base64": "*"}]}}',
    b'{"version": 1, "key": "k", "response": {"status": 200, "headers": {}, "chunks": ["\\ud800"]}}',
    b'{"version": 1, "key": "k", "cost": "much", "response": {"status": 200, "headers": {}, "chunks": []}}',
]  # fmt: skip


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_cassette_is_an_error_with_its_line(tmp_path, line):
    path = tmp_path / "tape.jsonl"
    path.write_bytes(b"\n" + line + b"\n")
    with pytest.raises(diptych.ClientError) as found:
        Cassette(path)
    assert found.value.path == f"{path}:2"


def test_a_cassette_of_another_version_is_refused(tmp_path):
    path = tmp_path / "tape.jsonl"
    path.write_text('{"version": 2, "key": "k", "response": {}}\n')
    with pytest.raises(diptych.ClientError, match="version 2, not 1"):
        Cassette(path)
    with pytest.raises(diptych.ClientError, match="cannot be read"):
        Cassette(tmp_path)


# limits and money -----------------------------------------------------------------------------------


def left(limits):
    """Return how many requests may go at once."""
    return limits._requests.level


@pytest.mark.parametrize("said", ["\xb2", "1e3", "-1", "", "9" * 5000, "0x1", "\xbd"])
def test_limits_that_a_server_states_in_no_number_are_ignored(server, said):
    names = [f"x-ratelimit-{kind}-{unit}" for kind in ("remaining", "reset") for unit in ("requests", "tokens")]
    server.next(status(200, body=WHOLE, headers={**dict.fromkeys(names, said), "retry-after": said}))
    limits = RateLimits(requests_per_minute=1000, tokens_per_minute=10**6)
    with Client(server.base_url, retries=0, limits=limits) as client:
        assert client.send(CHAT, model="m", max_tokens=5).text == "Hello there"
        assert limits.paused(now=0.0) == 0


def test_a_call_that_is_not_sent_gives_its_place_back(server):
    limits = RateLimits(requests_per_minute=3)
    gone = "http://127.0.0.1:9/v1"
    with Client(gone, retries=0, limits=limits) as client, pytest.raises(diptych.ConnectionFailed):
        client.send(CHAT, model="m")
    budget = diptych.Budget(usd="0.000001")
    with Client(server.base_url, budget=budget, limits=limits) as client, pytest.raises(diptych.BudgetExceeded):
        client.send(CHAT, model="gpt-4o", max_tokens=500)
    assert left(limits) == pytest.approx(3)
    slow = RateLimits(requests_per_minute=0.01)
    with Client(server.base_url, limits=slow, timeout=600) as client:
        client.send(CHAT, model="m")
        for _ in range(20):
            slow.wait(0, now=slow._requests.at)
        before, level = len(server.requests), left(slow)
        for _ in range(3):
            with pytest.raises(diptych.Timeout, match="rate limit"):
                client.send(CHAT, model="m")
        assert len(server.requests) == before
        assert left(slow) == pytest.approx(level, abs=0.1)
    fresh = RateLimits(requests_per_minute=3)
    with Client(server.base_url, limits=fresh) as client:
        server.next(status(400))
        with pytest.raises(diptych.ApiError):
            client.send(CHAT, model="m")
    assert left(fresh) == pytest.approx(2)  # what the server answered has used its place


@pytest.mark.parametrize("awaited", [False, True])
def test_no_more_calls_at_once_than_limits_allow(awaited, until):
    lock, under_way, most = threading.Lock(), [0], [0]

    def answer(body):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        until(lambda: most[0] > 1, "a second call beside the first")
        with lock:
            under_way[0] -= 1
        return "Hi"

    limits = RateLimits(concurrency=2)
    with Server(answer) as server:
        if awaited:

            async def run():
                async with AsyncClient(server.base_url, limits=limits) as client:
                    return await client.send_many([CHAT] * 8, concurrency=8, model="m")

            found = asyncio.run(run())
        else:
            with Client(server.base_url, limits=limits) as client:
                found = client.send_many([CHAT] * 8, concurrency=8, model="m")
    assert all(isinstance(one, diptych.Reply) for one in found)
    assert most[0] == 2
    assert (limits._under_way, limits._queued) == (0, 0)


@pytest.mark.parametrize("bad", [0, -1, 1.5, "2", float("nan")])
def test_bad_options_are_usage_errors(server, tmp_path, bad):
    with pytest.raises(ValueError, match="concurrency"):
        RateLimits(concurrency=bad)
    with Client(server.base_url) as client:
        with pytest.raises(ValueError, match="concurrency"):
            client.send_many([CHAT], concurrency=bad)
        with pytest.raises(ValueError, match="concurrency"):
            batch.run_batch(client, tmp_path / "in", tmp_path / "out", concurrency=bad)
    if bad != 1.5:
        with pytest.raises(ValueError, match="limit"):
            RateLimits(requests_per_minute=bad)
    with pytest.raises((ValueError, TypeError)):
        Client(server.base_url, retries=bad if bad != 0 else "x")


def test_a_call_costs_what_the_model_that_answered_costs(server, client):
    usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
    prices = {}
    for asked, answered in (("gpt-4o", "gpt-4o-mini"), ("gpt-4o", "gpt-4o-2024-08-06"), ("gpt-4o", "nobody/knows"),
                            ("openrouter/auto", "gpt-4o-mini"), ("gpt-4o", None)):  # fmt: skip
        server.next(status(200, body=said(usage=usage, **({"model": answered} if answered else {}))))
        prices[asked, answered] = client.send(CHAT, model=asked).cost
    mini, full = Decimal("0.00075"), Decimal("0.0125")
    assert list(prices.values()) == [mini, full, None, mini, full]


# batch ----------------------------------------------------------------------------------------------


def line(id_, text="Hi", **body):
    body = {"model": "test", "messages": [{"role": "user", "content": text}], **body}
    found = {"method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(({"custom_id": id_} if id_ else {}) | found)


def run(server, source, out, **options):
    with Client(server.base_url, retries=0) as client:
        return batch.run_batch(client, source, out, **options)


def test_ids_of_lines_without_one_do_not_collide(server, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join([line("line-2", "real"), "not json", line("line-2~"), line("line-2")]))
    counts = run(server, source, out)
    assert (counts.done, counts.failed) == (2, 2)
    results = read_results(out)
    assert results.keys() == {"line-2", "line-2~", "line-2~~", "line-4"}
    assert results["line-2"]["response"]["body"]["choices"][0]["message"]["content"] == "real"


def test_what_failed_for_good_fails_again_and_what_changed_is_said(server, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join([line("a"), line("b"), line("c", n="two"), line("d", n="two")]))
    first = run(server, source, out)
    assert (first.done, first.failed) == (2, 2)
    source.write_text("\n".join([line("a"), line("b", "another"), line("c", n="two"), line("d")]))
    before = len(server.requests)
    second = run(server, source, out, resume=True)
    assert (second.skipped, second.failed, second.done) == (1, 2, 1)  # d was mended, and is sent
    assert len(server.requests) == before + 1
    assert second.reasons.keys() == {"changed", "api"}
    assert "'b'" in second.reasons["changed"].example
    assert len(read_results(out)) == 4 == len(out.read_text().splitlines())


def test_a_batch_runs_awaited(server, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join([*(line(str(n)) for n in range(20)), line("bad", n="two")]))

    async def go():
        async with AsyncClient(server.base_url, retries=0) as client:
            return await batch.arun_batch(client, source, out, resume=True)

    counts = asyncio.run(go())
    assert (counts.done, counts.failed, len(read_results(out))) == (20, 1, 21)
    again = asyncio.run(go())
    assert (again.skipped, again.done, again.failed) == (20, 0, 1)


def test_an_interrupted_run_keeps_its_answers(server):
    def items():
        yield from [CHAT, CHAT]

    class Stop(BaseException):
        """Like Ctrl-C."""

    class Bad:
        def __iter__(self):
            raise Stop

    with Client(server.base_url) as client:
        wrong = {"model": "m", "messages": CHAT, "metadata": Bad()}
        with pytest.raises((Stop, diptych.DiptychError, TypeError)) as found:
            raise_from = client.send_many([CHAT, wrong, CHAT], concurrency=1, model="m", timeout=object())
            assert raise_from is None
    results = found.value.results
    assert len(results) == 3
    assert all(isinstance(one, diptych.DiptychError) for one in results)


# event loops and processes --------------------------------------------------------------------------


def test_trio_is_refused_with_a_sentence(server):
    async def construct():
        AsyncClient(server.base_url)

    async def use(client):
        await client.send(CHAT, model="m")

    with pytest.raises(diptych.ClientError, match="runs on asyncio, not on trio"):
        trio.run(construct)
    outside = AsyncClient(server.base_url)
    with pytest.raises(diptych.ClientError, match="runs on asyncio, not on trio"):
        trio.run(use, outside)

    async def afterwards():
        async with outside:
            return await outside.send(CHAT, model="m")

    assert asyncio.run(afterwards()).text == "Hi"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_does_not_read_an_inherited_stream(server):
    with Client(server.base_url) as client, client.stream([{"role": "user", "content": "a b c d"}], model="m") as stream:
        texts = [next(stream).text, next(stream).text]
        child = os.fork()
        if child == 0:
            code = 1
            try:
                list(stream)
            except diptych.ClientError as error:
                code = 0 if "forked" in str(error) else 2
            finally:
                stream.close()
                os._exit(code)
        _, state = os.waitpid(child, 0)
        texts += [delta.text for delta in stream]
        assert os.waitstatus_to_exitcode(state) == 0
        assert "".join(texts) == stream.reply.text == "a b c d"


# traces ---------------------------------------------------------------------------------------------

TEMPLATE = Template.from_string(
    "---\nname: greet\nversion: 3\ninputs: {who: string}\n---\n"
    "{% system %}Be kind.{% endsystem %}{% user %}Greet {{ who }}.{% enduser %}"
)


@pytest.fixture
def spans(monkeypatch):
    trace = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra telemetry with its SDK is not installed")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from diptych.client import telemetry

    exporter, provider = InMemorySpanExporter(), trace.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", lambda: provider.get_tracer("diptych"))
    return exporter


def test_a_span_names_the_template_and_shows_contents_where_allowed(client, spans, monkeypatch):
    rendered = TEMPLATE.render(who="Ada")
    client.send(rendered, model="test")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    client.send(rendered, model="test")
    client.send([{"role": "system", "content": "Be brief."}, {"role": "tool", "tool_call_id": "c", "content": "7"}],
                model="test")  # fmt: skip
    first, second, third = (dict(span.attributes) for span in spans.get_finished_spans())
    assert first["gen_ai.prompt.version"] == second["gen_ai.prompt.version"] == str(TEMPLATE.version)
    assert first.get("gen_ai.prompt.name") == TEMPLATE.name
    assert "Ada" not in json.dumps(first)
    assert second["gen_ai.prompt.variable.who"] == "Ada"
    assert second["gen_ai.content.trust"] == "user_supplied"
    messages = json.loads(second["gen_ai.input.messages"])
    parts = [(part["content"], part["trust"]) for message in messages for part in message["parts"]]
    assert parts == [("Be kind.", "operator"), ("Greet ", "operator"), ("Ada", "user_supplied"), (".", "operator")]
    assert "Greet Ada." in second["gen_ai.output.messages"]
    assert third["gen_ai.content.trust"] == "tool_output"


def test_a_negative_number_of_further_questions_is_an_error():
    with Client("http://127.0.0.1:9/v1") as client, pytest.raises(ValueError, match="reask"):
        client.parse("Hi", int, model="m", reask=-1)
