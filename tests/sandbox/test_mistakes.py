"""An unknown filter or test, wherever it stands: its place, a caret and a did-you-mean, from every entry point."""

import json
import subprocess
import sys

import pytest

import diptych
from diptych import ChatTemplate, InvalidInput, Library, MigrationError, Template, TemplateNotFound, TemplateSyntaxError
from diptych.migrate import migrate_template

INPUTS = {"x": "a", "xs": [1]}
#: Sources, with the message, the column and the hint of the mistake in each.
UNKNOWN = {
    "{{ x | uper }}": ("unknown filter 'uper'", 8, "did you mean 'upper'?"),
    "{{ uper(x)|uper }}": ("unknown filter 'uper'", 12, "did you mean 'upper'?"),
    "{{ x|join|uper|trim }}": ("unknown filter 'uper'", 11, "did you mean 'upper'?"),
    "{% set y = x|uper %}": ("unknown filter 'uper'", 14, "did you mean 'upper'?"),
    "{% set y|uper %}a{% endset %}": ("unknown filter 'uper'", 10, "did you mean 'upper'?"),
    "{% filter uper %}a{% endfilter %}": ("unknown filter 'uper'", 11, "did you mean 'upper'?"),
    "{% for i in xs|srot %}{% endfor %}": ("unknown filter 'srot'", 16, "did you mean 'sort'?"),
    "{% macro m(a) %}{{ a|uper }}{% endmacro %}": ("unknown filter 'uper'", 22, "did you mean 'upper'?"),
    "{{ x|zzzz }}": ("unknown filter 'zzzz'", 6, None),
    "{{ x|random }}": ("the filter 'random' is not available in templates", 6, "choose in your own code"),
    "{{ x|pprint }}": ("the filter 'pprint' is not available in templates", 6, "write |tojson"),
    "{{ x is evn }}": ("unknown test 'evn'", 9, "did you mean 'even'?"),
    "{{ x is not evn }}": ("unknown test 'evn'", 13, "did you mean 'even'?"),
    "{% if x is evn(2) %}{% endif %}": ("unknown test 'evn'", 12, "did you mean 'even'?"),
    "{% break %}": ("{% break %} outside of a loop", 4, None),
    "{% if x %}{% continue %}{% endif %}": ("{% continue %} outside of a loop", 14, None),
    "{% for i in xs %}{% else %}{% break %}{% endfor %}": ("{% break %} outside of a loop", 31, None),
    "{% for i in xs %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}": ("{% break %} outside of a loop", 36, None),
    "{{ " + "9" * 5000 + " }}": ("an integer has more than 4,300 digits", 4, "write a smaller number"),
    "{{ 0x" + "f" * 5000 + " }}": ("an integer has more than 4,300 digits", 4, "write a smaller number"),
    "{{ x[1:2, 3] }}": ("a slice cannot stand in a tuple", 1, "write one slice"),
    "{{ ١.٥ }}": ("Jinja cannot compile this: invalid character", 4, None),
    "{% block a %}{% endblock %}{% block a %}{% endblock %}": ("block 'a' defined twice", None, None),
    "{% for loop in xs %}{% endfor %}": ("Can't assign to special loop variable in for-loop target", None, None),
}  # fmt: skip
#: What Jinja compiles leniently and reports when a branch is taken.
IN_BRANCHES = {
    "{% if x %}{{ x|uper }}{% endif %}": ("unknown filter 'uper'", 16, "did you mean 'upper'?"),
    "{{ x|uper if x else '' }}": ("unknown filter 'uper'", 6, "did you mean 'upper'?"),
    "{% if x %}{{ 2 is evn }}{% endif %}": ("unknown test 'evn'", 19, "did you mean 'even'?"),
    "{% if not x %}{% elif x %}{{ x|uper }}{% endif %}": ("unknown filter 'uper'", 32, "did you mean 'upper'?"),
}
#: What is a name only when the template runs.
AT_RUN_TIME = {
    "{{ xs|map('uper')|list }}": ("unknown filter 'uper'", 12, "did you mean 'upper'?"),
    "{{ xs|select('evn')|list }}": ("unknown test 'evn'", 15, "did you mean 'even'?"),
    "{{ xs|rejectattr('a', 'evn')|list }}": ("unknown test 'evn'", 24, "did you mean 'even'?"),
}
EVERY = {**UNKNOWN, **IN_BRANCHES, **AT_RUN_TIME}


def short(source):
    return source[:60]


def inputs_of(template):
    return {name: INPUTS[name] for name in template.inputs}


def render(template):
    return template.render(**inputs_of(template))


def raised(call, *args, **kwargs):
    with pytest.raises(TemplateSyntaxError) as caught:
        call(*args, **kwargs)
    return caught.value


def check(error, wanted, file, line):
    message, column, hint = wanted
    assert message in error.message
    assert (error.location.file, error.location.line) == (file, line)
    assert column is None or error.location.column == column
    assert "^" in str(error)
    assert (hint or "") in (error.hint or "")


@pytest.mark.parametrize("source", [*UNKNOWN, *IN_BRANCHES], ids=short)
def test_a_template_says_so_when_it_is_loaded(source, tmp_path):
    wanted, text = EVERY[source], f"---\na: 1\n---\nfirst\n{source}"
    check(raised(Template.from_string, text, name="t.jinja"), wanted, "t.jinja", 5)
    (tmp_path / "t.jinja").write_text(text, "utf-8")
    check(raised(diptych.load, tmp_path / "t.jinja"), wanted, f"{tmp_path.as_posix()}/t.jinja", 5)
    check(raised(Library(tmp_path).__getitem__, "t"), wanted, "t.jinja", 5)
    check(raised(diptych.render, tmp_path / "t.jinja"), wanted, f"{tmp_path.as_posix()}/t.jinja", 5)


