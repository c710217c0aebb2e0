"""Bodies and streams from one API to the other: every parameter, both ways, every policy."""

import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych import FormatError, LossError, LossWarning, convert_request, convert_response, convert_stream
from diptych.apis.chat import stream as chat_stream
from diptych.apis.chat.tables import PARAMS as OF_CHAT
from diptych.apis.completions import stream as completions_stream
from diptych.apis.completions.tables import ALONE, LACKS, PARAMS
from diptych.apis.schemas import ChatRequest, CompletionsRequest
from diptych.response import add_up

CHAT = [{"role": "user", "content": "Hi"}]
PROMPT = {"model": "m", "prompt": "Hi", "max_tokens": 5}
BODY = {"model": "m", "messages": CHAT, "max_completion_tokens": 5}


def to_chat(**more):
    return convert_request({**PROMPT, **more}, to="chat", on_loss="ignore")[0]


def to_completions(**more):
    return convert_request({**BODY, **more}, to="completions", on_loss="ignore")[0]


def kinds(conversion):
    return [(loss.path, loss.kind) for loss in conversion.losses]


def test_every_parameter_of_both_apis_has_a_row():
    names = {name for row in PARAMS for name in (row.to, *row.also)}
    assert {row.path for row in PARAMS} | {*ALONE, "prompt"} == {*CompletionsRequest.model_fields}
    assert names | {*LACKS, "messages"} >= {*ChatRequest.model_fields}
    assert {row.to for row in OF_CHAT} <= names | {*LACKS}
    assert not names & {*LACKS}


# Completions to Chat --------------------------------------------------------------------------

SAME = {
    "temperature": 0.3, "top_p": 0.5, "n": 2, "presence_penalty": 1, "frequency_penalty": -1, "stream": True,
    "stream_options": {"include_usage": True}, "seed": 7, "user": "u",
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_what_is_the_same_stays(name):
    given = {"stream": True, name: SAME[name]}  # the options of a stream stand beside it alone
    for found in (to_chat(**given), to_completions(**given)):
        assert found.output[name] == SAME[name]
        assert f"$.{name}" not in [path for path, _ in kinds(found)]


def test_a_prompt_becomes_one_user_message():
    found = to_chat()
    assert found.output == {"model": "m", "messages": CHAT, "max_completion_tokens": 5}
    assert (found.verdict, kinds(found)) == ("lossless", [("$.max_tokens", "renamed")])


def test_the_hidden_cap_is_written_out():
    found = convert_request({"model": "m", "prompt": "Hi"}, to="chat")[0]
    assert found.output["max_completion_tokens"] == 16
    assert kinds(found) == [("$.max_tokens", "defaulted")]


def test_a_list_of_prompts_becomes_as_many_requests():
    found = convert_request({**PROMPT, "prompt": ["a", "b"], "n": 2}, to="chat", on_loss="ignore")
    assert [c.output["messages"][0]["content"] for c in found] == ["a", "b"]
    assert all(c.output["n"] == 2 for c in found)


def test_token_ids_are_decoded_as_their_model_has_them():
    ids = diptych.tokens.encode_text("hello world", encoding_name="p50k_base")
    found = convert_request({"model": "text-davinci-003", "prompt": ids}, to="chat", on_loss="ignore")[0]
    assert found.output["messages"][0]["content"] == "hello world"
    many = convert_request({"model": "text-davinci-003", "prompt": [ids, ids]}, to="chat", on_loss="ignore")
    assert len(many) == 2
    with pytest.raises(diptych.FormatError):
        convert_request({"model": "text-davinci-003", "prompt": [10**9]}, to="chat", on_loss="ignore")


def test_models_that_were_shut_down_are_substituted():
    found = convert_request({"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"}, to="chat", on_loss="ignore")[0]
    assert found.output["model"] == "gpt-5.4-mini"
    assert ("$.model", "substituted") in kinds(found)
    assert "2026-09-28" in str(found.losses[0])


def test_a_marked_prompt_becomes_turns_and_its_role_markers_are_no_stops():
    text = diptych.to_prompt([{"role": "system", "content": "S"}, *CHAT], format="chatml").text
    found = to_chat(prompt=text, stop=["<|im_end|>", "END"])
    assert [m["role"] for m in found.output["messages"]] == ["system", "user"]
    assert found.output["stop"] == ["END"]


def test_a_transcript_is_read_and_called_ambiguous():
    found = to_chat(prompt="Human: Hi\nAI:", stop=["\nHuman:"])
    assert found.verdict == "ambiguous"
    assert "stop" not in found.output
    assert found.alternatives


def test_a_suffix_is_left_out_where_its_loss_is_accepted():
    body = {**PROMPT, "suffix": "x"}
    with pytest.raises(LossError):
        convert_request(body, to="chat")
    (found,) = convert_request(body, to="chat", on_loss="ignore")
    assert [loss.path for loss in found.losses if loss.kind == "parameter-dropped"] == ["$.suffix"]
    assert found.output == convert_request(PROMPT, to="chat", on_loss="ignore")[0].output


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"max_tokens": 0}, "$.max_tokens"),
        ({"echo": True, "logprobs": 1}, "$.echo"), ({"prompt": None}, "$.prompt"),
    ],
)  # fmt: skip
def test_what_would_change_the_task_is_refused_under_every_policy(params, path):
    for policy in ("raise", "ignore"):
        with pytest.raises(LossError) as caught:
            convert_request({**PROMPT, **params}, to="chat", on_loss=policy)
        assert path in [loss.path for loss in caught.value.losses]


