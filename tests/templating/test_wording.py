"""Typical mistakes, and what is said about them: message, place and way out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import DiptychError, ResourceLimit, Template, TemplateError, TemplateSyntaxError
from diptych.templating.wording import open_tags

TYPICAL = {
    "{% if x %}yes": (1, 4, "{% if %} is not closed", "close it with {% endif %}"),
    "a\n{% for i in x %}\n{{ i }}\n": (2, 4, "{% for %} is not closed", "close it with {% endfor %}"),
    "{% user %}a{% endsystem %}": (
        1, 15, "{% endsystem %} does not close {% user %}", "close it with {% enduser %} first",
    ),
    "{{ a b }}": (
        1, 6, "'b' was not expected here",
        "join texts with ~, call a function with ( ), end the expression with }}",
    ),
    "{{#if x}}a{{/if}}": (1, 1, "this is Handlebars: {{#if", "write {% if x %} … {% endif %} or {% for %}"),
    "a\nb {{ x": (2, 3, "{{ is not closed", "close it with }}"),
    "{% if x = 1 %}a{% endif %}": (1, 9, "= sets a value; it does not compare", "compare with =="),
    '{"a": {{"b": 1}}}': (
        1, 7, 'the braces of JSON begin an expression here: {{"',
        "put literal JSON between {% raw %} and {% endraw %}",
    ),
    "a {% endif %}": (1, 6, "{% endif %} closes nothing", "take it out, or open it before"),
    "{% if x %}{% elseif y %}{% endif %}": (1, 14, "'elseif' is not a tag", "write {% elif … %}"),
    "{% if x %}a{% else if y %}b{% endif %}": (1, 15, "'else if' is not a tag", "write {% elif … %}"),
    "{{ x | }}": (1, 6, "a filter's name is missing after |", "write {{ x | upper }}"),
    "{{ x && y }}": (1, 6, "this operator is of another language: &&", "write and, or, not"),
    "{% for i of x %}{% endfor %}": (1, 10, "a loop needs 'in', not 'of'", "write {% for i in items %}"),
    "{{> part }}": (1, 1, "this is a partial of Handlebars or Mustache: {{>", "write {% include 'name' %}"),
    "{{ 'abc }}": (1, 4, "a text is not closed", "close the text with the quote that opened it"),
    "{# note": (1, 1, "{# is not closed", "close it with #}"),
    "{% raw %}x": (1, 4, "{% raw %} is not closed", "close it with {% endraw %}"),
    "{% uesr %}a{% enduesr %}": (1, 4, "there is no tag 'uesr'", "did you mean 'user'?"),
    "{{ x | uper }}": (1, 8, "unknown filter 'uper'", "did you mean 'upper'?"),
    "{% set x %}a": (1, 4, "{% set %} is not closed", "write {% set x = … %}, or close the block with {% endset %}"),
}  # fmt: skip


@pytest.mark.parametrize("source", TYPICAL)
def test_typical_mistakes(source: str) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        Template.from_string(source)
    error = caught.value
    assert error.location is not None
    assert (error.location.line, error.location.column, error.message, error.hint) == TYPICAL[source]


@given(
    st.lists(
        st.sampled_from(["{% if x %}", "{% endif %}", "{{ x }}", "{{", "}}", "{%", "{# a #}", "'", "a\n", "|", "="])
    )
)
def test_whatever_is_wrong_is_an_error_with_a_place(pieces: list[str]) -> None:
    error: Exception | None = None
    try:
        Template.from_string("".join(pieces))
    except DiptychError as caught:
        error = caught
    if error is not None and not isinstance(error, ResourceLimit):
        assert isinstance(error, TemplateError)
        assert error.location is not None


def test_open_tags() -> None:
    assert list(open_tags("{% if a %}\n{% for b in c %}{% endfor %}\n{% block d %}")) == [(1, "if"), (3, "block")]
