"""Commands as a user runs them: bytes on standard output, exit codes, errors without traceback."""

import io
import json
import subprocess
import sys

import pytest

from diptych.__main__ import main
from diptych.testing import Server, status


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def run(monkeypatch, capfdbinary, tmp_path):
    """Run ``diptych …`` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*args, stdin=""):
        monkeypatch.setattr(sys, "argv", ["diptych", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        try:
            main()
            code = 0
        except SystemExit as exit_:
            code = exit_.code or 0
        out, err = capfdbinary.readouterr()
        return Result(code, out.decode(), err.decode())

    return call


# render ---------------------------------------------------------------------------------


def test_running_example_is_exact(run):
    found = run("render", "translate", "-p", "text=Hello")
    assert found.out == 'Translate the following English text to French: "Hello"'
    assert (found.code, found.err) == (0, "")


def test_running_example_as_messages(run):
    found = run("render", "translate", "-p", "text=Hello", "--as", "messages")
    assert found.json == [{"role": "user", "content": 'Translate the following English text to French: "Hello"'}]


def test_render_json_says_who_wrote_what(run):
    found = run("render", "translate", "-p", "text=Hello", "--json").json
    assert found["version"] == 1
    data = [found["prompt"][s["start"] : s["end"]] for s in found["spans"] if s["source"] == "data"]
    assert data == ["Hello"]
    assert found["losses"] == []


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_render_as_request(run, api):
    body = run("render", "translate", "-p", "text=Hi", "--as", "request", "--api", api, "--model", "m").json
    assert body["model"] == "m"
    assert ("messages" in body) == (api == "chat")


def test_render_chat_through_a_text_format(run):
    found = run("render", "world-series", "--format", "chatml")
    assert found.out.startswith("<|im_start|>system\n")
    assert found.out.endswith("<|im_start|>assistant\n")


def test_render_reads_vars_and_standard_input(run, tmp_path):
    (tmp_path / "vars.yaml").write_text("text: Good day\n")
    assert "Good day" in run("render", "translate", "--vars", "vars.yaml").out
    assert run("render", "-", "-p", "a=1", stdin="{{ a }}!").out == "1!"


def test_render_error_names_place_and_way_out(run):
    found = run("render", "translate", "-p", "txt=Hello")
    assert (found.code, found.out) == (2, "")
    assert "txt" in found.err
    assert "text" in found.err
    assert "Traceback" not in found.err


def test_unknown_template_suggests(run):
    found = run("render", "transalte")
    assert found.code == 2
    assert "did you mean 'translate'" in found.err


def test_view_shows_control_characters(run):
    assert "\x1b" not in run("render", "translate", "-p", "text=\x1b[31mred", "--as", "view").out


# convert --------------------------------------------------------------------------------


def test_convert_both_ways(run):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    text = run("convert", "-", "--to", "chatml", stdin=json.dumps(messages)).out
    back = run("convert", "-", "--json", stdin=text).json
    assert back["output"] == messages
    assert back["verdict"] == "lossless"


def test_convert_lines_keep_order_and_mark_bad_ones(run):
    lines = '"<|im_start|>user\\nA<|im_end|>\\n"\nnot json\n"B"\n'
    found = run("convert", "-", "--jsonl", stdin=lines)
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert found.code == 1
    assert [("error" in row) for row in rows] == [False, True, False]
    assert set(rows[1]["error"]) >= {"code", "message", "path"}


def test_convert_whole_bodies(run):
    body = '{"model": "m", "prompt": "Hi", "max_tokens": 3}'
    chat = run("convert", "-", "--to", "chat", stdin=body).json
    assert chat == {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 3}
    reply = '{"choices": [{"index": 0, "text": "Yo", "finish_reason": "stop"}]}'
    assert run("convert", "-", "--to", "chat", stdin=reply).json["choices"][0]["message"]["content"] == "Yo"
    assert run("convert", "-", "--to", "chat", stdin='{"model": "m", "prompt": "Hi", "suffix": "x"}').code == 1


NAMED = '[{"role": "user", "name": "ann", "content": "Hi"}]'
BODY = '{"model": "m", "prompt": "Hi"}'


@pytest.mark.parametrize("options", [["--to", "gemma"], ["--to", "gemma", "--json"], ["--to", "gemma", "--jsonl"]])
@pytest.mark.parametrize(
    ("policy", "code", "warned"),
    [([], 1, True), (["report"], 1, True), (["warn"], 1, True), (["ignore"], 0, False)],
)
def test_losses_are_reported_and_the_output_is_written(run, options, policy, code, warned):
    found = run("convert", "-", *options, *(["--on-loss", *policy] if policy else []), stdin=NAMED)
    assert "user\\nHi" in found.out.replace("\n", "\\n")
    assert found.code == code
    assert ("warning: " in found.err and "$.messages[0].name" in found.err) is warned


def test_a_loss_that_may_not_be_writes_nothing(run):
    found = run("convert", "-", "--to", "gemma", "--on-loss", "raise", stdin=NAMED)
    assert (found.out, found.code) == ("", 2)
    assert "hint: pass --on-loss report to continue" in found.err


def test_losses_of_a_body_are_reported(run):
    lost = '{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "metadata": {"a": "b"}}'
    found = run("convert", "-", "--to", "completions", stdin=lost)
    assert (found.code, found.json["model"]) == (1, "m")
    assert "metadata" in found.err
    assert run("convert", "-", "--to", "chat", stdin=BODY).code == 0, "a default that is written out is exact"


# count and cost ---------------------------------------------------------------------------


def test_count_text_messages_and_limits(run):
    assert run("count", "-", "--model", "gpt-4o-mini", stdin="hello world").out == "2\n"
    counted = run("count", "-", "--json", stdin='[{"role": "user", "content": "Hi"}]').json
    assert {"tokens", "basis", "encoding", "low", "high", "items"} <= counted.keys()
    assert run("count", "-", "--max-tokens", "1", stdin="hello world").code == 1


def test_count_lines_take_their_own_model(run):
    rows = '{"prompt": "hello world", "model": "gpt-3.5-turbo-instruct"}\n{"prompt": "hello world"}\n'
    found = [json.loads(line) for line in run("count", "-", "--jsonl", stdin=rows).out.splitlines()]
    assert [row["encoding"] for row in found] == ["cl100k_base", "o200k_base"]


def test_count_explains_its_lines(run):
    found = run("count", "-", "--explain", stdin='[{"role": "user", "name": "ann", "content": "Hi"}]').out
    assert "tokens that open the reply" in found
    assert "cookbook" in found
    assert found.splitlines()[-1].split()[1] == "exact"


def test_tokens_are_shown(run):
    found = run("tokens", "-", "--model", "gpt-4o", "--json", stdin="hello world\n\x1b é")
    assert found.json["tokens"] == len(found.json["items"])
    shown = run("tokens", "-", stdin="hello\n\x1b[31mworld")
    assert "hello⏎" in shown.out
    assert "\x1b" not in shown.out
    assert "tokens of o200k_base" in shown.err


def test_cost_by_model(run):
    found = run("cost", "-", "--model", "gpt-4o-mini", "--output", "100", "--json", stdin="Hello").json
    assert {"prompt_tokens", "output_tokens", "cost", "lines", "fits_context", "price_date"} <= found.keys()
    assert set(found["cost"]) == {"low", "expected", "high"}
    two = run("cost", "-", "--model", "gpt-4o-mini,gpt-4.1", stdin="Hello").out
    assert "gpt-4o-mini" in two
    assert "gpt-4.1" in two


def test_cost_over_the_limit_exits_1_and_unknown_is_no_zero(run):
    assert run("cost", "-", "--model", "gpt-4o", "--max-cost", "0.0000001", stdin="Hello").code == 1
    found = run("cost", "-", "--model", "no-such-model", "--max-cost", "5", stdin="Hello")
    assert found.code == 1
    assert "unknown" in found.out


# run ------------------------------------------------------------------------------------


def test_run_sends_and_reports(run):
    with Server() as server:
        found = run("run", "translate", "-p", "text=Hi", "--base-url", server.base_url, "--model", "gpt-4o-mini")
        assert found.out == 'Translate the following English text to French: "Hi"'
        assert "fingerprint fp_diptych_test" in found.err
        assert server.requests[0].path == "/v1/completions"


def test_run_json_carries_usage_estimate_and_residual(run):
    with Server() as server:
        args = ("run", "translate-chat", "-p", "text=Hi", "--base-url", server.base_url, "--seed", "7", "--json")
        reply = run(*args).json
        assert reply["usage"]["prompt_tokens"] > 0
        assert reply["seed"] == 7 == server.requests[0].body["seed"]
        assert reply["estimate"]["cost"]
        assert reply["residual"]["prompt"] == 0
        assert reply["cost"]


def test_run_streams(run):
    with Server() as server:
        found = run("run", "translate-chat", "-p", "text=Hi", "--base-url", server.base_url, "--stream")
        assert found.out == 'Translate the following English text to French: "Hi"'


def test_run_dry_sends_nothing(run):
    body = run("run", "extract", "-p", "text=Ada", "--dry-run").json
    assert body["response_format"]["type"] == "json_schema"


def test_run_over_budget_exits_1_before_sending(run):
    with Server() as server:
        args = ("run", "translate", "-p", "text=Hi", "--base-url", server.base_url, "--model", "gpt-4o")
        assert run(*args, "--max-cost", "0.000001").code == 1
        assert server.requests == []


def test_run_server_error_exits_3(run):
    with Server() as server:
        server.next(status(401))
        found = run("run", "translate", "-p", "text=Hi", "--base-url", server.base_url, "--model", "m")
        assert found.code == 3
        assert "HTTP 401" in found.err


def test_run_records_and_replays(run, tmp_path):
    with Server() as server:
        args = ("run", "translate", "-p", "text=Hi", "--base-url", server.base_url, "--model", "gpt-4o-mini")
        first = run(*args, "--record", "tape.jsonl")
    again = run(*args, "--replay", "tape.jsonl", "--json")
    assert again.json["text"] == first.out
    assert again.json["replayed"] is True
    assert again.json["cost"] == "0"


def test_run_repeats_and_compares(run, tmp_path):
    with Server() as server:
        args = ("run", "translate", "-p", "text=Hi", "--base-url", server.base_url, "--model", "m", "--seed", "7")
        found = run(*args, "--repeat", "3", "--json")
        assert (found.code, found.json["outcome"], len(server.requests)) == (0, "identical", 3)
        (tmp_path / "saved.json").write_text(json.dumps({**found.json, "choices": [{"text": "other"}]}))
        again = run(*args, "--compare", "saved.json")
        assert again.code == 1
        assert "nondeterminism" in again.err


def test_batch_sends_a_file(run, tmp_path):
    line = {"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": {"model": "m", "prompt": "Hi"}}
    (tmp_path / "in.jsonl").write_text(json.dumps(line) + "\n")
    with Server() as server:
        found = run("batch", "in.jsonl", "--out", "out.jsonl", "--base-url", server.base_url, "--json")
    assert (found.code, found.json["done"]) == (0, 1)
    assert json.loads((tmp_path / "out.jsonl").read_text())["custom_id"] == "a"


def test_migrate_code_shows_a_diff_and_writes_when_asked(run, tmp_path):
    pytest.importorskip("libcst")
    file = tmp_path / "app.py"
    file.write_bytes(b'r = c.completions.create(model="m", prompt="x", max_tokens=1)\r\n')
    shown = run("migrate", "code", "app.py")
    assert "+r = c.chat.completions.create(" in shown.out
    assert b"chat" not in file.read_bytes()
    assert run("migrate", "code", "app.py", "--write").code == 0
    assert file.read_bytes().endswith(b"max_completion_tokens=1\r\n)\r\n")
    file.write_text('c.completions.create(model="m", prompt="x", suffix="y")\n')
    refused = run("migrate", "code", ".", "--json")
    assert refused.code == 1
    assert refused.json["files"][0]["refusals"] == refused.json["refusals"]
    assert [(r["place"], r["code"]) for r in refused.json["refusals"]] == [("app.py:1:1", "suffix")]
    assert refused.json["changes"] == []


def test_migrate_data(run, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"prompt": "a ->", "completion": " b"}\nbad\n')
    found = run(
        "migrate", "data", "in.jsonl", "out.jsonl", "--from", "finetune_legacy", "--to", "finetune_chat", "--json"
    )
    assert (found.code, found.json["converted"], found.json["rejected"]) == (1, 1, 1)


# look-ups -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["templates", "list"], ["formats"], ["models"], ["templates", "path"]])
def test_lookups_print_one_document(run, command):
    found = run(*command, "--json").json
    assert found["version"] == 1
    assert run(*command).out


def test_explain_every_loss_and_suggest(run):
    assert "severity" in run("explain", "name-dropped").out or "dropped" in run("explain", "name-dropped").out
    found = run("explain", "name-droped")
    assert found.code == 2
    assert "name-dropped" in found.err


def test_usage_errors_exit_2(run):
    assert run("render").code == 2
    assert run("nonsense").code == 2
    assert run("count", "missing.txt").code == 2


def test_version_in_a_process_of_its_own():
    done = subprocess.run([sys.executable, "-m", "diptych", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("diptych ")
