"""``diptych check`` as a command: formats of findings, status, fixes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.commands import diptych_command

ROOT = Path(__file__).parents[2]


def check(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return diptych_command("check", *args, cwd=cwd)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.jinja").write_text("{{ x | uper }}\n{% if true %}y{% endif %}")
    (tmp_path / "b.jinja").write_text("fine {{ x }}")
    (tmp_path / "notes.txt").write_text("{{ x | uper }}")
    return tmp_path


def test_the_stock_templates_are_clean() -> None:
    done = check("templates", "--select", "ALL", "--ignore", "UP")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_text(folder: Path) -> None:
    done = check(".", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.startswith(
        "a.jinja:1:8: T002 unknown filter 'uper'\n 1 | {{ x | uper }}\n   |        ^^^^\n  hint: did you"
    )
    assert done.stderr.splitlines()[0] == "2 files checked: T002 × 1, T404 × 1"
    assert check("b.jinja", cwd=folder).returncode == 0
    assert check("a.jinja", "--exit-zero", cwd=folder).returncode == 0
    assert check("a.jinja", "--select", "T4", cwd=folder).stdout.count("T404") == 1
    assert check("a.jinja", "--ignore", "T002,T404", cwd=folder).returncode == 0


def test_json_github_and_sarif(folder: Path) -> None:
    for option in (["--json"], ["--output-format", "json"]):
        found = json.loads(check(".", *option, cwd=folder).stdout)
        assert found["version"] == 1
        assert found["findings"][0]["location"] == {"file": "a.jinja", "line": 1, "column": 8, "width": 4}
    lines = check(".", "--output-format", "github", cwd=folder).stdout.splitlines()
    assert lines[0].startswith("::error file=a.jinja,line=1,col=8,title=T002::unknown filter 'uper'")
    sarif = json.loads(check(".", "--output-format", "sarif", cwd=folder).stdout)
    run = sarif["runs"][0]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= known
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"] == 8


def test_what_is_wrong_with_the_call_is_status_2(folder: Path) -> None:
    assert check("nowhere", cwd=folder).returncode == 2
    unknown = check(".", "--select", "X9", cwd=folder)
    assert (unknown.returncode, "there is no rule 'X9'" in unknown.stderr) == (2, True)


def test_git_ignored_files_are_left_out(folder: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / ".gitignore").write_text("a.jinja\n")
    assert check(".", cwd=folder).returncode == 0
    assert check(".", "--no-ignore", cwd=folder).returncode == 1
    assert check("a.jinja", cwd=folder).returncode == 1


def test_fixes_are_made_in_the_files(folder: Path) -> None:
    (folder / "a.jinja").write_text("{% if x %}yes{% endif %}\nno")
    done = check(".", "--select", "UP", "--fix", cwd=folder)
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "1 fixed")
    assert (folder / "a.jinja").read_text() == "---\ntrim: blocks\n---\n{% if x %}yes{% endif %}\nno"


def test_explain_knows_every_rule(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    from diptych.cli.lookup import explain_command
    from diptych.templating.check import all_rules

    for rule in all_rules():
        explain_command(rule.code)
        assert rule.explanation.split("\n")[0] in capfdbinary.readouterr().out.decode()


def test_standard_input_and_odd_names(tmp_path: Path) -> None:
    words = ("check", "-", "--fix", "--select", "UP,T0")
    done = diptych_command(*words, input="{{ x | uper }}{{ x | tojson }}", cwd=tmp_path)
    assert done.returncode == 1
    assert "<stdin>:1:8: T002" in done.stdout
    assert "UP002" in done.stdout
    (tmp_path / "a b%c,d.jinja").write_text("é {{ x | uper }} {#- diptych: ignore[T404] -#}")
    run = json.loads(check(".", "--output-format", "sarif", cwd=tmp_path).stdout)["runs"][0]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b%25c%2Cd.jinja"
    assert (run["columnKind"], place["region"]["startColumn"], place["region"]["endColumn"]) == (
        "unicodeCodePoints",
        10,
        14,
    )
    assert check(".", "--output-format", "github", cwd=tmp_path).stdout.startswith(
        "::error file=a b%25c%2Cd.jinja,line=1"
    )
    assert check("nope", cwd=tmp_path).returncode == 2


def test_many_files_are_checked_in_processes_in_their_order(tmp_path: Path) -> None:
    for number in range(250):
        (tmp_path / f"t{number:03}.jinja").write_text("{{ x|uper }}" if number % 50 == 0 else "{{ x }}")
    done = check(".", "--select", "T002", "--output-format", "json", cwd=tmp_path)
    files = [one["location"]["file"] for one in json.loads(done.stdout)["findings"]]
    assert (done.returncode, files) == (1, [f"t{number:03}.jinja" for number in range(0, 250, 50)])
