"""The bridge itself: a body of one API in, the answer of the upstream in the same API out.

Rule: every call is the client's (:mod:`diptych.client`), with its budget, limits, retries, deadlines and
cassettes; every conversion is that of the readers and writers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ..apis.responses.settings import with_settings
from ..client import AsyncClient
from ..client._async import AsyncStream
from ..client.replies import Reply
from ..client.requests import Ask
from ..conversion.responses import convert_response
from ..errors import LossError
from .faces import Face
from .flows import Chunk, Fan, missing_logprobs
from .gate import Gate, Keys
from .plans import Plan, make_plan
from .policy import OWN, Signal, signalled
from .prefill import without_begun
from .refusals import refuse
from .settings import Settings
from .templates import names_template

#: Chunks of one upstream stream that wait for the client while others are sent.
_AHEAD: Final = 16


@dataclass(slots=True)
class Tally:
    """What the log says of a call: counts, costs, ids; never a text."""

    plan: Plan | None = None
    signal: Signal = field(default_factory=Signal)
    replies: list[Reply] = field(default_factory=list)
    chunks: int = 0
    fan: Fan | None = None

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the upstream, where it has said one."""
        if self.fan is not None:
            return self.fan.fingerprint
        return next((reply.system_fingerprint for reply in self.replies if reply.system_fingerprint), None)

    @property
    def has_begun(self) -> bool:
        """Whether a streamed answer has begun to arrive."""
        return self.fan is not None and any(flow.begun for flow in self.fan.flows)

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the log line that are known."""
        usages = [reply.usage for reply in self.replies if reply.usage is not None]
        costs = [reply.cost for reply in self.replies]
        known = [cost for cost in costs if cost is not None]
        found: dict[str, Any] = {
            "model": self.plan.model if self.plan else None,
            "stream": self.plan.streams if self.plan else None,
            "upstream_ids": [reply.request_id for reply in self.replies if reply.request_id] or None,
            "attempts": sum(len(reply.attempts) for reply in self.replies) or None,
            "prompt_tokens": sum(usage.prompt_tokens for usage in usages) if usages else None,
            "completion_tokens": sum(usage.completion_tokens for usage in usages) if usages else None,
            "cost": str(sum(known, Decimal(0))) if known and len(known) == len(costs) else None,
            "chunks": self.chunks or None,
            "losses": [f"{loss.path} {loss.kind}" for loss in self.signal.losses] or None,
        }
        return {name: value for name, value in found.items() if value is not None}


class Bridge:
    """What the doors share: the settings, the client of the upstream, the gate.

    >>> Bridge(Settings(upstream="http://127.0.0.1:9/v1")).settings.upstream_api
    'chat'
    """

    def __init__(self, settings: Settings, *, keys: Keys | None = None, api_key: str | None = None) -> None:
        self.settings, self.keys = settings, keys or Keys()
        self.gate = Gate(settings.max_calls, settings.max_queue)
        self.client = AsyncClient(
            settings.upstream,
            api_key,
            api=settings.upstream_api,
            timeout=settings.timeout,
            retries=settings.retries,
            budget=settings.budget,
            limits=settings.limits,
            cassette=settings.cassette,
            profile=settings.profile,
            trust_env=settings.trust_env,
        )

    async def plan(self, face: Face, body: Any) -> Plan:
        """Return what is sent for a body. Raises RefusedError, LossError, FormatError, TemplateError."""
        if names_template(body):  # it is rendered in a process of its own, which is waited for
            return await asyncio.to_thread(make_plan, face, body, self.settings)
        return make_plan(face, body, self.settings)

    async def whole(self, plan: Plan, tally: Tally) -> dict[str, Any]:
        """Return the whole answer in the API of the client. Raises what the client of the upstream raises."""
        tally.replies = await self._replies(plan)
        if plan.same:
            return dict(tally.replies[0].raw)
        return self._converted(plan, tally)

    def _converted(self, plan: Plan, tally: Tally) -> dict[str, Any]:
        bodies = [without_begun(reply.raw, plan.begun(number)) for number, reply in enumerate(tally.replies)]
        try:
            found = convert_response(
                bodies if len(bodies) > 1 else bodies[0],
                to=plan.face.api,
                source=self.settings.upstream_api,
                request=plan.body,
                on_loss="raise" if self.settings.strict else "ignore",
            )
        except LossError as error:
            raise refuse(
                502, f"the answer has no place in this API: {error.message}", code="loss", again=False
            ) from None
        has_all = all(choice.logprobs is not None for reply in tally.replies for choice in reply.response.choices)
        tally.signal = signalled([*plan.signal.losses, *found.losses, *missing_logprobs(plan.body, has_all)])
        output: dict[str, Any] = found.output
        if plan.face.api == "responses":
            output = with_settings(output, plan.body, now=int(time.time()))
        return {**output, OWN: tally.signal.body()} if tally.signal.losses else output

    async def _replies(self, plan: Plan) -> list[Reply]:
        if len(plan.asks) == 1:
            return [await self._reply(self.client.begin(plan.asks[0]))]
        places = asyncio.Semaphore(self.settings.max_fan)

        async def one(ask: Ask) -> Reply:
            async with places:
                return await self._reply(self.client.begin(ask))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(ask)) for ask in plan.asks]
        return [task.result() for task in tasks]

    async def _reply(self, stream: AsyncStream) -> Reply:
        try:
            async for _ in stream.batches():
                pass
        finally:
            await stream.close()
        return stream.reply

    async def chunks(self, plan: Plan, tally: Tally) -> AsyncGenerator[list[Chunk], None]:
        """Yield the chunks of a streamed answer as they arrive. Raises what the client of the upstream raises."""
        fan = tally.fan = Fan(plan, self.settings.upstream_api)
        signals = bool(plan.signal.losses)
        async with aclosing(self._arriving(plan, fan, tally)) as arriving:
            async for found in arriving:
                if found:
                    tally.chunks += len(found)
                    if signals:
                        found[0] = {**found[0], OWN: plan.signal.body()}
                        signals = False
                    yield found
        last = fan.finish()
        tally.chunks += len(last)
        tally.signal = signalled([*plan.signal.losses, *fan.losses])
        if last and (late := signalled(fan.losses)).losses:
            last[-1] = {**last[-1], OWN: late.body()}
        yield last

    def _arriving(self, plan: Plan, fan: Fan, tally: Tally) -> AsyncGenerator[list[Chunk], None]:
        return self._one(plan, fan, tally) if len(plan.asks) == 1 else self._many(plan, fan, tally)

    async def _one(self, plan: Plan, fan: Fan, tally: Tally, number: int = 0) -> AsyncGenerator[list[Chunk], None]:
        flow = fan.flows[number]
        stream = self.client.begin(plan.asks[number], tap=flow.tap)
        try:
            async for _ in stream.batches():
                yield fan.take(number)
        finally:
            await stream.close()
        reply = stream.reply
        tally.replies.append(reply)
        if not flow.begun:
            flow.whole(reply.response)
        yield fan.take(number)

    async def _many(self, plan: Plan, fan: Fan, tally: Tally) -> AsyncGenerator[list[Chunk], None]:
        """Yield what arrives of several streams, whichever is first; a slow client holds all of them back."""
        queue: asyncio.Queue[list[Chunk] | None] = asyncio.Queue(_AHEAD)
        places = asyncio.Semaphore(self.settings.max_fan)

        async def run(number: int) -> None:
            async with places, aclosing(self._one(plan, fan, tally, number)) as arriving:
                async for found in arriving:
                    await queue.put(found)

        async def run_all() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for number in range(len(plan.asks)):
                        group.create_task(run(number))
            except asyncio.CancelledError:
                raise  # whoever reads has left
            except BaseException:
                await queue.put(None)
                raise
            await queue.put(None)

        task = asyncio.ensure_future(run_all())
        try:
            while (found := await queue.get()) is not None:
                yield found
            await task
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        """Close the connections to the upstream."""
        await self.client.close()


def first_of(error: BaseException) -> BaseException:
    """Return the error that a group of tasks ended with: the first of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
