"""A law: whatever a template or a front matter says, only errors of Diptych leave."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from diptych import ChatTemplate, DiptychError, Library, Template, TemplateSyntaxError
from diptych.migrate import migrate_template

INPUTS = {"x": "text", "y": 5, "z": {"a": 1, "b": [1, "q"]}, "xs": [1, "b", {"c": None}]}

ATOMS = st.sampled_from([
    "x", "y", "z.a", "z['b']", "xs", "1", "-1", "0", "1.5", "1e999", "'a'", "''", "[]", "{}", "()", "none", "true",
    "[1, 2]", "{'a': 1}", "('a',)", "x.upper()", "range(3)", "dict(a=1)", "namespace()", "loop", "self", "caller",
    "'%s'", "'\\x'", "'\u0660'", "\u0663", "\ufb01", "x.__class__", "m", "cycler(1)", "joiner()", "super()",
    "varargs", "''.join", "'{}'.format", "x[1:2]", "x[::0]", "x[1:2, 3]", "'\\ud800'", "9" * 4400, "0x" + "f" * 3600,
])  # fmt: skip
FILTER = st.sampled_from([*sorted(FILTERS), "uper"])
TEST = st.sampled_from([*sorted(TESTS), "evn"])
BINARY = st.sampled_from(["+", "-", "*", "/", "//", "%", "~", "and", "or", "==", "<", "in", "not in", "is"])


def compound(inner):
    return st.one_of(
        st.builds("{}|{}".format, inner, FILTER),
        st.builds("{}|{}({})".format, inner, FILTER, inner),
        st.builds("({} is {})".format, inner, TEST),
        st.builds("({} is not {}({}))".format, inner, TEST, inner),
        st.builds("({} {} {})".format, inner, BINARY, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("({}).{}".format, inner, st.sampled_from(["a", "items", "format", "__class__", "mro"])),
        st.builds("({})({})".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{}, ({},), {{{}: 1}}]".format, inner, inner, inner),
        st.builds("(-{})".format, inner),
    )


EXPRESSION = st.recursive(ATOMS, compound, max_leaves=6)


def statements(inner):
    e = EXPRESSION
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.builds("{{% if {} %}}{}{{% endif %}}".format, e, inner),
        st.builds("{{% for {} in {} %}}{}{{% else %}}{}{{% endfor %}}".format, st.sampled_from(["i", "loop", "a, b"]), e, inner, inner),
        st.builds("{{% for i in xs recursive if {} %}}{}{{% endfor %}}".format, e, inner),
        st.builds("{{% set {} = {} %}}".format, st.sampled_from(["x", "loop", "a.b", "a, b"]), e),
        st.builds("{{% set q|{} %}}{}{{% endset %}}".format, FILTER, inner),
        st.builds("{{% macro m({}) %}}{}{{% endmacro %}}".format, st.sampled_from(["", "a", "caller", "a=1"]), inner),
        st.builds("{{% call m({}) %}}{}{{% endcall %}}".format, e, inner),
        st.builds("{{% filter {} %}}{}{{% endfilter %}}".format, FILTER, inner),
        st.builds("{{% block b %}}{}{{% endblock %}}".format, inner),
        st.builds("{{% with a = {} %}}{}{{% endwith %}}".format, e, inner),
        st.builds("{{% {} {} %}}".format, st.sampled_from(["include", "extends", "image", "audio", "file", "history"]), e),
        st.builds("{{% message role={} priority={} %}}{}{{% endmessage %}}".format, e, e, inner),
        st.builds("{{% user %}}{}{{% enduser %}}".format, inner),
        st.sampled_from(["{% break %}", "{% continue %}", "{% import 'p' as q %}", "{% from x import q %}", "{%", "{{ '"]),
    )  # fmt: skip


SOURCE = st.recursive(st.builds("{{{{ {} }}}}".format, EXPRESSION), statements, max_leaves=4)


def use(template):
    """Ask a template for everything that it has."""
    given = {name: INPUTS[name] for name in template.inputs if name in INPUTS}
    assert template.hash
    assert template.input_schema
    assert template.variables is not None
    rendered = template.render(**given)
    return (rendered.prompt, rendered.messages, rendered.spans, rendered.conversation, rendered.losses)


ENTRIES = {
    "from_string": lambda source: use(Template.from_string(source)),
    "included": lambda source: use(Library({"main": "{% include 'p' %}", "p": source})["main"]),
    "extended": lambda source: use(Library({"main": "{% extends 'p' %}", "p": source})["main"]),
    "imported": lambda source: use(
        Library({"main": "{% from 'p' import m with context %}{{ m() }}", "p": source})["main"]
    ),
    "ChatTemplate": lambda source: ChatTemplate(source).render([{"role": "user", "content": "a"}], **INPUTS),
    "migrated": lambda source: migrate_template(source, "a.jinja"),
    "migrated-prompty": lambda source: migrate_template(f"user:\n{source}", "a.prompty"),
    "migrated-banks": lambda source: migrate_template(f'{{% chat role="user" %}}{source}{{% endchat %}}', "a.j2"),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@given(source=SOURCE)
def test_only_our_errors_leave_a_template(entry, source):
    with suppress(DiptychError):
        entry(source)


# front matter ------------------------------------------------------------------------------------------------

KEYS = st.sampled_from([
    "inputs", "params", "tools", "response_format", "model", "format", "type", "properties", "required", "items", "enum",
    "const", "anyOf", "oneOf", "$ref", "$defs", "default", "minLength", "maxLength", "pattern", "minimum", "multipleOf",
    "minItems", "additionalProperties", "function", "parameters", "name", "json_schema", "schema", "kind", "text", "_p",
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from([
    "string", "integer", "array", "object", "null", "any", "messages", "string?", "string[]", "", "[", "(", 1.5, 10**30,
    "#/x", "#/$defs/a", "json_schema", "text", "(?=a)", "model_config", "copy",
])  # fmt: skip
VALUE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
FRONT = st.fixed_dictionaries(
    {"inputs": st.dictionaries(st.sampled_from(["text", "a", "_p", "model_x", "copy"]), VALUE, max_size=2) | VALUE},
    optional=dict.fromkeys(("params", "tools", "response_format", "model", "format", "x"), VALUE),
)


@given(front=FRONT, given_value=st.sampled_from(["x", 1, [1], {"a": 1}, None, []]))
def test_only_our_errors_leave_a_front_matter(front, given_value):
    with suppress(DiptychError):
        template = Template.from_string(f"---\n{json.dumps(front)}\n---\nhi")
        assert template.input_schema
        rendered = template.render(**dict.fromkeys(template.inputs, given_value))
        assert rendered.request("chat", model="gpt-4o-mini")


@pytest.mark.parametrize(
    ("declaration", "words"),
    [
        ("{type: []}", "a list of names"), ("{type: {a: 1}}", "a list of names"), ("{type: 3}", "a list of names"),
        ("{type: [1]}", "a type is a name"), ("{anyOf: []}", "anyOf must be a list of schemas"),
        ("{oneOf: 3}", "oneOf must be a list of schemas"), ("{enum: []}", "enum must be a list"), ("{enum: 3}", "enum must be a list"),
        ("{$ref: {}}", "not valid"), ("{type: string, minLength: a}", "minLength cannot be 'a'"),
        ("{type: string, minLength: -1}", "minLength cannot be -1"), ("{type: integer, pattern: a}", "needs the type string"),
        ("{type: string, pattern: 3}", "pattern cannot be 3"), ("{type: number, minimum: true}", "minimum cannot be True"),
        ("{type: integer, multipleOf: 0}", "multipleOf must be above 0"),
        ("{type: object, properties: [1]}", "not valid"), ("{type: object, additionalProperties: 3}", "must be a mapping"),
    ],
)  # fmt: skip
def test_a_schema_of_the_wrong_shape_is_named(declaration, words):
    with pytest.raises(TemplateSyntaxError, match=words) as caught:
        Template.from_string(f"---\ninputs:\n  a: {declaration}\n---\nhi", name="t.jinja")
    assert str(caught.value.location).startswith("t.jinja:3:")


def test_a_keyword_without_a_type_implies_it():
    template = Template.from_string(
        "---\ninputs: {a: {minLength: 2}, b: {minimum: 1}, c: {type: [string, 'null'], maxLength: 3}}\n---\n{{ a }}"
    )
    assert template.render(a="xy", b=1.5, c=None).prompt == "xy"
    for wrong in (
        {"a": "x", "b": 1, "c": ""},
        {"a": [1, 2], "b": 1, "c": ""},
        {"a": "xy", "b": 0, "c": ""},
        {"a": "xy", "b": 1, "c": "long"},
    ):
        with pytest.raises(DiptychError):
            template.render(**wrong)


def test_params_cannot_take_the_place_of_the_prompt():
    for key in ("model", "messages", "prompt"):
        with pytest.raises(TemplateSyntaxError, match=f"params cannot set '{key}'"):
            Template.from_string(f"---\nparams: {{{key}: a}}\n---\nhi")
