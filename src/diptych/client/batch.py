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

import asyncio
import json
import logging
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..errors import ApiError, BudgetExceeded, ClientError, DiptychError, FormatError, PriceError
from ..request import Api
from ._async import AsyncClient
from ._sync import Client
from .crew import GRACE, Crew, check_concurrency
from .replies import Reply
from .requests import digest
from .results import HASH, SECONDS, BadResults, Name, done_ids, read_results
from .results_file import Results

__all__ = [
    "BadResults",
    "BatchCounts",
    "BatchLine",
    "Reason",
    "Results",
    "arun_batch",
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
#: Errors of a budget: raised before anything is sent.
_HELD_BACK: Final = (BudgetExceeded, PriceError)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why lines failed: how many, and the error of the first."""

    count: int
    example: str


@dataclass
class BatchCounts:
    """What a run has done: lines sent well, failed, found done well before; tokens; USD where known.

    ``failed`` includes lines that an earlier run found wrong for good, which are not sent again, and lines
    whose body is another than the one that their result answers (``changed``).

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
            self._add_failure(_reason(outcome), _example(outcome))
            return
        self.done += 1
        self.tokens += outcome.usage.total_tokens if outcome.usage else 0
        self.cost += outcome.cost or Decimal(0)
        self.unpriced += outcome.cost is None

    def _add_failure(self, reason: str, example: str) -> None:
        """Count a line that failed; ``example`` is the error of the first with its reason."""
        self.failed += 1
        known = self.reasons.get(reason)
        self.reasons[reason] = Reason(known.count + 1, known.example) if known else Reason(1, example)

    def ordered(self) -> list[tuple[str, Reason]]:
        """Return the reasons, the most frequent first, equally frequent ones by name.

        >>> BatchCounts(reasons={"b": Reason(1, ""), "a": Reason(1, ""), "c": Reason(2, "")}).ordered()[0][0]
        'c'
        """
        return sorted(self.reasons.items(), key=lambda item: (-item[1].count, item[0]))

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object; the cost is null where it is known of no reply."""
        unknown = self.unpriced > 0 and self.unpriced == self.done
        reasons = [{"reason": name, "count": why.count, "example": why.example} for name, why in self.ordered()]
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
    taken: set[str] | None = None
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            line = _read_line(raw, f"{Path(path).name}:{number}")
            if line.custom_id in seen and line.error is None:
                error = FormatError("duplicate custom_id", path=f"{Path(path).name}:{number}: $.custom_id")
                line = BatchLine("", None, {}, error)
            if not line.custom_id or line.custom_id in seen:
                taken = _ids_in(path) if taken is None else taken
                line = replace(line, custom_id=_placeholder(number, taken))
            seen.add(line.custom_id)
            yield line


def _ids_in(path: Name) -> set[str]:
    """Return every custom_id that a file holds."""
    with open(path, "rb") as file:
        return {_read_line(raw, "").custom_id for raw in file if raw.strip()}


def _placeholder(number: int, taken: set[str]) -> str:
    """Return an id for a line that has none; no line has it.

    >>> _placeholder(3, {"line-3"})
    'line-3~'
    """
    name = f"line-{number}"
    while name in taken:
        name += "~"
    return name


def _read_line(raw: bytes, place: str) -> BatchLine:
    """Return the request of a line; one without an id has the id ""."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return BatchLine("", None, {}, FormatError("not JSON", path=place))
    id_ = value.get("custom_id") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(id_, str) or not isinstance(value.get("body"), dict):
        error = FormatError("expected an object with custom_id (a string), url and body (an object)", path=place)
        return BatchLine(id_ if isinstance(id_, str) else "", None, {}, error)
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
    check_concurrency(concurrency)
    requests, counts = _requests_of(source, out), BatchCounts()
    with Results(out, fresh=not resume) as results:
        done = _begun(results, requests, counts)
        threads = _most(concurrency, requests, done)
        crew = Crew(_pending(source, done), lambda line: _answered(client, line, results), threads)
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


async def arun_batch(
    client: AsyncClient,
    source: Name,
    out: Name,
    *,
    concurrency: int = 8,
    resume: bool = False,
    step: Callable[[BatchCounts], object] | None = None,
) -> BatchCounts:
    """Do the same with an :class:`~diptych.AsyncClient`.

    A task that is cancelled sends nothing more and closes what is under way; what was written stays.
    """
    check_concurrency(concurrency)
    requests, counts = _requests_of(source, out), BatchCounts()
    with Results(out, fresh=not resume) as results:
        done = _begun(results, requests, counts)
        pending = _pending(source, done)

        async def work() -> None:
            for line in pending:
                outcome = line.error or await _asent(client, line)
                _write(line, outcome, results)
                counts.add(outcome)
                if step is not None:
                    step(counts)

        async with asyncio.TaskGroup() as group:
            for _ in range(_most(concurrency, requests, done)):
                group.create_task(work())
    return counts


def _most(concurrency: int, requests: Mapping[str, str], done: set[str]) -> int:
    return max(1, min(concurrency, len(requests.keys() - done)))


def _requests_of(source: Name, out: Name) -> dict[str, str]:
    """Return the hash of every body of a file by its id. Raises FormatError where ``out`` is the same file."""
    if _is_same(source, out):
        raise FormatError(
            "the requests and the results are the same file",
            path=os.fspath(out),
            hint="name another file for the results",
        )
    return {line.custom_id: digest(line.body) for line in read_lines(source)}


def _begun(results: Results, requests: Mapping[str, str], counts: BatchCounts) -> set[str]:
    """Make the results file ready; return the ids that are not sent, and count them."""
    done = results.begin(requests) & requests.keys()
    changed, failed = results.survey.changed(requests), results.survey.failed
    for id_ in requests:
        if id_ in done and id_ in changed:
            counts._add_failure("changed", f"the body of {id_!r} is another than the one that its result answers")
        elif id_ in done and id_ in failed:
            error = failed[id_]
            counts._add_failure(str(error.get("code") or "api").replace("-", " "), str(error.get("message") or id_))
        elif id_ in done:
            counts.skipped += 1
    return done


def _is_same(source: Name, out: Name) -> bool:
    try:
        return os.path.samefile(source, out)
    except FileNotFoundError:
        return False


def _pending(source: Name, done: set[str]) -> Iterator[BatchLine]:
    return (line for line in read_lines(source) if line.custom_id not in done)


def _answered(client: Client, line: BatchLine, results: Results) -> Outcome:
    """Send a line; its result is written by the thread that got it, before anything else can happen."""
    outcome = line.error or _sent(client, line)
    _write(line, outcome, results)
    return outcome


def _write(line: BatchLine, outcome: Outcome, results: Results) -> None:
    # What the budget held back was not sent: a later run with more may do it.
    if not isinstance(outcome, _HELD_BACK):
        results.append(_result(line, outcome))


def _sent(client: Client, line: BatchLine) -> Outcome:
    try:
        return client.send(dict(line.body), api=line.api)
    except Exception as error:
        return _foreseen(error, line)


async def _asent(client: AsyncClient, line: BatchLine) -> Outcome:
    try:
        return await client.send(dict(line.body), api=line.api)
    except Exception as error:
        return _foreseen(error, line)


def _foreseen(error: Exception, line: BatchLine) -> DiptychError:
    """Return the error of a line: one line never ends the others."""
    if isinstance(error, DiptychError):
        return error
    # The text of an error that nobody foresaw may hold anything, a key too.
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.debug("request %s: unexpected %s\n%s", line.custom_id, type(error).__name__, frames)
    return ClientError(f"unexpected {type(error).__name__}", hint="this is a fault of Diptych: please report it")


def _result(line: BatchLine, outcome: Outcome) -> dict[str, Any]:
    hash_ = {HASH: digest(line.body)}
    if isinstance(outcome, Reply):
        took = {} if outcome.seconds is None else {SECONDS: round(outcome.seconds, 3)}
        response = {"status_code": 200, "request_id": outcome.request_id, "body": dict(outcome.raw), **hash_, **took}
        return {"id": f"batch_req_{line.custom_id}", "custom_id": line.custom_id, "response": response, "error": None}
    status = outcome.status if isinstance(outcome, ApiError) else None
    request_id = outcome.request_id if isinstance(outcome, ClientError) else None
    found = {"status_code": status, "request_id": request_id, "body": None} if status else None
    error = {"code": outcome.error_code, "message": outcome.message, "path": outcome.path, **hash_}
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
