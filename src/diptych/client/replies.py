"""What a call gives: the reply, its usage, and the deltas of a stream.

Rule: frozen values of what the server said, with what is known beside it (cost,
estimate, seed, hashes); nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from ..apis.chat.messages import write_message
from ..errors import InvalidResponse
from ..model import EMPTY, Message, TextPart
from ..projection import write_part
from ..request import Api
from ..response import Response, ResponseChoice, Usage
from ..views.card import Card
from ..views.shown import Shown
from ..views.wire import wire_talk
from . import costs
from .requests import Ask, digest

T = TypeVar("T")


class Delta(NamedTuple):
    """One piece of a stream: new ``text`` of the choice ``index``, and the chunk as it came.

    >>> Delta("Bon")
    Delta(text='Bon', index=0, finish_reason=None)
    """

    text: str
    index: int = 0  # type: ignore[assignment]  # in place of the method that tuples have
    finish_reason: str | None = None
    raw: Mapping[str, Any] = EMPTY

    def __repr__(self) -> str:
        return f"Delta(text={self.text!r}, index={self.index}, finish_reason={self.finish_reason!r})"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its text, its message (a Completions text as the assistant's), why it ended."""

    index: int
    text: str
    finish_reason: str | None
    message: Mapping[str, Any]
    logprobs: Any = field(default=None, repr=False)

    @classmethod
    def of(cls, choice: ResponseChoice) -> Choice:
        """Return a choice of a response with its message in the shape of Chat, however it was sent.

        >>> Choice.of(ResponseChoice(Message("assistant", "Hi"), "stop")).message
        {'role': 'assistant', 'content': 'Hi'}
        """
        message = choice.message
        return cls(choice.index, message.text, choice.finish_reason, _wire(message), choice.logprobs)


def _wire(message: Message) -> dict[str, Any]:
    """Return a message with its content as one text, or as parts where there are others, and no empty fields."""
    found: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.is_plain and not message.extra:
        return found
    more = {name: value for name, value in write_message(message).items() if name not in found and value}
    if "tool_calls" in more:
        more["tool_calls"] = [_call(call) for call in more["tool_calls"]]
    if any(not isinstance(part, TextPart) for part in message.content_parts):
        found["content"] = _joined(message)
    elif not message.text and more.keys() & {"tool_calls", "function_call", "refusal"}:
        found["content"] = None
    return found | more


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in call.items() if name != "index" and value is not None}
    kind = "custom" if "custom" in own else "function"
    return {"id": "", "type": kind, **own}


def _joined(message: Message) -> list[dict[str, Any]]:
    """Return the parts of a content, texts in a row joined."""
    parts: list[dict[str, Any]] = []
    for part in message.content_parts:
        if not isinstance(part, TextPart):
            parts.append(write_part(part))
        elif parts and parts[-1].get("type") == "text":
            parts[-1] = {"type": "text", "text": parts[-1]["text"] + part.text}
        elif part.text:
            parts.append({"type": "text", "text": part.text})
    return parts


class Attempt(NamedTuple):
    """One try of a call; times in seconds, ``begun`` since the call began.

    ``possibly_billed`` is true where nobody knows whether the server did the work;
    ``wait`` is the pause that followed.
    """

    number: int
    begun: float
    seconds: float
    status: int | None = None
    error: str | None = None
    request_id: str | None = None
    possibly_billed: bool = False
    wait: float = 0.0


