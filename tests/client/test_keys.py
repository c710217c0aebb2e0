"""An API key that a server returns shows nowhere, and what is no secret is replaced nowhere."""

import asyncio
import base64
import gzip
import importlib.util
import json
import logging
import pickle
import re
import traceback
import urllib.parse
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych import AsyncClient, Client
from diptych.client import Cassette
from diptych.client.secret import LEAST, Secret
from diptych.client.transport import Transport
from diptych.testing import Server, raw, redirect, status

_spec = importlib.util.spec_from_file_location("drivers", Path(__file__).with_name("drivers.py"))
_drivers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_drivers)
KEY = "sk-CANARY-01/23+456"
CHAT = [{"role": "user", "content": "one two three"}]


def escaped(text):
    return "".join(f"\\u{ord(c):04x}" for c in text)


#: The key as a server may write it into the string of a JSON body.
FORMS = {
    "plain": KEY,
    "dashes escaped": KEY.replace("-", "\\u002d"),
    "slash escaped": KEY.replace("/", "\\/"),
    "every character escaped": escaped(KEY),
    "upper case digits": escaped(KEY).upper().replace("\\U", "\\u"),
    "JSON in JSON": json.dumps(json.dumps({"k": KEY}).replace("-", "\\u002d"))[1:-1],
    "in a URL": urllib.parse.quote(KEY, safe=""),
    "every character in a URL": "".join(f"%{ord(c):02x}" for c in KEY),
    "twice in a URL": urllib.parse.quote(urllib.parse.quote(KEY, safe=""), safe=""),
    "in HTML": KEY.replace("-", "&#45;"),
    "in HTML, hexadecimal": KEY.replace("-", "&#x2D;"),
    **{
        f"basic {user!r}": base64.b64encode(f"{user}{KEY}{rest}".encode()).decode()
        for user, rest in (("", ""), ("u:", ""), ("us:", ":"), ("", ":"))
    },
}
#: What may be seen of the key: more than any form of it would leave.
TRACES = re.compile(r"(?i:CANARY)|Q0FOQVJZ|NBTkFSW|DQU5BUl|01.{0,3}/.{0,3}23|23\+456")


@pytest.fixture(params=["sync-httpx", "async-httpx", "sync-httpx2"])
def driver(request):
    return _drivers.DRIVERS[request.param]


@pytest.fixture
def server():
    with Server() as running:
        yield running


def shown(error):
    """Return all that an error shows, to people and to other processes."""
    parts = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    parts.append(pickle.dumps(error).decode("latin-1"))
    # Some tools show the locals of each frame.
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "diptych" in Path(frame.f_code.co_filename).parent.parts:
            parts.append(repr({name: value for name, value in frame.f_locals.items() if name != "options"}))
    partial = getattr(error, "partial", None)
    return "".join([*parts, *([json.dumps(partial.to_json()), repr(partial.raw)] if partial else [])])


def reply_shown(reply):
    return "".join(
        [repr(reply), json.dumps(reply.to_json()), repr(reply.raw), reply.text, pickle.dumps(reply).decode("latin-1")]
    )


def check_error(driver, server, fault, error=diptych.ClientError, **kwargs):
    server.next(fault)
    with pytest.raises(error) as caught:
        driver.call(server.base_url, CHAT, model="m", options={"api_key": KEY, "retries": 0}, **kwargs)
    assert not TRACES.search(shown(caught.value))
    return caught.value


def answer(body, kind="application/json", code="200 OK", headers=""):
    data = body if isinstance(body, bytes) else body.encode()
    head = f"HTTP/1.1 {code}\r\ncontent-type: {kind}\r\n{headers}connection: close\r\n\r\n"
    return raw(head.encode() + data)


def event(value):
    return f"data: {value}\n\n"


BEGUN = event('{"choices":[{"index":0,"delta":{"content":"Hi"}}]}')


# what a server returns -------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_form_of_the_key_is_in_the_error_of_a_body(server, form):
    driver = _drivers.DRIVERS["sync-httpx"]
    body = f'{{"error":{{"message":"key {form}","code":"{form}","type":"{form}","param":"{form}"}}}}'
    found = check_error(driver, server, status(401, body=body.encode()), diptych.ApiError)
    assert "key " in str(found)
    assert "***" in str(found)