@pytest.mark.parametrize("source", AT_RUN_TIME)
def test_a_name_that_is_computed_is_reported_when_it_runs(source):
    error = raised(render, Template.from_string(f"first\n{source}", name="t.jinja"))
    check(error, EVERY[source], "t.jinja", 2)


@pytest.mark.parametrize(
    "main", ["{% include 'p' %}", "{% extends 'p' %}", "{% import 'p' as p %}", "{% from 'p' import m %}",
             "{% if true %}{% include 'p' %}{% endif %}", "{% include ['q', 'p'] %}", "{% include name %}",
             "{% include 'p' ignore missing %}"],
)  # fmt: skip
@pytest.mark.parametrize("source", ["{{ 'a'|uper }}", "{{ " + "9" * 5000 + " }}", "{% break %}"], ids=short)
def test_a_template_that_another_loads_is_the_place(main, source):
    library = Library({"main": main, "p": f"---\na: 1\n---\n{source}"})

    def use():
        template = library["main"]
        template.render(**({"name": "p"} if "name" in template.inputs else {}))

    check(raised(use), UNKNOWN.get(source, ("", None, None)), "p", 4)
    declared = Library({"main": f"---\ninputs: {{name: string}}\n---\n\n{main}", "p": f"---\na: 1\n---\n{source}"})
    error = raised(declared["main"].render, name="p")
    check(error, UNKNOWN.get(source, ("", None, None)), "p", 4)
    assert [(place.file, place.line) for place in error.chain] == [("main", 5)]


@pytest.mark.parametrize("source", EVERY, ids=short)
def test_a_chat_template_says_so(source):
    def use(text):
        ChatTemplate(text).render([], **INPUTS)

    check(raised(use, f"first\n{source}"), EVERY[source], "<chat template>", 2)


def test_a_chat_template_reports_branches_when_they_are_taken():
    """As transformers does: a template may hold a branch that its engine cannot run."""
    assert ChatTemplate("{% if x %}{{ x|uper }}{% endif %}a").render([], x="") == "a"


@pytest.mark.parametrize("source", [*UNKNOWN, *IN_BRANCHES], ids=short)
def test_a_template_to_migrate_is_refused(source):
    for name, text in (("a.jinja", source), ("a.prompty", f"user:\n{source}"), ("a.j2", source)):
        with pytest.raises(MigrationError):
            migrate_template(text, name)


def test_a_branch_that_asks_for_a_filter_may_use_it():
    source = "{% if 'shout' is filter %}{{ x|shout }}{% else %}{{ x }}{% endif %}"
    assert Template.from_string(source).render(x="a").prompt == "a"
    assert Template.from_string(source, filters={"shout": str.upper}).render(x="a").prompt == "A"


def test_loop_controls_in_loops_are_fine():
    source = (
        "{% for i in xs %}{% if i > 2 %}{% break %}{% endif %}{% for j in xs %}{% else %}{% continue %}{% endfor %}"
        "{{ i }}{% endfor %}"
    )
    assert Template.from_string(source).render(xs=[1, 2, 3, 4]).prompt == "12"


def test_missing_includes_may_be_ignored_as_in_jinja():
    def rendered(main):
        return Library({"main": main, "p": "P"})["main"].render().prompt

    assert rendered("a{% include 'nope' ignore missing %}b") == "ab"
    assert rendered("{% include ['nope', 'p'] %}") == "P"
    with pytest.raises(TemplateNotFound, match="there is no template 'pp'") as caught:
        rendered("\n{% include 'pp' %}")
    assert (caught.value.location.line, caught.value.hint) == (2, "did you mean 'p'?")
    with pytest.raises(TemplateNotFound, match="is not a template name"):
        rendered("{% include '../p' ignore missing %}")


def test_the_command_says_so_too(tmp_path):
    (tmp_path / "t.jinja").write_text("{{ x | uper }}")
    done = subprocess.run(
        [sys.executable, "-m", "diptych", "render", str(tmp_path / "t.jinja"), "-p", "x=a"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "t.jinja:1:8: template-syntax: unknown filter 'uper'" in done.stderr
    assert "did you mean 'upper'?" in done.stderr
    assert "unexpected" not in done.stderr


# values that Python itself refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source", ["{{ x }}", "{% user %}{{ x }}{% enduser %}", "{{ x|tojson }}", "{{ [x] }}", "{{ x + 1 }}"]
)
@pytest.mark.parametrize("value", [10**5000, [10**5000], {"a": {"b": -(10**5000)}}], ids=["bare", "list", "dict"])
def test_an_integer_too_large_to_print_is_a_wrong_input(source, value):
    with pytest.raises(InvalidInput, match="an integer of more than about 4,200 digits") as caught:
        Template.from_string(source).render(x=value)
    assert caught.value.path.startswith("$.inputs.x")


@pytest.mark.parametrize("priority", ["'high'", "[]", "x", "10**400", "none + 1"])
def test_a_priority_is_a_number(priority):
    with pytest.raises(diptych.TemplateError):
        Template.from_string(f"{{% message role='user' priority={priority} %}}a{{% endmessage %}}").render(
            **({"x": "a"} if priority == "x" else {})
        )


def test_no_name_of_a_template_is_too_strange():
    with pytest.raises(TemplateSyntaxError):
        Template.from_string("{% set y = 1 %}{{ y }}", name="a\0b").render()


def test_errors_of_rows_are_json(tmp_path):
    """The error of a template in JSON mode is a document, never a traceback."""
    error = raised(Template.from_string, "{{ x|uper }}")
    assert json.dumps({"code": error.error_code, "message": error.message, "path": error.where()})
