"""Streams of the upstream become the stream of a client, chunk by chunk.

Rule: no I/O. A flow is the tap of one call: it is told every chunk and its events, and keeps what is to be sent.
A fan joins the flows of several prompts: their choices are numbered ``prompt * n + choice``, their tokens added.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..apis.heads import sum_usage
from ..apis.responses.settings import with_settings
from ..conversion.streams import writer_of
from ..loss import Loss
from ..request import Api
from ..response import Event, Response, Usage, events_of
from .plans import Plan
from .prefill import BegunFilter

Chunk = dict[str, Any]


class Flow:
    """One stream of the upstream on its way to the client.

    ``take`` gives what waits; ``finish`` what ends the stream. ``losses`` are those of the answer.
    """

    def __init__(self, plan: Plan, upstream: Api, number: int) -> None:
        self._pending: list[Chunk] = []
        self._keeps_usage = plan.wants_usage and len(plan.asks) == 1
        self._writer = writer_of(plan.face.api, upstream, plan.requests[number])
        begun = plan.begun(number)
        self._begun = BegunFilter(begun) if begun.strip() else None
        self._echoes = plan.body if plan.face.api == "responses" else None
        self.begun = self.has_logprobs = False
        self._count = 0
        self.head: dict[str, Any] = {}
        self.usage: Usage | None = None
        self.losses: list[Loss] = self._writer.losses

    def tap(self, chunk: Mapping[str, Any], events: list[Event]) -> None:
        """Take a chunk of the upstream."""
        self.begun = True
        self._writer.report.number = self._count
        self._count += 1
        feed, pending = self._writer.feed, self._pending
        if self._begun is not None:
            events = [one for event in events for one in self._begun.feed(event)]
        for event in events:
            if event.kind == "head":
                self.head |= event.value
            if event.kind == "text" and event.value is not None:
                self.has_logprobs = True
            if event.kind == "usage":
                self.usage = event.value
                if not self._keeps_usage:
                    continue
            pending += feed(event)

    def fail(self, error: Mapping[str, Any]) -> list[Chunk]:
        """Return what is to be sent where the stream breaks: what waits, and the error."""
        return [*self.take(), *self._writer.feed(Event("error", value=error))]

    def take(self) -> list[Chunk]:
        """Return what is to be sent."""
        found, self._pending = self._pending, []
        return found if self._echoes is None else [self._echoing(chunk, self._echoes) for chunk in found]

    @staticmethod
    def _echoing(chunk: Chunk, request: Mapping[str, Any]) -> Chunk:
        if "response" not in chunk:
            return chunk
        return {**chunk, "response": with_settings(chunk["response"], request, now=int(time.time()))}

    def whole(self, response: Response) -> None:
        """Take a whole answer: some servers do not stream although they are asked to."""
        self.tap({}, list(events_of(response)))

    def finish(self) -> list[Chunk]:
        """Return what ends the stream."""
        self._pending += self._writer.finish()
        return self.take()


def missing_logprobs(body: Mapping[str, Any], has_all: bool) -> list[Loss]:
    """Return the loss of log probabilities that a body asks for and the upstream did not give."""
    wanted = body.get("logprobs")
    if has_all or wanted is None or wanted is False:
        return []
    return [Loss("$.logprobs", "parameter-dropped", "the upstream gave none")]


class SameFlow(Flow):
    """A stream of the API that the upstream speaks itself: chunks stay as they are.

    The bridge asks for the tokens of every stream; a client that did not ask does not get them.
    """

    def tap(self, chunk: Mapping[str, Any], events: list[Event]) -> None:
        self.begun = True
        if self._keeps_usage:
            self._pending.append(dict(chunk))
        elif chunk.get("choices") or "usage" not in chunk:
            self._pending.append({name: value for name, value in chunk.items() if name != "usage"})

    def whole(self, response: Response) -> None:
        super().tap({}, list(events_of(response)))
        self._pending += self._writer.finish()

    def take(self) -> list[Chunk]:
        found, self._pending = self._pending, []
        return found

    def finish(self) -> list[Chunk]:
        return self.take()


class Fan:
    """The streams of several prompts as one: the first head counts, the choices are numbered on."""

    def __init__(self, plan: Plan, upstream: Api) -> None:
        self._plan = plan
        self._joins = len(plan.asks) > 1
        kind = SameFlow if plan.same else Flow
        self.flows = [kind(plan, upstream, number) for number in range(len(plan.asks))]
        self._head: Chunk = {}

    @property
    def losses(self) -> list[Loss]:
        """What the answers lost."""
        found = [loss for flow in self.flows for loss in flow.losses]
        has_all = self._plan.same or all(flow.has_logprobs for flow in self.flows)
        return [*dict.fromkeys([*found, *missing_logprobs(self._plan.body, has_all)])]

    @property
    def fingerprint(self) -> str | None:
        """The upstream's fingerprint, where it has said one."""
        return next(
            (flow.head["system_fingerprint"] for flow in self.flows if flow.head.get("system_fingerprint")), None
        )

    def take(self, number: int) -> list[Chunk]:
        """Return what is to be sent of one flow."""
        return self._numbered(self.flows[number].take(), number)

    def finish(self) -> list[Chunk]:
        """Return what ends the stream."""
        found = [chunk for number, flow in enumerate(self.flows) for chunk in self._numbered(flow.finish(), number)]
        usages = [flow.usage for flow in self.flows if flow.usage is not None]
        if self._joins and self._plan.wants_usage and len(usages) == len(self.flows):
            writer = writer_of(self._plan.face.api, self._plan.face.api)
            found += [{**self._head, **chunk} for chunk in writer.feed(Event("usage", value=sum_usage(usages)))]
        return found

    def _numbered(self, chunks: Sequence[Chunk], number: int) -> list[Chunk]:
        if not self._joins:
            return list(chunks)
        base = number * self._plan.per_prompt
        found = []
        for chunk in chunks:
            self._head = self._head or {
                name: value for name, value in chunk.items() if name not in ("choices", "usage")
            }
            choices = [{**choice, "index": choice["index"] + base} for choice in chunk.get("choices", ())]
            found.append({**chunk, **self._head, "choices": choices})
        return found
