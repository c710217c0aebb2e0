"""Files and folders: bytes, permissions, links, one step, what other files use, the command as a person sees it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.commands import diptych_command

import diptych

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code
from diptych.migrate.code import files as files_module
from diptych.migrate.code.disk import replace_file
from diptych.migrate.code.files import migrate_file, migrate_files

CALL = 'r = c.completions.create(model="m", prompt="x", max_tokens=1)'
DONE = 'r = c.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1)'


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Lines of any length stand: how they are wrapped is the subject of test_wrapping."""
    monkeypatch.setattr(files_module, "width_of", lambda folder: None)


@pytest.mark.parametrize(
    "template",
    [
        b"%s",
        b"%s\n",
        b"%s\r\nx = 1\r\n",
        b"\xef\xbb\xbf%s\n",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'\n%s\n",
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n%s",
        b"if 1:\n\t%s\n\tx = '\xc3\xa9'\n",
        b"x = '''\n\x0c\xe2\x80\xa8'''\n%s # c\n\x0c\n",
        b"# coding: utf-8\r\n\r\n%s\r\n\r\n\r\n",
        b"x = 1 ; %s ; y = 2   \n\n\n",
    ],
)  # fmt: skip
def test_every_other_byte_stays(tmp_path, template):
    file = tmp_path / "a.py"
    file.write_bytes(template.replace(b"%s", CALL.encode()))
    found = migrate_file(file, write=True)
    assert found.refusals == ()
    assert file.read_bytes() == template.replace(b"%s", DONE.encode())
    assert migrate_file(file, write=True).changes == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"c.completions.create(", "syntax"),
        (b"# coding: nonsense\nc.completions.create()", "encoding"),
        (b"x = '\xff' # /completions", "encoding"),
        (b"# old\rc.completions.create(prompt=p)\r", "syntax"),
    ],
)
def test_what_cannot_be_read_is_reported_and_stays(tmp_path, data, code):
    file = tmp_path / "bad.py"
    file.write_bytes(data)
    (tmp_path / "good.py").write_text(CALL)
    report = migrate_files([tmp_path], write=True)
    assert [r.code for f in report.files for r in f.refusals] == [code]
    assert file.read_bytes() == data
    assert (tmp_path / "good.py").read_text() == DONE


def test_a_file_that_the_analysis_fails_on_is_reported_and_the_others_are_done(tmp_path, monkeypatch):
    from diptych.migrate.code import migration

    def fail(source, *options):
        if "bad" in source.file:
            raise KeyError("x")
        return real(source, *options)

    real = migration._planned
    monkeypatch.setattr(migration, "_planned", fail)
    for name in ("bad.py", "good.py"):
        (tmp_path / name).write_text(CALL)
    report = migrate_files([tmp_path], write=True)
    assert [(r.code, r.place.line) for f in report.files for r in f.refusals] == [("internal", 1)]
    assert ((tmp_path / "bad.py").read_text(), (tmp_path / "good.py").read_text()) == (CALL, DONE)


def test_a_file_is_replaced_in_one_step_and_keeps_what_it_was(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(CALL)
    file.chmod(0o750)
    link = tmp_path / "link.py"
    link.symlink_to("a.py")
    migrate_file(link, write=True, backup=True)
    assert link.is_symlink()
    assert file.read_text() == DONE
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert (tmp_path / "a.py.bak").read_text() == CALL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "a.py.bak", "link.py"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    file = tmp_path / "a.py"
    file.write_text(CALL)

    def fail(*args):
        raise OSError("the disk is full")

    monkeypatch.setattr(files_module.os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        migrate_file(file, write=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]
    assert file.read_text() == CALL


def test_a_file_that_changes_meanwhile_is_not_overwritten(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("other")
    with pytest.raises(diptych.MigrationError, match="changed while"):
        replace_file(file, b"old", b"new")
    assert file.read_text() == "other"
    assert len(list(tmp_path.iterdir())) == 1


HELPER = """
from openai import OpenAI
client = OpenAI()

def ask(q):
    return client.completions.create(model="m", prompt=q, max_tokens=1)

def main():
    print(ask("x").choices[0].text)
"""


@pytest.mark.parametrize(
    ("other", "refused"),
    [
        ("", False),
        ("from helpers import main\n", False),
        ("from .helpers import (\n    ask,\n)\n", True),
        ("import helpers\nhelpers.ask('x').choices[0].text\n", True),
        ("from elsewhere import ask\n", False),
    ],
)
def test_what_other_files_use_is_not_changed(tmp_path, other, refused):
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "helpers.py").write_text(HELPER)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "other.py").write_text(other)
    for paths in ([tmp_path], [tmp_path / "helpers.py"]):  # the project around a named file is looked at, too
        report = migrate_files(paths)
        assert [r.code for f in report.files for r in f.refusals] == (["result-escapes"] if refused else [])


def test_files_are_taken_once_and_the_rest_is_passed_over(tmp_path):
    (tmp_path / "a.py").write_text(CALL)
    (tmp_path / "b.py").write_text("x = (")  # no word of the API: not even parsed
    report = migrate_files([tmp_path, tmp_path / "a.py", tmp_path / "b.py"])
    assert ([f.file for f in report.files], report.passed_over) == ([(tmp_path / "a.py").as_posix()], 1)
    assert report.summary()["changes"] == {"call": 1}
    with pytest.raises(diptych.MigrationError, match="no such file"):
        migrate_files([tmp_path / "absent"])


def test_without_libcst_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "libcst", None)
    (tmp_path / "a.py").write_text(CALL)
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": [CALL]}]}))
    for name in ("a.py", "n.ipynb"):
        with pytest.raises(diptych.MissingExtra, match="migrate"):
            migrate_files([tmp_path / name])


