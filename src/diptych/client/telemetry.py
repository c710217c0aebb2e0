"""Spans of OpenTelemetry, where its API is installed.

Rule: a call is one span with the attributes of the GenAI conventions (2026): operation,
models, token counts, finish reasons, server; an attempt that failed is an event. No text
of a prompt or an answer is recorded, and no key. Without ``opentelemetry-api`` nothing is done.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .replies import Attempt, Reply
    from .requests import Ask, Server


@cache
def _api() -> Any:
    """Return the API, None where the extra ``telemetry`` is not installed."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.trace") is None:
        return None
    from opentelemetry import trace

    return trace


def _tracer() -> Any:
    """Return the tracer, None where nobody listens: no API, or no provider was set."""
    trace = _api()
    if trace is None or type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider":
        return None
    return trace.get_tracer("diptych")


class CallSpan:
    """The span of one call; every method does nothing without OpenTelemetry."""

    def __init__(self, ask: Ask, server: Server) -> None:
        tracer = _tracer()
        self._span: Any = None
        if tracer is None:
            return
        operation = "chat" if ask.api == "chat" else "text_completion"
        parts = urlsplit(server.base_url)
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": str(ask.body.get("model", "")),
            "server.address": parts.hostname or "",
            "server.port": parts.port or (443 if parts.scheme == "https" else 80),
        }
        names = {"temperature": "temperature", "top_p": "top_p", "seed": "seed", "max_tokens": "max_tokens"}
        for name, key in {**names, "max_completion_tokens": "max_tokens"}.items():
            if isinstance(ask.body.get(name), int | float):
                attributes[f"gen_ai.request.{key}"] = ask.body[name]
        if ask.choices > 1:
            attributes["gen_ai.request.choice.count"] = ask.choices
        from opentelemetry.trace import SpanKind

        name = f"{operation} {attributes['gen_ai.request.model']}".strip()
        self._span = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)

    def attempt(self, attempt: Attempt) -> None:
        """Record an attempt that failed."""
        if self._span is not None and attempt.error is not None:
            facts = {"attempt": attempt.number, "error.type": attempt.error.split(":")[0]}
            self._span.add_event("attempt failed", facts | ({"http.status": attempt.status} if attempt.status else {}))

    def end(self, reply: Reply | None, error: str | None) -> None:
        """End the span with the reply's facts or the error's code."""
        span = self._span
        if span is None:
            return
        if reply is not None:
            usage = reply.usage
            facts = {
                "gen_ai.response.model": reply.model,
                "gen_ai.response.id": reply.id,
                "gen_ai.response.finish_reasons": [c.finish_reason or "" for c in reply.choices],
                "gen_ai.usage.input_tokens": usage.prompt_tokens if usage else None,
                "gen_ai.usage.output_tokens": usage.completion_tokens if usage else None,
            }
            span.set_attributes({name: value for name, value in facts.items() if value is not None})
        if error is not None:
            from opentelemetry.trace import Status, StatusCode

            span.set_attribute("error.type", error)
            span.set_status(Status(StatusCode.ERROR))
        span.end()
