"""Writing the stream of an API that speaks in parts: what such writers have in common.

Rule: nothing is held back but what the target needs to have whole. ``losses`` grows by what the API
cannot say; a path there is that of the field alone: who feeds the events knows where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from ..loss import Loss
from ..model import ReasoningPart, RefusalPart, TextPart, ToolCall
from ..response import HEAD, Event, Response, ResponseChoice, Usage, native_of
from .ledger import GONE, Ledger, leaves
from .replies import Shape, beside, finish_of, write_fields
from .usage import not_written

_PARTS: Final[Mapping[str, type]] = {
    "text": TextPart,
    "reasoning": ReasoningPart,
    "refusal": RefusalPart,
    "call": ToolCall,
}


class StepWriter:
    """Feed it events, get events of the API."""

    shape: ClassVar[Shape]
    #: True where the API has one reply alone.
    is_single: ClassVar[bool] = True

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        self.ledger = Ledger()
        self.request = request or {}
        self.head: dict[str, Any] = {}
        self.source: str | None = None
        self.usage: Usage | None = None
        self.ends: dict[int, str] = {}
        self._steps: dict[str, Callable[[Event], list[dict[str, Any]]]] = {
            kind: getattr(self, f"on_{kind}")
            for kind in ("start", "text", "reasoning", "refusal", "call", "part", "finish", "error")
        }

    @property
    def losses(self) -> list[Loss]:
        """What the API could not say so far."""
        return self.ledger.losses

    @property
    def is_own(self) -> bool:
        """True where the events come from this API."""
        return self.source == self.shape.name

    def feed(self, event: Event) -> list[dict[str, Any]]:
        """Take an event; return the events that it makes."""
        if event.kind == "head":
            return self.on_head(event)
        if event.kind == "usage":
            return self.on_usage(event)
        if self.is_single and event.choice:
            self.lose("choices", "message-dropped", "the target has one reply")
            return []
        if event.kind == "other":
            return self.on_other(event)
        if event.kind == "text" and event.value is not None:
            self.on_logprobs(event)
        return self._steps[event.kind](event)

    def finish(self) -> list[dict[str, Any]]:
        """Return what is left at the end of the stream."""
        return []

    def lose(self, name: str, kind: str = "field-dropped", detail: str = "") -> None:
        """Report a field of the source that is gone."""
        self.ledger.report(f"$.{name}" if name else "$", kind, detail)

    def lose_piece(self, event: Event) -> None:
        """Report a piece of a part that the API has no place for."""
        if event.text or event.kind == "call":
            self.ledger.report("$", GONE[_PARTS[event.kind]])

    # events that are the same for most

    def on_head(self, event: Event) -> list[dict[str, Any]]:
        """Take the fields of the whole."""
        self.source = event.name
        self.head |= event.value
        native = {name: value for name, value in event.value.items() if name not in HEAD}
        known = {name: value for name, value in event.value.items() if name in HEAD}
        response = Response(**known, native=native_of(event.name, native))
        beside(self.shape, response, write_fields(self.shape, self.shape.head, response, self.ledger), self.ledger)
        return []

    def on_usage(self, event: Event) -> list[dict[str, Any]]:
        """Take the usage, which is written at the end."""
        for path in not_written(event.value, self.shape.name):
            self.ledger.report(path, "field-dropped")
        self.usage = event.value
        return []

    def on_start(self, event: Event) -> list[dict[str, Any]]:  # every handler takes its event
        """Begin a reply."""
        return []

    def on_finish(self, event: Event) -> list[dict[str, Any]]:
        """Take why the reply ended, which is written at the end."""
        choice = ResponseChoice(_NOBODY, event.text, native=native_of(self.source, {}))
        self.ends[event.choice] = finish_of(self.shape, choice, self.ledger) or ""
        return []

    def on_logprobs(self, event: Event) -> None:
        """Take the log probabilities of a piece of text."""
        for path, _ in leaves(event.value, "$.logprobs"):
            self.ledger.report(path, "field-dropped")

    def on_other(self, event: Event) -> list[dict[str, Any]]:
        """Take further fields of a reply: a foreign API's are lost."""
        if not self.is_own:
            for path, _ in leaves(event.value, "$"):
                self.ledger.report(path, "field-dropped")
        return []

    def on_refusal(self, event: Event) -> list[dict[str, Any]]:
        """Take a piece of a refusal."""
        self.lose_piece(event)
        return []

    def response(self) -> Response:
        """Return the fields of the whole so far as a response without replies."""
        native = {name: value for name, value in self.head.items() if name not in HEAD}
        head = {name: self.head[name] for name in HEAD if name in self.head}
        return Response((), self.usage, **head, native=native_of(self.source, native))

    def body(self) -> dict[str, Any]:
        """Return the fields of the whole so far as a body has them; their losses are known already."""
        response, ledger = self.response(), Ledger()
        return beside(self.shape, response, write_fields(self.shape, self.shape.head, response, ledger), ledger)


_NOBODY: Final[Any] = None