@pytest.mark.parametrize("params", [{"suffix": ""}, {"suffix": None}, {"best_of": 1}, {"best_of": 2, "n": 2}])
def test_trivial_values_are_nothing(params):
    assert to_chat(**params).verdict == "lossless"


def test_logprobs_to_chat():
    assert to_chat(logprobs=3).output["top_logprobs"] == 3
    assert to_chat(logprobs=0).output | {"logprobs": True, "top_logprobs": 0} == to_chat(logprobs=0).output
    assert "logprobs" not in to_chat(logprobs=None).output


def test_logit_bias_is_encoded_again():
    bias = {str(diptych.tokens.encode_text(" hello", encoding_name="cl100k_base")[0]): 5}
    found = convert_request({"model": "davinci-002", "prompt": "x", "logit_bias": bias}, to="chat", on_loss="ignore")[0]
    (id_,) = found.output["logit_bias"]
    assert diptych.tokens.encoding("o200k_base").decode([int(id_)]) == " hello"
    assert to_chat(logit_bias={"5": 1}).output["logit_bias"] == {"5": 1}


def test_policies():
    body = {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi", "max_tokens": 5}
    with pytest.raises(LossError):
        convert_request(body, to="chat", on_loss="raise")
    for name in ("report", "warn"):
        with pytest.warns(LossWarning):
            convert_request(body, to="chat", on_loss=name)
    with pytest.raises(FormatError, match="unknown policy 'quiet'"):
        convert_request(body, to="chat", on_loss="quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        convert_request(body, to="chat", on_loss="ignore")


@pytest.mark.parametrize(
    ("model", "check"),
    [
        ("deepseek-chat", lambda body: body["messages"][-1].get("prefix") is True),
        ("Qwen2.5-7B", lambda body: body["continue_final_message"] is True),
        ("gpt-4o", lambda body: body["messages"][-1]["role"] == "user"),
    ],
)
def test_a_begun_reply_is_gone_on_with(model, check):
    text = diptych.to_prompt(CHAT).text + "I am"
    found = convert_request({"model": model, "prompt": text, "max_tokens": 5}, to="chat", on_loss="ignore")[0]
    assert check(found.output)
    assert "I am" in found.output["messages"][-1]["content"]


def test_what_may_be_opted_into():
    found = convert_request({**PROMPT, "suffix": "there"}, to="chat", on_loss="ignore", opt_in=["suffix"])[0]
    assert "<after>there</after>" in found.output["messages"][0]["content"]
    request = {**PROMPT, "best_of": 3}
    found = convert_request(request, to="chat", on_loss="ignore", opt_in=["best_of"])[0]
    assert (found.output["n"], found.output["logprobs"]) == (3, True)
    choices = [
        {"index": i, "message": {"content": f"t{i}"}, "logprobs": {"content": [{"token": "t", "logprob": p}]}}
        for i, p in enumerate((-3, -1, -2))
    ]
    ranked = convert_response({"choices": choices}, to="completions", request=request).output["choices"]
    assert [(c["index"], c["text"]) for c in ranked] == [(0, "t1")]


def test_a_begun_reply_is_not_said_twice():
    request = {"model": "gpt-4o", "prompt": diptych.to_prompt(CHAT).text + "I am", "max_tokens": 5}
    reply = {"choices": [{"index": 0, "message": {"content": "I am fine"}, "finish_reason": "stop"}]}
    assert convert_response(reply, to="completions", request=request).output["choices"][0]["text"] == " fine"


# Chat to Completions --------------------------------------------------------------------------


def test_messages_become_a_prompt_with_its_stop():
    found = to_completions()
    assert found.output["prompt"] == diptych.to_prompt(CHAT).text
    assert found.output["stop"] == ["<|im_end|>"]
    assert found.output["max_tokens"] == 5
    assert found.verdict == "lossless"


def test_no_cap_must_be_written_out():
    found = convert_request({"model": "m", "messages": CHAT}, to="completions", on_loss="ignore")[0]
    assert found.output["max_tokens"] == 4096
    assert ("$.max_tokens", "clamped") in kinds(found)


@pytest.mark.parametrize(
    "params",
    [{"tool_choice": "auto"}, {"function_call": "auto"}, {"audio": {"voice": "x"}}, {"web_search_options": {"a": 1}},
     {"modalities": ["text", "audio"]}],
)  # fmt: skip
def test_what_completions_cannot_do_raises_unless_it_is_asked_for(params):
    with pytest.raises(LossError):
        convert_request({**BODY, **params}, to="completions")
    (name,) = params
    found = to_completions(**params)
    assert name not in found.output
    assert any(path == f"$.{name}" and kind.endswith("-dropped") for path, kind in kinds(found))


@pytest.mark.parametrize("name", ["tools", "functions"])
def test_tools_are_refused(name):
    tool = {"type": "function", "function": {"name": "f"}} if name == "tools" else {"name": "f"}
    with pytest.raises(LossError, match="Completions has no tools") as caught:
        to_completions(**{name: [tool]})
    assert [loss.path for loss in caught.value.losses if loss.kind == "unsupported"] == [f"$.{name}[0]"]


def test_what_completions_does_by_default_costs_nothing():
    assert to_completions(modalities=["text"], tool_choice="none", logprobs=False).verdict == "lossless"


def test_stops_that_leave_no_room_for_the_end_of_a_turn_are_refused():
    with pytest.raises(LossError, match="leave no room"):
        to_completions(stop=["1", "2", "3", "4"])


def test_a_stop_of_one_text_is_one_stop():
    assert to_chat(stop="a long one").output["stop"] == "a long one"
    assert convert_request({**BODY, "stop": "a long one"}, to="chat")[0].losses == ()


def test_best_of_is_dropped_and_told():
    found = to_chat(best_of=3, n=2)
    assert (found.output["n"], ("$.best_of", "parameter-dropped") in kinds(found)) == (2, True)


@pytest.mark.parametrize(
    "params",
    [{"reasoning_effort": "low"}, {"verbosity": "low"}, {"metadata": {"a": "b"}}, {"store": True},
     {"service_tier": "flex"}, {"prompt_cache_key": "k"}, {"prediction": {"type": "content"}},
     {"response_format": {"type": "json_object"}}],
)  # fmt: skip
def test_what_completions_lacks_is_dropped_and_told(params):
    found = to_completions(**params)
    (name,) = params
    assert name not in found.output
    assert f"$.{name}" in [path for path, _ in kinds(found)]
    assert found.verdict == "lossy"


def test_logprobs_to_completions():
    assert to_completions(logprobs=True).output["logprobs"] == 0
    assert to_completions(logprobs=True, top_logprobs=3).output["logprobs"] == 3
    found = to_completions(logprobs=True, top_logprobs=9)
    assert found.output["logprobs"] == 5
    assert ("$.top_logprobs", "clamped") in kinds(found)


def test_a_begun_reply_stays_open():
    messages = [*CHAT, {"role": "assistant", "content": "I am"}]
    found = convert_request({**BODY, "messages": messages}, to="completions", on_loss="ignore")[0]
    assert found.output["prompt"].endswith("<|im_start|>assistant\nI am")


@given(
    st.sampled_from(["a b", "Hello!", "x\ny", "<|im_end|>"]),
    st.fixed_dictionaries({}, optional={name: st.just(value) for name, value in SAME.items()}),
)
def test_there_and_back(text, params):
    params |= {"stream": True} if "stream_options" in params else {}
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "max_completion_tokens": 9, **params}
    there = convert_request(body, to="completions", on_loss="ignore")[0]
    if there.verdict == "lossless":
        back = convert_request(there.output, to="chat", on_loss="ignore")[0]
        assert back.output == body


# responses -----------------------------------------------------------------------------------

REPLY = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": "fp",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi", "refusal": None},
                 "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}  # fmt: skip