PLACES = {
    "an error": (status(401, body=f'{{"error":{{"message":"{escaped(KEY)}"}}}}'.encode()), False),
    "an error that is text": (status(500, body=f"key\\{KEY} is wrong".encode()), False),
    "an error cut in the key": (status(400, body=b"x" * 490 + KEY.encode()), False),
    "a field name": (status(401, body=f'{{"error":{{"{escaped(KEY)}":"no"}}}}'.encode()), False),
    "the reason": (answer("{}", code=f"401 {KEY}"), False),
    "a reason that is none": (raw(f"HTTP/1.1 4x1 {KEY}\r\n\r\n".encode()), False),
    "the request id": (status(401, headers={"x-request-id": f"req {KEY}"}), False),
    "a header": (status(401, headers={"www-authenticate": f"Bearer {KEY}"}), False),
    "a location": (redirect(f"https://{urllib.parse.quote(KEY, safe='')}/x"), False),
    "an answer that is not JSON": (answer(f"<p>{KEY}"), False),
    "an answer without choices": (answer(f'{{"k":"{escaped(KEY)}"}}'), False),
    "an error under 200": (answer(f'{{"error":"{escaped(KEY)}"}}'), False),
    "a choice": (answer(f'{{"choices":[{{"message":{{"content":"a"}},"error":{{"message":"{escaped(KEY)}"}}}}]}}'), False),
    "a compressed error": (
        answer(gzip.compress(f'{{"error":"{KEY}"}}'.encode()), code="401 X", headers="content-encoding: gzip\r\n"),
        False,
    ),
    "a chunk": (answer(BEGUN + event(f'{{"error":"{escaped(KEY)}"}}'), "text/event-stream"), True),
    "a chunk that is not JSON": (answer(BEGUN + event(f"{{{KEY}"), "text/event-stream"), True),
    "a choice of a chunk": (
        answer(
            BEGUN + event(f'{{"choices":[{{"index":0,"delta":{{}},"error":{{"message":"{escaped(KEY)}"}}}}]}}'),
            "text/event-stream",
        ),
        True,
    ),
    "a text that is then cut off": (
        answer(event(f'{{"choices":[{{"index":0,"delta":{{"content":"{escaped(KEY)}"}}}}]}}'), "text/event-stream"),
        True,
    ),
    "two chunks that are then cut off": (
        answer(
            "".join(
                event(json.dumps({"choices": [{"index": 0, "delta": {"content": part}}]}))
                for part in (KEY[:9], KEY[9:])
            ),
            "text/event-stream",
        ),
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_the_key_is_in_no_error_wherever_it_stood(driver, server, caplog, place):
    caplog.set_level(logging.DEBUG)
    fault, stream = PLACES[place]
    check_error(driver, server, fault, stream=stream)
    records = [f"{record.getMessage()}{record.args}" for record in caplog.records]
    assert any(record.name.startswith("http") for record in caplog.records)
    assert not TRACES.search("".join(records))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_good_answer_holds_no_key_and_replays_the_same(server, tmp_path, form, stream):
    driver = _drivers.DRIVERS["sync-httpx"]
    place = "delta" if stream else "message"
    body = f'{{"id":"{form}","model":"m","choices":[{{"index":0,"{place}":{{"content":"a\\n{form} \\"b\\""}},"finish_reason":"stop"}}]}}'
    fault = answer(event(body) + event("[DONE]") if stream else body, "text/event-stream" if stream else "application/json", headers=f"x-request-id: {KEY}\r\n")  # fmt: skip
    server.next(fault)
    tape, replies = tmp_path / "tape.jsonl", []
    for mode in ("all", "none"):
        options = {"api_key": KEY, "cassette": Cassette(tape, mode=mode)}
        replies.append(driver.call(server.base_url, CHAT, stream=stream, model="m", options=options))
    live, replayed = replies
    assert not TRACES.search(reply_shown(live) + reply_shown(replayed) + tape.read_text())
    assert (live.text, live.raw, live.message) == (replayed.text, replayed.raw, replayed.message)
    assert live.text.startswith("a\n")
    assert live.text.endswith('"b"')


def test_a_compressed_answer_is_recorded_decompressed(server, tmp_path):
    body = json.dumps({"choices": [{"message": {"content": f"a {KEY}"}, "finish_reason": "stop"}]})
    server.next(answer(gzip.compress(body.encode()), headers="content-encoding: gzip\r\n"))
    tape, texts = tmp_path / "tape.jsonl", []
    for mode in ("all", "none"):
        with Client(server.base_url, KEY, cassette=Cassette(tape, mode=mode)) as client:
            texts.append(client.send(CHAT, model="m").text)
    assert texts == [f"a {'*' * len(KEY)}"] * 2
    assert "a ***" in tape.read_text()


def test_a_stream_that_spells_the_key_across_chunks_is_not_recorded(server, tmp_path):
    chunks = [{"choices": [{"index": 0, "delta": {"content": part}}]} for part in (KEY[:7], KEY[7:], " ok")]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    server.next(answer("".join(event(json.dumps(chunk)) for chunk in chunks), "text/event-stream"))
    tape = tmp_path / "tape.jsonl"
    with (
        Client(server.base_url, KEY, cassette=Cassette(tape, mode="all")) as client,
        client.stream(CHAT, model="m") as stream,
    ):
        list(stream)
    assert stream.reply.text == "*" * len(KEY) + " ok"
    assert "not recorded" in stream.reply.notes[-1]
    assert not TRACES.search(reply_shown(stream.reply))
    assert not tape.exists()


def test_a_key_in_the_request_leaves_a_cassette_that_is_json(server, tmp_path):
    tape = tmp_path / "tape.jsonl"
    with Client(server.base_url, KEY, cassette=Cassette(tape, mode="all")) as client:
        client.send([{"role": "user", "content": f'my key is "{KEY}"\n{KEY}'}], model="m")
    (entry,) = map(json.loads, tape.read_text().splitlines())
    assert entry["request"]["body"]["messages"][0]["content"].count("*") == 2 * len(KEY)


# what is no secret -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["1", "0", "test", "ollama", "EMPTY", "none", "m", "a" * (LEAST - 1), '"', "\\", "17000"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_placeholder_is_replaced_nowhere(server, tmp_path, key, stream):
    text = f"Run {key} on ollama: test, EMPTY, none, 1"
    server.next(status(401, body={"error": {"message": text}}))
    tape, replies = tmp_path / "tape.jsonl", []
    for mode in ("all", "none"):
        with Client(server.base_url, key, cassette=Cassette(tape, mode=mode), retries=0) as client:
            with pytest.raises(diptych.ApiError, match=re.escape(text)):
                client.send([{"role": "user", "content": text}], model="m")
            with client.stream([{"role": "user", "content": text}], model="m", seed=1) as deltas:
                list(deltas)
            replies += [client.send([{"role": "user", "content": text}], model="m", seed=2), deltas.reply]
    assert [reply.text for reply in replies] == [text] * 4
    assert replies[0].raw == replies[2].raw
    assert replies[1].raw == replies[3].raw


# keys that look like parts of JSON --------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8"), max_size=20)
keys = st.one_of(
    st.text("!\"#$%&'()*+,-./0123456789:;<=>?@AZ[\\]^_`abfnrtuxz{|}~", min_size=LEAST, max_size=24),
    st.text("0123456789", min_size=LEAST, max_size=20),
    st.builds(lambda first, rest: first + rest, st.sampled_from(list("nrtbf")), st.just("vapi-0123456789")),
)


@given(keys, st.lists(texts, min_size=2, max_size=4), st.booleans())
def test_replacing_a_key_keeps_json_and_its_length(key, around, ascii_only):
    value = {"a": key.join(around), "b": [1, 1.5, None, True, {"c\n": around}]}
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    found = Secret(key).hide_bytes(data)
    assert len(found) == len(data)
    read = json.loads(found)
    assert key not in read["a"] or len(set(key)) == 1
    assert read["b"][:4] == value["b"][:4]


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_replacing_a_key_in_any_bytes(before, after):
    found = Secret(KEY).hide_bytes(before + KEY.encode() + after)
    assert KEY.encode() not in found
    assert len(found) == len(before + after) + len(KEY)


@pytest.mark.parametrize(
    "text", ['{"a": "\\nvapi-0123456789"}', "log: \\nvapi-0123456789", '{"a": "\\\\nvapi-0123456789"}']
)
def test_a_key_that_begins_like_an_escape(text):
    found = Secret("nvapi-0123456789").hide_bytes(text.encode()).decode()
    assert "vapi" not in found
    if text.startswith("{"):
        json.loads(found)


def test_a_key_of_digits_leaves_numbers_numbers():
    data = b'{"created": 170000000012, "text": "170000000012"}'
    assert json.loads(Secret("170000000012").hide_bytes(data)) == {"created": 111111111111, "text": "111111111111"}


# proxies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "nonsense"])
def test_calls_to_this_machine_use_no_proxy(server, monkeypatch, variable, proxy):
    monkeypatch.setenv(variable, proxy)
    with Client(server.base_url, KEY, retries=0) as client:
        assert client.send("Hi", model="m").text == "Hi"

    async def run():
        async with AsyncClient(server.base_url, KEY, retries=0) as client:
            return await client.send("Hi", model="m")

    assert asyncio.run(run()).text == "Hi"


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost/v1", True),
        ("http://LOCALHOST:8080/v1", True),
        ("http://localhost./v1", True),
        ("http://api.localhost/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://127.8.9.10/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://[::ffff:127.0.0.1]/v1", True),
        ("https://localhost/v1", True),
        ("https://example.com/v1", False),
        ("https://localhost.example.com/v1", False),
        ("https://128.0.0.1/v1", False),
    ],
)
def test_which_servers_are_called_without_a_proxy(monkeypatch, url, local):
    monkeypatch.setenv("ALL_PROXY", "http://proxy.invalid:9")
    with Client(url, KEY) as client:
        http = client._pool.get()
        assert isinstance(http, Transport) is local
        if not local:
            assert http._transport_for_url(httpx.URL(client.base_url)) is not http._transport


