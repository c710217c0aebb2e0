"""``count(x, via=client)``: the server's own counter, asked in the way of its API."""

import json

import httpx
import pytest

import diptych
from diptych import Client
from diptych.testing import Server, status

HI = [{"role": "user", "content": "Hi"}]
TOOL = {"type": "function", "function": {"name": "now"}}


def asked(base_url, answer, body, model):
    """Return the count and the one request that asked for it."""
    seen = []

    def answering(request):
        seen.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(answer).encode()))

    http = httpx.Client(transport=httpx.MockTransport(answering))
    with Client(base_url, "key-1", http=http) as client:
        found = diptych.count(body, model, via=client)
    return found, seen[0]


@pytest.mark.parametrize(
    ("base_url", "answer", "body", "path", "header"),
    [
        ("https://api.openai.com/v1", {"input_tokens": 41}, {"input": "Hi"}, "/v1/responses/input_tokens", "authorization"),
        ("https://api.openai.com/v1", {"input_tokens": 41}, HI, "/v1/responses/input_tokens", "authorization"),
        ("https://api.anthropic.com/v1", {"input_tokens": 41}, HI, "/v1/messages/count_tokens", "x-api-key"),
        (
            "https://generativelanguage.googleapis.com/v1beta", {"totalTokens": 41},
            {"contents": [{"parts": [{"text": "Hi"}]}]}, "/v1beta/models/m:countTokens", "x-goog-api-key",
        ),
    ],
)  # fmt: skip
def test_each_vendor_is_asked_in_its_own_way(base_url, answer, body, path, header):
    found, request = asked(base_url, answer, body, "m")
    assert (found.tokens, found.basis, found.low, found.high) == (41, "exact", 41, 41)
    assert request.url.path == path
    assert "key-1" in request.headers[header]


def test_llama_server_tokenizes_what_it_renders():
    with Server() as server, Client(server.base_url) as client:
        for answer in (
            status(404),
            status(200, body={"prompt": "<|user|>Hi"}),
            status(200, body={"tokens": [1, 2, 3]}),
        ):
            server.next(answer)
        assert diptych.count(HI, "m", via=client).tokens == 3


def test_a_chat_with_tool_calls_is_no_body_of_openais_counter():
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}],
    }
    with Client("https://api.openai.com/v1", "key-1") as client, pytest.raises(diptych.ClientError, match="Responses"):
        diptych.count([*HI, call], "gpt-4o", via=client)


def test_an_answer_without_the_number_is_an_error():
    with pytest.raises(diptych.ClientError, match="input_tokens"):
        asked("https://api.openai.com/v1", {"tokens": 41}, {"input": "Hi"}, "m")