def test_whole_bodies_there_and_back():
    there = convert_response(REPLY, to="completions")
    assert there.output["id"] == "cmpl-1"
    assert there.output["choices"] == [{"text": "Hi", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    assert convert_response(there.output, to="chat").output == REPLY


def test_replies_to_several_prompts_are_numbered():
    second = {**REPLY, "choices": [{**REPLY["choices"][0], "index": i} for i in (0, 1)]}
    found = convert_response([second, second], to="completions", request={"prompt": ["a", "b"], "n": 2, "echo": True})
    assert [c["index"] for c in found.output["choices"]] == [0, 1, 2, 3]
    assert [c["text"] for c in found.output["choices"]] == ["aHi", "aHi", "bHi", "bHi"]
    assert found.output["usage"]["total_tokens"] == 6


def test_tool_calls_are_not_made_to_text():
    calls = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    with pytest.raises(LossError):
        convert_response(
            {"choices": [{"message": calls, "finish_reason": "tool_calls"}]}, to="completions", on_loss="ignore"
        )


@pytest.mark.parametrize(
    ("said", "text"), [({"refusal": "no"}, "no"), ({}, ""), ({"content": "I", "refusal": "no"}, "Ino")]
)
def test_what_is_refused_or_left_unsaid_is_a_text(said, text):
    body = {"choices": [{"message": {"content": None, **said}, "finish_reason": "stop"}]}
    found = convert_response(body, to="completions", on_loss="ignore")
    assert found.output["choices"][0]["text"] == text
    assert found.verdict == ("lossy" if said else "lossless")


def test_logprobs_of_responses():
    content = [
        {
            "token": "H",
            "logprob": -0.1,
            "bytes": [72],
            "top_logprobs": [{"token": "H", "logprob": -0.1, "bytes": [72]}],
        },
        {"token": "i", "logprob": -0.2, "bytes": [105], "top_logprobs": []},
    ]
    reply = {"choices": [{**REPLY["choices"][0], "logprobs": {"content": content, "refusal": None}}]}
    found = convert_response(reply, to="completions", request={"prompt": "abc"}).output["choices"][0]["logprobs"]
    assert found == {
        "tokens": ["H", "i"], "token_logprobs": [-0.1, -0.2], "top_logprobs": [{"H": -0.1}, {}], "text_offset": [3, 4],
    }  # fmt: skip
    whole = {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop", "logprobs": found}]}
    assert convert_response(whole, to="chat").output["choices"][0]["logprobs"]["content"] == content


@pytest.mark.parametrize("body", [{}, [], {"choices": 3}, None, [{"choices": []}, {}]])
def test_what_is_no_response(body):
    with pytest.raises((diptych.FormatError, TypeError)):
        convert_response(body, to="chat")


# streams -------------------------------------------------------------------------------------


READERS = {"chat": chat_stream.StreamReader, "completions": completions_stream.StreamReader}


def added(chunks, api):
    """Return texts, reasons and usage of the response that chunks, or whole bodies, amount to."""
    reader = READERS[api]()
    found = add_up(event for chunk in chunks for event in reader.feed(chunk))
    texts = [(c.index, c.message.text, c.finish_reason) for c in found.choices]
    return texts, None if found.usage is None else found.usage.server


TEXTS = st.lists(st.tuples(st.integers(0, 2), st.text(max_size=4)), min_size=1, max_size=8)


@given(TEXTS, st.sampled_from(["", "echo me"]))
def test_a_stream_converted_chunk_by_chunk_is_the_whole(parts, echo):
    indexes = sorted({index for index, _ in parts})
    chat = [{"choices": [{"index": i, "delta": {"role": "assistant", "content": ""}}]} for i in indexes]
    chat += [{"choices": [{"index": i, "delta": {"content": text}}]} for i, text in parts]
    chat += [{"choices": [{"index": i, "delta": {}, "finish_reason": "stop"}]} for i in indexes]
    chat += [{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}]
    request = {"prompt": echo, "echo": True} if echo else {"prompt": "x"}
    converted = list(convert_stream(iter(chat), to="completions", request=request))
    texts, usage = added(converted, "completions")
    assert texts == [(i, echo + "".join(t for j, t in parts if j == i), "stop") for i in indexes]
    assert usage == {"prompt_tokens": 1, "completion_tokens": 2}
    back = list(convert_stream(converted, to="chat"))
    assert added(back, "chat") == (texts, usage)
    assert all(c["object"] == "chat.completion.chunk" for c in back)
    first = next(c["choices"][0] for c in back if c["choices"])
    assert first["delta"]["role"] == "assistant"


def test_a_stream_is_not_held_back():
    def source():
        yield {"choices": [{"index": 0, "text": "a"}]}
        raise AssertionError("read too far")

    stream = convert_stream(source(), to="chat")
    assert next(stream)["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert next(stream)["choices"][0]["delta"] == {"content": "a"}


def test_tool_calls_in_a_stream_are_refused():
    with pytest.raises(LossError):
        list(convert_stream([{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0}]}}]}], to="completions"))


