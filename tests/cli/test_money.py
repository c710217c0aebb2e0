"""count and cost on files: the request's own model, broken JSON with its place, one value per line never one text."""

import io
import json
import sys

import pytest

from diptych.__main__ import main
from diptych.catalogue import DEFAULT_MODEL

HI = {"role": "user", "content": "Hi"}
BODY = {"model": "gpt-4.1", "messages": [HI], "max_tokens": 200}
LINE = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": BODY}
COMMANDS = ["count", "cost"]


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(monkeypatch, capfdbinary, tmp_path):
    """Run ``diptych …`` in this process, in an empty folder, on files with these texts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*args, stdin="", **files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text, "utf-8")
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


def rows(*values):
    return "".join(f"{json.dumps(value)}\n" for value in values)


# the model ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_the_model_is_the_flag_then_the_requests_own_then_the_configured(run, command, monkeypatch):
    def model(*args, text=json.dumps(BODY)):
        return run(command, "r.json", "--json", *args, r_json=text).json["model"]

    monkeypatch.setenv("DIPTYCH_MODEL", "gpt-5-mini")
    assert model() == "gpt-4.1"
    assert model("-m", "gpt-4o") == "gpt-4o"
    assert model(text=json.dumps(LINE)) == "gpt-4.1"
    assert model(text=json.dumps([HI])) == "gpt-5-mini"
    monkeypatch.setenv("DIPTYCH_MODEL", "")
    assert model(text=json.dumps([HI])) == DEFAULT_MODEL


def test_lines_have_the_same_precedence(run):
    text = rows(BODY, {"prompt": "Hi"}, LINE)
    own = run("count", "b.jsonl", "--jsonl", b_jsonl=text).rows
    assert [row["model"] for row in own] == ["gpt-4.1", DEFAULT_MODEL, "gpt-4.1"]
    flag = run("count", "b.jsonl", "--jsonl", "-m", "gpt-4", b_jsonl=text).rows
    assert [row["model"] for row in flag] == ["gpt-4"] * 3


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["", " ", ",", " , "])
def test_an_empty_model_is_a_usage_error(run, command, name):
    found = run(command, "-", "-m", name, stdin="x")
    assert (found.code, found.out) == (2, "")
    assert "no model is named" in found.err


def test_several_models_win_over_the_requests_own(run):
    found = run("cost", "r.json", "--json", "-m", "gpt-4o, gpt-4,", r_json=json.dumps(BODY)).json
    assert [row["model"] for row in found["estimates"]] == ["gpt-4o", "gpt-4"]


# one value per line -----------------------------------------------------------------------

SEVERAL = {
    "bodies": rows(BODY, BODY),
    "batch": rows(LINE, LINE),
    "lists": rows([HI], [HI]),
    "blank-lines": "\n" + rows(BODY) + "\n\n" + rows(BODY),
    "crlf": rows(BODY, BODY).replace("\n", "\r\n"),
    "bom": "\ufeff" + rows(BODY, BODY),
    "first-broken": '{"prompt": "a"\n' + rows(BODY),
    "last-broken": rows(BODY) + '{"prompt": "a',
    "no-last-line-feed": rows(BODY, BODY)[:-1],
    "pretty": json.dumps(BODY, indent=1) + "\n" + json.dumps(BODY, indent=1),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "json", "txt", "data", "-"])
@pytest.mark.parametrize("name", SEVERAL)
def test_several_values_are_never_one_text(run, command, ending, name):
    if ending == "-":
        found = run(command, "-", stdin=SEVERAL[name])
    else:
        found = run(command, f"b.{ending}", **{f"b_{ending}": SEVERAL[name]})
    assert (found.code, found.out) == (2, "")
    assert "one JSON value per line" in found.err
    assert "diptych count" in found.err
    assert "--jsonl" in found.err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_lines_with_one_line_is_one_too(run, command):
    found = run(command, "b.jsonl", b_jsonl=rows(BODY))
    assert found.code == 2
    assert "--jsonl" in found.err


def test_convert_does_not_read_lines_as_a_prompt_either(run):
    found = run("convert", "b.jsonl", b_jsonl=rows([HI], [HI]))
    assert found.code == 2
    assert "diptych convert b.jsonl --jsonl" in found.err
    assert "r.json:1:9" in run("convert", "r.json", r_json='[{"a": 1').err


def test_a_line_of_a_batch_is_its_body(run):
    text = rows(LINE, {**LINE, "body": {"messages": [{"role": 5, "content": "x"}]}}, {**LINE, "body": {"model": "m"}})
    found = run("count", "b.jsonl", "--jsonl", b_jsonl=text + "{broken\n")
    assert found.code == 1
    good, role, empty, broken = found.rows
    assert (good["tokens"], good["model"]) == (8, "gpt-4.1")
    assert role["error"] == {"code": "token", "message": "role is a number; expected a string", "path": "$.body.messages[0].role"}  # fmt: skip
    assert empty["error"]["path"] == "$.body"
    assert broken["error"]["path"] == "b.jsonl:4:2"


# broken JSON -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"model": "gpt-4o",\n "messages": [}', "2:15"),
        ('{"model": "gpt-4o", "messages": [{"role": "user"', "1:49"),
        (json.dumps(BODY) + " and more", f"1:{len(json.dumps(BODY)) + 2}"),
        ("", "1:1"),
        ("{{ name }}", "1:2"),
        ("Hello", "1:1"),
    ],
)
def test_broken_json_is_an_error_with_its_place(run, command, text, place):
    found = run(command, "r.json", r_json=text)
    assert (found.code, found.out) == (2, "")
    assert f"r.json:{place}: not valid JSON" in found.err
    assert "hint:" in found.err
    if text:
        line = text.split("\n")[int(place.partition(":")[0]) - 1]
        assert line[-8:] in found.err
        assert "^" in found.err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_broken_request_on_standard_input_is_no_text(run, command):
    for text in ('{"model": "gpt-4o", "messages": [}', '[{"role": "user", "content": "Hi"'):
        found = run(command, "-", stdin=text)
        assert (found.code, found.out) == (2, "")
        assert "<stdin>:1:" in found.err


def test_a_long_line_is_shown_around_its_fault(run):
    text = json.dumps({"prompt": "word " * 5000})[:-1] + "!"
    found = run("count", "r.json", r_json=text)
    assert f"r.json:1:{len(text)}" in found.err
    assert len(found.err) < 600


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000], ids=["lists", "objects"])
def test_what_is_nested_too_deeply_is_an_error(run, text):
    found = run("count", "r.json", r_json=text)
    assert found.code == 2
    assert "not valid JSON" in found.err
    assert "unexpected" not in found.err
    assert run("count", "b.jsonl", "--jsonl", b_jsonl=text).rows[0]["error"]["path"].startswith("b.jsonl:1")


# texts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["{{ name }}, hello", "{name}, hello", '{"a": {{ b }}}', "{% if x %}y{% endif %}", '{"a": 1}\nWhat is a?']
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_text_that_starts_as_json_does_stays_a_text_and_that_is_said(run, command, text):
    found = run(command, "p.txt", "--json", p_txt=text)
    assert found.code == 0
    assert "p.txt:1:" in found.err.replace("p.txt:2:", "p.txt:1:")
    assert "read as text" in found.err
    assert run(command, "-", "--json", stdin=text).code == 0


@pytest.mark.parametrize("text", ["[INST] Hi [/INST]", "[System]\nHi", "Hello", "", "[x] done\n[ ] open"])
def test_other_texts_are_counted_in_silence(run, text):
    found = run("count", "-", stdin=text)
    assert (found.code, found.err) == (0, "")


def test_a_text_file_keeps_even_a_broken_request(run):
    found = run("count", "p.txt", p_txt='{"model": "gpt-4o", "messages": [')
    assert found.code == 0
    assert "read as text" in found.err


# numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--output", "--cached"])
def test_a_negative_number_is_a_usage_error(run, flag):
    found = run("cost", "-", flag, "-5", stdin="Hi")
    assert (found.code, found.out) == (2, "")
    assert flag in found.err


def test_a_negative_cap_of_a_body_is_an_error_with_its_path(run):
    for body, path in ((BODY, "$.max_tokens"), (LINE, "$.body.max_tokens")):
        text = json.dumps(body).replace("200", "-200")
        found = run("cost", "r.json", r_json=text)
        assert (found.code, found.out) == (2, "")
        assert f"{path}: max_tokens is -200" in found.err


def test_more_cached_than_sent_is_an_error(run):
    found = run("cost", "-", "--cached", "500", stdin="Hi")
    assert (found.code, found.out) == (2, "")
    assert "the prompt has 1 tokens" in found.err


@pytest.mark.parametrize("amount", ["NaN", "inf", "-1", "much", ""])
def test_an_amount_is_a_finite_number_of_at_least_0(run, amount):
    found = run("cost", "-", "--max-cost", amount, stdin="Hi")
    assert (found.code, found.out) == (2, "")
    assert "not an amount of USD" in found.err


def test_an_unknown_count_is_said_to_be_unknown(run):
    found = run("count", "-", "-m", "nope", "--max-tokens", "5", stdin="x")
    assert (found.code, found.out) == (1, "unknown\n")
    assert "the count is unknown" in found.err
    assert "None" not in found.err
    found = run("cost", "-", "-m", "nope", "--max-cost", "5", stdin="x")
    assert found.code == 1
    assert "the cost is unknown" in found.err
    assert "no price is known for 'nope'" in found.err
