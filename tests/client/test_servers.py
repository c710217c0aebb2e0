"""Servers that differ: what is put another way for them, what a trace holds, what five thousand calls leave."""

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import BaseModel

from diptych import Client, StreamInterrupted
from diptych.client import PROFILES, AsyncClient
from diptych.client.batch import run_batch
from diptych.errors import ApiError
from diptych.testing import Server, faults

CHAT = [{"role": "user", "content": "Translate the following English text to French: 'Good morning'"}]


class Answer(BaseModel):
    text: str


def refusal(message, status=400):
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return faults.status(status, body={"error": error})


@pytest.fixture
def server():
    with Server(lambda body: '{"text": "Bonjour"}') as running:
        yield running


@pytest.fixture(params=["blocking", "asynchronous"])
def ask(request, server):
    """Call a method of either client by name."""

    def blocking(name, *args, **params):
        with Client(server.base_url, retries=0) as client:
            return getattr(client, name)(*args, **params)

    def asynchronous(name, *args, **params):
        async def run():
            async with AsyncClient(server.base_url, retries=0) as client:
                return await getattr(client, name)(*args, **params)

        return asyncio.run(run())

    return blocking if request.param == "blocking" else asynchronous


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_schema_that_is_refused_becomes_json_and_words_for_parse_alone(server, ask, status):
    server.next(refusal("json_schema is not supported", status))
    found = ask("parse", CHAT, Answer, model="m")
    assert found.parsed == Answer(text="Bonjour")
    assert "JSON object was asked for" in found.notes[0]
    last = server.requests[-1].body
    assert last["response_format"] == {"type": "json_object"}
    assert last["messages"][0]["role"] == "system"
    assert '"required":["text"]' in last["messages"][0]["content"]
    assert last["messages"][1:] == CHAT
    server.next(refusal("json_schema is not supported", status))
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    with pytest.raises(ApiError):
        ask("send", CHAT, model="m", response_format=wanted)


NAMES = ["max_tokens", "max_completion_tokens"]


@pytest.mark.parametrize(("sent", "taken"), [NAMES, NAMES[::-1]])
def test_an_output_cap_goes_by_the_name_that_the_server_takes(server, ask, sent, taken):
    server.next(refusal("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead, or the other way."))
    found = ask("send", CHAT, model="m", **{sent: 7})
    assert f"{sent} was sent as {taken}" in found.notes
    assert server.requests[-1].body[taken] == 7
    assert sent not in server.requests[-1].body


def test_a_server_that_refuses_everything_is_asked_a_few_times_only(server, ask):
    server.next(*[refusal("max_completion_tokens stream_options response_format")] * 9)
    with pytest.raises(ApiError):
        ask("send", CHAT, model="m", max_tokens=5)
    assert len(server.requests) <= 6


def test_a_profile_says_it_beforehand(server):
    with Client(server.base_url, profile="llama-cpp-python") as client:
        found = client.parse(CHAT, Answer, model="m", max_completion_tokens=9)
    assert len(server.requests) == 1
    assert server.requests[0].body["max_tokens"] == 9
    assert "max_completion_tokens was sent as max_tokens" in found.notes
    assert any("JSON object" in note for note in found.notes)
    with pytest.raises(ValueError, match="no profile 'olama'; did you mean 'ollama'"):
        Client("http://127.0.0.1/v1", profile="olama")


def test_every_profile_is_dated():
    for name, profile in PROFILES.items():
        assert profile.to_json()["name"] == name
        assert any(mark in profile.seen for mark in ("2024", "2026")), name


# traces ---------------------------------------------------------------------------------------------


def test_spans_have_facts_and_no_texts(server, monkeypatch):
    trace = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra telemetry with its SDK is not installed")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from diptych.client import telemetry

    exporter, provider = InMemorySpanExporter(), trace.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", lambda: provider.get_tracer("diptych"))
    with Client(server.base_url, "sk-canary-1234", retries=1) as client:
        server.next(faults.status(503, headers={"retry-after": "0"}))
        client.send(CHAT, model="gpt-4o-mini", max_tokens=5, seed=3)
        server.next(faults.status(401))
        with pytest.raises(ApiError):
            client.send("Hi", model="gpt-3.5-turbo-instruct")
    first, second = exporter.get_finished_spans()
    assert first.name == "chat gpt-4o-mini"
    assert first.attributes["gen_ai.usage.output_tokens"] > 0
    assert first.attributes["gen_ai.request.seed"] == 3
    assert [event.name for event in first.events] == ["attempt failed"]
    assert (second.name, second.attributes["gen_ai.operation.name"]) == (
        "text_completion gpt-3.5-turbo-instruct",
        "text_completion",
    )
    assert second.attributes["error.type"]
    whole = first.to_json() + second.to_json()
    assert "canary" not in whole
    assert "Good morning" not in whole


