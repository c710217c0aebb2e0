"""Equal rows once, a share of them apart, none too long, the price of training, and rows shown before anything is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import diptych
from diptych.cli.app import make_app
from diptych.migrate import Spec, convert_dataset
from diptych.migrate.data.preview import preview
from diptych.prices.training import training_cost

QA = {"from": "question_answer", "to": "finetune_chat"}


def write(path, texts):
    path.write_text("".join(json.dumps({"question": f"{text}?", "answer": f"{text}!"}) + "\n" for text in texts))
    return path


def rows(path):
    return path.read_bytes().splitlines()


@pytest.mark.parametrize("model", [None, "gpt-4o-mini"])
@pytest.mark.parametrize("target", ["finetune_chat", "trl_prompt_completion"])
def test_equal_rows_are_written_once(tmp_path, model, target):
    source = write(tmp_path / "in.jsonl", ["a", "b", "a", "c", "b", "a"])
    once = write(tmp_path / "once.jsonl", ["a", "b", "c"])
    spec = {**QA, "to": target, "model": model}
    found = convert_dataset(source, tmp_path / "out.jsonl", {**spec, "dedupe": True}, part=50)
    plain = convert_dataset(once, tmp_path / "plain.jsonl", spec)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "plain.jsonl").read_bytes()
    assert (found.rows, found.converted, found.written, found.duplicates) == (6, 6, 3, 3)
    assert found.tokens_after == plain.tokens_after


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet"])
def test_a_share_of_the_rows_stands_apart(tmp_path, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow comes with the extra `data`")
    source = write(tmp_path / "in.jsonl", [str(n) for n in range(400)])
    found = convert_dataset(source, tmp_path / f"out.{ending}", {**QA, "split": 0.25})
    for name in ("out", "out.validation"):
        convert_dataset(tmp_path / f"{name}.{ending}", tmp_path / f"{name}.plain.jsonl", {"from": "finetune_chat"})
    first, second = rows(tmp_path / "out.plain.jsonl"), rows(tmp_path / "out.validation.plain.jsonl")
    convert_dataset(source, tmp_path / "all.jsonl", QA)
    assert sorted(first + second) == sorted(rows(tmp_path / "all.jsonl"))
    assert (len(first) + len(second), len(second)) == (found.written, found.validation)
    assert 60 < len(second) < 140


@given(st.sets(st.text(st.characters(categories=["L"]), min_size=1, max_size=5), min_size=1, max_size=8), st.randoms())
def test_a_row_stands_on_the_same_side_whatever_stands_beside_it(tmp_path_factory, texts, pick):
    folder, sides = tmp_path_factory.mktemp("split"), []
    for name in ("a", "b"):
        order = sorted(texts)
        pick.shuffle(order)
        convert_dataset(write(folder / f"{name}.in", order), folder / f"{name}.jsonl", {**QA, "split": 0.5})
        sides.append([{*rows(folder / f"{name}{part}.jsonl")} for part in ("", ".validation")])
    assert sides[0] == sides[1]


def test_rows_that_are_too_long_are_rejects_with_their_length(tmp_path):
    source = write(tmp_path / "in.jsonl", ["a", "word " * 50])
    spec = {**QA, "model": "gpt-4o-mini", "max_tokens": 40}
    assert convert_dataset(source, tmp_path / "out.jsonl", spec).rejected == 1
    (reject,) = map(json.loads, rows(tmp_path / "out.jsonl.rejects.jsonl"))
    alone = convert_dataset(
        write(tmp_path / "b.jsonl", ["word " * 50]), tmp_path / "c.jsonl", {**QA, "model": "gpt-4o-mini"}
    )
    assert f"the row has {alone.tokens_after} tokens, more than 40" in reject["error"]["message"]
    with pytest.raises(diptych.MigrationError, match="none is named"):
        Spec(max_tokens=3)


@pytest.mark.parametrize("share", [0, 1, -0.5, 7])
def test_a_share_lies_between_none_and_all(share):
    with pytest.raises(diptych.MigrationError, match="between 0 and 1"):
        Spec(split=share)


def run(*args):
    return CliRunner().invoke(make_app(), ["migrate", "data", *map(str, args)])


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-5.4-mini"])
def test_training_has_its_own_price_or_is_said_to_have_none(tmp_path, model):
    source = write(tmp_path / "in.jsonl", [str(n) for n in range(12)])
    done = run(source, tmp_path / "out.jsonl", "--model", model, "--json", "--dedupe", "--split", "0.5")
    told = json.loads(done.stdout)
    usd, reason = training_cost(model, told["tokens"]["after"], 1)
    assert told["training"]["usd_per_epoch"] == (None if usd is None else f"{usd.normalize():f}")
    assert told["training"]["reason"] == reason
    assert "2025" in told["training"]["source"]
    assert told["validation"] + len(rows(tmp_path / "out.jsonl")) == 12


def test_the_first_rows_are_shown_and_nothing_is_written(tmp_path):
    source = write(tmp_path / "in.jsonl", ["a", "b", "c", "d"])
    source.write_text("no row\n" + source.read_text())
    found = preview(source, QA, 3)
    assert [(row.line, bool(row.error)) for row in found] == [(1, True), (2, False), (3, False)]
    convert_dataset(source, tmp_path / "out.jsonl", QA)
    assert [json.loads(line) for line in rows(tmp_path / "out.jsonl")][:2] == [row.after[0] for row in found[1:]]
    done = run(source, tmp_path / "none.jsonl", "--from", "question_answer", "--preview", "3")
    assert done.exit_code == 1
    assert "row 2\nbefore {" in done.stdout
    assert not (tmp_path / "none.jsonl").exists()
    (tmp_path / "in.jsonl").write_text(json.dumps([{"question": "a?", "answer": "a!"}]))
    assert [row.before for row in preview(source, {}, 3)] == [{"question": "a?", "answer": "a!"}]
