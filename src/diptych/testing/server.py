"""The test server: HTTP/1.1 on loopback, one thread a connection, faults on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from . import answers, others
from .faults import Fault

#: The longer end first: the Chat path ends as the Completions path does.
_ENDS: Final = {"/chat/completions": "chat", "/completions": "completions"}


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

    ``answer`` makes the text from the body; by default it is the last message again.
    ``delay`` is seconds before each answer. ``requests`` holds what came, in order.

    >>> with Server() as server:
    ...     server.base_url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, answer: answers.Answer | None = None, *, delay: float = 0.0, port: int = 0) -> None:
        self.requests: list[Request] = []
        self._answer, self._delay, self._port = answer, delay, port
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
        if self.path.rstrip("/").endswith("/models"):
            self._json(200, {"object": "list", "data": [{"id": "test", "object": "model"}]})
        else:
            self._error(404, f"no such path: {self.path}")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        data = self.rfile.read(length)
        try:
            body = json.loads(data)
        except ValueError:
            body = None
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = self.server_of_tests._take(Request(self.path, headers, body))
        if fault is not None and fault.chunks is not None:
            self._play(fault)
            return
        self.server_of_tests._wait(self.server_of_tests._delay)
        path = self.path.partition("?")[0]
        api = next((api for end, api in _ENDS.items() if path.endswith(end)), None)
        if api is None and (found := others.api_at(path, body)):
            api, body = found
        if api is None:
            self._error(404, f"no such path: {self.path}")
        elif not isinstance(body, dict):
            self._error(400, "the body is not a JSON object")
        else:
            self._reply(api, body, fault)

    def _reply(self, api: str, body: dict[str, Any], fault: Fault | None) -> None:
        answer = self.server_of_tests._answer
        own = api in _ENDS.values()
        try:
            if body.get("stream") if own else others.is_streamed(api, body):
                self._stream(list((answers if own else others).events(api, body, answer)), fault)
            else:
                self._json(200, (answers if own else others).whole(api, body, answer))
        except answers.BadRequestError as error:
            self._error(400, str(error), error.param)

    def _stream(self, events: list[bytes], fault: Fault | None) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
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
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("x-request-id", "req_test")
        self.end_headers()
        self.wfile.write(data)

    def _error(self, code: int, message: str, param: str | None = None) -> None:
        kind = "invalid_request_error"
        self._json(code, {"error": {"message": message, "type": kind, "param": param, "code": None}})
