"""Streams between message APIs: piece by piece is the whole, and the official types take what is written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import FormatError, LossError, convert_response, convert_stream
from diptych.apis.framing import framed
from diptych.conversion.responses import answering
from diptych.conversion.streams import api_of_chunk, stream_of, streaming
from diptych.model import TextPart, ToolCall
from diptych.response import Event, Response, Sum, Usage, add_up

APIS = sorted(streaming())
WORDS = st.text("ab \nü", min_size=1, max_size=6)
TOOLS = [name for name in APIS if name != "completions"]


@st.composite
def replies(draw: Any) -> list[Event]:
    """Draw the events of a reply: texts in pieces, then calls in pieces, its end and its tokens."""
    events = [
        Event("head", name=None, value={"id": "r-1", "model": "m", "created": 5}),
        Event("start", text="assistant"),
        *(Event("text", text=text) for text in draw(st.lists(WORDS, max_size=4))),
    ]
    calls = draw(st.integers(0, 2))
    for number in range(calls):
        text = json.dumps({"a": draw(WORDS)}, ensure_ascii=False)
        cut = draw(st.integers(0, len(text)))
        events.append(Event("call", text=text[:cut], call=number, id=f"call_{number}", name="look"))
        events.append(Event("call", text=text[cut:], call=number))
    events.append(Event("finish", text="tool_calls" if calls else draw(st.sampled_from(["stop", "length"]))))
    return [*events, Event("usage", value=Usage(7, 3, 2))]


def written(api: str, events: list[Event]) -> list[dict[str, Any]]:
    """Return the stream that an API makes of events."""
    writer = stream_of(api).StreamWriter()
    return [chunk for event in events for chunk in writer.feed(event)] + writer.finish()


def read(api: str, chunks: list[dict[str, Any]]) -> Response:
    """Return what a stream adds up to."""
    reader, total = stream_of(api).StreamReader(), Sum()
    for chunk in chunks:
        for event in reader.feed(chunk):
            total.add(event)
    return total.response()


def said(response: Response) -> Any:
    """Return what a response says in any API."""
    choice = response.choices[0]
    parts = [part for part in choice.message.parts if not (type(part) is TextPart and not part.text)]
    calls = [(part.name, json.loads(part.arguments)) for part in parts if isinstance(part, ToolCall)]
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    usage = response.usage
    assert usage is not None
    return text, calls, choice.finish_reason, usage.prompt_tokens, usage.completion_tokens


@pytest.mark.parametrize("api", TOOLS)
@given(events=replies())
def test_what_is_written_reads_back(api: str, events: list[Event]) -> None:
    assert said(read(api, written(api, events))) == said(add_up(events))


@pytest.mark.parametrize("source", TOOLS)
@pytest.mark.parametrize("target", TOOLS)
@given(events=replies())
def test_a_converted_stream_is_the_converted_whole(source: str, target: str, events: list[Event]) -> None:
    chunks = written(source, events)
    converted = list(convert_stream(chunks, to=target, source=source, on_loss="ignore"))
    whole = answering()[source].write_response(read(source, chunks))[0]
    other = convert_response(whole, to=target, source=source, on_loss="ignore").output
    assert said(read(target, converted)) == said(answering()[target].read_response(other)) == said(add_up(events))


@pytest.mark.parametrize("source", TOOLS)
@given(events=replies())
def test_a_stream_is_detected(source: str, events: list[Event]) -> None:
    chunks = written(source, events)
    assert api_of_chunk(chunks[0]) == source
    assert api_of_chunk(chunks[-1]) == source


@pytest.mark.parametrize("target", TOOLS)
def test_nothing_follows_an_error(target: str) -> None:
    chunks = [{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}, {"error": {"message": "boom", "type": "server"}}]
    found = list(convert_stream(chunks, to=target, on_loss="ignore"))
    assert "boom" in json.dumps(found[-1])


def test_an_error_comes_before_what_is_lost_of_it() -> None:
    stream = convert_stream([{"error": {"message": "boom", "hint": "wait"}}], to="anthropic")
    assert next(event for event in stream if event["type"] == "error")["error"]["message"] == "boom"
    with pytest.raises(LossError, match="hint"):
        next(stream)


def test_a_chunk_of_no_api_is_refused() -> None:
    with pytest.raises(FormatError, match="chunk"):
        list(convert_stream([{"a": 1}], to="chat"))


class _Once(BaseHTTPRequestHandler):
    """Answers every call with the bytes of its server, a few at a time."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        body = self.server.body  # type: ignore[attr-defined]
        for start in range(0, len(body), 61):
            piece = body[start : start + 61]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def wire() -> Iterator[ThreadingHTTPServer]:
    """A server on loopback that sends the events it is given as their API's server sends them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Once) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _client(kind: Any, wire: Any, events: list[dict[str, Any]], api: str) -> Any:
    wire.body = b"".join(framed(events, api))
    path = "" if api == "anthropic" else "/v1"
    return kind(api_key="none", base_url=f"http://127.0.0.1:{wire.server_port}{path}", max_retries=0)


EVENTS = [
    Event("head", name=None, value={"id": "r-1", "model": "m", "created": 5}),
    Event("start", text="assistant"),
    Event("text", text="Let me "),
    Event("text", text="look."),
    Event("call", text='{"a"', id="call_1", name="look"),
    Event("call", text=": 1}"),
    Event("finish", text="tool_calls"),
    Event("usage", value=Usage(7, 3)),
]


def streams_of(target: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the stream of every API that calls tools, as it is converted to another."""
    for source in TOOLS:
        yield source, list(convert_stream(written(source, EVENTS), to=target, source=source, on_loss="ignore"))


