"""No template can nest values so deeply that the process dies, in whichever way it nests them."""

from pathlib import Path

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.forks import Forks

from diptych import ChatTemplate, Library, ResourceLimit, Template
from diptych.sandbox import Limits
from diptych.sandbox.nesting import DEEPEST, nested

WORKER = Path(__file__).with_name("nesting_worker.py")

#: Statements that put what ``ns.x`` holds into one more container, in every way there is.
BUILDERS = {
    "tuple": "{% set ns.x = (ns.x,) %}",
    "bare-tuple": "{% set ns.x = ns.x, 1 %}",
    "list": "{% set ns.x = [ns.x] %}",
    "dict": "{% set ns.x = {'a': ns.x} %}",
    "dict-key": "{% set ns.x = ({(ns.x,): 1}|list)[0] %}",
    "add": "{% set ns.x = () + (ns.x,) %}",
    "multiply": "{% set ns.x = (ns.x,) * 1 %}",
    "slice": "{% set ns.x = (ns.x, 1)[:1] %}",
    "choice": "{% set ns.x = (ns.x if false else (ns.x,)) %}",
    "two-names": "{% set y = (ns.x,) %}{% set ns.x = y %}",
    "with": "{% with y = (ns.x,) %}{% set ns.x = y %}{% endwith %}",
    "dict()": "{% set ns.x = dict(a=ns.x) %}",
    "dict()-pairs": "{% set ns.x = dict([('a', ns.x)]).items()|list %}",
    "namespace": "{% set ns.x = (namespace(a=(ns.x,)).a,) %}",
    "cycler": "{% set ns.x = cycler(ns.x).items %}",
    "varargs": "{% macro m() %}{% set ns.x = varargs %}{% endmacro %}{{ m(ns.x) }}",
    "kwargs": "{% macro m() %}{% set ns.x = kwargs %}{% endmacro %}{{ m(a=ns.x) }}",
    "caller": "{% macro m() %}{{ caller(ns.x) }}{% endmacro %}{% call(a) m() %}{% set ns.x = (a,) %}{% endcall %}",
    "call-inside": "{% macro m(a) %}{% set ns.x = a %}{% endmacro %}{% set y = [m((ns.x,))] %}",
    "batch": "{% set ns.x = ns.x|batch(1)|list %}",
    "batch-fill": "{% set ns.x = (1,)|batch(2, ns.x)|first %}",
    "slice-filter": "{% set ns.x = ns.x|slice(1)|list %}",
    "slice-fill": "{% set ns.x = (1,)|slice(2, ns.x)|last %}",
    "groupby": "{% set ns.x = [{'a': 1, 'b': ns.x}]|groupby('a') %}",
    "items": "{% set ns.x = {'a': ns.x}|items|list %}",
    "dictsort": "{% set ns.x = {'a': ns.x}|dictsort %}",
    "map": "{% set ns.x = [ns.x]|map('batch', 1)|map('list')|list %}",
    "map-attribute": "{% set ns.x = [{'a': (ns.x,)}]|map(attribute='a')|first %}",
    "sum": "{% set ns.x = [(ns.x,)]|sum(start=()) %}",
    "default": "{% set ns.x = nothing|default((ns.x,)) %}",
    "sort": "{% set ns.x = [(ns.x,)]|sort %}",
    "view": "{% set ns.x = {'a': ns.x}.values() %}",
    "doubled": "{% set ns.x = (ns.x, ns.x) %}",
    "doubled-by-view": "{% set ns.x = [ns.x, ns.x].copy() %}",
    "recursive-loop": "{% for a in [(ns.x,)] recursive %}{% set ns.x = a %}{% endfor %}",
    "loop-over": "{% for a in ((ns.x,),) %}{% set ns.x = a %}{% endfor %}",
}  # fmt: skip
#: The same by functions that the caller registers, which only ``Template`` takes.
REGISTERED = {
    "own-filter": "{% set ns.x = ns.x|wrap %}",
    "own-filter-in-map": "{% set ns.x = [ns.x]|map('wrap')|list %}",
    "own-lazy-filter": "{% set ns.x = [ns.x]|pairs|first %}",
    "own-function": "{% set ns.x = wrapped(ns.x) %}",
}
#: What Python then does with the value by recursion.
USES = {
    "key": "{% set d = {ns.x: 1} %}{{ d|length }}",
    "unique": "{{ [ns.x]|unique|list|length }}",
    "in": "{{ ns.x in [(ns.x,), 2] }}{{ ns.x in {} }}",
    "equal": "{{ ns.x == (ns.x,) }}",
    "sort": "{{ [(ns.x,), (ns.x,)]|sort|length }}",
    "group": "{{ [{'a': ns.x}]|groupby('a')|length }}",
    "print": "{{ ns.x }}",
    "text": "{{ ns.x|string ~ '' }}{{ '%s' % (ns.x,) }}",
    "json": "{{ ns.x|tojson }}",
    "free": "{% set ns.x = 1 %}",
}


