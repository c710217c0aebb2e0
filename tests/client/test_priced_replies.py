"""What a reply cost is the price of the usage as the server reported it, or None with a reason."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from diptych import Client
from diptych.testing import Server, raw

ASKED = [{"role": "user", "content": "Hi"}]
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
CASES = {
    "text": ("gpt-4o-mini", USAGE, Decimal("0.000027"), None),
    "reasoning-beside": ("grok-4", {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "completion_tokens_details": {"reasoning_tokens": 94}}, Decimal("0.001641"), None),
    "audio": ("gpt-audio", {**USAGE, "prompt_tokens_details": {"audio_tokens": 90}}, (10 * Decimal("2.5") + 90 * 32 + 20 * 10) / 10**6, None),
    "audio-without-a-rate": ("gpt-4o-mini", {**USAGE, "prompt_tokens_details": {"audio_tokens": 90}}, None, "no input_audio rate"),
    "unknown-field": ("gpt-4o-mini", {**USAGE, "thinking_tokens": 50}, None, "thinking_tokens"),
    "unknown-model": ("no-such-model", USAGE, None, "no price is known for 'no-such-model'"),
}  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", CASES)
def test_a_reply_costs_what_its_usage_says(name, streamed):
    model, usage, cost, reason = CASES[name]
    head = {"id": "c", "object": "chat.completion", "model": model, "usage": usage}
    message = {"role": "assistant", "content": "Hello"}

    choice = {"index": 0, "finish_reason": "stop"} | ({"delta": message} if streamed else {"message": message})
    body = json.dumps({**head, "choices": [choice]})
    kind = "text/event-stream" if streamed else "application/json"
    sent = f"data: {body}\n\ndata: [DONE]\n\n" if streamed else body
    wire = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(sent)}\r\n\r\n{sent}".encode()
    with Server() as server, Client(server.base_url) as client:
        server.next(raw(wire))
        if streamed:
            with client.stream(ASKED, model=model) as deltas:
                list(deltas)
            reply = deltas.reply
        else:
            reply = client.send(ASKED, model=model)
    assert reply.cost == cost
    found = reply.to_json()
    assert (reply.cost_reason is None) == (cost is not None)
    if reason:
        assert reason in found["cost_reason"]
        assert found["cost"] is None
        assert found["residual"] is None or found["residual"]["cost"] is None


@pytest.mark.parametrize(("hour", "usd"), [(2, "0.00003"), (5, "0.000015")])
def test_a_reply_has_the_price_of_the_hour_at_which_it_arrives(hour, usd):
    usage = {"prompt_tokens": 100, "completion_tokens": 0, "total_tokens": 100}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ""}}
    sent = json.dumps({"id": "c", "object": "chat.completion", "usage": usage, "choices": [choice]})
    wire = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(sent)}\r\n\r\n{sent}".encode()
    with Server() as server, Client(server.base_url) as client:
        client._setup = replace(client._setup, now=lambda: datetime(2026, 11, 24, hour, 30, tzinfo=UTC))
        server.next(raw(wire))
        assert client.send(ASKED, model="deepseek-v4-flash").cost == Decimal(usd)


def test_a_usage_that_every_chunk_repeats_is_billed_once():
    sent = ""
    for n in (1, 2, 3):
        usage = {"prompt_tokens": 100, "completion_tokens": n, "total_tokens": 100 + n}
        choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": "stop" if n == 3 else None}
        head = {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o"}
        sent += f"data: {json.dumps({**head, 'choices': [choice], 'usage': usage})}\n\n"
    sent += "data: [DONE]\n\n"
    wire = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(sent)}\r\n\r\n{sent}".encode()
    with Server() as server, Client(server.base_url) as client:
        server.next(raw(wire))
        with client.stream(ASKED, model="gpt-4o") as deltas:
            list(deltas)
    assert deltas.reply.cost == (100 * Decimal("2.5") + 3 * 10) / 10**6
