"""Every API that the bridge offers, over every API that an upstream speaks: whole, streamed, and its errors."""

import json

import anthropic
import openai
import pytest

from diptych.client import Budget, RateLimits
from diptych.client.endpoints import ENDPOINTS
from diptych.client.retry import Retries
from diptych.serve.faces import FACES
from diptych.testing import Server, cut, raw, reset, status

BODIES = {
    "completions": {"model": "gpt-4o", "prompt": "Say hello", "max_tokens": 20},
    "chat": {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello"}], "max_tokens": 20},
    "responses": {"model": "gpt-4o", "input": "Say hello", "max_output_tokens": 20},
    "anthropic": {"model": "gpt-4o", "max_tokens": 20, "messages": [{"role": "user", "content": "Say hello"}]},
}
#: The test server frames no event stream of Bedrock.
UPSTREAMS = sorted(set(ENDPOINTS) - {"bedrock"})


def text_of(api, body):
    if api == "completions":
        return body["choices"][0]["text"]
    if api == "chat":
        return body["choices"][0]["message"]["content"]
    content = body["content"] if api == "anthropic" else body["output"][0]["content"]
    return "".join(part["text"] for part in content)


def streamed_text(api, events):
    if api in ("completions", "chat"):
        choices = [choice for event in events if event != "[DONE]" for choice in event["choices"]]
        return "".join(c["text"] if api == "completions" else c["delta"].get("content") or "" for c in choices)
    deltas = [event.get("delta") for event in events if event != "[DONE]"]
    return "".join(d if isinstance(d, str) else d.get("text", "") for d in deltas if d)


@pytest.mark.parametrize("upstream_api", UPSTREAMS)
def test_every_api_over_every_other(upstream, start_bridge, upstream_api):
    with start_bridge(upstream.base_url, upstream_api=upstream_api) as bridge:
        for api, face in FACES.items():
            body = BODIES[api]
            response = bridge.post(face.path, body)
            assert response.status_code == 200, (api, response.text)
            whole = text_of(api, response.json())
            assert whole.strip().endswith("Say hello") or upstream_api == "completions", (api, whole)
            assert streamed_text(api, bridge.events(face.path, body)) == whole, api
        assert ENDPOINTS[upstream_api].path.partition("{")[0].lstrip("/") in upstream.requests[-1].path


@pytest.mark.parametrize("api", sorted(FACES))
def test_an_upstream_that_does_not_stream_is_streamed_all_the_same(start_bridge, api):
    message = {"role": "assistant", "content": "Hello"}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
    with Server() as upstream, start_bridge(upstream.base_url) as bridge:
        upstream.next(status(200, body=reply))
        assert streamed_text(api, bridge.events(FACES[api].path, BODIES[api])) == "Hello"


# errors ----------------------------------------------------------------------------------------------------

QUOTA = {"error": {"message": "no money", "type": "insufficient_quota", "code": "insufficient_quota", "param": None}}
#: What the upstream does, and the status that a client sees.
FAULTS = {
    "400": (status(400, body={"error": {"message": "bad", "type": "invalid_request_error", "param": "x"}}), 400),
    "401": (status(401), 502),
    "404": (status(404), 404),
    "429": (status(429, headers={"retry-after": "0"}), 429),
    "quota": (status(429, body=QUOTA), 429),
    "500": (status(500), 500),
    "503": (status(503), 503),
    "418": (status(418), 502),
    "html": (raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>oops"), 502),
    "empty": (raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"), 502),
    "error in 200": (status(200, body={"error": {"message": "broken"}}), 502),
    "reset": (reset(), 502),
    "redirect": (status(302, headers={"location": "http://127.0.0.1:1/"}), 502),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("api", sorted(FACES))
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_of_the_upstream_is_an_error_in_the_api_that_was_called(fault, api, stream, faulty):
    upstream, bridge = faulty
    played, expected = FAULTS[fault]
    upstream.next(played)
    response = bridge.post(FACES[api].path, {**BODIES[api], "stream": stream})
    assert response.status_code == expected, response.text
    error = response.json()["error"]
    assert error["message"]
    assert error["type"]
    assert ("param" in error) == (api != "anthropic")
    assert response.json().get("type") == ("error" if api == "anthropic" else None)
    assert "SECRET" not in response.text


@pytest.fixture(scope="module")
def faulty():
    from .conftest import running

    with Server() as upstream, running(upstream.base_url, retries=0) as bridge:
        yield upstream, bridge


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
FIRST = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"one"},"finish_reason":null}]}\n\n'
STATED = b'data: {"error": {"message": "the model fell over", "type": "server_error", "code": null}}\n\n'
#: How a stream breaks after its first word.
BREAKS = {
    "no end": raw(HEAD, FIRST),
    "reset": reset(HEAD + FIRST),
    "torn JSON": raw(HEAD, FIRST, b'data: {"choices": [\n\n', b"data: [DONE]\n\n"),
    "no object": raw(HEAD, FIRST, b"data: 7\n\n"),
    "bad UTF-8": raw(HEAD, FIRST, b'data: {"choices": "\xff"}\n\n'),
    "a stated error": raw(HEAD, FIRST, STATED),
    "an early end": raw(HEAD, FIRST, b"data: [DONE]\n\n"),
    "a large event": raw(HEAD, FIRST, b"data: " + b"x" * 17_000_000),
}


