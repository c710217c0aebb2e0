"""The bridge as a process: its command, its log, its end, and many streams at the same time."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from diptych.client.async_transport import AsyncAnswer
from diptych.client.cassette import Cassette
from diptych.client.exchange import Head
from diptych.errors import ClientError, ConfigError
from diptych.serve import Bridge, Settings, make_app
from diptych.serve.run import exposure
from diptych.testing import Server

BODY = {"model": "gpt-4o", "prompt": "Say hello", "max_tokens": 8}
#: uvicorn finishes what was accepted, then hands the signal on, as supervisors expect.
ENDED = -signal.SIGTERM
STREAMS = 1000
#: Resident megabytes that the process may have with so many streams open: about 50 KB for each.
MEMORY = 128


class Process:
    """``diptych serve`` over an upstream."""

    def __init__(self, upstream, *options, **environment):
        command = [sys.executable, "-m", "diptych", "serve", "--upstream", upstream, *options]
        known = {**os.environ, "OPENAI_API_KEY": "", "no_proxy": "*", **environment}
        self.popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=known)
        self.lines = []
        while "serving" not in (line := self.popen.stderr.readline()):
            assert line, self.lines
            self.lines.append(line)
        self.url = line.split()[1]
        self._reader = threading.Thread(target=self.lines.extend, args=(self.popen.stderr,), daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.popen.poll() is None:
            self.end(signal.SIGKILL)
        self._reader.join()
        self.popen.stderr.close()

    def end(self, number=signal.SIGTERM):
        self.popen.send_signal(number)
        code = self.popen.wait()
        self._reader.join()
        return code

    def resident(self):
        with open(f"/proc/{self.popen.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))

    def told(self):
        return [json.loads(line) for line in self.lines if line.startswith("{")]


def test_the_command_serves_logs_counts_and_ends(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("# ours\ns3cret-key\n")
    names = tmp_path / "models.json"
    names.write_text('{"davinci": "gpt-4o"}')
    with Server() as upstream:
        options = ("--port", "0", "--keys-file", str(keys), "--model-map", str(names), "--max-cost", "1")
        with Process(upstream.base_url, *options, OPENAI_API_KEY="sk-upstream-key") as process:
            headers = {"authorization": "Bearer s3cret-key"}
            with httpx.Client(base_url=process.url, headers=headers, trust_env=False) as http:
                assert http.post("/completions", json={**BODY, "model": "davinci"}).status_code == 200
                assert http.post("/completions", json={**BODY, "suffix": "x"}).status_code == 400
                assert http.post("/completions", json={**BODY, "stream": True}).text.endswith("data: [DONE]\n\n")
                assert http.post("/completions", json=BODY, headers={"authorization": ""}).status_code == 401
            assert upstream.requests[0].headers["authorization"] == "Bearer sk-upstream-key"
            assert process.end() == ENDED
        begun = [line["id"] for line in process.told() if line["outcome"] == "begun"]
        told = [line for line in process.told() if line["outcome"] != "begun"]
    assert begun == [line["id"] for line in told[:3]]
    assert [line["status"] for line in told] == [200, 400, 200, 401]
    assert told[0]["completion_tokens"] == 2
    assert float(told[0]["cost"]) > 0
    assert told[0]["key"] == told[2]["key"] != "s3cret-key"
    written = "".join(process.lines)
    for secret in ("s3cret-key", "sk-upstream-key", "Say hello"):
        assert secret not in written


def test_a_cassette_answers_without_an_upstream(start_bridge, tmp_path):
    tape = tmp_path / "tape.jsonl"
    with Server() as upstream, start_bridge(upstream.base_url, cassette=Cassette(tape, mode="all")) as bridge:
        first = bridge.post("/v1/completions", BODY).json()
        base = upstream.base_url
    with start_bridge(base, cassette=Cassette(tape, mode="none")) as bridge:
        assert bridge.post("/v1/completions", BODY).json() == first


def test_other_machines_are_warned_of(bridge):
    assert exposure(bridge.bridge, "127.0.0.1") is None
    assert "DIPTYCH_SERVE_KEYS" in exposure(bridge.bridge, "0.0.0.0")


def test_settings_that_cannot_be_are_refused_at_the_start(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    known = {"upstream": "http://127.0.0.1:1/v1"}
    wrong = ({"opt_in": frozenset({"magic"})}, {"unknown": "maybe"}, {"max_calls": 0}, {"upstream_api": "smoke"})
    for options in wrong:
        with pytest.raises(ConfigError):
            Settings(**known, **options)
    with pytest.raises(ClientError, match="API key"):
        Bridge(Settings(upstream="https://models.example.com/v1"))


# under load ------------------------------------------------------------------------------------------------


class Slow:
    """A server of Chat whose streams say one word, and the rest when ``go`` is set."""

    def __init__(self):
        self.running, self.most = 0, 0
        self._ready = threading.Event()
        self._loop = None

    def __enter__(self):
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exc):
        self.go()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def go(self):
        self._loop.call_soon_threadsafe(self._go.set)

    async def _run(self):
        self._loop, self._go, self._over = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        async with server:
            await self._over.wait()

    async def _serve(self, reader, writer):
        try:
            top = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(top.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            self.running += 1
            self.most = max(self.most, self.running)
            writer.write(self._chunk({"role": "assistant", "content": "one"}))
            await writer.drain()
            go = asyncio.ensure_future(self._go.wait())
            gone = asyncio.ensure_future(reader.read())
            await asyncio.wait({go, gone}, return_when=asyncio.FIRST_COMPLETED)
            go.cancel()
            writer.write(self._chunk({"content": " two"}) + self._chunk({}, "stop") + b"data: [DONE]\n\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.running -= 1
            writer.close()

    @staticmethod
    def _chunk(delta, reason=None):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        return b"data: " + json.dumps(body).encode() + b"\n\n"


class Reader:
    """One client of a stream: what it got, and whether that was whole."""

    def __init__(self, url):
        host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
        self.text, self.begun = b"", asyncio.Event()
        self.host, self.port = host, int(port)

    async def run(self):
        body = json.dumps({**BODY, "stream": True}).encode()
        head = f"POST /v1/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port)
            try:
                writer.write(head.encode() + body)
                while data := await reader.read(65536):
                    self.text += data
                    self.begun.set()
            finally:
                writer.transport.abort()
                await asyncio.sleep(0)  # the transport is closed in the next round of the loop
        except OSError:
            pass
        self.begun.set()
        return self

    @property
    def is_whole(self):
        return b"[DONE]" in self.text

    @property
    def was_accepted(self):
        return b"HTTP/1.1 200" in self.text


async def load(url, count, then):
    """Open so many streams, do ``then`` once each has begun; return the readers at their ends."""
    readers = [Reader(url) for _ in range(count)]
    tasks = [asyncio.ensure_future(one.run()) for one in readers]
    await asyncio.gather(*(one.begun.wait() for one in readers))
    await asyncio.to_thread(then)
    return await asyncio.gather(*tasks)


def test_a_thousand_streams_at_once_within_a_stated_memory():
    with Slow() as upstream, Process(upstream.base_url, "--port", "0", "--quiet") as process:
        before, found = process.resident(), []

        def then():
            found.append(process.resident())
            upstream.go()

        readers = asyncio.run(load(process.url, STREAMS, then))
    assert upstream.most == STREAMS
    assert all(one.is_whole for one in readers)
    assert found[0] < MEMORY, f"{before:.0f} MB before, {found[0]:.0f} MB with {STREAMS} streams"


def test_a_signal_ends_the_bridge_after_the_streams_that_were_accepted(until):
    with Slow() as upstream, Process(upstream.base_url, "--port", "0") as process:

        def then():
            process.popen.send_signal(signal.SIGTERM)
            address = process.url.removeprefix("http://").partition("/")[0].split(":")
            until(lambda: _refuses(address), "the bridge takes no further connection")
            upstream.go()

        readers = asyncio.run(load(process.url, 50, then))
        assert process.popen.wait() == ENDED
    assert all(one.is_whole for one in readers)


def _refuses(address):
    try:
        socket.create_connection((address[0], int(address[1])), 1).close()
    except OSError:
        return True
    return False


def test_a_kill_loses_no_accepted_request_silently():
    with Slow() as upstream:
        with Process(upstream.base_url, "--port", "0") as process:
            port = process.url.rpartition(":")[2].partition("/")[0]
            readers = asyncio.run(load(process.url, 50, lambda: process.popen.kill()))
        # Each client sees that its stream is not whole: no end, and no end of the transfer.
        assert all(one.was_accepted for one in readers)
        assert not any(one.is_whole or one.text.endswith(b"0\r\n\r\n") for one in readers)
        begun = [line for line in process.told() if line["outcome"] == "begun"]
        assert len(begun) == 50, "the log has every call that was accepted"
        with Process(upstream.base_url, "--port", port) as process:
            upstream.go()
            readers = asyncio.run(load(process.url, 5, lambda: None))
        assert all(one.is_whole for one in readers)


def test_a_client_that_leaves_ends_its_call_at_the_upstream(until):
    async def leave(url):
        one = Reader(url)
        task = asyncio.ensure_future(one.run())
        await one.begun.wait()
        task.cancel()
        await asyncio.wait({task})

    with Slow() as upstream, Process(upstream.base_url, "--port", "0") as process:
        asyncio.run(leave(process.url))
        until(lambda: not upstream.running, "the call at the upstream is ended")
        process.end()
        assert process.told()[-1]["outcome"] == "client left"


def test_a_client_that_does_not_read_holds_its_stream_back(monkeypatch):
    """Nothing is read of the upstream while a piece waits for the client."""

    async def run():
        read, sent = [], []

        class Endless(AsyncAnswer):
            head = Head(200, {"content-type": "text/event-stream"})

            def __init__(self):
                pass

            async def read(self, deadline):
                read.append(1)
                return Slow._chunk({"content": "x"})

            def close(self):
                read.append("closed")

        async def endless(self, out, **_):
            return Endless()

        monkeypatch.setattr("diptych.client.async_transport.AsyncTransport.send", endless)
        app = make_app(Bridge(Settings(upstream="http://127.0.0.1:1/v1")))
        requests = iter([{"type": "http.request", "body": json.dumps({**BODY, "stream": True}).encode()}])
        full = asyncio.Event()

        async def receive():
            return next(requests, None) or await asyncio.Event().wait()

        async def send(message):
            sent.append(message)
            if len(sent) > 3:
                await full.wait()

        scope = {"type": "http", "method": "POST", "path": "/v1/completions", "root_path": "", "headers": []}
        task = asyncio.ensure_future(app({**scope, "query_string": b"", "http_version": "1.1"}, receive, send))
        while len(sent) < 4:
            await asyncio.sleep(0)
        before = len(read)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert len(read) == before
        task.cancel()
        await asyncio.wait({task})
        assert read[-1] == "closed"

    asyncio.run(run())


@pytest.mark.parametrize("queue", [0, 2])
def test_what_is_too_much_is_refused_at_once(start_bridge, queue):
    with Slow() as upstream, start_bridge(upstream.base_url, max_calls=2, max_queue=queue) as bridge:
        url = f"{bridge.url}/v1"
        refused = []

        def then():
            response = bridge.post("/v1/completions", BODY)
            refused.append((response.status_code, response.headers.get("retry-after")))
            upstream.go()

        async def run():
            readers = [Reader(url) for _ in range(2 + queue)]
            tasks = [asyncio.ensure_future(one.run()) for one in readers]
            await asyncio.gather(*(one.begun.wait() for one in readers[:2]))
            while bridge.bridge.gate.waiting < queue:
                await asyncio.sleep(0)
            await asyncio.to_thread(then)
            return await asyncio.gather(*tasks)

        readers = asyncio.run(run())
    assert refused == [(503, "1")]
    assert all(one.is_whole for one in readers)
