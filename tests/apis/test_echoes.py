"""Reasoning that vendors want back: what their servers refuse is reported before it is sent."""

import datetime
import re

import pytest

from diptych import convert_request, convert_response, list_formats
from diptych.apis.echoes import missing_reasoning
from diptych.catalogue.echoes import ECHOES, echo_of
from diptych.conversion.requests import build
from diptych.conversion.responses import answering

CALL = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SIGNED = {**CALL, "extra_content": {"google": {"thought_signature": "c2ln"}}}


def chat(model, call=CALL, **message):
    said = {"role": "assistant", "content": "", "tool_calls": [call], **message}
    result = {"role": "tool", "tool_call_id": "t", "content": "x"}
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}, said, result]}


def test_every_row_has_a_source_a_day_and_keys_of_known_apis():
    for echo in ECHOES:
        assert echo.source
        assert datetime.date.fromisoformat(echo.seen)
        assert {*echo.keys} <= {*answering()}
        assert re.compile(echo.pattern)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("kimi-k2.6", "kimi"), ("moonshotai/kimi-k2-thinking", "kimi"), ("kimi-k2-instruct", None),
        ("deepseek-v4-flash", "deepseek"), ("deepseek-chat", None), ("gemini-3-pro-preview", "gemini"),
        ("gemini-2.5-flash", None), ("claude-sonnet-4-5", "claude"),
        ("us.anthropic.claude-sonnet-4-5-v1:0", "claude"), ("anthropic.claude-opus-4-1-v1:0", "claude"), ("MiniMax-M2.1", "minimax"), ("gpt-5-mini", None),
        ("glm-4.7", "glm"), ("qwen3.6-plus", "qwen"), ("qwen3-32b", None), ("", None),
    ],
)  # fmt: skip
def test_a_model_is_of_its_family(model, family):
    found = echo_of(model)
    assert (found and found.family) == family


@pytest.mark.parametrize("model", ["kimi-k2.5", "deepseek-v4-pro"])
def test_a_call_without_its_reasoning_is_reported(model):
    def kinds(body):
        return [(loss.path, loss.kind) for loss in convert_request(body, to="chat", on_loss="ignore")[0].losses]

    assert kinds(chat(model)) == [("$.messages[1]", "rule-breach")]
    assert kinds(chat(model, reasoning_content="Hm")) == kinds(chat(model, reasoning_content="")) == []
    assert kinds({**chat(model), "thinking": {"type": "disabled"}}) == []
    assert kinds(chat("gpt-5-mini")) == kinds(chat("glm-4.7")) == []
    ((_, said),) = missing_reasoning("chat", chat(model, reasoning="Hm"))
    assert said == f"{model} refuses a call without its reasoning_content; it stands under reasoning"


def test_only_calls_of_the_turn_need_a_signature():
    assert [path for path, _ in missing_reasoning("chat", chat("gemini-3-pro"))] == ["$.messages[1].tool_calls[0]"]
    assert not [*missing_reasoning("chat", chat("gemini-3-pro", SIGNED))]
    over = chat("gemini-3-pro")
    over["messages"].append({"role": "user", "content": "And now?"})
    assert not [*missing_reasoning("chat", over)]
    call = {"functionCall": {"name": "f", "args": {}}}
    contents = [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": [{"text": "ok"}, call]}]
    body = {"model": "models/gemini-3-pro", "contents": contents}
    assert [path for path, _ in missing_reasoning("gemini", body)] == ["$.contents[1].parts[1]"]
    call["thoughtSignature"] = "c2ln"
    assert not [*missing_reasoning("gemini", body)]


def test_thinking_with_tools_begins_with_thinking():
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [use]}, result],
    }
    assert not [*missing_reasoning("anthropic", body)]
    body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    assert [path for path, _ in missing_reasoning("anthropic", body)] == ["$.messages[1].content[0]"]
    body["messages"][1]["content"] = [{"type": "thinking", "thinking": "Hm", "signature": "c2ln"}, use]
    assert not [*missing_reasoning("anthropic", body)]


@pytest.mark.parametrize(("model", "to"), [("kimi-k2.5", "chat"), ("gemini-3-pro", "gemini"), ("gemini-3-pro", "chat")])
def test_another_api_does_not_bring_it_and_that_is_said_at_the_source(model, to):
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [use]}, result]
    body = {"model": "claude-sonnet-4-5", "max_tokens": 50, "messages": messages}
    made = convert_request(body, to=to, model=model, on_loss="ignore")[0]
    (loss,) = [loss for loss in made.losses if loss.kind == "model-refuses"]
    assert loss.path.startswith("$.messages[1]")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "reasoning_details"])
