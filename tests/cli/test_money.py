"""count and cost on files: the request's own model, broken JSON with its place, one value per line never one text."""

import io
import json
import sys
from decimal import Decimal

import pytest

from diptych import Template, convert_request, count, estimate
from diptych.__main__ import main
from diptych.catalogue import DEFAULT_MODEL
from diptych.prices import price_usage

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


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "json", "txt", "data", "-"])
@pytest.mark.parametrize("name", SEVERAL)
def test_several_values_are_never_one_text(run, ending, name):
    if ending == "-":
        found = run("count", "-", stdin=SEVERAL[name])
    else:
        found = run("count", f"b.{ending}", **{f"b_{ending}": SEVERAL[name]})
    assert (found.code, found.out) == (2, "")
    assert "one JSON value per line" in found.err
    assert "diptych count" in found.err
    assert "--jsonl" in found.err


def test_a_file_of_lines_with_one_line_is_one_too(run):
    found = run("count", "b.jsonl", b_jsonl=rows(BODY))
    assert found.code == 2
    assert "--jsonl" in found.err


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "json", "txt", "data", "-"])
@pytest.mark.parametrize("name", sorted(SEVERAL.keys() - {"pretty"}))
def test_cost_adds_up_the_lines_of_a_file(run, ending, name):
    if ending == "-":
        found = run("cost", "-", "--json", stdin=SEVERAL[name])
    else:
        found = run("cost", f"b.{ending}", "--json", **{f"b_{ending}": SEVERAL[name]})
    is_broken = name.endswith("broken")
    assert (found.code, found.json["requests"], found.json["refused"]) == (int(is_broken), 2, int(is_broken))
    model = DEFAULT_MODEL if name == "lists" else "gpt-4.1"
    one = estimate([HI] if name == "lists" else BODY, model).cost.expected
    assert Decimal(found.json["totals"][model]["cost"]["expected"]) == one * (1 if is_broken else 2)


def test_cost_says_what_it_took_and_which_rows_it_refused(run):
    found = run("cost", "b.jsonl", "--max-cost", "1", b_jsonl=rows(LINE, BODY, {"messages": [{"role": 5}]}))
    assert found.code == 1
    assert "read 1 Batch requests, 1 request bodies; 1 refused" in found.err
    assert "b.jsonl:3: $.messages[0].role" in found.err
    assert run("cost", "b.jsonl", "--max-cost", "0.0001", b_jsonl=rows(LINE)).code == 1


def test_cost_of_a_batch_file_stands_beside_the_standard_price(run):
    totals = run("cost", "b.jsonl", "--json", b_jsonl=rows(LINE, LINE)).json["totals"]["gpt-4.1"]
    assert Decimal(totals["batch"]) * 2 == Decimal(totals["standard"]) == Decimal(totals["cost"]["expected"])
    totals = run("cost", "b.jsonl", "--json", "--batch", b_jsonl=rows(LINE, LINE)).json["totals"]["gpt-4.1"]
    assert totals["batch"] == totals["cost"]["expected"]


def test_cost_of_batch_results_is_what_their_usage_costs(run):
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    line = {"custom_id": "a", "response": {"body": {"model": "gpt-4.1", "usage": usage}}}
    found = run("cost", "out.jsonl", "--json", out_jsonl=rows(line, line)).json
    paid = price_usage("gpt-4.1", usage, batch=True)
    assert Decimal(found["totals"]["gpt-4.1"]["cost"]["high"]) == 2 * paid


def test_cost_groups_by_custom_id(run):
    found = run(
        "cost", "b.jsonl", "--json", "--by", "custom_id", b_jsonl=rows(LINE, {**LINE, "custom_id": "b"}, LINE)
    ).json
    assert {name: group["requests"] for name, group in found["groups"].items()} == {"a": 2, "b": 1}


