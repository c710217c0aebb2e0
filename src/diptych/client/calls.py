"""What both clients do before and after a call: settings, bodies, parsed answers.

Rule: no I/O and no waiting. A client's whole state is a :class:`Setup`.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, TypeVar

from ..errors import ClientError, DiptychError, InvalidResponse
from ..jsonpath import first_problem
from ..request import Api
from ..response import Usage
from .flow import Call, Setup
from .options import Timeouts
from .replies import Delta, Parsed, Reply
from .requests import ask
from .retry import Retries

T = TypeVar("T")

_FENCE: Final = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
#: APIs whose schemas have neither a name nor a mode: what ``parse`` would give there has no place.
_NAMELESS: Final = frozenset({"anthropic", "gemini", "bedrock", "ollama"})
#: Keywords of send that are the client's and not the API's.
_OWN: Final = ("timeout", "retries", "on_loss")


def new_call(
    setup: Setup,
    x: Any,
    *,
    model: str | None,
    api: Api | None,
    params: dict[str, Any],
    stream: bool | None = None,
    validates: bool = False,
) -> Call:
    """Return the call for what ``send`` or ``stream`` was given."""
    if "timeout" in params:
        setup = replace(setup, timeouts=Timeouts.of(params["timeout"]))
    if "retries" in params:
        setup = replace(setup, retries=Retries.of(params["retries"]))
    today = setup.now().date().isoformat()
    on_loss = params.get("on_loss", "raise")
    params = {name: value for name, value in params.items() if name not in _OWN}
    api = api or setup.api
    if stream:
        params = {**params, "stream": True}
        if api in (None, "chat", "completions"):
            # Without being asked, servers leave the usage out of a stream.
            params = {"stream_options": {"include_usage": True}, **params}
    way: dict[str, Any] = {"model": model, "api": api, "on_loss": on_loss, "own_server": setup.server.is_openai}
    asked = ask(x, **way, today=today, streams=bool(stream), **params)
    return Call(replace(asked, validates=validates) if validates else asked, setup)


def check_reask(reask: int) -> None:
    """Raise ValueError for a number of further questions that is negative or not whole."""
    if isinstance(reask, bool) or not isinstance(reask, int) or reask < 0:
        raise ValueError(f"reask is a number of further questions from 0, not {reask!r}")


def schema_params(model: Any, api: Api | None, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of ``parse``: the answer's schema, unless the caller gave a response format."""
    if "response_format" in params or api == "completions":
        return params
    from ..apis.strict import response_format_of

    wanted = response_format_of(model, api)
    if api in _NAMELESS:
        wanted["json_schema"] = {"schema": wanted["json_schema"]["schema"]}
    return {**params, "response_format": wanted}


def parsed(reply: Reply, model: type[T]) -> Parsed[T]:
    """Return the reply with its text validated. Raises InvalidResponse where it does not hold."""
    from pydantic import ValidationError

    if refusal := reply.message.get("refusal"):
        raise _invalid(reply, f"the model refused: {str(refusal)[:200]}")
    if reply.finish_reason == "length":
        raise _invalid(reply, "the answer was cut off at the output cap", "raise max_tokens")
    text = reply.text
    fenced = _FENCE.match(text)
    try:
        value = json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        raise _invalid(reply, f"the answer is not JSON: {text[:200]!r}", "not every server enforces JSON") from None
    try:
        found: T = _adapter(model).validate_json(json.dumps(value))
        return reply.with_parsed(found)
    except ValidationError as error:
        place, message = first_problem(error, value)
        raise _invalid(
            reply, f"the answer does not fit {getattr(model, '__name__', model)}: {place}: {message}"
        ) from None


def reasked(reply: Reply, error: InvalidResponse) -> dict[str, Any]:
    """Return the body that asks once more, with the answer that did not fit and why."""
    assert reply.asked is not None
    body = dict(reply.asked.body)
    answer = {"role": "assistant", "content": reply.text}
    wish = {"role": "user", "content": f"This does not fit: {error.message}. Answer again, with the JSON alone."}
    body["messages"] = [*body["messages"], answer, wish]
    return body


def summed(reply: Reply, before: list[Reply]) -> Reply:
    """Return a reply that counts what the answers before it used and cost, too."""
    if not before:
        return reply
    usages = [r.usage for r in (*before, reply) if r.usage is not None]
    costs = [r.cost for r in (*before, reply)]
    usage = Usage(
        sum(u.prompt_tokens for u in usages),
        sum(u.completion_tokens for u in usages),
        sum(u.cached_tokens for u in usages),
        sum(u.reasoning_tokens for u in usages),
        reply.usage.source if reply.usage else "server",
    )
    cost = None if None in costs else sum((c for c in costs if c is not None), Decimal(0))
    notes = (*reply.notes, f"asked {len(before) + 1} times until the answer fitted")
    attempts = tuple(attempt for r in (*before, reply) for attempt in r.attempts)
    return replace(reply, usage=usage, cost=cost, notes=notes, attempts=attempts)


def _invalid(reply: Reply, message: str, hint: str | None = None) -> InvalidResponse:
    error = InvalidResponse(message, request_id=reply.request_id, attempts=reply.attempts, hint=hint)
    error.reply = reply  # type: ignore[attr-defined]  # what was paid for is kept
    return error


def _adapter(model: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(model)


class StreamState:
    """What a stream knows beside its I/O: the call, the deltas that wait, the reply."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._waiting: list[Delta] = []
        self._reply: Reply | None = None
        self._closed = False
        self._pid = os.getpid()

    @property
    def _is_inherited(self) -> bool:
        """Whether this process was forked after the stream began: the bytes to come are the other's."""
        return self._pid != os.getpid()

    def _check_process(self) -> None:
        if self._is_inherited:
            raise ClientError(
                "this stream was begun before the process forked, and its bytes belong to the other process",
                hint="make the call in the process that reads it",
            )

    @property
    def reply(self) -> Reply:
        """The complete reply. Raises ClientError before the stream's end."""
        if self._reply is None:
            raise ClientError("the stream is not complete", hint="iterate to its end, or use .partial")
        return self._reply

    @property
    def partial(self) -> Reply:
        """The reply as far as it has arrived."""
        return self._reply or self._call.partial()

    @property
    def text(self) -> str:
        """The text of the first choice as far as it has arrived."""
        choices = self.partial.choices
        return choices[0].text if choices else ""


def unsent(count: int) -> list[Reply | DiptychError]:
    """Return the results of so many calls before any is made."""
    return [ClientError("not sent: the run was stopped before its turn") for _ in range(count)]


CLOSED_FORK: Final = "this client was made before the process forked, and its connections belong to the other process"


def forked() -> ClientError:
    """Return the error for an injected HTTP client in a forked process."""
    return ClientError(CLOSED_FORK, hint="make the client in the process that uses it")