def test_the_sdk_of_anthropic_adds_up_what_is_written(wire: Any) -> None:
    anthropic = pytest.importorskip("anthropic")
    for source, events in streams_of("anthropic"):
        with (
            _client(anthropic.Anthropic, wire, events, "anthropic") as client,
            client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]) as stream,
        ):
            message = stream.get_final_message()
        assert message.content[0].text == "Let me look.", source
        assert (message.content[1].name, message.content[1].input) == ("look", {"a": 1}), source
        assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 3), source


def test_the_sdk_of_openai_adds_up_what_is_written_for_responses(wire: Any) -> None:
    openai = pytest.importorskip("openai")
    for source, events in streams_of("responses"):
        with (
            _client(openai.OpenAI, wire, events, "responses") as client,
            client.responses.stream(model="m", input="Hi") as stream,
        ):
            kinds = [event.type for event in stream]
            whole = stream.get_final_response()
        assert whole.output_text == "Let me look.", source
        assert (whole.output[1].name, json.loads(whole.output[1].arguments)) == ("look", {"a": 1}), source
        assert kinds[-1] == "response.completed", source


def test_the_sdk_of_openai_adds_up_what_is_written_for_chat(wire: Any) -> None:
    openai = pytest.importorskip("openai")
    for source, events in streams_of("chat"):
        with (
            _client(openai.OpenAI, wire, events, "chat") as client,
            client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "Hi"}]) as stream,
        ):
            choice = stream.get_final_completion().choices[0]
        called = choice.message.tool_calls[0].function
        assert (choice.message.content, called.name) == ("Let me look.", "look"), source
        assert json.loads(called.arguments) == {"a": 1}, source


def test_the_sdk_of_openai_adds_up_what_is_written_for_completions(wire: Any) -> None:
    openai = pytest.importorskip("openai")
    said = [*EVENTS[:4], Event("finish", text="stop"), EVENTS[-1]]
    for source in TOOLS:
        events = list(convert_stream(written(source, said), to="completions", source=source, on_loss="ignore"))
        with _client(openai.OpenAI, wire, events, "completions") as client:
            stream = client.completions.create(model="m", prompt="Hi", stream=True)
            assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices) == "Let me look.", source


def test_the_sdks_add_up_what_a_stream_of_completions_becomes(wire: Any) -> None:
    anthropic, openai = map(pytest.importorskip, ("anthropic", "openai"))
    said = written("completions", [*EVENTS[:4], Event("finish", text="stop"), EVENTS[-1]])
    made = {api: list(convert_stream(said, to=api, source="completions", on_loss="ignore")) for api in TOOLS}
    asked: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    with (
        _client(anthropic.Anthropic, wire, made["anthropic"], "anthropic") as client,
        client.messages.stream(**asked, max_tokens=9) as stream,
    ):
        assert stream.get_final_text() == "Let me look."
    with (
        _client(openai.OpenAI, wire, made["responses"], "responses") as client,
        client.responses.stream(model="m", input="Hi") as stream,
    ):
        assert stream.get_final_response().output_text == "Let me look."
    with (
        _client(openai.OpenAI, wire, made["chat"], "chat") as client,
        client.chat.completions.stream(**asked) as stream,
    ):
        assert stream.get_final_completion().choices[0].message.content == "Let me look."


