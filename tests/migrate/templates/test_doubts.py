"""What the text layout cannot know is ambiguous or refused, with its place; never lossless."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from diptych import Template
from diptych.cli.app import make_app
from diptych.errors import DiptychError, MigrationError
from diptych.migrate import migrate_template
from diptych.migrate.templates import layout_names, migrate_templates

#: Text, and what the detail must name.
DOUBTS = {
    "a label": ("Human: {q}", "Human:"),
    "labels": ("Human: {q}\n\nAssistant:", "labels"),
    "a system label": ("System: You are brief.\n{q}", "System: at 1:1"),
    "a label in bold": ("**User:** {q}", "User:"),
    "a label with a full-width colon": ("User：{q}", "User"),
    "a role line": ("Intro.\n\nsystem:\nBe brief.\n", "system: at 3:1"),
    "a heading": ("## System\nBe brief.\n## User\n{q}", "## System at 1:1"),
    "brackets": ("[SYSTEM]\nBe brief.\n[USER]\n{q}", "[SYSTEM] at 1:1"),
    "tags": ("<system>Be brief.</system>\n<user>{q}</user>", "<system> at 1:1"),
    "tags with a role": ('<message role="user">{q}</message>', '<message role="user"> at 1:1'),
    "messages as data": ('[{"role": "system", "content": "x"}]', "at 1:4"),
    "unknown control tokens": ("<|opens|>user<|closes|>\n\n{q}<|eox|>", "'<|opens|>' at 1:1"),
    "a width": ("Total {x:>10}", "{x:>10} at 1:7"),
    "a conversion": ("Repr {y!r}", "{y!r} at 1:6"),
    "a position": ("Say {0}", "{0} at 1:5"),
    "the next position": ("Say {} and {}", "{} at 1:5"),
    "an index": ("Say {a[0]}", "{a[0]} at 1:5"),
    "a nested width": ("Say {x:{w}}", "{x:{w}} at 1:5"),
    "an object of JavaScript": ("Use {name: 1}", "{name: 1} at 1:5"),
    "a dollar": ("Hi $name", "$name at 1:4"),
    "a dollar in braces": ("Hi ${name}", "${name} at 1:4"),
    "a dollar that is no hole": ("Pay $5 to $name", "$name at 1:11"),
    "percent": ("Hi %(name)s", "%(name)s at 1:4"),
    "percent alone": ("Translate %s", "%s at 1:11"),
    "ERB": ("Hi <%= name %>", "<%= name %> at 1:4"),
    "Ruby": ("Hi #{name}", "#{name} at 1:4"),
    "double brackets": ("Hi [[name]]", "[[name]] at 1:4"),
    "Handlebars": ("{{#if x}}a{{/if}}", "{{#if x}} at 1:1"),
    "three braces": ("Hi {{{name}}}", "Handlebars"),
    "braces that do not match": ('{"a": {x}, ', "{x} at 1:7"),
}  # fmt: skip

#: Text of two languages, and what is named of each.
MIXED = {
    "both": ("Hi {a}, $b", "{a} at 1:4", "$b at 1:9"),
    "a dollar beside Jinja": ("Hi {{ a }}, $b", "{{ a }} at 1:4", "$b at 1:13"),
    "Handlebars beside Jinja": ("{{#if x}}{% if y %}a{% endif %}{{/if}}", "{{#if x}} at 1:1", "{% if y %} at 1:10"),
    "Jinja and braces": ("{{ x }} {y}", "{{ x }} at 1:1", "{y} at 1:9"),
    "Handlebars and braces": ("{{#if x}}yes{{/if}} {name}", "{{#if x}} at 1:1", "{name} at 1:21"),
    "braces and percent": ("{a} %(b)s", "{a} at 1:1", "%(b)s at 1:5"),
    "dollars and percent": ("$a %(b)s", "$a at 1:1", "%(b)s at 1:4"),
}  # fmt: skip

SURE = {
    "a name": "Translate {text}",
    "names and pairs": 'As {{"a": 1}}: {q} and {a.b}',
    "Jinja": "Hi {{ x }}{% if y %}\n- a\n{% endif %}",
    "Jinja with braces of JSON": '{"a": "{{ x }}", "b": [1]}',
    "no hole": "for (;;) { a(); } 50{% off, 100% sure, $5, [1], [[1, 2]], a <b>b</b>",
    "XML that names no speaker": "<document>\n{text}\n</document>\n<instructions>Be brief.</instructions>",
    "ChatML": "<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n",
    "braces of code": 'JSON like {"a": 1} and {} and \\d{4} stays',
    "words": "The user said: hello. Systems: none. Use the assistant. Model: x",
    "Markdown": "# Task\n\n- [ ] {item}\n\n| a | b |\n|---|---|\n\n```\ncode\n```",
}  # fmt: skip


@pytest.mark.parametrize("name", DOUBTS)
def test_what_a_text_leaves_open(name):
    text, said = DOUBTS[name]
    found = migrate_template(text, "a.txt")
    assert found.verdict == "ambiguous"
    assert said in found.detail
    Template.from_string(found.source)


@pytest.mark.parametrize("name", MIXED)
def test_a_mixture_of_languages_is_refused_with_what_was_seen(name):
    text, *seen = MIXED[name]
    with pytest.raises(MigrationError, match="mixes template languages") as caught:
        migrate_template(text, "a.txt")
    assert all(sign in str(caught.value) for sign in seen)
    assert str(caught.value).startswith("a.txt:1:")
    assert migrate_template(text, "a.txt", layout="text").verdict == "ambiguous"


@pytest.mark.parametrize(
    ("layout", "golden"),
    [
        ("str-format", "A {{ d }} $b %(c)s"), ("jinja", "{a} D $b %(c)s"),
        ("string-template", "{a} {{{{ d }}}} B %(c)s"), ("percent-format", "{a} {{{{ d }}}} $b C"),
    ],
)  # fmt: skip
def test_a_mixture_is_read_in_the_language_that_is_named(layout, golden):
    text = "{a} {{ d }} $b %(c)s" if layout == "jinja" else "{a} {{{{ d }}}} $b %(c)s"
    template = Template.from_string(migrate_template(text, "a.txt", layout=layout).source)
    inputs = {name: name.upper() for name in template.inputs}
    assert template.render(**inputs).prompt == golden


@pytest.mark.parametrize("name", SURE)
def test_what_is_sure(name):
    found = migrate_template(SURE[name], "a.txt")
    assert (found.verdict, found.detail) == ("lossless", "")


@pytest.mark.parametrize("ending", [".xyz", ".tmpl", ".tpl", ".v2", ".html", ".prompt.tmpl", ".rst"])
@pytest.mark.parametrize("text", ["Say hello", "Hi {name}", "Hi {{ name }}"])
def test_an_unknown_ending_is_ambiguous_until_a_layout_is_named(ending, text):
    found = migrate_template(text, f"a{ending}")
    assert found.verdict == "ambiguous"
    assert f"ending .{ending.rpartition('.')[2]}" in found.detail
    assert migrate_template(text, f"a{ending}", layout="text").verdict == "lossless"


@pytest.mark.parametrize("name", ["a.poml", "a.baml", "a.ejs", "a.promptl", "a.twig", "a.ERB"])
def test_an_ending_of_another_language_is_refused(name):
    with pytest.raises(MigrationError, match="are not read") as caught:
        migrate_template("Hi {{x}}", name)
    assert caught.value.path == f"{name}:1:1"
    assert migrate_template("Hi {{x}}", name, layout="text").verdict == "lossless"


def test_an_ending_of_jinja_says_that_braces_are_text():
    found = migrate_template("Hi {name}, $x, {0} {{ y }}", "a.j2")
    assert found.verdict == "lossless"
    assert Template.from_string(found.source).render(y="Y").prompt == "Hi {name}, $x, {0} Y"


def test_front_matter_of_another_tool_is_not_passed_over():
    found = migrate_template("---\nmodel: m\n---\nHi {x}", "a.md")
    assert (found.verdict, "front matter" in found.detail) == ("ambiguous", True)


def test_an_editor_s_variable_is_refused():
    with pytest.raises(MigrationError, match=r"\$\{input:thing\}") as caught:
        migrate_template("Do\n${input:thing}\n", "a.prompt.md")
    assert caught.value.path == "a.prompt.md:2:1"


@pytest.mark.parametrize(
    ("text", "inputs", "golden"),
    [
        ("Repr {y!r}", {"y": "a"}, "Repr 'a'"),
        ("[{x:>4}]", {"x": "a"}, "[   a]"),
        ("[{n:.2f}]", {"n": 1}, "[1.00]"),
        ("[{x!s:>3}]", {"x": "a"}, "[  a]"),
        ("{a[0]}{b[k]}", {"a": ["A"], "b": {"k": "K"}}, "AK"),
        ("Hallo {имя}", {"имя": "Ann"}, "Hallo Ann"),
        ("{{#if x}}yes{{else}}no{{/if}} name", {"x": ""}, "no name"),
        ("$a ${b} $$5", {"a": "A", "b": "B"}, "A B $5"),
        ("%(a)5s %(b)r 100%%", {"a": "A", "b": "B"}, "    A 'B' 100%"),
        ("[{x:>{w}}]", {"x": "a", "w": 3}, "[  a]"),
        ("$a <%= x %>", {"a": "A"}, "A <%= x %>"),
    ],
)
def test_what_an_open_text_is_read_as(text, inputs, golden):
    assert Template.from_string(migrate_template(text, "a.txt").source).render(**inputs).prompt == golden


def test_a_format_of_messages_with_dollars_becomes_messages():
    found = migrate_template("<|im_start|>system\nBe $mood.<|im_end|>\n<|im_start|>user\n$$5<|im_end|>\n", "a.txt")
    assert found.verdict == "ambiguous"
    messages = Template.from_string(found.source).render(mood="kind").messages
    assert [(m["role"], m["content"]) for m in messages] == [("system", "Be kind."), ("user", "$5")]


@pytest.mark.parametrize("name", ["true", "loop", "class", "in", "none"])
def test_a_hole_whose_name_jinja_keeps_is_refused(name):
    with pytest.raises(MigrationError, match="word of Jinja") as caught:
        migrate_template(f"Hi\n {{{name}}}", "a.txt")
    assert caught.value.path == "a.txt:2:2"


def test_white_space_of_jinja_is_kept():
    text = "A\n{% for x in xs %}\n- {{ x }}\n{% endfor %}\nB\n"
    source = migrate_template(text, "a.txt").source
    assert Template.from_string(source).render(xs=["a"]).prompt == "A\n\n- a\n\nB"


# no message of another program ------------------------------------------------------------------

INNER = re.compile(r"unexpected|Encountered|Jinja was looking|expected token|Expecting|could not find expected", re.I)
BROKEN = {
    "{{#xs}}a{{/xs}}": "a.txt:1:1",
    "Hi\n {{$x}}": "a.txt:2:2",
    "{{ x y }}": "a.txt:1:1",
    "a\n{% for %}{% endfor %}": "a.txt:2:1",
    "{% endif %}": "a.txt:1:1",
    "{% if x %}a": "a.txt:1:1",
    "x {{ 'a }}": "a.txt:1:3",
    "{{ x|shout }}": "a.txt:1:6",
    "{{ x is shouted }}": "a.txt:1:6",
    "{{ shout(x) }}": "a.txt:1:4",
    "{% include 'x' %}": "a.txt:1:1",
    "{% shout %}": "a.txt:1:1",
    "{% %}": "a.txt:1:1",
    "a {{ }} b": "a.txt:1:3",
    "<|im_start|>user\n{% if x %}a<|im_end|>\n<|im_start|>assistant\n{% endif %}<|im_end|>\n": "a.txt:2:1",
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_wrong_is_said_in_our_words_with_the_place(text):
    with pytest.raises(MigrationError) as caught:
        migrate_template(text, "a.txt")
    assert not INNER.search(str(caught.value)), str(caught.value)
    assert caught.value.path == BROKEN[text], str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a: [", "a.prompt.yml"), ("a: b: c", "a.yaml"), ("{", "a.json"), ('{"a": 1,}', "a.json"), ("\t- a", "a.yaml"),
        ('{"_type": "prompt", "template": "a {b"}', "a.json"), ('{"_type": "prompt", "template": "a }"}', "a.json"),
        ("---\na: [\n---\nx", "a.prompty"), ("user:\n{{ x y }}", "a.prompty"), ("{{#if}}", "a.prompt"), ("x = (", "a.py"),
        ('{% chat role="user" %}{{ x y }}{% endchat %}', "a.jinja"), ('{% message role="user" %}{{ x y }}{% endmessage %}', "a.jinja"),
        ("prompt: a $ b", "a.yaml"),
    ],
)  # fmt: skip
def test_other_layouts_use_our_words_too(text, name):
    with pytest.raises(MigrationError) as caught:
        migrate_template(text, name)
    assert not INNER.search(str(caught.value)), str(caught.value)
    assert str(caught.value).startswith(name)


MARKS = [
    "{{", "}}", "{%", "%}", "{#", "#}", "{", "}", "{x}", "{{ x }}", "$x", "${x}", "%s", "%(x)s", "<%= x %>", "{{#if x}}", "{{/if}}", "{0}", "{x!r}",
    "{x:>9}", "x", " ", "\n", "|", "'", '"', "if", "for", "in", "endif", "raw", "endraw", "system:", "user:\n", "Human: ", "<system>", "</system>",
    "# user:\n", "<|im_start|>", "<|im_end|>", "<|x|>", "---\n", "macro", "set", "=", "(", ")", ".", "[", "]", "not", "is", ",", "\\", "-", "+", "~",
]  # fmt: skip
NAMES = [
    "a.txt", "a.md", "a.jinja", "a.jinja2", "a.prompty", "a.prompt", "a.xyz", "a", "<string>", "a.prompt.md", "a.prompt.yml", "a.json", "a.yaml", "a.py",
]  # fmt: skip


@given(
    text=st.lists(st.sampled_from(MARKS), max_size=12).map("".join) | st.text(max_size=30),
    name=st.sampled_from(NAMES),
    layout=st.sampled_from(["auto", "auto", *layout_names()]),
)
def test_any_text_gives_a_verdict_or_an_error_of_ours(text, name, layout):
    found, errors = outcome(text, name, layout)
    for error in errors:
        assert not INNER.search(str(error)), str(error)
        assert str(error).startswith(name)
    for one in found:
        assert one.verdict in ("lossless", "lossy", "ambiguous")
        Template.from_string(one.source)


def outcome(text, name, layout):
    """Return what a file becomes, and every error of ours; any other error is a failure."""
    try:
        found = migrate_templates(text, name, layout=layout)
    except DiptychError as error:
        return (), [error]
    return found, found.refusals


# other layouts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [("Hi {x:>9}", "{x:>9} at 1:4"), ("Hi $x", "$x at 1:4"), ("{{ x }} {y}", "str.format"), ("{0}", "{0}")],
)
def test_a_request_body_does_not_say_its_language_either(content, said):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": content}]})
    found = migrate_template(body, "a.json")
    assert found.verdict == "ambiguous"
    assert found.detail.startswith("$.messages[0].content: ")
    assert said in found.detail
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi {x}: <b>"}]})
    assert migrate_template(body, "a.json").verdict == "lossless"


def test_a_body_of_anthropic_is_not_one_of_openai():
    body = {"model": "m", "system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
    assert migrate_template(json.dumps(body), "a.json").layout == "anthropic-request"
    with pytest.raises(MigrationError, match="Anthropic") as caught:
        migrate_template(json.dumps(body), "a.json", layout="openai-request")
    assert "a.json: $.system" in str(caught.value)


# the command ------------------------------------------------------------------------------------


def test_the_command_says_what_is_open(tmp_path):
    (tmp_path / "a.txt").write_text("Hi $name", "utf-8")
    done = CliRunner().invoke(make_app(), ["migrate", "templates", str(tmp_path / "a.txt")])
    assert done.exit_code == 0
    assert "a.txt: ambiguous: $name at 1:4" in done.stderr
    done = CliRunner().invoke(
        make_app(), ["migrate", "templates", str(tmp_path / "a.txt"), "--on-loss", "raise", "--json"]
    )
    assert done.exit_code == 1
    assert '"it is ambiguous' in done.stdout


def test_the_command_says_that_a_named_file_holds_nothing(tmp_path):
    (tmp_path / "a.py").write_text("from haystack.components.builders import ChatPromptBuilder\n", "utf-8")
    done = CliRunner().invoke(make_app(), ["migrate", "templates", str(tmp_path / "a.py")])
    assert done.exit_code == 1
    assert "a.py: refused: nothing was found" in done.stderr
    assert CliRunner().invoke(make_app(), ["migrate", "templates", str(tmp_path)]).exit_code == 0
