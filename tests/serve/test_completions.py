"""Completions over a server that has Chat alone: every parameter is done, signalled, or refused by name."""

import json

import pytest

from diptych.testing import Server

PATH = "/v1/completions"


def ask(bridge, **body):
    return bridge.post(PATH, {"model": "gpt-4o", "prompt": "Say hello", **body})


def texts(events):
    """Return the texts of a stream by choice."""
    found = {}
    for event in events[:-1]:
        for choice in event["choices"]:
            found[choice["index"]] = found.get(choice["index"], "") + choice["text"]
    return found


def test_echo_puts_the_prompt_before_the_text(bridge):
    assert ask(bridge, echo=True).json()["choices"][0]["text"] == "Say helloSay hello"
    assert texts(bridge.events(PATH, {"model": "gpt-4o", "prompt": "Say hello", "echo": True})) == {
        0: "Say helloSay hello"
    }


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"suffix": "bye"}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"echo": True, "logprobs": 1}, "echo"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"prompt": None}, "prompt"),
    ],
)
def test_what_chat_cannot_do_is_refused_by_name(bridge, body, param):
    for stream in (False, True):
        response = ask(bridge, stream=stream, **body)
        assert response.status_code == 400
        assert response.json()["error"]["param"] == param
        assert response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "body",
    [
        {"best_of": 1, "n": 1, "echo": False, "suffix": None, "logprobs": None, "logit_bias": {}, "stop": None},
        {"suffix": "", "user": "", "presence_penalty": 0, "frequency_penalty": 0.0, "stream": False},
    ],
)
def test_what_clients_send_by_default_is_never_refused(upstream, start_bridge, body):
    with start_bridge(upstream.base_url, strict=True) as strict:
        response = ask(strict, max_tokens=5, **body)
    assert response.status_code == 200
    assert "diptych" not in response.json()


def test_several_prompts_become_several_calls_and_one_answer(bridge, upstream):
    before = len(upstream.requests)
    found = ask(bridge, prompt=["one two", "three four"], n=2, max_tokens=9).json()
    assert len(upstream.requests) == before + 2
    assert [(c["index"], c["text"]) for c in found["choices"]] == [
        (0, "one two"), (1, "one two"), (2, "three four"), (3, "three four"),
    ]  # fmt: skip
    assert found["usage"]["total_tokens"] == found["usage"]["prompt_tokens"] + found["usage"]["completion_tokens"]
    assert "diptych" not in found


def test_several_prompts_stream_as_one_with_one_head_and_one_sum(bridge):
    body = {"model": "gpt-4o", "prompt": ["one two", "three four"], "n": 2, "max_tokens": 9}
    events = bridge.events(PATH, {**body, "stream_options": {"include_usage": True}})
    assert texts(events) == {0: "one two", 1: "one two", 2: "three four", 3: "three four"}
    assert len({event["id"] for event in events[:-1]}) == 1
    assert events[-1] == "[DONE]"
    usages = [event["usage"] for event in events[:-1] if event.get("usage")]
    whole = ask(bridge, prompt=["one two", "three four"], n=2, max_tokens=9).json()["usage"]
    assert [usage["total_tokens"] for usage in usages] == [whole["total_tokens"]]


def test_tokens_of_a_stream_come_only_where_they_are_asked_for(bridge):
    assert not [e for e in bridge.events(PATH, {"model": "gpt-4o", "prompt": "Hi"})[:-1] if "usage" in e]


def test_token_ids_are_decoded_and_that_is_said(bridge, upstream):
    from diptych import tokens

    ids = tokens.encoding_for_model("gpt-4o").encode("Bonjour le monde")
    response = ask(bridge, prompt=ids)
    assert upstream.requests[-1].body["messages"][-1]["content"] == "Bonjour le monde"
    assert response.headers["x-diptych-losses"] == "$.prompt reencoded"
    assert response.json()["diptych"]["losses"][0]["kind"] == "reencoded"


def test_token_ids_of_a_model_nobody_knows_are_refused(bridge):
    response = ask(bridge, model="who-knows", prompt=[1, 2, 3])
    assert (response.status_code, response.json()["error"]["param"]) == (400, "prompt")


def test_no_cap_means_the_hidden_one(bridge, upstream):
    ask(bridge)
    assert upstream.requests[-1].body["max_completion_tokens"] == 16
    long = "word " * 40
    assert ask(bridge, prompt=long).json()["choices"][0]["finish_reason"] == "length"


def chat_reply(message, **choice):
    body = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop", **choice}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [body]}


LOGPROBS = {"content": [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": [
    {"token": "Hi", "logprob": -0.5, "bytes": None}, {"token": "Ho", "logprob": -1.5, "bytes": None}]}]}  # fmt: skip


