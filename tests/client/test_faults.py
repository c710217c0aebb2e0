"""Every fault of a server ends in the right reply or the right error, on every driver."""

import asyncio
import gzip
import importlib.util
import json
import pickle
import time
from pathlib import Path

import pytest

import diptych
from diptych.testing import Server, cut, hang, raw, redirect, reset, slow, status

_spec = importlib.util.spec_from_file_location("drivers", Path(__file__).with_name("drivers.py"))
_drivers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_drivers)
CHAT = [{"role": "user", "content": "one two three"}]
KEY = "sk-canary-0123456789"
EVENT = "text/event-stream"


@pytest.fixture(params=list(_drivers.DRIVERS))
def driver(request):
    return _drivers.DRIVERS[request.param]


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def naps(monkeypatch):
    """Record how long the client sleeps, and let it not."""
    slept, pause = [], asyncio.sleep

    async def nap(seconds, result=None):
        if seconds:
            slept.append(seconds)
        return await pause(0, result)

    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(asyncio, "sleep", nap)
    return slept


def answer(body, kind="application/json", code=200, headers=""):
    data = body if isinstance(body, bytes) else body.encode()
    head = f"HTTP/1.1 {code} X\r\ncontent-type: {kind}\r\nx-request-id: req_1\r\n{headers}connection: close\r\n\r\n"
    return raw(head.encode() + data)


def chunk(text=None, finish=None, **more):
    delta = {} if text is None else {"content": text}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def events(*chunks, end="data: [DONE]\n\n"):
    return "".join(f"data: {c if isinstance(c, str) else json.dumps(c)}\n\n" for c in chunks) + end


GOOD = events(chunk("Hi"), chunk(finish="stop"))


def fail(driver, server, error, x=CHAT, **kwargs):
    with pytest.raises(error) as caught:
        driver.call(server.base_url, x, model="m", options={"api_key": KEY, "retries": 0}, **kwargs)
    found = caught.value
    copy = pickle.loads(pickle.dumps(found))
    assert (type(copy), str(copy)) == (type(found), str(found))
    assert KEY not in f"{found!r}{found}{found.__dict__}"
    return found


# retried and not ---------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [reset(), status(500), status(502, body=b"<html>"), status(503), status(409), status(408)])
def test_passing_faults_are_retried(driver, server, naps, fault):
    server.next(fault)
    reply = driver.call(server.base_url, CHAT, model="m", options={"retries": 1})
    assert reply.text == "one two three"
    assert [a.error is None for a in reply.attempts] == [False, True]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 422])
def test_mistakes_are_not_retried(driver, server, code):
    server.next(status(code, body={"error": {"message": "no", "code": "c", "type": "t", "param": "p"}}))
    with pytest.raises(diptych.ApiError) as caught:
        driver.call(server.base_url, CHAT, model="m", options={"retries": 3})
    error = caught.value
    assert (error.status, error.code, error.type, error.param) == (code, "c", "t", "p")
    assert len(server.requests) == 1


def test_exhausted_quota_is_not_retried(driver, server):
    server.next(status(429, body={"error": {"message": "pay", "code": "insufficient_quota"}}))
    with pytest.raises(diptych.QuotaExceeded):
        driver.call(server.base_url, CHAT, model="m", options={"retries": 3})
    assert len(server.requests) == 1


def test_the_same_500_twice_is_final(driver, server, naps):
    server.next(*[status(500, body={"error": {"message": "bad role"}})] * 4)
    with pytest.raises(diptych.ApiError):
        driver.call(server.base_url, CHAT, model="m", options={"retries": 4})
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("headers", "least"),
    [({"retry-after": "20"}, 20.0), ({"retry-after-ms": "15000"}, 15.0), ({"retry-after": "nan"}, 0.375)],
)
def test_waits_as_asked(driver, server, naps, headers, least):
    server.next(status(429, headers=headers))
    reply = driver.call(server.base_url, CHAT, model="m", options={"retries": 1})
    assert reply.text
    assert naps == [reply.attempts[0].wait]
    # What is not asked for is half a second, less up to a quarter of it.
    assert naps == [least] or (headers["retry-after"] == "nan" and 0.375 <= naps[0] <= 0.5)


def test_a_wish_to_wait_too_long_is_final(driver, server, naps):
    server.next(status(429, headers={"retry-after": "3600"}))
    with pytest.raises(diptych.RateLimited):
        driver.call(server.base_url, CHAT, model="m", options={"retries": 3})
    assert naps == []
    assert len(server.requests) == 1


