"""Calls in files of other languages, the work list, patterns of files, annotations."""

import json

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from typer.testing import CliRunner

from diptych.cli.app import make_app
from diptych.migrate.code.elsewhere import seen_elsewhere
from diptych.migrate.code.files import migrate_files
from diptych.migrate.findings import audit

CALL = "import openai\nprint(openai.Completion.create(model='davinci', prompt='x', max_tokens=5).choices[0].text)\n"
REFUSED = "import openai\n\nopenai.Completion.create(\n    model='davinci', prompt='x', suffix='y'\n)\n"


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        ("a.md", "See `/v1/completions`.\n```python\nopenai.Completion.create(\n    prompt=1)\n```\n", ["a.md:3:1"]),
        ("a.md", "~~~sh\ncurl https://x.io/v1/completions -d '{}'\n~~~", ["a.md:2:18"]),
        ("a.md", "openai.Completion.create() is old, and so is client.completions.create()", []),
        ("a.sh", "# curl https://x.io/v1/completions\ncurl $BASE/v1/engines/davinci/completions\n", ["a.sh:2:14"]),
        ("a.sh", "openai api completions.create -e davinci", ["a.sh:1:1"]),
        ("a.rst", "    client.completions.create(prompt=1)", ["a.rst:1:11"]),
        ("a.json", '{"url": "https://x.io/v1/completions"}', ["a.json:1:2"]),
        ("a.json", '{"about": "/v1/completions", "url": "https://x.io/v1/chat/completions"}', []),
        ("a.sh", "curl https://x.io/v1/chat/completions", []),
        ("a.ts", "// openai.createCompletion(\nawait openai.createCompletion({ prompt })", ["a.ts:2:13"]),
        ("a.js", "import A from '@anthropic-ai/sdk';\nclient.completions.create({})", []),
        ("a.md", "```\nfrom litellm import text_completion\nr = text_completion(prompt='x')\n```", ["a.md:3:5"]),
    ],
)
def test_calls_of_other_languages_are_listed(name, text, places):
    found = seen_elsewhere(text, name)
    assert [str(refusal.place) for refusal in found] == places
    assert {refusal.code for refusal in found} <= {"other-language"}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(CALL)
    (tmp_path / "b.py").write_text(REFUSED)
    (tmp_path / "c.py").write_text(CALL)
    (tmp_path / "README.md").write_text("```\ncurl https://api.openai.com/v1/completions\n```\n")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(make_app(), ["migrate", "code", *map(str, arguments)])


def test_a_run_lists_them_and_leaves_them(project):
    before = (project / "README.md").read_text()
    report = migrate_files([project], write=True)
    assert {r.code for file in report.files for r in file.refusals} == {"suffix", "other-language"}
    assert (project / "README.md").read_text() == before
    assert "other-language" in {f.facts.get("code") for f in audit(project).findings}


def test_only_the_files_that_match_change(project):
    run(project, "--only", "src/*.py", "--write")
    assert "ChatCompletion" in (project / "src" / "a.py").read_text()
    assert (project / "c.py").read_text() == CALL


def test_the_work_list_stands_for_itself(project):
    work = json.loads(run(project, "--json").stdout)["work"]
    entry = next(each for each in work if each["code"] == "suffix")
    assert entry["location"].endswith("b.py:3:1")
    assert entry["source"] == REFUSED.split("\n\n")[1].rstrip("\n")
    assert entry["what_to_do"]
    assert "Completion.create" in entry["example"]["before"]
    assert "messages=" in entry["example"]["after"]


def test_annotations_are_those_of_github(project):
    done = run(project, "--output-format", "github")
    lines = [line for line in done.stdout.splitlines() if line.startswith("::warning")]
    assert len(lines) == 2
    assert any("b.py,line=3,col=1,title=diptych suffix::" in line for line in lines)


def test_dead_endpoints_and_groups_of_models(tmp_path):
    source = (
        "import openai\nclient = openai.OpenAI()\nclient.beta.threads.create()\nurl = 'https://api.openai.com/v1/assistants'\n"
        "openai.Edit.create(model='text-davinci-edit-001')\nA = 'text-davinci-003'\nB = 'text-davinci-003'\n"
    )
    (tmp_path / "a.py").write_text(source)
    found = audit(tmp_path)
    assert [f.facts["endpoint"] for f in found.of("endpoint")] == ["Threads and runs", "Assistants", "Edits"]
    assert {f.facts["shutdown_date"] for f in found.of("endpoint")} == {"2026-08-26", "2024-01-04"}
    shown = CliRunner().invoke(make_app(), ["audit", str(tmp_path)], env={"COLUMNS": "300"}).stdout
    assert shown.count("text-davinci-003 was shut down") == 1
    assert "a.py:6:5, 7:5" in shown


def test_the_audit_reads_cells_as_the_migration_does(tmp_path):
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["%%time\n", *CALL.splitlines(keepends=True)]}
    odd = {**cell, "source": ["%%bash\n", "ls -l |\n"]}
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": [odd, cell], "nbformat": 4}))
    found = audit(tmp_path)
    assert found.unread == []
    assert [finding.kind for finding in found.findings] == ["call", "model", "prompt"]