# recorded bodies -----------------------------------------------------------------------------


def test_recorded_bodies_there_and_back(shared):
    """Real answers keep every text, reason and count on the way there and back."""
    folder, seen = shared / "wire", 0
    if not folder.is_dir():
        pytest.skip("no recorded answers in the folder of samples")
    for file in sorted(folder.rglob("*.response.http")):
        _, _, body = file.read_bytes().partition(b"\r\n\r\n")
        try:
            value = json.loads(body)
        except ValueError:
            continue  # a stream, or chunked
        if (
            not isinstance(value, dict)
            or "choices" not in value
            or any((c.get("message") or {}).get("tool_calls") for c in value["choices"])
        ):
            continue
        seen += 1
        api = "chat" if "message" in value["choices"][0] else "completions"
        other = "completions" if api == "chat" else "chat"
        there = convert_response(value, to=other, on_loss="ignore")
        back = convert_response(there.output, to=api, on_loss="ignore")
        assert added([back.output], api) == added([value], api), file.name
    assert seen > 20


# nothing is lost in silence ---------------------------------------------------------------------

LOSING = {
    "model": ("chat", {"model": "davinci-002"}), "logit_bias": ("completions", {"logit_bias": {"5000": 1}, "model": "gpt-4o"}),
    "prompt": ("chat", {"prompt": ["a", "b"]}), "response_format": ("completions", {"response_format": {"type": "json_object"}}),
    "max_tokens": ("completions", {"max_completion_tokens": None}), "stop": ("completions", {"stop": ["1", "2", "3"]}),
    "metadata": ("completions", {"metadata": {"a": "b"}}), "top_logprobs": ("completions", {"logprobs": True, "top_logprobs": 9}),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSING)