# time ---------------------------------------------------------------------------------------

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n"


@pytest.mark.parametrize("fault", [hang(), slow(_HEAD + b" " * 5000, pause=0.02), raw(_HEAD + b"{", b" ", pause=3600)])
def test_one_deadline_holds_over_everything(driver, server, fault):
    """The faults last for minutes and hours; a deadline per attempt would ask four times."""
    server.next(*[fault] * 4)
    with pytest.raises(diptych.Timeout) as caught:
        driver.call(server.base_url, CHAT, model="m", options={"timeout": 0.5, "retries": 3})
    assert caught.value.limit == "total"
    assert len(caught.value.attempts) == 1
    assert len(server.requests) <= 1
    assert caught.value.attempts[0].seconds < 90  # the shortest fault lasts 100 s


def test_a_stalled_stream_keeps_what_came(driver, server):
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {EVENT}\r\n\r\ndata: {json.dumps(chunk('Hi'))}\n\n".encode()
    server.next(raw(head, b"x", pause=3600))
    limits = diptych.Timeouts(total=None, idle=1.0)  # what came is read at once, whatever the machine does
    with pytest.raises(diptych.Timeout) as caught:
        driver.call(server.base_url, CHAT, stream=True, model="m", options={"timeout": limits})
    assert caught.value.limit == "idle"
    assert caught.value.partial.text == "Hi"


def test_the_first_token_has_its_own_limit(driver, server):
    server.next(hang())
    with pytest.raises(diptych.Timeout) as caught:
        limits = diptych.Timeouts(total=None, first_token=0.3)
        driver.call(server.base_url, CHAT, stream=True, model="m", options={"timeout": limits, "retries": 0})
    assert caught.value.limit == "first_token"


# answers that are none -----------------------------------------------------------------------


@pytest.mark.parametrize("body", ["<html>oops</html>", "null", "{bad", "", "[]", '"text"', '{"choices": 3}', "{}"])
def test_200_that_is_no_answer(driver, server, body):
    server.next(answer(body))
    error = fail(driver, server, diptych.InvalidResponse)
    assert len(str(error)) < 700


def test_200_with_an_error_body(driver, server):
    server.next(answer('{"error": {"message": "model is busy", "code": 1}}'))
    assert "model is busy" in str(fail(driver, server, diptych.ApiError))


def test_no_choices(driver, server):
    server.next(answer('{"choices": []}'))
    reply = driver.call(server.base_url, CHAT, model="m")
    with pytest.raises(diptych.InvalidResponse):
        _ = reply.text


def test_cut_body(driver, server):
    server.next(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"))
    assert fail(driver, server, diptych.ConnectionFailed).attempts[0].possibly_billed


def test_error_bodies_are_quoted_in_part(driver, server):
    server.next(status(500, body=b"x" * 100_000))
    assert len(str(fail(driver, server, diptych.ApiError))) < 700


def test_too_large(driver, server):
    server.next(raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 1_000_000] * 20))
    fail(driver, server, diptych.ResponseTooLarge)


def test_compressed_bomb(driver, server):
    bomb = gzip.compress(b" " * 40_000_000)
    server.next(answer(bomb, headers="content-encoding: gzip\r\n"))
    fail(driver, server, diptych.ResponseTooLarge)


def test_compressed_answer(driver, server):
    good = gzip.compress(json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}).encode())
    server.next(answer(good, headers="content-encoding: gzip\r\n"))
    assert driver.call(server.base_url, CHAT, model="m").text == "Hi"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_refused_and_named(driver, server, code):
    with Server() as other:
        server.next(redirect(f"{other.base_url}/chat/completions?api_key={KEY}", code=code))
        error = fail(driver, server, diptych.RedirectRefused)
        assert other.requests == []
        assert other.base_url.removesuffix("/v1") in str(error)


# streams --------------------------------------------------------------------------------------


