"""A chain of ``+`` is one guarded call, and means what it means in Jinja; data are not copied, and stay as they are."""

import contextlib
import copy

import pytest
from jinja2 import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from diptych import ChatTemplate, FormatError, ResourceLimit, Template, TemplateError
from diptych.sandbox import Limits, close_account, make_environment, open_account

VALUES = {"a": "x", "b": "<y>", "n": 2, "f": 0.5, "xs": [1], "ys": ["z"], "none": None, "m": {"k": "v", "e": {}}}
CHAINS = [
    "a + b", "a + b + a + b + 'c' + ' '", "n + n + n * 2 + f", "xs + ys + xs", "(1, 2) + (3,) + ()", "a + (b + a) + b",
    "(b|escape) + b + a", "a + b + (b|safe) + a", "m.k + m['k'] + a|upper + b", "a ~ (b + n|string) ~ a", "-n + +n + 1",
    "a + n", "a + b + n + a", "n + n + a", "a + none", "a + missing + b", "missing + a", "a + m.e.missing + a", "xs + a",
    "a + b + m.nothing.deeper", "range(2)|list + xs + ys", "true + 1 + 1.5", "'' + '' + ''",
]  # fmt: skip


def outcome(environment, source):
    try:
        return environment.from_string(source).render(**VALUES)
    except Exception as error:
        return type(error).__name__, str(error)


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_means_what_it_means_in_jinja(chain):
    source = "{% for i in range(1) %}{{ " + chain + " }}{% endfor %}"
    assert outcome(make_environment(undefined=Undefined), source) == outcome(ImmutableSandboxedEnvironment(), source)


@pytest.mark.parametrize("chain", ["a + a", "a + '' + a + ''", "[1, 2, 3] + [1, 2, 3]", "'' + (a + a)", "a|escape + a"])
def test_a_chain_is_capped_before_it_is_built(chain):
    template = make_environment().from_string("{% set x = " + chain + " %}")
    token = open_account(Limits(output=5))
    try:
        with pytest.raises(ResourceLimit):
            template.render(a="abc")
    finally:
        close_account(token)


def test_what_fails_first_is_what_is_said():
    source = "{{ 'a' + n + raise_exception('too late') }}"
    with pytest.raises(TemplateError, match="can only concatenate str"):
        ChatTemplate(source).render([], n=1)
    with pytest.raises(TemplateError, match="in time"):
        ChatTemplate("{{ 'a' + raise_exception('in time') + n }}").render([], n=1)


def test_a_long_chain():
    assert Template.from_string("{{ " + " + ".join(["a"] * 60) + " }}").render(a="x").prompt == "x" * 60


CHAT = [
    {"role": "user", "content": "Hi", "n": 1},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}], "tool_calls": [{"function": {"arguments": {}}}]},
]


@pytest.mark.parametrize(
    "source",
    [
        "{% set _ = messages.append(1) %}", "{% set _ = messages[0].update({'role': 1}) %}",
        "{% set _ = messages[1].content.pop() %}", "{% set _ = messages[1]['content'][0].clear() %}",
        "{% set _ = messages|map(attribute='clear')|list %}{% for f in _ %}{% set x = f() %}{% endfor %}",
        "{% set _ = messages|map('attr', 'clear')|list %}", "{% set messages = messages|reverse|list %}",
        "{% for m in messages %}{% set m = {} %}{% endfor %}", "{% set messages = messages[1:] %}",
        "{% set _ = messages.sort() %}", "{% set _ = (messages[0]|attr('setdefault'))('x', 1) %}",
        "{% set ns = namespace(m=messages[0]) %}{% set ns.m = 1 %}", "{% set _ = messages[0]|items|list %}",
        "{% set _ = messages.__iadd__([1]) %}", "{% set _ = messages[0].__setitem__('role', 1) %}",
    ],
)  # fmt: skip
def test_no_template_changes_the_callers_messages(source):
    chat = copy.deepcopy(CHAT)
    with contextlib.suppress(TemplateError):
        ChatTemplate(source).render(chat)
    assert chat == CHAT


def test_continuing_a_message_leaves_it_as_it_is():
    for last in CHAT:
        chat = [copy.deepcopy(last)]
        ChatTemplate("{{ messages|tojson }}").render(chat, continue_final_message=True)
        assert chat == [last]


@pytest.mark.parametrize("levels", [1, 62, 63, 64, 65, 66, 200])
@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: {"k": x}, lambda x: (x,)])
def test_depth_of_data_is_capped_wherever_it_stands(levels, wrap):
    value = "leaf"
    for _ in range(levels):
        value = wrap(value)
    if levels > 65:
        with pytest.raises(FormatError, match="nested too deeply"):
            ChatTemplate("x").render([], value=value)
    else:
        assert ChatTemplate("x").render([], value=value) == "x"


@pytest.mark.parametrize("value", [{1: "a"}, [{"k": b"x"}], object(), [[[{1, 2}]]], {"k": {"k": lambda: 1}}])
def test_other_data_is_made_plain_or_refused(value):
    if value == {1: "a"}:
        assert ChatTemplate("{{ value['1'] }}").render([], value=value) == "a"
    else:
        with pytest.raises(FormatError, match="is not plain data"):
            ChatTemplate("x").render([], value=value)