@pytest.mark.parametrize("api", sorted(FACES))
@pytest.mark.parametrize("fault", sorted(BREAKS))
def test_what_had_arrived_comes_before_the_error_of_a_broken_stream(fault, api, faulty):
    upstream, bridge = faulty
    upstream.next(BREAKS[fault])
    events = bridge.events(FACES[api].path, BODIES[api])
    *before, last = events
    assert streamed_text(api, before) == "one"
    stated = last if api == "responses" else last["error"]
    assert stated["message"]
    assert ("fell over" in stated["message"]) == (fault == "a stated error")
    assert last.get("type") == (None if api in ("chat", "completions") else "error")
    ends = ("finish_reason", "message_stop", "response.completed")
    assert not [event for event in before if event.get("type") in ends]


@pytest.mark.parametrize("api", sorted(FACES))
def test_a_stream_that_breaks_ends_in_an_error_that_the_sdk_raises(faulty, api):
    upstream, bridge = faulty
    upstream.next(cut(2))
    if api == "anthropic":
        client = anthropic.Anthropic(base_url=bridge.url, api_key="k", max_retries=0)
        with client, pytest.raises(anthropic.APIStatusError) as caught:
            for _ in client.messages.create(**BODIES[api], stream=True):
                pass
        assert caught.value.body["error"]["message"]
        return
    client = openai.OpenAI(base_url=f"{bridge.url}/v1", api_key="k", max_retries=0)
    calls = {"completions": client.completions, "chat": client.chat.completions, "responses": client.responses}
    events = []
    with client, pytest.raises(openai.APIError) as caught:
        events += calls[api].create(**BODIES[api], stream=True)
        raise caught_in(events)
    assert "stream" in str(caught.value)


def caught_in(events):
    """Return the error that the SDK hands over as an event, as it does for Responses."""
    error = next(event for event in events if event.type == "error")
    return openai.APIError(error.message, request=None, body=None)


def test_keys_of_the_bridge_are_asked_for_in_every_shape(upstream, start_bridge):
    with start_bridge(upstream.base_url, keys=["s3cret"]) as bridge:
        for api, face in FACES.items():
            refused = bridge.post(face.path, BODIES[api])
            assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")
            for headers in ({"authorization": "Bearer s3cret"}, {"x-api-key": "s3cret"}):
                assert bridge.post(face.path, BODIES[api], **headers).status_code == 200
        assert bridge.http.get("/v1/models").status_code == 401
        assert bridge.http.get("/health").status_code == 200


def test_bodies_that_are_none_are_refused(upstream, start_bridge):
    with start_bridge(upstream.base_url, max_body=1000) as bridge:
        for content, expected in ((b"{", 400), (b"[]", 400), (b'{"model": 1}', 400), (b"[" * 5000, 413), (b"{}", 400)):
            response = bridge.http.post("/v1/chat/completions", content=content)
            assert response.status_code == expected
            assert response.json()["error"]["message"]
        big = json.dumps({"model": "m", "prompt": "x" * 2000}).encode()
        assert bridge.http.post("/v1/completions", content=iter([big[:900], big[900:]])).status_code == 413
        deep = b'{"model":"m","messages":' + b"[" * 400 + b"]" * 400 + b"}"
        assert bridge.http.post("/v1/messages", content=deep).status_code == 400
        assert bridge.http.get("/v1/completions").status_code == 405
        assert bridge.http.get("/nowhere").json()["error"]["code"] == "not_found"
        shown = bridge.http.get("/v1/nowhere", headers={"anthropic-version": "2023-06-01"}).json()
        assert (shown["type"], shown["error"]["type"]) == ("error", "not_found_error")


def test_models_may_stand_in_the_path(bridge, upstream):
    for prefix in ("/v1/engines/gpt-4o", "/openai/deployments/gpt-4o"):
        for api, path in (("completions", "/completions"), ("chat", "/chat/completions")):
            body = {name: value for name, value in BODIES[api].items() if name != "model"}
            assert bridge.post(f"{prefix}{path}?api-version=1", body).status_code == 200
            assert upstream.requests[-1].body["model"] == "gpt-4o"


