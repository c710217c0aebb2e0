"""Everything that a template can do is charged: filters, tests, operators and methods by walks over their registries."""

import enum
import itertools
import operator
import sys

import jinja2
import pytest
from jinja2 import nodes
from tests.sandbox.worst_cases import LOOP, MOST_MEGABYTES, SMALL, is_withstood, outcomes, worst_cases

from diptych import ChatTemplate, FormatError, InvalidInput, Limits, ResourceLimit, Template
from diptych.sandbox import chat_template, make_environment
from diptych.sandbox.costs import FILTER_COSTS, TEST_COSTS
from diptych.sandbox.filters import REMOVED_FILTERS
from diptych.sandbox.limits import Account, close_account, open_account
from diptych.sandbox.operators import OPERATOR_CHECKS
from diptych.templating.engine import make_engine

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
    "a nested list in a text": "{% set v = [['x' * 9999] * 99999] * 99999 %}{{ '%s' % (v,) }}",
    "a long list in a text": "{% set v = ['x' * 9999] * 9999999 %}{{ '{}'.format(v) }}",
    "many fields": "{{ ('{0}' * 300000).format('x' * 99999)|length }}",
    "many long numbers": "{{ ('{a}' * 199999).format(a=10 ** 4000)|length }}",
    "many arguments": "{% set v = ['x' * 9999] * 9999999 %}{{ cycler(*v).next() }}",
    "a long list in a new one": "{% set v = [['x'] * 99999] * 99999 %}{{ (v, v).count(1) }}",
    "a recursive loop": "{% for x in [[1]] recursive %}{% for i in range(999) %}{{ loop(range(99999)) if loop else '' }}{% endfor %}"
    "{% if loop.depth < 3 %}{% for k in range(9999) %}{{ loop.index }}{% endfor %}{{ loop(range(99999)) }}{% endif %}{% endfor %}",
    "a large source": "{{ a }}" * 250_000,
    "a deep dictionary key": "{% set ns = namespace(x=(1,)) %}{% for i in range(99999) %}{% set ns.x = (ns.x,) %}{% endfor %}{% set d = {ns.x: 1} %}",
    "numbers of one hash": "{% set ns = namespace(x=[]) %}{% for i in range(2000) %}{% set ns.x = ns.x + [i * 2305843009213693951] %}{% endfor %}"
    "{% set y = (ns.x * 50)|unique|list %}{% for i in range(99999) %}{% set y = (ns.x * 50)|unique|list %}{% endfor %}",
}  # fmt: skip


MANY = "2305843009213693951"  # its multiples have one hash
SHARED = (
    "{% set ns = namespace(n=none) %}{% for i in range(60) %}{% set ns.n = namespace(a=ns.n, b=ns.n) %}{% endfor %}"
)
OTHERS |= {
    "a search from the end": "{{ ('a' * 4000000).rfind('ab' + 'a' * 2000000) }}",
    "a cut from the end": "{{ ('a' * 4000000).rsplit('ab' + 'a' * 2000000)|length }}",
    "a long list of beginnings": "{% set v = 'x' * 9000000 %}{{ v.startswith((v[:-9] + 'y' + 'x' * 8,) * 99999) }}",
    "many characters to take off": "{{ ('a' * 9999999).strip('b' * 999999 + 'a')|length }}",
    "many characters to trim": "{{ ('a' * 9999999)|trim('b' * 999999 + 'a')|length }}",
    "a list to translate by": "{{ ('x' * 9999999).translate(['y' * 9999] * 200)|length }}",
    "a range of one hash": f"{{{{ range(0, 99999 * {MANY}, {MANY})|unique|list|length }}}}",
    "a mapping of one hash": f"{{{{ dict(range(0, 99999 * {MANY}, {MANY})|batch(2))|length }}}}",
    "a long path": "{{ range(99999)|map(attribute='x.' * 99999 + 'x', default=0)|list|length }}",
    "a long path in a field": "{% set ns = namespace() %}{% set ns.a = ns %}{{ ('{0' + '.a' * 4900000 + '}').format(ns) }}",
    "tags of a safe text": "{{ (('<b>' * 3000000)|safe).striptags()|length }}",
    "long separators": "{{ ([1] * 9999)|tojson(separators=['x' * 999999, 'y'])|length }}",
    "deep indentation": "{% set ns = namespace(n=[1] * 999) %}{% for i in range(60) %}{% set ns.n = [ns.n] %}{% endfor %}"
    "{{ ns.n|tojson(indent=9900)|length }}",
    "other ends of lines": "{{ ('\r' * 999999)|indent('x' * 9999, blank=true)|length }}",
    "other lines to wrap": "{{ ('\r' * 999999)|wordwrap(9, wrapstring='x' * 9999)|length }}",
    "a long number": "{{ 0x" + "f" * 1900000 + " }}",
    "a condition of a loop": "{% set a = 1 %}{% for k in range(99) %}{% for i in range(99999) if " + "a and " * 3000 + "a %}{% endfor %}{% endfor %}",
}  # fmt: skip

