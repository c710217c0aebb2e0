"""Record and replay: one JSON line a call, with the bytes as they came.

Rule: the key of a recording is what was sent (endpoint, address, canonical body with
seed, model, format, stop and tools) and how often it was sent; what is written holds
no key, no compressed bytes and no header outside a short list. A miss is an error, never a call unawares.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal

from ..errors import ClientError
from .requests import digest
from .secret import Secret

Mode = Literal["none", "once", "new", "all"]
#: The version of a line.
_VERSION: Final = 1
#: The only response headers that are recorded.
_HEADERS: Final = ("content-type", "content-encoding", "x-request-id", "retry-after", "retry-after-ms", "location")


class Tape:
    """A recorded answer that is being played."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        response = entry["response"]
        self.status: int = response["status"]
        self.headers: dict[str, str] = response["headers"]
        self.cost: str | None = entry.get("cost")
        self._chunks = [_decode(chunk) for chunk in response["chunks"]]
        self._next = 0

    def read(self) -> bytes:
        """Return the next chunk as it once arrived, none at the end."""
        self._next += 1
        return self._chunks[self._next - 1] if self._next <= len(self._chunks) else b""


class Recorder:
    """Collects one answer; :meth:`save` appends it to the cassette."""

    def __init__(self, cassette: Cassette, key: str, request: dict[str, Any], secret: Secret) -> None:
        self._cassette, self._key, self._request, self._secret = cassette, key, request, secret
        self._status = 0
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._broken = False

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Note the head."""
        self._status = status
        self._headers = {k: self._secret.hide(v) for k, v in headers.items() if k in _HEADERS}

    def chunk(self, data: bytes) -> None:
        """Note a chunk."""
        if data:
            self._chunks.append(data)

    def failed(self, kind: str) -> None:
        """Note that the exchange broke: a broken answer is not recorded."""
        self._broken = kind != "timeout" or not self._chunks

    def save(self, cost: Any = None) -> None:
        """Append what was collected, where it is whole."""
        if self._status and not self._broken:
            response = {"status": self._status, "headers": self._headers, "chunks": self._clean()}
            entry = {"version": _VERSION, "key": self._key, "request": self._request, "response": response}
            self._cassette.append({**entry, "cost": None if cost is None else str(cost)})

    def _clean(self) -> list[Any]:
        """Return the chunks with a key that the server echoed struck out, even across chunks."""
        whole = self._secret.hide_bytes(b"".join(self._chunks))
        cut, at = [], 0
        for chunk in self._chunks:
            cut.append(_encode(whole[at : at + len(chunk)]))
            at += len(chunk)
        return cut


class Cassette:
    """Recordings in a JSONL file.

    Modes: ``none`` plays only, a miss is an error; ``once`` records where the file
    does not exist yet and plays otherwise; ``new`` plays what is there and records
    the rest; ``all`` records every call anew. The same call made twice plays its
    first and second recording.

    Raises ClientError for a file that is not a cassette.
    """

    def __init__(self, path: str | os.PathLike[str], *, mode: Mode = "once") -> None:
        if mode not in ("none", "once", "new", "all"):
            raise ClientError(f"there is no cassette mode {mode!r}", hint="none, once, new or all")
        self._path, self.mode = Path(path), mode
        self._lock = threading.Lock()
        self._entries: dict[str, list[dict[str, Any]]] = {}
        self._played: dict[str, int] = {}
        existed = self._path.exists()
        if existed:
            self._begin()
        elif mode == "none":
            raise ClientError("there is no cassette to replay", path=os.fspath(self._path))
        self._records = mode in ("new", "all") or (mode == "once" and not existed)
        self._plays = mode != "all"

    def __getstate__(self) -> Any:
        raise TypeError("a cassette is not pickled: open it where it is used")

    def find(self, url: str, body: Mapping[str, Any], secret: Secret) -> Tape | Recorder:
        """Return the recording of this call, or the recorder for it. Raises ClientError on a miss."""
        request = {"url": url, "body": dict(body)}
        key = digest(request)
        with self._lock:
            number = self._played.get(key, 0)
            entries = self._entries.get(key, [])
            if self._plays and number < len(entries):
                self._played[key] = number + 1
                return Tape(entries[number])
            if self._records:
                self._played[key] = number + 1
                return Recorder(self, key, json.loads(secret.hide_bytes(json.dumps(request).encode())), secret)
        raise ClientError(
            f"the cassette holds no recording {number + 1} of this call ({key[:12]})",
            path=os.fspath(self._path),
            hint="the body, its seed or its model changed; record anew with mode 'new' or 'all'",
        )

    def append(self, entry: dict[str, Any]) -> None:
        """Write one recording, whole or not at all visible to a reader of lines."""
        line = (json.dumps(entry, separators=(",", ":")) + "\n").encode()
        with self._lock:
            if self.mode != "all":
                self._entries.setdefault(entry["key"], []).append(entry)
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    os.write(file, line)
                finally:
                    os.close(file)
            except OSError as error:
                raise self._unusable("written", error) from None

    def _begin(self) -> None:
        try:
            if self.mode == "all":
                self._path.unlink()
            else:
                self._load()
        except OSError as error:
            raise self._unusable("read" if self.mode != "all" else "written", error) from None

    def _unusable(self, what: str, error: OSError) -> ClientError:
        return ClientError(f"the cassette cannot be {what}: {error.strerror}", path=os.fspath(self._path))

    def _load(self) -> None:
        for number, line in enumerate(self._path.read_bytes().split(b"\n"), 1):
            if line.strip():
                entry = _checked(line, f"{self._path}:{number}")
                self._entries.setdefault(entry["key"], []).append(entry)


def _checked(line: bytes, place: str) -> dict[str, Any]:
    """Return the recording of a line. Raises ClientError for a damaged one, or one of another version."""
    try:
        entry = json.loads(line)
        version = entry["version"]
        if version == _VERSION:
            tape = Tape(entry)
            known = isinstance(entry["key"], str) and type(tape.status) is int and 100 <= tape.status < 1000
            known = known and all(isinstance(text, str) for text in (*tape.headers, *tape.headers.values()))
            if known and (tape.cost is None or Decimal(tape.cost) >= 0):
                return dict(entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidOperation):
        version = _VERSION
    if version != _VERSION:
        hint = "record anew with mode 'all', or use the version of Diptych that recorded it"
        raise ClientError(f"a recording of version {version!r}, not {_VERSION}", path=place, hint=hint)
    raise ClientError("this line is no recording, or a damaged one", path=place, hint="record anew with mode 'all'")


def _encode(chunk: bytes) -> Any:
    try:
        return chunk.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(chunk).decode()}


def _decode(chunk: Any) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else base64.b64decode(chunk["base64"], validate=True)
