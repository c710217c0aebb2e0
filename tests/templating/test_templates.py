"""Template files: front matter, inputs, tags, libraries, errors."""

import datetime
import decimal
import io
import pathlib
import pickle
import threading

import pytest

import diptych
from diptych import (
    InvalidInput,
    Library,
    ResourceLimit,
    RoleError,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedInput,
)
from diptych.sandbox import Limits

RUNNING = 'Translate the following English text to French: "{{ text }}"'


def messages(source, **inputs):
    return Template.from_string(source).render(**inputs).messages


def test_the_running_example_is_exact():
    rendered = Template.from_string(RUNNING).render(text="Hello")
    assert rendered.prompt == 'Translate the following English text to French: "Hello"'
    assert rendered.messages == [{"role": "user", "content": 'Translate the following English text to French: "Hello"'}]


def test_the_contract_example():
    source = """---
description: Translate a text.
model: gpt-4o-mini
params: {temperature: 0, seed: 7, max_tokens: 200}
inputs:
  text: string
  language: {type: string, default: French}
response_format: text          # text | json_object | a JSON Schema
---
{% message role="system" %}You are a translator.{% endmessage %}
{% message role="user" %}Translate the following English text to {{ language }}: "{{ text }}"{% endmessage %}
"""
    template = Template.from_string(source)
    assert template.description == "Translate a text."
    assert template.model == "gpt-4o-mini"
    assert template.input_schema == {
        "type": "object",
        "properties": {"text": {"type": "string"}, "language": {"type": "string", "default": "French"}},
        "required": ["text"],
        "additionalProperties": False,
    }
    assert template.variables == {"text", "language"}
    rendered = template.render(text="Hello")
    assert rendered.messages == [
        {"role": "system", "content": "You are a translator."},
        {"role": "user", "content": 'Translate the following English text to French: "Hello"'},
    ]
    assert rendered.prompt == (
        'System: You are a translator.\n\nUser: Translate the following English text to French: "Hello"\n\nAssistant:'
    )
    assert rendered.request("chat") == {
        "model": "gpt-4o-mini", "messages": rendered.messages, "temperature": 0, "seed": 7, "max_tokens": 200,
    }  # fmt: skip
    assert rendered.request("completions", seed=None)["prompt"] == rendered.prompt


# front matter ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("front", "words", "line"),
    [
        ("a: !!python/object:os.system x", "tags are not allowed", 2),
        ("a: !x 1", "tags are not allowed", 2),
        ("a: &b 1\nc: *b", "anchors and aliases", 2),
        ("a: 1\na: 2", "stands twice", 3),
        ("a:\n\tb: 1", "tab", 3),
        ("a: [1", "front matter", 2),
        ("- 1", "must be a mapping", 2),
        ("api_key: sk-1", "cannot set 'api_key'", 2),
        ("base_url: http://x", "cannot set 'base_url'", 2),
        ("inptus: {a: string}", "no key 'inptus'", 2),
        ("x: 1\ninputs: {a: strin}", "'strin' is not a type", 3),
        ("inputs: {a: {type: string, contains: 1}}", "'contains' is not enforced", 2),
        ("params: 3", "params must be a mapping", 2),
        ("model: 3", "model must be text", 2),
        ("tools: {}", "tools must be a list", 2),
        ("response_format: xml", "response_format is text", 2),
        ("a: " + "[" * 5000, "nested too deeply", 2),
        ("a: " + "9" * 5000, "4,300 digits", 2),
    ],
)
def test_bad_front_matter_says_where(front, words, line):
    with pytest.raises(TemplateSyntaxError, match=words) as caught:
        Template.from_string(f"---\n{front}\n---\nbody", name="t.jinja")
    assert caught.value.location is None or (caught.value.location.file, caught.value.location.line) == (
        "t.jinja",
        line,
    )


def test_values_of_front_matter_are_those_of_json():
    source = "---\na: no\nb: 12:30:45\nc: 0777\nd: 2020-01-01\ne: yes\nf: true\ng: null\nh: 1.5e3\ni: -3\nj: 0x1F\n1: x\n---\n"
    assert Template.from_string(source).metadata == {
        "a": "no", "b": "12:30:45", "c": "0777", "d": "2020-01-01", "e": "yes", "f": True, "g": None, "h": 1500.0,
        "i": -3, "j": "0x1F", "1": "x",
    }  # fmt: skip


