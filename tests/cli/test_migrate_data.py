"""``diptych migrate data`` as a person runs it: what they see, what a program reads, what is left behind."""

import json
import os
import re
import subprocess
import sys

import pytest
from tests.commands import diptych_command

ROWS = [{"prompt": f"{n}+{n}? ->", "completion": f" {2 * n}"} for n in range(12)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS) + "broken\n")
    return tmp_path


def diptych(folder, *words, **more):
    return diptych_command("migrate", "data", *words, cwd=folder, **more)


def test_what_a_person_sees(folder):
    done = diptych(folder, "in.jsonl", "out.jsonl")
    rejects = "the rejected rows, with their lines and reasons, stand in out.jsonl.rejects.jsonl\n"
    assert (done.returncode, done.stderr) == (1, rejects)
    assert done.stdout.splitlines() == [
        "layout: finetune_legacy (13 rows; found: 12 of the first 12 rows by completion, prompt)",
        "13 rows: 12 converted, 1 rejected",
        "losses: none",
        "rejected 1, first at line 13 of in.jsonl: the line is not JSON: Expecting value: line 1 column 1 (char 0)",
        "tokens before: 84 (0.000126 USD as input)",
        "tokens after: 204 (0.000153 USD as input)",
        "training: no training price is known for 'gpt-5.4-mini'",
    ]
    assert json.loads((folder / "out.jsonl.rejects.jsonl").read_text())["line"] == 13


def test_what_a_program_reads(folder):
    found = json.loads(diptych(folder, "in.jsonl", "out.jsonl", "--json").stdout)
    assert (found["version"], found["rows"], found["converted"], found["rejected"]) == (1, 13, 12, 1)
    assert found["counts"]["written"] == 12
    assert found["tokens"] == {"before": 84, "after": 204}
    assert found["cost"] == {"before": "0.000126", "after": "0.000153"}
    again = json.loads(diptych(folder, "in.jsonl", "out.jsonl", "--json").stdout)
    assert (again["skipped"], again["tokens"]) == (True, found["tokens"])
    assert json.loads(diptych(folder, "in.jsonl", "b.jsonl", "--json", "--no-count").stdout)["tokens"]["after"] is None


def test_columns_and_batches(folder):
    (folder / "asked.jsonl").write_text('{"question": "2+2?", "answer": "4", "n": 1}\n')
    options = ["--from", "qa", "--to", "batch", "--drop", "n", "--set", "model=gpt-4o-mini", "--set", "seed=7"]
    done = diptych(folder, "asked.jsonl", "out.jsonl", *options, "--on-loss", "warn")
    assert done.returncode == 0, done.stderr
    line = json.loads((folder / "out.jsonl").read_text())
    assert (line["custom_id"], line["body"]["seed"], line["body"]["model"]) == ("row-1", 7, "gpt-4o-mini")
    assert "text-dropped 1" in done.stdout
    (folder / "own.jsonl").write_text('{"q": "2+2?", "a": "4"}\n')
    named = diptych(folder, "own.jsonl", "b.jsonl", "--from", "qa", "--column", "question=q", "--column", "answer=a")
    assert named.returncode == 0, named.stderr
    assert diptych(folder, "own.jsonl", "c.jsonl", "--column", "q").returncode == 2


def test_errors_say_where_and_the_way_out(folder):
    (folder / "odd.jsonl").write_text('{"x": 1}\n')
    done = diptych(folder, "odd.jsonl", "out.jsonl")
    assert done.returncode == 2
    assert "odd.jsonl: row 1" in done.stderr
    assert "name it: --from" in done.stderr
    stopped = diptych(folder, "in.jsonl", "out.jsonl", "--fail-fast")
    assert (stopped.returncode, (folder / "out.jsonl").exists()) == (2, False)
    assert "row 13" in stopped.stderr
    assert "Traceback" not in done.stderr + stopped.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is made with openpty")
def test_a_terminal_sees_the_rate_and_the_time_left(folder):
    (folder / "in").mkdir()
    for n in range(6):
        (folder / "in" / f"{n}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS * 200))
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "diptych", "migrate", "data", "in", "out", "--workers", "1"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        shown += data
    out = child.communicate()[0]
    os.close(ours)
    assert child.returncode == 0
    assert b"14,400 rows: 14,400 converted" in out.splitlines()[1]
    assert re.search(rb"[1-6]/6.*[\d,]+ rows/s", shown)