def test_todo_comments_are_written_once(tmp_path):
    file = tmp_path / "a.py"
    file.write_bytes(
        b"if 1:\r\n    x = c.completions.create(\r\n        model='m', prompt=q, suffix='s')\r\n" + CALL.encode()
    )
    migrate_file(file, write=True, todo=True)
    text = file.read_bytes()
    comment = b"    # TODO(diptych): suffix: Chat cannot insert before a suffix\r\n    x = c.completions.create(\r\n"
    assert text.startswith(b"if 1:\r\n" + comment)
    assert text.endswith(DONE.encode())
    again = migrate_file(file, write=True, todo=True)
    assert (again.changes, file.read_bytes()) == ((), text)


# the command ---------------------------------------------------------------------------------------


def command(*args, cwd):
    environment = {**os.environ, "NO_COLOR": "1"}
    return diptych_command("migrate", "code", *args, cwd=cwd, env=environment)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "ruff.toml").write_text("line-length = 320\n")  # for commands, which are processes of their own
    (tmp_path / "app.py").write_text(f"# app\n{CALL}\nprint(r.choices[0].text)")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "bad.py").write_text("c.completions.create(model='m', prompt=q, suffix='s')\n")
    (tmp_path / "sub" / "other.py").write_text("print(1)\n")
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": [CALL]}]}))
    return tmp_path


def test_a_person_sees_a_diff_what_was_refused_and_a_summary(project):
    done = command(".", cwd=project)
    assert done.returncode == 1
    assert done.stdout.startswith("--- a/app.py\n+++ b/app.py\n@@ -1,3 +1,3 @@\n # app\n")
    assert f"-{CALL}\n" in done.stdout
    assert f"+{DONE}\n" in done.stdout
    assert "+print(r.choices[0].message.content)\n\\ No newline at end of file\n" in done.stdout
    assert done.stderr.splitlines() == [
        "sub/bad.py:1:1: refused: Chat cannot insert before a suffix [suffix]",
        "    what to do: say it in the prompt, or keep the call behind diptych.client.compat.Completions",
        "4 files, 2 would change: 2 calls, 1 reads of an answer",
        "1 refused: 1 suffix",
    ]
    assert (project / "app.py").read_text().startswith(f"# app\n{CALL}")


def test_the_diff_is_one_that_patch_takes(project):
    diff = command("app.py", cwd=project).stdout
    applied = subprocess.run(["git", "apply", "-"], cwd=project, input=diff, capture_output=True, text=True)
    assert applied.returncode == 0, applied.stderr
    assert (project / "app.py").read_text() == f"# app\n{DONE}\nprint(r.choices[0].message.content)"


