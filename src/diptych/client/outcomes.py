"""What an attempt amounts to: a reply, an error, and whether it may be tried again.

Rule: pure functions from what arrived to values; the flow decides with them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urljoin, urlsplit

from ..errors import ApiError, ClientError, ConnectionFailed, DiptychError, QuotaExceeded, RedirectRefused, Timeout
from ..response import Usage
from . import costs
from .answer import Answer
from .cassette import Tape
from .errors_of import api_error
from .exchange import Head, LostError
from .options import Timeouts
from .replies import Attempt, Reply
from .requests import Ask, Server
from .retry import Failure
from .secret import Secret
from .wishes import unmet

_REQUEST_IDS: Final = ("x-request-id", "request-id", "apim-request-id")
#: Statuses of a server that waited in vain for the request's end, or whose client did not wait.
_GAVE_UP: Final = frozenset({408, 499})
#: Statuses from 500 on that are said before any work is done: not implemented, unavailable, overloaded.
_REFUSED: Final = frozenset({501, 503, 505, 529})
_REDIRECT: Final = "a prompt is never sent on by itself: set base_url to the right address"
#: Characters of an I/O error's text that an error quotes.
_DETAIL: Final = 200
#: What each kind of I/O error says, and the way out.
_LOST: Final = {
    "connect": ("no connection could be made", "is the server running, and base_url right?"),
    "tls": ("the TLS certificate or handshake was refused", "retrying would not help; check the host name and CA"),
    "proxy": ("the proxy refused the connection", "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY"),
    "broken": ("the connection broke", None),
    "protocol": ("the server does not speak HTTP as it should", None),
    "closed": ("the client is closed", "open a new one"),
}


def request_id(head: Head) -> str | None:
    """Return the server's id of the answer, where it sent one."""
    return next((head.headers[name] for name in _REQUEST_IDS if name in head.headers), None)


def redirect(head: Head, server: Server) -> RedirectRefused:
    """Return the error for a redirect, naming both origins but no path or query."""
    try:
        target = urlsplit(urljoin(server.base_url, head.headers.get("location", "")))
        place = f"{target.scheme}://{target.hostname or ''}{f':{target.port}' if target.port else ''}"
    except ValueError:
        place = "an address that cannot be read"
    return RedirectRefused(
        f"{server.origin} redirects ({head.status}) to {place}",
        hint=_REDIRECT,
    )


def refused(head: Head, body: bytes) -> ClientError:
    """Return the typed error of an answer with an error status; it keeps a hash of its body."""
    error = api_error(head.status, body, request_id=request_id(head))
    error.body_hash = hashlib.sha256(body).hexdigest() if body else ""  # type: ignore[attr-defined]
    return error


def lost_error(lost: LostError, timeouts: Timeouts, key: Secret) -> ClientError:
    """Return the typed error of an exchange that the wire ended; its detail is cut after the key is replaced."""
    if lost.limit is not None:
        seconds = getattr(timeouts, lost.limit)
        return Timeout(f"no answer within the {lost.limit} limit of {seconds:g} s", limit=lost.limit)
    if lost.failed.kind == "redirect":
        return RedirectRefused("the server redirects to an address that cannot be read", hint=_REDIRECT)
    text, hint = _LOST[lost.failed.kind]
    detail = f": {key.hide(lost.failed.detail)[:_DETAIL]}" if lost.failed.detail else ""
    return ConnectionFailed(text + detail, hint=hint)


def failure_of(error: ClientError, head: Head, lost: LostError | None) -> Failure:
    """Return what the retry schedule needs to know of an error."""
    if lost is not None:
        permanent = lost.failed.kind in ("tls", "proxy", "closed", "redirect") or lost.limit == "total"
        return Failure(permanent=permanent, ambiguous=lost.failed.sent)
    return Failure(
        head.status,
        head.headers,
        permanent=isinstance(error, QuotaExceeded),
        ambiguous=may_be_billed(error),
        fingerprint=getattr(error, "body_hash", ""),
    )


def may_be_billed(error: DiptychError) -> bool:
    """Return whether the server may have done the work before this error: only a refusal says that it has not.

    >>> may_be_billed(ApiError(status=429)), may_be_billed(ApiError(status=504))
    (False, True)
    """
    status = error.status if isinstance(error, ApiError) else None
    if status is None or status in _GAVE_UP:
        return True
    return status not in _REFUSED and not 400 <= status < 500


@dataclass(frozen=True, slots=True)
class Arrived:
    """What is known of a call when its answer, or a part of it, has arrived.

    ``counts`` is true where the tokens are counted here, too; ``now`` is the ISO time
    whose price holds; a ``tape`` is what was played instead of a call.
    """

    ask: Ask
    answer: Answer
    head: Head
    attempts: tuple[Attempt, ...]
    seconds: float
    first_token: float | None
    counts: bool
    now: str
    tape: Tape | None = None


def build_reply(arrived: Arrived, notes: tuple[str, ...] = ()) -> Reply:
    """Return the reply that an answer makes."""
    ask, tape, response = arrived.ask, arrived.tape, arrived.answer.response
    notes = (*notes, *(() if "partial" in notes else unmet(ask, response)))
    usage = costs.settle_usage(_stated(response.usage), ask, response.choices, count=arrived.counts)
    requested, model = ask.body.get("model"), response.model
    if model and requested and not costs.same_model(str(requested), model):
        notes = (*notes, f"asked for model {requested!r}, answered by {model!r}")
    cost = costs.price(costs.billed_model(requested, model), usage, costs.billed_tier(ask, response), now=arrived.now)
    replayed = Decimal(tape.cost) if tape is not None and tape.cost is not None else None
    return Reply(
        api=ask.api,
        choices=arrived.answer.choices,
        usage=usage,
        cost=cost if tape is None else Decimal(0),
        model=model,
        id=response.id,
        system_fingerprint=response.system_fingerprint,
        seed=ask.body.get("seed"),
        request_id=request_id(arrived.head),
        raw=arrived.answer.body,
        asked=ask,
        attempts=arrived.attempts,
        template_hash=ask.template_hash,
        template_version=ask.template_version,
        requested_model=requested,
        seconds=arrived.seconds,
        first_token=arrived.first_token,
        replayed=tape is not None,
        original_cost=replayed,
        notes=notes,
        response=response,
    )


def _stated(usage: Usage | None) -> Usage | None:
    """Return the usage that a server stated: some proxies stream {0, 0, 0} in place of one."""
    return usage if usage is not None and usage.total_tokens else None
