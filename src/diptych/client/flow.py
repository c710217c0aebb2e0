"""A call from its first attempt to its reply, as a generator without I/O.

Rule: one logic for both clients. It yields commands (:mod:`.exchange`) and is sent
their results; it decides what is retried, what is an error, what a reply is worth.
Nothing is retried once a delta has been handed over, and one deadline holds over all.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ..errors import (
    ApiError,
    ClientError,
    DiptychError,
    InvalidResponse,
    RateLimited,
    StreamIncomplete,
    StreamInterrupted,
    Timeout,
)
from ..request import Api
from . import costs, outcomes
from .answer import Answer, StreamReader, Tap, check_complete
from .budget import Budget, Reservation
from .cassette import Cassette, Recorder, Tape
from .exchange import Command, Emit, Exchange, Head, LostError, Sleep, Steps
from .limits import RateLimits
from .options import DRAIN, MAX_ERROR, MAX_RESPONSE, MAX_STREAM, Timeouts
from .profiles import Profile, adapted, fitted
from .replies import Attempt, Reply
from .requests import Ask, Outgoing, Server
from .retry import Failure, Retries, schedule
from .secret import strike
from .telemetry import CallSpan

logger = logging.getLogger("diptych.client")
Hook = Callable[[Attempt], object]


@dataclass(frozen=True)
class Setup:
    """What a client knows when it begins a call."""

    server: Server
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: Retries = field(default_factory=Retries)
    budget: Budget | None = None
    limits: RateLimits | None = None
    cassette: Cassette | None = None
    on_attempt: Hook | None = None
    profile: Profile | None = None
    api: Api | None = None
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Call:
    """One call: drive :meth:`run`; :meth:`partial` gives what has arrived so far."""

    def __init__(self, ask: Ask, setup: Setup, tap: Tap | None = None) -> None:
        self.ask, self.setup, self.tap = ask, setup, tap
        self.notes: tuple[str, ...] = ()
        if setup.profile is not None:
            body, self.notes = fitted(ask.body, ask.api, setup.profile, validates=ask.validates)
            self.ask = replace(ask, body=body)
        self.streams = ask.streams
        self.attempts: list[Attempt] = []
        self.begun = setup.clock()
        self.deadline = None if setup.timeouts.total is None else self.begun + setup.timeouts.total
        self.first_token: float | None = None
        self.reader = self._new_reader()
        self.head = Head(0, {})
        self._emitted = False
        self._last: ClientError | None = None

    # the whole call -------------------------------------------------------------------

    def run(self) -> Generator[Command, Any, Reply]:
        """Yield commands until the reply is there. Raises the typed errors of the client."""
        span = self._span = CallSpan(self.ask, self.setup.server)
        reply: Reply | None = None
        code: str | None = "cancelled"
        try:
            reply = yield from self._run()
            code = None
            return reply
        except DiptychError as error:
            strike(error, self.setup.server.key)
            code = error.error_code
            raise
        finally:
            span.end(reply, code)

    def _run(self) -> Generator[Command, Any, Reply]:
        outgoing = self.setup.server.outgoing(self.ask.api, self.ask.body, streams=self.streams)
        plan = schedule(self.setup.retries, random=self.setup.random, now=self.setup.now)
        wait = next(plan)
        while True:
            outcome = yield from self._in_turn(wait, outgoing)
            if isinstance(outcome, Reply):
                return outcome
            self._last, failure = outcome
            if self._adapts(self._last):
                outgoing, wait = self.setup.server.outgoing(self.ask.api, self.ask.body, streams=self.streams), 0.0
                continue
            try:
                wait = plan.send(failure)
            except StopIteration:
                wait = -1.0
            if wait < 0:
                raise self._final()
            self._note_wait(wait, failure)

    def _new_reader(self) -> StreamReader:
        return StreamReader(self.ask.api, self.ask.choices, self.setup.server.key, self.ask.tools, self.tap)

    def _adapts(self, error: ClientError) -> bool:
        """Put the body another way where the server refuses one parameter of it, and note that."""
        if not isinstance(error, ApiError) or error.status is None or len(self.notes) >= 4:
            return False
        said = f"{error.message} {error.param or ''}"
        found = adapted(self.ask.body, self.ask.api, error.status, said, validates=self.ask.validates)
        if found is None:
            return False
        self.ask = replace(self.ask, body=found[0])
        self.notes = (*self.notes, found[1])
        return True

    def _in_turn(
        self, wait: float, outgoing: Outgoing
    ) -> Generator[Command, Any, Reply | tuple[ClientError, Failure]]:
        """Wait for the turn of an attempt, and make it; one that does not go out gives its place back."""
        limits = None if self.setup.cassette is not None else self.setup.limits
        if limits is None:
            yield from self._pause(wait)
            return (yield from self._attempt(outgoing))
        tokens = costs.worst_case(self.ask, priced=False).tokens if limits.counts_tokens else 0
        self._sent = False
        wait = max(wait, limits.wait(tokens, now=self.setup.clock()))
        try:
            yield from self._pause(wait)
            yield from self._enter(limits)
            try:
                return (yield from self._attempt(outgoing))
            finally:
                limits.leave()
        finally:
            if not self._sent:
                limits.give_back(tokens)

    def _enter(self, limits: RateLimits) -> Steps:
        """Wait until fewer calls are under way than may be."""
        wait = limits.enter()
        while wait > 0:
            try:
                self._check_deadline(wait)
                yield Sleep(wait)
            except BaseException:
                limits.forget()
                raise
            wait = limits.enter(again=True)

    def _pause(self, wait: float) -> Steps:
        limits, clock = self.setup.limits, self.setup.clock
        while wait > 0:
            self._check_deadline(wait)
            yield Sleep(wait)
            # Another call may have met a 429 meanwhile: its pause holds for all.
            wait = limits.paused(now=clock()) if limits is not None else 0.0

    def _check_deadline(self, wait: float) -> None:
        if self.deadline is not None and self.setup.clock() + wait > self.deadline:
            raise self._too_long(wait)

    def _too_long(self, wait: float) -> ClientError:
        if self._last is not None:
            return self._final(f"a wait of {wait:.1f} s before the next attempt would pass the total time limit")
        message = f"the rate limit lets the call go in {wait:.1f} s, after the total time limit"
        return Timeout(message, limit="total")

    def _final(self, hint: str | None = None) -> ClientError:
        assert self._last is not None
        self._last.attempts = tuple(self.attempts)
        if isinstance(self._last, RateLimited) and len(self.attempts) > 1:
            self._last.message += f" ({len(self.attempts)} attempts)"
        self._last.hint = hint or self._last.hint
        return self._last

    def _note_wait(self, wait: float, failure: Failure) -> None:
        last = self.attempts[-1] = self.attempts[-1]._replace(wait=wait)
        if failure.status == 429 and self.setup.limits is not None:
            self.setup.limits.pause(wait, now=self.setup.clock())
        logger.info("attempt %d failed: %s; next in %.2f s", last.number, last.error, wait)

    # one attempt ----------------------------------------------------------------------

    def _attempt(self, outgoing: Outgoing) -> Generator[Command, Any, Reply | tuple[ClientError, Failure]]:
        begun = self.setup.clock()
        self.reader, self.head = self._new_reader(), Head(0, {})
        tape, recorder = self._tape(outgoing)
        held = None if tape is not None else self._reserve()
        exchange = Exchange(
            outgoing,
            self.setup.timeouts,
            total=self.deadline,
            clock=self.setup.clock,
            stream=self.streams,
            tape=tape,
            recorder=recorder,
        )
        unbilled = False
        try:
            outcome = yield from self._answer(exchange)
            if isinstance(outcome, ClientError):
                failure = outcomes.failure_of(outcome, self.head, self._lost)
                unbilled = not failure.ambiguous
                self._note(begun, outcome, failure.ambiguous)
                if recorder is not None:
                    recorder.save()
                return outcome, failure
            reply = self._reply(begun, tape, recorder)
            if held is not None:
                # A cost that is unknown keeps what was reserved; so does a number of tokens.
                held.settle(reply.cost, reply.usage.total_tokens if reply.usage else None)
            return reply
        except DiptychError as error:
            # An error that no retry mends: what was generated is billed all the same.
            unbilled = not (self.reader.started or outcomes.may_be_billed(error))
            self._note(begun, error, not unbilled)
            raise self._dress(error) from None
        finally:
            if held is not None:
                held.release() if unbilled else held.settle(None, None)

    _lost: LostError | None = None
    _sent = False

    def _answer(self, exchange: Exchange) -> Generator[Command, Any, ClientError | None]:
        """Return None where the reply is whole, or an error that may be retried."""
        self._lost, self._sent = None, True
        try:
            self.head = (yield from exchange.open()).map(self.setup.server.key.hide)
            if self.setup.limits is not None:
                self.setup.limits.learn(self.head.headers, now=self.setup.clock())
            if self.head.status >= 300 or self.head.status < 200:
                return (yield from self._refused(exchange))
            if self.streams:
                yield from self._stream(exchange)
            else:
                self.reader.feed((yield from exchange.read_all(MAX_RESPONSE)))
                self.reader.finish()
                exchange.check_total()  # reading what came takes time, too
        except LostError as lost:
            self._lost = lost
            self._sent = bool(self.head.status) or lost.failed.sent
        if self._lost is not None and (error := self._on_lost(self._lost)):
            return error
        check_complete(self.reader, streamed=self.streams)
        return None

    def _refused(self, exchange: Exchange) -> Generator[Command, Any, ClientError]:
        if 300 <= self.head.status < 400:
            raise outcomes.redirect(self.head, self.setup.server)
        try:
            body = yield from exchange.read_all(MAX_ERROR, cut=True)
        except (LostError, InvalidResponse):
            body = b""  # the status says enough
        return outcomes.refused(self.head, self.setup.server.key.hide_bytes(body))

    def _stream(self, exchange: Exchange) -> Steps:
        reader, read = self.reader, exchange.read
        while not reader.over:
            deltas = reader.feed((yield from read(MAX_STREAM)))
            if deltas:
                if self.first_token is None:
                    self.first_token = self.setup.clock() - self.begun
                exchange.token_arrived()
                self._emitted = True
                yield Emit(deltas)
            if reader.ended:
                return
        yield from self._drain(exchange)

    def _drain(self, exchange: Exchange) -> Steps:
        """Read to the end, which frees the connection for the next call; it may not take long."""
        until = self.setup.clock() + DRAIN
        try:
            while True:
                data = yield from exchange.read(MAX_STREAM, until=until)
                if data == b"":
                    return
        except (LostError, DiptychError):
            return

    def _on_lost(self, lost: LostError) -> ClientError | None:
        error = outcomes.lost_error(lost, self.setup.timeouts, self.setup.server.key)
        if self.reader.complete and self.streams:
            return None  # every choice has finished: nothing was lost with the connection
        if not self._emitted:
            return error
        if isinstance(error, Timeout):
            raise error
        raise StreamInterrupted(f"the stream broke: {error.message}")

    # bookkeeping ----------------------------------------------------------------------

    def partial(self) -> Reply:
        """Return what has arrived so far as a reply; its choices may lack a finish reason."""
        return outcomes.build_reply(self._arrived(self.reader.answer()), notes=("partial",))

    def _arrived(self, answer: Answer, tape: Tape | None = None) -> outcomes.Arrived:
        seconds, counts = self.setup.clock() - self.begun, self.setup.budget is not None
        now = self.setup.now().isoformat(timespec="minutes")
        return outcomes.Arrived(
            self.ask, answer, self.head, tuple(self.attempts), seconds, self.first_token, counts, now, tape
        )

    def _dress(self, error: DiptychError) -> DiptychError:
        if isinstance(error, ClientError):
            error.attempts = tuple(self.attempts)
            error.request_id = error.request_id or outcomes.request_id(self.head)
        if isinstance(error, Timeout | StreamInterrupted | StreamIncomplete):
            error.partial = self.partial()
        return error

    def _note(self, begun: float, error: DiptychError | None, ambiguous: bool = False) -> None:
        now = self.setup.clock()
        attempt = Attempt(
            len(self.attempts) + 1,
            round(begun - self.begun, 6),
            round(now - begun, 6),
            self.head.status or None,
            None if error is None else f"{error.error_code}: {self.setup.server.key.hide(error.message)}",
            outcomes.request_id(self.head),
            possibly_billed=ambiguous,
        )
        self.attempts.append(attempt)
        self._span.attempt(attempt)
        logger.debug("attempt %d: status %s, %.3f s", attempt.number, attempt.status, attempt.seconds)
        if self.setup.on_attempt is not None:
            self.setup.on_attempt(attempt)

    def _tape(self, outgoing: Outgoing) -> tuple[Tape | None, Recorder | None]:
        if self.setup.cassette is None:
            return None, None
        found = self.setup.cassette.find(outgoing.url, self.ask.body, self.setup.server.key)
        return (found, None) if isinstance(found, Tape) else (None, found)

    def _reserve(self) -> Reservation | None:
        budget = self.setup.budget
        if budget is None:
            return None
        worst = costs.worst_case(self.ask, priced=budget.usd is not None)
        return budget.reserve(usd=worst.usd, tokens=worst.tokens)

    def _reply(self, begun: float, tape: Tape | None, recorder: Recorder | None) -> Reply:
        self._note(begun, None)
        answer = self.reader.answer()
        reply = outcomes.build_reply(self._arrived(answer, tape), notes=self.notes)
        if recorder is None:
            return reply
        if answer.spells_key:
            # Its parts are in several chunks: none can be replaced, together they are the key.
            return replace(reply, notes=(*reply.notes, "not recorded: the stream spells the API key across chunks"))
        recorder.save(reply.cost)
        return reply
