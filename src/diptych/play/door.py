"""Who may ask: a browser on this machine that was given the address with its token, from this page.

Rule: the name of the host, the origin and the token are all asked for, so that neither another page in the same
browser, nor a name that was pointed at this machine, nor another program without the address gets an answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
#: Sent with every answer: nothing from elsewhere, no frame around the page, nothing kept.
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def new_token() -> str:
    """Return a token that cannot be guessed."""
    return secrets.token_urlsafe(24)


def refusal(headers: Mapping[str, str], token: str, given: str | None, *, changes: bool) -> str | None:
    """Return why a request is refused, None where it may pass. ``changes``: it does more than read.

    >>> refusal({"host": "127.0.0.1:8500"}, "t", "t", changes=False) is None
    True
    >>> refusal({"host": "evil.example"}, "t", "t", changes=False)
    'this page answers to 127.0.0.1 and localhost alone'
    """
    host = headers.get("host", "")
    if _name(host) not in NAMES:
        return "this page answers to 127.0.0.1 and localhost alone"
    origin = headers.get("origin")
    if (origin is not None or changes) and urlsplit(origin or "").netloc != host:
        return "the request comes from another page"
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "the request comes from another page"
    if not secrets.compare_digest((given or "").encode(), token.encode()):
        return "the address lacks its token: open the one that the command printed"
    return None


def _name(host: str) -> str:
    return host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
