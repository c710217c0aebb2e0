"""What the bridge says in place of an answer: a status, a message, and what a client can act on.

Rule: an error says whose fault it is. What the client sent wrongly is 4xx with the name of the parameter;
what the upstream did is 5xx, save what the client can heed (429, 404, 413); the bridge's own key at the
upstream is never presented as the client's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..apis.failures import STATUSES
from ..errors import (
    ApiError,
    BudgetExceeded,
    ClientError,
    ConnectionFailed,
    DiptychError,
    FormatError,
    LossError,
    QuotaExceeded,
    RateLimited,
    TemplateError,
    Timeout,
    TokenError,
)
from ..loss import Severity
from ..response import Failure

#: The neutral kind of each status that the bridge answers.
_KINDS: Final = {status: kind for kind, status in STATUSES.items()} | {
    405: "not_found", 422: "invalid_request", 501: "server", 502: "server", 529: "overloaded",
}  # fmt: skip
#: Statuses of the upstream that mean to the client what they mean to the bridge.
_PASSED: Final = frozenset({400, 404, 409, 413, 415, 422, 429, 500, 501, 503, 529})


class Refusal(NamedTuple):
    """An error as the bridge answers it; ``kind`` is a kind of :class:`~diptych.response.Failure`.

    ``again`` says whether a retry may help; None leaves it to the client. ``headers`` go beside it.
    """

    status: int
    message: str
    param: str | None = None
    code: str | None = None
    kind: str | None = None
    again: bool | None = None
    headers: Mapping[str, str] = {}

    def failure(self) -> Failure:
        """Return the error as the writers of all APIs take it."""
        kind = self.kind or _KINDS.get(self.status, "server")
        return Failure(self.message, kind, self.code, self.param)

    def all_headers(self) -> dict[str, str]:
        """Return the headers of the answer; both vendors' SDKs heed ``x-should-retry``."""
        said = {} if self.again is None else {"x-should-retry": "true" if self.again else "false"}
        return {**self.headers, **said}


class RefusedError(Exception):
    """A refusal on its way to the client."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def refuse(status: int, message: str, **more: Any) -> RefusedError:
    """Return the exception of a refusal."""
    return RefusedError(Refusal(status, message, **more))


def param_of(path: str | None) -> str | None:
    """Return a JSON path as the APIs name a parameter.

    >>> param_of("$.messages[0].content"), param_of("$")
    ('messages[0].content', None)
    """
    return (path or "").removeprefix("$").removeprefix(".") or None


def refusal_of(error: BaseException) -> Refusal:
    """Return what an error is to the client of the bridge."""
    if isinstance(error, RefusedError):
        return error.refusal
    if isinstance(error, BudgetExceeded):
        return Refusal(429, _said(error), code="insufficient_quota", kind="billing", again=False)
    if isinstance(error, ClientError):
        return _of_client(error)
    if isinstance(error, LossError):
        return _of_losses(error)
    if isinstance(error, FormatError | TokenError | TemplateError):
        return Refusal(400, _said(error), param_of(error.path), code=error.error_code, again=False)
    if isinstance(error, DiptychError):
        return Refusal(500, _said(error), code=error.error_code, again=False)
    return Refusal(500, "the bridge failed; its log says how", code="internal_error", again=False)


def _said(error: DiptychError) -> str:
    return error.message if not error.hint else f"{error.message} ({error.hint})"


def _of_losses(error: LossError) -> Refusal:
    stops = [loss for loss in error.losses if loss.severity is Severity.REFUSED] or [
        loss for loss in error.losses if loss.severity > Severity.EXACT
    ]
    text = "; ".join(f"{param_of(loss.path) or 'the body'}: {loss.detail or loss.kind}" for loss in stops)
    return Refusal(400, text, param_of(stops[0].path), code="unsupported_parameter", again=False)


def _of_client(error: ClientError) -> Refusal:
    if isinstance(error, ApiError) and error.status is not None:
        return _of_upstream(error, error.status)
    if isinstance(error, Timeout) and not error.attempts:
        return Refusal(429, error.message, code="rate_limit_exceeded", again=True, headers={"retry-after": "1"})
    if isinstance(error, Timeout):
        return Refusal(504, f"the upstream gave no answer in time: {error.message}", code="timeout", again=False)
    if isinstance(error, ConnectionFailed):
        text = f"the upstream cannot be reached: {error.message}"
        return Refusal(502, text, code="upstream_unreachable", again=_again(error))
    return Refusal(502, f"the upstream's answer cannot be used: {error.message}", code=error.error_code, again=False)


def _of_upstream(error: ApiError, status: int) -> Refusal:
    code = str(error.code) if error.code is not None else None
    if isinstance(error, QuotaExceeded):
        return Refusal(429, error.message, error.param, code or "insufficient_quota", "billing", False)
    if isinstance(error, RateLimited):
        headers = {"retry-after": str(max(1, round(_wait(error))))}
        return Refusal(429, error.message, error.param, code or "rate_limit_exceeded", again=True, headers=headers)
    if status in (401, 403):
        text = f"the upstream refused the key of the bridge ({status}): {error.message}"
        return Refusal(502, text, code="upstream_authentication", again=False)
    if status in _PASSED:
        return Refusal(status, error.message, error.param, code, again=False if status < 500 else _again(error))
    text = f"the upstream answered {status}: {error.message}"
    return Refusal(502, text, code=code or "upstream_error", again=_again(error))


def _again(error: ClientError) -> bool | None:
    """Return whether a client should try again: not where the bridge has done so already."""
    return False if len(error.attempts) > 1 else None


def _wait(error: ApiError) -> float:
    """Return the seconds that the last attempts waited for: the least that the next should."""
    return max((attempt.wait for attempt in error.attempts), default=1.0) or 1.0
