"""Answers of HTTP/1.1 are read as h11 reads them, however they are cut; connections are kept only where they can be."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import socket
import ssl
import subprocess
import threading
from itertools import pairwise

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import diptych
from diptych import AsyncClient, Budget, Client
from diptych.client.http1 import MAX_HEAD, Reader, RemoteProtocolError
from diptych.client.requests import Server as Place
from diptych.client.secret import Secret
from diptych.client.transport import is_direct
from diptych.testing import Server

CHAT = [{"role": "user", "content": "Hi"}]
SAID = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Ho"}, "finish_reason": "stop"}]}
BODY = json.dumps(SAID).encode()
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)

# the reader beside h11 --------------------------------------------------------------------------------


def by_h11(data):
    """Return what h11 makes of an answer whose connection then ends, None where it refuses it."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    connection.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
    connection.send(h11.EndOfMessage())
    head, body = None, []
    try:
        connection.receive_data(data)
        connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
                return head.status_code, headers.get("x"), b"".join(body)
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except (h11.RemoteProtocolError, h11.LocalProtocolError):
        return None


def by_ours(data, cuts=()):
    reader, body = Reader(), []
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts} - {0, len(data)}), len(data)]
    try:
        for start, end in pairwise(places):
            if start < end and not reader.over:
                body.append(reader.feed(data[start:end]))
        if not reader.over:
            body.append(reader.feed(b""))
    except RemoteProtocolError:
        return None
    return reader.head.status, reader.head.headers.get("x"), b"".join(body)


TEXTS = st.binary(max_size=40)
VALUES = st.text("ab ,;=\t\xe9", max_size=8).map(lambda value: value.encode("latin-1"))


def chunked(pieces, extension=b"", trailer=b""):
    frames = [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces if piece]
    return b"".join(frames) + b"0\r\n" + trailer + b"\r\n"


@st.composite
def answers(draw):
    pieces = draw(st.lists(TEXTS, max_size=4))
    body = b"".join(pieces)
    framing = draw(st.sampled_from(["length", "chunks", "both", "end", "wrong", "lengths"]))
    lines = [b"X: " + draw(VALUES)]
    if framing in ("length", "both", "lengths"):
        lines.append(b"Content-Length: %d" % len(body))
    if framing == "lengths":
        lines.append(draw(st.sampled_from([lines[-1], b"content-length: 3", b"Content-Length: %d, 7" % len(body)])))
    if framing == "wrong":
        lines.append(draw(st.sampled_from([b"content-length: -1", b"content-length: x", b"transfer-encoding: gzip"])))
    if framing in ("chunks", "both"):
        lines.append(draw(st.sampled_from([b"Transfer-Encoding: chunked", b"transfer-encoding: Chunked"])))
        body = chunked(pieces, draw(st.sampled_from([b"", b";a=b", b" "])), draw(st.sampled_from([b"", b"t: u\r\n"])))
    status = draw(st.sampled_from([b"200 OK", b"404", b"204 None", b"304 Same", b"599 X"]))
    before = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"]))
    return before + b"\r\n".join([b"HTTP/1.1 " + status, *draw(st.permutations(lines)), b"", body])


@st.composite
def damaged(draw):
    data = bytearray(draw(answers()))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        put = draw(st.sampled_from([b"", b"\r", b"\n", b" ", b":", b"0", b"g", b"\xff", b";", b"\r\n"]))
        data[at : at + draw(st.integers(0, 2))] = put
    return bytes(data)


