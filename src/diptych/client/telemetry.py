"""Spans of OpenTelemetry, where its API is installed.

Rule: a call is one span with the attributes of the GenAI conventions: operation, models, token counts,
finish reasons, server, name and version of the template; an attempt that failed is an event. No text of a
prompt or an answer is recorded, and no key, unless the user allows contents by the variable of the
environment that all instrumentations share; then each part says who wrote it. Without
``opentelemetry-api`` nothing is done.

Sources: open-telemetry/semantic-conventions-genai, pull request 179 (``gen_ai.prompt.*``, merged
2026-05) and issue 416 (``gen_ai.content.trust``, proposed), read 2026-11-26.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .replies import Attempt, Reply
    from .requests import Ask, Server

#: The variable by which users allow contents, and its values that mean spans.
CONTENTS: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_ALLOWED: Final = frozenset({"true", "1", "span_only", "span_and_event"})
#: Who wrote a content, from the least trusted on; a span has the least of its parts.
_TRUST: Final = ("user_supplied", "tool_output", "model_generated", "operator")
#: Who wrote a message of a role that no template rendered.
_ROLES: Final = {
    "system": "operator",
    "developer": "operator",
    "assistant": "model_generated",
    "tool": "tool_output",
    "function": "tool_output",
}
_NAMES: Final = {"completions": "text_completion", "gemini": "generate_content"}
_PROVIDERS: Final = {"anthropic": "anthropic", "gemini": "gcp.gemini", "bedrock": "aws.bedrock", "ollama": "ollama"}


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
        from opentelemetry.trace import SpanKind

        facts = {**_request(ask, server), **_template(ask)}
        self._shows = os.environ.get(CONTENTS, "").strip().lower() in _ALLOWED
        if self._shows:
            facts |= _contents(ask)
        name = f"{facts['gen_ai.operation.name']} {facts['gen_ai.request.model']}".strip()
        self._span = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=facts)

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
            facts = _response(reply) | (_answered(reply) if self._shows else {})
            span.set_attributes({name: value for name, value in facts.items() if value is not None})
        if error is not None:
            from opentelemetry.trace import Status, StatusCode

            span.set_attribute("error.type", error)
            span.set_status(Status(StatusCode.ERROR))
        span.end()


# facts ------------------------------------------------------------------------------------------------


def _request(ask: Ask, server: Server) -> dict[str, Any]:
    parts = urlsplit(server.base_url)
    facts: dict[str, Any] = {
        "gen_ai.operation.name": _NAMES.get(ask.api, "chat"),
        "gen_ai.provider.name": _PROVIDERS.get(ask.api, "openai"),
        "gen_ai.request.model": str(ask.body.get("model", "")),
        "server.address": parts.hostname or "",
        "server.port": parts.port or (443 if parts.scheme == "https" else 80),
    }
    names = {"temperature": "temperature", "top_p": "top_p", "seed": "seed", "max_tokens": "max_tokens"}
    for name, key in {**names, "max_completion_tokens": "max_tokens"}.items():
        if isinstance(ask.body.get(name), int | float):
            facts[f"gen_ai.request.{key}"] = ask.body[name]
    if ask.choices > 1:
        facts["gen_ai.request.choice.count"] = ask.choices
    return facts


def _template(ask: Ask) -> dict[str, Any]:
    """Return name and version of the template; a hash is the version of one that states none."""
    if ask.rendered is None:
        return {}
    facts = {"gen_ai.prompt.name": getattr(ask.rendered.template, "name", None)}
    facts["gen_ai.prompt.version"] = ask.template_version or ask.template_hash
    return {name: str(value) for name, value in facts.items() if value}


def _response(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    return {
        "gen_ai.response.model": reply.model,
        "gen_ai.response.id": reply.id,
        "gen_ai.response.finish_reasons": [c.finish_reason or "" for c in reply.choices],
        "gen_ai.usage.input_tokens": usage.prompt_tokens if usage else None,
        "gen_ai.usage.output_tokens": usage.completion_tokens if usage else None,
    }


# contents -------------------------------------------------------------------------------------------


def _contents(ask: Ask) -> dict[str, Any]:
    """Return what is said, part by part with who wrote it, and the variables of the template."""
    said = list(_said(ask))
    messages = [{"role": role, "parts": parts} for role, parts in said]
    trusts = [part["trust"] for _, parts in said for part in parts]
    facts: dict[str, Any] = {"gen_ai.input.messages": _json(messages)}
    if trusts:
        facts["gen_ai.content.trust"] = min(trusts, key=_TRUST.index)
    for name, value in (ask.rendered.inputs if ask.rendered is not None else {}).items():
        facts[f"gen_ai.prompt.variable.{name}"] = value if isinstance(value, str) else _json(value)
    return facts


def _said(ask: Ask) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if ask.rendered is not None:
        for role, segments in ask.rendered.segments:
            yield role, [_part(one.text, _author(one.source, role)) for one in segments if one.text]
        return
    said = ask.prompt
    for message in said if isinstance(said, list) else [{"role": "user", "content": said}]:
        known = isinstance(message, Mapping)
        role = str(message.get("role") or "user") if known else "user"
        content = message.get("content", message.get("parts", message)) if known else message
        text = content if isinstance(content, str) else _json(content)
        yield role, [_part(text, _ROLES.get(role, "user_supplied"))]


def _author(source: str, role: str) -> str:
    """Return who wrote a run of a rendered text: the template's author is the operator, whoever the role is."""
    if source == "template":
        return "operator"
    written = _ROLES.get(role, "user_supplied")
    return "user_supplied" if written == "operator" else written


def _part(text: str, trust: str) -> dict[str, Any]:
    return {"type": "text", "content": text, "trust": trust}


def _answered(reply: Reply) -> dict[str, Any]:
    messages = [
        {"role": "assistant", "parts": [{"type": "text", "content": one.text}], "finish_reason": one.finish_reason}
        for one in reply.choices
    ]
    return {"gen_ai.output.messages": _json(messages)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
