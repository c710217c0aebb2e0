"""The test server: HTTP/1.1 on loopback, one thread a connection, faults on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from ..apis.framing import FRAMINGS
from . import answers, further, others
from .faults import Fault
from .refusals import BadRequestError
from .routes import Route, model_named, route

#: APIs whose answers are written without another API between.
_PAIR: Final = ("chat", "completions")
#: Bytes of a request that are read; the real servers take less.
_LARGEST: Final = 256 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """A request that the server got: path, headers (names in lower case), decoded body."""

    path: str
    headers: dict[str, str]
    body: Any

    def __repr__(self) -> str:
        return f"<Request {self.path}>"  # headers hold a key


class Server:
    """A deterministic server of the message APIs; a context manager.

    ``answer`` makes the text, or a whole message in the shape of Chat, from the body; by default it is the
    last message again. ``strict`` refuses what OpenAI's and Anthropic's servers refuse and many others let
    pass. ``delay`` is seconds before each answer. ``requests`` holds what came by POST, in order.

    >>> with Server() as server:
    ...     server.base_url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self, answer: answers.Answer | None = None, *, strict: bool = False, delay: float = 0.0, port: int = 0
    ) -> None:
        self.requests: list[Request] = []
        self._rules, self._delay, self._port = answers.Rules(answer, strict), delay, port
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http: ThreadingHTTPServer | None = None

    def next(self, *faults: Fault) -> Server:
        """Answer the next requests with these faults, one each; later ones rightly."""
        with self._lock:
            self._faults.extend(faults)
        return self

    @property
    def base_url(self) -> str:
        """The address for ``Client(base_url=…)``."""
        assert self._http is not None, "the server is not running: use it in a with block"
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> Server:
        """Begin to listen on a free port of 127.0.0.1."""
        owner = self

        class Handler(_Handler):
            server_of_tests = owner

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing: a client that leaves is part of the game."""

        self._http = Listener(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening, end what hangs, close."""
        self._stopping.set()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    # for the handler ---------------------------------------------------------------------

    def _take(self, request: Request) -> Fault | None:
        with self._lock:
            self.requests.append(request)
            return self._faults.popleft() if self._faults else None

    def _wait(self, seconds: float) -> None:
        if seconds:
            self._stopping.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of_tests: Server
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        path, of_anthropic = self.path.partition("?")[0], "anthropic-version" in self.headers
        name = model_named(path)
        if name is None:
            self._unknown("chat")
        elif name:
            self._json(200, further.model(name, of_anthropic=of_anthropic))
        else:
            self._json(200, further.models(of_anthropic=of_anthropic))

    def do_POST(self) -> None:
        data = self._body()
        try:
            body = json.loads(data or b"")
        except (ValueError, RecursionError):
            body = None
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = self.server_of_tests._take(Request(self.path, headers, body))
        if fault is not None and fault.chunks is not None:
            self._play(fault)
            return
        self.server_of_tests._wait(self.server_of_tests._delay)
        found = route(self.path.partition("?")[0], body)
        if found is None:
            self._unknown("chat")
        elif not isinstance(found.body, dict):
            words = "We could not parse the JSON body of your request: a JSON object is expected."
            self._refuse(found.api, BadRequestError(words))
        else:
            self._work(found, fault)

    def _body(self) -> bytes | None:
        """Return the body of the request, None where its length is not a number."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            with suppress(ValueError):
                return b"".join(self._chunks())
            self.close_connection = True
            return None
        length = self.headers.get("content-length", "0")
        self.close_connection = not (length.isdecimal() and int(length) <= _LARGEST)
        return None if self.close_connection else self.rfile.read(int(length))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0].strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _work(self, found: Route, fault: Fault | None) -> None:
        api, body, rules = found.api, found.body, self.server_of_tests._rules
        maker: Any = answers if api in _PAIR else others
        try:
            if found.work == "count":
                self._json(200, further.count(api, body))
            elif found.work == "embed":
                self._json(200, further.embeddings(body))
            elif body.get("stream") if api in _PAIR else others.is_streamed(api, body):
                self._stream(api, list(maker.events(api, body, rules)), fault)
            else:
                self._json(200, maker.whole(api, body, rules))
        except BadRequestError as error:
            self._refuse(api, error)
        except OSError:
            raise  # the client has left
        except Exception as error:
            # A fault of ``answer``, or of the server: a test shall see it, not a connection that breaks.
            self._refuse(api, BadRequestError(f"the test server failed: {type(error).__name__}: {error}"), 500)

    def _unknown(self, api: str) -> None:
        self._refuse(api, BadRequestError(f"Invalid URL ({self.command} {self.path})"), 404)

    def _refuse(self, api: str, error: BadRequestError, status: int = 400) -> None:
        self._json(status, others.refusal(api, error, status))

    def _stream(self, api: str, events: list[bytes], fault: Fault | None) -> None:
        self.send_response(200)
        self.send_header("content-type", FRAMINGS[api].media_type)
        self.send_header("transfer-encoding", "chunked")
        self.send_header("x-request-id", "req_test")
        self.end_headers()
        for event in self._some(events, fault):
            self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _some(self, events: list[bytes], fault: Fault | None) -> Iterator[bytes]:
        for event in events if fault is None else events[: fault.events]:
            yield event
            if fault is not None and fault.pause:
                self.server_of_tests._wait(fault.pause)

    def _play(self, fault: Fault) -> None:
        self.server_of_tests._wait(fault.delay)
        for index, chunk in enumerate(fault.chunks or ()):
            if index and fault.pause:
                self.server_of_tests._wait(fault.pause)
            self.wfile.write(chunk)
            self.wfile.flush()
        self.close_connection = not fault.keep
        if fault.reset:
            # Linger 0: the kernel answers with RST instead of an orderly end.
            time.sleep(0.02)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _json(self, code: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("x-request-id", "req_test")
        self.end_headers()
        self.wfile.write(data)