@dataclass(frozen=True)
class Reply(Shown):
    """A complete answer. ``text``, ``message`` and ``finish_reason`` are those of the first choice.

    ``cost`` is in Decimal USD, None where no price is known (``cost_reason`` says why).
    ``seconds`` is the time of the whole call, ``first_token`` the time to the first delta.
    A reply played from a cassette is ``replayed``: its cost is 0, and ``original_cost``
    what was once paid. ``notes`` holds what a caller might want to be warned of. ``response`` is
    the answer in no API's shape, with everything that the server sent. ``asked`` is the call as it was
    made: its ``api``, its ``body`` (no key is in it), its ``prompt``.

    >>> from diptych import Client
    >>> from diptych.testing import Server
    >>> with Server() as server, Client(server.base_url) as client:
    ...     reply = client.send([{"role": "user", "content": "Hello"}], model="test", seed=7)
    >>> reply.text, reply.seed, reply.usage.total_tokens
    ('Hello', 7, 8)
    """

    api: Api
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    cost: Decimal | None = None
    model: str | None = None
    id: str | None = None
    system_fingerprint: str | None = None
    seed: int | None = None
    request_id: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    asked: Ask | None = field(default=None, repr=False)
    attempts: tuple[Attempt, ...] = field(default=(), repr=False)
    template_hash: str | None = field(default=None, repr=False)
    template_version: str | None = field(default=None, repr=False)
    requested_model: str | None = None
    seconds: float | None = None
    first_token: float | None = None
    replayed: bool = False
    original_cost: Decimal | None = None
    notes: tuple[str, ...] = ()
    parsed: Any = None
    response: Response = field(default_factory=Response, repr=False)

    @property
    def first(self) -> Choice:
        """The first choice. Raises InvalidResponse where the server sent none."""
        if not self.choices:
            raise InvalidResponse("the server sent no choice", request_id=self.request_id)
        return self.choices[0]

    @property
    def text(self) -> str:
        """The text of the first choice. Raises InvalidResponse where there is none."""
        return self.first.text

    @property
    def message(self) -> dict[str, Any]:
        """The message of the first choice; a Completions text as an assistant message."""
        return dict(self.first.message)

    @property
    def finish_reason(self) -> str | None:
        """Why the first choice ended: stop, length, tool_calls, content_filter."""
        return self.first.finish_reason

    @cached_property
    def estimate(self) -> Any:
        """The estimate of the call as it was before it went out, None where there was none."""
        return costs.estimate(self.asked) if self.asked is not None else None

    @property
    def cost_reason(self) -> str | None:
        """Why ``cost`` is None."""
        if self.cost is not None:
            return None
        if self.usage is None:
            return "the server stated no usage"
        tier = costs.billed_tier(self.asked, self.response) if self.asked is not None else None
        return costs.why_unpriced(costs.billed_model(self.requested_model, self.model), self.usage, tier)

    @property
    def api_reason(self) -> str | None:
        """Why ``api`` was used: it was asked for, the model's row in the catalogue, or the shape that was given."""
        return self.asked.reason if self.asked is not None else None

    def _card(self) -> Card:
        used = self.usage
        facts = {
            "model": self.model,
            "finish reason": self.finish_reason if self.choices else None,
            "tokens": used and f"{used.prompt_tokens} in, {used.completion_tokens} out",
            "cost": f"unknown: {self.cost_reason}" if self.cost is None else f"${self.cost:f}",
            "seconds": None if self.seconds is None else f"{self.seconds:.2f}",
            "replayed": "yes" if self.replayed else None,
            "notes": "\n".join(self.notes),
        }
        return Card("Reply", facts, [wire_talk([{"role": "assistant", **c.message} for c in self.choices], "")])

    @property
    def request_hash(self) -> str | None:
        """SHA-256 of the body that was sent, in canonical form."""
        return digest(self.asked.body) if self.asked is not None else None

    @property
    def prompt_hash(self) -> str | None:
        """SHA-256 of the prompt or messages that were sent, in canonical form."""
        return digest(self.asked.prompt) if self.asked is not None else None

    def with_parsed(self, value: T) -> Parsed[T]:
        """Return this reply with ``parsed`` set."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return Parsed(**{**own, "parsed": value})

    def to_json(self) -> dict[str, Any]:
        """Return the reply as the JSON object that ``diptych run --json`` prints."""
        first = self.choices[0] if self.choices else None
        estimate = self.estimate
        return {
            "api": self.api,
            "api_reason": self.api_reason,
            "text": first.text if first else None,
            "message": dict(first.message) if first else None,
            "finish_reason": first.finish_reason if first else None,
            "choices": [{"index": c.index, "text": c.text, "finish_reason": c.finish_reason} for c in self.choices],
            "model": self.model,
            "requested_model": self.requested_model,
            "id": self.id,
            "usage": self.usage.to_json() if self.usage else None,
            "cost": None if self.cost is None else str(self.cost),
            "cost_reason": self.cost_reason,
            "estimate": estimate.to_json() if estimate is not None else None,
            "residual": self._residual(estimate),
            "system_fingerprint": self.system_fingerprint,
            "seed": self.seed,
            "request_id": self.request_id,
            "request_hash": self.request_hash,
            "prompt_hash": self.prompt_hash,
            "template_hash": self.template_hash,
            "template_version": self.template_version,
            "seconds": None if self.seconds is None else round(self.seconds, 6),
            "first_token": None if self.first_token is None else round(self.first_token, 6),
            "attempts": [attempt._asdict() for attempt in self.attempts],
            "replayed": self.replayed,
            "original_cost": None if self.original_cost is None else str(self.original_cost),
            "notes": list(self.notes),
        }

    def _residual(self, estimate: Any) -> dict[str, Any] | None:
        if estimate is None or self.usage is None:
            return None
        residual = estimate.reconcile(costs.stated(self.usage))
        found: dict[str, Any] = residual.to_json()
        return found


@dataclass(frozen=True)
class Parsed(Reply, Generic[T]):
    """A reply whose text was validated: ``parsed`` is a value of the type that ``parse`` was given."""

    parsed: T = field(kw_only=True)
