"""Unknown names get the same hint everywhere, and JSON paths point into the value."""

import ast
from pathlib import Path

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import diptych
from diptych.jsonpath import first_problem, json_path
from diptych.suggest import closest, list_known, suggest

SOURCE = Path(diptych.__file__).parent


@pytest.mark.parametrize(
    ("name", "known", "otherwise", "hint"),
    [
        ("chatlm", ["llama2", "chatml"], None, "did you mean 'chatml'?"),
        ("zzz", ["llama2", "chatml"], None, "known: chatml, llama2"),
        ("zzz", [], None, "none are known"),
        ("zzz", ["chatml"], "see the list", "see the list"),
        ("chatlm", ["chatml"], "see the list", "did you mean 'chatml'?"),
    ],
)
def test_hints(name, known, otherwise, hint):
    assert suggest(name, known, otherwise) == hint
    assert suggest(name, iter(known), otherwise) == hint


def test_long_lists_are_shortened():
    assert list_known(map(str, range(100, 150))).endswith("110, 111, … (50)")
    assert closest("abcd", ["abcx", "zzzz"], 0.9) is None


def test_nothing_else_looks_for_close_names():
    users = {
        path.name
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "get_close_matches"
    }
    assert users == {"suggest.py"}


UNKNOWN = {
    "a format": lambda: diptych.to_messages("x", format="chatlm"),
    "an input": lambda: diptych.Template.from_string("---\ninputs: {text: string}\n---\n{{ text }}").render(txet="x"),
    "a type": lambda: diptych.Template.from_string("---\ninputs: {text: strnig}\n---\n{{ text }}"),
    "a filter": lambda: diptych.Template.from_string("{{ x | uper }}").render(x="x"),
    "a template": lambda: diptych.Library({"translate": "x"})["transalte"],
    "a parameter": lambda: diptych.Template.from_string("x").render().request("chat", model="gpt-4o", temprature=1),
    "an encoding": lambda: diptych.tokens.encoding("o200k_bsae"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_unknown_names_are_answered_alike(what):
    with pytest.raises(diptych.DiptychError) as caught:
        UNKNOWN[what]()
    assert caught.value.hint.startswith("did you mean '")


def test_paths():
    assert json_path(["messages", 0, "role"]) == "$.messages[0].role"
    assert json_path((), "$.inputs.x") == "$.inputs.x"


class Line(BaseModel):
    text: str
    number: int | str


@pytest.mark.parametrize(
    ("annotation", "value", "path"),
    [
        (list[Line], [{"text": "a", "number": 1}, {"text": "b"}], "$[1].number"),
        (list[Line], [{"text": "a", "number": []}], "$[0].number"),
        (str | list[dict[str, int]], [{"a": "x"}], "$"),
        (dict[str, list[int] | None], {"a": [1, "x"]}, "$.a[1]"),
        (int, "x", "$"),
    ],
)
def test_paths_of_pydantic_name_places_alone(annotation, value, path):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(annotation).validate_python(value)
    assert first_problem(caught.value, value)[0] == path
