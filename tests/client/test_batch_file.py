"""The results file of a batch: never somebody else's file, never two writers, nothing answered is lost."""

import itertools
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.client import results_file
from diptych.client.batch import Results, done_ids, read_lines, read_results, run_batch
from diptych.client.results import BadResults, line_of
from diptych.testing import Server, hang, status

posix = pytest.mark.skipif(os.name != "posix", reason="this system has no flock or signals")


def request(id_, text="Hi"):
    body = {"model": "gpt-4o-mini", "max_tokens": 5, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": id_, "method": "POST", "url": "/v1/chat/completions", "body": body}


def result(id_, *, status_code=200, error=None, content="Hi"):
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}
    response = {"status_code": status_code, "request_id": None, "body": None if error else body}
    return {"id": f"batch_req_{id_}", "custom_id": id_, "response": response, "error": error}


def write(path, *rows):
    path.write_bytes(b"".join(line_of(row) for row in rows))
    return path


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / "in.jsonl", *(request(f"r{n}") for n in range(3)))


def run(server, source, out, **options):
    with diptych.Client(server.base_url, retries=0) as client:
        return run_batch(client, source, out, **{"resume": True, "concurrency": 1, **options})


# a file that is none of ours --------------------------------------------------------------------

GOOD = line_of(result("r0"))
FOREIGN = {
    "requests": line_of(request("r0")) + line_of(request("r1")),
    "requests-without-line-feed": line_of(request("r0")).rstrip(),
    "requests-after-a-result": GOOD + line_of(request("r1")),
    "request-torn": line_of(request("r0"))[:-20],
    "request-torn-after-a-result": GOOD + line_of(request("r1"))[:-20],
    "text": b"Dear diary,\n\nnothing happened today.\n",
    "text-without-line-feed": b"Dear diary",
    "text-after-a-result": GOOD + b"my notes",
    "one-letter": b"x",
    "spaces": b"   ",
    "json-number": b"42\n",
    "json-list": b"[]\n",
    "json-object": b"{}\n",
    "json-of-another-shape": b'{"prompt": "a", "completion": "b"}\n',
    "json-in-many-lines": b'{\n  "custom_id": "a",\n  "response": null\n}',
    "a-reply": b'{"id": "chatcmpl-1", "object": "chat.completion", "choices": []}\n',
    "almost-a-result": b'{"custom_id": "a", "response": "yes", "error": null}\n',
    "neither-response-nor-error": b'{"id": "x", "custom_id": "a", "response": null, "error": null}\n',
    "a-result-with-more": b'{"custom_id": "a", "response": {"status_code": 200}, "error": null, "note": 1}\n',
    "id-is-a-number": b'{"custom_id": 7, "response": {"status_code": 200}, "error": null}\n',
    "a-result-and-more-in-its-line": GOOD.rstrip() + b"{}",
    "like-a-result-but-not-json": b'{"id":"batch_req_a","custom_id":"a","response":HELLO',
    "ids-that-differ": b'{"id":"batch_req_a","custom_id":"b","response":nu',
    "binary": bytes(range(256)),
    "zeros-after-a-result": GOOD + bytes(40),
    "utf-16": json.dumps(result("a")).encode("utf-16"),
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused_untouched(server, source, tmp_path, data):
    out = tmp_path / "out.jsonl"
    out.write_bytes(data)
    with pytest.raises(diptych.FormatError, match="nothing was changed") as caught:
        run(server, source, out)
    assert out.read_bytes() == data
    assert server.requests == []
    assert str(caught.value).startswith(f"{out}:")
    assert caught.value.hint
    with pytest.raises(diptych.FormatError):
        done_ids(out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (FOREIGN["requests"], "a request"),
        (FOREIGN["json-of-another-shape"], "the keys prompt, completion"),
        (FOREIGN["text"], "not JSON"),
        (FOREIGN["json-list"], "not an object"),
    ],
)
def test_the_refusal_says_what_the_file_is(server, source, tmp_path, data, said):
    out = tmp_path / "out.jsonl"
    out.write_bytes(data)
    with pytest.raises(diptych.FormatError, match=said):
        run(server, source, out)


