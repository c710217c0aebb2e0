"""Answers and streams of Bedrock Converse, judged by botocore's shapes of the service."""

import copy

import pytest

from diptych import LossError, convert, convert_response, convert_stream
from diptych.apis.bedrock.response import read_response, write_response
from diptych.apis.bedrock.stream import StreamReader
from diptych.conversion.responses import answering
from diptych.conversion.streams import streaming
from diptych.model import ReasoningPart
from diptych.response import Event, Usage, add_up

SIGNED = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}}
CALL = {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"city": "Köln"}}}
CITED = {
    "citationsContent": {
        "content": [{"text": "a"}],
        "citations": [{"title": "T", "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 1}}}],
    }
}


def answer(*content, reason="end_turn", **more):
    usage = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 14, "cacheReadInputTokens": 9}
    output = {"message": {"role": "assistant", "content": list(content)}}
    return {"output": output, "stopReason": reason, "usage": usage, "metrics": {"latencyMs": 7}, **more}


ANSWERS = {
    "text": answer({"text": "Hi"}),
    "reasoning and a call": answer(SIGNED, {"text": "Hi"}, CALL, reason="tool_use"),
    "redacted": answer({"reasoningContent": {"redactedContent": b"x"}}, {"text": "Hi"}),
    "citations": answer(CITED, {"text": "b"}, reason="stop_sequence"),
    "nothing": answer(reason="guardrail_intervened", trace={"guardrail": {"modelOutput": ["no"]}}),
    "a server's call": answer({"toolUse": {**CALL["toolUse"], "type": "server_tool_use"}}, reason="max_tokens"),
    "malformed": answer({"text": "Hi"}, reason="malformed_model_output", serviceTier={"type": "flex"}),
    "extra fields": answer({"text": "Hi"}, additionalModelResponseFields={"stop_sequence": "END"}),
}
STREAM = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"reasoningContent": {"text": "h"}}, "contentBlockIndex": 0}},
    {"contentBlockDelta": {"delta": {"reasoningContent": {"text": "m"}}, "contentBlockIndex": 0}},
    {"contentBlockDelta": {"delta": {"reasoningContent": {"signature": "sig"}}, "contentBlockIndex": 0}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 1}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "t1", "name": "look"}}, "contentBlockIndex": 2}},
    {"contentBlockDelta": {"delta": {"toolUse": {"input": '{"city": "Köln"}'}}, "contentBlockIndex": 2}},
    {"contentBlockStop": {"contentBlockIndex": 2}},
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": ANSWERS["text"]["usage"], "metrics": {"latencyMs": 7}}},
]


@pytest.fixture(scope="module")
def fault():
    """Return what botocore says against a value of one of the service's shapes."""
    session = pytest.importorskip("botocore.session").get_session()
    validate = pytest.importorskip("botocore.validate").ParamValidator().validate
    service = session.get_service_model("bedrock-runtime")

    def fault_of(value, shape):
        found = service.operation_model("Converse").output_shape if shape == "answer" else service.shape_for(shape)
        return validate(value, found).generate_report()

    return fault_of


@pytest.mark.parametrize("name", ANSWERS)
def test_the_same_api_in_and_out_is_the_identity(name, fault):
    body, before = ANSWERS[name], copy.deepcopy(ANSWERS[name])
    assert not fault(body, "answer")
    found = convert_response(body, to="bedrock")
    assert (found.output, found.losses) == (before, ())


@pytest.mark.parametrize("api", sorted(answering()))
def test_what_other_apis_say_is_valid_for_bedrock(api, fault):
    if api == "completions":
        return
    writer = streaming()[api].StreamWriter()
    events = [
        Event("head", value={"id": "r", "model": "m", "created": 5}),
        Event("start", text="assistant"),
        Event("text", text="Hi"),
        Event("call", text='{"a": 1}', id="c1", name="look"),
        Event("finish", text="tool_calls"),
        Event("usage", value=Usage(7, 3)),
    ]
    chunks = [chunk for event in events for chunk in writer.feed(event)] + writer.finish()
    written = list(convert_stream(chunks, to="bedrock", source=api, on_loss="ignore"))
    assert [fault(event, "ConverseStreamOutput") for event in written] == [""] * len(written)
    whole = answering()[api].write_response(add_up(events))[0]
    assert not fault(convert_response(whole, to="bedrock", source=api, on_loss="ignore").output, "answer")


