"""Many calls from a file, in the shape of OpenAI's Batch API, sent live.

Rule: a result is one appended line, written whole; what is not in the results file has
not been done, and a second run does only that and what failed for want of a connection,
a key or room at the server. The thread that gets an answer writes it, so that nothing that
happens elsewhere (Ctrl-C, an error, another line's failure) can lose it.

Source of the shape: OpenAI, "Batch API" (2024-2026): ``{"custom_id", "method", "url", "body"}``
in, ``{"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error"}`` out, at
most 50,000 lines and 200 MB a file, one endpoint.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from ..errors import ApiError, BudgetExceeded, ClientError, DiptychError, FormatError, PriceError
from ._sync import Client
from .options import Api
from .replies import Reply
from .results import BadResults, Name, done_ids, read_results
from .results_file import Results

__all__ = [
    "BadResults",
    "BatchCounts",
    "BatchLine",
    "Reason",
    "Results",
    "done_ids",
    "read_lines",
    "read_results",
    "run_batch",
    "write_lines",
]

logger = logging.getLogger("diptych.client")
Outcome: TypeAlias = Reply | DiptychError

_URLS: Final[dict[str, Api]] = {"/v1/chat/completions": "chat", "/v1/completions": "completions"}
MAX_LINES: Final = 50_000
MAX_BYTES: Final = 200_000_000
#: Seconds that answers under way are waited for when a run is stopped.
GRACE: Final = 30.0
#: Errors of a budget: raised before anything is sent.
_HELD_BACK: Final = (BudgetExceeded, PriceError)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why lines failed: how many, and the error of the first."""

    count: int
    example: str