def test_a_damaged_line_is_named(server, source, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_bytes(GOOD + b"###\n" + line_of(result("r1")))
    with pytest.raises(diptych.FormatError, match=r"out\.jsonl:2: ") as caught:
        run(server, source, out)
    assert "delete the line" in caught.value.hint


@pytest.mark.parametrize("kind", ["same", "relative", "symlink", "hard link"])
@pytest.mark.parametrize("resume", [True, False])
def test_the_input_is_never_the_output(server, source, tmp_path, monkeypatch, kind, resume):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "link.jsonl"
    if kind == "symlink":
        out.symlink_to(source)
    elif kind == "hard link":
        os.link(source, out)
    else:
        out = source if kind == "same" else "./in.jsonl"
    before = source.read_bytes()
    with pytest.raises(diptych.FormatError, match="the same file"):
        run(server, source, out, resume=resume)
    assert (source.read_bytes(), server.requests) == (before, [])


def test_an_input_that_is_missing_leaves_no_output(server, tmp_path):
    with pytest.raises(FileNotFoundError):
        run(server, tmp_path / "none.jsonl", tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == []


# a file that is ours ----------------------------------------------------------------------------

OWN = [
    result("r0"),
    result("r1", status_code=400, error={"code": "api", "message": "no", "path": None}),
    {
        "id": "batch_req_r2",
        "custom_id": "r2",
        "response": None,
        "error": {"code": "format", "message": "", "path": "$"},
    },
    result('q"\\\n\u2028é🎉', content='"}\n\\ud800 \u0000'),
    result("\ud800", content="a lone \udfff"),
    result("numbers", content=None) | {"response": {"status_code": 200, "body": [1e300, -0.0, 10**40, True, []]}},
]


@pytest.mark.parametrize("row", OWN, ids=range(len(OWN)))
def test_every_prefix_of_a_result_is_a_torn_tail(tmp_path, row):
    out, line = tmp_path / "out.jsonl", line_of(row)
    for end in range(1, len(line)):
        out.write_bytes(GOOD + line[:end])
        whole = {"r0", row["custom_id"]} if end == len(line) - 1 else {"r0"}
        assert done_ids(out) == whole, line[:end]


@given(st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False) | st.none(), max_size=3), st.text(), st.data())
def test_what_is_written_is_known_again(tmp_path_factory, body, id_, data):
    row = {"id": f"batch_req_{id_}", "custom_id": id_, "response": {"status_code": 200, "body": body}, "error": None}
    line = line_of(row)
    out = tmp_path_factory.getbasetemp() / "known.jsonl"
    out.write_bytes(line + line[: data.draw(st.integers(0, len(line) - 2))])
    assert done_ids(out) == {id_}
    assert json.loads(line) == row


def test_looking_changes_nothing(tmp_path):
    out = tmp_path / "out.jsonl"
    late = {"code": "rate-limited", "message": "slow down", "path": None}
    data = GOOD + line_of(result("r1", status_code=429, error=late)) + GOOD[:-9]
    out.write_bytes(data)
    assert done_ids(out) == {"r0"}
    assert out.read_bytes() == data