# many calls ---------------------------------------------------------------------------------------

MANY = """
import gc, resource, sys, threading, time
from diptych import Budget, Client
from diptych.testing import Server, faults

def kilobytes():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() // 1024

with Server() as server, Client(server.base_url, budget=Budget(tokens=10**12)) as client:
    chat = [{"role": "user", "content": "Hi " * 50}]
    sizes = []
    for index in range(5_000):
        if index % 4 == 3:
            with client.stream(chat, model="gpt-4o-mini", max_tokens=5) as stream:
                for _ in stream:
                    pass
        else:
            client.send(chat, model="gpt-4o-mini", max_tokens=5)
        server.requests.clear()
        if index % 1000 == 999:
            gc.collect()
            sizes.append(kilobytes())
    # A thread ends when it has seen its connection close.
    for _ in range(60_000):
        if threading.active_count() <= 4:
            break
        time.sleep(0.005)
    print(sizes[1], sizes[-1], threading.active_count())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_five_thousand_calls_leave_memory_and_threads_as_they_were():
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr
    middle, last, threads = map(int, done.stdout.split())
    assert last - middle < 1_500, f"{middle} kB after 2,000 calls, {last} kB after 5,000"
    assert threads <= 4


# the model on this machine ------------------------------------------------------------------------

SERVE = """
import sys
from diptych.local import LocalServer
with LocalServer() as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def serving():
    """Run the local model in a process of its own; give the process and its address."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SERVE], **pipes, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_the_local_model_killed_in_a_stream_and_a_batch_that_goes_on(tmp_path):
    from diptych.errors import MissingExtra
    from diptych.local import find_model

    pytest.importorskip("xllamacpp", reason="the extra local is not installed")
    try:
        find_model()
    except (MissingExtra, FileNotFoundError):
        pytest.skip("the model's files are not installed")
    with serving() as (process, address), Client(address, "", retries=0, timeout=900) as client:
        stream = client.stream("1, 2, 3, 4, 5, 6, 7,", model="local", max_tokens=900, seed=1, temperature=0)
        with pytest.raises(StreamInterrupted) as caught, stream:
            for number, _ in enumerate(stream):
                if number == 5:
                    process.kill()
        assert caught.value.partial.text
        assert caught.value.partial.choices[0].finish_reason is None
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    bodies = [
        {"model": "local", "messages": [{"role": "user", "content": f"Say {word}"}], "max_tokens": 8, "seed": 1}
        for word in ("one", "two", "three", "four", "five", "six")
    ]
    lines = [
        {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}
        for number, body in enumerate(bodies)
    ]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    seen = []
    with serving() as (process, address), Client(address, "", retries=0, timeout=900) as client:

        def kill_after_two(counts):
            seen.append(counts)
            if len(seen) == 2:
                process.kill()

        run_batch(client, source, out, concurrency=1, step=kill_after_two)
    good = [row["custom_id"] for row in map(json.loads, out.read_text("utf-8").splitlines()) if not row.get("error")]
    assert 1 <= len(good) < 6
    with serving() as (_, address), Client(address, "", retries=0, timeout=900) as client:
        run_batch(client, source, out, concurrency=1, resume=True)
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    answered = [row["custom_id"] for row in rows if not row.get("error")]
    assert sorted(answered) == [f"r{number}" for number in range(6)]
    assert answered[: len(good)] == good


@pytest.mark.parametrize("name", [*PROFILES])
@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
def test_a_profile_sends_the_cap_and_the_key_as_its_server_takes_them(server, name, given):
    profile = PROFILES[name]
    with Client(server.base_url, "sk-1", profile=name) as client:
        client.send(CHAT, model="gpt-5.4-mini", **{given: 9})
    sent = server.requests[-1]
    caps = {"max_tokens", "max_completion_tokens"} & sent.body.keys()
    assert caps == ({given} if profile.cap == "both" else {profile.cap})
    headers = {header.lower(): value for header, value in sent.headers.items()}
    wanted = {"api-key": "sk-1"} if profile.key_header else {"authorization": "Bearer sk-1"}
    assert {key: headers[key] for key in ("api-key", "authorization") if key in headers} == wanted


def test_the_page_on_servers_has_a_row_per_profile():
    page = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "servers.md").read_text("utf-8")
    caps = {name: f"`{name}`" for name in ("max_tokens", "max_completion_tokens")} | {"both": "as given"}
    for row in PROFILES.values():
        key = row.key_header or "authorization"
        assert f"| `{row.name}` | {caps[row.cap]} | `{key}` | {row.schema} | {row.stream_usage} |" in page
