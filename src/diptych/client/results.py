"""The results of a batch: what a line of them is, and what a file of them holds.

Rule: a file is a results file if every line of it is a result, and a torn last line the beginning
of one that a run wrote. What is neither is an error that names the file and the line.

Shape of a line (OpenAI, "Batch API", 2024-2026):
``{"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error"}``.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import (
    ClientError,
    ConnectionFailed,
    DiptychError,
    FormatError,
    QuotaExceeded,
    RateLimited,
    RedirectRefused,
    StreamIncomplete,
    StreamInterrupted,
    Timeout,
)

Name = str | os.PathLike[str]

_KEYS: Final = ("id", "custom_id", "response", "error")
_ID: Final = "batch_req_"
#: The field of a response or an error that holds the hash of the body that was sent.
HASH: Final = "request_hash"
#: The key of a result's response with the seconds of its call, retries included.
SECONDS: Final = "seconds"
_HEAD: Final = f'{{"id":"{_ID}'.encode()
_BOM: Final = b"\xef\xbb\xbf"
_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,4}|.|\Z)", re.DOTALL)
#: Outcomes that a later run may mend: nothing came, or not all, or the server had no room.
_MENDABLE: Final = frozenset(
    cls.error_code
    for cls in (
        ClientError,
        ConnectionFailed,
        QuotaExceeded,
        RateLimited,
        RedirectRefused,
        StreamIncomplete,
        StreamInterrupted,
        Timeout,
    )
)
_MENDABLE_STATUS: Final = frozenset({401, 403, 408, 409, 425, 429})


class BadResults(FormatError):
    """Lines that are no results: ``results`` holds the good ones by id, ``problems`` an error for each bad one."""

    def __init__(
        self,
        message: str = "",
        *,
        results: Mapping[str, Mapping[str, Any]] | None = None,
        problems: Collection[DiptychError] = (),
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.results: dict[str, Mapping[str, Any]] = dict(results or {})
        self.problems = tuple(problems)


def line_of(value: Mapping[str, Any]) -> bytes:
    """Return the line of a JSON object: UTF-8, without spaces, with its line feed.

    >>> line_of({"custom_id": "é"})
    b'{"custom_id":"\\xc3\\xa9"}\\n'
    """
    try:
        return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    except UnicodeEncodeError:
        # A lone surrogate has an escape in JSON, though no UTF-8 form.
        return (json.dumps(value, separators=(",", ":")) + "\n").encode()


def read_results(*paths: Name) -> dict[str, Mapping[str, Any]]:
    """Return the results of output and error files by their ids, in whatever order they stand.

    Of two results for one id the later one counts. Raises :class:`BadResults` after reading all
    files if a line is no result: its ``results`` are the good ones.
    """
    found: dict[str, Mapping[str, Any]] = {}
    problems: list[DiptychError] = []
    for path in paths:
        with open(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                value = parsed(raw)
                if _has_result(value):
                    found[value["custom_id"]] = value
                elif raw.strip():
                    problems.append(FormatError(f"not a result: {_kind(value)}", path=f"{os.fspath(path)}:{number}"))
    if problems:
        lines = "1 line is" if len(problems) == 1 else f"{len(problems)} lines are"
        raise BadResults(
            f"{lines} not a result; the first is {problems[0].message.partition(': ')[2]}",
            results=found,
            problems=problems,
            path=problems[0].path,
            hint="the error's .results holds the good lines, .problems the bad ones",
        )
    return found


def done_ids(path: Name) -> set[str]:
    """Return the ids that a results file holds for good, none where there is no such file.

    Errors that a later run may mend (no connection, cut off, no key, 429, 5xx) do not count, nor
    does a torn last line. The file is only read. Raises FormatError if it is not a results file.
    """
    try:
        with open(path, "rb") as file:
            return survey(file, os.fspath(path)).done
    except FileNotFoundError:
        return set()


# what a line is -----------------------------------------------------------------------------------


def parsed(raw: bytes) -> Any:
    """Return the value of a line, ``...`` where it is not JSON."""
    try:
        return json.loads(raw.removeprefix(_BOM).decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return ...


def _has_result(value: Any) -> bool:
    """Return whether a value is a result of any Batch API."""
    if not isinstance(value, dict) or not isinstance(value.get("custom_id"), str):
        return False
    parts = [value.get("response"), value.get("error")]
    return all(part is None or isinstance(part, dict) for part in parts) and parts != [None, None]


def is_own(value: Any) -> bool:
    """Return whether a value is a result and nothing else: a line that a run may stand beside."""
    if not _has_result(value) or not value.keys() <= set(_KEYS):
        return False
    response = value.get("response")
    return response is None or isinstance(response.get("status_code"), int)


def _begins_result(tail: bytes) -> bool:
    """Return whether these bytes, which are no whole line, are the beginning of one that a run wrote."""
    if len(tail) <= len(_HEAD):
        return _HEAD.startswith(tail)
    if not tail.startswith(_HEAD):
        return False
    try:
        # The last character may be torn, too.
        text = codecs.getincrementaldecoder("utf-8")().decode(tail)
    except UnicodeDecodeError:
        return False
    with contextlib.suppress(ValueError, RecursionError):
        json.JSONDecoder().raw_decode(text)
        return False  # a whole value, and then something that is no line feed
    return _is_partial(text)


def _is_partial(text: str) -> bool:
    from pydantic_core import from_json

    # Only the shape is looked at: the parser refuses lone surrogates and torn escapes, which may be here.
    plain = _ESCAPE.sub(_plain, text)
    try:
        value = from_json(plain, allow_partial="trailing-strings")
    except ValueError:
        return False
    if tuple(value) != _KEYS[: len(value)] or not str(value.get("id", _ID)).startswith(_ID):
        return False
    id_, custom_id = str(value.get("id", _ID)).removeprefix(_ID), value.get("custom_id", "")
    if not isinstance(custom_id, str) or not (id_ == custom_id if "response" in value else id_.startswith(custom_id)):
        return False
    return all(value.get(key) is None or isinstance(value[key], dict) for key in _KEYS[2:])


def _plain(escape: re.Match[str]) -> str:
    return {"u": "?", "": ""}.get(escape[0][1:2], escape[0])


def hash_of(row: Mapping[str, Any]) -> str | None:
    """Return the hash of the body that a result answers, None where the result does not hold it."""
    parts = [part for part in (row.get("response"), row.get("error")) if isinstance(part, Mapping)]
    return next((part[HASH] for part in parts if isinstance(part.get(HASH), str)), None)


def is_mendable(row: Mapping[str, Any]) -> bool:
    """Return whether a result is an error that a later run may mend."""
    status = (row.get("response") or {}).get("status_code") or 0
    code = (row.get("error") or {}).get("code")
    return str(code) in _MENDABLE or status in _MENDABLE_STATUS or status >= 500


def _kind(value: Any) -> str:
    """Return what a line is, for an error."""
    if value is ...:
        return "not JSON"
    if not isinstance(value, dict):
        return "JSON, but not an object"
    if isinstance(value.get("body"), dict):
        return "a request, as the input of a batch holds it"
    keys = ", ".join(list(value)[:6]) or "none"
    return f"a JSON object with the keys {keys[:200]}"


# what a file holds --------------------------------------------------------------------------------


@dataclass(slots=True)
class Survey:
    """What stands in a results file: ids by what their results are worth, and how the file ends."""

    done: set[str] = field(default_factory=set)
    #: Of those the ones that failed for good, each with its error.
    failed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    #: The hashes of the bodies that were sent, where the results hold them.
    hashes: dict[str, str] = field(default_factory=dict)
    mendable: set[str] = field(default_factory=set)
    #: Where the last whole line ends, and whether that line lacks its line feed.
    end: int = 0
    unended: bool = False
    torn: bool = False

    def add(self, row: Mapping[str, Any]) -> None:
        """Take one result; of two for one id the later counts."""
        id_, error = row["custom_id"], row.get("error")
        if is_mendable(row):
            self.mendable.add(id_)
            return
        self.done.add(id_)
        self.failed.pop(id_, None)
        if error is not None or ((row.get("response") or {}).get("status_code") or 0) >= 400:
            self.failed[id_] = error or {}
        if (known := hash_of(row)) is not None:
            self.hashes[id_] = known

    def changed(self, requests: Mapping[str, str]) -> set[str]:
        """Return the ids that have a result for another body than the one of this hash."""
        return {id_ for id_, known in self.hashes.items() if requests.get(id_, known) != known}


def survey(lines: Iterator[bytes], name: str) -> Survey:
    """Return what a file holds. Raises FormatError at the first line that is not a result."""
    found = Survey()
    for number, raw in enumerate(lines, 1):
        if not raw.endswith(b"\n") and _begins_result(raw):
            found.torn = True
            return found
        value = parsed(raw)
        if is_own(value):
            found.add(value)
        elif raw.strip() or not raw.endswith(b"\n"):
            raise _foreign(name, number, value, found)
        found.end += len(raw)
        found.unended = not raw.endswith(b"\n")
    return found


def _foreign(name: str, number: int, value: Any, found: Survey) -> FormatError:
    if found.done or found.mendable:
        hint = "if the results file is damaged here, delete the line and run again"
    else:
        hint = "name the results file of an earlier run, or a file that does not exist yet"
    message = f"not a results file: this line is {_kind(value)}; nothing was changed"
    return FormatError(message, path=f"{name}:{number}", hint=hint)