TEMPLATE = "---\ninputs: {question: string, number: {type: integer, default: 1}}\n---\nAnswer {{ question }} {{ number }} times."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.jsonl", rows({"question": "Hi", "number": 2}, {"question": "Bye"})),
        ("rows.csv", "question,number\nHi,2\nBye,3\n"),
        ("mapped.csv", "asked,number\nHi,2\nBye,3\n"),
    ],
)
def test_cost_of_a_template_over_a_file_of_inputs(run, name, text):
    mapped = ["--map", "question=asked"] if name.startswith("mapped") else []
    files = {name.replace(".", "_"): text, "t_jinja": TEMPLATE}
    found = run("cost", "t.jinja", "--data", name, *mapped, "-m", "gpt-4o", "--output", "7", "--json", **files)
    totals = found.json["totals"]["gpt-4o"]
    assert (found.json["requests"], totals["output_tokens"]["expected"]) == (2, 14)
    first = Template.from_string(TEMPLATE).render(question="Hi", number=2)
    assert Decimal(totals["dearest"][0]["cost"]) == estimate(first, "gpt-4o", output=7).cost.expected


def test_cost_of_a_template_with_its_inputs(run):
    found = run("cost", "t.jinja", "-p", "question=Hi", "-m", "gpt-4o", "--json", t_jinja=TEMPLATE).json
    assert found["prompt_tokens"] == count(Template.from_string(TEMPLATE).render(question="Hi"), "gpt-4o").tokens
    assert run("cost", "translate", "-p", "text=Hi", "--json").json["model"] == DEFAULT_MODEL


def test_a_row_without_an_input_costs_one_line(run):
    found = run(
        "cost", "t.jinja", "--data", "r.jsonl", "--json", t_jinja=TEMPLATE, r_jsonl=rows({}, {"question": "Hi"}, 5)
    )
    assert (found.code, found.json["requests"], found.json["refused"]) == (1, 3, 2)
    assert "r.jsonl:1: " in found.err


def test_cost_of_training_data(run):
    example = {"messages": [HI, {"role": "assistant", "content": "Hello"}]}
    found = run("cost", "t.jsonl", "--epochs", "3", "-m", "gpt-4o-mini", "--json", t_jsonl=rows(example, example)).json
    tokens = 2 * count(example, "gpt-4o-mini").tokens
    assert Decimal(found["training"]["gpt-4o-mini"]["USD"]) == Decimal(3) * 3 * tokens / 1_000_000


def test_the_rows_own_answers_are_the_expected_output(run):
    example = {"messages": [HI, {"role": "assistant", "content": "Hello there"}]}
    found = run(
        "cost", "t.jsonl", "--output", "answers", "-m", "gpt-4o-mini", "--json", t_jsonl=rows(example, example)
    ).json
    totals = found["totals"]["gpt-4o-mini"]
    assert totals["output_tokens"]["expected"] == 4
    assert totals["prompt_tokens"] == 2 * count([HI], "gpt-4o-mini").tokens


def test_every_model_counts_the_answers_itself(run):
    answer = "日本語のテキスト"
    text = rows({"messages": [HI, {"role": "assistant", "content": answer}]})
    totals = run("cost", "t.jsonl", "--output", "answers", "-m", "gpt-4,gpt-4o", "--json", t_jsonl=text).json["totals"]
    for name, row in totals.items():
        assert row["output_tokens"]["expected"] == count(answer, name).tokens


def test_a_row_without_an_answer_is_named(run):
    found = run("cost", "t.jsonl", "--output", "answers", t_jsonl=rows(BODY, {"prompt": "a", "completion": "b c"}))
    assert "1 without an answer (256 tokens assumed)" in found.err


