"""Bodies of both APIs: every parameter is checked before anything is sent."""

import pytest

from diptych import DiptychError, Template
from diptych.apis.bodies import chat_body, completions_body
from diptych.apis.strict import strict_schema

CHAT = [{"role": "user", "content": "Hi"}]


def test_bodies_hold_what_was_asked_for():
    assert chat_body(CHAT, model="m", seed=7, temperature=0) == {
        "model": "m", "messages": CHAT, "seed": 7, "temperature": 0,
    }  # fmt: skip
    assert completions_body("Hi", model="m", max_tokens=3) == {"model": "m", "prompt": "Hi", "max_tokens": 3}


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": 3}, {"top_p": -1}, {"n": 0}, {"seed": "x"}, {"max_tokens": -1}, {"logit_bias": {"a": 1000}},
        {"response_format": {"type": "xml"}}, {"stop": 3}, {"temprature": 1}, {"tool_choice": 3}, {"stream": "yes"},
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused(params):
    with pytest.raises(DiptychError) as caught:
        chat_body(CHAT, model="m", **params)
    assert next(iter(params)) in str(caught.value)


@pytest.mark.parametrize("params", [{"tools": []}, {"response_format": {"type": "json_object"}}, {"best_of": 0}])
def test_wrong_parameters_of_completions(params):
    with pytest.raises(DiptychError):
        completions_body("Hi", model="m", **params)


def test_parameters_of_the_template_and_of_the_call():
    template = Template.from_string("---\nmodel: a\nparams: {temperature: 1, max_tokens: 5}\n---\nHi")
    rendered = template.render()
    assert rendered.request("completions")["model"] == "a"
    body = rendered.request("chat", model="b", temperature=0)
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("b", 0, 5)


def test_json_mode_seed_and_tools_from_the_front_matter():
    source = """---
response_format: json_object
params: {seed: 7}
tools:
  - type: function
    function: {name: look, parameters: {type: object, properties: {at: {type: string}}}}
---
{% user %}Answer in JSON.{% enduser %}"""
    body = Template.from_string(source).render().request("chat", model="m")
    assert body["response_format"] == {"type": "json_object"}
    assert body["seed"] == 7
    assert body["tools"][0]["function"]["name"] == "look"


def test_strict_schemas_close_every_object():
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"$ref": "#/$defs/b"}},
            "default": {"type": "string", "default": "x"},
        },
        "$defs": {"b": {"type": "object", "properties": {"c": {"type": "integer"}}}},
    }
    strict = strict_schema(schema)
    assert strict["required"] == ["a", "default"]
    assert strict["$defs"]["b"]["additionalProperties"] is False
    assert "default" not in strict["properties"]["default"]
    assert "required" not in schema
