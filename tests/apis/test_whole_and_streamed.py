"""Laws of responses and streams: the same API in and out is the identity; a stream adds up to the whole."""

import copy
import dataclasses
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.apis.chat import response as chat
from diptych.apis.chat import stream as chat_stream
from diptych.apis.completions import response as completions
from diptych.apis.completions import stream as completions_stream
from diptych.model import ReasoningPart, RefusalPart
from diptych.response import Response, ResponseChoice, Usage, add_up

APIS = {"chat": (chat, chat_stream), "completions": (completions, completions_stream)}

# bodies -----------------------------------------------------------------------------------------

words = st.text('abc "\\é€😀', max_size=6)
leaves = st.none() | st.booleans() | st.integers(0, 9) | words
further = st.dictionaries(st.sampled_from(["timings", "service_tier", "x_own"]), leaves | st.lists(leaves, max_size=2))
calls = st.builds(
    lambda id_, name, text, more: {"id": id_, "type": "function", "function": {"name": name, "arguments": text}} | more,
    words,
    words.filter(bool),
    words,
    st.sampled_from([{}, {"index": 0}, {"extra_content": {"google": {"thought_signature": "s"}}}]),
) | st.builds(lambda name, text: {"id": "c", "type": "custom", "custom": {"name": name, "input": text}}, words, words)
parts = st.sampled_from([
    {"type": "text", "text": "Hi"},
    {"type": "output_text", "text": "Hi", "annotations": []},
    {"type": "image_url", "image_url": {"url": "data:,"}},
    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
])  # fmt: skip
messages = st.fixed_dictionaries(
    {"role": st.just("assistant")},
    optional={
        "content": st.none() | words | st.lists(parts, max_size=3),
        "refusal": st.none() | words,
        "reasoning_content": st.none() | words,
        "reasoning": words,
        "tool_calls": st.none() | st.lists(calls, max_size=2),
        "function_call": st.none() | st.just({"name": "f", "arguments": "{}"}),
        "annotations": st.lists(leaves, max_size=2),
        "reasoning_details": st.lists(leaves, max_size=2),
    },
)
chat_logprobs = st.just(
    {"content": [{"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}], "refusal": None}
)
old_logprobs = st.just({"tokens": ["a"], "token_logprobs": [None], "top_logprobs": None, "text_offset": [3]})
usages = st.none() | st.sampled_from([
    {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    {"prompt_tokens": 3, "completion_tokens": 2},
    {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}},
])  # fmt: skip


def bodies(api):
    content = {"message": messages} if api == "chat" else {"text": words}
    ends = {
        "finish_reason": st.none() | st.sampled_from(["stop", "length"]),
        "logprobs": st.none() | chat_logprobs | old_logprobs,
    }
    optional = {**ends, "content_filter_results": st.just({"hate": {}}), "stop_reason": leaves}
    choice = st.fixed_dictionaries(content, optional=optional)
    numbered = st.lists(choice, min_size=1, max_size=3).map(lambda cs: [{"index": i, **c} for i, c in enumerate(cs)])
    head = {
        "id": words,
        "object": st.just("x") | st.just(chat.heads.OBJECTS[api]),
        "created": st.integers(),
        "model": words,
    }
    optional = {**head, "system_fingerprint": st.none() | words, "usage": usages}
    fixed = {"choices": numbered | st.lists(choice, max_size=1)}
    return st.builds(lambda body, more: {**more, **body}, st.fixed_dictionaries(fixed, optional=optional), further)


def significant(value):
    """Return a body without what says nothing: null, "", [] and {} in a field, where absent says the same."""
    if isinstance(value, dict):
        return {k: v for k, v in ((k, significant(v)) for k, v in value.items()) if v not in (None, "", [], {})}
    return [significant(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("api", APIS)
@given(st.data())
def test_the_same_api_in_and_out_is_the_identity(api, data):
    body = data.draw(bodies(api))
    before = copy.deepcopy(body)
    response = APIS[api][0].read_response(body)
    written, losses = APIS[api][0].write_response(response)
    assert written == before
    assert losses == ()
    assert body == before
    assert diptych.convert_response(body, to=api).output == before
    assert pickle.loads(pickle.dumps(response)) == response


@pytest.mark.parametrize("api", APIS)
@given(st.data())
def test_a_stream_written_and_read_again_adds_up_to_the_whole(api, data):
    """What the events of a response are, a stream of either API says, too."""
    whole = APIS[api][0].read_response(data.draw(bodies(api)))
    reader, writer = APIS[api][1].StreamReader(), APIS[api][1].StreamWriter()
    chunks = [chunk for event in events_of(whole, api) for chunk in writer.feed(event)] + writer.finish()
    chunks = json.loads(json.dumps(chunks))
    found = add_up(event for chunk in chunks for event in reader.feed(chunk))
    assert said(found) == said(whole)
    assert writer.losses == []


def test_recorded_bodies_are_given_back_as_they_came(shared):
    folder, seen = shared / "wire", 0
    for file in sorted(folder.rglob("*.response.http")):
        try:
            body = json.loads(file.read_bytes().partition(b"\r\n\r\n")[2])
        except ValueError:
            continue  # a stream, or chunked
        if not isinstance(body, dict) or not body.get("choices"):
            continue
        seen += 1
        api = "chat" if "message" in body["choices"][0] else "completions"
        assert APIS[api][0].write_response(APIS[api][0].read_response(body)) == (body, ()), file.name
    assert seen > 20 or not folder.is_dir()


def events_of(response, api):
    """Return the events of a response: the body as one chunk."""
    body, _ = APIS[api][0].write_response(response)
    for choice in body["choices"]:
        for number, call in enumerate(choice.get("message", {}).get("tool_calls") or ()):
            call["index"] = number  # in a stream nothing else tells calls of one id apart
    return APIS[api][1].StreamReader().feed(body)


def said(response):
    """Return what both a whole body and a stream can say."""
    texts = [
        (
            choice.index,
            choice.message.text,
            choice.message.reasoning or "",
            "".join(p.text for p in choice.message.parts if isinstance(p, RefusalPart)),
            [(call.id, call.name, call.arguments, call.type) for call in choice.message.tool_calls],
            choice.finish_reason,
            choice.logprobs and significant(choice.logprobs),
        )
        for choice in response.choices
    ]
    texts = [row for row in texts if any(row[1:])]
    return texts, response.usage, response.model, response.id


def test_an_edit_of_the_neutral_value_shows_in_the_body():
    body = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi", "refusal": None}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.1},
    }  # fmt: skip
    response = chat.read_response(body)
    choice = response.choices[0]
    edited = Response(
        (ResponseChoice(choice.message.with_text("Bye"), "length", native=choice.native),),
        Usage(4, 2, server=response.usage.server),
    )
    written, _ = chat.write_response(edited)
    assert (written["choices"][0]["message"]["content"], written["choices"][0]["finish_reason"]) == ("Bye", "length")
    assert written["usage"] == {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6, "cost": 0.1}


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"finish_reason": "stop"}, {"finish_reason": "stop"}),
        (
            {"message": diptych.Message.of("assistant", (RefusalPart("no"),))},
            {"message": {"role": "assistant", "content": None, "refusal": "no"}},
        ),
    ],
)
def test_an_edit_shows_where_the_source_said_nothing(change, shown):
    body = {
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hi", "refusal": None}, "finish_reason": None}
        ]
    }
    choice = chat.read_response(body).choices[0]
    if "message" in change:
        change = {"message": change["message"].replace(native=choice.message.native)}
    written, _ = chat.write_response(Response((dataclasses.replace(choice, **change),)))
    assert written["choices"][0] == {**body["choices"][0], **shown}


