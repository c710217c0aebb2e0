"""White space around tags, judged by a scanner of lines and by plain Jinja."""

from __future__ import annotations

import re

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import Template, TemplateSyntaxError

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_SILENT = re.compile(r"\{#|\{%\s*(if|elif|else|endif|for|endfor|set|endset|macro|endmacro|block|endblock)\b")


def by_lines(source: str) -> str:
    """Return a source from which every line of silent tags is taken out: what ``jinja`` prints of it is ``lines``."""
    kept = []
    for line in source.split("\n"):
        tags = _TAG.findall(line)
        bare = not _TAG.sub("", line).strip()
        signed = any(tag[2] in "+-" or tag[-3] in "+-" for tag in tags)
        inline = any(re.match(r"\{%\s*block", tag) for tag in tags) and any("endblock" in tag for tag in tags)
        if tags and bare and not signed and not inline and all(map(_SILENT.match, tags)):
            kept.append("".join(tags) + "\0")
        else:
            kept.append(line + "\n")
    text = "".join(kept)
    return text[:-1] if text.endswith("\n") else text


def plain(source: str, *, blocks: bool = False, **inputs: object) -> str:
    environment = jinja2.Environment(trim_blocks=blocks, lstrip_blocks=blocks)
    return environment.from_string(source).render(**inputs)


def rendered(source: str, trim: str, **inputs: object) -> str:
    front = f"---\ntrim: {trim}\ninputs: {{x: any, y: any}}\n---\n"
    return Template.from_string(front + source).render(**inputs).prompt


_BLANKS = st.sampled_from(["", "", " ", "  ", "\t"])
_WORDS = st.sampled_from(["a", "b c", "{{ x }}", "{{ y }} z", "", " "])


@st.composite
def _lines(draw: st.DrawFn, depth: int = 2) -> list[str]:
    """Return lines with tags alone on them, beside text, signed and not."""
    found: list[str] = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["text", "set", "comment", "block", "inline", "deep"]))
        before, after = draw(_BLANKS), draw(_BLANKS)
        open_, close = draw(st.sampled_from([("{%", "%}")] * 4 + [("{%-", "%}"), ("{%", "-%}"), ("{%+", "%}")]))
        if kind == "text":
            found.append(before + draw(_WORDS) + after)
        elif kind == "set":
            found.append(f"{before}{open_} set q = 1 {close}{after}")
        elif kind == "comment":
            found.append(f"{before}{{# note #}}{after}")
        elif kind == "inline":
            found.append(f"{before}{{% if x %}}{draw(_WORDS)}{{% endif %}}{after}")
        elif depth:
            tag = draw(st.sampled_from(["if x", "for i in [1, 2]", "if not x"]))
            end = "endfor" if tag.startswith("for") else "endif"
            found.append(f"{before}{open_} {tag} {close}{after}")
            found += draw(_lines(depth - 1))
            found.append(f"{before}{{% {end} %}}{after}")
    return found


@given(_lines(), st.sampled_from(["", "\n", "\n\n"]))
def test_lines_are_those_of_a_scanner(lines: list[str], end: str) -> None:
    source = "\n".join(lines) + end
    # One line break at the end of the file is dropped first, as Jinja does.
    scanned = by_lines(source.removesuffix("\n"))
    environment = jinja2.Environment(keep_trailing_newline=True)
    wanted = environment.from_string(scanned).render(x="X", y="Y").replace("\0", "")
    assert rendered(source, "lines", x="X", y="Y") == wanted


@given(_lines(), st.sampled_from(["", "\n", "\n\n"]), st.booleans())
def test_jinja_and_blocks_are_plain_jinja(lines: list[str], end: str, blocks: bool) -> None:
    source = "\n".join(lines) + end
    trim = "blocks" if blocks else "jinja"
    assert rendered(source, trim, x="X", y="Y") == plain(source, blocks=blocks, x="X", y="Y")


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("Items:\n{%- for i in x %}\n- {{ i }}\n{%- endfor %}\nEnd", "Items:\n- 1\n- 2\nEnd"),
        ("Items:\n{% for i in x %}\n- {{ i }}\n{% endfor %}\nEnd", "Items:\n- 1\n- 2\nEnd"),
        (
            "{% block a %}Be kind.{% endblock %}\n{% block b %}- no lies{% endblock %}\nEnd",
            "Be kind.\n- no lies\nEnd",
        ),
        ("a\n{% block c %}{% endblock %}\nb", "a\n\nb"),
        ("a\n  {# one\n  two #}  \nb", "a\nb"),
        ("a\n{% set q = 1 -%}\n{% set r = 2 %}\nb", "a\nb"),
        ("{% macro m() %}[{{ caller() }}]{% endmacro %}\na\n{% call m() %}x{% endcall %}\nb", "\na\n[x]\nb"),
        ("a\n{% raw %}\n{% if %}\n{% endraw %}\nb", "a\n{% if %}\nb"),
        ("a\r\n{% if x %}\r\nb\r\n{% endif %}\r\nc", "a\nb\nc"),
        ("a\u2028{% if x %}\nb\n{% endif %}", "a\u2028\nb\n"),
    ],
)
def test_lines_alone(source: str, wanted: str) -> None:
    inputs = {"x": [1, 2]} if "x %}" in source and "raw" not in source else {}
    assert Template.from_string(source).render(**inputs).prompt == wanted


def test_each_file_has_its_own_rule(tmp_path: object) -> None:
    from diptych import Library

    files = {
        "a.jinja": "{% include 'b' %}\n{% if true %}\nx\n{% endif %}",
        "b.jinja": "---\ntrim: jinja\n---\n{% if true %}\ny\n{% endif %}",
    }
    assert Library(files)["a"].render().prompt == "\ny\n\nx\n"


def test_an_unknown_rule_is_refused_at_its_place() -> None:
    with pytest.raises(TemplateSyntaxError, match="trim cannot be 'line'") as caught:
        Template.from_string("---\ntrim: line\n---\na")
    assert "did you mean 'lines'" in str(caught.value)
    assert caught.value.location is not None
    assert caught.value.location.line == 2
