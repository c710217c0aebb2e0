"""The audit of a sample project, and its way to Chat with its tests passing before and after."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diptych.errors import MigrationError
from diptych.migrate import audit

PROJECT = Path(__file__).resolve().parents[2] / "examples" / "translator"


def places(found, kind, *facts):
    return [(f.place.rsplit("/", 1)[-1], *(f.facts[name] for name in facts)) for f in found.of(kind)]


def test_the_report_is_what_a_careful_reader_writes():
    found = audit(PROJECT)
    assert places(found, "call", "migrates") == [
        ("translate.py:6:16", True), ("translate.py:17:16", True), ("translate.py:23:16", False)
    ]  # fmt: skip
    assert places(found, "model", "shutdown_date", "stand_in") == [
        (place, "2026-09-28", "gpt-4o-mini")
        for place in ("summary.jinja:2:8", "translate.py:7:15", "translate.py:17:48", "translate.py:23:48")
    ]
    assert places(found, "prompt", "format", "tokens_before", "tokens_after") == [
        ("translate.py:8:16", "plain", 11, 18), ("translate.py:17:81", "plain", 9, 16)
    ]  # fmt: skip
    assert places(found, "dataset", "layout", "rows", "bad") == [("pairs.jsonl:1:1", "finetune_legacy", 3, 0)]
    assert places(found, "template", "layout") == [("summary.jinja:1:1", "jinja")]
    assert (found.files, found.unread) == (4, [])


def run(*command, cwd):
    return subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True)


def test_the_project_goes_to_chat_with_its_tests_passing(tmp_path):
    project = tmp_path / "translator"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    assert run("pytest", "-q", "-p", "no:cacheprovider", ".", cwd=project).returncode == 0
    assert run("diptych", "audit", ".", cwd=project).returncode == 1
    code = run("diptych", "migrate", "code", ".", "--write", cwd=project)
    assert "translate.py:23:16: refused" in code.stderr
    data = run(
        "diptych", "migrate", "data", "pairs.jsonl", "chats.jsonl", "--from", "finetune_legacy", "--to", "finetune_chat",
        "--on-loss", "ignore", cwd=project,
    )  # fmt: skip
    assert data.returncode == 0, data.stderr
    first = json.loads((project / "chats.jsonl").read_text("utf-8").splitlines()[0])
    assert [message["role"] for message in first["messages"]] == ["user", "assistant"]
    assert run("pytest", "-q", "-p", "no:cacheprovider", ".", cwd=project).returncode == 0
    after = audit(project / "translate.py")
    assert [f.facts["migrates"] for f in after.of("call")] == [False]
    before = (project / "translate.py").read_bytes()
    run("diptych", "migrate", "code", ".", "--write", cwd=project)
    assert (project / "translate.py").read_bytes() == before


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
    (tmp_path / "broken.py").write_text("def (", "utf-8")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "b.py").write_text("m = 'davinci-002'", "utf-8")
    found = audit(tmp_path)
    assert places(found, "model", "model") == [
        ("a.ipynb[cell 2]:2:5", "davinci-002"), ("batch.jsonl:1:1", "davinci-002"), ("body.json:1:1", "text-davinci-003")
    ]  # fmt: skip
    assert found.of("prompt")[0].facts["format"] == "chatml"
    assert found.of("dataset")[0].facts["bad"] == 1
    assert [line for line in found.unread if "broken.py" in line]
    with pytest.raises(MigrationError, match="no such file"):
        audit(tmp_path / "absent")


def test_the_command_says_it_in_json_and_as_a_table(tmp_path):
    (tmp_path / "clean.py").write_text("x = 1\n", "utf-8")
    clean = run("diptych", "audit", "clean.py", "--json", cwd=tmp_path)
    assert (clean.returncode, json.loads(clean.stdout)["summary"]["dated"]) == (0, 0)
    table = run("diptych", "audit", str(PROJECT), cwd=tmp_path)
    assert table.returncode == 1
    assert "3 calls" in table.stdout