def test_a_rate_limit_of_the_bridge_is_said_as_one(upstream, start_bridge):
    limits = RateLimits(requests_per_minute=1)
    with start_bridge(upstream.base_url, limits=limits, timeout=5.0) as bridge:  # clock: less than the wait for a place, so it is refused at once
        assert bridge.post(FACES["chat"].path, BODIES["chat"]).status_code == 200
        response = bridge.post(FACES["chat"].path, BODIES["chat"])
    assert (response.status_code, response.json()["error"]["code"]) == (429, "rate_limit_exceeded")


def test_a_budget_that_is_spent_is_a_quota(upstream, start_bridge):
    with start_bridge(upstream.base_url, budget=Budget(tokens=40)) as bridge:
        found = [bridge.post(FACES["chat"].path, BODIES["chat"]) for _ in range(4)]
    assert found[0].status_code == 200
    assert (found[-1].status_code, found[-1].json()["error"]["code"]) == (429, "insufficient_quota")
    assert found[-1].headers["x-should-retry"] == "false"


def test_what_the_bridge_has_retried_is_not_retried_by_the_client(start_bridge):
    with Server() as upstream, start_bridge(upstream.base_url, retries=Retries(1, backoff=0.0)) as bridge:
        upstream.next(status(500), status(500))
        response = bridge.post(FACES["chat"].path, BODIES["chat"])
    assert (response.status_code, response.headers["x-should-retry"]) == (500, "false")


def test_what_needs_a_state_is_refused_by_name(bridge):
    for name, value in {"previous_response_id": "resp_1", "background": True, "conversation": "c"}.items():
        response = bridge.post("/v1/responses", {**BODIES["responses"], name: value})
        assert (response.status_code, response.json()["error"]["param"]) == (400, name)


def test_responses_repeat_the_settings_of_their_request(bridge):
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]
    body = bridge.post("/v1/responses", {**BODIES["responses"], "temperature": 0.5, "tools": tools}).json()
    assert (body["temperature"], body["max_output_tokens"], body["store"]) == (0.5, 20, False)
    assert body["tools"] == [{**tools[0], "description": None, "strict": None}]
    ended = bridge.events("/v1/responses", BODIES["responses"])[-2]
    assert ended["response"]["max_output_tokens"] == 20


def test_tool_calls_cross_from_one_api_to_the_other(bridge):
    tool = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
    body = {**BODIES["anthropic"], "tools": [tool], "tool_choice": {"type": "tool", "name": "f"}}
    found = bridge.post("/v1/messages", body).json()
    assert found["stop_reason"] == "tool_use"
    assert [block["name"] for block in found["content"] if block["type"] == "tool_use"] == ["f"]


# beside the calls ------------------------------------------------------------------------------------------


def test_counts_have_a_basis(bridge):
    counted = bridge.post("/v1/messages/count_tokens", {"model": "gpt-4o", "messages": BODIES["chat"]["messages"]})
    assert counted.json() == {"input_tokens": 9}
    assert counted.headers["x-diptych-basis"] == "exact"
    same = bridge.post("/v1/responses/input_tokens", BODIES["responses"]).json()
    assert same == {"object": "response.input_tokens", "input_tokens": 9}


def test_a_count_that_nobody_knows_is_no_number(start_bridge):
    with Server() as upstream, start_bridge(upstream.base_url) as bridge:
        upstream.next(status(404), status(404))
        counted = bridge.post("/v1/messages/count_tokens", {**BODIES["anthropic"], "model": "who-knows"})
    assert counted.status_code == 501
    assert "input_tokens" not in counted.json()


def test_models_have_the_shape_of_the_api_that_asks(bridge):
    assert bridge.http.get("/v1/models").json()["data"][0]["object"] == "model"
    shown = bridge.http.get("/v1/models", headers={"anthropic-version": "2023-06-01"}).json()
    assert shown["data"][0]["type"] == "model"
    name = shown["data"][0]["id"]
    assert bridge.http.get(f"/v1/models/{name}").json()["id"] == name
    assert bridge.http.get("/v1/models/none").status_code == 404


def test_health_says_what_runs(bridge):
    assert bridge.http.get("/health/live").json() == {"status": "ok"}
    assert bridge.http.get("/health/ready").json()["running"] == 0
    bridge.bridge.gate.is_open = False
    try:
        assert bridge.http.get("/health/ready").status_code == 503
    finally:
        bridge.bridge.gate.is_open = True
