"""The audit of a sample project, and its way to Chat with its tests passing before and after."""

import contextlib
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from diptych import Template, count
from diptych.cli.app import make_app
from diptych.errors import MigrationError
from diptych.migrate import audit
from diptych.migrate.code import files
from diptych.migrate.code.files import migrate_files
from diptych.migrate.findings.groups import folded, grouped
from diptych.migrate.findings.models import dated_models, may_concern

PROJECT = Path(__file__).resolve().parents[2] / "examples" / "translator"


def places(found, kind, *facts):
    return [(f.place.rsplit("/", 1)[-1], *(f.facts[name] for name in facts)) for f in found.of(kind)]


LAST, FIRST = "gpt-3.5-turbo-instruct", "text-davinci-003"

#: What a careful reader writes down on going through the project, file by file.
REPORT = [
    ("dataset", "evaluation.jsonl:1:1", {"layout": "openai_batch", "rows": 2, "bad": 0}),
    ("model", "evaluation.jsonl:1:1", {"model": LAST, "shutdown_date": "2026-09-28", "stand_in": "gpt-5.4-mini"}),
    ("dataset", "pairs.jsonl:1:1", {"layout": "finetune_legacy", "rows": 3, "bad": 0}),
    ("model", "settings.toml:2:10", {"model": LAST, "shutdown_date": "2026-09-28"}),
    ("template", "summary.prompty:1:1", {"layout": "prompty", "verdict": "lossless"}),
    ("model", "summary.prompty:8:11", {"model": FIRST, "shutdown_date": "2024-01-04"}),
    ("call", "tour.ipynb[cell 2]:4:9", {"migrates": True}),
    ("model", "tour.ipynb[cell 2]:4:41", {"model": FIRST}),
    ("prompt", "tour.ipynb[cell 2]:4:68", {"format": "plain", "tokens_before": 5, "tokens_after": 11}),
    ("model", "translate.py:5:9", {"model": LAST}),
    ("call", "translate.py:10:16", {"migrates": True}),
    ("prompt", "translate.py:12:16", {"format": "plain", "tokens_before": 11, "tokens_after": 17}),
    ("call", "translate.py:21:12", {"migrates": True}),
    ("prompt", "translate.py:21:58", {"format": "plain", "tokens_before": 9, "tokens_after": 15}),
    ("call", "translate.py:31:18", {"migrates": True}),
    ("prompt", "translate.py:31:64", {"format": "plain", "tokens_before": 7, "tokens_after": 13}),
    ("call", "translate.py:37:16", {"migrates": False, "code": "suffix"}),
    ("model", "translate.py:37:48", {"model": "davinci-002", "shutdown_date": "2026-09-28"}),
]


@pytest.fixture
def project(tmp_path):
    """The sample project by itself: beside this repository's own tests, these would be looked at with it."""
    shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return tmp_path / "project"


def test_the_report_is_what_a_careful_reader_writes(project):
    found = audit(project)
    assert [
        (f.kind, f.place.rsplit("/", 1)[-1], {name: f.facts[name] for name in facts})
        for f, (_, _, facts) in zip(found.findings, REPORT, strict=True)
    ] == REPORT
    assert (found.files, found.unread) == (7, [])
    datasets = {f.place.rsplit("/", 1)[-1]: f.facts for f in found.of("dataset")}
    batch = [
        count(text, LAST).tokens for text in ("Translate to French: Good morning", "Translate to French: Thank you")
    ]
    assert datasets["evaluation.jsonl:1:1"]["tokens_before"] == sum(batch)
    assert found.tokens["after"] > found.tokens["before"] > 60


def run(*command, cwd):
    return subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True)


def told(*words, cwd):
    """Run the command in this process, which is quick."""
    with contextlib.chdir(cwd):
        return CliRunner().invoke(make_app(), words)


