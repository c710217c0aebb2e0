"""For the tests of users: a deterministic server with both endpoints, faults on demand.

::

    from diptych.testing import Server, status

    with Server() as server, diptych.Client(server.base_url) as client:
        server.next(status(429, headers={"retry-after": "0"}))   # the first attempt fails
        assert client.send("Hello", model="test").text == "Hello"

For pytest, ``pytest_plugins = ["diptych.testing.plugin"]`` gives the fixtures
``diptych_server`` and ``diptych_snapshot``. No model and no network stand behind it: the answer is the last
message or the prompt again, tokens are counted, and JSON is made to fit the schema.
"""

from __future__ import annotations

from .faults import Fault, cut, hang, raw, redirect, reset, slow, status
from .server import Request, Server

__all__ = ["Fault", "Request", "Server", "cut", "hang", "raw", "redirect", "reset", "slow", "status"]
