"""The filters that prompts need: bounded, and no data leaves its block."""

from __future__ import annotations

import json
import re
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import DiptychError, Template
from diptych.encodings.text import encode_text


def said(source: str, **inputs: Any) -> str:
    return Template.from_string(source).render(**inputs).prompt


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_tojson_is_json_without_escapes(value: Any) -> None:
    assert said("{{ x|tojson }}", x=value) == json.dumps(value, ensure_ascii=False)


@given(JSON)
def test_tojson_can_write_what_jinja_writes(value: Any) -> None:
    wanted = jinja2.Environment().from_string("{{ x|tojson }}").render(x=value)
    assert said("{{ x|tojson(html=true, ensure_ascii=true, sort_keys=true) }}", x=value) == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{{ x|tojson(ensure_ascii=true) }}", '{"b": "\\u00e9<", "a": [1]}'),
        ("{{ x|tojson(sort_keys=true) }}", '{"a": [1], "b": "é<"}'),
        ("{{ x|tojson(separators=[',', ':']) }}", '{"b":"é<","a":[1]}'),
        ("{{ x|tojson(2) }}", '{\n  "b": "é<",\n  "a": [\n    1\n  ]\n}'),
    ],
)
def test_options_of_tojson(source: str, wanted: str) -> None:
    assert said(source, x={"b": "é<", "a": [1]}) == wanted


@pytest.mark.parametrize(
    "source", ["{{ range|tojson }}", "{{ y|tojson }}", "{{ [y]|tojson }}", "{{ x|tojson(10**9) }}"]
)
def test_what_tojson_cannot_write_is_an_error(source: str) -> None:
    with pytest.raises(DiptychError):
        said(source, x={"a": 1})


@given(st.text(alphabet="`ab\n") | st.text())
def test_no_text_leaves_its_fence(value: str) -> None:
    lines = said("{{ x|fence('md') }}", x=value).split("\n")
    marks = lines[0].removesuffix("md")
    assert set(marks) == {"`"}
    assert lines[-1] == marks
    assert marks not in "\n".join(lines[1:-1])


@given(st.text(alphabet="</a> \n") | st.text())
def test_no_text_closes_its_tag(value: str) -> None:
    inner = said("{{ x|xml('a') }}", x=value).removeprefix("<a>\n").removesuffix("\n</a>")
    assert not re.search(r"<\s*/\s*a\b", inner, re.IGNORECASE)
    assert inner.replace("&lt;", "<") == value.replace("&lt;", "<")


@given(st.text(), st.integers(0, 12), st.sampled_from(["", "…", " [cut]"]))
def test_a_cut_text_has_at_most_so_many_tokens(value: str, cap: int, end: str) -> None:
    cut = said("{{ x|truncate_tokens(n, e) }}", x=value, n=cap, e=end)
    assert len(encode_text(cut)) <= cap
    if cut != value:
        assert cut == "" or (cut.endswith(end) and value.startswith(cut.removesuffix(end).rstrip("\ufffd")))


def test_lists_and_indentation() -> None:
    assert said("{{ x|bullets }}", x=["a", "b\nc", 3]) == "- a\n- b\n  c\n- 3"
    assert said("{{ x|bullets('* ') }}", x=[]) == ""
    assert said("{{ x|dedent }}", x="\n    a\n      b") == "a\n  b"
    source = """
        {% for i in x %}
        - {{ i }}
        {% endfor %}
        """
    assert Template.from_string(source, dedent=True).render(x=[1, 2]).prompt == "- 1\n- 2\n"


def test_what_data_wrote_stays_data() -> None:
    rendered = Template.from_string("A {{ x|fence }} B").render(x="d")
    assert [(span.source, span.input) for span in rendered.spans] == [
        ("template", None), ("data", "x"), ("template", None),
    ]  # fmt: skip
