"""Where in the source a place of a written body comes from.

The written body is read again; its values and those of the request stand in the same order, and the
ledger knows where each of the latter stood. This is done only where something is to be reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from ..errors import FormatError
from ..loss import Loss
from ..model import Message
from ..request import Request
from .api import Api, read_request
from .fields import Kind
from .ledger import Ledger


def obeyed(api: Api, body: dict[str, Any], request: Request, ledger: Ledger, *, whole: bool = True) -> dict[str, Any]:
    """Return a written body as the server of its API takes it; what is mended, or cannot be, is reported."""
    if api.rules is None:
        return body
    rules = api.rules.of_texts if _is_of_texts(request) else api.rules
    found, losses = rules.mended(body, whole=whole)
    if losses:
        origin = origins(api, body, request, ledger)
        for loss in losses:
            _report(origin(loss.path), loss, ledger)
    return found  # type: ignore[no-any-return]


def _is_of_texts(request: Request) -> bool:
    """Tell whether a conversation holds nothing but texts, none of them blank."""
    for message in request.conversation.messages:
        text = message.plain_text
        if not text or message.role == "tool" or text.isspace():
            return False
    return not request.conversation.tools


def _report(path: str, loss: Loss, ledger: Ledger) -> None:
    """Report a loss at a place of the source; of a message whose parts are reported already, its role is left."""
    place = ledger.spelt(path)
    known = {one.path for one in ledger.losses} if loss.kind == "message-dropped" else set()
    if place in known:
        return
    is_told = any(one.startswith((f"{place}.", f"{place}[")) for one in known)
    ledger.report(f"{path}.role" if is_told else path, loss.kind, loss.detail)


def origins(api: Api, body: Mapping[str, Any], request: Request, ledger: Ledger) -> Callable[[str], str]:
    """Return the function that gives a path of a written body as a path of the source of the request."""
    rows = {row.path: row.to for row in api.params}
    # Of two parameters with one place the first was written.
    rows |= {api.rows[name].path: name for name in reversed([*request.params]) if name in api.rows}
    again = cache(lambda: _read_again(api, body, request))

    def origin(path: str) -> str:
        if (written := ledger.origin(path, body)) is not None:
            return written
        read, known = again()
        if read is None:
            return path
        start = next((one for one in _prefixes(path) if one in known), None)
        if start is not None:
            new, old = known[start]
            name = _name(read.kind(new), path[len(start) :].lstrip("."))
            if name == "content" and isinstance(old, Message) and len(old.parts) == 1 and not old.is_plain:
                old, name = old.parts[0], "text"
            return ledger.path(old, name)
        inside = (old for one, (_, old) in known.items() if one.startswith((f"{path}.", f"{path}[")))
        if path != read.root and (first := next(inside, None)) is not None:
            return ledger.path(first)
        param = next((rows[one[2:]] for one in _prefixes(path) if one[2:] in rows), None)
        return path if param is None else f"$.{ledger.param(param)}"

    return origin


def _read_again(
    api: Api, body: Mapping[str, Any], request: Request
) -> tuple[Ledger | None, dict[str, tuple[Any, Any]]]:
    """Read a written body; return its ledger, None where it cannot be read, and what was written from what by path."""
    read = Ledger()
    try:
        again = read_request(api, body, read)
    except FormatError:
        return None, {}
    read.of(again)
    known = {read.spell(read.path(new)): (new, old) for new, old in _pairs(again, request)}
    known.pop(read.root, None)  # what nobody recorded a place of
    return read, known


def _pairs(again: Request, request: Request) -> Iterator[tuple[Any, Any]]:
    """Yield the values of a request that was read again, each with the one that it was written from."""
    waiting: dict[type, list[Any]] = defaultdict(list)
    for value in _values(request):
        waiting[type(value)].append(value)
    for value in _values(again):
        same = waiting[type(value)]
        if isinstance(value, Message):  # one before it that has another role went into a neighbour
            first = next((index for index, old in enumerate(same) if old.role == value.role), 0)
            del same[:first]
        if same:
            yield value, same.pop(0)


def _values(request: Request) -> Iterator[Any]:
    for message in request.conversation.messages:
        yield message
        yield from message.parts if not message.is_plain else ()
    yield from request.conversation.tools
    if request.conversation.response_format is not None:
        yield request.conversation.response_format


def _name(kind: Kind | None, inner: str) -> str:
    """Return the neutral name of a field that a table has at a path."""
    rows = kind.fields if kind else ()
    return next((row.to for row in rows if inner == row.path or inner.startswith(f"{row.path}.")), "")


def _prefixes(path: str) -> Iterator[str]:
    """Yield a path and the places around it, the nearest first.

    >>> list(_prefixes("$.a[0].b"))
    ['$.a[0].b', '$.a[0]', '$.a', '$']
    """
    while path:
        yield path
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
