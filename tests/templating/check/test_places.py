"""Every finding stands where its fault does, and no fault hides another."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes

from diptych import Library, Limits
from diptych.templating.check import Settings, check_text, selected
from diptych.templating.check.columns import parse
from diptych.templating.engine import make_engine

SETTINGS = Settings(datetime.date(2026, 11, 26))
PIECES = ("{{ name }}", "{%- if name %}", "{% endif -%}", "{# name #}", "{% raw %}{{ name }}{% endraw %}", "text", " ",
          "\n", "\r\n", "{{ 'a' ~\n name|upper }}", "{% set\n  name = name %}", "{{- name.name['name'] -}}", "ü")  # fmt: skip


def _found(text: str) -> list[tuple[str, str]]:
    found = check_text(text, selected(), SETTINGS)
    assert all(one.hint and one.location.source for one in found)
    return [(one.code, f"{one.location.line}:{one.location.column}") for one in found]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from(["lines", "jinja", "blocks"]))
def test_a_node_knows_its_column(pieces: list[str], trim: str) -> None:
    opened = sum("if" in one and "end" not in one for one in pieces)
    body = "".join(one for one in pieces if "endif" not in one) + "{% endif %}" * opened
    lines = body.replace("\r\n", "\n").split("\n")
    for node in parse(make_engine().environment, trim, body, "n", "f").find_all(nodes.Name):
        assert lines[node.lineno - 1].startswith("name", node.lineno.column - 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("---\ninputs: {a: strng, b: 5, c: {type: integer, default: x}}\n---\n{{ a }}{{ b }}{{ c }}{{ d }}",
         [("T001", "2:10"), ("T001", "2:20"), ("T103", "2:26"), ("T101", "4:25")]),
        ("---\nmodle: x\ntrim: line\nsamples: [1, {a: 2}, z]\nformat: 5\n---\n{{ a | uper }}",
         [("T001", "2:1"), ("T001", "3:1"), ("T001", "4:11"), ("T001", "4:22"), ("T001", "5:1"), ("T002", "7:8")]),
        ("---\ninputs: {a: string}\nparams: {temprature: 1}\ntools: [{x: 1}, 5]\n---\n{% if a %}{{ a | uper }}",
         [("T201", "3:10"), ("T001", "4:9"), ("T001", "4:17"), ("T001", "6:4"), ("T002", "6:18")]),
        ("{{ a | uper }}\n{% include 'nope' %}{{ b c }}\n{% if x is strin %}{% endif %}",
         [("T002", "1:8"), ("T003", "2:13"), ("T001", "2:26"), ("T002", "3:12")]),
        ("---\ninputs: {a: string, n: integer}\nsamples: [{a: 1, b: 2, c: 3, n: x}, {a: x}]\n---\n{{ a | uper }}{{ n }}",
         [("T105", "3:12"), ("T105", "3:18"), ("T105", "3:24"), ("T105", "3:37"), ("T002", "5:8")]),
        ("{{ a | uper }}{% break %}", [("T002", "1:8"), ("T001", "1:15")]),
        ("---\ninputs: {a: string}\n---\n{% system %}{% if a %}{% endif %} a {{ a }}{% endsystem %}{% user %}x{% enduser %}",
         [("T401", "4:40")]),
        ("---\ninputs: {a: string}\n---\n{% for b in a %}{{ b }}{% endfor %}{{ b }}", [("T101", "4:39")]),
        ("---\ninputs: {rows: array}\n---\n{% system %}{% for r in rows %}{{ r.x }}{% endfor %}{{ rows | length }}{% endsystem %}"
         "{% user %}x{% enduser %}", [("T401", "4:35")]),
    ],
)  # fmt: skip
def test_all_faults_are_found_where_they_stand(text: str, found: list[tuple[str, str]]) -> None:
    assert _found(text) == found


def test_no_name_is_suggested_for_itself() -> None:
    text = "---\ninputs: {a: string}\n---\n{% for value in a %}{{ value }}{% endfor %}{{ value }}"
    hints = [one.hint for one in check_text(text, selected(["T101"]), SETTINGS)]
    assert hints == ["declare it under inputs:"]


def test_a_file_over_the_cap_is_reported_and_left() -> None:
    library = Library(limits=Limits(source=50))
    found = check_text("{{ x | uper }}" * 9, selected(), SETTINGS, library=library)
    assert [(one.code, one.message) for one in found] == [("T001", "the file has 126 characters, over 50")]