def test_the_project_goes_to_chat_with_its_tests_passing(tmp_path):
    project = tmp_path / "translator"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    tests = ("pytest", "-q", "-p", "no:cacheprovider", ".")
    before = run(*tests, cwd=project)
    assert (before.returncode, "4 passed" in before.stdout) == (0, True)
    assert run("diptych", "audit", ".", cwd=project).returncode == 1

    code = told("migrate", "code", ".", "--write", cwd=project)
    assert "translate.py:37:16: refused" in code.stderr
    for source, target, layout in (("pairs", "chats", "finetune_chat"), ("evaluation", "chat-evaluation", "batch")):
        files = (f"{source}.jsonl", f"{target}.jsonl")
        done = told("migrate", "data", *files, "--to", layout, "--on-loss", "ignore", cwd=project)
        assert done.exit_code == 0, done.stderr
    assert told("migrate", "templates", "summary.prompty", "--out", ".", cwd=project).exit_code == 0

    after = run(*tests, cwd=project)
    assert (after.returncode, "4 passed" in after.stdout) == (0, True)
    first = json.loads((project / "chats.jsonl").read_text("utf-8").splitlines()[0])
    assert [message["role"] for message in first["messages"]] == ["user", "assistant"]
    line = json.loads((project / "chat-evaluation.jsonl").read_text("utf-8").splitlines()[0])
    assert (line["url"], line["body"]["model"]) == ("/v1/chat/completions", "gpt-5.4-mini")
    summary = Template.from_string((project / "summary.jinja").read_text("utf-8")).render(text="It rained.")
    assert summary.messages == [{"role": "user", "content": "Summarise in one sentence: It rained."}]

    left = audit(project / "translate.py", project / "tour.ipynb")
    assert [f.facts["migrates"] for f in left.of("call")] == [False]
    files = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    told("migrate", "code", ".", "--write", cwd=project)
    assert {path: path.read_bytes() for path in files} == files, "a second run changes nothing"


def test_models_are_named_for_certain(tmp_path):
    lines = ['name = "ada"', 'model = "ada"', 'x = dict(engine="davinci")', 'y = {"model": "o1"}', 'z = "gpt-4-0613"']
    (tmp_path / "a.py").write_text("\n".join(lines))
    (tmp_path / "a.yaml").write_text("author: ada\nmodel: ada\nlink: https://x/gpt-4-0613\nother: gpt-4-0613\n")
    found = audit(tmp_path)
    assert [(place, model) for place, model in places(found, "model", "model")] == [
        ("a.py:2:9", "ada"), ("a.py:3:17", "davinci"), ("a.py:4:15", "o1"), ("a.py:5:5", "gpt-4-0613"),
        ("a.yaml:2:8", "ada"), ("a.yaml:4:8", "gpt-4-0613"),
    ]  # fmt: skip
    assert all(f.facts["shutdown_date"] for f in found.of("model"))


ON = date(2026, 11, 26)


def test_a_day_that_is_over_is_past_and_one_to_come_is_not(tmp_path):
    (tmp_path / "a.py").write_text('a = "text-davinci-003"\nb = "gpt-4o-mini"\nc = "gpt-4-0613"\n')
    found = audit(tmp_path, today=ON)
    assert [found.is_past(f) for f in found.of("model")] == [True, False, True]
    assert audit(tmp_path, today=date(2027, 1, 15)).is_past(found.of("model")[1])
    assert not audit(tmp_path, today=date(2027, 1, 14)).is_past(found.of("model")[1]), "the last day is a day of service"
    document = found.to_json()
    assert (document["today"], document["summary"]["dated"], document["summary"]["shut_down"]) == ("2026-11-26", 3, 2)


@pytest.mark.parametrize(("within", "due"), [(None, 1), (0, 1), (48, 1), (49, 2), (400, 2)])
def test_what_is_due_within_days(tmp_path, within, due):
    (tmp_path / "a.py").write_text('a = "text-davinci-003"\nb = "gpt-4o-mini"\nc = "gpt-5.4-mini"\n')
    assert len(audit(tmp_path, today=ON).due(within)) == due


def audited(monkeypatch, capsys, path, *options):
    """Run the command as on a fixed day; return its status and what it printed."""
    from diptych.migrate.findings import survey

    class Day(date):
        @classmethod
        def today(cls):
            return ON

    monkeypatch.setattr(survey, "date", Day)
    monkeypatch.setenv("COLUMNS", "200")
    from diptych.cli import main

    monkeypatch.setattr(sys, "argv", ["diptych", "audit", str(path), *options])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code or 0, " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("model", "options", "status", "said"),
    [
        ("text-davinci-003", (), 1, "text-davinci-003 was shut down on 2024-01-04; gpt-5.4-mini replaces it"),
        ("gpt-4o-mini", (), 0, "gpt-4o-mini shuts down on 2027-01-14"),
        ("gpt-4o-mini", ("--within", "30"), 0, "shuts down on 2027-01-14"),
        ("gpt-4o-mini", ("--within", "60"), 1, "shuts down on 2027-01-14"),
        ("gpt-5.4-mini", ("--within", "365"), 0, "1 files"),
        ("gpt-5.4-mini", (), 0, "0 dated"),
    ],
)
def test_the_command_fails_for_past_days_and_those_within(monkeypatch, capsys, tmp_path, model, options, status, said):
    (tmp_path / "a.py").write_text(f'model = "{model}"\n')
    found, out = audited(monkeypatch, capsys, tmp_path, *options)
    assert (found, said in out) == (status, True), out