def test_front_matter_is_anchored_to_lines():
    assert Template.from_string("---\na: |\n  ---\n  b\n---\nbody").metadata == {"a": "---\nb\n"}
    assert Template.from_string("---\na: x --- y\n---\nbody").render().prompt == "body"
    assert Template.from_string("---\na: 1\n---\nb: 2\n---\nc").render().prompt == "b: 2\n---\nc"
    assert Template.from_string("\ufeff---\na: 1\n---\nbody").metadata == {"a": 1}
    assert Template.from_string("--- not front matter\n---\n").render().prompt == "--- not front matter\n---"
    assert Template.from_string("---\r\na: 1\r\n---\r\nbody").render().prompt == "body"
    with pytest.raises(TemplateSyntaxError, match="not closed"):
        Template.from_string("---\na: 1\nbody")


# inputs -------------------------------------------------------------------------------------------


def test_unknown_and_missing_inputs_say_what_was_meant():
    template = Template.from_string("---\ninputs: {text: string}\n---\n{{ text }}", name="t.jinja")
    with pytest.raises(InvalidInput, match="did you mean 'text'"):
        template.render(txt="a")
    with pytest.raises(UndefinedInput, match="pass text=") as caught:
        template.render()
    assert str(caught.value.location) == "t.jinja:2:10"
    with pytest.raises(InvalidInput, match="no input 'extra'"):
        template.render(text="a", extra=1)


@pytest.mark.parametrize(
    ("declared", "value", "shown"),
    [
        ("integer", 3, "3"),
        ("number", 2.5, "2.5"),
        ("number", 3, "3"),
        ("boolean", True, "True"),
        ("string?", None, ""),
        ("string[]", ["a", "b"], "['a', 'b']"),
        ("{enum: [a, b]}", "a", "a"),
        ("{type: string, maxLength: 3}", "abc", "abc"),
        ("{type: object, properties: {n: {type: integer}}, required: [n]}", {"n": 1}, "{'n': 1}"),
        ("any", 1.5, "1.5"),
    ],
)
def test_types_take_what_fits(declared, value, shown):
    template = Template.from_string(f"---\ninputs:\n  x: {declared}\n---\n{{{{ x }}}}")
    assert template.render(x=value).prompt == shown


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("string", 3),
        ("string", None),
        ("string", ["a"]),
        ("integer", "three"),
        ("integer", "3"),
        ("integer", True),
        ("boolean", "off"),
        ("number", True),
        ("integer", 3.5),
        ("string[]", "abc"),
        ("string[]", [1]),
        ("{enum: [a, b]}", "c"),
        ("{type: string, maxLength: 3}", "abcd"),
        ("{type: string, pattern: '^a'}", "b"),
        ("{type: integer, minimum: 1}", 0),
        ("{type: object, properties: {n: {type: integer}}, required: [n]}", {}),
        ("{type: array, items: {$ref: '#/x'}}", []),
    ],
)
def test_types_refuse_what_does_not(declared, value):
    with pytest.raises(TemplateError):
        Template.from_string(f"---\ninputs:\n  x: {declared}\n---\n{{{{ x }}}}").render(x=value)


def test_json_schema_and_list_declarations():
    schema = "---\ninputs:\n  type: object\n  properties:\n    a: {type: string}\n    b: {type: integer, default: 2}\n  required: [a]\n---\n{{ a }}{{ b }}"
    assert Template.from_string(schema).render(a="x").prompt == "x2"
    listed = "---\ninputs:\n  - {name: a, kind: string}\n  - {name: b, kind: string, default: y}\n  - c\n---\n{{ a }}{{ b }}{{ c }}"
    assert Template.from_string(listed).render(a="x", c="z").prompt == "xyz"


class Methods:
    def write(self):
        raise AssertionError("an input's method was called")


@pytest.mark.parametrize("value", [Methods(), print, Methods, b"bytes", (n for n in ()), {1, Methods()}, [Methods()]])
def test_objects_do_not_reach_the_template(value):
    with pytest.raises(InvalidInput):
        Template.from_string("{{ x }}").render(x=value)


def test_inputs_are_reduced_to_plain_data(tmp_path):
    victim = tmp_path / "file"
    with pytest.raises(TemplateError):
        Template.from_string("{{ p.write_text('pwn') }}").render(p=victim)
    assert not victim.exists()
    template = Template.from_string("{{ x }}")
    assert template.render(x=pathlib.PurePosixPath("/a/b")).prompt == "/a/b"
    assert template.render(x=datetime.date(2026, 1, 2)).prompt == "2026-01-02"
    assert template.render(x=decimal.Decimal("1.10")).prompt == "1.10"
    loop = []
    loop.append(loop)
    with pytest.raises(InvalidInput, match="contains itself"):
        template.render(x=loop)