CHAT_REPLY = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "finish_reason": "stop"}],
}
ANTHROPIC_REPLY = {
    "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}], "model": "claude-sonnet-4-5",
    "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 40},
}  # fmt: skip
#: A line of a file of earlier replies, and its tokens.
REPLIES = {
    "a number": (7, 7),
    "a text": ("Hello there", 2),
    "a response": (CHAT_REPLY, 2),
    "a response with its usage": ({**CHAT_REPLY, "usage": {"prompt_tokens": 1, "completion_tokens": 90}}, 90),
    "a response of another API": (ANTHROPIC_REPLY, 40),
    "a response of Ollama": ({"model": "x", "done": True, "message": {"role": "assistant", "content": "Hi"},
                              "prompt_eval_count": 4, "eval_count": 30}, 30),
    "a result of a Batch file": ({"custom_id": "a", "response": {"body": CHAT_REPLY}}, 2),
    "a request with its answer": ({"messages": [HI, {"role": "assistant", "content": "Hello there"}]}, 2),
    "an example of Completions": ({"prompt": "a", "completion": "Hello there"}, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", REPLIES)
def test_a_file_of_earlier_replies_says_how_long_they_are(run, name):
    line, tokens = REPLIES[name]
    files = {"r_json": json.dumps(BODY), "old_jsonl": rows(line, line)}
    found = run("cost", "r.json", "-m", "gpt-4o", "--output", "old.jsonl", "--json", **files).json
    assert found["output_tokens"]["expected"] == tokens


@pytest.mark.parametrize("line", [True, -1, None, {}, {"model": "x"}, "{", 1.5], ids=str)
def test_a_line_that_is_no_reply_is_an_error_with_its_place(run, line):
    text = rows(5) + ("{" if line == "{" else json.dumps(line))
    found = run("cost", "r.json", "--output", "old.jsonl", r_json=json.dumps(BODY), old_jsonl=text)
    assert found.code in (1, 2)
    assert found.out == ""
    assert "old.jsonl:2" in found.err


def test_lengths_of_earlier_replies_give_a_range(run):
    lengths = ",".join(map(str, range(100, 140)))
    files = {"r_json": json.dumps(BODY), "b_jsonl": rows(*[BODY] * 30)}
    one = run("cost", "r.json", "--output", lengths, **files)
    many = run("cost", "b.jsonl", "--output", lengths, "--json", **files).json["totals"]["gpt-4.1"]
    assert "8 times in 10 between" in one.err
    assert many["output_tokens"]["expected"] == 30 * 119.5
    bounds = [many["cost"]["low"], many["likely"]["p10"], many["cost"]["expected"], many["likely"]["p90"]]
    assert bounds == sorted(bounds, key=Decimal)


def test_the_answers_of_inputs_stand_in_a_column(run):
    files = {"t_jinja": TEMPLATE, "r_csv": "question,asked\nHi,Hello there\nBye,Bye\n"}
    found = run("cost", "t.jinja", "--data", "r.csv", "-m", "gpt-4o", "--output", "column:asked", "--json", **files)
    assert found.json["totals"]["gpt-4o"]["output_tokens"]["expected"] == 3
    found = run("cost", "t.jinja", "--data", "r.csv", "-m", "gpt-4o", "--output", "column:no", "--json", **files)
    assert (found.code, found.json["refused"]) == (1, 2)
    assert run("cost", "t.jinja", "--data", "r.csv", "--output", "answers", **files).code == 2
    assert run("cost", "r.json", "--output", "column:asked", r_json=json.dumps(BODY)).code == 2


@pytest.mark.parametrize("output", ["x", "-5", "1,x", "", "no.jsonl"])
def test_what_output_cannot_mean_is_a_usage_error(run, output):
    found = run("cost", "r.json", "--output", output, r_json=json.dumps(BODY))
    assert found.code == 2
    assert "--output" in found.err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_large_file_is_cut_into_blocks(run, monkeypatch, workers):
    monkeypatch.setattr("diptych.cli.cost_files._BLOCK", 3000)
    lines = [
        {**LINE, "custom_id": str(n), "body": {**BODY, "messages": [{"role": "user", "content": "word " * n}]}}
        for n in range(60)
    ]
    found = run("cost", "b.jsonl", "--json", "--workers", workers, b_jsonl=rows(*lines, {"messages": 5})).json
    assert (found["requests"], found["refused"]) == (61, 1)
    worth = sum(estimate(line["body"]).cost.expected for line in lines)
    assert Decimal(found["totals"]["gpt-4.1"]["cost"]["expected"]) == worth


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
    assert "expected a number such as 0.5" in found.err


def test_an_unknown_count_is_said_to_be_unknown(run):
    found = run("count", "-", "-m", "nope", "--max-tokens", "5", stdin="x")
    assert (found.code, found.out) == (1, "unknown\n")
    assert "the count is unknown" in found.err
    assert "None" not in found.err
    found = run("cost", "-", "-m", "nope", "--max-cost", "5", stdin="x")
    assert found.code == 1
    assert "the cost is unknown" in found.err
    assert "no price is known for 'nope'" in found.err


# rows that were reported ------------------------------------------------------------------------

JAPANESE = {"model": "gpt-4", "messages": [{"role": "user", "content": "日本語のテキスト"}]}


def test_row_cost_takes_the_requests_own_model(run):
    assert run("cost", "r.json", "--json", r_json=json.dumps(BODY)).json["model"] == "gpt-4.1"


def test_row_cost_of_lines_is_the_sum_of_the_calls(run):
    line = {**LINE, "body": {**BODY, "messages": [{"role": "user", "content": "Hi there"}], "max_tokens": 50}}
    found = run("cost", "b.jsonl", "--json", b_jsonl=rows(line, line)).json
    assert found["requests"] == 2
    assert Decimal(found["cost"]["high"]) == 2 * estimate(line["body"]).cost.high


def test_row_count_of_lines_names_the_option(run):
    found = run("count", "b.jsonl", "-m", "gpt-4o", b_jsonl=rows({"messages": [HI]}, {"messages": [HI]}))
    assert (found.code, found.out) == (2, "")
    assert "--jsonl" in found.err


def test_row_count_of_a_batch_line_is_that_of_its_body(run):
    found = run("count", "b.jsonl", "--jsonl", b_jsonl=rows(LINE))
    assert (found.code, found.rows[0]["tokens"]) == (0, count(BODY).tokens)


def test_row_the_flag_wins_over_the_body_with_lines_and_without(run):
    one = run("count", "o.json", "-m", "gpt-4o", "--json", o_json=json.dumps(JAPANESE)).json
    lines = run("count", "o.json", "--jsonl", "-m", "gpt-4o", o_json=json.dumps(JAPANESE)).rows[0]
    assert one["model"] == lines["model"] == "gpt-4o"
    assert one["tokens"] == lines["tokens"] == count(JAPANESE, "gpt-4o").tokens != count(JAPANESE).tokens


def test_row_an_empty_model_is_a_usage_error(run):
    assert run("cost", "-", "-m", "", stdin="x").code == 2


def test_row_an_unknown_count_is_said_to_be_unknown(run):
    found = run("count", "-", "-m", "nope", "--max-tokens", "5", stdin="x")
    assert found.code == 1
    assert "the count is unknown" in found.err
    assert "None" not in found.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("api", ["anthropic", "gemini", "bedrock", "ollama"])
def test_a_body_of_any_api_is_counted_and_priced(run, command, api):
    body = convert_request(JAPANESE, to=api, on_loss="ignore")[0].output
    one = run(command, "r.json", "-m", "gpt-4o", "--json", r_json=json.dumps(body)).json
    assert one["tokens" if command == "count" else "prompt_tokens"] == count(JAPANESE, "gpt-4o").tokens
    if command == "cost":
        many = run("cost", "b.jsonl", "-m", "gpt-4o", "--json", b_jsonl=rows(body, body)).json
        assert many["prompt_tokens"] == 2 * one["prompt_tokens"]


# Batch files of other vendors -----------------------------------------------------------------------

CLAUDE = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": [HI]}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
BEDROCK = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "inferenceConfig": {"maxTokens": 20}}
#: A line with a request, and the body in it.
REQUEST_LINES = {
    "openai": (LINE, BODY),
    "anthropic": ({"custom_id": "a", "params": CLAUDE}, CLAUDE),
    "gemini": ({"key": "a", "request": GEMINI}, GEMINI),
    "bedrock": ({"recordId": "a", "modelInput": BEDROCK}, BEDROCK),
}
ANTHROPIC_USAGE, GEMINI_USAGE = (
    {"input_tokens": 5, "output_tokens": 7},
    {"promptTokenCount": 5, "candidatesTokenCount": 7},
)
OPENAI_USAGE = {"prompt_tokens": 5, "completion_tokens": 7}
#: A line with a reply, its model and its usage.
RESULT_LINES = {
    "openai": ({"custom_id": "a", "response": {"status_code": 200, "body": {"model": "gpt-4.1", "usage": OPENAI_USAGE}},
                "error": None}, "gpt-4.1", OPENAI_USAGE),
    "anthropic": ({"custom_id": "a", "result": {"type": "succeeded", "message": {
        "type": "message", "model": "claude-sonnet-4-6", "content": [], "usage": ANTHROPIC_USAGE}}},
        "claude-sonnet-4-6", ANTHROPIC_USAGE),
    "gemini": ({"key": "a", "response": {"candidates": [{}], "modelVersion": "gemini-2.5-flash",
               "usageMetadata": GEMINI_USAGE}}, "gemini-2.5-flash", GEMINI_USAGE),
}  # fmt: skip
#: A line of a call that failed.
FAILED_LINES = {
    "status": {"custom_id": "a", "response": {"status_code": 400, "body": {"error": {"message": "no"}}}, "error": None},
    "error": {"custom_id": "a", "response": None, "error": {"code": "expired"}},
    "anthropic": {"custom_id": "a", "result": {"type": "errored", "error": {"type": "error"}}},
    "gemini": {"key": "a", "error": {"code": 400}},
}


@pytest.mark.parametrize("vendor", REQUEST_LINES)
def test_the_lines_of_every_vendors_batch_are_priced(run, vendor):
    line, body = REQUEST_LINES[vendor]
    found = run("cost", "b.jsonl", "-m", "gpt-4o", "--json", b_jsonl=rows(line, line)).json
    assert found["took"] == {"Batch requests": 2}
    assert Decimal(found["cost"]["expected"]) == 2 * estimate(body, "gpt-4o").cost.expected
    one = run("count", "b.jsonl", "--jsonl", "-m", "gpt-4o", b_jsonl=rows(line)).rows[0]
    assert one["tokens"] == count(body, "gpt-4o").tokens


@pytest.mark.parametrize("vendor", RESULT_LINES)
def test_the_results_of_every_vendors_batch_cost_what_they_report(run, vendor):
    line, model, usage = RESULT_LINES[vendor]
    totals = run("cost", "out.jsonl", "--json", out_jsonl=rows(line)).json["totals"]
    assert Decimal(totals[model]["batch"]) == price_usage(model, usage, batch=True)
    assert Decimal(totals[model]["standard"]) == price_usage(model, usage)
    files = {"r_json": json.dumps(BODY), "out_jsonl": rows(line)}
    assert run("cost", "r.json", "--output", "out.jsonl", "--json", **files).json["output_tokens"]["expected"] == 7


@pytest.mark.parametrize("line", FAILED_LINES)
def test_a_call_that_failed_costs_nothing(run, line):
    found = run("cost", "out.jsonl", "--json", out_jsonl=rows(FAILED_LINES[line], RESULT_LINES["openai"][0])).json
    assert found["took"] == {"failed results (no cost)": 1, "Batch results": 1}
    assert (found["requests"], found["refused"]) == (1, 0)
    assert Decimal(found["cost"]["high"]) == price_usage("gpt-4.1", OPENAI_USAGE, batch=True)


@pytest.mark.parametrize("line", [BODY, LINE, GEMINI], ids=["bodies", "Batch lines", "bodies of Gemini"])
def test_a_json_list_of_requests_is_priced_as_its_lines_are(run, line):
    listed = run("cost", "b.json", "-m", "gpt-4.1", "--json", b_json=json.dumps([line, line])).json
    lines = run("cost", "b.jsonl", "-m", "gpt-4.1", "--json", b_jsonl=rows(line, line)).json
    assert (listed["requests"], listed["cost"]) == (2, lines["cost"])


def test_a_bad_request_of_a_json_list_is_named_by_its_place(run):
    found = run("cost", "b.json", b_json=json.dumps([BODY, 5]))
    assert found.code == 1
    assert "b.json: $[1]: " in found.err