def looped(builder, use="{{ ns.x == 1 }}"):
    loops = "{% for j in range(3) %}{% for i in range(99999) %}" + builder + "{% endfor %}{% endfor %}"
    return "{% set ns = namespace(x=(1,)) %}" + loops + use


@pytest.fixture(scope="module")
def outcome():
    fork = Forks(WORKER)
    yield lambda template, entry: fork({"entry": entry, "template": template})
    fork.close()


ROWS = [
    *((f"{name}-{entry}", source, entry) for name, source in BUILDERS.items() for entry in ("Template", "ChatTemplate")),
    *((name, source, "Template") for name, source in REGISTERED.items()),
]  # fmt: skip


@pytest.mark.parametrize(("source", "entry"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_no_way_of_nesting_ends_the_process(outcome, source, entry):
    got = outcome(looped(source, USES["free"]), entry)
    assert got["error"] == "ResourceLimit", got
    assert ":1:" in got["place"]


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_no_use_of_a_nested_value_ends_the_process(outcome, use):
    assert outcome(looped(BUILDERS["tuple"], use), "Template")["error"] == "ResourceLimit"


def test_a_module_that_keeps_its_namespace_gains_no_depth_from_render_to_render():
    library = Library({
        "main": "{% import 'keep' as keep %}{% for i in range(20) %}{{ keep.push() }}{% endfor %}",
        "keep": "{% set ns = namespace(x=1) %}{% macro push() %}{% set ns.x = (ns.x,) %}{% endmacro %}",
    })  # fmt: skip
    with pytest.raises(ResourceLimit, match="nested more than 128 levels"):
        for _ in range(20):
            library["main"].render()


# what may be nested ----------------------------------------------------------------------------------------


def wrapped(levels):
    loop = "{% for i in range(" + str(levels) + ") %}{% set ns.x = [ns.x] %}{% endfor %}"
    return "{% set ns = namespace(x=1) %}" + loop + "{{ ns.x|length }}"


def test_the_cap_is_twice_that_of_inputs_and_says_where():
    assert Template.from_string(wrapped(128)).render().prompt == "1"
    with pytest.raises(ResourceLimit, match="nested more than 128 levels deep") as caught:
        Template.from_string("a\n" + wrapped(129), name="t.jinja").render()
    assert (caught.value.location.file, caught.value.location.line) == ("t.jinja", 2)
    assert caught.value.hint == "build a flatter value, or raise Limits.depth"
    assert Template.from_string(wrapped(300), limits=Limits(depth=150)).render().prompt == "1"
    with pytest.raises(ResourceLimit, match=f"more than {DEEPEST} levels"):
        Template.from_string(wrapped(DEEPEST + 1), limits=Limits(depth=10**6)).render()
    with pytest.raises(ResourceLimit, match="nested more than 128 levels deep") as caught:
        ChatTemplate(wrapped(129)).render([])
    assert caught.value.location.line == 1


def test_the_deepest_input_can_still_be_put_into_something():
    value = 1
    for _ in range(65):
        value = [value]
    template = Template.from_string("{% macro m() %}{{ varargs|length }}{% endmacro %}{{ m({'a': [x]}) }}")
    assert template.render(x=value).prompt == "1"


def test_a_list_that_grows_in_a_loop_is_not_deep():
    source = (
        "{% set ns = namespace(l=[]) %}{% for i in range(3000) %}{% set ns.l = ns.l + [{'role': i, 'of': [i]}] %}"
        "{% endfor %}{{ ns.l|length }}"
    )
    assert Template.from_string(source).render().prompt == "3000"
    assert ChatTemplate(source).render([]) == "3000"


def test_a_value_that_stands_in_itself_many_times_is_refused():
    source = (
        "{% set ns = namespace(x=(1,)) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}"
        "{{ {ns.x: 1}|length }}"
    )
    with pytest.raises(ResourceLimit, match="holds more than 1,000,000 lists and mappings"):
        Template.from_string(source, limits=Limits(seconds=1e9)).render()


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    | st.tuples(inner) | st.tuples(inner, inner),
    max_leaves=20,
)  # fmt: skip


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, [*value, *value.values()]), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list | tuple) else 0


@given(VALUES.filter(lambda value: isinstance(value, list | tuple | dict)), st.integers(0, 130))
def test_depth_is_what_it_says(value, more):
    for _ in range(more):
        value = [value]
    if depth_of(value) <= 128:
        assert nested(value) is value
    else:
        with pytest.raises(ResourceLimit):
            nested(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=20,
)


@given(JSON)
def test_a_container_in_the_source_means_what_it_means_in_jinja(value):
    source = "{{ [x, {'a': x, 'b': (x, [x, -1])}, (x,), {'c': [1, (2,)]}] }}"
    assert ChatTemplate(source).render([], x=value) == jinja2.Environment(autoescape=False).from_string(source).render(
        x=value
    )
