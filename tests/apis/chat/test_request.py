"""Chat bodies: the same API in and out is the identity, and nothing of another API rides into them."""


import pytest

import diptych
from diptych.apis.chat.request import read_request, write_request
from diptych.conversion.bodies import convert_request
from diptych.model import ToolCall

USER = {"role": "user", "content": "x"}
OLD = [USER, {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
       {"role": "function", "name": "f", "content": "6"}]  # fmt: skip


@pytest.mark.parametrize("body", [
    {"messages": OLD, "functions": [{"name": "f", "parameters": {"type": "object"}}], "function_call": {"name": "f"}},
    {"messages": [USER], "tools": [{"type": "custom", "custom": {"name": "c"}}, {"name": "bare", "parameters": {}},
                                   {"type": "function", "function": {"name": "f", "x": 1}, "y": 2}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u", "z": 1}, "y": 2}]}]},
    {"messages": [{"role": "assistant", "tool_calls": [{"id": None, "function": {"name": "f", "arguments": "{}"}}]}]},
    {"messages": [{**USER, "name": None}], "tools": None, "response_format": {"type": "new"}, "top_k": 4, "fnord": {}},
])  # fmt: skip
def test_the_same_api_in_and_out_is_the_identity(body):
    assert write_request(read_request(body)) == body


def test_functions_of_2023_are_tools_calls_and_results():
    body = {"messages": OLD, "functions": [{"name": "f"}], "function_call": {"name": "f"}, "max_tokens": 20}
    (found,) = convert_request(body, to="anthropic", on_loss="ignore")
    _, asked, answered = found.output["messages"]
    assert asked["content"][0]["id"] == answered["content"][0]["tool_use_id"] == "call_1"
    assert found.output["tool_choice"] == {"type": "tool", "name": "f"}
    told = {loss.path: loss.kind for loss in found.losses}
    assert told["$.messages[1].function_call.id"] == told["$.messages[2].tool_call_id"] == "synthesised"
    assert "$.tools[0].function.parameters" not in told


def test_arguments_may_be_an_object():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    request = read_request({"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [call]}]})
    assert request.conversation.messages[1].tool_calls == (ToolCall("c", "f", '{"a": 1}'),)


@pytest.mark.parametrize("target", ["anthropic", "bedrock", "gemini", "responses", "ollama", "chatml"])
def test_an_unknown_key_never_costs_the_value_beside_it(target):
    parts = [{"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}},
             {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}, "fnord": 1}]  # fmt: skip
    found = diptych.convert([{"role": "user", "content": parts}], target=target, on_loss="ignore")
    assert "long" in str(found.output)
    assert target in ("chatml",) or "AAAA" in str(found.output) or "\\x00\\x00\\x00" in str(found.output)
    told = [loss.path for loss in found.losses if loss.kind == "field-dropped"]
    assert told == ["$.messages[0].content[0].cache_control", "$.messages[0].content[1].fnord"]


@pytest.mark.parametrize(("source", "value"), [
    ("anthropic", {"messages": [{"role": "user", "content": [
        {"type": "search_result", "source": "s", "title": "T", "content": []}, {"type": "text", "text": "?"}]}]}),
    ("bedrock", {"messages": [{"role": "user", "content": [{"cachePoint": {"type": "default"}}, {"text": "?"}]}]}),
])  # fmt: skip
def test_a_part_of_another_api_does_not_ride_into_a_body(source, value):
    found = diptych.convert(value, source=source, on_loss="ignore")
    assert found.output == [{"role": "user", "content": "?"}]
    assert [(loss.path, loss.kind) for loss in found.losses] == [("$.messages[0].content[0]", "field-dropped")]


TALK = [
    {"role": "user", "content": "q"},
    {"role": "assistant", "content": [
        {"type": "text", "text": "A"}, {"type": "tool_use", "id": "t", "name": "f", "input": {}}, {"type": "text", "text": "B"}]},
    {"role": "user", "content": [{"type": "text", "text": "here"}, {"type": "tool_result", "tool_use_id": "t", "content": "6"}]},
]  # fmt: skip


def test_order_that_chat_does_not_have_is_reported():
    found = diptych.convert(TALK, on_loss="ignore")
    assert [message["role"] for message in found.output] == ["user", "assistant", "tool", "user"]
    assert [(loss.path, loss.kind) for loss in found.losses] == [("$[2].content[1]", "reordered"), ("$[1]", "reordered")]
    assert diptych.convert(TALK, source="anthropic", target="anthropic", on_loss="ignore").output == TALK


def test_an_end_that_is_open_is_reported():
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "So"}]}
    (found,) = convert_request(body, to="chat", source="anthropic", on_loss="ignore")
    assert [(loss.path, loss.kind) for loss in found.losses] == [("$.messages[1]", "substituted")]
