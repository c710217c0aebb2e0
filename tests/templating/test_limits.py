"""The caps of a render hold as they are passed, on every path: fast, Jinja, history, source, depth."""

import json
import re

import pytest

import diptych
from diptych import ChatTemplate, FormatError, InvalidInput, Library, Limits, ResourceLimit, Template, load

TALK = [{"role": "user", "content": "x" * 40}, {"role": "assistant", "content": "y" * 40}]
INPUTS = {"a": "12345", "b": "678", "c": "é" * 7, "d": ["x", {"k": 1}]}
#: Bodies that have a fast path.
BODIES = [
    "Hello", "{{ a }}", "{{ a }}{{ a }} {{ b }}", "{{ c|upper }}{{ a|trim }}", "{{ d }}!", "a {{ 'const' }} b",
    "\n{% system %}\nBe brief.\n{% endsystem %}\n\n{% user %}\n{{ a }}{{ c }}\n{% enduser %}\n",
    "{% user %}{{ d }}{% enduser %}",
]  # fmt: skip
HISTORIES = [
    "{% history talk %}", "{% user %}{{ a }}{% enduser %}{% history talk %}",
    "{% history talk roles=['user', 'assistant'] %}",
    "{% macro all() %}{% history talk %}{% endmacro %}{{ all() }}",
]  # fmt: skip


def outcome(body, limits, inputs):
    used = {name: value for name, value in inputs.items() if re.search(rf"({{{{|history) {name}\b", body)}
    try:
        return Template.from_string(body, limits=limits).render(**used).messages
    except ResourceLimit:
        return "over"


@pytest.mark.parametrize("body", BODIES)
def test_the_cap_on_output_is_the_same_on_the_fast_path_and_in_jinja(body):
    found = []
    for cap in range(90):
        limits = Limits(output=cap)
        fast, slow = outcome(body, limits, INPUTS), outcome(body + "{% if true %}{% endif %}", limits, INPUTS)
        assert fast == slow, cap
        found.append(fast == "over")
    assert found == sorted(found, reverse=True)
    assert (found[0], found[-1]) == (True, False)


@pytest.mark.parametrize("body", HISTORIES)
def test_a_history_counts_as_output(body):
    inputs = {"talk": TALK, "a": "1234567890"}
    total = 80 + 10 * ("{{ a }}" in body)
    assert outcome(body, Limits(output=total - 1), inputs) == "over"
    assert len(outcome(body, Limits(output=total), inputs)) >= 2


def test_many_long_texts_together_are_over_the_cap():
    names = [f"x{i}" for i in range(20)]
    template = Template.from_string("".join(f"{{{{ {name} }}}}" for name in names))
    with pytest.raises(ResourceLimit):
        template.render(**dict.fromkeys(names, "x" * 600_000))
    wide = template.with_limits(Limits(output=20_000_000))
    assert len(wide.render(**dict.fromkeys(names, "x" * 600_000)).prompt) == 12_000_000


def nested(levels):
    value = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "body", ["{{ a }}", "{% if 1 %}{{ a }}{% endif %}", "{% if 1 %}{{ a[0][0] }}{% endif %}", "{% user %}{{ a }}{% enduser %}"]
)  # fmt: skip
def test_the_cap_on_depth(body):
    with pytest.raises(InvalidInput):
        Template.from_string(body, limits=Limits(depth=1)).render(a=nested(4))
    with pytest.raises(InvalidInput):
        Template.from_string(body).render(a=nested(90))
    rendered = Template.from_string(body, limits=Limits(depth=100)).render(a=nested(90))
    assert "x" in rendered.prompt
    assert "x" in "".join(segment.text for _, segments in rendered.segments for segment in segments)


def test_the_cap_on_the_depth_of_a_history():
    template = Template.from_string("{% history talk %}", limits=Limits(depth=0))
    with pytest.raises(InvalidInput):
        template.render(talk=TALK)
    assert template.with_limits(Limits(depth=1)).render(talk=TALK).messages == TALK


LONG = "x" * 1000


def sources(folder):
    """Yield every way to a template of 1,000 characters, as a function of the limits."""
    (folder / "long.jinja").write_text(LONG)
    (folder / "outer.jinja").write_text("{% include name %}")
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({"chat_template": LONG}))
    yield lambda limits: Template.from_string(LONG, limits=limits).render().prompt
    yield lambda limits: Template.from_string(LONG, globals={"g": 1}, limits=limits).render().prompt
    yield lambda limits: Template.from_string(LONG).with_limits(limits).render().prompt
    yield lambda limits: load(folder / "long.jinja", limits=limits).render().prompt
    yield lambda limits: diptych.render(folder / "long.jinja", limits=limits).prompt
    yield lambda limits: diptych.render(Template.from_string(LONG), limits=limits).prompt
    yield lambda limits: Library(folder, limits=limits)["long"].render().prompt
    yield lambda limits: Library({"long": LONG}, limits=limits)["long"].render().prompt
    yield lambda limits: Library(folder, limits=limits)["outer"].render(name="long").prompt
    yield lambda limits: load(folder / "outer.jinja", limits=limits).render(name="long").prompt
    yield lambda limits: Library({"a": "{% include 'long' %}", "long": LONG}, limits=limits)["a"].render().prompt
    yield lambda limits: ChatTemplate(LONG, limits=limits).render([])
    yield lambda limits: ChatTemplate.from_tokenizer_config(config, limits=limits).render([])


@pytest.mark.parametrize("number", range(13))
def test_the_cap_on_the_source(tmp_path, number):
    make = list(sources(tmp_path))[number]
    assert make(Limits(source=1000)) == LONG
    with pytest.raises(ResourceLimit):
        make(Limits(source=999))
    assert make(Limits(source=1000)) == LONG, "what one cap refused, another allows"


def test_the_cap_on_the_source_can_be_raised():
    text = "x" * 2_500_000
    assert len(Template.from_string(text, limits=Limits(source=3_000_000)).render().prompt) == 2_500_000


@pytest.mark.parametrize(
    "limits", [Limits(output=50), Limits(work=20), Limits(seconds=0.0)], ids=["output", "work", "seconds"]
)
def test_the_caps_of_a_chat_template(limits):
    loop = ChatTemplate("{% for i in range(30) %}xx{% endfor %}{{ 'y' * 60 }}", limits=limits)
    with pytest.raises(ResourceLimit):
        loop.render([])
    assert ChatTemplate(loop.source).render([]) == "xx" * 30 + "y" * 60


def test_the_depth_of_what_a_chat_template_is_given():
    template = ChatTemplate("{{ messages[0].content }}", limits=Limits(depth=2))
    assert template.render([{"content": "Hi"}]) == "Hi"
    with pytest.raises(FormatError):
        template.render([{"content": [["Hi"]]}])


def test_an_input_may_bear_the_name_of_the_argument():
    template = Template.from_string("{{ limits }}")
    assert diptych.render(template, limits="none").prompt == "none"
    assert template.render(limits="none").prompt == "none"
