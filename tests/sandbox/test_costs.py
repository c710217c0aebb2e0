"""Everything that a template can do is charged: filters, tests, operators and methods by walks over their registries."""

import json
import operator
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from diptych import ChatTemplate, FormatError, InvalidInput, Limits, ResourceLimit, Template
from diptych.sandbox import chat_template, make_environment
from diptych.sandbox.costs import FILTER_COSTS, TEST_COSTS
from diptych.sandbox.filters import REMOVED_FILTERS
from diptych.sandbox.limits import Account, close_account, open_account
from diptych.sandbox.operators import OPERATOR_CHECKS
from diptych.templating.engine import make_engine

WORKER = Path(__file__).with_name("attack_many.py")
MOST_MEGABYTES = 256

# the registries ---------------------------------------------------------------------------------


def test_every_filter_and_test_of_jinja_has_a_cost_or_is_taken_out():
    assert set(jinja2.defaults.DEFAULT_FILTERS) == (set(FILTER_COSTS) & set(jinja2.defaults.DEFAULT_FILTERS)) | set(
        REMOVED_FILTERS
    )
    assert set(jinja2.defaults.DEFAULT_TESTS) == set(TEST_COSTS)


@pytest.mark.parametrize("environment", [make_environment(), make_engine().environment, chat_template._environment()])
def test_every_environment_has_filters_with_a_cost_only(environment):
    assert set(environment.filters) <= set(FILTER_COSTS)
    assert set(environment.tests) <= set(TEST_COSTS)


def test_every_operator_is_guarded():
    signs = {kind.operator for kind in nodes.BinExpr.__subclasses__()}
    assert signs == {"+", "and", "or", *OPERATOR_CHECKS}


def test_a_filter_without_a_cost_cannot_be_used():
    from diptych.sandbox.costs import meter

    with pytest.raises(ResourceLimit, match="no cost"):
        meter({"new": len}, {})


# the worst case of each -------------------------------------------------------------------------

TEXT = "{% set v = 'x-<' * 3333333 %}"
LIST = "{% set v = ['x' * 9999] * 9999999 %}"
#: Lists of lists: 99,999 times 99,999 texts to whoever walks through them.
DEEP = "{% set v = [['x' * 9999] * 99999] * 99999 %}"
LOOP = "{% for i in range(99999) %}{% for j in range(9999) %}BODY{% endfor %}{% endfor %}"
ARGUMENTS = {
    "attr": "('upper')", "batch": "(2, 'x')", "slice": "(99999, 'x')", "round": "(2)", "join": "(v)", "map": "('string')",
    "select": "('eq', v)", "reject": "('eq', v)", "selectattr": "('x', 'eq', v)", "rejectattr": "('x', 'eq', v)",
    "replace": "('x', 'yyyy')", "groupby": "('x')", "format": "(v)", "wordwrap": "(1)", "center": "(9999999)",
    "indent": "(9)", "truncate": "(9999)", "tojson": "(indent=4)", "default": "(v)", "xml": "('a')", "truncate_tokens": "(9)",
    "divisibleby": "(3)", "in": "(v)", "sameas": "(v)", "sum": "(start=[])",
}  # fmt: skip
COMPARISONS = {
    "==",
    "eq",
    "equalto",
    "!=",
    "ne",
    ">",
    "gt",
    "greaterthan",
    ">=",
    "ge",
    "<",
    "lt",
    "lessthan",
    "<=",
    "le",
}
EXPRESSIONS = [
    "v + v", "v * 2", "v - v", "v / v", "v // v", "v % v", "v ** v", "-v", "v == w", "v != w", "v < w", "v >= w", "v in w",
    "v not in [w, w]", "v ~ v", "v[1:]", "v[::-1]", "{v: 1}", "(v, v)", "[v, v] == [w, w]", "'{}{}'.format(v, v)",
    "('{0}' * 3000000).format(v)", "'%s%s' % (v, v)", "v.items() - w.items()", "dict(a=v) == dict(a=w)",
]  # fmt: skip


