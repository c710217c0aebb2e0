"""Counts against what the real API reported: shares by class, calibration of the basis, ranges that hold."""

import gzip
import json
import re
import statistics
from collections import Counter, defaultdict

import pytest

import diptych
from diptych.catalogue.models import model_info
from diptych.tokens.basis import FITTED

#: The least share of exactly right counts of the kept recordings, whatever their basis.
FLOORS = {"chat": 0.98, "reasoning": 0.96, "completions": 0.98, "responses": 0.85, "embeddings": 1.0}
_ELIDED = re.compile(r"size \[(\d+), (\d+)\]>$")
_REASONING = re.compile(r"(?:ft:)?(?:o[134]|gpt-5|codex)")
#: Recordings that are no evidence: an altered cassette, and Responses of gpt-4o before May 2025 (18 more).
FLAWED = {("gpt-3.5-turbo-instruct", 5), ("gpt-4o-mini-2024-07-18", 27)}


@pytest.fixture(scope="module")
def counted(shared):
    files = [shared / "ground_truth" / f"{name}.jsonl.gz" for name in ("recorded", "recorded_2")]
    if not all(file.is_file() for file in files):
        pytest.skip("no recorded usage in the folder of samples")
    return [(row, diptych.count(row["request"], model=row["model"], image_sizes=sizes_of(row))) for row in read(files)]


def read(files):
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def parts_of(row):
    body = row["request"]
    for message in body.get("messages") or body.get("input") or ():
        content = message.get("content") if isinstance(message, dict) else None
        yield from (part for part in (content if isinstance(content, list) else ()) if isinstance(part, dict))


def image_urls(row):
    for part in parts_of(row):
        if part.get("type") in ("image_url", "input_image"):
            image = part.get("image_url") or ""
            yield image if isinstance(image, str) else image["url"]


def sizes_of(row):
    """Return the sizes that stand in place of large images."""
    return {url: (int(found[1]), int(found[2])) for url in image_urls(row) if (found := _ELIDED.search(url))}


def is_kept(row):
    """Say whether a rule can know all of a recording: no file, no image without a size, no keys out of order."""
    sizes = sizes_of(row)
    has_file = any(part.get("type") in ("file", "input_file") for part in parts_of(row))
    has_sizes = all(url in sizes or url.startswith("data:") for url in image_urls(row))
    return has_sizes and not has_file and not row.get("keys_sorted")


def class_of(row):
    if row["endpoint"] != "chat":
        return row["endpoint"]
    return "reasoning" if _REASONING.match(row["model"]) else "chat"


def is_right(row, count):
    return count.tokens == row["prompt_tokens"]


def test_shares_of_right_counts(counted):
    total, right = Counter(), Counter()
    for row, count in counted:
        name = class_of(row) if is_kept(row) else f"{class_of(row)}, not kept"
        total[name] += 1
        right[name] += is_right(row, count)
    for name in sorted(total):
        print(f"{name:<24}{right[name]:>5} of {total[name]:>5}  {right[name] / total[name]:.1%}")
    assert {name for name, floor in FLOORS.items() if right[name] < floor * total[name]} == set()


def test_exact_and_fitted_are_right(counted):
    sure = [(row, count) for row, count in counted if is_kept(row) and count.basis in ("exact", "fitted")]
    wrong = [row for row, count in sure if not is_right(row, count)]
    print(f"{len(sure) - len(wrong)} of {len(sure)} counts that are exact or fitted are right")
    assert {(row["model"], row["prompt_tokens"]) for row in wrong} <= FLAWED
    chat = [count.basis for row, count in counted if is_kept(row) and class_of(row) == "chat"]
    share = sum(basis in ("exact", "fitted") for basis in chat) / len(chat)
    print(f"{share:.1%} of the chat recordings are exact or fitted")
    assert share >= 0.95


def test_what_is_called_fitted_is_shown_by_recordings(counted):
    seen = defaultdict(Counter)
    for row, count in counted:
        if is_kept(row) and count.basis != "unknown":
            api = "responses" if row["endpoint"] == "responses" else "chat"
            kinds = {item.kind for item in count.items if item.basis == "fitted"}
            # A wrong total speaks against its lines only where no other line is a range.
            if is_right(row, count) or count.basis == "fitted":
                for kind in kinds:
                    seen[api, model_info(row["model"]).family, kind][is_right(row, count)] += 1
    for key, found in sorted(seen.items(), key=str):
        print(f"{' '.join(map(str, key)):<40}{found[True]:>5} of {found.total():>5}")
    claimed = {(api, family, kind) for (api, family), kinds in FITTED.items() for kind in kinds}
    shown = {key for key, found in seen.items() if found.total() >= 20 and found[True] >= 0.98 * found.total()}
    assert claimed <= shown


def test_ranges_hold_the_truth(counted):
    ranged = [(row["prompt_tokens"], count) for row, count in counted if count.basis == "approximate"]
    inside = sum(count.low <= truth <= count.high for truth, count in ranged)
    widths = sorted((count.high - count.low) / truth for truth, count in ranged)
    tenths = statistics.quantiles(widths, n=10)
    print(f"{inside} of {len(ranged)} ranges hold the truth; width: median {tenths[4]:.1%}, p90 {tenths[8]:.1%}")
    assert inside >= 0.95 * len(ranged)


def test_widths_of_kept_recordings(counted):
    kept = [(row["prompt_tokens"], count) for row, count in counted if is_kept(row) and count.basis == "approximate"]
    tenths = statistics.quantiles([(count.high - count.low) / truth for truth, count in kept], n=10)
    print(f"width of {len(kept)} ranges: median {tenths[4]:.1%}, p90 {tenths[8]:.1%}")
    assert tenths[4] <= 0.15
    assert tenths[8] <= 0.60


def test_lines_add_up(counted):
    for row, count in counted:
        if count.tokens is not None:
            assert sum(item.tokens for item in count.items) == count.tokens, row["source"]