@given(damaged(), st.lists(st.integers(0, 400), max_size=4))
@example(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\ncontent-length: 0\r\n\r\n", [])
@example(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n", [])
def test_an_answer_is_what_h11_makes_of_it(data, cuts):
    found = by_ours(data, cuts)
    assert found == by_ours(data, range(len(data))), "byte by byte"
    assert found == by_h11(data)


def test_a_head_without_end_is_refused():
    for more in (b"x: " + b"a" * MAX_HEAD, b"".join(b"x%d: a\r\n" % n for n in range(30_000))):
        assert by_ours(b"HTTP/1.1 200 OK\r\n" + more + b"\r\n\r\n") is None
        reader = Reader()
        with pytest.raises(RemoteProtocolError, match="too large"):
            reader.feed(b"HTTP/1.1 200 OK\r\n" + more)


@pytest.mark.parametrize(
    ("data", "keeps"),
    [
        (WHOLE, True),
        (WHOLE + b"x", False),
        (WHOLE.replace(b"1.1", b"1.0"), False),
        (WHOLE.replace(b"OK\r\n", b"OK\r\nConnection: Close\r\n"), False),
        (WHOLE.replace(b"OK\r\n", b"OK\r\nConnection: keep-alive\r\n"), True),
        (b"HTTP/1.1 204 None\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked([b"ab"]), True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked([b"ab"]) + b"x", False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n" + chunked([b"ab"]), False),
    ],
)
def test_a_connection_is_kept_where_the_answer_allows_it(data, keeps):
    reader = Reader()
    reader.feed(data)
    assert (reader.over, reader.keeps) == (True, keeps)


# connections ------------------------------------------------------------------------------------------


class Raw:
    """A server that answers each request of a connection with the next of these, and counts connections."""

    def __init__(self, *said, tls=None, greeting=b""):
        self.said, self.tls, self.connections, self.got, self.greeting = list(said), tls, 0, [], greeting
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://localhost:{self.socket.getsockname()[1]}/v1"
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as source:
                connection.sendall(self.greeting)
                while line := source.readline():
                    head = [line]
                    while (line := source.readline()).strip():
                        head.append(line)
                    self.got.append(b"".join(head))
                    size = next((int(one.split()[1]) for one in head if one.lower().startswith(b"content-length")), 0)
                    said = self.said.pop(0) if self.said else WHOLE
                    if callable(said):
                        said(connection)
                        return
                    source.read(size)
                    connection.sendall(said)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a connection
        self.socket.close()


def calls(awaited, url, count, *, body=CHAT, between=lambda: None, **options):
    """Return the texts of calls, one after the other."""
    if not awaited:
        with Client(url, "", retries=0, **options) as client:
            return [(client.send(body, model="m").text, between())[0] for _ in range(count)]

    async def run():
        async with AsyncClient(url, "", retries=0, **options) as client:
            return [((await client.send(body, model="m")).text, between(), await asyncio.sleep(0))[0] for _ in range(count)]

    return asyncio.run(run())


both = pytest.mark.parametrize("awaited", [False, True])


@both
def test_a_connection_carries_many_calls_and_each_request_is_whole(awaited):
    with Raw() as server:
        assert calls(awaited, server.url, 5) == ["Ho"] * 5
        assert server.connections == 1
        head = server.got[0].decode().lower().splitlines()
        assert head[:2] == ["post /v1/chat/completions http/1.1", f"host: {server.url.split('/')[2]}"]
        assert "accept-encoding: identity" in head


@both
def test_what_comes_unasked_is_not_the_next_answer(awaited):
    other = WHOLE.replace(b"Ho", b"No")

    def answer_and_end(connection):
        connection.sendall(WHOLE)
        connection.shutdown(socket.SHUT_WR)
        ended.set()
        while connection.recv(1 << 16):  # what is not read would make the end of the connection a reset
            pass

    ended = threading.Event()
    with Raw(WHOLE + other, WHOLE, answer_and_end) as server:
        # A connection that ends while the next request is on its way is an error, as it must be.
        assert calls(awaited, server.url, 4, between=lambda: len(server.got) == 3 and ended.wait()) == ["Ho"] * 4
        assert server.connections == 3


@both
def test_a_server_that_refuses_before_it_has_read_all_is_heard(awaited):
    refusal = b'HTTP/1.1 413 Large\r\ncontent-length: 36\r\nconnection: close\r\n\r\n{"error": {"message": "too large!!"}}'

    def refuse(connection):
        connection.sendall(refusal)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):  # what is not read would make the end of the connection a reset
            pass

    with Raw(refuse) as server, pytest.raises(diptych.ApiError) as found:
        calls(awaited, server.url, 1, body=[{"role": "user", "content": "x" * 8_000_000}])
    assert found.value.status == 413


@both
def test_a_deadline_ends_every_phase(awaited):
    waits = threading.Event()
    with Raw(lambda _: waits.wait(), lambda connection: (connection.sendall(WHOLE[:-5]), waits.wait())) as server:
        for _ in range(2):
            with pytest.raises(diptych.Timeout):
                calls(awaited, server.url, 1, timeout=0.2)  # clock: the limit that is tested
        waits.set()


@both
def test_a_certificate_is_checked(awaited, tmp_path, monkeypatch):
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"],
        check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with Raw(tls=context) as server:
        with pytest.raises(diptych.ConnectionFailed, match="certificate"):
            calls(awaited, server.url, 1)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert"))
        assert calls(awaited, server.url, 3) == ["Ho"] * 3
        with pytest.raises(diptych.ConnectionFailed, match="certificate"):
            calls(awaited, server.url.replace("localhost", "127.0.0.1"), 1)
        with pytest.raises(diptych.ConnectionFailed, match="certificate"):
            calls(awaited, server.url, 1, trust_env=False)


@both
def test_a_server_that_speaks_no_tls_is_no_hang(awaited):
    with Raw(greeting=b"HTTP/1.1 400 Bad\r\n\r\n") as server, pytest.raises(diptych.ConnectionFailed):
        calls(awaited, server.url.replace("http:", "https:"), 1)


def test_cancelled_calls_leave_no_connection_open(until):
    budget = Budget(tokens=10**9)

    def is_open(one):
        return isinstance(one, asyncio.Transport) and not one.is_closing()

    async def run(url):
        async with AsyncClient(url, budget=budget) as client:

            async def one():
                async with client.stream(CHAT, model="gpt-4o-mini", max_tokens=5) as stream:
                    async for _ in stream:
                        await asyncio.sleep(0.001)  # clock: so that the cancellation comes at any point

            rng = random.Random(1)
            for _ in range(150):
                task = asyncio.create_task(one())
                await asyncio.sleep(rng.random() * 0.006)  # clock: at any point of the call
                task.cancel()
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            assert len(asyncio.all_tasks()) == 1
            assert (await client.send(CHAT, model="gpt-4o-mini", max_tokens=5)).text == "Hi"
        gc.collect()
        await until.awaited(lambda: not [one for one in gc.get_objects() if is_open(one)], "the end of all connections")

    with Server() as server:
        asyncio.run(run(server.base_url))
    assert budget.reserved_tokens == 0


def test_a_stream_that_nobody_reads_holds_the_server_back():
    sent, go = [], threading.Event()
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 60_000 + b'"},"finish_reason":null}]}\n\n'

    def endless(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        go.set()
        connection.settimeout(1)
        while len(sent) < 2000:
            connection.sendall(piece)
            sent.append(len(piece))

    async def run(url):
        async with AsyncClient(url, "") as client, client.stream(CHAT, model="m") as stream:
            await anext(stream)
            await asyncio.to_thread(go.wait)
            before = -1
            while before < len(sent):  # the socket's buffers are full when nothing more goes out
                before = len(sent)
                await asyncio.sleep(0.2)  # clock: only how often it is looked at

    with Raw(endless) as server:
        asyncio.run(run(server.url))
    assert sum(sent) < 30_000_000


@pytest.mark.parametrize(
    ("environment", "direct"),
    [
        ({}, True),
        ({"https_proxy": "http://p:1"}, False),
        ({"all_proxy": "http://p:1"}, False),
        ({"http_proxy": "http://p:1"}, True),
        ({"https_proxy": "http://p:1", "no_proxy": "example.com"}, True),
        ({"no_proxy": "*"}, True),
    ],
)
def test_a_proxy_of_the_environment_takes_other_connections(environment, direct, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_direct(Place("https://api.example.com/v1", Secret("")), trust_env=True) is direct
    assert is_direct(Place("https://api.example.com/v1", Secret("")), trust_env=False)
    assert is_direct(Place("http://127.0.0.1:1/v1", Secret("")), trust_env=True)
