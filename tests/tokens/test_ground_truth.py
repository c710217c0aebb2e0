"""Counts against what the real API reported: shares by family and feature, ranges that hold."""

import gzip
import json
import re
from collections import Counter

import pytest

import diptych

#: The least share of exactly right counts, recordings that lost the order of keys apart.
FLOORS = {
    "completions": 0.96, "chat": 0.96, "reasoning": 0.90, "tools": 0.97, "rf_json_schema": 0.98, "rf_json_object": 0.98,
    "images of known size": 0.85, "role_tool": 0.97,
}  # fmt: skip
_ELIDED = re.compile(r"size \[(\d+), (\d+)\]>$")


@pytest.fixture(scope="module")
def recordings(shared):
    file = shared / "ground_truth" / "recorded.jsonl.gz"
    if not file.is_file():
        pytest.skip("no recorded usage in the folder of samples")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def counted(recordings):
    return [
        (row, diptych.count(row["request"], model=row["model"], image_sizes=sizes_of(row)[0])) for row in recordings
    ]


def sizes_of(row):
    """Return the sizes that stand in place of large images, and whether every image has one."""
    sizes, images = {}, []
    for message in row["request"].get("messages") or ():
        for part in message["content"] if isinstance(message.get("content"), list) else ():
            if part.get("type") == "image_url":
                image = part["image_url"]
                url = image if isinstance(image, str) else image["url"]
                images.append(url)
                if found := _ELIDED.search(url):
                    sizes[url] = (int(found[1]), int(found[2]))
    is_known = bool(images) and all(url in sizes or url.startswith("data:") for url in images)
    return sizes, is_known


def groups_of(row):
    family = "completions" if row["endpoint"] == "completions" else "chat"
    if family == "chat" and row["model"].startswith(("o1", "o3", "o4", "gpt-5")):
        family = "reasoning"
    return [family, *(row.get("features") or [])]


def test_shares_of_exact_counts(counted):
    total, right = Counter(), Counter()
    for row, count in counted:
        has_known_images = sizes_of(row)[1]
        if not row.get("keys_sorted") or has_known_images:
            groups = [] if row.get("keys_sorted") else groups_of(row)
            for group in [*groups, *(["images of known size"] if has_known_images else [])]:
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
