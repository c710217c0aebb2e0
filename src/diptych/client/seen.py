"""What a server makes of a request before the model sees it: the prompt text and its tokens, without a reply.

vLLM has ``/render`` and ``/detokenize``; llama.cpp has ``/apply-template`` and ``/tokenize``. Other servers
have neither, and say 404. Nothing is generated, so nothing is estimated, reserved or recorded.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ..errors import ApiError, ClientError, InvalidResponse
from ..request import Api
from .endpoints import ENDPOINTS
from .errors_of import api_error
from .exchange import Command, Exchange, LostError
from .flow import Setup
from .options import MAX_RESPONSE
from .outcomes import lost_error
from .requests import Outgoing

Steps = Generator[Command, Any, Any]


class Seen(NamedTuple):
    """The text that a model sees of a request, and its token ids."""

    text: str
    token_ids: list[int]


class Inquiry:
    """Ask a server what its model sees of a Chat or Completions body; ``run`` gives the I/O to do."""

    def __init__(self, setup: Setup, body: Mapping[str, Any]) -> None:
        self._setup, self._body = setup, dict(body)
        total = setup.timeouts.total
        self._deadline = None if total is None else setup.clock() + total

    def run(self) -> Steps:
        """Return a :class:`Seen`. Raises ClientError."""
        is_chat = "messages" in self._body
        try:
            found = yield from self._post("/chat/completions/render" if is_chat else "/completions/render", self._body)
        except ApiError as error:
            if error.status not in (404, 405, 501):
                raise
            return (yield from self._llama(is_chat))
        return (yield from self._vllm(found[0] if isinstance(found, list) and found else found))

    def _vllm(self, found: Any) -> Steps:
        ids = field_of(found, "token_ids", list)
        model = {"model": self._body["model"]} if "model" in self._body else {}
        said = yield from self._post("//detokenize", {**model, "tokens": ids})
        return Seen(field_of(said, "prompt", str), ids)

    def _llama(self, is_chat: bool) -> Steps:
        text = self._body.get("prompt")
        if is_chat:
            text = field_of((yield from self._post("//apply-template", self._body)), "prompt", str)
        said = yield from self._post("//tokenize", {"content": text, "add_special": True, "parse_special": True})
        return Seen(str(text), field_of(said, "tokens", list))

    def _post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        key_header: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Steps:
        server = self._setup.server if key_header is None else replace(self._setup.server, key_header=key_header)
        return (yield from self._ask(server.posting(server.at(path), body, extra), path))

    def _ask(self, outgoing: Outgoing, path: str) -> Steps:
        """Return the JSON that the server answers. Raises ClientError."""
        setup = self._setup
        exchange = Exchange(outgoing, setup.timeouts, total=self._deadline, clock=setup.clock, stream=False)
        try:
            head = yield from exchange.open()
            data: bytes = yield from exchange.read_all(MAX_RESPONSE)
        except LostError as lost:
            raise lost_error(lost, setup.timeouts, setup.server.key) from None
        if not 200 <= head.status < 300:
            raise api_error(head.status, setup.server.key.hide_bytes(data))
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise InvalidResponse(f"the answer of {path.lstrip('/')} is not JSON") from None


class Fetched(Inquiry):
    """Ask a server for what no message API holds: its list of models, embeddings.

    ``path`` stands under the base address; without a ``body`` it is read, else the body is sent.
    """

    def __init__(self, setup: Setup, path: str, body: Mapping[str, Any] | None = None, *, api: Api = "chat") -> None:
        super().__init__(setup, body or {})
        self._path, self._reads, self._endpoint = path, body is None, ENDPOINTS[api]

    def run(self) -> Steps:
        """Return the JSON that the server answers. Raises ClientError."""
        server, endpoint = self._setup.server, self._endpoint
        url = server.at(self._path)
        outgoing = server.posting(url, self._body, endpoint.headers, key_header=endpoint.key_header)
        if self._reads:
            outgoing = replace(outgoing, content=b"", method="GET")
        return (yield from self._ask(outgoing, self._path))


def field_of(value: Any, name: str, kind: type) -> Any:
    """Return a field of a server's answer. Raises ClientError where it is missing or of another type."""
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, kind):
        raise ClientError(f"the server's answer has no {name!r}", hint="prove with the model's chat template instead")
    return found
