"""T104 is judged by rendering: what prints None, or fails without the input, is a finding, and nothing else is."""

from __future__ import annotations

import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import DiptychError, Template
from diptych.templating.check import Settings, check_text, selected

SETTINGS = Settings(datetime.date(2026, 11, 26))
HEAD = "---\ninputs:\n  x: string?\n  y: string?\n  w: string?\n  s: string[]?\n---\n"
PRINTED = (
    "x", "(x)", "x | upper", "x | trim | title", "x | default('a')", "x | default('a', true)", "x or 'a'",
    "x and 'a'", "'a' ~ x", "x ~ y", "'%s'|format(x)", "'%s' % x", "'%s%s' % ('a', x)", "'{}'.format(x)",
    "'{a}'.format(a=x)", "'ab' | replace('a', x)", "['a', x] | join(', ')", "[x]", "{'a': x}", "x if x else 'a'",
    "'a' if x else x", "x if w else 'b'", "(x or 'a') | upper", "(x ~ 'a') if x else ''", "x | tojson", "x is none",
    "x == 'a'", "'a' if x is none else x | upper", "x | e", "x | string", "x | wordwrap(5)", "x | indent", "x | fence",
    "s | length", "s | join", "(s or []) | join(',')", "s | first", "not x", "x is string and x | upper",
    "x is none or x | upper", "(x | default('', true)) ~ 'b'", "'a' | fence(x)",
)  # fmt: skip
AROUND = (
    "{{ E }}", "{% if x %}{{ E }}{% endif %}", "{% if not x %}{{ E }}{% endif %}", "{% if x is none %}{% else %}{{ E }}{% endif %}",
    "{% if x is defined %}{{ E }}{% endif %}", "{% if y %}{% elif x %}{% else %}{{ E }}{% endif %}",
    "{% if x != none %}{{ E }}{% endif %}", "{% if x == none %}{{ E }}{% endif %}", "{% if x or y %}{% else %}{{ E }}{% endif %}",
    "{% set x = 'q' %}{{ E }}", "{% set z = x %}{% set x = z %}{{ E }}", "{% if not x %}{% set x = 'q' %}{% endif %}{{ E }}",
    "{% for x in ['q'] %}{{ E }}{% endfor %}", "{% for i in [1] %}{{ E }}{% endfor %}", "{% with x = 'q' %}{{ E }}{% endwith %}",
    "{% for i in [1] if x %}{% else %}{{ E }}{% endfor %}", "{% user %}{{ E }}{% enduser %}", "{% filter trim %}{{ E }}{% endfilter %}",
)  # fmt: skip


def _found(text: str) -> list[str]:
    return [f"{one.location.line}:{one.location.column}" for one in check_text(text, selected(["T104"]), SETTINGS)]


def _shows_none(text: str) -> bool:
    """Tell whether the template prints None without some of its inputs, or does not render."""
    template = Template.from_string(text)
    values = {"x": (None, "", "q"), "y": (None, "q"), "w": (None, "q"), "s": (None, ["q"])}
    used = sorted(template.compiled.variables)
    for chosen in itertools.product(*map(values.__getitem__, used)):
        given = {name: value for name, value in zip(used, chosen, strict=True) if value is not None}
        try:
            if "none" in template.render(given).prompt.lower():
                return True
        except DiptychError:
            return True
    return False


@pytest.mark.parametrize("around", AROUND)
def test_a_finding_is_what_a_rendering_shows(around: str) -> None:
    for expression in PRINTED:
        text = HEAD + around.replace("E", expression)
        assert bool(_found(text)) == _shows_none(text), (around, expression)


@given(st.lists(st.sampled_from([a.replace("E", e) for a, e in itertools.product(AROUND, PRINTED)]), max_size=4))
def test_lines_do_not_hide_each_other(lines: list[str]) -> None:
    quiet = [line for line in lines if "set" not in line]  # a name that is set stays set in the lines below
    found = {int(place.split(":")[0]) for place in _found(HEAD + "\n".join(quiet))}
    assert found == {number for number, line in enumerate(quiet, 8) if _found(HEAD + line)}


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("x {{ 'a' ~ x ~ y }}", ["8:12", "8:16"]),
        ("{{ x }} {{ x | upper }}", ["8:12"]),
        ("{% for i in x %}{{ i }}{% endfor %}", ["8:13"]),
        ("{% for i in 'ab' %}\n  {{ i ~ x }}\n{% endfor %}", ["9:10"]),
        ("{{ '%s and %s'|format(x, y) }}", ["8:23", "8:26"]),
        ("{% set line = 'a' ~ x %}{{ line }}", ["8:21"]),
        ("{% set z = x %}{{ z | upper }}", ["8:19"]),
        ("{{ x or y }}", ["8:9"]),
        ("{{ x | upper if y else x | lower }}", ["8:4", "8:24"]),
    ],
)
def test_every_place_is_found(body: str, places: list[str]) -> None:
    assert _found(HEAD + body) == places


def test_an_input_that_may_be_null_is_optional_too() -> None:
    front = "---\ninputs:\n  x: {type: [string, 'null']}\n---\n"
    assert _found(front + "{{ x | upper }}") == ["5:4"]
    assert _found(front + "{{ x }}{{ x or 'a' }}") == []
