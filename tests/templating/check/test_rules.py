"""Every rule finds what it is for, at its place, and nothing else."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import FormatError, Library, Template, count
from diptych.templating.check import Settings, all_rules, check_paths, check_text, fixed, selected

from .cases import FIRES, NAMES, SILENT

SETTINGS = Settings(datetime.date(2026, 11, 26))
#: Rules that need more than one text: their tests stand below.
APART = {"T007", "T008", "T501", "T502"}
RULES = {rule.code: rule for rule in all_rules() if not rule.code.startswith("H")}


def test_every_rule_has_cases() -> None:
    assert RULES.keys() == FIRES.keys() | APART == SILENT.keys() | APART
    assert min(map(len, FIRES.values())) >= 3
    assert min(map(len, SILENT.values())) >= 3


@pytest.mark.parametrize(
    ("code", "text", "line", "column"),
    [(code, *case) for code, cases in FIRES.items() for case in cases],
)
def test_a_rule_finds_its_fault_at_its_place(code: str, text: str, line: int, column: int) -> None:
    found = check_text(text, (RULES[code],), SETTINGS)
    assert (code, line, column) in [(one.code, one.location.line, one.location.column) for one in found]
    assert all(one.message and one.hint for one in found)
    assert all(one.location.source for one in found if code != "T004")


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in SILENT.items() for text in texts])
def test_a_rule_is_silent(code: str, text: str) -> None:
    library = Library({"known": "x"})
    assert check_text(text, (RULES[code],), SETTINGS, library=library) == []


@pytest.mark.parametrize("code", sorted(RULES.keys() - APART))
def test_the_examples_of_a_rule(code: str) -> None:
    rule = RULES[code]
    assert code in {one.code for one in check_text(rule.bad, (rule,), SETTINGS)}
    assert check_text(rule.good, (rule,), SETTINGS) == []
    assert rule.explanation.count("\n") >= 2


@pytest.mark.parametrize(("names", "wanted"), NAMES)
def test_two_files_of_one_name(tmp_path: Path, names: list[str], wanted: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = list(check_paths([tmp_path], settings=SETTINGS))
    assert sorted(Path(one.location.file).relative_to(tmp_path).as_posix() for one in found) == wanted
    assert {one.code for one in found} <= {"T007"}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"a": "a\n{% extends 'a' %}"}, {"a": "2:13 a → a"}),
        ({"a": "{% extends 'b' %}", "b": "{% extends 'a' %}"}, {"a": "1:13 a → b → a", "b": "1:13 b → a → b"}),
        ({"a": "{% extends 'b' %}", "b": "{% extends 'b' %}"}, {"a": "1:13 b → b", "b": "1:13 b → b"}),
        ({"a": "{% extends 'b' %}", "b": "{% extends 'c' %}", "c": "x"}, {}),
        ({"a": "{% extends x %}", "b": "{% include 'b' %}"}, {}),
        ({"a": "{% extends 'nope' %}"}, {}),
    ],
)
def test_a_circle_of_extends(files: dict[str, str], found: dict[str, str]) -> None:
    library = Library(files)
    told = {
        name: f"{one.location.line}:{one.location.column} {one.message.split(': ')[1]}"
        for name, text in files.items()
        for one in check_text(text, (RULES["T008"],), SETTINGS, file=name, name=name, library=library)
    }
    assert told == found


CAPPED = "---\nmodel: gpt-5.4-mini\nsamples:\n  - {x: hello}\n  - {x: hello hello hello}\n---\nSay {{ x }}"
TODAY = datetime.date(2026, 11, 26)


@pytest.mark.parametrize(("cap", "over"), [(0, 2), (7, 2), (8, 1), (9, 1), (10, 0), (1_000, 0), (None, 0)])
def test_the_cap_on_tokens(cap: int | None, over: int) -> None:
    counts = [count(Template.from_string(CAPPED).render(x=x)).tokens for x in ("hello", "hello hello hello")]
    assert counts == [8, 10]
    found = check_text(CAPPED, selected(["T501"]), Settings(TODAY, max_tokens=cap))
    assert len(found) == over


@pytest.mark.parametrize(("cap", "over"), [(0.0, 2), (1e-10, 2), (1e-7, 2), (0.1, 0), (5.0, 0), (None, 0)])
def test_the_cap_on_cost(cap: float | None, over: int) -> None:
    found = check_text(CAPPED, selected(["T502"]), Settings(TODAY, max_cost=cap))
    assert len(found) == over


@pytest.mark.parametrize("cap", [1e-10, 1e-7])
def test_a_small_cap_is_written_in_plain_decimals(cap: float) -> None:
    for found in check_text(CAPPED, selected(["T502"]), Settings(TODAY, max_cost=cap)):
        shown = [float(number) for number in re.findall(r"\b0\.\d+\b(?!-)", found.message)]
        assert shown[-1] == cap < shown[0]
        assert not re.search(r"\de-", found.message, re.IGNORECASE)


def test_includes_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/head.jinja").write_text("{{ who }} {{ text }}")
    (tmp_path / "main.jinja").write_text("---\ninputs: {text: string}\n---\na\n{% include 'parts/head' %}")
    found = list(check_paths([tmp_path], settings=SETTINGS))
    assert [(one.code, one.location.line, one.location.column) for one in found] == [("T101", 5, 13)]
    assert "'who'" in found[0].message


def test_a_file_that_is_no_text_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "a.jinja").write_bytes(b"ok\ncaf\xe9")
    (tmp_path / "b.jinja").write_text("{{ x | uper }}")
    found = list(check_paths([tmp_path], settings=SETTINGS))
    assert [(one.code, one.location.line, one.location.column) for one in found] == [("T004", 2, 4), ("T002", 1, 8)]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("{{ x | uper }} {# diptych: ignore #}", []),
        ("{{ x | uper }} {# diptych: ignore[T002] #}", []),
        ("{{ x | uper }} {# diptych: ignore[T001] #}", ["T002"]),
        ("{# diptych: ignore-file[T002] #}\n{{ x | uper }}", []),
        ("{# diptych: ignore[T002] #}\n{{ x | uper }}", ["T002"]),
        ("---\nmodel: text-davinci-003  # diptych: ignore[T203]\n---\nHi", []),
    ],
)
def test_comments_silence(text: str, codes: list[str]) -> None:
    assert [one.code for one in check_text(text, selected(), SETTINGS)] == codes


def test_selecting() -> None:
    assert [rule.code for rule in selected(["UP"])] == ["UP001", "UP002"]
    assert not [rule for rule in selected() if rule.code.startswith("UP")]
    assert len(selected(["ALL"])) == len(all_rules())
    assert all(not rule.code.startswith("T4") for rule in selected(None, ["T4"]))
    with pytest.raises(FormatError, match="T999"):
        selected(["T999"])


@pytest.mark.parametrize("code", ["UP001", "UP002"])
def test_fixes_keep_what_version_0_1_printed(code: str) -> None:
    for text, _, _ in FIRES[code]:
        mended = fixed(text, check_text(text, (RULES[code],), SETTINGS))
        assert check_text(mended, (RULES[code],), SETTINGS) == []
        Template.from_string(mended)


FRONTS = ("", "---\n---\n", "---\ninputs: {x: string}\n---\n", "---  \n{version: 2}\n---\n", "---\n{}\n---\n", "---\n# a\n---\n",
          "---\n\n{version: 2,\n description: a}\n---\n", "---\ntrim: jinja\nversion: 2\n---\n")  # fmt: skip
BODIES = ("{{ x | tojson }}", "{{ x|tojson(2) }}", "{{ x | tojson(indent=2, sort_keys=true) }}", "{{ x | tojson() | upper }}",
          "{% raw %}{{ x | tojson }}{% endraw %}", "x | tojson", "{# | tojson #}", "{% if x %}yes{% endif %}\nno", "é ",
          "{% filter tojson %}a{% endfilter %}", "{{ x | tojson(separators=[',', ':']) }}", "{{ x|tojson(indent=(2)) }}")  # fmt: skip


@given(
    st.sampled_from(FRONTS),
    st.lists(st.sampled_from(BODIES), max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_fixes_change_what_they_are_for_alone(front: str, lines: list[str], line_break: str, has_mark: bool) -> None:
    text = "\ufeff" * has_mark + (front + "\n".join(lines)).replace("\n", line_break)
    mended = fixed(text, check_text(text, selected(["UP"]), SETTINGS))
    left = check_text(mended, selected(["UP"]), SETTINGS)
    assert all(one.fix is None and "(indent=(2))" in one.location.source for one in left)
    assert fixed(mended, left) == mended
    before, after = Template.from_string(text), Template.from_string(mended)
    assert {"trim": "blocks", **after.metadata} == {"trim": "blocks", **before.metadata}
    assert after.source.count(line_break) == mended.count("\n")
    bodies = [re.sub(r"tojson(\([^()]*\))?", "tojson", one.compiled.parts.body) for one in (before, after)]
    assert bodies[0] == bodies[1]


def test_several_faults_are_found_at_once() -> None:
    text = "---\nmodel: davinci-002\nparams: {temprature: 1}\ninputs: {a: string}\n---\n{{ b }}\n{% if true %}{{ b }}{% endif %}"
    assert [one.code for one in check_text(text, selected(), SETTINGS)] == ["T203", "T201", "T102", "T101", "T404"]