def test_each_loss_under_each_policy(name):
    to, params = LOSING[name]
    body = {**(PROMPT if to == "chat" else BODY), **params}
    kwargs = {"format": "llama3"} if name == "stop" else {}
    if name == "logit_bias":
        kwargs["model"] = "davinci-002"
    found = convert_request(body, to=to, on_loss="ignore", **kwargs)
    assert all(c.verdict == "lossy" for c in found)
    with pytest.raises(LossError):
        convert_request(body, to=to, on_loss="raise", **kwargs)
    with pytest.warns(LossWarning):
        convert_request(body, to=to, on_loss="report", **kwargs)


def test_what_only_the_other_api_knows_stays():
    assert to_chat(response_format={"type": "json_object"}).output["response_format"] == {"type": "json_object"}
    assert to_completions(echo=True).output["echo"] is True
    with pytest.raises(diptych.FormatError, match="not both"):
        convert_request({**PROMPT, "messages": CHAT}, to="chat")


def test_a_stop_that_merely_looks_like_a_label_stays():
    assert to_chat(prompt="Q: a\nA:", stop=["q"]).output["stop"] == ["q"]


def test_fields_of_servers_stay_and_those_of_chat_are_told():
    body = {**REPLY, "service_tier": "default", "timings": {"ms": 1}}
    body["choices"] = [{**REPLY["choices"][0], "content_filter_results": {"hate": {}}}]
    found = convert_response(body, to="completions", on_loss="ignore")
    assert found.output["timings"] == {"ms": 1}
    assert found.output["choices"][0]["content_filter_results"] == {"hate": {}}
    assert kinds(found) == [("$.service_tier", "field-dropped")]


