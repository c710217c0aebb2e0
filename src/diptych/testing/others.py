"""What the test server answers to the message APIs that are neither Chat nor Completions.

Rule: a request is read by its own API, answered as Chat's would be, and written by its own API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..apis.answers import as_own
from ..apis.framing import FRAMINGS
from ..conversion.bodies import convert_request
from ..conversion.responses import answers_of
from ..conversion.streams import stream_of
from ..errors import DiptychError
from ..response import Response
from . import answers

#: Paths by their ends, and the API of each. Gemini names its model in the path.
_PATHS: Final = (
    (re.compile(r"/responses"), "responses"),
    (re.compile(r"/messages"), "anthropic"),
    (re.compile(r"/models/([^/:]+):(generateContent|streamGenerateContent)"), "gemini"),
    (re.compile(r"/api/chat"), "ollama"),
    (re.compile(r"/model/([^/]+)/(converse|converse-stream)"), "bedrock"),
)


def api_at(path: str, body: Any) -> tuple[str, Any] | None:
    """Return the API of a path, and the body with what the path says of it; None for any other path.

    >>> api_at("/v1/models/m:streamGenerateContent", {"contents": []})
    ('gemini', {'contents': [], 'model': 'm', 'stream': True})
    """
    for pattern, api in _PATHS:
        found = re.search(f"{pattern.pattern}$", path)
        if found and found.re.groups and isinstance(body, dict):
            named = {"modelId" if api == "bedrock" else "model": found[1]}
            return api, {**body, **named, **({"stream": True} if "stream" in found[0] else {})}
        if found:
            return api, body
    return None


def is_streamed(api: str, body: Mapping[str, Any]) -> bool:
    """Tell whether a body asks for a stream; Ollama streams unless it is told not to."""
    return bool(body.get("stream", api == "ollama"))


def whole(api: str, body: Mapping[str, Any], answer: answers.Answer | None = None) -> dict[str, Any]:
    """Return the whole answer to a body. Raises BadRequestError."""
    found: dict[str, Any] = answers_of(api).write_response(_response(api, body, answer))[0]
    return found


def events(api: str, body: Mapping[str, Any], answer: answers.Answer | None = None) -> Iterator[bytes]:
    """Yield the same answer as a stream, framed as the API frames it. Raises BadRequestError."""
    writer, frame = stream_of(api).StreamWriter(), FRAMINGS[api].frame
    for step in answers.steps(None, _response(api, body, answer)):
        for chunk in writer.feed(step):
            yield frame(chunk)
    for chunk in writer.finish():
        yield frame(chunk)


def _response(api: str, body: Mapping[str, Any], answer: answers.Answer | None) -> Response:
    try:
        chat = convert_request({**body, "stream": False}, to="chat", source=api, on_loss="ignore")[0].output
    except DiptychError as error:
        raise answers.BadRequestError(error.message, error.path) from None
    return as_own(answers.response("chat", chat, answer), {}, own=False)