def test_a_last_result_without_its_line_feed_is_kept(server, source, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_bytes(GOOD.rstrip())
    counts = run(server, source, out)
    assert (counts.done, counts.skipped, len(server.requests)) == (2, 1, 2)
    assert sorted(read_results(out)) == ["r0", "r1", "r2"]


def test_results_of_the_batch_api_itself_are_gone_on_with(server, source, tmp_path):
    out = tmp_path / "out.jsonl"
    row = {**result("r0"), "id": "batch_req_67ca"}
    out.write_text(json.dumps(row) + "\n\n")
    assert run(server, source, out).skipped == 1


LATE = {"code": "timeout", "message": "no answer", "path": None}


def failed(id_):
    return {"id": f"batch_req_{id_}", "custom_id": id_, "response": None, "error": LATE}


def test_what_is_sent_again_is_taken_out_and_nothing_else(server, source, tmp_path):
    out = write(tmp_path / "out.jsonl", failed("r1"), result("r0"), failed("of another input"))
    out.chmod(0o600)
    counts = run(server, source, out)
    assert (counts.done, counts.skipped) == (2, 1)
    ids = [json.loads(line)["custom_id"] for line in out.read_bytes().splitlines()]
    assert ids == ["r0", "of another input", "r1", "r2"]
    assert out.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_link_to_the_results_stays_a_link(server, source, tmp_path):
    out = write(tmp_path / "out.jsonl", failed("r1"))
    link = tmp_path / "link.jsonl"
    link.symlink_to(out)
    run(server, source, link)
    assert link.is_symlink()
    assert sorted(read_results(out)) == ["r0", "r1", "r2"]


def test_a_line_that_the_disk_refuses_in_part_leaves_nothing(tmp_path, monkeypatch):
    out = tmp_path / "out.jsonl"
    write_for_real = os.write

    def full(file, data):
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return write_for_real(file, data[:50])

    with Results(out) as results:
        results.append(result("a"))
        monkeypatch.setattr(results_file.os, "write", full)
        with pytest.raises(OSError, match="No space"):
            results.append(result("b", content="c" * (60 - len(line_of(result("b"))) % 50)))
        monkeypatch.undo()
        results.append(result("d"))
    assert list(read_results(out)) == ["a", "d"]


# one writer at a time -----------------------------------------------------------------------------


def test_a_second_writer_is_refused(server, source, tmp_path):
    out = tmp_path / "out.jsonl"
    with Results(out), pytest.raises(diptych.ClientError, match="another process is writing"):
        run(server, source, out)
    assert server.requests == []
    assert run(server, source, out).done == 3


@posix
def test_the_lock_goes_with_the_file_that_takes_its_place(server, source, tmp_path):
    out = write(tmp_path / "out.jsonl", failed("r1"))
    stale = os.open(out, os.O_RDWR)
    try:
        with Results(out) as results:
            results.begin({"r1"})
            with pytest.raises(diptych.ClientError, match="another process"):
                Results(out)
    finally:
        os.close(stale)


HOLD = """
import sys, time
from diptych.client.batch import Results
held = Results(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


@posix
def test_a_killed_process_holds_nothing(server, source, tmp_path):
    out = tmp_path / "out.jsonl"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(diptych.ClientError, match="another process"):
            run(server, source, out)
        other.kill()
    assert run(server, source, out).done == 3


def test_without_flock_a_file_beside_is_the_lock(server, source, tmp_path, monkeypatch):
    """The way of Windows, as far as another system can show it."""
    monkeypatch.setattr(results_file, "fcntl", None)
    out = write(tmp_path / "out.jsonl", failed("r1"))
    with Results(out), pytest.raises(diptych.ClientError, match="another process is writing") as caught:
        run(server, source, out)
    assert "out.jsonl.lock" in caught.value.hint
    assert run(server, source, out).done == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@posix
def test_a_file_system_without_locks_is_said(source, server, tmp_path, monkeypatch):
    def none(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(results_file.fcntl, "flock", none)
    with pytest.warns(UserWarning, match="cannot lock"):
        assert run(server, source, tmp_path / "out.jsonl").done == 3


# leaving early ------------------------------------------------------------------------------------


class Stop(BaseException):
    pass


class Gate(logging.Handler):
    """Answers from the sixth request on come once a run says that it is stopping."""

    def __init__(self):
        super().__init__()
        self.open, self.asked = threading.Event(), itertools.count(1)

    def emit(self, record):
        if record.getMessage().startswith("stopping"):
            self.open.set()

    def answer(self, _):
        if next(self.asked) > 5:
            assert self.open.wait(300)
        return "answered"


@pytest.fixture
def gate():
    handler = Gate()
    logger = logging.getLogger("diptych.client")
    logger.addHandler(handler)
    yield handler
    handler.open.set()
    logger.removeHandler(handler)


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stop, ValueError])
def test_what_was_answered_is_written_before_an_error_leaves(tmp_path, gate, error):
    source = write(tmp_path / "in.jsonl", *(request(f"r{n}") for n in range(40)))
    out = tmp_path / "out.jsonl"
    seen = []

    def step(counts):
        seen.append(counts)
        raise error

    with Server(gate.answer) as server:
        with pytest.raises(error):
            run(server, source, out, concurrency=8, step=step)
        sent = len(server.requests)
        assert 1 <= sent <= 5 + 8
        assert len(read_results(out)) == sent == seen[0].done
        counts = run(server, source, out)
        assert (counts.done, counts.skipped) == (40 - sent, sent)
        assert len(server.requests) == 40


def test_answers_under_way_are_not_waited_for_without_end(tmp_path, source, monkeypatch):
    monkeypatch.setattr("diptych.client.batch.GRACE", 0.1)
    out = tmp_path / "out.jsonl"

    def step(_):
        raise KeyboardInterrupt

    with Server() as server:
        server.next(hang())
        with pytest.raises(KeyboardInterrupt):
            run(server, source, out, concurrency=3, step=step)
    assert sorted(read_results(out)) != ["r0", "r1", "r2"]
    threads = [t for t in threading.enumerate() if t.name.startswith("diptych-batch")]
    assert all(t.daemon for t in threads)


def command(*args):
    return [sys.executable, "-m", "diptych", "batch", *map(str, args)]


def interruptible(args):
    """Start a program that heeds Ctrl-C, also where the tests run in the background of a shell, which ignores it."""
    heeds = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 - it runs in the child
    return subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeds)


@posix
def test_ctrl_c_ends_with_130_and_no_answer_is_paid_twice(tmp_path, gate, until):
    source = write(tmp_path / "in.jsonl", *(request(f"r{n}") for n in range(30)))
    out = tmp_path / "out.jsonl"
    with Server(gate.answer) as server:
        args = command(source, "--out", out, "--base-url", server.base_url, "--concurrency", "4")
        with interruptible(args) as child:
            until(lambda: len(server.requests) >= 9, "nine requests")
            child.send_signal(signal.SIGINT)
            assert child.stderr.readline().startswith("stopping")
            gate.open.set()
            _, said = child.communicate(timeout=300)
        assert child.returncode == 130, said
        assert "interrupted (9 done" in said
        assert "--resume" in said
        assert "Traceback" not in said
        assert len(read_results(out)) == len(server.requests) == 9
        done = subprocess.run([*args, "--resume", "--json"], capture_output=True, text=True, check=True)
        assert (json.loads(done.stdout)["done"], json.loads(done.stdout)["skipped"]) == (21, 9)
        assert len(server.requests) == 30


@posix
def test_a_second_ctrl_c_leaves_at_once(tmp_path, source, until):
    out = tmp_path / "out.jsonl"
    with Server() as server:
        server.next(hang(), hang())
        args = command(source, "--out", out, "--base-url", server.base_url, "--concurrency", "2")
        with interruptible(args) as child:
            until(lambda: len(server.requests) >= 2, "two requests")
            child.send_signal(signal.SIGINT)
            assert "under way" in child.stderr.readline()
            child.send_signal(signal.SIGINT)
            _, said = child.communicate(timeout=300)
        assert child.returncode == 130, said
        assert "Traceback" not in said


def test_an_unexpected_error_of_one_line_is_its_result(tmp_path, source, server, caplog):
    caplog.set_level(logging.DEBUG)
    out = tmp_path / "out.jsonl"

    class Broken(diptych.Client):
        def send(self, x, **params):
            if len(server.requests) == 1:
                server.requests.append(None)
                raise TypeError("sk-secret")
            return super().send(x, **params)

    with Broken(server.base_url) as client:
        counts = run_batch(client, source, out, concurrency=1)
    assert (counts.done, counts.failed) == (2, 1)
    error = read_results(out)["r1"]["error"]
    assert "TypeError" in error["message"]
    assert "sk-secret" not in out.read_text()
    assert "unexpected TypeError" in caplog.text
    assert "sk-secret" not in caplog.text.replace('TypeError("sk-secret")', "")  # this file's own source line
    assert run(server, source, out).done == 1


# reading --------------------------------------------------------------------------------------------


def test_a_bad_line_does_not_lose_the_others(tmp_path):
    out = write(tmp_path / "a.jsonl", result("a"))
    out.write_bytes(out.read_bytes() + b"[1]\n\nnot json\n" + line_of(result("b")) + b'{"custom_id":"c","resp')
    other = write(tmp_path / "b.jsonl", result("d"), request("e"))
    with pytest.raises(diptych.FormatError) as caught:
        read_results(out, other)
    error = caught.value
    assert list(error.results) == ["a", "b", "d"]
    places = [f"{out}:2", f"{out}:4", f"{out}:6", f"{other}:2"]
    assert [problem.path for problem in error.problems] == places
    assert error.path == places[0]
    assert "4 lines" in error.message
    again = pickle.loads(pickle.dumps(error))
    assert (list(again.results), len(again.problems)) == (["a", "b", "d"], 4)
    assert isinstance(again, BadResults)


def test_results_of_other_servers_are_read(tmp_path):
    rows = [
        {"custom_id": "a", "response": {"status_code": 200, "body": {}}, "error": None},
        {"id": "vllm-1", "custom_id": "b", "response": {"body": {}}, "error": None, "more": 1},
        {"id": "batch_req_1", "custom_id": "c", "response": None, "error": {"code": "batch_expired"}},
    ]
    assert list(read_results(write(tmp_path / "a.jsonl", *rows))) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("line", "path", "said"),
    [
        (b"no json", "in.jsonl:2", "not JSON"),
        (b"\xff", "in.jsonl:2", "not JSON"),
        (b"[]", "in.jsonl:2", "custom_id"),
        (b'{"custom_id": 1, "body": {}}', "in.jsonl:2", "custom_id"),
        (line_of(request("r")), "in.jsonl:2: $.custom_id", "duplicate"),
        (line_of({**request("s"), "url": "/v1/embeddings"}), "in.jsonl:2: $.url", "/v1/chat/completions"),
    ],
)
def test_bad_requests_are_named_by_file_and_line(tmp_path, line, path, said):
    source = tmp_path / "in.jsonl"
    source.write_bytes(line_of(request("r")) + line)
    good, bad = read_lines(source)
    assert (good.error, bad.error.path) == (None, path)
    assert said in bad.error.message


# the budget -----------------------------------------------------------------------------------------


def test_what_a_budget_stopped_is_counted_by_its_reason(server, tmp_path):
    unbounded = request("d")
    del unbounded["body"]["max_tokens"]
    unpriced = request("e")
    unpriced["body"]["model"] = "no-such-model"
    rows = [request("a"), request("b"), {**request("c"), "url": "/v1/nothing"}, unbounded, unpriced]
    source, out = write(tmp_path / "in.jsonl", *rows), tmp_path / "out.jsonl"
    with diptych.Client(server.base_url, budget=diptych.Budget(usd="0.000001")) as client:
        counts = run_batch(client, source, out, concurrency=1)
    found = {name: reason.count for name, reason in counts.reasons.items()}
    assert found == {"over the budget": 2, "format": 1, "no output cap": 1, "no known price": 1}
    assert "may cost" in counts.reasons["over the budget"].example
    # What was not sent has no result: a later run with more may send it.
    assert sorted(read_results(out)) == ["c"]
    assert [reason["count"] for reason in counts.to_json()["reasons"]] == [2, 1, 1, 1]


def test_a_cost_that_is_unknown_is_not_0(server, tmp_path):
    rows = [request("a"), request("b")]
    rows[0]["body"]["model"] = "no-such-model"
    source = write(tmp_path / "in.jsonl", *rows)
    counts = run(server, source, tmp_path / "out.jsonl")
    assert (counts.done, counts.unpriced) == (2, 1)
    assert counts.to_json()["cost"] == str(counts.cost)
    source = write(tmp_path / "in2.jsonl", rows[0])
    assert run(server, source, tmp_path / "out2.jsonl").to_json()["cost"] is None


def test_statuses_that_a_later_run_may_mend(server, source, tmp_path):
    server.next(status(500), status(401), status(400))
    out = tmp_path / "out.jsonl"
    assert run(server, source, out).failed == 3
    assert done_ids(out) == {"r2"}