def test_what_the_migration_writes_has_no_day_to_come(tmp_path):
    source = "import openai\nr = openai.OpenAI().completions.create(model='gpt-3.5-turbo-instruct', prompt=q)\n"
    (tmp_path / "a.py").write_text(source)
    assert len(audit(tmp_path, today=ON).due()) == 1
    assert migrate_files([tmp_path], write=True).refused == 0
    assert audit(tmp_path, today=ON).dated == []


def test_a_projects_own_files_are_looked_at(tmp_path):
    for name in ("a.py", "gone.py", "old/b.py", "venv/c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("m = 'davinci-002'")
    (tmp_path / ".gitignore").write_text("gone.py\n")
    (tmp_path / "pyproject.toml").write_text('[tool.diptych]\nexclude = ["old/"]\n')
    assert [place for (place,) in places(audit(tmp_path), "model")] == ["a.py:1:5"]


def test_prompts_behind_names_and_in_bodies(tmp_path):
    (tmp_path / "a.py").write_text(
        "import openai, requests\n"
        'PROMPT = "<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n"\n'
        'print(openai.Completion.create(model="m", prompt=PROMPT, max_tokens=1).choices[0].text)\n'
        'r = requests.post("http://x/v1/completions", json={"model": "m", "prompt": "Say %s" % "hi"})\n'
        'print(r.json()["choices"][0]["text"])\n'
        'other(prompt="no prompt of the API")\n'
    )
    found = audit(tmp_path)
    assert places(found, "prompt", "format") == [("a.py:2:10", "chatml"), ("a.py:4:76", "plain")]


def test_templates_that_python_defines(tmp_path):
    (tmp_path / "a.py").write_text(
        "from langchain_core.prompts import PromptTemplate\n"
        'A = PromptTemplate.from_template("Hi {x}")\n'
        "B = PromptTemplate.from_template(y)\n"
    )
    found = audit(tmp_path).of("template")
    assert [(f.facts["verdict"], f.facts.get("name")) for f in found] == [("lossless", "A"), ("refused", None)]
    assert found[1].place.endswith("a.py:3:34")


def test_data_sets_of_every_kind(tmp_path):
    import gzip

    rows = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n' * 3
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(rows))
    (tmp_path / "b.jsonl").write_text('{"x": 1}\n')
    (tmp_path / "c.jsonl").write_bytes(rows + b'{"instruction": "a", "output": "b"}\n')
    found = audit(tmp_path)
    assert places(found, "dataset", "layout", "rows") == [
        ("a.jsonl.gz:1:1", "finetune_chat", 3), ("b.jsonl:1:1", None, 1), ("c.jsonl:1:1", None, 4)
    ]  # fmt: skip
    assert "alpaca_row, those before are finetune_chat" in found.of("dataset")[2].facts["reason"]


def test_notebooks_bodies_batches_and_what_cannot_be_read(tmp_path):
    cell = {"cell_type": "code", "source": ["%pip install openai\n", "m = 'davinci-002'\n"]}
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": []}, cell]}), "utf-8")
    (tmp_path / "body.json").write_text(
        '{"model": "text-davinci-003", "prompt": "<|im_start|>user\\nHi<|im_end|>\\n"}', "utf-8"
    )
    line = {
        "custom_id": "1",
        "method": "POST",
        "url": "/v1/completions",
        "body": {"model": "davinci-002", "prompt": "Hi"},
    }
    (tmp_path / "batch.jsonl").write_text(json.dumps(line) + "\nnonsense\n", "utf-8")
    (tmp_path / "broken.py").write_text("import openai\ndef (", "utf-8")
    (tmp_path / "unconcerned.py").write_text("def (", "utf-8")  # nothing to find, so it is not even parsed
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "b.py").write_text("m = 'davinci-002'", "utf-8")
    found = audit(tmp_path)
    assert places(found, "model", "model") == [
        ("a.ipynb[cell 2]:2:5", "davinci-002"), ("batch.jsonl:1:1", "davinci-002"), ("body.json:1:1", "text-davinci-003")
    ]  # fmt: skip
    assert found.of("prompt")[0].facts["format"] == "chatml"
    assert found.of("dataset")[0].facts["bad"] == 1
    assert [line for line in found.unread if "broken.py" in line]
    assert not [line for line in found.unread if "unconcerned.py" in line]
    with pytest.raises(MigrationError, match="no such file"):
        audit(tmp_path / "absent")


