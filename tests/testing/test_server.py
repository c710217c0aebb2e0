"""The test server: what it honours, what it refuses and in which words, and its paths."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import signal
import struct
import subprocess
import sys

import anthropic
import anthropic.types.message_create_params as anthropic_params
import httpx
import jsonschema
import openai
import openai.types.responses.response_create_params as responses_params
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.testing import Server
from diptych.testing.answers import Rules, events, whole
from diptych.testing.examples import example
from diptych.testing.others import KNOWN
from diptych.testing.refusals import BadRequestError

FUNCTION = {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string", "minLength": 6}}}}
TOOL = {"type": "function", "function": FUNCTION}
CUSTOM = {"type": "custom", "custom": {"name": "write"}}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "exclusiveMinimum": 4}}, "required": ["n"]}


def chat(text="One two three four.", **params):
    return {"model": "test", "messages": [{"role": "user", "content": text}], **params}


def prompt(text="One two three four.", **params):
    return {"model": "test", "prompt": text, **params}


@pytest.fixture(scope="module")
def server():
    with Server() as found:
        yield found


@pytest.fixture(scope="module")
def strict():
    with Server(strict=True) as found:
        yield found


def post(server, path, body, **options):
    data = body if isinstance(body, bytes) else json.dumps(body)
    return httpx.post(f"{server.base_url}{path}", content=data, headers={"content-type": "application/json"}, **options)


# what is honoured -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"tools": [TOOL], "tool_choice": "required"}, "look"),
        ({"tools": [CUSTOM, TOOL], "tool_choice": {"type": "function", "function": {"name": "look"}}}, "look"),
        ({"tools": [TOOL, CUSTOM], "tool_choice": {"type": "custom", "custom": {"name": "write"}}}, "write"),
        (
            {
                "tools": [CUSTOM, TOOL],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [TOOL]}},
            },
            "look",
        ),
        ({"tools": [TOOL], "tool_choice": "auto"}, None),
        ({"tools": [TOOL]}, None),
        ({"tools": [TOOL], "tool_choice": "none"}, None),
    ],
)
def test_the_tool_that_is_forced_is_called(params, name):
    choice = whole("chat", chat(**params))["choices"][0]
    calls = choice["message"].get("tool_calls") or []
    assert [call[call["type"]]["name"] for call in calls] == ([name] if name else [])
    assert choice["finish_reason"] == ("tool_calls" if name else "stop")
    for call in calls:
        if call["type"] == "function":
            jsonschema.validate(json.loads(call["function"]["arguments"]), FUNCTION["parameters"])


def test_a_function_of_2023_is_called():
    body = chat(functions=[FUNCTION], function_call={"name": "look"})
    choice = whole("chat", body)["choices"][0]
    assert choice["message"]["function_call"] == {"name": "look", "arguments": '{"at": "textxx"}'}
    assert choice["finish_reason"] == "function_call"
    assert b'"function_call"' in b"".join(events("chat", body))


def test_ids_of_calls_differ_within_a_conversation():
    first = whole("chat", chat(tools=[TOOL], tool_choice="required"))["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "7"}
    body = chat(tools=[TOOL], tool_choice="required")
    body["messages"] += [first, result]
    second = whole("chat", body)["choices"][0]["message"]["tool_calls"][0]["id"]
    assert second != first["tool_calls"][0]["id"]


def test_json_is_made_to_fit():
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    said = [
        whole("chat", chat(response_format=wanted)),
        # Clients without structured outputs put the schema into a message.
        whole("chat", chat(f"Answer in JSON of {json.dumps(SCHEMA)}.", response_format={"type": "json_object"})),
    ]
    for body in said:
        assert json.loads(body["choices"][0]["message"]["content"]) == {"n": 5}
    plain = whole("chat", chat("JSON please", response_format={"type": "json_object"}))
    assert json.loads(plain["choices"][0]["message"]["content"]) == {"echo": "JSON please"}


@pytest.mark.parametrize("rules", [Rules(), Rules(lambda body: "One two three four.")])
@pytest.mark.parametrize(
    ("params", "text", "reason"),
    [
        ({"stop": "three"}, "One two ", "stop"),
        ({"stop": [" four", " two"]}, "One", "stop"),
        ({"max_tokens": 2}, "One two", "length"),
        ({"max_tokens": 2, "stop": " two"}, "One", "stop"),
        ({"n": 3, "max_tokens": 1}, "One", "length"),
    ],
)
def test_stops_caps_and_choices(rules, params, text, reason):
    for api, body in (("chat", chat(**params)), ("completions", prompt(**params))):
        found = whole(api, body, rules)
        texts = [choice["message"]["content"] if api == "chat" else choice["text"] for choice in found["choices"]]
        assert texts == [text] * params.get("n", 1)
        assert {choice["finish_reason"] for choice in found["choices"]} == {reason}
        if reason == "length":
            assert found["usage"]["completion_tokens"] == params["max_tokens"] * params.get("n", 1)


def test_a_suffix_ends_the_text_and_scoring_gives_the_prompt():
    assert whole("completions", prompt(suffix=" four.", max_tokens=9))["choices"][0]["text"] == "One two three"
    scored = whole("completions", prompt("One two", max_tokens=0, echo=True, logprobs=1))["choices"][0]
    assert (scored["text"], scored["finish_reason"]) == ("One two", "length")
    assert scored["logprobs"]["tokens"] == ["One", " two"]
    assert scored["logprobs"]["token_logprobs"][0] is None
    assert scored["logprobs"]["top_logprobs"][1].keys() == {" two"}


@pytest.mark.parametrize("text", ["One two", "na\u00efve \U0001f9d1\u200d\U0001f680 caf\u00e9"])
@pytest.mark.parametrize("api", ["chat", "completions"])
def test_log_probabilities_are_whole_and_streamed_the_same(api, text):
    if api == "chat":
        body = chat(text, logprobs=True, top_logprobs=3)
    else:
        body = prompt(text, logprobs=3, max_tokens=50)
    stated = whole(api, body)["choices"][0]["logprobs"]
    streamed = {}
    for event in events(api, {**body, "stream": True}):
        if event.startswith(b"data: {"):
            found = json.loads(event[6:])["choices"][0]["logprobs"] if b'"logprobs"' in event else None
            for name, value in (found or {}).items():
                streamed[name] = streamed.get(name, []) + value if isinstance(value, list) else value
    assert streamed == stated
    if api == "chat":
        data = b"".join(bytes(entry["bytes"]) for entry in stated["content"])
        assert data.decode() == text
        for entry in stated["content"]:
            tops = entry["top_logprobs"]
            assert len(tops) == 3
            assert tops[0]["token"] == entry["token"]
            assert [top["logprob"] for top in tops] == sorted((top["logprob"] for top in tops), reverse=True)
    else:
        assert len({len(values) for values in stated.values()}) == 1
        assert stated["text_offset"] == sorted(stated["text_offset"])


def test_an_answer_may_be_a_whole_message():
    message = {"content": "I look.", "reasoning_content": "Hm.", "tool_calls": [{"id": "c", "type": "function",
               "function": {"name": "look", "arguments": '{"at": "it"}'}}]}  # fmt: skip
    rules = Rules(lambda body: message)
    choice = whole("chat", chat(), rules)["choices"][0]
    assert {name: choice["message"][name] for name in message} == message
    assert choice["finish_reason"] == "tool_calls"
    text = b"".join(events("chat", chat(stream=True), rules)).decode()
    assert "reasoning_content" in text
    assert '"name": "look"' in text


# what is refused ------------------------------------------------------------------------------------

MALFORMED = [
    ("chat", {"messages": []}, None),
    ("chat", {"model": "test"}, "messages"),
    ("chat", chat(messages=[]), "messages"),
    ("chat", chat(messages={"role": "user"}), "messages"),
    ("chat", chat(messages=["Hi"]), "messages[0]"),
    ("chat", chat(messages=[{"role": "robot", "content": "Hi"}]), "messages[0].role"),
    ("chat", chat(messages=[{"role": "user", "content": 5}]), "messages[0].content"),
    ("chat", chat(messages=[{"role": "user", "content": [{"type": "text", "text": 5}]}]), "messages[0].content[0].text"),
    ("chat", chat(logprobs=2), "logprobs"),
    ("chat", chat(temperature="hot"), "temperature"),
    ("chat", chat(stop=[1]), "stop[0]"),
    ("chat", chat(stop=5), "stop"),
    ("chat", chat(n="two"), "n"),
    ("chat", chat(n=0), "n"),
    ("chat", chat(n=10**9), "n"),
    ("chat", chat(tools={"type": "function"}), "tools"),
    ("chat", chat(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "other"}}), "tool_choice"),
    ("chat", chat(response_format="json"), "response_format"),
    ("chat", chat(stream="yes"), "stream"),
    ("completions", {"model": "test"}, "prompt"),
    ("completions", prompt({"text": "Hi"}), "prompt"),
    ("completions", prompt([1, "a"]), "prompt[1]"),
    ("completions", prompt(logprobs=True), "logprobs"),
    ("completions", prompt([[10**12]]), "prompt"),
    ("completions", prompt(max_tokens="five"), "max_tokens"),
]


@pytest.mark.parametrize(("api", "body", "param"), MALFORMED)
def test_what_is_malformed_is_always_refused(api, body, param):
    with pytest.raises(BadRequestError) as found:
        whole(api, body)
    assert (found.value.param or "").rstrip("[0]").startswith((param or "").rstrip("[01]"))


CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function",
        "function": {"name": "look", "arguments": "{}"}}]}  # fmt: skip
RESULT = {"role": "tool", "tool_call_id": "c", "content": "7"}
USER = {"role": "user", "content": "Hi"}
REFUSED = [
    ("chat", chat(temperature=9), "temperature", "Expected a value <= 2, but got 9"),
    ("chat", chat(stop=list("abcde")), "stop", "maximum length 4, but got an array with length 5"),
    ("chat", chat(echo=True), "echo", "Unknown parameter: 'echo'"),
    ("chat", chat(top_k=5), "top_k", "Unknown parameter"),
    ("chat", chat(best_of=2), "best_of", "Unknown parameter"),
    ("chat", chat(top_logprobs=2), "top_logprobs", "only allowed when 'logprobs' is enabled"),
    ("chat", chat(logprobs=True, top_logprobs=21), "top_logprobs", "<= 20"),
    ("chat", chat(messages=[USER, RESULT]), "messages[1].role", "must be a response to a preceding message"),
    ("chat", chat(messages=[USER, CALL]), "messages[2].role", "did not have response messages: c"),
    ("chat", chat(messages=[USER, CALL, USER]), "messages[2].role", "did not have response messages: c"),
    ("chat", chat(messages=[{**USER, "cache_control": {}}]), "messages[0].cache_control", "Unknown parameter"),
    ("chat", chat(tool_choice="auto"), "tool_choice", "only allowed when 'tools' are specified"),
    ("chat", chat(tools=[TOOL], tool_choice="any"), "tool_choice", "Supported values"),
    ("chat", chat(tools=[]), "tools", "empty"),
    ("chat", chat(stream_options={"include_usage": True}), "stream_options", "only allowed when 'stream' is enabled"),
    ("chat", chat(max_tokens=5, max_completion_tokens=5), None, "at the same time"),
    ("chat", chat(response_format={"type": "json_object"}), "response_format.type", "JSON"),
    ("chat", chat(response_format={"type": "grammar"}), "response_format", "json_schema"),
    ("chat", chat(reasoning_effort="huge"), "reasoning_effort", "'minimal'"),
    ("chat", chat(tools=[{"type": "function", "function": {"name": "a b"}}]), "tools[0].function.name", "name"),
    *(("chat", chat(tools=[tool]), f"tools[0].{param}", "Missing required parameter") for tool, param in [
        ({}, "type"), ({"type": "function"}, "function"), ({"type": "function", "function": {}}, "function.name")]),
    ("chat", chat(tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "array"}}}]),
     "tools[0].function.parameters", "must be a JSON Schema of"),
    ("chat", chat(tools=[{"type": "function", "function": {"name": "f", "parameters": []}}]),
     "tools[0].function.parameters", "expected an object, but got an array"),
    ("chat", chat(response_format={"type": "json_schema", "json_schema": {}}), "response_format.json_schema.name", "Missing"),
    *(("chat", chat(messages=[message, USER]), f"messages[0].{param}", words) for message, param, words in [
        ({"role": "user", "content": None}, "content", "got null"),
        ({"role": "assistant", "content": None}, "content", "got null"),
        ({"role": "user", "content": []}, "content", "empty array"),
        ({"role": "assistant", "content": "x", "tool_calls": []}, "tool_calls", "empty array"),
        ({"role": "user", "content": [{"type": "image", "image": "x"}]}, "content[0].type", "Supported values are"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, "content[0].image_url", "expected an object"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, "content[0].image_url.url", "Missing")]),
    ("chat", chat(logit_bias={"a": 1}), "logit_bias", "non-negative integers"),
    ("chat", chat(metadata={"a": "x" * 513}), "metadata.a", "maximum length 512"),
    ("chat", chat(functions=[]), "functions", "too short"),
    ("chat", chat(function_call="auto"), "function_call", "only allowed when"),
    ("completions", prompt(logprobs=6), "logprobs", "<= 5"),
    ("completions", prompt(messages=[]), "messages", "Unknown parameter"),
    ("completions", prompt(max_completion_tokens=5), "max_completion_tokens", "Unknown parameter"),
    ("completions", prompt(n=3, best_of=2), "best_of", "more choices than it will generate"),
    ("completions", prompt(stream=True, best_of=2), "best_of", "cannot be streamed"),
]  # fmt: skip


@pytest.mark.parametrize(("api", "body", "param", "words"), REFUSED)
def test_a_strict_server_refuses_what_the_real_one_does(api, body, param, words):
    whole(api, body)  # others let it pass
    with pytest.raises(BadRequestError, match=words) as found:
        whole(api, body, Rules(strict=True))
    assert found.value.param == param


@pytest.mark.parametrize(
    "body",
    [
        chat(temperature=2, stop=list("abcd"), n=2, seed=7, logprobs=True, top_logprobs=20, user="u"),
        chat(messages=[USER, CALL, RESULT], tools=[TOOL, CUSTOM], tool_choice="auto", parallel_tool_calls=False),
        chat("JSON", response_format={"type": "json_object"}, stream=True, stream_options={"include_usage": True}),
        chat(temperature=None, tools=None, stop=None, max_completion_tokens=9, metadata={"a": "b"}, store=True),
    ],
)
def test_a_strict_server_takes_what_the_real_one_takes(body):
    assert whole("chat", body, Rules(strict=True))["choices"]
    completion = prompt(max_tokens=0, echo=True, logprobs=5, best_of=2, n=2, suffix=None)
    assert whole("completions", completion, Rules(strict=True))["choices"]


def test_known_names_are_those_of_the_sdks():
    ours = {"stream", "temperature", "top_p", "top_k", "context_management", "mcp_servers"}
    assert KNOWN["anthropic"] - ours == anthropic_params.MessageCreateParamsBase.__annotations__.keys() - ours
    assert KNOWN["responses"] - {"stream"} == responses_params.ResponseCreateParamsBase.__annotations__.keys()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"a"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(server, data):
    answer = post(server, "/chat/completions", data)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@given(st.recursive(st.none() | st.booleans() | st.integers(-2, 300) | st.text(max_size=3),
                    lambda x: st.lists(x, max_size=2) | st.dictionaries(st.sampled_from(
                        ["role", "content", "type", "text", "function", "name", "parameters", "id"]), x, max_size=3),
                    max_leaves=6), st.sampled_from(sorted(
                        {*KNOWN["responses"], *KNOWN["anthropic"], "n", "stop", "prompt", "logprobs", "suffix", "echo",
                         "functions", "function_call", "response_format", "max_completion_tokens"})))  # fmt: skip
def test_no_value_of_a_field_breaks_the_server(value, name):
    for api, body in (("chat", chat("Hi")), ("completions", prompt("Hi"))):
        for rules in (Rules(), Rules(strict=True)):
            with contextlib.suppress(BadRequestError):
                assert whole(api, {**body, name: value}, rules)["choices"]


# paths ----------------------------------------------------------------------------------------------


def test_paths(server):
    assert post(server, "/engines/davinci-002/completions", {"prompt": "Hi"}).json()["model"] == "davinci-002"
    azure = "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert post(server, azure, {"messages": [USER]}).json()["model"] == "mine"
    assert httpx.get(f"{server.base_url}/models/gpt-4o").json()["id"] == "gpt-4o"
    assert httpx.get(f"{server.base_url}/models").json()["data"][0]["id"] == "test"
    for method in ("GET", "POST"):
        answer = httpx.request(method, f"{server.base_url}/nowhere")
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, f"Invalid URL ({method} /v1/nowhere)")


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/chat/completions", {"model": "m"}, lambda body: body["error"]["param"]),
        ("/responses", {"model": "m"}, lambda body: body["error"]["param"]),
        ("/messages", {"model": "m", "messages": [USER]}, lambda body: (body["type"], body["error"]["type"])),
        ("/models/m:generateContent", {}, lambda body: body["error"]["status"]),
        ("/api/chat", {"messages": 5}, lambda body: body["error"]),
        ("/model/m/converse", {"messages": 5}, lambda body: body["message"]),
    ],
)
def test_a_refusal_has_the_shape_of_its_api(server, path, body, place):
    answer = post(server, path, body)
    assert answer.status_code == 400
    assert place(answer.json())


def test_strict_counts_for_other_apis(server, strict):
    bodies = [
        ("/messages", {"model": "m", "max_tokens": 5, "messages": [USER], "temperature": 2}, "temperature"),
        ("/messages", {"model": "m", "max_tokens": 5, "messages": [USER], "n": 2}, "n"),
        ("/responses", {"model": "m", "input": "Hi", "stop": "x"}, "stop"),
        ("/responses", {"model": "m", "input": "Hi", "temperature": 3}, "temperature"),
    ]
    for path, body, word in bodies:
        assert post(server, path, body).status_code == 200
        refused = post(strict, path, body)
        assert refused.status_code == 400
        assert word in refused.json()["error"]["message"]


def test_an_answer_that_raises_is_an_error_of_the_server():
    with Server(lambda body: 1 / 0) as server:
        answer = post(server, "/chat/completions", chat())
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.json()["error"]["message"]


def test_a_body_may_come_in_chunks(server):
    pieces = iter([b'{"model": "test", ', b'"prompt": "Hi"}'])
    answer = httpx.post(f"{server.base_url}/completions", content=pieces)
    assert answer.json()["choices"][0]["text"] == "Hi"


# official clients -----------------------------------------------------------------------------------


def test_openais_sdk(strict):
    with openai.OpenAI(base_url=strict.base_url, api_key="none", max_retries=0) as client:
        vectors = [one.embedding for one in client.embeddings.create(model="test", input=["a", "a", "b"]).data]
        assert vectors[0] == vectors[1] != vectors[2]
        assert math.isclose(sum(value * value for value in vectors[0]), 1, rel_tol=1e-5)
        response = client.responses.create(model="test", input="Hi there")
        assert response.output_text == "Hi there"
        counted = client.responses.input_tokens.count(model="test", input="Hi there")
        assert counted.input_tokens == response.usage.input_tokens
        assert client.models.retrieve("test").id == "test"
        with pytest.raises(openai.BadRequestError) as found:
            client.chat.completions.create(model="test", messages=[USER], temperature=9)
        assert (found.value.param, found.value.code) == ("temperature", "integer_above_max_value")
        with client.chat.completions.stream(model="test", messages=[USER], tools=[TOOL], tool_choice="required") as s:
            call = s.get_final_completion().choices[0].message.tool_calls[0]
        assert json.loads(call.function.arguments) == {"at": "textxx"}


def test_anthropics_sdk(strict):
    with anthropic.Anthropic(base_url=strict.base_url.removesuffix("/v1"), api_key="none", max_retries=0) as client:
        message = client.messages.create(model="test", max_tokens=50, messages=[USER])
        assert message.content[0].text == "Hi"
        counted = client.messages.count_tokens(model="test", messages=[USER])
        assert counted.input_tokens == message.usage.input_tokens
        with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
            client.post("/v1/messages", cast_to=object, body={"model": "test", "messages": [USER]})
        assert client.models.list().data[0].id == "test"


def test_embeddings_as_bytes_and_as_numbers(server):
    body = {"model": "test", "input": "Hi", "dimensions": 4}
    numbers = post(server, "/embeddings", body).json()["data"][0]["embedding"]
    packed = post(server, "/embeddings", {**body, "encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert struct.unpack("4f", base64.b64decode(packed)) == pytest.approx(numbers)
    for bad in ({"input": ""}, {"input": []}, {"input": ["a", 1]}, {"dimensions": 0}, {"encoding_format": "x"}):
        assert post(server, "/embeddings", {**body, **bad}).status_code == 400


# examples -------------------------------------------------------------------------------------------

bounds = st.integers(-20, 20)
SCHEMAS = st.one_of(
    st.builds(lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
              st.integers(0, 50), st.integers(0, 9)),
    st.builds(lambda low, names, step: {"type": "integer", names: low, "multipleOf": step},
              bounds, st.sampled_from(["minimum", "exclusiveMinimum"]), st.integers(1, 7)),
    st.builds(lambda low, above: {"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + above},
              bounds, st.sampled_from([0.5, 1, 2, 10])),
    st.builds(lambda high, name: {"type": "integer", name: high}, bounds,
              st.sampled_from(["maximum", "exclusiveMaximum"])),
    st.sampled_from(["^[A-Z]{3}-\\d{4}$", "^(foo|bar)+$", "[^a-z]", "^\\S+@\\S+\\.\\w{2,}$", "^x*y$", "^[^\\d]{5}$"]).map(
        lambda pattern: {"type": "string", "pattern": pattern}),
    st.integers(0, 4).map(lambda n: {"type": "array", "items": {"type": "string"}, "minItems": n, "uniqueItems": True}),
    st.sampled_from([
        {"type": "string", "enum": ["b"]}, {"const": 5}, {"type": ["null", "string"]}, {"type": "boolean"},
        {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]},
        {"allOf": [{"type": "integer", "minimum": 3}, {"minimum": 5, "maximum": 7}]},
        {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "string"}, "minItems": 3},
        {"type": "string", "pattern": "^a+$", "minLength": 7}, {"type": "string", "format": "date", "minLength": 3},
        {"type": "integer", "minimum": 3, "exclusiveMinimum": True, "$schema": "http://json-schema.org/draft-04/schema#"},
        {"type": "object", "required": ["a"], "minProperties": 3, "additionalProperties": {"type": "integer"}},
        {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {
            "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["next"]}}},
        {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "integer", "minimum": 2}}},
        {"type": "array", "contains": {"type": "integer", "minimum": 2}},
    ]),
)  # fmt: skip


@given(SCHEMAS)
def test_examples_fit_their_schema(schema):
    draft = jsonschema.Draft4Validator if "$schema" in schema else jsonschema.Draft202012Validator
    draft(schema).validate(example(schema))
    if not {"$defs", "definitions"} & schema.keys():
        outer = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
        draft(outer).validate(example(outer))


# from a shell ---------------------------------------------------------------------------------------


def test_it_starts_from_a_shell():
    command = [sys.executable, "-m", "diptych.testing", "--answer", "Hello", "--strict"]
    heeds = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 - a run in the background ignores it
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heeds) as process:
        url = process.stdout.readline().strip()
        try:
            answer = httpx.post(f"{url}/completions", json=prompt("x")).json()
            assert answer["choices"][0]["text"] == "Hello"
            assert httpx.post(f"{url}/completions", json=prompt("x", temperature=9)).status_code == 400
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(900) == 130


def test_a_begun_answer_of_anthropic_is_not_repeated():
    messages = [{"role": "user", "content": "one two"}, {"role": "assistant", "content": "The answer is ("}]
    body = {"model": "m", "max_tokens": 20, "messages": messages}
    with Server() as server:
        answer = httpx.post(f"{server.base_url}/messages", json=body).json()
    assert answer["content"] == [{"type": "text", "text": "one two"}]