#: What a template may keep a lot of, each in little work.
KEPT = [
    "[]", "{}", "{'a': t}", "t.format", "t.upper", "w[1:]", "w + w", "w ~ w", "e|map('string')", "e|batch(2)", "{}|items",
    "e[:]", "m", "m(1, 2, a=3)", "cycler(1, 2)", "joiner()", "namespace(a=1)", "-(t|length)", "e.x", "lines.split()", "loop",
]  # fmt: skip
KEEP = (
    "{% macro m() %}{% set ns.n = namespace(v=varargs, k=kwargs, n=ns.n) %}{% endmacro %}{% set t, e = 'x', [] %}"
    "{% set w = '\u1234' * 900 %}{% set lines = 'xy ' * 9999 %}{% set ns = namespace(n=none) %}"
    "{% for i in range(999) %}{% set ns.n = namespace(n=ns.n, x=["
)


def test_namespaces_that_hold_each_other_are_printed_within_the_caps():
    with pytest.raises(ResourceLimit):
        ChatTemplate(SHARED + "{{ ns.n }}", limits=Limits(work=5_000)).render([])
    assert (
        ChatTemplate("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}").render([])
        == "<Namespace {'a': <Namespace {...}>}>"
    )


@pytest.mark.parametrize("expression", KEPT)
def test_what_is_kept_is_counted(expression):
    template = Template.from_string(
        KEEP + f"{expression}, " * 60 + "]) %}{% endfor %}", limits=Limits(memory=5_000_000, seconds=60)
    )
    with pytest.raises(ResourceLimit, match="bytes"):
        template.render()


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of a process from /proc")


#: Caps at which a case is over in some ten milliseconds; ``python -m tests.sandbox.worst_cases`` takes the default ones.
CAPS = {"work": 400, "memory": 40_000_000, "output": 1_000_000}
CASES = list(worst_cases({kind: SMALL[kind] for kind in ("text", "lists")}))
#: Methods are those of texts, operators and tests cost most over lists.
LEFT_OUT = {"method": " of lists", "operator": " of text", "test": " of text", "filter": "-"}
#: Each method is given six lists of arguments in turn: of these one here, each time another.
STEPS = {"method": 5}


@linux
@pytest.mark.parametrize("kind", ["filter", "test", "operator", "method"])
def test_the_worst_case_of_each_ends_at_a_cap(kind):
    cases = [(name, source) for name, source in CASES if name.startswith(kind) and not name.endswith(LEFT_OUT[kind])]
    cases = cases[:: STEPS.get(kind, 1)]
    found = list(outcomes((("template", source) for _, source in cases), CAPS))
    wrong = [
        (name, *outcome)
        for (name, _), outcome in zip(cases, found, strict=True)
        if not is_withstood(*outcome) or outcome[1] >= MOST_MEGABYTES / 2
    ]
    assert not wrong
    # What is refused as a whole is no case: the loops must have begun.
    assert all(rounds for _, _, rounds, _ in found)


@linux
def test_what_is_not_withstood_is_seen():
    source = LOOP.replace("BODY", "{% set x = 2|hoard %}")
    [found] = outcomes([("template", source)], {"work": 1_000})
    assert found[2] > 100
    assert not is_withstood(*found)


@linux
def test_other_attacks_end_at_a_cap():
    entries = itertools.cycle(["template", "chat"])
    found = outcomes(zip(entries, OTHERS.values(), strict=False), {"work": 5_000, "seconds": 0.3})
    wrong = {
        name: outcome
        for name, outcome in zip(OTHERS, found, strict=True)
        if not is_withstood(*outcome) or outcome[0] != "ResourceLimit"
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


class Colour(enum.StrEnum):
    RED = "red"


class Loud(str):
    __slots__ = ()

    def __str__(self):
        return self.upper()


class Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(("value", "text"), [(Colour.RED, "red"), (Loud("soft"), "soft"), (Level.LOW, "1")])
@pytest.mark.parametrize("isolate", [False, pytest.param(True, marks=linux)])
def test_values_with_a_class_of_their_own_are_plain_to_a_chat_template(value, text, isolate):
    chat = ChatTemplate("{{ x }}{{ messages[0].content }}", limits=Limits(isolate=isolate))
    assert chat.render([{"role": "user", "content": value}], x=value) == 2 * text


def test_a_number_that_is_too_large_is_no_lack_of_memory():
    for render in (
        Template.from_string("{{ (10 ** 400)|float * x }}").render,
        ChatTemplate("{{ (10 ** 400) * x }}").render,
    ):
        with pytest.raises(ResourceLimit, match="too large"):
            render(x=1.5) if render.__self__.__class__ is Template else render([], x=1.5)


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