def test_writing_in_processes_with_backups_and_comments(project):
    done = command(".", "--write", "--backup", "--todo", "--workers", "2", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert "4 files, 3 changed: 2 calls, 1 reads of an answer, 1 TODO comments" in done.stderr
    assert (project / "app.py").read_text().startswith(f"# app\n{DONE}")
    assert (project / "app.py.bak").read_text().startswith(f"# app\n{CALL}")
    assert (project / "sub" / "bad.py").read_text().startswith("# TODO(diptych): suffix: ")
    again = command(".", "--write", "--json", cwd=project)
    found = json.loads(again.stdout)
    assert found["summary"]["changed"] == 0
    assert again.returncode == 1


def test_the_document_says_everything_and_backup_needs_write(project):
    found = json.loads(command(".", "--json", cwd=project).stdout)
    assert [file["file"] for file in found["files"]] == ["app.py", "n.ipynb", "sub/bad.py"]
    assert found["files"][0]["changes"][0] == {
        "place": "app.py:2:5", "what": found["files"][0]["changes"][0]["what"], "kind": "call"
    }  # fmt: skip
    assert found["files"][1]["changes"][0]["place"] == "n.ipynb[cell 1]:1:5"
    assert found["files"][2]["refusals"][0]["code"] == "suffix"
    assert found["files"][2]["refusals"][0]["hint"]
    assert found["summary"] == {
        "files": 4, "changed": 2, "changes": {"call": 2, "result": 1}, "refusals": {"suffix": 1}
    }  # fmt: skip
    assert command(".", "--backup", cwd=project).returncode == 2


def test_codes_are_explained():
    done = subprocess.run(
        [sys.executable, "-m", "diptych", "explain", "result-escapes"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "what to do" in done.stdout
    page = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "migrate-code.md").read_text("utf-8")
    from diptych.migrate.code import CODES

    assert [code for code in CODES if f"`{code}`" not in page] == []


NOTED = """import argparse
import openai

p = argparse.ArgumentParser()
p.add_argument("--model", default="text-davinci-003")
a = p.parse_args()
print(openai.Completion.create(model=a.model, prompt="Hi", max_tokens=5).choices[0].text)
print(openai.Completion.create(model="davinci", prompt="Hi", max_tokens=5, stop=["."]).choices[0].text)
"""


@pytest.mark.parametrize("options", [(), ("--write",)])
def test_every_note_is_printed_with_its_place(tmp_path, options):
    (tmp_path / "s.py").write_text(NOTED)
    done = command("s.py", *options, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.splitlines()[:1] == ["s.py:8:76: note: gpt-5.4-mini refuses stop: see to it"]
    notes = [change for file in migrate_files([tmp_path]).files for change in file.changes if change.kind == "note"]
    assert len(notes) == (0 if options else 1)


@pytest.mark.parametrize(
    "argument", ["stop='x'", "presence_penalty=1", "frequency_penalty=0.5", "logit_bias={}", "logprobs=2"]
)
@pytest.mark.parametrize("model", ["text-davinci-003", "gpt-5.4-mini"])
def test_what_the_new_model_refuses_is_noted(argument, model):
    source = f"import openai\nopenai.Completion.create(model='{model}', prompt='x', max_tokens=5, {argument})\n"
    notes = [change.what for change in migrate_code(source).changes if change.kind == "note"]
    # logprobs are accepted at the model's default effort, which is none.
    is_refused = argument not in ("logit_bias={}", "logprobs=2")
    assert len(notes) == is_refused
    assert all(note.startswith("gpt-5.4-mini refuses ") and argument.partition("=")[0] in note for note in notes)


def test_other_models_and_servers_have_no_such_note():
    call = "openai.Completion.create(model='{}', prompt='x', max_tokens=5, stop='x')\n"
    for source in (call.format("gpt-4o-mini"), "openai.api_base = 'http://x'\n" + call.format("davinci")):
        found = migrate_code("import openai\n" + source)
        assert [change for change in found.changes if change.kind == "note"] == []


def test_another_replacement_may_be_asked_for(tmp_path):
    source = (
        "import openai\nM = 'text-davinci-003'\nopenai.Completion.create(model=M, prompt='x', max_tokens=5, stop='x')\n"
        "openai.Completion.create(engine='davinci', prompt='x', max_tokens=5)\n"
    )
    assert migrate_code(source, model="gpt-4o").source.count("'gpt-4o'") == 2
    (tmp_path / "a.py").write_text(source)
    done = command("a.py", "--model", "gpt-4o", "--write", cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "a.py").read_text().count("'gpt-4o'") == 2
    chain = "from langchain_openai import OpenAI\nprint(OpenAI().invoke('x'))\n"
    assert 'model="gpt-4o"' in migrate_code(chain, model="gpt-4o").source
