"""Which API an answer, or an event of a stream, is of: by fields that one API alone has.

Chat and Completions share their fields: choices that hold a message or a delta are Chat's, others those of Completions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from .heads import OBJECTS

_Mark = Callable[[Mapping[str, Any]], bool]
_GEMINI: Final = frozenset({"candidates", "promptFeedback", "usageMetadata", "prompt_feedback", "usage_metadata"})
_ANTHROPIC: Final = frozenset({
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
    "message_stop", "ping",
})  # fmt: skip
_BEDROCK: Final = frozenset({
    "messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
})  # fmt: skip


class Marks(NamedTuple):
    """How an ``answer`` of an API, and an ``event`` of its streams, is told from those of others."""

    answer: _Mark
    event: _Mark


def _is_gemini(body: Mapping[str, Any]) -> bool:
    return bool(_GEMINI & body.keys())


def _holds_message(body: Mapping[str, Any]) -> bool:
    return isinstance(body.get("message"), Mapping)


MARKS: Final[Mapping[str, Marks]] = {
    "responses": Marks(
        lambda body: body.get("object") == "response" or isinstance(body.get("output"), list),
        lambda event: str(event.get("type")).startswith("response.") or _is_error(event, nested=False),
    ),
    "anthropic": Marks(
        lambda body: body.get("type") == "message" and isinstance(body.get("content"), list),
        lambda event: event.get("type") in _ANTHROPIC or _is_error(event, nested=True),
    ),
    "gemini": Marks(_is_gemini, _is_gemini),
    "bedrock": Marks(
        lambda body: isinstance(body.get("output"), Mapping) and "message" in body["output"],
        lambda event: bool(_BEDROCK & event.keys()) or any(name.endswith("Exception") for name in event),
    ),
    "ollama": Marks(
        lambda body: _holds_message(body) and ("done" in body or "created_at" in body),
        lambda event: _holds_message(event) and "done" in event,
    ),
}


def _is_error(event: Mapping[str, Any], *, nested: bool) -> bool:
    return event.get("type") == "error" and nested == ("error" in event)


def api_of_answer(body: Mapping[str, Any], default: str = "chat") -> str | None:
    """Return the API that an answer is of, None where it is none; ``default`` is that of choices which do not say.

    >>> api_of_answer({"choices": [{"text": "Hi"}]}), api_of_answer({"candidates": []}), api_of_answer({"messages": []})
    ('completions', 'gemini', None)
    """
    if isinstance(body.get("choices"), list):
        return _api_of_choices(body, default)
    return next((name for name, marks in MARKS.items() if marks.answer(body)), None)


def api_of_event(event: Mapping[str, Any]) -> str | None:
    """Return the API that an event of a stream is of, None where no API sends it.

    >>> api_of_event({"type": "message_start"}), api_of_event({"choices": []}), api_of_event({"a": 1})
    ('anthropic', 'chat', None)
    """
    if isinstance(event.get("choices"), list):
        return _api_of_choices(event, "chat")
    found = next((name for name, marks in MARKS.items() if marks.event(event)), None)
    return found or ("chat" if event.keys() & {"choices", "usage", "error"} else None)


def _api_of_choices(body: Mapping[str, Any], default: str) -> str:
    choices = [choice for choice in body["choices"] if isinstance(choice, Mapping)]
    if choices:
        return "chat" if any({"message", "delta"} & choice.keys() for choice in choices) else "completions"
    known = next((name for name, kind in OBJECTS.items() if body.get("object") == kind), default)
    return known if known in OBJECTS else "chat"
