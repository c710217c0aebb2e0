"""A bill of mixed requests reconciles line by line with what the API reported."""

import gzip
import json

import pytest

from diptych import count, estimate
from diptych.prices import price_usage

#: Self-written requests; the usage is what the rules and the price list of the snapshot say.
BILL = [
    ({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20}, 8, 9),
    ({"model": "gpt-4.1", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}], "max_tokens": 20}, 15, 2),
    ({"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 500}, 7, 80),
    ({"model": "gpt-3.5-turbo-instruct", "prompt": 'Translate the following English text to French: "Good morning"', "max_tokens": 16}, 12, 4),
]  # fmt: skip


def test_every_line_of_a_bill_reconciles():
    total = 0
    for body, prompt, output in BILL:
        usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
        guess = estimate(body, output=output)
        residual = guess.reconcile(usage)
        assert (residual.prompt, residual.output, residual.is_within) == (0, 0, True), body
        assert residual.cost == 0
        total += price_usage(body["model"], usage)
    assert total == sum(estimate(body, output=output).cost.expected for body, _, output in BILL)


def test_recorded_usage_reconciles(shared):
    file = shared / "ground_truth" / "recorded.jsonl.gz"
    if not file.is_file():
        pytest.skip("no recorded usage in the folder of samples")
    billed = counted = 0
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        found = count(row["request"], row["model"])
        if found.basis in ("exact", "fitted") and not row.get("keys_sorted"):
            usage = {"prompt_tokens": row["prompt_tokens"], "completion_tokens": row.get("completion_tokens") or 0}
            residual = estimate(row["request"], model=row["model"]).reconcile(usage)
            assert residual.prompt == row["prompt_tokens"] - found.tokens
            billed += row["prompt_tokens"]
            counted += found.tokens
    print(f"{billed:,} tokens billed, {counted:,} counted")
    assert abs(billed - counted) <= 0.0001 * billed
