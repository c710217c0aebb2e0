"""Log probabilities and inputs that are texts: between all APIs that have them, whole and in pieces alike."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import convert_response, convert_stream, list_formats
from diptych.apis.gemini.response import read_response, write_response
from diptych.conversion.responses import answering
from diptych.conversion.streams import streaming
from diptych.response import add_up

APIS = sorted(entry.name for entry in list_formats("api"))
#: The APIs of which servers say how likely a token was: Chat and Completions have no engine's table.
LIKELY = [api for api in APIS if api in ("chat", "completions") or answering()[api].ANSWERS.has_logprobs]
TOKENS = [("Let ", -0.5), ("me", -1.5), (" sée", -0.25)]


def entry(token, value):
    return {"token": token, "logprob": value, "bytes": list(token.encode())}


STATED = [{**entry(*one), "top_logprobs": [entry(*one), entry("no", -9.0)]} for one in TOKENS]
HEAD = {"id": "x", "created": 1, "model": "m"}
WHOLE = {
    **HEAD,
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Let me sée", "refusal": None},
            "logprobs": {"content": STATED, "refusal": None},
            "finish_reason": "stop",
        }
    ],
}


def chunk(delta, end=None, **more):
    return {
        **HEAD,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": end, **more}],
    }


PIECES = [
    chunk({"role": "assistant", "content": ""}),
    *(chunk({"content": one["token"]}, logprobs={"content": [one], "refusal": None}) for one in STATED),
    chunk({}, "stop"),
]


def known(logprobs):
    """Return what log probabilities say in any API: Gemini has no bytes."""
    return [
        (one["token"], one["logprob"], [(top["token"], top["logprob"]) for top in one["top_logprobs"]])
        for one in logprobs["content"]
    ]


def streaming_events(chunks, api):
    reader = streaming()[api].StreamReader()
    return [event for one in chunks for event in reader.feed(one)]


@pytest.mark.parametrize("api", LIKELY)
def test_log_probabilities_come_back(api):
    there = convert_response(WHOLE, to=api, on_loss="ignore").output
    back = convert_response(there, to="chat", source=api, on_loss="ignore").output
    assert known(back["choices"][0]["logprobs"]) == known({"content": STATED})
    pieces = list(convert_stream(PIECES, to=api, on_loss="ignore"))
    streamed = list(convert_stream(pieces, to="chat", source=api, on_loss="ignore"))
    found = add_up(streaming_events(streamed, "chat")).choices[0]
    assert known(found.logprobs) == known({"content": STATED})
    assert found.message.text == "Let me sée"


@pytest.mark.parametrize("api", sorted({*APIS} - {*LIKELY}))
def test_where_they_have_no_place_it_is_reported(api):
    made = convert_response(WHOLE, to=api, on_loss="ignore")
    assert [loss.path for loss in made.losses if "logprobs" in loss.path] == ["$.choices[0].logprobs"]


words, numbers = st.text("aé", max_size=3), st.floats(-9, 0)
gemini_tokens = st.builds(
    lambda token, value, more: {"token": token, "logProbability": value, **more},
    words,
    numbers,
    st.sampled_from([{}, {"tokenId": 7}, {"tokenId": 7, "further": 1}]),
)
gemini_results = st.fixed_dictionaries(
    {"chosenCandidates": st.lists(gemini_tokens, max_size=3)},
    optional={
        "topCandidates": st.lists(
            st.just({}) | st.fixed_dictionaries({"candidates": st.lists(gemini_tokens, max_size=2)}), max_size=3
        ),
        "logProbabilitySum": numbers,
    },
)


@given(result=gemini_results)
def test_gemini_gets_back_whatever_it_said_of_its_tokens(result):
    candidate = {"content": {"role": "model", "parts": [{"text": "a"}]}, "index": 0, "logprobsResult": result}
    body = {"candidates": [candidate]}
    assert write_response(read_response(body))[0] == body
    found = convert_response(body, to="chat", source="gemini", on_loss="ignore")
    told = {loss.path.rpartition("logprobsResult")[2] for loss in found.losses if "logprobsResult" in loss.path}
    stated = found.output["choices"][0]["logprobs"]
    ids = {
        f".chosenCandidates[{index}].tokenId"
        for index, one in enumerate(result["chosenCandidates"])
        if "tokenId" in one
    }
    tokens = [*result["chosenCandidates"], *(top for top in result.get("topCandidates", ()) if top.get("candidates"))]
    assert ids <= told if stated else bool(tokens) <= bool(told)


def test_the_ids_of_tokens_are_reported_where_they_stand():
    result = {"chosen_candidates": [{"token": "Hi", "token_id": 7, "log_probability": -0.5}]}
    body = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "logprobs_result": result}]}
    found = convert_response(body, to="chat", source="gemini", on_loss="ignore")
    assert "$.candidates[0].logprobs_result.chosen_candidates[0].token_id" in [loss.path for loss in found.losses]
    assert found.output["choices"][0]["logprobs"]["content"][0]["logprob"] == -0.5


def calls(text):
    call = {"id": "c", "type": "custom", "custom": {"name": "f", "input": text}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    whole = {
        **HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
    }
    return whole, [chunk({"role": "assistant", "tool_calls": [{"index": 0, **call}]}), chunk({}, "tool_calls")]


@pytest.mark.parametrize("api", [api for api in APIS if api != "completions"])
@pytest.mark.parametrize("text", ['{"a": 1}', '{"a":1}', "{}", "", "no JSON", "[1]"])
def test_an_input_that_is_a_text_stays_one_whole_and_streamed(api, text):
    whole, pieces = calls(text)
    made = convert_response(whole, to=api, on_loss="ignore")
    (call,) = answering()[api].read_response(made.output).choices[0].message.tool_calls
    streamed = add_up(streaming_events(list(convert_stream(pieces, to=api, source="chat", on_loss="ignore")), api))
    (other,) = streamed.choices[0].message.tool_calls
    taken = [text, {"_raw": text}]
    assert [one if one == text else json.loads(one) for one in (call.arguments, other.arguments)] in (
        [taken[0]] * 2,
        [taken[1]] * 2,
    )
    kinds = [loss.kind for loss in made.losses if loss.path.endswith(".custom.input")]
    assert kinds == ([] if call.arguments == text else ["substituted"])
