"""Small doors: what is iterated once, what follows an error, what is no source."""

from __future__ import annotations

import asyncio
import importlib
import json
from typing import Any

import pytest

import diptych
from diptych import AsyncClient, Client, MigrationError, convert_stream
from diptych.migrate import migrate_code
from diptych.testing import Server, faults


def test_send_many_takes_a_generator() -> None:
    with Server() as server, diptych.Client(server.base_url) as client:
        found = client.send_many((text for text in ("a", "b")), model="m")
    assert [reply.text for reply in found if isinstance(reply, diptych.Reply)] == ["a", "b"]


@pytest.mark.parametrize("to", ["chat", "completions"])
def test_nothing_follows_the_error_of_a_stream(to: str) -> None:
    chunks = [{"choices": [{"index": 0, "text": "Hi", "finish_reason": None}]}, {"error": {"message": "boom"}}]
    assert list(convert_stream(chunks, to=to))[-1] == {"error": {"message": "boom"}}  # type: ignore[arg-type]


def test_what_is_no_text_is_no_source() -> None:
    with pytest.raises(MigrationError, match="NoneType"):
        migrate_code(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("shape", ["whole", "stream"])
def test_an_answer_of_a_mock_transport_is_read(library: str, shape: str) -> None:
    lib = importlib.import_module(library)
    choice = {"index": 0, "finish_reason": "stop"}
    whole = {"object": "chat.completion", "choices": [{**choice, "message": {"role": "assistant", "content": "Hi"}}]}
    chunk = {"object": "chat.completion.chunk", "choices": [{**choice, "delta": {"content": "Hi"}}]}
    sse = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
    streamed = {"text": sse, "headers": {"content-type": "text/event-stream"}}
    given: dict[str, Any] = streamed if shape == "stream" else {"json": whole}
    transport = lib.MockTransport(lambda request: lib.Response(200, **given))
    params: dict[str, Any] = {"x": [{"role": "user", "content": "Hello"}], "model": "m"}

    def blocking() -> str | None:
        with lib.Client(transport=transport) as http, Client("http://127.0.0.1:1/v1", http=http, retries=0) as client:
            if shape == "whole":
                return client.send(**params).text
            with client.stream(**params) as deltas:
                return "".join(delta.text or "" for delta in deltas)

    async def asynchronous() -> str | None:
        http = lib.AsyncClient(transport=transport)
        async with http, AsyncClient("http://127.0.0.1:1/v1", http=http, retries=0) as client:
            if shape == "whole":
                return (await client.send(**params)).text
            async with client.stream(**params) as deltas:
                return "".join([delta.text or "" async for delta in deltas])

    assert blocking() == asyncio.run(asynchronous()) == "Hi"


def test_a_limit_that_stays_says_how_often_it_was_met() -> None:
    with Server() as server, Client(server.base_url, retries=2) as client:
        for _ in range(3):
            server.next(faults.status(429, headers={"retry-after": "0"}))
        with pytest.raises(diptych.RateLimited) as found:
            client.send("Hello", model="m")
    assert str(found.value) == "HTTP 429: Too Many Requests (3 attempts)"


def test_a_missing_cap_is_asked_for_before_losses_are_let_pass() -> None:
    rendered = diptych.Template.from_string("Hi").render()
    with pytest.raises(diptych.LossError) as found:
        rendered.request("anthropic", model="claude-opus-4-5")
    assert found.value.hint == "pass max_tokens=…, or on_loss='report' to continue"
    assert rendered.request("anthropic", model="claude-opus-4-5", max_tokens=9)["max_tokens"] == 9