def test_a_client_of_the_users_keeps_its_proxy(server):
    with (
        httpx.Client(proxy="http://127.0.0.1:9") as http,
        Client(server.base_url, http=http, retries=0) as client,
        pytest.raises(diptych.ConnectionFailed),
    ):
        client.send("Hi", model="m")
    assert server.requests == []


# redirects and refused calls that cannot be read ------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    ["http://a:99999/x", "javascript:alert(1)", "http://[::1", "//", "", "\\\\x", "http://a b/", "http://\x7f/"],
)
def test_a_redirect_to_nowhere_is_a_redirect(driver, server, location):
    server.next(redirect(location))
    with pytest.raises(diptych.RedirectRefused):
        driver.call(server.base_url, CHAT, model="m", options={"retries": 0})
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url", ["http://a:99999/v1", "http://[::1/v1", "http://a:x/v1", "http://a:0", "https://a b/v1"]
)
def test_an_address_that_cannot_be_is_a_client_error(url):
    with pytest.raises(diptych.ClientError, match="base_url"), Client(url, KEY if "https" in url else "") as client:
        client.send("Hi", model="m")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"abcd", "br"), (b"abcd", "gzip"), (gzip.compress(b"abcd", mtime=0)[:-9], "gzip"), (b"", "gzip")],
    ids=["br", "gzip", "gzip-cut", "empty"],
)
def test_a_refused_call_keeps_its_status_whatever_its_body(driver, server, body, encoding):
    server.next(status(401, body=body, headers={"content-encoding": encoding}))
    with pytest.raises(diptych.ApiError) as caught:
        driver.call(server.base_url, CHAT, model="m", options={"retries": 0})
    assert caught.value.status == 401


