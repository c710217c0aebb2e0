"""The client speaks every message API: the same value, the same reply, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from diptych import Client, ClientError, Template, errors
from diptych.apis.framing import FRAMINGS
from diptych.client.endpoints import ENDPOINTS
from diptych.testing import Server, faults

APIS = [name for name in ENDPOINTS if name != "completions"]
TEMPLATE = Template.from_string(
    '{% system %}Be brief.{% endsystem %}{% user %}Translate to French: "{{ text }}"{% enduser %}'
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(lambda body: "Bonjour, tout le monde!") as found:
        yield found


@pytest.mark.parametrize("api", APIS)
def test_a_reply_is_the_same_in_every_api(server: Server, api: str) -> None:
    with Client(server.base_url, api=api) as client:  # type: ignore[arg-type]
        reply = client.send(TEMPLATE.render(text="Hello"), model="test", max_tokens=50)
        assert (reply.api, reply.text, reply.finish_reason) == (api, "Bonjour, tout le monde!", "stop")
        assert reply.usage is not None
        assert reply.usage.completion_tokens > 0
        with client.stream(TEMPLATE.render(text="Hello"), model="test", max_tokens=50) as stream:
            texts = [delta.text for delta in stream if delta.text]
        assert len(texts) > 1
        assert "".join(texts) == stream.reply.text == reply.text
        assert (stream.reply.finish_reason, stream.reply.usage) == ("stop", reply.usage)


@pytest.mark.parametrize("api", APIS)
def test_a_key_goes_where_its_api_wants_it(server: Server, api: str) -> None:
    with Client(server.base_url, "sk-test", api=api) as client:  # type: ignore[arg-type]
        client.send("Hi", model="test", max_tokens=20)
    sent = server.requests[-1]
    held = {name: value for name, value in sent.headers.items() if "sk-test" in value}
    assert list(held) == [ENDPOINTS[api].key_header]
    assert "sk-test" not in sent.path


@pytest.mark.parametrize("api", APIS)
def test_errors_keep_their_words(server: Server, api: str) -> None:
    body: object = {"type": "error", "error": {"type": "overloaded_error", "message": "busy today"}}
    if api == "gemini":
        body = [{"error": {"code": 429, "message": "busy today", "status": "RESOURCE_EXHAUSTED"}}]
    server.next(faults.status(429, body=body))
    with Client(server.base_url, api=api, retries=0) as client, pytest.raises(errors.RateLimited, match="busy today"):  # type: ignore[arg-type]
        client.send("Hi", model="test", max_tokens=20)


def test_the_api_of_a_vendor_has_its_address_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    with Client(api="anthropic") as client:
        assert client.base_url == "https://api.anthropic.com/v1"
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(ClientError) as found:
        Client(api="anthropic")
    assert "ANTHROPIC_API_KEY" in (found.value.hint or "")
    with pytest.raises(ClientError, match="no API 'claude'"):
        Client(api="claude")  # type: ignore[arg-type]


@pytest.mark.parametrize("api", APIS)
def test_a_value_is_parsed_in_every_api(api: str) -> None:
    with Server() as server, Client(server.base_url, api=api) as client:  # type: ignore[arg-type]
        reply = client.parse(TEMPLATE.render(text="Hello"), dict[str, int], model="test", max_tokens=50)
    assert reply.parsed == {}


SLOW_DOWN = {
    "chat": {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}},
    "responses": {"type": "error", "code": "rate_limit_exceeded", "message": "slow down"},
    "anthropic": {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}},
    "gemini": {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}},
    "bedrock": {"throttlingException": {"message": "slow down"}},
}


@pytest.mark.parametrize("api", SLOW_DOWN)
def test_a_stream_that_begins_with_a_limit_is_rate_limited(server: Server, api: str) -> None:
    framing = FRAMINGS[api]
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {framing.media_type}\r\nconnection: close\r\n\r\n".encode()
    server.next(faults.raw(head, framing.frame(SLOW_DOWN[api])))
    with (
        Client(server.base_url, api=api, retries=0) as client,  # type: ignore[arg-type]
        pytest.raises(errors.RateLimited, match="slow down"),
        client.stream("Hi", model="test", max_tokens=20) as stream,
    ):
        list(stream)
