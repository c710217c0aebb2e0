"""The tokens of a request as its server counts them, without a reply: ``count(x, via=client)``.

OpenAI, Anthropic and Gemini have a counter each, for bodies of their own API; llama.cpp and vLLM say
which tokens they make of a request. Sources: the API references of the three, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import ClientError
from ..tokens.responses import chat_shape
from .flow import Setup
from .seen import Inquiry, Steps, field_of

#: What the counters take of a body: sampling and caps are refused by some.
_OPENAI: Final = ("model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "previous_response_id")
_ANTHROPIC: Final = ("model", "messages", "system", "tools", "tool_choice", "thinking")
_GEMINI: Final = ("contents", "systemInstruction", "tools", "generationConfig")


class Counting(Inquiry):
    """Ask a server for its own count of a body; ``run`` gives the I/O to do and returns the number."""

    def __init__(self, setup: Setup, body: Mapping[str, Any]) -> None:
        if "input" in body and not setup.server.is_openai:
            body = {**chat_shape(body).body, **({"model": body["model"]} if "model" in body else {})}
        super().__init__(setup, body)

    def run(self) -> Steps:
        """Return the number of tokens. Raises ClientError."""
        host = urlsplit(self._setup.server.base_url).hostname or ""
        if "contents" in self._body:
            model = str(self._body.get("model")).removeprefix("models/")
            body = {"generateContentRequest": {"model": f"models/{model}", **self._only(_GEMINI)}}
            found = yield from self._post(f"/models/{model}:countTokens", body, key_header="x-goog-api-key")
            return field_of(found, "totalTokens", int)
        if host.endswith("anthropic.com"):
            version = {"anthropic-version": "2023-06-01"}
            body = self._only(_ANTHROPIC)
            found = yield from self._post("/messages/count_tokens", body, key_header="x-api-key", extra=version)
            return field_of(found, "input_tokens", int)
        if self._setup.server.is_openai:
            return field_of(
                (yield from self._post("/responses/input_tokens", self._as_responses())), "input_tokens", int
            )
        seen = yield from super().run()
        return len(seen.token_ids)

    def _only(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: self._body[name] for name in names if self._body.get(name) is not None}

    def _as_responses(self) -> dict[str, Any]:
        """Return a body of the Responses API; of Chat, what has the same count there."""
        if "input" in self._body:
            return self._only(_OPENAI)
        messages = self._body.get("messages")
        if not isinstance(messages, list) or any(set(message) - {"role", "content"} for message in messages):
            raise ClientError(
                "OpenAI counts Responses bodies; this one cannot be counted as one",
                hint="give a Responses body, or messages of roles and contents alone",
            )
        return {"model": self._body.get("model"), "input": messages}