def worst_cases():
    for name in sorted(FILTER_COSTS):
        for subject in (TEXT, LIST):
            yield f"filter {name}", subject + LOOP.replace("BODY", f"{{% set y = v|{name}{ARGUMENTS.get(name, '')} %}}")
    for name in sorted(filter(str.isidentifier, TEST_COSTS)):
        given = f"(v{'[1:]' if name in COMPARISONS else ''})" if name in COMPARISONS else ARGUMENTS.get(name, "")
        yield f"test {name}", TEXT + LOOP.replace("BODY", f"{{% if v is {name}{given} %}}{{% endif %}}")
        if name in COMPARISONS | {"in"}:
            yield f"test {name} of lists", DEEP + LOOP.replace("BODY", f"{{% if v is {name}(v) %}}{{% endif %}}")
    for subject in (TEXT, DEEP):
        for expression in EXPRESSIONS:
            setup = subject + subject.replace("set v", "set w")
            yield f"operator {expression}", setup + LOOP.replace("BODY", f"{{% set y = {expression} %}}")
    for name in sorted(name for name in dir(str) if not name.startswith("_")):
        for given in ("", "('x', v)", "(9999999)"):
            yield f"method {name}{given}", TEXT + LOOP.replace("BODY", f"{{% set y = v.{name}{given} %}}")


OTHERS = {
    "many concatenations": "{% for i in range(99999) %}{% set x = 'a' * 9999999 %}{% endfor %}",
    "a list of texts that stay": "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = ns.l + ['x' * 999999] %}{% endfor %}",
    "a set block": "{% set x %}{% for i in range(99999) %}{{ 'y' * 99999 }}{% endfor %}{% endset %}{{ x|length }}",
    "small texts in a set block": "{% set x %}{% for i in range(99999) %}" + "{{ i }}" * 99 + "{% endfor %}{% endset %}",
    "small texts in a prompt": "{% for i in range(99999) %}" + "{{ i }}" * 99 + "{% endfor %}",
    "nothing, printed often": "{% set e = '' %}{% for i in range(99999) %}{% for j in range(9) %}" + "{{ e }}" * 99 + "{% endfor %}{% endfor %}",
    "a caller": "{% macro m() %}{% set z = caller() %}{% endmacro %}{% call m() %}{% for i in range(99999) %}{{ 'y' * 99999 }}{% endfor %}{% endcall %}",
    "a filter block": "{% filter upper %}{% for i in range(99999) %}{{ 'y' * 99999 }}{% endfor %}{% endfilter %}",
    "a printed list": "{% set v = ['x' * 9999999] * 9999999 %}{{ v }}",
    "a joined list": "{% set v = ['x' * 9999999] * 999999 %}{{ v|join }}",
    "indented JSON": "{{ [1]|tojson(indent=999999999) }}",
    "a longer text": "{{ ('<' * 9999999)|e|length }}",
    "another longer text": "{{ ('ß' * 9999999)|upper|length }}",
    "tabs": "{{ ('\t' * 9999999).expandtabs()|length }}",
    "named tabs": "{{ ('\t' * 999999).expandtabs(tabsize=99999)|length }}",
    "rounding": "{{ 1|round(-1000000000) }}",
    "a large integer": "{% set x = ('f' * 9999999)|int(0, 16) %}{{ x // 3 > 1 }}",
    "a remainder that formats": "{{ '%999999999d' is odd }}",
    "another": "{{ '%999999999d' is divisibleby(3) }}",
    "a long body": "{% for i in range(99999) %}" + "{% set x = 1 %}" * 3000 + "{% endfor %}",
    "a recursive loop": "{% for x in [[1]] recursive %}{% for i in range(999) %}{{ loop(range(99999)) if loop else '' }}{% endfor %}"
    "{% if loop.depth < 3 %}{% for k in range(9999) %}{{ loop.index }}{% endfor %}{{ loop(range(99999)) }}{% endif %}{% endfor %}",
    "a large source": "{{ a }}" * 250_000,
    "a deep dictionary key": "{% set ns = namespace(x=(1,)) %}{% for i in range(99999) %}{% set ns.x = (ns.x,) %}{% endfor %}{% set d = {ns.x: 1} %}",
    "numbers of one hash": "{% set ns = namespace(x=[]) %}{% for i in range(2000) %}{% set ns.x = ns.x + [i * 2305843009213693951] %}{% endfor %}"
    "{% set y = (ns.x * 50)|unique|list %}{% for i in range(99999) %}{% set y = (ns.x * 50)|unique|list %}{% endfor %}",
}  # fmt: skip