def test_the_command_says_it_in_json_and_as_a_table(tmp_path, project):
    (tmp_path / "clean.py").write_text("x = 1\n", "utf-8")
    clean = told("audit", "clean.py", "--json", cwd=tmp_path)
    assert (clean.exit_code, json.loads(clean.stdout)["summary"]["dated"]) == (0, 0)
    table = told("audit", str(project), cwd=tmp_path)
    assert table.exit_code == 1
    assert "5 calls, 6 models, 0 endpoints, 4 prompts, 2 datasets, 1 template, 6 dated, 6 shut down; tokens 75 to 141" in table.stdout


def test_every_dated_model_is_a_reason_to_look():
    assert all(may_concern(f"m = {quote}{name}{quote}") for name in dated_models() for quote in "\"'")


def test_what_says_the_same_is_one_line_and_recordings_and_documentation_stand_apart(tmp_path, monkeypatch):
    source = "import openai\nprint(openai.Completion.create(model='text-davinci-003', prompt='Hi')['choices'][0]['text'])\n"
    for folder in ("src", "docs", "tests/cassettes"):
        (tmp_path / folder).mkdir(parents=True)
    for number in range(12):
        (tmp_path / "src" / f"m{number:02}.py").write_text(source)
        (tmp_path / "tests" / "cassettes" / f"c{number}.yaml").write_text("model: text-davinci-003\n")
    (tmp_path / "docs" / "use.py").write_text(source)
    found = audit(tmp_path)
    assert [(g.first.kind, len(g.findings)) for g in grouped(found.findings)] == [("call", 12), ("model", 12), ("prompt", 12)]
    apart = folded(found.findings)
    assert {part: len(group.findings) for part, group in apart.items()} == {"recordings": 12, "documentation": 3}
    assert apart["recordings"].summary == "12 findings in 12 files: text-davinci-003 (12)"
    said = grouped(found.findings)[1].places.splitlines()
    assert said[0].endswith("src/m00.py:2:38")
    assert said[-1] == "and 6 more files"
    counted = [len(group.findings) for group in [*grouped(found.findings), *apart.values()]]
    assert sum(counted) == len(found.findings)
    monkeypatch.setenv("COLUMNS", "200")
    shown = told("audit", str(tmp_path), cwd=tmp_path)
    assert 0 < len(shown.stdout.splitlines()) < 60


def test_annotations_of_github(tmp_path):
    (tmp_path / "a.py").write_text(
        "import openai\nclient = openai.OpenAI()\n"
        "print(client.completions.create(model='text-davinci-003', prompt='Hi', suffix='x').choices[0].text)\n"
    )
    shown = told("audit", "a.py", "--output-format", "github", cwd=tmp_path)
    assert shown.exit_code == 1
    lines = shown.stdout.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["::warning file=a.py", "::error file=a.py"]
    assert "line=3,col=7,title=diptych call::refused: Chat cannot insert before a suffix" in lines[0]
    assert "text-davinci-003 was shut down on 2024-01-04" in lines[1]


def test_a_folder_of_a_project_has_only_what_leads_to_it_looked_at(tmp_path, monkeypatch):
    call = "import openai\n\n\ndef ask(q):\n    return openai.Completion.create(model='davinci-002', prompt=q)['choices'][0]['text']\n"
    mock = (
        "from unittest.mock import patch\nfrom {} import ask\n\n\ndef test(q):\n"
        "    with patch('openai.Completion.create', return_value={{'choices': [{{'text': 'a'}}]}}):\n        ask(q)\n"
    )
    (tmp_path / "pyproject.toml").write_text("")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_app.py").write_text(call)
        (tmp_path / f"test_{name}.py").write_text(mock.format(f"{name}.{name}_app"))
    looked, real = [], files.migrate_file
    monkeypatch.setattr(files, "migrate_file", lambda path, **options: looked.append(path.name) or real(path, **options))
    (finding,) = audit(tmp_path / "one").of("call")
    assert looked == ["test_one.py"]
    assert (finding.facts["migrates"], finding.facts["code"]) == (False, "mock-apart")
    assert all(call.facts["migrates"] for call in audit(tmp_path).of("call"))
