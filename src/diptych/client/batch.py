"""Many calls from a file, in the shape of OpenAI's Batch API, sent live.

Rule: a result is one appended line, written whole; what is not in the results file has
not been done, and a second run does only that and what failed for want of a connection,
a key or room at the server. A line that was torn by a kill is cut
off before the first new one. One failure is one result and loses nothing.

Source of the shape: OpenAI, "Batch API" (2024-2026): ``{"custom_id", "method", "url", "body"}``
in, ``{"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error"}`` out, at
most 50,000 lines and 200 MB a file, one endpoint.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ..errors import (
    ApiError,
    BudgetExceeded,
    ClientError,
    ConnectionFailed,
    DiptychError,
    FormatError,
    QuotaExceeded,
    RateLimited,
    StreamIncomplete,
    StreamInterrupted,
    Timeout,
)
from ._sync import Client
from .replies import Api, Reply

_URLS: Final[dict[str, Api]] = {"/v1/chat/completions": "chat", "/v1/completions": "completions"}
MAX_LINES: Final = 50_000
MAX_BYTES: Final = 200_000_000


@dataclass
class BatchCounts:
    """What a run has done: lines sent well, failed, found done before; tokens; USD where known."""

    done: int = 0
    failed: int = 0
    skipped: int = 0
    tokens: int = 0
    cost: Decimal = field(default_factory=Decimal)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        return {**self.__dict__, "cost": str(self.cost)}


@dataclass(frozen=True)
class BatchLine:
    """One request: its id, endpoint and body; or the error of a line that is none."""

    custom_id: str
    api: Api | None
    body: Mapping[str, Any]
    error: DiptychError | None = None


def read_lines(path: str | os.PathLike[str]) -> Iterator[BatchLine]:
    """Yield the requests of a file; a bad line, or an id that came before, carries its error."""
    seen: set[str] = set()
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            line = _read_line(raw, number)
            if line.custom_id in seen and line.error is None:
                error = FormatError("this custom_id came before", path=f"line {number}: $.custom_id")
                line = BatchLine(f"line-{number}", None, {}, error)
            seen.add(line.custom_id)
            yield line


def _read_line(raw: bytes, number: int) -> BatchLine:
    unknown = f"line-{number}"
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return BatchLine(unknown, None, {}, FormatError("this line is no JSON", path=f"line {number}"))
    id_ = value.get("custom_id") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(id_, str) or not isinstance(value.get("body"), dict):
        error = FormatError("a line has a custom_id, a url and a body", path=f"line {number}")
        return BatchLine(id_ if isinstance(id_, str) else unknown, None, {}, error)
    api = _URLS.get(str(value.get("url")))
    if api is None:
        return BatchLine(
            id_, None, {}, FormatError(f"no such endpoint: {value.get('url')!r}", path=f"line {number}: $.url")
        )
    return BatchLine(id_, api, value["body"])


#: Outcomes that a later run may mend: nothing came, or not all, or the server had no room.
_MENDABLE: Final = frozenset(
    cls.error_code
    for cls in (ConnectionFailed, Timeout, StreamInterrupted, StreamIncomplete, RateLimited, QuotaExceeded)
)
_MENDABLE_STATUS: Final = frozenset({401, 403, 408, 409, 425, 429})


def done_ids(path: str | os.PathLike[str]) -> set[str]:
    """Return the ids that a results file holds for good; a torn last line is cut off.

    Lines whose error a later run may mend (no connection, cut off, no key, 429, 5xx) are
    taken out, so that an id never has two lines.
    """
    file = Path(path)
    if not file.exists():
        return set()
    data = file.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(file, whole)
    lines = [line for line in data[:whole].splitlines(keepends=True) if line.strip()]
    rows = [json.loads(line) for line in lines]
    kept = [(line, row) for line, row in zip(lines, rows, strict=True) if not _is_mendable(row)]
    if len(kept) < len(rows):
        fresh = file.with_name(f"{file.name}.tmp")
        with fresh.open("wb") as new:
            new.writelines(line for line, _ in kept)
            new.flush()
            os.fsync(new.fileno())
        fresh.replace(file)
    return {row["custom_id"] for _, row in kept}


def _is_mendable(row: Mapping[str, Any]) -> bool:
    error = row.get("error")
    if not error:
        return False
    status = (row.get("response") or {}).get("status_code") or 0
    return error.get("code") in _MENDABLE or status in _MENDABLE_STATUS or status >= 500


class Results:
    """A results file: lines are appended whole, each at once."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._lock = threading.Lock()

    def append(self, value: Mapping[str, Any]) -> None:
        """Write one line."""
        line = (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "surrogatepass")
        with self._lock:
            os.write(self._file, line)

    def close(self) -> None:
        """Write everything to the disk and close."""
        os.fsync(self._file)
        os.close(self._file)