def test_a_whole_stream(driver, server):
    reply = driver.call(server.base_url, CHAT, stream=True, model="gpt-4o-mini", seed=3)
    assert (reply.text, reply.finish_reason, reply.seed) == ("one two three", "stop", 3)
    assert reply.usage.completion_tokens == 3
    assert reply.first_token is not None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (GOOD, "Hi"),
        (GOOD.replace("\n", "\r\n"), "Hi"),
        (GOOD.replace("\n", "\r"), "Hi"),
        ("\ufeff" + GOOD, "Hi"),
        (GOOD.replace("data: ", "data:"), "Hi"),
        (": ping\n\n:\n\n" + GOOD, "Hi"),
        ("id: 7\n\nretry: 5\n\ndata:\n\n" + GOOD, "Hi"),
        (GOOD.rstrip("\n"), "Hi"),
        (events(chunk("Hi"), chunk(finish="stop"), end=""), "Hi"),
        (events(chunk("Hi"), chunk(finish="stop"), end="").rstrip("\n"), "Hi"),
        (GOOD + events(chunk("never")), "Hi"),
        (events(chunk("a\u2028b\u0085c"), chunk(finish="stop")), "a\u2028b\u0085c"),
        (events(chunk("x" * 3_000_000), chunk(finish="stop")), "x" * 3_000_000),
        (
            events(chunk(None), {"choices": []}, chunk("Hi"), chunk(finish="stop"), {"usage": {"prompt_tokens": 4}}),
            "Hi",
        ),
    ],
)
def test_shapes_of_streams(driver, server, body, text):
    server.next(answer(body, EVENT))
    assert driver.call(server.base_url, CHAT, stream=True, model="m").text == text


def test_a_stream_in_single_bytes(driver, server):
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {EVENT}\r\nconnection: close\r\n\r\n".encode()
    body = events(chunk("h\u00e9 \U0001f389"), chunk(finish="stop")).encode()
    server.next(raw(head, *[bytes([b]) for b in body], pause=0.0005))
    assert driver.call(server.base_url, CHAT, stream=True, model="m").text == "h\u00e9 \U0001f389"


def test_json_in_place_of_a_stream(driver, server):
    server.next(answer('{"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}'))
    assert driver.call(server.base_url, CHAT, stream=True, model="m").text == "Hi"


@pytest.mark.parametrize("body", ["", "\n\n", ": ping\n\n", "data: [DONE]\n\n"])
def test_an_empty_stream(driver, server, body):
    server.next(answer(body, EVENT))
    fail(driver, server, diptych.StreamIncomplete, stream=True)


def test_a_stream_cut_cleanly(driver, server):
    server.next(cut(3))
    assert fail(driver, server, diptych.StreamIncomplete, stream=True).partial.text == "one two"


def test_done_without_finish_reason(driver, server):
    server.next(answer(events(chunk("Hi")), EVENT))
    assert fail(driver, server, diptych.StreamIncomplete, stream=True).partial.text == "Hi"


def test_one_of_two_choices_missing(driver, server):
    server.next(answer(GOOD, EVENT))
    fail(driver, server, diptych.StreamIncomplete, stream=True, n=2)


def test_a_stream_reset(driver, server):
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {EVENT}\r\nx-request-id: req_9\r\n\r\n"
    server.next(reset((head + events(chunk("Hi"), end="")).encode()))
    error = fail(driver, server, diptych.StreamInterrupted, stream=True)
    assert (error.partial.text, error.request_id) == ("Hi", "req_9")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "bad",
    [
        "{bad",
        '{"error": {"message": "overloaded"}}',
        "3",
        b"\xff\xfe{".decode("latin-1"),
        '{"choices": [{"delta": 3}]}',
    ],
)
def test_a_bad_chunk_keeps_what_came(driver, server, bad):
    server.next(answer(events(chunk("Hi"), bad, chunk(finish="stop")), EVENT))
    assert fail(driver, server, diptych.StreamInterrupted, stream=True).partial.text == "Hi"


def test_event_error_without_error_key(driver, server):
    server.next(answer(f'data: {json.dumps(chunk("Hi"))}\n\nevent: error\ndata: {{"message": "gone"}}\n\n', EVENT))
    error = fail(driver, server, diptych.StreamInterrupted, stream=True)
    assert "gone" in str(error)
    assert error.partial.text == "Hi"


def test_an_error_before_the_first_token_is_typed(driver, server):
    server.next(answer('data: {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}\n\n', EVENT))
    fail(driver, server, diptych.RateLimited, stream=True)


def test_an_endless_line_has_a_cap(driver, server):
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {EVENT}\r\n\r\ndata: ".encode()
    server.next(raw(head, *[b"x" * 1_000_000] * 20))
    fail(driver, server, diptych.ResponseTooLarge, stream=True)


# connections ---------------------------------------------------------------------------------


def test_nobody_listens(driver):
    with Server() as gone:
        url = gone.base_url
    with pytest.raises(diptych.ConnectionFailed):
        driver.call(url, CHAT, model="m", options={"retries": 0})


def test_no_such_host(driver):
    with pytest.raises(diptych.ConnectionFailed):
        driver.call("http://no-such-host.invalid/v1", CHAT, model="m", options={"retries": 0, "api_key": ""})
