"""Whole bodies from every API to every other: parameters, models and prompts arrive, the rest has its path."""

import json

import pytest

import diptych
from diptych import FormatError, LossError
from diptych.conversion.bodies import convert_request
from diptych.loss import Severity

APIS = ("completions", "chat", "responses", "anthropic", "gemini", "bedrock", "ollama")
BODY = {
    "model": "m",
    "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}],
    "max_completion_tokens": 20,
    "temperature": 0.5,
}
FORMS = {api: convert_request(BODY, to=api)[0].output for api in APIS}


@pytest.mark.parametrize("target", APIS)
@pytest.mark.parametrize("source", APIS)
def test_what_all_apis_have_arrives_without_a_loss(source, target):
    (found,) = convert_request(FORMS[source], to=target)
    assert found.format == source
    assert all(loss.severity is Severity.EXACT for loss in found.losses)
    if source == "completions" or target == "completions":
        return  # the text brings the stop of its format
    assert found.output | {"stream": False} == FORMS[target] | {"stream": False}


@pytest.mark.parametrize("target", [api for api in APIS if api != "completions"])
def test_a_prompt_is_read_as_messages_and_its_cap_written_out(target):
    (found,) = convert_request({"model": "m", "prompt": "Hi", "best_of": 1}, to=target, on_loss="ignore")
    assert "16" in json.dumps(found.output)
    assert "defaulted" in [loss.kind for loss in found.losses]


def test_several_prompts_become_as_many_requests():
    found = convert_request({"model": "m", "prompt": ["a", "b"], "max_tokens": 5}, to="gemini", on_loss="ignore")
    assert [one.output["contents"][0]["parts"][0]["text"] for one in found] == ["a", "b"]
    with pytest.raises(FormatError, match="2 requests"):
        diptych.convert({"model": "m", "prompt": ["a", "b"]}, target="gemini", on_loss="ignore")


def test_a_parameter_of_a_prompt_keeps_its_name_in_a_loss():
    (found,) = convert_request(
        {"model": "m", "prompt": "Hi", "max_tokens": 5, "logprobs": 2}, to="anthropic", on_loss="ignore"
    )
    assert ("$.logprobs", "parameter-dropped") in [(loss.path, loss.kind) for loss in found.losses]


def test_another_model_can_be_asked():
    (found,) = convert_request(BODY, to="anthropic", model="claude-sonnet-4-5")
    assert found.output["model"] == "claude-sonnet-4-5"
    assert found.losses == (diptych.Loss("$.model", "renamed", "claude-sonnet-4-5, as asked"),)


def test_what_becomes_a_prompt_has_no_tools():
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}]}  # fmt: skip
    with pytest.raises(LossError, match="Completions has no tools"):
        convert_request(body, to="completions", on_loss="ignore")


@pytest.mark.parametrize(("body", "match"), [
    ([], "a body is an object"), ({}, "not recognised"), ({"prompt": "x", "messages": []}, "not both"),
])  # fmt: skip
def test_what_is_no_body(body, match):
    with pytest.raises(FormatError, match=match):
        convert_request(body, to="anthropic")


def test_an_unknown_api_has_a_hint():
    with pytest.raises(FormatError, match="anthropic"):
        convert_request(BODY, to="antropic")


SAME = {
    "anthropic": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5, "top_k": 4, "metadata": {"x": "y"}},
    "bedrock": {"messages": [{"role": "user", "content": [{"text": "Hi"}, {"cachePoint": {"type": "default"}}]}]},
}


@pytest.mark.parametrize("api", SAME)
def test_the_same_api_never_mends(api):
    (found,) = convert_request(SAME[api], to=api, source=api)
    assert (found.output, found.losses) == (SAME[api], ())


def test_a_breach_of_a_rule_of_its_own_server_is_reported():
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}
    (found,) = convert_request(body, to="anthropic", source="anthropic", on_loss="ignore")
    assert found.output == body
    assert {loss.kind for loss in found.losses} == {"rule-breach"}


SAID = ({"prefix": True}, {}), ({}, {"continue_final_message": True, "add_generation_prompt": False})


@pytest.mark.parametrize(("mark", "flags"), SAID)
@pytest.mark.parametrize("target", sorted({*APIS} - {"chat", "responses"}))
def test_a_reply_that_is_begun_by_its_mark_is_gone_on_with(target, mark, flags):
    begun = {"role": "assistant", "content": "Once"}
    body = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "Tell"}, begun | mark], **flags}
    made = diptych.convert_request(body, to=target, on_loss="raise")[0]
    paths = {f"$.{name}" for name in flags} | {f"$.messages[1].{name}" for name in mark}
    assert paths <= {loss.path for loss in made.losses if loss.kind == "renamed"}
    assert not {*mark, *flags} & {*made.output, *str(made.output).split("'")}
    assert diptych.convert_request(body, to="chat")[0].output == body
    unsaid = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "Tell"}, begun]}
    losses = diptych.convert_request(unsaid, to=target, on_loss="ignore")[0].losses
    assert not [loss for loss in losses if "prefix" in loss.path or loss.path[2:] in flags]
