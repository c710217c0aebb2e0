"""Which path is which endpoint of the test server, and what a path says of the body.

Paths count by their ends: ``/v1`` may stand before them or not, and so may Azure's ``/openai``.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple
from urllib.parse import unquote


class Route(NamedTuple):
    """An endpoint: what is done (``reply``, ``count``, ``embed``), the API, and the body with what the path says."""

    work: str
    api: str
    body: Any


#: The longer end first: the path of Chat ends as that of Completions does.
_PATHS: Final = tuple(
    (re.compile(f"{pattern}/?$"), work, api)
    for pattern, work, api in (
        (r"/(?:engines|deployments)/(?P<model>[^/]+)/chat/completions", "reply", "chat"),
        (r"/(?:engines|deployments)/(?P<model>[^/]+)/completions", "reply", "completions"),
        (r"/(?:engines|deployments)/(?P<model>[^/]+)/embeddings", "embed", "chat"),
        (r"/chat/completions", "reply", "chat"),
        (r"/completions", "reply", "completions"),
        (r"/embeddings", "embed", "chat"),
        (r"/responses", "reply", "responses"),
        (r"/responses/input_tokens", "count", "responses"),
        (r"/messages", "reply", "anthropic"),
        (r"/messages/count_tokens", "count", "anthropic"),
        (r"/models/(?P<model>[^/:]+):(?:generateContent|(?P<streams>streamGenerateContent))", "reply", "gemini"),
        (r"/models/(?P<model>[^/:]+):countTokens", "count", "gemini"),
        (r"/api/chat", "reply", "ollama"),
        (r"/model/(?P<modelId>[^/]+)/converse(?P<streams>-stream)?", "reply", "bedrock"),
    )
)


def route(path: str, body: Any) -> Route | None:
    """Return the endpoint of a path that is called by POST, None for any other.

    >>> route("/v1/models/m:streamGenerateContent", {"contents": []})
    Route(work='reply', api='gemini', body={'contents': [], 'model': 'm', 'stream': True})
    >>> route("/v1/engines/davinci-002/completions", {"prompt": "Hi"}).body
    {'prompt': 'Hi', 'model': 'davinci-002'}
    """
    for pattern, work, api in _PATHS:
        if found := pattern.search(path):
            parts = {name: text for name, text in found.groupdict().items() if text}
            named: dict[str, Any] = {"stream": True} if parts.pop("streams", None) else {}
            named = {**{name: unquote(text) for name, text in parts.items()}, **named}
            return Route(work, api, {**body, **named} if isinstance(body, dict) else body)
    return None


def model_named(path: str) -> str | None:
    """Return the model that a path asks about, "" for the list of all, None for any other path.

    >>> model_named("/v1/models/gpt-4o"), model_named("/v1/engines"), model_named("/v1/files")
    ('gpt-4o', '', None)
    """
    found = re.search(r"/(?:models|engines)(?:/(?P<name>.+?))?/?$", path)
    return None if found is None else unquote(found["name"] or "")
