"""Lines of the Batch files of OpenAI, Anthropic, Gemini and Bedrock: the request or the reply that a line holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

#: By vendor: the field that names a line, that of its request, and the path to its reply.
_SHAPES: Final = (
    ("custom_id", "body", ("response", "body")),
    ("custom_id", "params", ("result", "message")),
    ("key", "request", ("response",)),
    ("recordId", "modelInput", ("modelOutput",)),
)
#: Where a reply has its usage, and the name of its model.
USAGES: Final = ("usage", "usageMetadata", "usage_metadata")
_MODELS: Final = ("model", "modelVersion", "modelId")


class Line(NamedTuple):
    """One line: its id, its request with the path, or its reply; ``failed`` where the call was refused.

    >>> read_line({"custom_id": "a", "params": {"messages": []}})
    Line(key='a', body={'messages': []}, path='$.params', reply=None, failed=False)
    """

    key: str
    body: Any = None
    path: str = "$"
    reply: Mapping[str, Any] | None = None
    failed: bool = False

    @property
    def usage(self) -> Mapping[str, Any]:
        """The usage that the reply reports."""
        reply = self.reply or {}
        return next((reply[name] for name in USAGES if isinstance(reply.get(name), Mapping)), {})

    @property
    def model(self) -> str | None:
        """The model that answered, where the reply says it."""
        reply = self.reply or {}
        return next((reply[name] for name in _MODELS if isinstance(reply.get(name), str)), None)


def read_line(value: Any) -> Line | None:
    """Return what a line of a Batch file holds, None where a value is no such line."""
    for name, request, reply in _SHAPES if isinstance(value, Mapping) else ():
        if name not in value or not {request, reply[0], "error"} & value.keys():
            continue
        key, found = str(value[name]), _at(value, reply)
        if reply[0] in value or value.get("error"):
            is_reply = isinstance(found, Mapping) and not _is_refused(value, found)
            return Line(key, reply=found) if is_reply else Line(key, failed=True)
        return Line(key, value[request], f"$.{request}")
    return None


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _is_refused(line: Mapping[str, Any], reply: Mapping[str, Any]) -> bool:
    """Say whether a reply is an error: such a call costs nothing."""
    status = _at(line, ("response", "status_code"))
    return bool(line.get("error") or reply.get("error")) or (isinstance(status, int) and status >= 400)
