"""Paths of inputs, stable prefixes, and two versions side by side."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.commands import diptych_command

from diptych import Template
from diptych.encodings.text import encode_text
from diptych.templating.analyse import analyse, stable_prefix
from diptych.templating.compare import compare


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("{{ a }}", ["a"]),
        ("{{ a.b.c }} {{ a['d'] }} {{ a[0] }}", ["a.b.c", "a.d", "a[]"]),
        ("{% for i in a.rows %}{{ i.x }}{{ loop.index }}{% endfor %}", ["a.rows", "a.rows[].x"]),
        ("{% for i in a %}{% for j in i.b %}{{ j }}{% endfor %}{% endfor %}", ["a", "a[].b", "a[].b[]"]),
        ("{% for i in a if i.ok %}{{ i.x | upper }}{% endfor %}", ["a", "a[].ok", "a[].x"]),
        ("{% set a = 1 %}{{ a }}", []),
        ("{% user %}{% image pic %}{{ a ~ b.c }}{% enduser %}{% history past %}", ["a", "b.c", "past", "pic"]),
    ],
)
def test_paths(body: str, paths: list[str]) -> None:
    assert [found.path for found in analyse(Template.from_string(body))] == paths


def test_paths_have_their_declared_types_and_lines() -> None:
    front = (
        "---\ninputs:\n  o: {type: object, properties: {rows: {type: array, items: {type: object, "
        "properties: {n: {type: integer}}}}}}\n---\n"
    )
    found = analyse(Template.from_string(front + "{% for r in o.rows %}\n{{ r.n }}\n{{ r.z }}{% endfor %}"))
    assert [tuple(one) for one in found] == [
        ("o.rows", "array", (5,)),
        ("o.rows[].n", "integer", (6,)),
        ("o.rows[].z", "any", (7,)),
    ]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_the_prefix_is_what_all_share(values: list[str]) -> None:
    template = Template.from_string("Rules that stay. {{ x }} End.")
    rendered = [template.render(x=value) for value in values]
    found = stable_prefix(rendered, model="gpt-4o")
    ids = [encode_text(f"user\n{one.prompt}\n") for one in rendered]
    assert all(other[: found.tokens] == ids[0][: found.tokens] for other in ids)
    assert found.total == max(map(len, ids))
    assert found.broken_by == ("x" if len({one.prompt for one in rendered}) > 1 else None)


@pytest.mark.parametrize(
    ("body", "rows", "name"),
    [
        ("{{ a }}{{ b }}", [{"a": "x", "b": "y"}, {"a": "x", "b": "z"}], "b"),
        ("{{ a }}{{ b }}", [{"a": "x", "b": "y"}, {"a": "xz", "b": "y"}], "a"),
        ("{{ a }}{{ b }}", [{"a": "x", "b": "y"}, {"a": "x", "b": "y"}], None),
        ("{{ a }}{{ b }}", [{"a": "x", "b": "y"}, {"a": "x", "b": "z"}, {"a": "q", "b": "y"}], "a"),
        ("{% if a == 'x' %}one{% else %}two{% endif %} {{ b }}", [{"a": "x", "b": "y"}, {"a": "q", "b": "y"}], None),
        ("{% user %}A {{ a }}{% enduser %}{% user %}{{ b }}{% enduser %}", [{"a": "", "b": "y"}, {"a": "", "b": ""}], "b"),
    ],
)
def test_what_breaks_a_prefix(body: str, rows: list[dict[str, str]], name: str | None) -> None:
    template = Template.from_string(body)
    assert stable_prefix([template.render(row) for row in rows], model="gpt-4o").broken_by == name


def test_two_versions() -> None:
    samples = "---\nmodel: gpt-4o\nsamples: {short: {x: a}, long: {x: a b c}}\n---\n"
    one = Template.from_string(samples + "{% system %}Be brief.{% endsystem %}{% user %}{{ x }}{% enduser %}")
    two = Template.from_string(samples + "{% system %}Be brief.{% endsystem %}{% user %}Say {{ x }}{% enduser %}")
    found = list(compare(one, two))
    assert [row.sample for row in found] == ["short", "long"]
    assert all(not row.is_same and row.after.tokens == (row.before.tokens or 0) + 1 for row in found)
    assert all(0 < row.prefix.tokens < row.prefix.total for row in found)
    assert all(row.is_same for row in compare(one, one))
    broken = Template.from_string("---\ninputs: {y: string}\n---\n{{ y }}")
    assert [row.after.error for row in compare(one, broken)] == ["the input 'y' is missing"] * 2


def test_the_command(tmp_path: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return diptych_command("diff", *args, cwd=tmp_path)

    def git(*args: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *who, *args], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "t.jinja").write_text("Be brief. {{ x }}")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    (tmp_path / "t.jinja").write_text("Be kind. {{ x }}")
    (tmp_path / "rows.jsonl").write_text('{"x": "a"}\n{"x": "b"}\n')
    done = run("HEAD:t.jinja", "t.jinja", "--data", "rows.jsonl", "-m", "gpt-4o")
    assert done.returncode == 1
    assert "  -Be brief. a\n  +Be kind. a\n" in done.stdout
    assert "row 2: differs" in done.stdout
    found = json.loads(run("HEAD:t.jinja", "t.jinja", "--data", "rows.jsonl", "--json").stdout)
    assert (found["version"], len(found["differences"])) == (1, 2)
    assert run("t.jinja", "t.jinja", "--data", "rows.jsonl").returncode == 0
    missing = run("HEAD:nope.jinja", "t.jinja")
    assert (missing.returncode, "nope.jinja" in missing.stderr) == (2, True)
