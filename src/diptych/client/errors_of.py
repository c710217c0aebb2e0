"""Bodies of failed answers become typed errors.

Rule: whatever shape a server gives its error (an object with int, string or no
code, FastAPI's ``detail``, plain text, HTML), the caller gets one type with the
same fields, at most 500 bytes of the body, and never a key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ..apis.failures import kind_of
from ..errors import ApiError, QuotaExceeded, RateLimited

#: Bytes of a body that an error may quote.
QUOTE: Final = 500
#: Codes by which servers say that the account, not the pace, is the matter.
_QUOTA: Final = ("insufficient_quota", "billing_hard_limit_reached", "quota_exceeded", "insufficient_balance")
_HINTS: Final = {
    400: "the server finds the request wrong; a retry would not help",
    401: "check the key: api_key=… or OPENAI_API_KEY",
    403: "the key is known but may not do this",
    404: "check base_url and model; a base URL usually ends in /v1",
    413: "the request is too large for this server",
}


def quote(body: bytes | str) -> str:
    """Return at most 500 bytes of a body as text, control characters made visible.

    >>> quote(b"<html>oops")
    '<html>oops'
    """
    text = body[:QUOTE].decode("utf-8", "replace").replace("\ufffd", "?") if isinstance(body, bytes) else body
    # A lone surrogate, which JSON can spell and UTF-8 cannot, is not printable either.
    text = "".join(c if c.isprintable() else " " for c in text[:QUOTE]).strip()
    return text.encode()[:QUOTE].decode("utf-8", "ignore")


def find_error(body: Any) -> dict[str, Any] | None:
    """Return the error that a decoded body states as message, type, code, param; or None.

    >>> find_error({"error": {"message": "no", "code": 7}})["code"]
    7
    >>> find_error({"detail": "Not found"})["message"]
    'Not found'
    >>> find_error({"success": False, "errors": [{"code": 5007, "message": "No such model"}]})["code"]
    5007
    """
    if isinstance(body, list) and len(body) == 1:
        return find_error(body[0])  # Gemini's, where a stream was asked for
    if not isinstance(body, Mapping):
        return None
    error = body.get("error")
    if isinstance(error, Mapping):
        stated = error.get("message") or error.get("detail") or _first_of(error.get("errors"))
        message = stated or error.get("type") or dict(error)
        return {
            "message": _text(message),
            "type": error.get("type") or error.get("status"),
            "code": error.get("code"),
            "param": error.get("param"),
        }
    if not error and "choices" not in body and (listed := _listed(body.get("errors"))):
        return listed  # Cloudflare's
    if not error:
        # vLLM's older shape, and FastAPI's.
        plain = body.get("object") == "error"
        said = next((body[name] for name in ("detail", "message", "msg", "error_message") if body.get(name)), None)
        error = body.get("message") if plain else "choices" not in body and said
        if not error and not plain:
            return None
    return {"message": _text(error), "type": body.get("type"), "code": body.get("code"), "param": None}


def _listed(errors: Any) -> dict[str, Any] | None:
    """Return the parts of the first error of a list, None where there is none."""
    first = errors[0] if isinstance(errors, list) and errors else None
    if isinstance(first, str):
        return {"message": first, "type": None, "code": None, "param": None}
    return find_error({"error": first}) if isinstance(first, Mapping) else None


def _first_of(errors: Any) -> Any:
    found = _listed(errors)
    return found and found["message"]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except (ValueError, RecursionError):
        return "the server gave no reason that can be read"


def api_error(status: int, body: bytes, *, request_id: str | None = None) -> ApiError:
    """Return the typed error of an answer with this status and body.

    >>> api_error(429, b'{"error": {"message": "slow down"}}').error_code
    'rate-limited'
    """
    try:
        found = find_error(json.loads(body))
    except (ValueError, RecursionError):
        found = None
    found = found or {"message": quote(body) or "the server gave no reason"}
    return error_from(found, status=status, request_id=request_id)


def error_from(found: Mapping[str, Any], *, status: int | None, request_id: str | None = None) -> ApiError:
    """Return the typed error for the parts of a stated error."""
    code, kind = found.get("code"), found.get("type")
    cls: type[ApiError] = ApiError
    means = kind_of(code, kind)
    if code in _QUOTA or kind in _QUOTA or status == 402 or means == "billing":
        cls = QuotaExceeded
    elif status == 429 or means == "rate_limit":
        cls = RateLimited
    hint = "the account's quota is used up: check the plan and billing" if cls is QuotaExceeded else None
    return cls(
        quote(found["message"]) or "the server gave no reason",
        status=status,
        code=code if isinstance(code, str | int) else None,
        type=kind if isinstance(kind, str) else None,
        param=found["param"] if isinstance(found.get("param"), str) else None,
        request_id=request_id,
        hint=hint or _HINTS.get(status or 0),
    )