def test_several_bodies_become_several_replies():
    old = {"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}
    assert len(convert_response([old, old], to="chat").output) == 2
    two = {"choices": [{"index": i, "message": {"content": "x"}} for i in (0, 1)]}
    assert [c["index"] for c in convert_response([two, two], to="completions").output["choices"]] == [0, 1, 2, 3]


def test_echo_of_token_ids():
    ids = diptych.tokens.encode_text("hello", encoding_name="cl100k_base")
    request = {"model": "davinci-002", "prompt": ids, "echo": True}
    assert convert_response(REPLY, to="completions", request=request).output["choices"][0]["text"] == "helloHi"


@pytest.mark.parametrize("api", ["responses", "ollama", "completions"])
def test_log_probabilities_have_one_form(api):
    """What Chat says of tokens goes there and back; what only other APIs leave out is filled in."""
    tops = [{"token": text, "logprob": p, "bytes": list(text.encode())} for text, p in (("Hi", -0.1), ("Ho", -2.5))]
    content = [{**tops[0], "top_logprobs": tops}, {**tops[1], "top_logprobs": []}]
    reply = {**REPLY, "choices": [{**REPLY["choices"][0], "logprobs": {"content": content, "refusal": None}}]}
    there = convert_response(reply, to=api, on_loss="ignore")
    assert not [loss for loss in there.losses if "logprobs" in loss.path]
    back = convert_response(there.output, source=api, to="chat", on_loss="ignore").output["choices"][0]
    assert back["logprobs"] == {"content": content, "refusal": None}


def test_log_probabilities_of_ollama_are_whole_in_other_apis():
    line = {"model": "m", "created_at": "2026-01-02T03:04:05Z", "message": {"role": "assistant", "content": "Hi"},
            "done": True, "done_reason": "stop", "logprobs": [{"token": "Hi", "logprob": -0.1}]}  # fmt: skip
    chat = convert_response(line, source="ollama", to="chat", on_loss="ignore").output["choices"][0]["logprobs"]
    assert chat["content"] == [{"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}]
    found = convert_response(line, source="ollama", to="responses", on_loss="ignore").output["output"][0]["content"][0]
    assert found["logprobs"] == [{"bytes": [72, 105], "token": "Hi", "logprob": -0.1, "top_logprobs": []}]
    assert convert_response(line, source="ollama", to="ollama").output == line


def test_offsets_count_characters():
    data = "’s".encode()
    texts = {r"\xe2\x80": data[:2], r"\x99": data[2:3], "s": data[3:]}
    content = [{"token": t, "logprob": -1, "bytes": list(part), "top_logprobs": []} for t, part in texts.items()]
    reply = {"choices": [{"message": {"content": "’s"}, "logprobs": {"content": content}}]}
    found = convert_response(reply, to="completions").output
    assert found["choices"][0]["logprobs"]["text_offset"] == [0, 0, 1]
    assert found["choices"][0]["logprobs"]["tokens"] == [r"bytes:\xe2\x80", r"bytes:\x99", "s"]
    assert convert_response(found, to="chat").output["choices"][0]["logprobs"]["content"] == content


@pytest.mark.parametrize("delta", [{"refusal": "no"}, {"reasoning_content": "hm"}, {"function_call": {"name": "f"}}])
def test_streams_tell_what_the_whole_tells(delta):
    chunks = [{"choices": [{"index": 0, "delta": delta}]}]
    with pytest.raises(LossError):
        list(convert_stream(chunks, to="completions"))


def test_an_unknown_api():
    for call in (lambda: convert_request(PROMPT, to="responses"), lambda: convert_response(REPLY, to="x")):
        with pytest.raises(diptych.FormatError):
            call()


def test_recorded_streams_there_and_back(shared):
    """Real streams, fed chunk by chunk, keep every text, reason and count."""
    folder, seen = shared / "wire", 0
    if not folder.is_dir():
        pytest.skip("no recorded answers in the folder of samples")
    for file in sorted(folder.rglob("*stream*.response.http")):
        lines = file.read_bytes().decode("utf-8", "replace").splitlines()
        chunks = []
        for line in lines:
            if line.startswith("data: {"):
                try:
                    chunks.append(json.loads(line[6:]))
                except ValueError:
                    break
        chunks = [c for c in chunks if "choices" in c]
        if not chunks or any((choice.get("delta") or {}).get("tool_calls") for c in chunks for choice in c["choices"]):
            continue
        seen += 1
        api = "chat" if any("delta" in choice for c in chunks for choice in c["choices"]) else "completions"
        other = "completions" if api == "chat" else "chat"
        there = list(convert_stream(chunks, to=other, on_loss="ignore"))
        back = list(convert_stream(there, to=api, on_loss="ignore"))
        assert added(back, api)[0] == added(there, other)[0] == added(chunks, api)[0], file.name
    assert seen > 5
