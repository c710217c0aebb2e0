"""Counts against what the real API reported: shares by family and feature, ranges that hold."""

import gzip
import json
from collections import Counter

import pytest

import diptych

#: Shares of exactly right counts that hold today; a change that lowers one is a step back.
FLOORS = {
    "completions": 0.96, "chat": 0.91, "reasoning": 0.82, "tools": 0.90, "rf_json_schema": 0.98, "rf_json_object": 0.98,
}  # fmt: skip


@pytest.fixture(scope="module")
def recordings(shared):
    file = shared / "ground_truth" / "recorded.jsonl.gz"
    if not file.is_file():
        pytest.skip("no recorded usage in the folder of samples")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def counted(recordings):
    return [(row, diptych.count(row["request"], model=row["model"])) for row in recordings]


def groups_of(row):
    family = "completions" if row["endpoint"] == "completions" else "chat"
    if family == "chat" and row["model"].startswith(("o1", "o3", "o4", "gpt-5")):
        family = "reasoning"
    return [family, *(row.get("features") or [])]


def test_shares_of_exact_counts(counted):
    total, right = Counter(), Counter()
    for row, count in counted:
        if not row.get("keys_sorted"):
            for group in groups_of(row):
                total[group] += 1
                right[group] += count.tokens == row["prompt_tokens"]
    for group in sorted(total):
        print(f"{group:<24}{right[group]:>5} of {total[group]:>5}  {right[group] / total[group]:.1%}")
    low = {group: right[group] / total[group] for group, floor in FLOORS.items() if right[group] < floor * total[group]}
    assert not low


def test_ranges_hold_the_truth(counted):
    ranged = [(row, count) for row, count in counted if count.basis == "approximate"]
    inside = sum(count.low <= row["prompt_tokens"] <= count.high for row, count in ranged)
    print(f"{inside} of {len(ranged)} ranges hold the truth")
    assert inside >= 0.95 * len(ranged)


def test_lines_add_up(counted):
    for row, count in counted:
        if count.tokens is not None:
            assert sum(item.tokens for item in count.items) == count.tokens, row["source"]
