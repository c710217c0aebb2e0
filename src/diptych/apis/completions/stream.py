"""Streams of Completions: chunks become events, and events become chunks in the shape of the whole body.

Rule: nothing is held back. The reader is that of Chat, whose choices may hold a text; ``echo`` puts
the prompt before the first text of each choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...loss import Loss
from ...model import EMPTY, ReasoningPart, RefusalPart, ToolCall
from ...response import Event, native_of
from .. import logprobs
from ..answers import CALLED
from ..chat import stream
from ..chunks import ChunkWriter
from ..heads import Name
from .response import content_loss, echo_of, field_losses, part_losses, prompt_of


class StreamReader(stream.StreamReader):
    """Feed it chunks, get events.

    >>> [event.kind for event in StreamReader().feed({"choices": [{"text": "Hi", "finish_reason": "stop"}]})]
    ['head', 'start', 'text', 'finish']
    """

    api: Name = "completions"


class StreamWriter(ChunkWriter):
    """Feed it events, get chunks. ``losses`` grows by what Completions cannot say.

    >>> writer = StreamWriter({"prompt": "Say ", "echo": True})
    >>> [chunk["choices"][0]["text"] for chunk in writer.feed(Event("text", text="Hi"))]
    ['Say ', 'Hi']
    """

    api = "completions"
    object = "text_completion"

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._echo = echo_of(self._request, 0)
        self._start = len(prompt_of(self._request, 0))
        self._offsets: dict[int, int] = {}

    def _opening(self, event: Event) -> list[dict[str, Any]]:
        if event.choice in self._offsets:
            return []
        before = "" if self._is_own else self._echo
        self._offsets[event.choice] = self._start
        return [_entry(event.choice, before)] if before else []

    def _step(self, event: Event) -> list[dict[str, Any]]:
        index = event.choice
        if event.kind == "text":
            return self._text(event)
        if event.kind == "refusal":
            self.losses += _losses(event, f"$.choices[{index}].delta")
            self._offsets[index] += len(event.text)
            return [_entry(index, event.text)] if event.text else []
        if event.kind == "finish":
            return [_entry(index, reason=self._end(event))]
        if event.kind == "other" and event.name != "message":
            return [_entry(index, **event.value)]
        self.losses += _losses(event, f"$.choices[{index}].delta")
        return []

    def _end(self, event: Event) -> str:
        if self._is_own or event.text not in CALLED:
            return event.text
        path = f"$.choices[{event.choice}].finish_reason"
        self.losses.append(Loss(path, "substituted", "Completions calls nothing: stop"))
        return "stop"

    def _text(self, event: Event) -> list[dict[str, Any]]:
        index, stated = event.choice, event.value
        if not self._is_own:
            path = f"$.choices[{index}].logprobs"
            stated = logprobs.to_completions(stated, self._offsets[index], path, self.losses)
        self._offsets[index] += len(event.text)
        return [_entry(index, event.text, stated)] if event.text or stated else []


def _entry(index: int, text: str = "", stated: Any = None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": stated, "finish_reason": reason, **more}


def _losses(event: Event, path: str) -> list[Loss]:
    """Return what Completions has no place for in an event that is neither text nor an end."""
    if event.kind == "other":
        return field_losses(event.value, path)
    if event.kind == "part":
        return [content_loss(event.value, f"{path}.content")]
    if event.kind == "call":
        return list(part_losses(ToolCall("", ""), path))
    if event.kind == "refusal":
        return list(part_losses(RefusalPart(event.text), path))
    if event.kind == "reasoning" and event.text:
        native = native_of("chat", {"field": event.name}) if event.name else EMPTY
        return list(part_losses(ReasoningPart(event.text, native=native), path))
    return []  # a role alone: Completions has no such chunk