def test_a_reasoning_goes_back_as_it_came_under_the_key_of_its_vendor(key):
    said = [{"type": "reasoning.text", "text": "Hm"}] if key == "reasoning_details" else "Hm"
    message = {"role": "assistant", "content": "", key: said, "tool_calls": [CALL]}
    answer = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
    }
    assert convert_response(answer, to="chat").output["choices"][0]["message"] == message
    body = {**chat("m"), "messages": [{"role": "user", "content": "Hi"}, message]}
    assert convert_request(body, to="chat")[0].output == body
    other = convert_request(body, to="anthropic", on_loss="ignore")[0]
    assert "Hm" not in str(other.output)
    assert any(loss.path.startswith(f"$.messages[1].{key}") for loss in other.losses)


def turns(*blocks, role="assistant", content="content"):
    return [{"role": "user", content: [{"text": "Hi"}]}, {"role": role, content: [*blocks]}]


#: A reasoning in a body of each API: where it stands.
ASKED = [{"role": "user", "content": "Hi"}]
THOUGHTS = {
    "chat": {"model": "m", "messages": [*ASKED, {"role": "assistant", "content": "a", "reasoning_content": "Hm"}]},
    "ollama": {"model": "m", "messages": [*ASKED, {"role": "assistant", "content": "a", "thinking": "Hm"}]},
    "gemini": {
        "model": "m",
        "contents": turns({"text": "Hm", "thought": True}, {"text": "a"}, role="model", content="parts"),
    },
    "bedrock": {
        "modelId": "m",
        "messages": turns({"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "cw"}}}, {"text": "a"}),
    },
    "anthropic": {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            *ASKED,
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "Hm", "signature": "cw"}, {"type": "text", "text": "a"}],
            },
        ],
    },
    "responses": {
        "model": "m",
        "input": [
            *ASKED,
            {
                "type": "reasoning",
                "id": "r",
                "summary": [{"type": "summary_text", "text": "Hm"}],
                "encrypted_content": "cw",
            },
            {"role": "assistant", "content": "a"},
        ],
    },
}


def pairs():
    apis = {entry.name for entry in list_formats("api")}
    assert apis == {*THOUGHTS, "completions"}  # a new API says here how a reasoning stands in it
    return [(one, two) for one in THOUGHTS for two in sorted(apis) if {one, two} - {"chat", "completions"}]


@pytest.mark.parametrize(("source", "target"), pairs())
def test_a_reasoning_goes_to_its_origin_alone(source, target):
    (made,) = convert_request(THOUGHTS[source], to=target, source=source, on_loss="ignore")
    lost = [loss.path for loss in made.losses if loss.kind == "reasoning-dropped"]
    assert ("Hm" in str(made.output), bool(lost)) == (source == target, source != target)
    assert source == target or "cw" not in str(made.output)


def test_a_vendor_gets_its_reasoning_back_through_another_api():
    body = {**THOUGHTS["anthropic"], "model": "kimi-k2.5"}
    (made,) = convert_request(body, to="chat", on_loss="ignore")
    assert made.output["messages"][1]["reasoning_content"] == "Hm"
    assert "cw" not in str(made.output)
    (other,) = convert_request(body, to="chat", model="deepseek-v4-pro", on_loss="ignore")
    assert "Hm" not in str(other.output)


def test_what_is_sent_has_its_reasoning_under_the_key_that_the_model_requires():
    asked = chat("kimi-k2.5", reasoning="Hm")
    built = build(asked)
    assert built.body["messages"][1]["reasoning_content"] == "Hm"
    assert [(loss.path, loss.kind) for loss in built.losses] == [("$.messages[1].reasoning", "renamed")]
    assert asked["messages"][1]["reasoning"] == "Hm"
    for same in (chat("m", reasoning="Hm"), chat("kimi-k2.5", reasoning_content="", reasoning="Hm")):
        assert build(same).body == same


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "sig"}
CLAUDE = {
    "model": "claude-sonnet-4-5", "max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024},
    "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "a"}]},
                 {"role": "user", "content": "m"}],
}  # fmt: skip
GEMINI = {
    "model": "gemini-3-pro", "contents": [
        {"role": "user", "parts": [{"text": "q"}]},
        {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "c2ln"}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"result": "2"}}}]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "source", "target", "model"),
    [
        (CLAUDE, "anthropic", "bedrock", "us.anthropic.claude-sonnet-4-5-v1:0"),
        (GEMINI, "gemini", "chat", "gemini-3-pro-preview"),
    ],
)
def test_what_a_model_signed_goes_to_another_api_of_its_family_and_back(body, source, target, model):
    (there,) = convert_request(body, source=source, to=target, model=model)
    assert there.verdict == "lossless"
    (back,) = convert_request(there.output, source=target, to=source, model=body["model"])
    assert back.output == body
    (other,) = convert_request(body, source=source, to=target, model="nova-pro", on_loss="ignore")
    assert "sig" not in str(other.output)
    assert "c2ln" not in str(other.output)
    assert {"reasoning-dropped", "field-dropped"} & {loss.kind for loss in other.losses}