def test_callers_objects_are_not_kept():
    history = [{"role": "user", "content": "a"}]
    template = Template.from_string("{% history h %}{% user %}b{% enduser %}")
    rendered = template.render(h=history)
    history[0]["content"] = "changed"
    history.append({})
    assert [m["content"] for m in rendered.messages] == ["a", "b"]


# tags -------------------------------------------------------------------------------------------------


def test_aliases_names_and_parts():
    source = (
        "{% developer %}D{% enddeveloper %}{% chat role='user' name='ann' %}hi{% endchat %}"
        "{% user %}look {% image u detail='low' %} and {% audio d format='mp3' %}{% file f filename='a.pdf' %}{% enduser %}"
        "{% tool tool_call_id='c1' %}42{% endtool %}"
    )
    got = messages(source, u="https://e.x/a.png", d="AAAA", f="data:application/pdf;base64,AA==")
    assert got == [
        {"role": "developer", "content": "D"},
        {"role": "user", "content": "hi", "name": "ann"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look "},
                {"type": "image_url", "image_url": {"url": "https://e.x/a.png", "detail": "low"}},
                {"type": "text", "text": " and "},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
            ],
        },
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
    ]


def test_layout_of_tags_on_lines_of_their_own_is_no_content():
    source = "{% system %}\nYou are Bot.\n{% endsystem %}\n\n{% user %}\n{{ x }}\n{% enduser %}\n"
    assert messages(source, x="\nkept\n") == [
        {"role": "system", "content": "You are Bot."},
        {"role": "user", "content": "\nkept\n"},
    ]


def test_messages_from_macros_loops_and_includes():
    library = Library({
        "main": "{% macro turn(q, a) %}{% user %}{{ q }}{% enduser %}{% assistant %}{{ a }}{% endassistant %}{% endmacro %}"
                "{% include 'head' %}{% for s in shots %}{{ turn(s.q, s.a) }}{% endfor %}{% user %}{{ x }}{% enduser %}",
        "head": "---\ndescription: included files may have front matter\n---\n{% system %}S{% endsystem %}",
    })  # fmt: skip
    got = library["main"].render(shots=[{"q": "1", "a": "2"}, {"q": "3", "a": "4"}], x="5").messages
    assert [(m["role"], m["content"]) for m in got] == [
        ("system", "S"), ("user", "1"), ("assistant", "2"), ("user", "3"), ("assistant", "4"), ("user", "5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("hello {% user %}x{% enduser %}", "outside of the message tags"),
        ("{% user %}a{% system %}b{% endsystem %}{% enduser %}", "inside a user message"),
        ("{% message role='boss' %}x{% endmessage %}", "'boss' is not a role"),
        ("{% message role='User' %}x{% endmessage %}", "'User' is not a role"),
        ("{% message role=' user' %}x{% endmessage %}", "is not a role"),
        ("{% message role=none %}x{% endmessage %}", "None is not a role"),
        ("{% image 'u' %}", "outside of a message"),
        ("{% user %}{% history [] %}{% enduser %}", "inside a message"),
        ("{% history [{'role': 'root', 'content': ''}] %}", "'root' is not a role"),
        ("{% history [{'role': 'system', 'content': ''}] roles=['user'] %}", "has the role 'system'"),
        ("{% history 'text' %}", "takes a list of messages"),
        ("{% set m %}{% user %}x{% enduser %}{% endset %}{% user %}{{ m }}{% enduser %}", "inside a user message"),
    ],
)
def test_wrong_messages_are_errors(source, words):
    with pytest.raises(TemplateError, match=words):
        Template.from_string(source).render()


@pytest.mark.parametrize("role", ["", "tool ", "SYSTEM", "функция", "sуstem", "user\n", None, 3, ["user"]])
def test_a_role_from_data_is_checked_letter_for_letter(role):
    with pytest.raises(RoleError):
        Template.from_string("{% message role=r %}x{% endmessage %}").render(r=role)


# libraries ------------------------------------------------------------------------------------------------


def test_library_roots_in_order(tmp_path):
    for folder, text in (("one", "1"), ("two", "2")):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "a.jinja").write_text(text)
    (tmp_path / "two" / "sub" / "b.jinja").write_text("{% include 'a.jinja' %}b")
    library = Library(tmp_path / "one", tmp_path / "two", {"c": "C"})
    assert library["a"].render().prompt == "1"
    assert library["sub/b"].render().prompt == "1b"
    assert sorted(library) == ["a.jinja", "c", "sub/b.jinja"]
    assert "a" in library
    assert "nope" not in library
    assert "../two/a" not in library
    with pytest.raises(TemplateNotFound, match="did you mean 'sub/b'"):
        library["sub/bb"]


