"""Binary frames of event streams: botocore reads what is written, and what is read is what botocore reads."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import ApiError, Client, FormatError, ResponseTooLarge, StreamInterrupted
from diptych.apis import eventstream
from diptych.apis.eventstream import Decoder, encode, frame_of
from diptych.client.errors_of import find_error
from diptych.conversion.streams import stream_of
from diptych.errors import StreamIncomplete
from diptych.response import Event, Usage
from diptych.testing import Server, faults

values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=5)
events = st.dictionaries(st.sampled_from(["messageStart", "contentBlockDelta", "throttlingException"]), values, min_size=1, max_size=1)
EVENTS = [
    Event("head", name=None, value={}),
    Event("start", text="assistant"),
    Event("text", text="Let me look: é€😀"),
    Event("call", text='{"a": 1}', id="call_1", name="look"),
    Event("finish", text="tool_calls"),
    Event("usage", value=Usage(7, 3)),
]


def written():
    writer = stream_of("bedrock").StreamWriter()
    return [one for event in EVENTS for one in writer.feed(event)] + writer.finish()


def decoded(data, size):
    decoder = Decoder()
    found = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    return found, decoder


@given(st.lists(events, max_size=4), st.integers(1, 50))
def test_what_is_written_is_read_whole_and_in_pieces(sent, size):
    found, decoder = decoded(b"".join(map(encode, sent)), size)
    assert [frame.event for frame in found] == sent
    assert decoder.is_between


@given(st.lists(events, max_size=4), st.integers(1, 50))
def test_botocore_reads_what_is_written(sent, size):
    buffers = pytest.importorskip("botocore.eventstream")
    buffer, data = buffers.EventStreamBuffer(), b"".join(map(encode, sent))
    messages = []
    for at in range(0, len(data), size):
        buffer.add_data(data[at : at + size])
        messages += list(buffer)
    for message, event in zip(messages, sent, strict=True):
        name, value = next(iter(event.items()))
        is_exception = name.endswith("Exception")
        assert message.headers[":exception-type" if is_exception else ":event-type"] == name
        assert message.headers[":message-type"] == ("exception" if is_exception else "event")
        assert json.loads(message.payload) == value


def test_botocore_parses_a_written_stream_as_converse_stream():
    pytest.importorskip("botocore")
    from botocore.eventstream import EventStream
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.parsers import EventStreamJSONParser

    shape = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2")).shape_for("ConverseStreamOutput")

    class Raw:
        def stream(self):
            yield from map(encode, written())

    seen = list(EventStream(Raw(), shape, EventStreamJSONParser(), "ConverseStream"))
    assert seen == written()


def _header(name, kind, value):
    return bytes([len(name)]) + name + bytes([kind]) + value


#: One header of each type, as the specification lays them out.
HEADERS = b"".join([
    _header(b"true", 0, b""), _header(b"false", 1, b""), _header(b"byte", 2, b"\x01"), _header(b"short", 3, b"\0\1"),
    _header(b"int", 4, b"\0\0\0\1"), _header(b"long", 5, bytes(8)), _header(b"bytes", 6, b"\0\3abc"),
    _header(b"time", 8, bytes(8)), _header(b"uuid", 9, bytes(16)), _header(b":event-type", 7, b"\0\4ping"),
])  # fmt: skip


def _frame(headers, payload):
    start = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    data = start + struct.pack("!I", eventstream.zlib.crc32(start)) + headers + payload
    return data + struct.pack("!I", eventstream.zlib.crc32(data))


def test_headers_of_every_type_are_passed_over():
    (frame,) = Decoder().feed(_frame(HEADERS, b'{"a": 1}'))
    assert (dict(frame.headers), frame.event) == ({":event-type": "ping"}, {"ping": {"a": 1}})
    parser = pytest.importorskip("botocore.eventstream")
    (message,) = _by_botocore(parser, _frame(HEADERS, b'{"a": 1}'))
    assert message.headers[":event-type"] == "ping"


def _by_botocore(parser, data):
    buffer = parser.EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


@pytest.mark.parametrize("at", range(0, 100, 7))
def test_a_damaged_byte_is_an_error(at):
    data = bytearray(encode({"messageStop": {"stopReason": "end_turn"}}))
    data[at] ^= 1
    with pytest.raises((FormatError, ResponseTooLarge)):
        Decoder().feed(bytes(data))


def test_a_frame_has_a_cap():
    with pytest.raises(ResponseTooLarge):
        Decoder(50).feed(encode({"messageStop": {"stopReason": "end_turn"}}))
    with pytest.raises(FormatError, match="not JSON"):
        _ = Decoder().feed(frame_of({":event-type": "a"}, b"{"))[0].event


# the client ------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n\r\n"
#: Real servers pad their events with ``p``.
PADDED = [
    {"messageStart": {"p": "abc", "role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}, "p": "ab"}},
    {"contentBlockStop": {"contentBlockIndex": 0, "p": "a"}},
    {"messageStop": {"p": "abcd", "stopReason": "end_turn"}},
    {"metadata": {"metrics": {"latencyMs": 9}, "p": "a", "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}}},
]


def streamed(*answers):
    with Server() as server, Client(server.base_url, api="bedrock", retries=0) as client:
        server.next(faults.raw(HEAD, *answers))
        with client.stream("Hi", model="m", max_tokens=9) as stream:
            list(stream)
        return stream.reply


def test_padding_is_no_part_of_the_reply():
    data = b"".join(map(encode, PADDED))
    reply = streamed(data[:31], data[31:])
    assert (reply.text, reply.finish_reason, reply.usage.prompt_tokens) == ("Hi", "stop", 3)
    assert reply.response.native["bedrock"] == {"metrics": {"latencyMs": 9}}


def test_a_stream_that_breaks_keeps_what_had_come():
    start, slow = b"".join(map(encode, PADDED[:2])), encode({"throttlingException": {"message": "too many"}})
    with pytest.raises(StreamInterrupted, match="too many") as found:
        streamed(start + slow)
    assert found.value.partial.text == "Hi"
    with pytest.raises(StreamInterrupted, match="checksum") as found:
        streamed(start + b"\0" * 40)
    assert found.value.partial.text == "Hi"
    with pytest.raises(StreamIncomplete):
        streamed(start + encode(PADDED[2])[:20])


def test_an_error_before_the_first_event_is_the_server_s():
    with pytest.raises(ApiError, match="too many") as found:
        streamed(encode({"throttlingException": {"message": "too many"}}))
    assert found.value.type == "throttlingException"
    frame = frame_of({":message-type": "error", ":error-code": "InternalFailure", ":error-message": "no"}, b"")
    with pytest.raises(ApiError, match="no") as found:
        streamed(frame)
    assert find_error(Decoder().feed(frame)[0].event)["type"] == "InternalFailure"


def test_bytes_of_a_body_are_sent_as_base64():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    with Server() as server, Client(server.base_url, api="bedrock") as client:
        client.send([{"role": "user", "content": [image, {"type": "text", "text": "What?"}]}], model="m", max_tokens=9)
        sent = server.requests[-1].body["messages"][0]["content"][0]
    assert sent == {"image": {"format": "png", "source": {"bytes": "aGk="}}}