@pytest.mark.parametrize("api", APIS)
def test_a_stream_of_text_is_the_whole_value(api):
    head = {"id": "x-1", "created": 1, "model": "m", "system_fingerprint": "fp"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    said = {"chat": {"message": {"role": "assistant", "content": "Hello"}}, "completions": {"text": "Hello"}}[api]
    whole = {
        **head,
        "object": chat.heads.OBJECTS[api],
        "choices": [{"index": 0, **said, "finish_reason": "stop"}],
        "usage": usage,
    }
    pieces = [
        {"delta": {"role": "assistant", "content": ""}},
        {"delta": {"content": "Hel"}},
        {"delta": {"content": "lo"}},
        {"delta": {}},
    ]
    if api == "completions":
        pieces = [{"text": piece["delta"].get("content", "")} for piece in pieces]
    chunks = [{**head, "choices": [{"index": 0, **piece, "finish_reason": None}]} for piece in pieces]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    reader = APIS[api][1].StreamReader()
    found = add_up(
        event for chunk in [*chunks, {**head, "choices": [], "usage": usage}] for event in reader.feed(chunk)
    )
    assert found == APIS[api][0].read_response(whole)
    assert APIS[api][0].write_response(found)[0] == whole


# what Completions cannot say ------------------------------------------------------------------------

IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}
LOSING = {
    "a call": ({"tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, "tool_calls", "unsupported"),
    "an old call": ({"function_call": {"name": "f", "arguments": "{}"}}, "tool_calls", "unsupported"),
    "a refusal": ({"refusal": "no"}, "refusal", "substituted"),
    "reasoning": ({"reasoning_content": "hm"}, "reasoning_content", "field-dropped"),
    "reasoning by its other name": ({"reasoning": "hm"}, "reasoning", "field-dropped"),
    "annotations": ({"annotations": [{}]}, "annotations", "field-dropped"),
    "a field of a server": ({"reasoning_details": [{}]}, "reasoning_details", "field-dropped"),
    "an image": ({"content": [{"type": "text", "text": "a"}, IMAGE]}, "content[1]", "media-dropped"),
    "an unknown part": ({"content": [{"type": "thinking", "thinking": []}]}, "content[0]", "field-dropped"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSING)
def test_what_completions_cannot_say_is_reported_whole_and_streamed(name):
    message, field, kind = LOSING[name]
    message = {"role": "assistant", "content": "a", **message}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    _, losses = completions.write_response(chat.read_response(body))
    assert [(loss.path, loss.kind) for loss in losses] == [(f"$.choices[0].message.{field}", kind)]
    writer = completions_stream.StreamWriter()
    for event in chat_stream.StreamReader().feed({"choices": [{"index": 0, "delta": message}]}):
        writer.feed(event)
    assert {(loss.path, loss.kind) for loss in writer.losses} == {
        (f"$.choices[0].delta.{field.partition('[')[0]}", kind)
    }


def test_a_stream_keeps_what_only_its_server_says():
    chunks = [
        {"id": "chatcmpl-1", "model": "m", "system_fingerprint": "", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        {"id": "chatcmpl-1", "model": "m", "system_fingerprint": "fp", "obfuscation": "xyz", "choices": [{"index": 0, "delta": {"content": "Hi"}}]},
        {"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": 7}], "timings": {"ms": 1}},
    ]  # fmt: skip
    reader = chat_stream.StreamReader()
    found = add_up(event for chunk in chunks for event in reader.feed(chunk))
    assert (found.id, found.model, found.system_fingerprint) == ("chatcmpl-1", "m", "fp")
    assert found.native["chat"] == {"timings": {"ms": 1}}
    assert found.choices[0].native["chat"] == {"stop_reason": 7}
    there = list(diptych.convert_stream(chunks, to="completions"))
    assert (there[-1]["id"], there[-1]["timings"]) == ("cmpl-1", {"ms": 1})


def test_a_completions_stream_stays_what_it_is():
    chunks = [
        {"id": "a", "object": "text_completion", "choices": [{"index": 0, "text": "Hi", "logprobs": None, "finish_reason": None}]},
        {"id": "a", "object": "text_completion", "choices": [{"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}]},
    ]  # fmt: skip
    assert list(diptych.convert_stream(chunks, to="completions")) == chunks


def test_a_reasoning_by_its_other_name_is_reasoning():
    message = chat.read_message({"role": "assistant", "content": "Hi", "reasoning": "hm"})
    assert message.reasoning == "hm"
    assert isinstance(message.parts[0], ReasoningPart)


def test_a_reply_has_its_response():
    from diptych.testing import Server

    with Server() as server, diptych.Client(server.base_url) as client:
        reply = client.send("Hello there", model="m")
        with client.stream([{"role": "user", "content": "Hello there"}], model="m") as stream:
            list(stream)
    for found in (reply, stream.reply):
        assert isinstance(found.response, diptych.Response)
        assert found.response.text == found.text == "Hello there"
        assert found.response.choices[0].finish_reason == found.finish_reason == "stop"
