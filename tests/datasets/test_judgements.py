"""What a row says of its answer survives, or the row is refused: every layout to every other, under every policy."""

import json
import warnings
from itertools import product

import pytest

import diptych
from diptych.conversion.registry import get, list_formats
from diptych.datasets.layouts import detect_layout
from diptych.loss import Severity
from diptych.migrate.data import ShardCounts, Spec
from diptych.migrate.data.rows import Rows
from diptych.model import Example, Message

LAYOUTS = [entry for entry in list_formats() if entry.kind == "dataset"]
TARGETS = [entry.name for entry in LAYOUTS]
TRAINS = [entry.name for entry in LAYOUTS if not entry.asks]
POLICIES = ["raise", "report", "ignore"]
USER, SAID = {"role": "user", "content": "Tides?"}, {"role": "assistant", "content": "Low."}
MORE = [USER, {"role": "assistant", "content": "High."}, {"role": "user", "content": "When?"}, SAID]
TALK = Example((Message("user", "Tides?"), Message("assistant", "Low.")), answer=1)


def row_in(name):
    """A row of a layout: one question and its answer, in a pair where the layout has no other rows."""
    worse = (Message("assistant", "No."),) if name in ("trl_preference", "openai_dpo") else None
    example = Example(TALK.messages, answer=1, rejected=worse)
    row = {key: value for key, value in get(name).write(example)[0].items() if key != "label"}
    return row if name != "trl_stepwise" else {**row, "labels": [True]}


def migrated(row, source, target, on_loss):
    """What a row becomes in a data set, None where it is rejected."""
    counts = ShardCounts()
    good, bad = Rows(Spec(source, target, on_loss, request={"model": "m"}), counts).row(1, row)
    assert bool(good) != bool(bad)
    return json.loads(good) if good else None


def converted(row, source, target, on_loss):
    """What a row becomes by itself, None where it is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", diptych.LossWarning)
        try:
            return diptych.convert(row, source=source, target=target, on_loss=on_loss).output
        except diptych.LossError:
            return None


def says(row, target):
    """What a written row says of its answer; one that is trained on as an answer to be learnt says that it is good."""
    found, _ = get(target).read(row)
    return True if found.label is None and target in TRAINS else found.label


@pytest.mark.parametrize("on_loss", POLICIES)
@pytest.mark.parametrize("source", TRAINS)
def test_a_judgement_survives_or_the_row_is_refused(source, on_loss):
    """Under each policy, by every way, from each layout to each other."""
    fields = ["label"] if source in ("trl_stepwise", "trl_unpaired") else ["label", "kto_tag"]
    for field, label, target in product(fields, (True, False), TARGETS):
        row = {**row_in(source), field: label}
        for way in (migrated, converted):
            written = way(row, source, target, on_loss)
            if written is None:
                continue
            if get(target).asks:  # the answer is gone, and what was said of it
                assert "Low." not in json.dumps(written)
            else:
                assert says(written, target) is label, (source, target, written)


def test_the_law_is_not_empty():
    """A bad answer gets through to each layout that holds a label."""
    holds = [name for name in TRAINS if "label" in get(name).carries]
    assert len(holds) >= 4
    for source in set(TRAINS) - {"trl_preference", "openai_dpo", "trl_stepwise", "trl_text"}:
        field = "label" if source != "alpaca_row" else "kto_tag"
        for target in holds:
            written = migrated({**row_in(source), field: False}, source, target, "ignore")
            assert written is not None, (source, target)
            assert get(target).read(written)[0].label is False


@pytest.mark.parametrize("name", TRAINS)
@pytest.mark.parametrize("value", ["bad", "false", 0.5, 3, [], {}])
def test_a_judgement_that_is_none_is_an_error(name, value):
    with pytest.raises(diptych.FormatError) as caught:
        get(name).read({**row_in(name), "label": value})
    assert caught.value.path == "$.label"
    if name != "trl_unpaired":
        assert "drop" in caught.value.message


@pytest.mark.parametrize("name", [name for name in TRAINS if name not in ("trl_stepwise",)])
def test_two_judgements_that_differ_are_refused(name):
    row = row_in(name)
    assert get(name).read({**row, "label": False, "kto_tag": False})[0].label is False
    _, told = get(name).read({**row, "label": True, "kto_tag": False})
    assert [loss.kind for loss in told if loss.severity is Severity.REFUSED and loss.kind == "undecidable"]


def test_messages_with_a_label():
    for label in (True, False):
        row = {"messages": [USER, SAID], "label": label}
        assert detect_layout([row], list_formats())[0] == "finetune_chat"
        found = diptych.convert(row, source="finetune_chat", target="trl_unpaired")
        assert found.output == {"prompt": [USER], "completion": [SAID], "label": label}
        assert found.verdict == "lossless"


def test_a_judgement_is_of_the_last_answer():
    found = diptych.convert({"messages": MORE, "label": False}, source="finetune_chat", target="trl_unpaired")
    assert found.output == {"prompt": MORE[:3], "completion": [SAID], "label": False}
    assert found.verdict == "lossless"


# single messages ------------------------------------------------------------------------------------

WEIGHED = [
    [{**m, "weight": 0} if m["content"] == "High." else m for m in MORE],
    [{**m, "weight": 0} if m["content"] == "Low." else m for m in MORE],
    [{**m, "weight": 0} if m["role"] == "assistant" else m for m in MORE],
]


def untaught(example):
    """The texts of the answers that are not to be learnt."""
    before = example.messages[: example.answer or 0]
    return [
        m.text
        for i, m in enumerate(example.messages)
        if m.role == "assistant" and (i < len(before) or m.extra.get("weight") == 0)
    ]


@pytest.mark.parametrize("on_loss", POLICIES)
@pytest.mark.parametrize("messages", WEIGHED)
def test_a_weight_survives_or_the_row_is_refused(messages, on_loss):
    row = {"messages": messages}
    wanted = untaught(get("finetune_chat").read(row)[0])
    kept = 0
    for target in TRAINS:
        for written in (
            migrated(row, "finetune_chat", target, on_loss),
            converted(row, "finetune_chat", target, on_loss),
        ):
            if written is not None:
                assert set(wanted) <= set(untaught(get(target).read(written)[0])), (target, written)
                kept += 1
    assert kept >= 2


@pytest.mark.parametrize("on_loss", POLICIES)
def test_whether_a_step_is_right_survives_or_the_row_is_refused(on_loss):
    row = {"prompt": "Tides?", "completions": ["High.", "Low."], "labels": [False, True]}
    for target in TRAINS:
        for written in (
            migrated(row, "trl_stepwise", target, on_loss),
            converted(row, "trl_stepwise", target, on_loss),
        ):
            if written is not None:
                found, _ = get(target).read(written)
                assert found.label is False
                assert [m.extra.get("label") for m in found.messages[1:]] == [False, True]


def test_a_judgement_beside_a_legacy_row_is_read_with_the_separators_of_its_data_set():
    counts = ShardCounts()
    spec = Spec("finetune_legacy", "trl_unpaired", "ignore", separators=(" ->", " ", ""))
    good, _ = Rows(spec, counts).row(1, {"prompt": "Tides? ->", "completion": " Low.", "label": False})
    assert json.loads(good) == {"prompt": [USER], "completion": [SAID], "label": False}
