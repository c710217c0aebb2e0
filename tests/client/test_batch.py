"""A file of requests: every line one result, whatever happens in between."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

import diptych
from diptych.client.batch import done_ids, read_results, run_batch, write_lines
from diptych.testing import Server, status


def requests(path, count):
    body = {"model": "gpt-4o-mini", "max_tokens": 5}
    bodies = ((f"r{n}", {**body, "messages": [{"role": "user", "content": f"say {n}"}]}) for n in range(count))
    assert write_lines(bodies, path) == count


def texts(path):
    return {id_: r["response"]["body"]["choices"][0]["message"]["content"] for id_, r in read_results(path).items()}


@pytest.fixture
def server():
    with Server() as running:
        yield running


def test_every_line_has_one_result(server, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    requests(source, 30)
    with diptych.Client(server.base_url) as client:
        counts = run_batch(client, source, out, concurrency=5)
    assert (counts.done, counts.failed, counts.skipped) == (30, 0, 0)
    assert texts(out) == {f"r{n}": f"say {n}" for n in range(30)}
    assert counts.cost > 0
    with diptych.Client(server.base_url) as client, pytest.raises(diptych.ClientError, match="exists"):
        run_batch(client, source, out)


def test_bad_lines_and_failed_calls_are_results(server, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    good = {"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": {"model": "m", "prompt": "Hi"}}
    rows = [
        good,
        good,
        {**good, "custom_id": "b", "url": "/v1/embeddings"},
        {"custom_id": "c"},
        {**good, "custom_id": "d"},
    ]
    source.write_text("".join(json.dumps(r) + "\n" for r in rows) + "not json\n")
    server.next(status(400), status(400))
    with diptych.Client(server.base_url) as client:
        counts = run_batch(client, source, out, concurrency=1)
    found = read_results(out)
    assert (counts.done, counts.failed) == (0, 6)
    assert {id_: r["error"]["code"] for id_, r in found.items()} == {
        "a": "api", "line-2": "format", "b": "format", "c": "format", "d": "api", "line-6": "format",
    }  # fmt: skip


def test_a_torn_line_is_sent_again_and_nothing_else(server, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    requests(source, 10)
    with diptych.Client(server.base_url) as client:
        run_batch(client, source, out, concurrency=1)
        out.write_bytes(out.read_bytes()[:-30])
        assert len(done_ids(out)) == 9
        counts = run_batch(client, source, out, resume=True)
    assert (counts.done, counts.skipped) == (1, 9)
    assert len(texts(out)) == len(out.read_bytes().splitlines()) == 10
    assert len(server.requests) == 11


def test_a_budget_ends_it_and_the_rest_can_be_gone_on_with(server, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    requests(source, 10)
    with diptych.Client(server.base_url, budget=diptych.Budget(tokens=60)) as client:
        counts = run_batch(client, source, out, concurrency=1)
    assert counts.done + counts.failed == 10
    assert counts.failed > 0
    assert len(server.requests) == counts.done == len(done_ids(out))
    with diptych.Client(server.base_url) as client:
        again = run_batch(client, source, out, resume=True)
    assert (again.done, again.skipped) == (counts.failed, counts.done)


def test_two_endpoints_are_no_batch(tmp_path):
    with pytest.raises(diptych.FormatError, match="one endpoint"):
        write_lines([("a", {"messages": []}), ("b", {"prompt": ""})], tmp_path / "x")


@pytest.mark.skipif(os.name != "posix", reason="this system has no SIGKILL")
def test_killed_and_gone_on_with_nothing_is_lost_or_doubled(tmp_path, until):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    requests(source, 60)
    answered, more = 0, threading.Condition()

    def answer(body):
        """Say it when it is its turn, so that no process ends before it is killed."""
        text = body["messages"][0]["content"]
        with more:
            more.wait_for(lambda: int(text.split()[1]) < answered)
        return text

    def let_go(count):
        nonlocal answered
        with more:
            answered = count
            more.notify_all()

    with Server(answer) as server:
        command = [
            sys.executable,
            "-m",
            "diptych",
            "batch",
            str(source),
            "--out",
            str(out),
            "--base-url",
            server.base_url,
        ]
        command += ["--concurrency", "2", "--resume"]
        for number in range(1, 4):
            let_go(number * 12)
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: out.exists() and out.read_bytes().count(b"\n") >= number * 12 - 6, "half a dozen results")
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
        let_go(60)
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
        counts = json.loads(done.stdout)
        assert counts["skipped"] >= 30
        assert texts(out) == {f"r{n}": f"say {n}" for n in range(60)}
        assert len(out.read_bytes().splitlines()) == 60
        # What was under way at a kill is all that may have been sent twice.
        assert len(server.requests) <= 60 + 3 * 4
