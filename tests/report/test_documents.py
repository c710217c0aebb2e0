"""The documents of reports: what is shown is what was computed, and JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.commands import diptych_command

import diptych
from diptych.report.batches import batch_document, runs_document
from diptych.report.conversions import conversion_document
from diptych.report.page import FOLD, page_of
from diptych.report.templates import template_document
from diptych.report.values import lines_of

ROOT = Path(__file__).parents[2]
STOCK = sorted((ROOT / "examples" / "prompts").glob("*.jinja"))
LOSSY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi", "name": "bob"}], "n": 2, "seed": 4}


def command(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return diptych_command(*args, cwd=cwd)


def answer(text: str, model: str = "gpt-4o-mini") -> dict[str, object]:
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}
    return {"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}


@pytest.mark.parametrize("path", STOCK, ids=lambda path: path.stem)
def test_a_template_shows_every_character_once_with_its_author(path: Path) -> None:
    template = diptych.load(path)
    document = template_document(template, template.samples)
    assert document["samples"]
    for sample in document["samples"]:
        rendered = template.render(template.samples[sample["name"]])
        assert "".join(piece["text"] for piece in sample["prompt"]) == rendered.prompt
        assert [piece["source"] for piece in sample["prompt"]] == [span.source for span in rendered.spans]
        assert sample["tokens"]["total"] == diptych.count(rendered, sample["tokens"]["model"]).tokens
        expected = diptych.estimate(rendered, sample["costs"][0]["model"]).to_json()
        assert sample["costs"][0]["cost"] == expected["cost"]
    assert json.loads(json.dumps(document)) == document


def test_a_sample_that_does_not_render_says_why() -> None:
    template = diptych.Template.from_string("Say {{ word }}.")
    (sample,) = template_document(template, {"none": {}})["samples"]
    assert "word" in sample["error"]
    assert "word" in page_of(template_document(template, {"none": {}}))


def test_every_loss_stands_at_its_place() -> None:
    result = diptych.convert(LOSSY, target="anthropic", on_loss="ignore")
    document = conversion_document(LOSSY, result, title="a body", source="auto", target="anthropic")
    placed = {loss["path"]: line["path"] for line in document["before"] for loss in line["losses"]}
    assert len(placed) == len(result.losses)
    assert placed["$.messages[0].name"] == "$.messages[0].name"
    assert placed["$.max_tokens"] == "$"


@pytest.mark.parametrize("value", [{"a": [1, {"b": None}], "c": {}}, [], "two\nlines", {"ä": "é\u2028"}])
def test_the_lines_of_a_value_are_the_value(value: object) -> None:
    text = "\n".join(line.text for line in lines_of(value))
    assert (text if isinstance(value, str) else json.loads(text)) == value


def test_a_batch_adds_up() -> None:
    failed = {"custom_id": "f", "response": None, "error": {"code": "timeout", "message": "no answer"}}
    refused = {"custom_id": "r", "response": {"status_code": 429, "body": {"error": {"message": "slow down"}}}}
    odd = {"custom_id": "o", "response": {"status_code": 200, "body": {"hello": 1}}, "error": None}
    rows = {"a": answer("Bonjour"), "b": answer("Salut", "nobody-1"), "f": failed, "r": refused, "o": odd}
    document = batch_document(rows, title="run")
    by_id = {row["id"]: row for row in document["rows"]}
    assert by_id["a"]["text"] == "Bonjour"
    assert by_id["a"]["cost"] == "0.000006"
    assert (by_id["b"]["cost"], by_id["b"]["text"]) == (None, "Salut")
    assert by_id["r"]["error"] == "status 429: slow down"
    assert by_id["o"]["note"].startswith("not understood")
    assert dict(document["facts"])["cost"] == "0.000006 USD (2 answers without a known price)"
    assert {reason["reason"] for reason in document["reasons"]} == {"no answer", "status 429: slow down"}


def test_two_runs_show_what_differs_alone() -> None:
    before = {"a": answer("Bonjour"), "b": answer("Oui"), "c": answer("gone")}
    after = {"a": answer("Bonjour"), "b": answer("Non")}
    document = runs_document(before, after, title="runs")
    assert [row["id"] for row in document["rows"]] == ["b", "c"]
    assert document["rows"][1]["after"] is None


def test_many_rows_are_folded() -> None:
    rows = {f"r{number}": answer(f"answer {number}") for number in range(2 * FOLD + 1)}
    page = page_of(batch_document(rows, title="many"))
    assert page.count("<summary>Rows ") == 3


def test_the_command_tells_subjects_apart(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(json.dumps(answer("Bonjour")) + "\n")
    (tmp_path / "p.txt").write_text("Say hi")
    (tmp_path / "c.py").write_text("x = 1\n")
    (tmp_path / "t.jinja").write_text("Say {{ word }}.")
    kinds = {
        ("r.jsonl",): "batch",
        ("r.jsonl", "r.jsonl"): "runs",
        ("p.txt",): "conversion",
        ("c.py",): "audit",
        ("t.jinja", "-p", "word=yes"): "template",
        ("t.jinja", "t.jinja"): "versions",
        ("translate", "-p", "text=Hello"): "template",
    }
    for subjects, kind in kinds.items():
        done = command("report", *subjects, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["kind"] == kind
    done = command("report", "t.jinja", "-p", "word=yes", "-o", "out.html", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("wrote out.html (")
    assert "<!doctype html>" in (tmp_path / "out.html").read_text("utf-8")


def test_doctor_says_what_is_there() -> None:
    done = command("doctor", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["problems"]) == (0, [])
    assert found["packages"]["jinja2"]
    assert found["diptych"] == diptych.__version__


def test_doctor_names_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "diptych.toml").write_text("modle = 1\n")
    done = command("doctor", cwd=tmp_path)
    assert done.returncode == 1
    assert "amiss: " in done.stdout
    assert "modle" in done.stdout


def test_latencies_are_those_that_the_results_state():
    rows = {str(n): {"response": {"status_code": 200, "body": {}, "seconds": n / 10}, "error": None} for n in range(1, 21)}
    facts = dict(batch_document(rows, title="run")["facts"])
    assert facts["latency"] == "1 s median, 1.9 s at 95 %, 2 s at most"
    assert "latency" not in dict(batch_document({"a": {"response": None, "error": {"code": "x"}}}, title="run")["facts"])


def test_a_data_migration_is_shown_from_its_manifest(tmp_path):
    rows = ['{"prompt": "a ->", "completion": " b", "id": 7}', "broken", '{"prompt": "c ->", "completion": " d"}']
    (tmp_path / "in.jsonl").write_text("\n".join(rows) + "\n")
    command("migrate", "data", "in.jsonl", "out.jsonl", cwd=tmp_path)
    found = json.loads(command("report", "out.jsonl.manifest.json", "--json", cwd=tmp_path).stdout)
    assert dict(found["facts"])["rejected"] == "1"
    assert [(row["line"], row["row"]) for row in found["rejects"]] == [(2, "broken")]
    assert found["reasons"][0]["first"] == 2
    assert "broken" in command("report", "out.jsonl.manifest.json", cwd=tmp_path).stdout
    (tmp_path / "other.manifest.json").write_text("[]")
    assert command("report", "other.manifest.json", cwd=tmp_path).returncode == 2
