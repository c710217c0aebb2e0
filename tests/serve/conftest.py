"""A bridge that runs: in a thread, on a free port, over the test server or any other upstream."""

import contextlib
import json
import socket
import threading

import httpx
import pytest

from diptych.serve import Bridge, Settings, make_app
from diptych.serve.gate import Keys
from diptych.testing import Server

uvicorn = pytest.importorskip("uvicorn", reason="the extra serve is not installed")


class Running:
    """A bridge on loopback: ``url`` without ``/v1``, ``http`` a client of it."""

    def __init__(self, bridge, url):
        self.bridge, self.url = bridge, url
        self.http = httpx.Client(base_url=url, timeout=None, trust_env=False)

    def post(self, path, body, **headers):
        return self.http.post(path, json=body, headers=headers)

    def events(self, path, body):
        """Return the decoded events of a stream, "[DONE]" as it is."""
        lines = [line for line in self.post(path, {**body, "stream": True}).text.split("\n") if line[:5] == "data:"]
        return [line[6:] if "[DONE]" in line else json.loads(line[6:]) for line in lines]


@contextlib.contextmanager
def running(upstream, *, keys=(), **settings):
    bridge = Bridge(Settings(upstream=upstream, **settings), keys=Keys(keys))
    ready = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            ready.set()

    server = Server(uvicorn.Config(make_app(bridge), log_level="warning", lifespan="on"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        ready.wait()
        found = Running(bridge, f"http://127.0.0.1:{listening.getsockname()[1]}")
        try:
            yield found
        finally:
            found.http.close()
            server.should_exit = True
            thread.join()


@pytest.fixture
def start_bridge():
    """Start a bridge over an upstream: ``start_bridge(url, **settings)`` in a with block."""
    return running


@pytest.fixture(scope="session")
def upstream():
    """A server that speaks Chat, for tests that ask nothing special of it."""
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def bridge(upstream):
    """A bridge with the default settings, for tests that change nothing."""
    with running(upstream.base_url) as found:
        yield found