def run_batch(
    client: Client,
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    concurrency: int = 8,
    resume: bool = False,
    step: Callable[[BatchCounts], object] | None = None,
) -> BatchCounts:
    """Send the requests of ``source`` and append their results to ``out``; return the counts.

    With ``resume`` what ``out`` holds already is not sent again; without it, ``out`` must
    not exist. ``step`` is called after each result. Raises ClientError for an ``out``
    that exists; errors of single lines stand in their results.
    """
    if not resume and Path(out).exists():
        raise ClientError("the results file exists", path=os.fspath(out), hint="resume=True goes on with it")
    known = done_ids(out)
    counts, results = BatchCounts(), Results(out)
    try:
        lines = read_lines(source)
        with ThreadPoolExecutor(max(1, concurrency)) as threads:
            for line, outcome in _bounded(
                threads, lines, known, counts, lambda one: _send(client, one), 2 * concurrency
            ):
                if not isinstance(outcome, BudgetExceeded):
                    # What the budget held back was not sent: a later run with more may do it.
                    results.append(_result(line, outcome))
                _count(counts, outcome)
                if step is not None:
                    step(counts)
    finally:
        results.close()
    return counts


def _bounded(
    threads: ThreadPoolExecutor,
    lines: Iterable[BatchLine],
    known: set[str],
    counts: BatchCounts,
    send: Callable[[BatchLine], Reply | DiptychError],
    most: int,
) -> Iterator[tuple[BatchLine, Reply | DiptychError]]:
    """Yield results as they come, with at most so many lines read ahead."""
    waiting: dict[Future[Reply | DiptychError], BatchLine] = {}
    try:
        for line in lines:
            if line.custom_id in known:
                counts.skipped += 1
                continue
            waiting[threads.submit(send, line)] = line
            while len(waiting) >= most:
                yield from _finished(waiting)
        while waiting:
            yield from _finished(waiting)
    finally:
        for future in waiting:
            future.cancel()


def _finished(
    waiting: dict[Future[Reply | DiptychError], BatchLine],
) -> Iterator[tuple[BatchLine, Reply | DiptychError]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()


def _send(client: Client, line: BatchLine) -> Reply | DiptychError:
    if line.error is not None:
        return line.error
    try:
        return client.send(dict(line.body), api=line.api)
    except DiptychError as error:
        return error


def _count(counts: BatchCounts, outcome: Reply | DiptychError) -> None:
    if isinstance(outcome, DiptychError):
        counts.failed += 1
        return
    counts.done += 1
    counts.tokens += outcome.usage.total_tokens if outcome.usage else 0
    counts.cost += outcome.cost or Decimal(0)


def _result(line: BatchLine, outcome: Reply | DiptychError) -> dict[str, Any]:
    if isinstance(outcome, Reply):
        response = {"status_code": 200, "request_id": outcome.request_id, "body": dict(outcome.raw)}
        return {"id": f"batch_req_{line.custom_id}", "custom_id": line.custom_id, "response": response, "error": None}
    status = outcome.status if isinstance(outcome, ApiError) else None
    request_id = outcome.request_id if isinstance(outcome, ClientError) else None
    found = {"status_code": status, "request_id": request_id, "body": None} if status else None
    error = {"code": outcome.error_code, "message": outcome.message, "path": outcome.path}
    return {"id": f"batch_req_{line.custom_id}", "custom_id": line.custom_id, "response": found, "error": error}


def write_lines(requests: Iterable[tuple[str, Mapping[str, Any]]], path: str | os.PathLike[str]) -> int:
    """Write requests (id and body) as a file for upload; return the lines.

    Raises FormatError over the limits of the Batch API, or for bodies of both endpoints.
    """
    urls: set[str] = set()
    lines = []
    for id_, body in requests:
        url = "/v1/chat/completions" if "messages" in body else "/v1/completions"
        urls.add(url)
        lines.append(
            json.dumps({"custom_id": id_, "method": "POST", "url": url, "body": dict(body)}, ensure_ascii=False)
        )
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
    if len(urls) > 1:
        raise FormatError("a batch has one endpoint, and these bodies are of two", path="$.url")
    if len(lines) > MAX_LINES or len(data) > MAX_BYTES:
        raise FormatError(f"{len(lines)} lines of {len(data)} bytes are over the limits of a batch", path="$")
    Path(path).write_bytes(data)
    return len(lines)


def read_results(*paths: str | os.PathLike[str]) -> dict[str, Mapping[str, Any]]:
    """Return the results of output and error files by their ids, in whatever order they stand."""
    found: dict[str, Mapping[str, Any]] = {}
    for path in paths:
        for line in Path(path).read_bytes().splitlines():
            if line.strip():
                value = json.loads(line)
                found[value["custom_id"]] = value
    return found
