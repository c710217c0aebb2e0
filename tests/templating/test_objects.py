"""Templates as objects: partial inputs, mappings, inherited front matter, samples."""

from __future__ import annotations

import copy
import pickle

import pydantic
import pytest

from diptych import Client, InvalidInput, Library, Template, TemplateSyntaxError, UndefinedInput, count
from diptych.testing import Server


def test_inputs_come_by_name_or_in_a_mapping() -> None:
    template = Template.from_string("{{ a }}{{ b }}")
    assert template.render({"a": 1, "b": 2}).prompt == template.render({"a": 1}, b=2).prompt == "12"
    assert str(template.render(a="x", b="y")) == "xy"
    assert Template.from_string("{{ values }}").render(values="v").prompt == "v"


@pytest.mark.parametrize("front", ["", "---\ninputs: {a: string, b: string}\n---\n"])
def test_a_partial_template_has_its_inputs(front: str) -> None:
    template = Template.from_string(front + "{{ a }} {{ b }}")
    part = template.partial(a="one")
    assert part.render(b="two").prompt == "one two"
    assert part.render(a="1", b="2").prompt == "1 2"
    assert part.partial(b="two").render().prompt == "one two"
    assert part.counter(model="gpt-4o")(b="two") == count(part.render(b="two"), "gpt-4o").tokens
    assert pickle.loads(pickle.dumps(part)) == part != template
    assert copy.deepcopy(part) is part
    with pytest.raises(UndefinedInput):
        part.render()
    with pytest.raises(InvalidInput, match="no input 'c'"):
        template.partial(c="x")


def test_a_partial_input_is_of_its_type() -> None:
    template = Template.from_string("---\ninputs: {n: integer, s: string}\n---\n{{ n }}{{ s }}")
    assert template.partial(n=3).render(s="x").prompt == "3x"
    with pytest.raises(InvalidInput):
        template.partial(n="x")


def test_front_matter_is_inherited_key_by_key() -> None:
    library = Library(
        {
            "base": "---\nname: b\nmodel: m\nparams: {temperature: 0, seed: 1}\ninputs: {a: string}\ntrim: jinja\n---\n"
            "{% block t %}{% endblock %}{{ a }}",
            "child": "---\nparams: {seed: 2}\ninputs: {b: {type: string, default: x}}\n---\n"
            "{% extends 'base' %}{% block t %}{{ b }}{% endblock %}",
            "loop": "{% extends 'loop' %}",
        }
    )
    child = library["child"]
    assert (child.model, child.params, list(child.inputs)) == ("m", {"temperature": 0, "seed": 2}, ["a", "b"])
    assert child.render(a="y").prompt == "xy"
    assert child.name == "child"
    assert library["loop"].params == {}


def test_samples() -> None:
    front = "---\nsamples:\n  - {a: 1}\n  - {a: 2}\n---\n{{ a }}"
    template = Template.from_string(front)
    assert [template.render(sample).prompt for sample in template.samples.values()] == ["1", "2"]
    assert Template.from_string("---\nsamples: {short: {a: 1}}\n---\n{{ a }}").samples == {"short": {"a": 1}}
    with pytest.raises(TemplateSyntaxError, match="samples"):
        Template.from_string("---\nsamples: [1]\n---\n{{ a }}")


def test_a_model_is_a_response_format() -> None:
    class Answer(pydantic.BaseModel):
        text: str

    wanted = Template.from_string("Reply.").render().request(response_format=Answer)["response_format"]
    assert wanted["json_schema"]["name"] == "Answer"
    assert wanted["json_schema"]["schema"]["required"] == ["text"]


def test_a_reply_knows_its_template() -> None:
    template = Template.from_string("---\nversion: 3\n---\nHello")
    with Server() as server, Client(server.base_url) as client:
        reply = client.send(template.render(), model="m")
    assert (reply.template_hash, reply.template_version) == (template.hash, "3")
    assert reply.to_json()["template_version"] == "3"


def test_what_is_none_in_a_request_is_left_out() -> None:
    front = "---\ntools:\n  - {name: f}\nresponse_format: json_object\n---\n"
    rendered = Template.from_string(front + "{% user %}JSON{% enduser %}").render()
    assert rendered.request("chat", model="m").keys() >= {"tools", "response_format"}
    assert rendered.request("chat", model="m", tools=None, response_format=None).keys() == {"model", "messages"}