def attempts(rows):
    done = subprocess.run(
        [sys.executable, str(WORKER)], input=json.dumps(rows), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def held(names, rows):
    """Assert that each ends with an error of ours and little memory; wrong types end before they cost anything."""
    wrong = [
        (name, outcome, grown)
        for name, (outcome, grown) in zip(names, attempts(rows), strict=True)
        if outcome.startswith(("died", "Memory")) or grown >= MOST_MEGABYTES
    ]
    assert not wrong


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of a process from /proc")


@linux
@pytest.mark.parametrize("kind", ["filter", "test", "operator", "method"])
def test_the_worst_case_of_each_ends_at_a_cap(kind):
    cases = [(name, source) for name, source in worst_cases() if name.startswith(kind)]
    held([name for name, _ in cases], [("template", source) for _, source in cases])


@linux
@pytest.mark.parametrize("entry", ["template", "chat"])
def test_other_attacks_end_at_a_cap(entry):
    found = attempts([(entry, source) for source in OTHERS.values()])
    wrong = {
        name: (outcome, grown)
        for name, (outcome, grown) in zip(OTHERS, found, strict=True)
        if outcome != "ResourceLimit" or grown >= MOST_MEGABYTES
    }
    assert not wrong


# the account ------------------------------------------------------------------------------------


def test_what_nobody_holds_any_more_is_not_counted():
    account = Account(Limits(memory=10_000))
    for _ in range(100):
        account.grow(5_000, "x" * 5_000 + str(_))
    kept = []
    with pytest.raises(ResourceLimit, match="more than 10,000 bytes"):
        for number in range(3):
            kept.append("y" * 5_000 + str(number))
            account.grow(5_000, kept[-1])


def test_values_that_are_dropped_let_a_render_go_on():
    source = "{% for i in range(50) %}{% set x = 'a' * 9999999 %}{% endfor %}done"
    assert Template.from_string(source, limits=Limits(work=10**8, seconds=60)).render().prompt == "done"


def test_work_on_large_values_counts():
    template = Template.from_string("{% set y = x|upper %}{{ y|length }}", limits=Limits(work=100))
    assert template.render(x="a" * 1_000).prompt == "1000"
    with pytest.raises(ResourceLimit, match="loop steps"):
        template.render(x="a" * 100_000)


def test_what_is_announced_to_be_late_is_not_begun():
    token = open_account(Limits(seconds=0.5))
    try:
        with pytest.raises(ResourceLimit, match=r"longer than 0\.5 s"):
            make_environment().from_string("{% set y = x|sort %}").render(x=["x"] * 400_000)
    finally:
        close_account(token)


def test_a_paced_loop_is_a_loop():
    for count in (0, 1, 1000, 5000):
        source = "{% for i in xs %}{% if loop.last %}{{ loop.length }}-{{ i }}-{{ loop.revindex }}{% endif %}{% else %}none{% endfor %}"
        wanted = f"{count}-{count - 1}-1" if count else "none"
        assert Template.from_string(source).render(xs=list(range(count))).prompt == wanted


@pytest.mark.parametrize(
    "expression",
    ["1 < 2 < 3", "a == b", "a in [a, b]", "'x' not in a", "a[1:][::-1]", "a[-2:]", "xs[::2]", "1 in {1: 2}"],
)
def test_guards_change_no_meaning(expression):
    values = {"a": "axb", "b": "axb", "xs": [1, 2, 3]}
    source = "{{ " + expression + " }}"
    assert make_environment().from_string(source).render(values) == jinja2.Environment().from_string(source).render(
        values
    )


# what is given ----------------------------------------------------------------------------------


class Endless(dict):
    def items(self):
        number = 0
        while True:
            yield str(number), number
            number += 1


class Broken(dict):
    def items(self):
        raise ZeroDivisionError("not my day")


def shared(levels):
    value = ["leaf"]
    for _ in range(levels):
        value = [value, value]
    return value


@pytest.mark.parametrize("render", [
    lambda value: Template.from_string("{% if x %}{% endif %}").render(x=value),
    lambda value: ChatTemplate("x").render([], x=value),
    lambda value: ChatTemplate("x").render([{"role": "user", "content": value}]),
])  # fmt: skip
def test_inputs_that_never_end_or_break(render):
    with pytest.raises((FormatError, ResourceLimit), match="never end"):
        render(Endless(a=1))
    with pytest.raises((FormatError, InvalidInput), match="cannot be read: ZeroDivisionError: not my day"):
        render(Broken(a=1))
    render(shared(50))


FEW = Limits(work=10_000)


def test_shared_inputs_are_reduced_once():
    template = Template.from_string("{% if x %}{{ x[0] is sameas x[1] }}{% endif %}")
    assert template.render(x=shared(50)).prompt == "True"
    with pytest.raises(ResourceLimit):
        Template.from_string("{{ x }}", limits=FEW).render(x=shared(60))
    with pytest.raises(ResourceLimit):
        ChatTemplate("{{ x == y }}", limits=FEW).render([], x=shared(60), y=shared(60))


def test_operators_of_python_are_what_they_were():
    for sign, function in (
        ("-", operator.sub),
        ("/", operator.truediv),
        ("//", operator.floordiv),
        ("%", operator.mod),
    ):
        assert make_environment().from_string(f"{{{{ 7 {sign} 2 }}}}").render() == str(function(7, 2))