@dataclass
class BatchCounts:
    """What a run has done: lines sent well, failed, found done before; tokens; USD where known.

    ``unpriced`` counts the replies whose cost is unknown, which ``cost`` lacks. ``reasons`` says why
    lines failed: ``over the budget``, ``no output cap``, ``no known price`` (nothing was sent, and
    there is no result), else the code of the error.
    """

    done: int = 0
    failed: int = 0
    skipped: int = 0
    tokens: int = 0
    cost: Decimal = field(default_factory=Decimal)
    unpriced: int = 0
    reasons: dict[str, Reason] = field(default_factory=dict)

    def add(self, outcome: Reply | DiptychError) -> None:
        """Count one outcome."""
        if isinstance(outcome, DiptychError):
            self.failed += 1
            name = _reason(outcome)
            known = self.reasons.get(name)
            self.reasons[name] = Reason(known.count + 1, known.example) if known else Reason(1, _example(outcome))
            return
        self.done += 1
        self.tokens += outcome.usage.total_tokens if outcome.usage else 0
        self.cost += outcome.cost or Decimal(0)
        self.unpriced += outcome.cost is None

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object; the cost is null where it is known of no reply."""
        unknown = self.unpriced > 0 and self.unpriced == self.done
        reasons = [{"reason": name, "count": why.count, "example": why.example} for name, why in self.reasons.items()]
        return {**self.__dict__, "cost": None if unknown else str(self.cost), "reasons": reasons}


def _reason(error: DiptychError) -> str:
    if isinstance(error, BudgetExceeded):
        return error.reason
    return "no known price" if isinstance(error, PriceError) else error.error_code.replace("-", " ")


def _example(error: DiptychError) -> str:
    where = error.where()
    return f"{where}: {error.message}" if where else error.message


@dataclass(frozen=True)
class BatchLine:
    """One request: its id, endpoint and body; or the error of a line that is none."""

    custom_id: str
    api: Api | None
    body: Mapping[str, Any]
    error: DiptychError | None = None


def read_lines(path: Name) -> Iterator[BatchLine]:
    """Yield the requests of a file; a bad line, or an id that came before, carries its error (``file:line``)."""
    seen: set[str] = set()
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            line = _read_line(raw, number, f"{Path(path).name}:{number}")
            if line.custom_id in seen and line.error is None:
                error = FormatError("duplicate custom_id", path=f"{Path(path).name}:{number}: $.custom_id")
                line = BatchLine(f"line-{number}", None, {}, error)
            seen.add(line.custom_id)
            yield line


def _read_line(raw: bytes, number: int, place: str) -> BatchLine:
    unknown = f"line-{number}"
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return BatchLine(unknown, None, {}, FormatError("not JSON", path=place))
    id_ = value.get("custom_id") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(id_, str) or not isinstance(value.get("body"), dict):
        error = FormatError("expected an object with custom_id (a string), url and body (an object)", path=place)
        return BatchLine(id_ if isinstance(id_, str) else unknown, None, {}, error)
    api = _URLS.get(str(value.get("url")))
    if api is None:
        message = f"unknown endpoint {value.get('url')!r} (known: {', '.join(_URLS)})"
        return BatchLine(id_, None, {}, FormatError(message, path=f"{place}: $.url"))
    return BatchLine(id_, api, value["body"])


def run_batch(
    client: Client,
    source: Name,
    out: Name,
    *,
    concurrency: int = 8,
    resume: bool = False,
    step: Callable[[BatchCounts], object] | None = None,
) -> BatchCounts:
    """Send the requests of ``source`` and append their results to ``out``; return the counts.

    With ``resume`` what ``out`` holds already is not sent again; without it, ``out`` must not exist.
    ``step`` is called after each result, in the caller's thread. If it raises, or Ctrl-C is pressed,
    nothing more is sent, and answers under way are waited for, 30 seconds at most, and written.

    Raises ClientError if ``out`` exists or another process writes to it, FormatError if ``out`` is
    ``source`` or no results file. Errors of single lines stand in their results.
    """
    if _is_same(source, out):
        raise FormatError(
            "the requests and the results are the same file",
            path=os.fspath(out),
            hint="name another file for the results",
        )
    ids = {line.custom_id for line in read_lines(source)}
    counts = BatchCounts()
    with Results(out, fresh=not resume) as results:
        done = results.begin(ids)
        pending = _pending(source, done, counts)
        crew = _Crew(pending, lambda line: _answered(client, line, results), min(concurrency, len(ids - done)))
        try:
            for outcome in crew.run():
                counts.add(outcome)
                if step is not None:
                    step(counts)
        except BaseException:
            crew.stop(GRACE)
            for outcome in crew.left():
                counts.add(outcome)
            raise
    return counts


def _is_same(source: Name, out: Name) -> bool:
    try:
        return os.path.samefile(source, out)
    except FileNotFoundError:
        return False


def _pending(source: Name, done: set[str], counts: BatchCounts) -> Iterator[BatchLine]:
    for line in read_lines(source):
        if line.custom_id in done:
            counts.skipped += 1
        else:
            yield line


class _Crew:
    """Threads that take lines and work on each; whoever runs them gets the outcomes.

    They are daemons: a process that is told to leave does not wait for a server that hangs.
    """

    def __init__(self, lines: Iterator[BatchLine], work: Callable[[BatchLine], Outcome], count: int) -> None:
        self._lines, self._work = lines, work
        self._taking, self._stopped = threading.Lock(), threading.Event()
        self._found: queue.SimpleQueue[Outcome | _Broken | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"diptych-batch-{number}", daemon=True)
            for number in range(max(1, count))
        ]

    def run(self) -> Iterator[Outcome]:
        """Start; yield the outcomes as they come. Raises what no outcome says: a file that breaks off, a full disk."""
        for thread in self._threads:
            thread.start()
        busy = len(self._threads)
        while busy:
            found = self._next()
            if found is None:
                busy -= 1
            elif isinstance(found, _Broken):
                raise found.error
            else:
                yield found

    def stop(self, seconds: float) -> None:
        """Take no more lines, and wait so long for the work under way."""
        self._stopped.set()
        until = time.monotonic() + seconds
        busy = [thread for thread in self._threads if thread.is_alive()]
        if busy:
            logger.warning("stopping: waiting up to %g s for the answers that are under way", seconds)
        for thread in busy:
            thread.join(max(0.0, until - time.monotonic()))

    def left(self) -> Iterator[Outcome]:
        """Yield the outcomes that nobody has seen yet."""
        while not self._found.empty():
            found = self._found.get()
            if found is not None and not isinstance(found, _Broken):
                yield found

    def _next(self) -> Outcome | _Broken | None:
        while True:
            # Without a limit, Windows would not let Ctrl-C through.
            with contextlib.suppress(queue.Empty):
                return self._found.get(timeout=1.0)

    def _run(self) -> None:
        try:
            while (line := self._take()) is not None:
                self._found.put(self._work(line))
            self._found.put(None)
        except BaseException as error:
            self._found.put(_Broken(error))

    def _take(self) -> BatchLine | None:
        with self._taking:
            return None if self._stopped.is_set() else next(self._lines, None)


class _Broken(NamedTuple):
    """What ended a thread of the crew."""

    error: BaseException


def _answered(client: Client, line: BatchLine, results: Results) -> Outcome:
    """Send a line; its result is written by the thread that got it, before anything else can happen."""
    outcome = _send(client, line)
    # What the budget held back was not sent: a later run with more may do it.
    if not isinstance(outcome, _HELD_BACK):
        results.append(_result(line, outcome))
    return outcome


def _send(client: Client, line: BatchLine) -> Outcome:
    if line.error is not None:
        return line.error
    try:
        return client.send(dict(line.body), api=line.api)
    except DiptychError as error:
        return error
    except Exception as error:
        # One line never ends the others. The text of an error that nobody foresaw may hold anything, a key too.
        frames = "".join(traceback.format_tb(error.__traceback__))
        logger.debug("request %s: unexpected %s\n%s", line.custom_id, type(error).__name__, frames)
        return ClientError(f"unexpected {type(error).__name__}", hint="this is a fault of Diptych: please report it")


def _result(line: BatchLine, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Reply):
        response = {"status_code": 200, "request_id": outcome.request_id, "body": dict(outcome.raw)}
        return {"id": f"batch_req_{line.custom_id}", "custom_id": line.custom_id, "response": response, "error": None}
    status = outcome.status if isinstance(outcome, ApiError) else None
    request_id = outcome.request_id if isinstance(outcome, ClientError) else None
    found = {"status_code": status, "request_id": request_id, "body": None} if status else None
    error = {"code": outcome.error_code, "message": outcome.message, "path": outcome.path}
    return {"id": f"batch_req_{line.custom_id}", "custom_id": line.custom_id, "response": found, "error": error}


def write_lines(requests: Iterable[tuple[str, Mapping[str, Any]]], path: Name) -> int:
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
