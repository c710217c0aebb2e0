"""Where the requests of each message API go: one row an API. How answers are framed says ``apis.framing``.

Rule: a difference between vendors is a cell of this table, never a branch elsewhere. Sources: the API
references of OpenAI, Anthropic (version 2023-06-01), Google (v1beta) and Ollama, 2026-11; Bedrock's
Converse is signed, so the client needs an ``http`` whose ``auth`` signs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote


class Endpoint(NamedTuple):
    """How one API is called. ``{model}`` in a path is the body's model, which stays out of the body then.

    ``streamed`` is the path of a stream where it is another one. A path that begins with ``//`` stands
    beside ``/v1``. ``has_bytes`` says that a body may hold bytes, which are base64 in JSON.
    """

    path: str
    base: str
    key: str
    streamed: str = ""
    key_header: str = "authorization"
    headers: Mapping[str, str] = {}
    address: str = ""
    has_bytes: bool = False

    def path_for(self, body: Mapping[str, Any], *, streams: bool) -> str:
        """Return the path of a body.

        >>> ENDPOINTS["gemini"].path_for({"model": "gemini-3-pro"}, streams=True)
        '/models/gemini-3-pro:streamGenerateContent?alt=sse'
        """
        path = self.streamed if streams and self.streamed else self.path
        name = str(body.get("model", body.get("modelId", "")))
        return path.replace("{model}", quote(name.removeprefix("models/"), safe="")) if "{model}" in path else path

    def body_of(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is sent of a body: what the path says is not said again."""
        if "{model}" not in self.path:
            return body
        return {name: value for name, value in body.items() if name not in ("model", "modelId", "stream")}

    def key_from_environment(self) -> str:
        """Return the key that the vendor's variable holds, "" where it is empty or not set."""
        return os.environ.get(self.key) or ""

    def base_from_environment(self) -> str:
        """Return the address that the vendor's variable holds, else the vendor's own."""
        return os.environ.get(self.address or "") or self.base


OPENAI: Final = "https://api.openai.com/v1"
ENDPOINTS: Final[dict[str, Endpoint]] = {
    "chat": Endpoint("/chat/completions", OPENAI, "OPENAI_API_KEY", address="OPENAI_BASE_URL"),
    "completions": Endpoint("/completions", OPENAI, "OPENAI_API_KEY", address="OPENAI_BASE_URL"),
    "responses": Endpoint("/responses", OPENAI, "OPENAI_API_KEY", address="OPENAI_BASE_URL"),
    "anthropic": Endpoint(
        "/messages",
        "https://api.anthropic.com/v1",
        "ANTHROPIC_API_KEY",
        key_header="x-api-key",
        headers={"anthropic-version": "2023-06-01"},
    ),
    "gemini": Endpoint(
        "/models/{model}:generateContent",
        "https://generativelanguage.googleapis.com/v1beta",
        "GEMINI_API_KEY",
        streamed="/models/{model}:streamGenerateContent?alt=sse",
        key_header="x-goog-api-key",
    ),
    "ollama": Endpoint("//api/chat", "http://127.0.0.1:11434", "OLLAMA_API_KEY"),
    "bedrock": Endpoint(
        "//model/{model}/converse",
        "https://bedrock-runtime.us-east-1.amazonaws.com",
        "AWS_BEARER_TOKEN_BEDROCK",
        streamed="//model/{model}/converse-stream",
        has_bytes=True,
    ),
}  # fmt: skip
