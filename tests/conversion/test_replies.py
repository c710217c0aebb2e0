"""Laws of responses and streams over all pairs of APIs: identity, a stream is the whole, nothing goes in silence."""

import copy
import json
from itertools import product

import pytest

import diptych
from diptych.apis.ledger import leaves
from diptych.conversion.responses import modules, source_of
from diptych.response import ResponseChoice, add_up, events_of

THINKING = {"type": "thinking", "thinking": "hm", "signature": "sig"}
USE = {"type": "tool_use", "id": "t1", "name": "look", "input": {"city": "Köln"}}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
COUNTED = {"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 9, "cache_creation_input_tokens": None}


def anthropic(content, reason, **more):
    return {**MESSAGE, "content": content, "stop_reason": reason, "usage": COUNTED, **more}


CITED = {"type": "char_location", "cited_text": "c", "document_index": 0, "start_char_index": 0, "end_char_index": 1}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"city": "Köln"}'}}


def chat(message, reason, *more, **fields):
    said = {"role": "assistant", "content": None, "refusal": None, **message}
    choices = [{"index": 0, "message": said, "finish_reason": reason, "logprobs": None}, *more]
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 5, "model": "m"}
    return {**head, "choices": choices, "usage": usage, **fields}


#: Bodies by the name of their API.
REPLIES = {
    "anthropic": [
        anthropic([{"type": "text", "text": "Hi"}], "end_turn"),
        anthropic([THINKING, {"type": "text", "text": "Hi", "citations": None}, USE], "tool_use"),
        anthropic([{"type": "text", "text": "a", "citations": [CITED]}, {"type": "text", "text": "b"}], "max_tokens"),
        anthropic([{"type": "redacted_thinking", "data": "x"}, USE, {**USE, "id": "t2", "input": {}}], "tool_use"),
        anthropic([{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}], "pause_turn"),
        anthropic([], "stop_sequence", stop_sequence="END"),
        anthropic([{"type": "text", "text": "No"}], "refusal"),
    ],
    "chat": [
        chat({"content": "Hi"}, "stop"),
        chat({"content": "Hi", "reasoning_content": "hm", "tool_calls": [CALL, {**CALL, "id": "c2"}]}, "tool_calls"),
        chat({"refusal": "No"}, "stop", service_tier="default"),
        chat({"content": "a"}, "length", {"index": 1, "message": {"role": "assistant", "content": "b"}, "finish_reason": "stop"}),
    ],
}  # fmt: skip

BODIES = [pytest.param(api, body, id=f"{api}-{n}") for api, bodies in REPLIES.items() for n, body in enumerate(bodies)]
CASES = [pytest.param(*row.values, to, id=f"{row.id}-{to}") for row, to in product(BODIES, modules("response"))]


def test_every_api_has_bodies_here():
    assert {*REPLIES} >= {*modules("response")} - {"completions"}
    assert {*modules("response")} == {*modules("stream")}


def canonical(response):
    """Return a response with the arguments of its calls as JSON writes them: servers spell them as they like."""
    choices = []
    for choice in response.choices:
        parts = []
        for part in choice.message.parts:
            if isinstance(part, diptych.ToolCall) and part.type == "function":
                part = diptych.ToolCall(part.id, part.name, json.dumps(json.loads(part.arguments or "{}")))
            parts.append(part)
        message = (choice.message.role, [part for part in parts if getattr(part, "text", True)])
        choices.append((message, choice.finish_reason, choice.index, choice.logprobs))
    usage = response.usage and (response.usage.prompt_tokens, response.usage.completion_tokens)
    return choices, response.id, response.model, usage


def stream_of(api, body):
    """Return a whole body as the events that its API would stream."""
    response = modules("response")[api].read_response(body)
    writer = modules("stream")[api].StreamWriter()
    return json.loads(json.dumps([c for e in events_of(response) for c in writer.feed(e)] + writer.finish()))