def test_log_probabilities_have_the_shape_of_completions(start_bridge):
    from diptych.testing import status

    with Server() as upstream, start_bridge(upstream.base_url) as bridge:
        upstream.next(status(200, body=chat_reply({"content": "Hi"}, logprobs=LOGPROBS)))
        found = ask(bridge, logprobs=2).json()["choices"][0]["logprobs"]
        assert upstream.requests[-1].body["top_logprobs"] == 2
    assert found["tokens"] == ["Hi"]
    assert found["token_logprobs"] == [-0.5]
    assert found["top_logprobs"] == [{"Hi": -0.5, "Ho": -1.5}]
    assert found["text_offset"] == [len("Say hello")]  # offsets count from the beginning of the prompt


def test_log_probabilities_that_the_upstream_does_not_give_are_said(start_bridge):
    from diptych.testing import status

    with Server() as upstream, start_bridge(upstream.base_url) as bridge:
        upstream.next(status(200, body=chat_reply({"content": "Hi"})))
        response = ask(bridge, logprobs=2)
    assert response.headers["x-diptych-losses"] == "$.logprobs parameter-dropped"


def test_an_answer_that_completions_cannot_say_is_no_empty_text(start_bridge):
    from diptych.testing import status

    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with Server() as upstream, start_bridge(upstream.base_url) as bridge:
        upstream.next(status(200, body=chat_reply({"content": None, "tool_calls": [call]}, finish_reason="tool_calls")))
        response = ask(bridge)
    assert response.status_code == 502
    assert "tool" in response.json()["error"]["message"]


def test_opt_ins_send_something_near(upstream, start_bridge):
    with start_bridge(upstream.base_url, opt_in=frozenset({"suffix", "best_of"})) as bridge:
        assert ask(bridge, suffix="bye").status_code == 200
        assert "<after>bye</after>" in upstream.requests[-1].body["messages"][-1]["content"]
        assert len(ask(bridge, best_of=3).json()["choices"]) == 1
        assert upstream.requests[-1].body["n"] == 3
        assert ask(bridge, best_of=3, stream=True).json()["error"]["param"] == "best_of"


def test_stops_reach_the_upstream(bridge, upstream):
    assert ask(bridge, prompt="one;two", stop=[";"]).json()["choices"][0]["text"] == "one"
    assert upstream.requests[-1].body["stop"] == [";"]


def test_a_begun_reply_is_not_said_twice(bridge):
    prompt = "<|im_start|>user\nCount<|im_end|>\n<|im_start|>assistant\nOne, two"
    body = {"model": "Qwen2.5-7B", "prompt": prompt}
    assert bridge.post(PATH, body).json()["choices"][0]["text"] == ""
    assert texts(bridge.events(PATH, body)).get(0, "") == ""
    response = ask(bridge, prompt=prompt)  # a model that does not go on with a begun reply is told to
    assert response.headers["x-diptych-losses"] == "$.prompt substituted"


def test_models_are_mapped_and_one_name_can_stand_for_all(upstream, start_bridge):
    with start_bridge(upstream.base_url, models={"text-davinci-003": "gpt-4o", "*": "gpt-4o-mini"}) as bridge:
        ask(bridge, model="text-davinci-003")
        assert upstream.requests[-1].body["model"] == "gpt-4o"
        response = ask(bridge, model="anything")
        assert upstream.requests[-1].body["model"] == "gpt-4o-mini"
        assert "x-diptych-losses" not in response.headers
        names = [model["id"] for model in bridge.http.get("/v1/models").json()["data"]]
    assert "text-davinci-003" in names


def test_unknown_fields_pass_or_are_refused(upstream, start_bridge):
    with start_bridge(upstream.base_url) as bridge:
        ask(bridge, min_p=0.1)
        assert upstream.requests[-1].body["min_p"] == 0.1
    with start_bridge(upstream.base_url, unknown="refuse") as bridge:
        response = ask(bridge, min_p=0.1)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "min_p")


def test_strict_refuses_what_would_be_dropped(upstream, start_bridge):
    body = {"model": "gpt-4o", "max_tokens": 9, "top_k": 3, "messages": [{"role": "user", "content": "Hi"}]}
    with start_bridge(upstream.base_url) as bridge:
        response = bridge.post("/v1/messages", body)
        assert response.headers["x-diptych-losses"] == "$.top_k parameter-dropped"
    with start_bridge(upstream.base_url, strict=True) as bridge:
        response = bridge.post("/v1/messages", body)
    assert response.status_code == 400
    assert "top_k" in json.dumps(response.json())