def test_a_changed_file_is_read_again(tmp_path):
    (tmp_path / "a.jinja").write_text("{% include 'b.jinja' %}")
    (tmp_path / "b.jinja").write_text("one")
    library = Library(tmp_path)
    first = library["a"]
    assert first.render().prompt == "one"
    (tmp_path / "b.jinja").write_text("two, longer")
    assert library["a"].render().prompt == "two, longer"
    assert library["a"].hash != ""


def test_hash_covers_includes_and_schema():
    def hash_of(**files):
        return Library(files)["main"].hash

    base = hash_of(main="{% include 'p' %}", p="x")
    assert base == hash_of(main="{% include 'p' %}", p="x", other="y")
    assert base != hash_of(main="{% include 'p' %}", p="z")
    assert base != hash_of(main="---\ninputs: {}\n---\n{% include 'p' %}", p="x")


def test_package_library_and_load(tmp_path, monkeypatch):
    (tmp_path / "pkg" / "prompts").mkdir(parents=True)
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "pkg" / "prompts" / "hi.jinja").write_text("Hi {{ n }}")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Library("pkg:prompts")["hi"].render(n="A").prompt == "Hi A"
    path = tmp_path / "pkg" / "prompts" / "hi.jinja"
    assert diptych.load(path).render(n="B").prompt == "Hi B"
    assert diptych.render(path, n="C").prompt == "Hi C"
    with pytest.raises(TemplateNotFound):
        Library(str(tmp_path / "none"))


def test_filters_and_globals_by_registration():
    template = Template.from_string(
        "{{ x|shout }}{{ brand }}", filters={"shout": lambda s: s + "!"}, globals={"brand": "B"}
    )
    assert template.render(x="a").prompt == "a!B"
    library = Library({"t": "{{ x|twice }}"})

    @library.filter
    def twice(value):
        return value * 2

    assert library["t"].render(x="ab").prompt == "abab"


# errors ---------------------------------------------------------------------------------------------------


def test_an_undefined_name_shows_line_and_caret():
    with pytest.raises(UndefinedInput) as caught:
        Template.from_string("one\ntwo {{ nam }}", name="t.jinja").render()
    assert str(caught.value).splitlines()[:3] == [
        "t.jinja:2:8: undefined-input: 'nam' is undefined", " 2 | two {{ nam }}", "   |        ^^^",
    ]  # fmt: skip


def test_lines_count_front_matter_and_show_the_way(tmp_path):
    (tmp_path / "main.jinja").write_text("---\ndescription: x\n---\none\n{% include 'part.jinja' %}\n")
    (tmp_path / "part.jinja").write_text("---\na: 1\n---\n\n{{ x.titel }}")
    with pytest.raises(UndefinedInput) as caught:
        Library(tmp_path)["main"].render(x={"title": 1})
    location, chain = caught.value.location, caught.value.chain
    assert (location.file, location.line, location.column) == ("part.jinja", 5, 6)
    assert [(c.file, c.line) for c in chain] == [("main.jinja", 5)]
    assert "reached from main.jinja:5:1" in str(caught.value)


def test_errors_pickle():
    with pytest.raises(TemplateError) as caught:
        Template.from_string("a{% user %}b{% enduser %}").render()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.location == caught.value.location


def test_limits_can_be_set_and_hold():
    template = Template.from_string("{% for i in range(1000) %}xxxxxxxxxx{% endfor %}", limits=Limits(output=5000))
    with pytest.raises(ResourceLimit):
        template.render()
    with pytest.raises(ResourceLimit):
        Template.from_string("{{ x }}{{ x }}", limits=Limits(output=5_000_000)).render(x="y" * 3_000_000)


def test_threads_render_side_by_side():
    template = Template.from_string("{% for i in range(50) %}{{ x }}{% endfor %}")
    wrong = []

    def work(mark):
        for _ in range(50):
            if template.render(x=mark).prompt != mark * 50:
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in "abcd"]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_it_shows_itself():
    rendered = Template.from_string("{% user %}<b>{{ x }}</b>{% enduser %}").render(x="<script>alert(1)</script>")
    html = rendered._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert 'title="data: x"' in html
    from rich.console import Console

    console = Console(record=True, width=60, file=io.StringIO())
    console.print(rendered)
    assert "alert(1)" in console.export_text()
    assert repr(rendered) == "<Rendered <string>: 1 messages>"
