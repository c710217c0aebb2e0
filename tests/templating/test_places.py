"""What is wrong is said with its place, all at once, and before a render where it can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diptych import Library, Template, errors
from diptych.errors import InvalidInput, RoleError, TemplateError, TemplateNotFound, UndefinedInput

A_PDF = "data:application/pdf;base64,JVBERi0="


@pytest.mark.parametrize(
    ("source", "values", "line", "said"),
    [
        ("a\n", {"x": 1}, 1, "there is no input 'x'"),
        ("{% user %}\na\n{% tool_call 'f' id='c1' %}\n{% enduser %}", {}, 3, "calls a tool"),
        ("{% user %}\n{% history [] %}{% enduser %}", {}, 2, "stands inside a message"),
        ("{% user %}\n{% user %}{% enduser %}\n{% enduser %}", {}, 2, "stands inside a user message"),
        ("{% user %}a{% enduser %}\n{% image 'x' %}", {}, 2, "stands outside of a message"),
        ("\n{% assistant prefill=true %}a{% endassistant %}{% user %}b{% enduser %}", {}, 2, "not the last message"),
        ("\n{% user cache_control=true %}{% image 'x' %}{% enduser %}", {}, 2, "needs a text"),
        ("\n{% assistant prefill='false' %}a{% endassistant %}", {}, 2, "prefill is true or false"),
        ("\n{% history h roles='user' %}", {"h": []}, 2, "roles takes a list"),
        ("\n{% history h roles=['usr'] %}", {"h": []}, 2, "'usr' is not a role"),
        ("\n{% assistant %}{% tool_call 'f' id='' %}{% endassistant %}", {}, 2, "needs text as its id"),
        ("\n{% assistant %}{% tool_call 'f' id='a' arguments='x' %}{% endassistant %}", {}, 2, "a JSON object"),
        ("\n{% assistant %}{% tool_call 'f' id='a' arguments=[1] %}{% endassistant %}", {}, 2, "a JSON object"),
        ("\n{% user %}{% image x %}{% enduser %}", {"x": A_PDF}, 2, "cannot take application/pdf"),
        ("\n{% user %}{% audio x %}{% enduser %}", {"x": A_PDF}, 2, "cannot take application/pdf"),
        ("\n{{ 'abc'|bullets }}", {}, 2, "bullets takes a list"),
        ("\n{{ 'abc'|truncate_tokens(2, model='nope') }}", {}, 2, "nope"),
    ],
)
def test_a_wrong_template_is_an_error_with_its_line(source: str, values: dict[str, Any], line: int, said: str) -> None:
    with pytest.raises(errors.TemplateError, match=said) as found:
        Template.from_string(source).render(**values)
    assert found.value.location is not None
    assert found.value.location.line == line


def test_a_tool_call_needs_an_id() -> None:
    with pytest.raises(errors.TemplateSyntaxError, match="id="):
        Template.from_string("{% assistant %}{% tool_call 'f' %}{% endassistant %}")


def test_the_place_is_in_the_file_that_was_included() -> None:
    part = "{% user %}{% tool_call 'f' id='a' %}{% enduser %}"
    library = Library({"main.jinja": "\n\n{% include 'part' %}", "part.jinja": f"\n{part}", "who.jinja": "\n{{ who }}"})
    with pytest.raises(errors.RoleError) as found:
        library["main"].render()
    assert str(found.value.location) == "part.jinja:2:14"


@pytest.mark.parametrize("name", ["part", "part.jinja"])
def test_the_way_to_a_missing_name_is_told_however_the_file_was_named(name: str) -> None:
    library = Library({"main.jinja": f"\n{{% include '{name}' %}}", "part.jinja": "\n{{ who }}"})
    with pytest.raises(errors.UndefinedInput) as found:
        library["main"].render()
    assert str(found.value.location) == "part.jinja:2:4"
    assert [str(place) for place in found.value.chain] == ["main.jinja:2:1"]


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("format: chtml", "chtml"),
        ("inputs: {a: {type: string, pattern: '('}}", "pattern"),
        ("inputs: {a: {type: string, pattern: '(?=a)'}}", "pattern"),
    ],
)
def test_a_front_matter_is_checked_when_it_is_loaded(front: str, said: str) -> None:
    with pytest.raises(errors.TemplateSyntaxError, match=said) as found:
        Template.from_string(f"---\nmodel: m\n{front}\n---\n{{{{ a }}}}")
    assert found.value.location is not None
    assert found.value.location.line == 3


def test_all_wrong_inputs_are_said_at_once() -> None:
    template = Template.from_string("---\ninputs: {a: string, b: string}\n---\n{{ a }}{{ b }}")
    with pytest.raises(errors.InvalidInput, match=r"'a': a string.*'b': a string"):
        template.render(a=1, b=None)
    with pytest.raises(errors.InvalidInput, match="no input 'c', 'd'"):
        template.render(a="", b="", c=1, d=2)


def test_a_loop_over_nothing_is_explained() -> None:
    with pytest.raises(errors.TemplateSyntaxError, match="something is missing here"):
        Template.from_string("a\n{% for x in %}{% endfor %}")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("x|join", "none cannot be looped over"),
        ("x|length", "none has no length"),
        ("x + 1", "none \\+ an integer cannot be computed"),
        ("x < 1", "none < an integer cannot be compared"),
        ("x.a.b", "none has no attribute"),
        ("(1)()", "an integer cannot be called"),
        ("'a'|round", "a text cannot be rounded"),
        ("'a' + [1]", "a text \\+ a list cannot be computed"),
    ],
)
def test_what_python_says_of_a_value_is_said_in_words_of_templates(expression: str, said: str) -> None:
    with pytest.raises(errors.TemplateError, match=said) as found:
        Template.from_string(f"{{{{ {expression} }}}}").render(**({"x": None} if "x" in expression else {}))
    assert found.value.hint


@pytest.mark.parametrize(
    ("body", "values", "tag"),
    [
        ("{{ a }}{% history past %}", {"a": "x", "past": [{"role": "usr", "content": "x"}]}, "history"),
        ("{{ a }}{% history past %}", {"a": "x", "past": [{"role": "user"}, 3]}, "history"),
        ("{{ a }}{% history past roles=['user'] %}", {"a": "x", "past": [{"role": "tool", "content": ""}]}, "history"),
        ("{% user %}{% image p %}{% enduser %}", {"p": Path("no-such.png")}, "image"),
        ("{% user %}{% tool_call 'f' id='' %}{% enduser %}", {}, "tool_call"),
        ("{% user %}{% enduser %}{% message role=r %}{% endmessage %}", {"r": "usr"}, "message"),
    ],
)
def test_what_a_tag_refuses_is_shown_at_the_tag(body: str, values: dict[str, Any], tag: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.from_string("one\n{{ 1 }} " + body).render(**values)
    place = caught.value.location
    assert place is not None
    assert place.line == 2
    assert place.source[place.column - 1 :].startswith(tag)


@pytest.mark.parametrize("tag", ["history h", "image h", "file h", "image 'https://a.b/c' detail=h", "audio h"])
def test_an_undefined_field_of_a_tag_is_named(tag: str) -> None:
    body = f"{{% {tag} %}}" if tag == "history h" else f"{{% user %}}{{% {tag} %}}{{% enduser %}}"
    with pytest.raises(UndefinedInput, match="'h'") as caught:
        Template.from_string(body).render()
    assert "pass h=" in str(caught.value.hint)


def test_a_misspelled_include_explains_its_inputs(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "tone.jinja").write_text("{{ tone }}")
    (tmp_path / "a.jinja").write_text("Hi\n{% include 'parts/toen' %}")
    (tmp_path / "b.jinja").write_text("Hi\n{% include 'parts/toen' ignore missing %}")
    library = Library(tmp_path)
    with pytest.raises(TemplateNotFound, match="parts/toen") as caught:
        library["a"].render(tone="dry")
    assert caught.value.location is not None
    assert caught.value.location.line == 2
    with pytest.raises(InvalidInput, match="no input 'tone'"):
        library["b"].render(tone="dry")


def test_text_beside_messages_raises_the_public_error() -> None:
    with pytest.raises(RoleError) as caught:
        Template.from_string("a{% user %}b{% enduser %}").render()
    assert type(caught.value) is RoleError
    assert caught.value.location is not None


def test_wrong_ways_to_a_template_name_the_right_one() -> None:
    with pytest.raises(TemplateError, match="from_string"):
        Template("Hi {{ n }}")  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match=r"diptych\.load"):
        Template.from_file("a.jinja")
    with pytest.raises(InvalidInput, match=r"\{\{ n \}\}"):
        Template.from_string("Hi {n}").render(n="Ann")
