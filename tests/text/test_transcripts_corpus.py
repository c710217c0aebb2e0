"""Real Completions prompts, segmented as a careful person would."""

import json

import pytest

import diptych


@pytest.fixture(scope="module")
def prompts(shared):
    file = shared / "corpora" / "transcripts.jsonl"
    if not file.is_file():
        pytest.skip("no transcripts in the folder of samples")
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def outcome(reading):
    """Return what a person would say of a reading: messages, and how it ends."""
    return [(m["role"], (m["content"] or "").strip()) for m in reading.messages if "name" not in m]


def wanted(expected):
    return [(m["role"], m["content"].strip()) for m in expected["messages"]]


def readings(reading):
    return [outcome(r) for r in (reading, *reading.alternatives)]


def test_detectable_prompts_are_segmented_as_expected(prompts):
    wrong = []
    for row in prompts:
        if row["auto_detectable"] and not row["ambiguous"]:
            reading = diptych.to_messages(row["prompt"])
            if outcome(reading) != wanted(row["expected"]):
                wrong.append((row["id"], outcome(reading)[:3], wanted(row["expected"])[:3]))
    assert not wrong


def test_the_end_is_read_as_slot_or_prefill(prompts):
    for row in prompts:
        if row["auto_detectable"] and not row["ambiguous"]:
            cue = diptych.to_messages(row["prompt"]).conversation.cue
            assert (cue == "reply") == bool(row["expected"]["generation_slot"]), row["id"]
            assert (cue == "continue") == row["expected"]["ends_with_assistant_prefill"], row["id"]


def test_hints_are_honoured(prompts):
    wrong = []
    for row in prompts:
        if row.get("hints") and row["expected"]:
            reading = diptych.to_messages(row["prompt"], hints=row["hints"])
            if outcome(reading) != wanted(row["expected"]):
                wrong.append((row["id"], outcome(reading)[:4], wanted(row["expected"])[:4]))
    assert not wrong


def test_ambiguous_prompts_are_called_so_with_the_acceptable_readings(prompts):
    wrong = []
    for row in prompts:
        if row["ambiguous"]:
            reading = diptych.to_messages(row["prompt"])
            missing = [wanted(a) for a in row["acceptable"] if wanted(a) not in readings(reading)]
            if reading.verdict != "ambiguous" or missing:
                wrong.append(
                    (
                        row["id"],
                        reading.verdict,
                        reading.format,
                        [m[:3] for m in missing],
                        [r[:3] for r in readings(reading)],
                    )
                )
    assert not wrong