def added(api, chunks):
    reader = modules("stream")[api].StreamReader()
    return add_up(event for chunk in chunks for event in reader.feed(chunk))


@pytest.mark.parametrize(("api", "body"), BODIES)
def test_the_same_api_in_and_out_is_the_identity(api, body):
    before = copy.deepcopy(body)
    found = diptych.convert_response(body, to=api)
    assert (found.output, found.losses, found.format) == (before, (), api)
    assert source_of(body) == api


@pytest.mark.parametrize(("api", "body"), BODIES)
def test_the_events_of_a_response_add_up_to_it(api, body):
    response = modules("response")[api].read_response(body)
    assert canonical(add_up(events_of(response))) == canonical(response)


@pytest.mark.parametrize(("api", "body"), BODIES)
def test_a_written_stream_adds_up_to_the_whole(api, body):
    whole = modules("response")[api].read_response(body)
    assert canonical(added(api, stream_of(api, body))) == canonical(whole)


@pytest.mark.parametrize(("api", "body"), BODIES)
def test_a_stream_to_its_own_api_stays_what_it_is(api, body):
    chunks = stream_of(api, body)
    assert canonical(added(api, diptych.convert_stream(chunks, to=api))) == canonical(added(api, chunks))


@pytest.mark.parametrize(("api", "body", "to"), CASES)
def test_a_converted_stream_is_the_converted_whole(api, body, to):
    whole = outcome(lambda: diptych.convert_response(body, to=to, on_loss="ignore").output)
    chunks = outcome(lambda: list(diptych.convert_stream(stream_of(api, body), to=to, on_loss="ignore")))
    if whole is None or chunks is None:
        assert whole is chunks
        return
    assert canonical(added(to, chunks)) == canonical(modules("response")[to].read_response(whole))


def outcome(make):
    """Return what is made, None where the target refuses it."""
    try:
        return make()
    except diptych.LossError:
        return None


@pytest.mark.parametrize(("api", "body", "to"), CASES)
def test_a_leaf_that_does_not_arrive_is_reported_where_it_stood(api, body, to):
    try:
        found = diptych.convert_response(body, to=to, on_loss="ignore")
    except diptych.LossError:
        return  # refused as a whole, with the reason
    arrived = json.dumps(found.output, ensure_ascii=False)
    paths = [loss.path for loss in found.losses]
    for path, leaf in leaves(body, "$"):
        if not isinstance(leaf, str) or path.endswith((".type", ".object", ".role", "reason", "arguments")):
            continue
        is_there = json.dumps(leaf.removeprefix("chat"), ensure_ascii=False)[1:-1] in arrived
        assert is_there or any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in paths), path


@pytest.mark.parametrize("to", modules("response"))
def test_no_signature_goes_to_another_origin(to):
    body = REPLIES["anthropic"][1]
    output = outcome(lambda: diptych.convert_response(body, to=to, on_loss="ignore").output)
    assert ("sig" in json.dumps(output)) == (to == "anthropic")


@pytest.mark.parametrize("to", modules("stream"))
def test_nothing_follows_an_error(to):
    stream = [{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, {"type": "ping"}]
    written = list(diptych.convert_stream(stream, to=to, on_loss="ignore"))
    assert "busy" in json.dumps(written[-1])
    reader = modules("stream")[to].StreamReader()
    assert [e.kind for chunk in written for e in reader.feed(chunk) if e.kind != "head"] == ["error"]


def test_an_edit_of_the_neutral_value_shows():
    for api, bodies in REPLIES.items():
        response = modules("response")[api].read_response(bodies[0])
        choice = response.choices[0]
        edited = ResponseChoice(choice.message.with_text("Bye"), "length", choice.index, native=choice.native)
        written, _ = modules("response")[api].write_response(diptych.Response((edited,), native=response.native))
        again = modules("response")[api].read_response(written)
        assert (again.text, again.choices[0].finish_reason) == ("Bye", "length")