def test_a_compressed_answer_that_is_cut_off_is_no_answer(driver, server):
    whole = gzip.compress(json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}).encode())
    server.next(*[answer(whole[:-cut], headers="content-encoding: gzip\r\n") for cut in (1, 8, 9)])
    for _ in range(3):
        with pytest.raises(diptych.InvalidResponse):
            driver.call(server.base_url, CHAT, model="m", options={"retries": 0})


def test_a_compressed_answer_of_two_members_is_whole(driver, server):
    body = json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}).encode()
    server.next(answer(gzip.compress(body[:9]) + gzip.compress(body[9:]), headers="content-encoding: gzip\r\n"))
    assert driver.call(server.base_url, CHAT, model="m").text == "Hi"


@pytest.mark.parametrize(
    "body",
    [
        b'{"object":"error","message":"\\ud800"}',
        b'{"detail":"\\ud800$\\ud800"}',
        b'{"error":{"message":["a",{"b":null}]}}',
        b'{"error":{"message":"\\u0000\\udfff","code":[1]}}',
        b'{"error":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b"[" * 100_000,
    ],
)
def test_error_bodies_of_any_kind(driver, server, body):
    server.next(status(500, body=body))
    with pytest.raises(diptych.ApiError) as caught:
        driver.call(server.base_url, CHAT, model="m", options={"retries": 0})
    str(caught.value).encode()