def test_reasoning_and_further_fields_come_back_to_anthropic() -> None:
    citation = {"type": "char_location", "cited_text": "x"}
    stream: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 4}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Yes"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": citation}},
        {"type": "content_block_stop", "index": 1},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "stop_sequence", "stop_sequence": "X"},
            "usage": {"output_tokens": 2},
        },
        {"type": "message_stop"},
    ]
    response = read("anthropic", stream)
    body = answering()["anthropic"].write_response(response)[0]
    assert body["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "text", "text": "Yes", "citations": [citation]},
    ]
    assert (body["stop_reason"], body["stop_sequence"]) == ("stop_sequence", "X")
    again = list(convert_stream(stream, to="anthropic"))
    assert [one["type"] for one in again] == [one["type"] for one in stream]
    with pytest.raises(LossError, match="signature"):
        list(convert_stream(stream, to="chat"))


def test_a_plain_message_is_not_a_list() -> None:
    body = {"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
    assert convert_response(body, to="chat").output["choices"][0]["message"]["content"] == "Hi"


# cut, interleaved, several -----------------------------------------------------------------------

ENDINGS = ("message_stop", "message_delta", "response.completed", "messageStop", '{"metadata"', "finishReason")


@pytest.mark.parametrize("source", TOOLS)
@pytest.mark.parametrize("target", APIS)
def test_a_cut_stream_stays_cut(source: str, target: str) -> None:
    chunks = written(source, EVENTS[:4])
    assert not any(ending in json.dumps(chunks) for ending in ENDINGS)
    found = list(convert_stream(chunks, to=target, source=source, on_loss="ignore"))
    assert not any(ending in json.dumps(found) for ending in ENDINGS)
    response = read(target, found)
    assert (response.text, response.choices[0].finish_reason) == ("Let me look.", None)


@pytest.mark.parametrize("target", TOOLS)
def test_calls_whose_pieces_take_turns_stay_two(target: str) -> None:
    def piece(*calls: dict[str, Any]) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": {"tool_calls": [*calls]}, "finish_reason": None}]}

    names = [
        {"index": n, "id": f"call_{n}", "type": "function", "function": {"name": f"f{n}", "arguments": ""}}
        for n in (0, 1)
    ]
    pieces = [piece({"index": n, "function": {"arguments": text}}) for text in ('{"a": ', "1}") for n in (1, 0)]
    chunks = [piece(*names), *pieces, {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}]
    calls = read(target, list(convert_stream(chunks, to=target, on_loss="ignore"))).choices[0].message.tool_calls
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [("f0", {"a": 1}), ("f1", {"a": 1})]


@pytest.mark.parametrize("target", sorted({*TOOLS} - {"chat", "gemini"}))
def test_of_several_replies_the_others_are_told(target: str, recwarn: pytest.WarningsRecorder) -> None:
    chunks = [
        {"choices": [{"index": n, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
        for n, text in enumerate(("one", "two"))
    ]
    found = list(convert_stream(chunks, to=target, on_loss="report"))
    assert read(target, found).text == "one"
    assert any("$[1].choices[0].delta.role: message-dropped" in str(one.message) for one in recwarn)
    assert [choice.message.text for choice in read("gemini", list(convert_stream(chunks, to="gemini"))).choices] == [
        "one",
        "two",
    ]


def test_tokens_that_grow_with_every_chunk_are_those_of_the_last() -> None:
    chunks: list[dict[str, Any]] = [
        {
            "candidates": [{"content": {"parts": [{"text": "a"}]}}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1},
        },
        {
            "candidates": [{"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2},
        },
    ]
    found = list(convert_stream(chunks, to="chat"))
    assert [chunk["usage"]["completion_tokens"] for chunk in found if "usage" in chunk] == [2]
    assert found[-1]["choices"] == []
    chat = [
        {
            "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": n},
        }
        for n in (1, 2)
    ]
    written_ = list(convert_stream(chat, to="anthropic", on_loss="ignore"))
    assert written_[-2]["usage"] == {"input_tokens": 1, "output_tokens": 2}


def test_a_loss_names_the_leaf_once() -> None:
    """Of leaves that differ in their numbers alone the first is told."""
    chunks = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": text}, "finish_reason": None}]}
        for text in ("Hm", "Hm hm")
    ]
    with pytest.raises(LossError) as found:
        list(convert_stream(chunks, to="anthropic"))
    assert [loss.path for loss in found.value.losses] == ["$[0].choices[0].delta.reasoning_content"]
    with pytest.warns() as warned:
        list(convert_stream(chunks, to="anthropic", on_loss="report"))
    assert [str(one.message).split(":")[0] for one in warned] == ["$[0].choices[0].delta.reasoning_content"]
