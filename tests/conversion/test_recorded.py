"""Recorded bytes of real servers become answers, streams and errors of every API."""

import json
from pathlib import Path

import pytest

from diptych import convert_response, convert_stream
from diptych.apis.failures import failure_api
from diptych.apis.marks import api_of_event
from diptych.client.sse import Decoder
from diptych.conversion.responses import answering
from diptych.conversion.streams import streaming
from diptych.response import add_up

APIS = sorted(streaming())
#: APIs that give several replies.
SEVERAL = ("chat", "completions", "gemini")
COPIED = sorted(Path(__file__).with_name("recorded").glob("*.http"))


def answer(file):
    """Return whether a recorded answer is a stream, and its body without the framing of HTTP."""
    head, _, body = file.read_bytes().partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return b"text/event-stream" in head.lower(), body
    pieces = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        pieces.append(body[:length])
        body = body[length + 2 :]
    return b"text/event-stream" in head.lower(), b"".join(pieces)


def events(body):
    """Return the events of a stream; one that was torn says nothing."""
    decoder = Decoder()
    for event in (*decoder.feed(body), *decoder.finish()):
        try:
            yield json.loads(event.data)
        except ValueError:
            continue


def total(api, chunks):
    reader = streaming()[api].StreamReader()
    return add_up([event for chunk in chunks for event in reader.feed(chunk)])


def check(file):
    """Assert what holds of a recorded answer, and return what it is."""
    is_stream, body = answer(file)
    return _check_stream([*events(body)]) if is_stream else _check_body(body)


def _check_stream(chunks):
    if not chunks:
        return "empty stream"
    source = api_of_event(chunks[0])
    wanted = [(choice.message.text, choice.finish_reason) for choice in total(source, chunks).choices]
    for target in APIS:
        found = total(target, [*convert_stream(chunks, to=target, on_loss="ignore")])
        said = [(choice.message.text, choice.finish_reason) for choice in found.choices]
        several = None if target in SEVERAL else 1
        assert said[:several] == wanted[:several], target
    assert [*convert_stream(chunks, to=source)] == chunks
    return "stream"


def _check_body(body):
    try:
        value = json.loads(body)
    except ValueError:
        return "no JSON"
    if isinstance(value.get("data"), list):
        return "models"
    is_error = "choices" not in value
    assert is_error == (failure_api(value) is not None)
    texts = [] if is_error else [(c.get("message") or c).get("content", c.get("text")) or "" for c in value["choices"]]
    for target in APIS:
        made = convert_response(value, to=target, on_loss="ignore").output
        if is_error:
            assert failure_api(made, target), target
        elif not any("tool_calls" in json.dumps(choice) for choice in value["choices"]) or target != "completions":
            read = answering()[target].read_response(made)
            several = None if target in SEVERAL else 1
            assert [choice.message.text for choice in read.choices][:several] == texts[:several], target
    return "error" if is_error else "answer"


@pytest.mark.parametrize("file", COPIED, ids=lambda file: file.name)
def test_a_recorded_answer_becomes_one_of_every_api(file):
    kind = {"err": "error", "chat_tools": "answer"}
    assert check(file) == next((kind[name] for name in kind if file.name.startswith(name)), "stream")


def test_a_stream_of_a_killed_server_has_no_end_in_any_api():
    _, body = answer(next(file for file in COPIED if "killed" in file.name))
    for target in APIS:
        found = total(target, [*convert_stream(events(body), to=target, on_loss="ignore")])
        assert found.choices[0].message.text
        assert found.choices[0].finish_reason is None


def test_every_recorded_answer_becomes_one_of_every_api(shared):
    found = [check(file) for file in sorted((shared / "wire").rglob("*.response.http"))]
    assert {kind: found.count(kind) >= 15 for kind in ("stream", "answer", "error")} == dict.fromkeys(
        ("stream", "answer", "error"), True
    )
