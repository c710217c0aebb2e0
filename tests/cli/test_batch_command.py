"""``diptych batch`` as a user runs it: reasons, refusals, exit codes, standard input."""

import io
import json
import sys

import pytest

from diptych.__main__ import main
from diptych.client.results_file import Results
from diptych.testing import Server, status

BODY = {"model": "gpt-4o-mini", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}


def line(id_, **body):
    merged = {name: value for name, value in {**BODY, **body}.items() if value is not None}
    return json.dumps({"custom_id": id_, "method": "POST", "url": "/v1/chat/completions", "body": merged}) + "\n"


@pytest.fixture
def run(monkeypatch, capfdbinary, tmp_path):
    """Run ``diptych batch …`` in this process and an empty folder; return code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    with Server() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)

        def call(*args, stdin=""):
            monkeypatch.setattr(sys, "argv", ["diptych", "batch", *args])
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
            with pytest.raises(SystemExit) as left:
                main()
            out, err = capfdbinary.readouterr()
            return left.value.code or 0, out.decode(), err.decode()

        call.server = server
        yield call


def test_what_the_budget_stopped_is_said_once_per_reason(run, tmp_path):
    (tmp_path / "b.jsonl").write_text(line("a") + line("b") + line("c", max_tokens=None) + line("d", model="none-such"))
    code, out, err = run("b.jsonl", "-o", "o.jsonl", "--max-cost", "0.00001")
    assert (code, out) == (1, "")
    assert "0 done, 4 failed" in err
    assert "2 × over the budget: the call may cost " in err
    assert "1 × no output cap: " in err
    assert "1 × no known price: " in err
    assert err.count("--max-cost") == 3
    assert run.server.requests == []
    # A larger budget sends them: nothing was recorded as done.
    code, _, err = run("b.jsonl", "-o", "o.jsonl", "--resume", "--max-cost", "0.5")
    assert "2 done, 2 failed" in err
    code, out, _ = run("b.jsonl", "-o", "new.jsonl", "--max-cost", "0.00001", "--json")
    found = json.loads(out)
    assert code == 1
    assert [(r["count"], r["reason"]) for r in found["reasons"]] == [
        (2, "over the budget"),
        (1, "no known price"),
        (1, "no output cap"),
    ]
    assert "may cost" in found["reasons"][0]["example"]


def test_other_failures_are_said_with_their_first_error(run, tmp_path):
    (tmp_path / "b.jsonl").write_text(line("a") + line("b") + "{}\n")
    run.server.next(status(400), status(400))
    _, _, err = run("b.jsonl", "-o", "o.jsonl", "--concurrency", "1")
    assert "2 × api: HTTP 400: " in err
    assert "1 × format: b.jsonl:3: " in err


def test_a_cost_that_is_unknown_is_said(run, tmp_path):
    (tmp_path / "b.jsonl").write_text(line("a", model="none-such"))
    assert "the unknown cost of 1 reply" in run("b.jsonl", "-o", "o.jsonl")[2]
    (tmp_path / "c.jsonl").write_text(line("a", model="none-such") + line("b") + line("c", model="none-such"))
    code, out, err = run("c.jsonl", "-o", "p.jsonl", "--json")
    assert (code, err) == (0, "")
    assert (json.loads(out)["unpriced"], json.loads(out)["reasons"]) == (2, [])


def test_standard_input_is_a_file_of_requests(run, tmp_path):
    assert run("-", "-o", "o.jsonl", stdin=line("a") + line("b"))[0] == 0
    assert len((tmp_path / "o.jsonl").read_bytes().splitlines()) == 2
    assert "1 × format: -:2: not JSON" in run("-", "-o", "p.jsonl", stdin=line("a") + "x")[2]


def test_refusals_exit_2_and_name_the_option(run, tmp_path):
    source = tmp_path / "b.jsonl"
    source.write_text(line("a"))
    (tmp_path / "notes.txt").write_text("notes")
    cases = [
        (("b.jsonl", "-o", "b.jsonl", "--resume"), "the same file"),
        (("b.jsonl", "-o", "notes.txt"), "--resume"),
        (("b.jsonl", "-o", "notes.txt", "--resume"), "notes.txt:1: "),
        (("b.jsonl", "-o", "o.jsonl", "--max-cost", "much"), "'much'"),
        (("b.jsonl", "-o", "o.jsonl", "--max-cost", "nan"), "'nan'"),
        (("b.jsonl", "-o", "o.jsonl", "--max-cost", "-1"), "'-1'"),
    ]
    for args, said in cases:
        code, _, err = run(*args)
        assert code == 2, args
        assert said in err
        assert "unexpected" not in err
    with Results(tmp_path / "o.jsonl"):
        code, _, err = run("b.jsonl", "-o", "o.jsonl", "--resume")
    assert (code, run.server.requests) == (2, [])
    assert "another process is writing to this results file" in err
    assert source.read_text() == line("a")
    assert (tmp_path / "notes.txt").read_text() == "notes"