def test_a_stream_adds_up_to_the_whole(fault):
    assert not any(fault(event, "ConverseStreamOutput") for event in STREAM)
    reader = StreamReader()
    found = add_up(event for chunk in STREAM for event in reader.feed(chunk))
    assert found.choices[0].message.parts == read_response(ANSWERS["reasoning and a call"]).choices[0].message.parts
    assert write_response(found)[0] == ANSWERS["reasoning and a call"]


def test_the_same_events_come_out():
    assert list(convert_stream(STREAM, to="bedrock")) == STREAM


def test_citations_stay_with_their_text():
    first, *more = CITED["citationsContent"]["citations"] * 2
    deltas = [{"text": "a"}, {"citation": first}, *({"citation": one} for one in more)]
    chunks = [{"contentBlockDelta": {"delta": delta, "contentBlockIndex": 0}} for delta in deltas]
    chunks = [STREAM[0], *chunks, {"contentBlockStop": {"contentBlockIndex": 0}}, *STREAM[-2:]]
    assert list(convert_stream(chunks, to="bedrock")) == chunks
    assert convert_response(ANSWERS["citations"], to="chat", on_loss="ignore").output["choices"][0]["message"][
        "content"
    ] == ("ab")


def test_reasoning_has_its_origin_and_its_signature_stays():
    reader = StreamReader()
    for response in (
        read_response(ANSWERS["reasoning and a call"]),
        add_up(event for chunk in STREAM for event in reader.feed(chunk)),
    ):
        part = response.choices[0].message.parts[0]
        assert isinstance(part, ReasoningPart)
        assert part.origin == "bedrock"
    for api in answering():
        try:
            found = convert_response(ANSWERS["reasoning and a call"], to=api, on_loss="ignore")
        except LossError:
            continue
        assert ("sig" in str(found.output)) == (api == "bedrock")


def test_an_exception_is_an_error_and_nothing_follows_it():
    chunks = [*STREAM[:2], {"throttlingException": {"message": "slow down"}}, *STREAM[2:]]
    assert list(convert_stream(chunks, to="bedrock"))[-1] == {"throttlingException": {"message": "slow down"}}
    found = list(convert_stream(chunks, to="chat", on_loss="ignore"))
    assert "slow down" in str(found[-1])


def test_what_has_no_place_is_reported():
    chat = {"id": "c", "object": "chat.completion", "created": 5, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}  # fmt: skip
    found = convert(chat, target="bedrock", on_loss="ignore")
    assert {loss.path for loss in found.losses if loss.kind == "field-dropped"} == {"$.id", "$.created", "$.model"}


@pytest.mark.parametrize(("source", "path", "body"), [
    ("bedrock", "$.output.message.role", {"output": {"message": {"role": "user", "content": [{"text": "Hi"}]}}, "stopReason": "end_turn"}),
    ("ollama", "$.message.role", {"message": {"role": "user", "content": "Hi"}, "done": True, "done_reason": "stop"}),
    ("gemini", "$.candidates[0].content.role", {"candidates": [{"content": {"role": "user", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}),
])  # fmt: skip
def test_a_reply_of_another_role_is_kept_for_its_api_and_reported_for_others(source, path, body):
    assert convert_response(body, to=source).output == body
    for target in answering():
        if target not in (source, "completions"):
            assert path in {loss.path for loss in convert_response(body, to=target, on_loss="ignore").losses}


@pytest.mark.parametrize("target", sorted(answering()))
def test_an_end_that_another_api_has_no_word_for_is_reported(target):
    found = convert_response(ANSWERS["malformed"], to=target, on_loss="ignore")
    kinds = {loss.path: loss.kind for loss in found.losses}
    assert kinds.get("$.stopReason") == (None if target == "bedrock" else "substituted")


def test_the_head_of_a_response_is_reported_by_its_own_names():
    body = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
            "responseId": "r", "modelVersion": "m"}  # fmt: skip
    found = convert_response(body, to="bedrock", on_loss="ignore")
    assert {loss.path for loss in found.losses if loss.kind == "field-dropped"} == {"$.responseId", "$.modelVersion"}


@pytest.mark.parametrize("target", sorted(answering()))
def test_convert_takes_a_reply_of_any_api(target):
    found = convert(ANSWERS["text"], target=target, on_loss="ignore")
    assert answering()[target].read_response(found.output).text == "Hi"


def test_audio_stays_as_it_is():
    block = {"audio": {"format": "mkv", "source": {"bytes": "ZGF0YQ=="}}}
    message = {"role": "assistant", "content": [block]}
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    body = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    made = convert_response(body, to="bedrock", source="bedrock")
    assert (made.output, made.losses) == (body, ())
