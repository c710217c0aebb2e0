"""Small inputs of one kind of fault each, with the right answer: what is carried where, what is told, what is never said.

A row of ``samples.jsonl``: ``at`` are leaves that have to be carried or told; ``output`` says what stands
where, ``has`` and ``lacks`` what stands anywhere; ``told`` are paths of losses, ``kinds`` their kinds, ``never`` kinds that
would be a lie; ``linked``: results name their calls; ``refused``: an error with a path is as good. For every
row: no leaf is silent, nothing is reported that stands in its place, and what is written fits the types of its SDK.
"""

import json
from pathlib import Path

import pytest

import diptych

from ..oracles.laws import Refused, is_under, overbooked, seen, silent
from ..oracles.sdk import TYPES, oracle

ROWS = [json.loads(line) for line in Path(__file__).with_name("samples.jsonl").read_text().splitlines()]

def made_of(row):
    if not row.get("refused"):
        return seen(row["input"], row["from"], row["to"])
    try:
        return seen(row["input"], row["from"], row["to"])
    except Refused as error:
        return error


def at(value, path):
    for key in path.replace("[", ".").replace("]", "").split(".")[1:]:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def ids(value, names):
    """Yield the ids that stand under one of these names, in order."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in names and isinstance(item, str):
            yield item
        yield from ids(item, names)


def linked(output):
    text = json.dumps(output)
    results = list(ids(output, ("tool_call_id", "tool_use_id")))
    if "toolResult" in text:
        *_, half = found = list(ids(output, ("toolUseId",)))
        assert half
        return found[: len(found) // 2] == found[len(found) // 2 :]
    calls = [name for name in ids(output, ("id",)) if name]
    return bool(results) and calls == results and len(set(calls)) == len(calls)


def _meet(one, other):
    return is_under(one, other) or is_under(other, one)


CHECKS = {
    "output": lambda made, want: {path: at(made.output, path) for path in want} == want,
    "has": lambda made, want: all(text in json.dumps(made.output) for text in want),
    "lacks": lambda made, want: not any(text in json.dumps(made.output) for text in want),
    "told": lambda made, want: all(any(_meet(path, loss.path) for loss in made.losses) for path in want),
    "told_last": lambda made, want: any(loss.path.endswith(want) for loss in made.losses),
    "kinds": lambda made, want: set(want) <= {loss.kind for loss in made.losses},
    "never": lambda made, want: not set(want) & {loss.kind for loss in made.losses},
    "format": lambda made, want: made.format == want,
    "roles": lambda made, want: [message["role"] for message in made.output["messages"]] == want,
    "linked": lambda made, want: linked(made.output) is want,
}


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row['from']}-{row['to']}-{row['kind']}" for n, row in enumerate(ROWS)])
def test_the_right_answer(row):
    made = made_of(row)
    if isinstance(made, Refused):
        assert all(path and detail for path, _, detail in made.args[0])
        return
    assert not row.get("same") or made.output == row["input"]
    for name, check in CHECKS.items():
        assert name not in row or check(made, row[name]), (name, row[name], made.output, made.losses)
    lost = silent(row["input"], made, row["from"], row["to"])
    assert not [path for path in lost if path in row.get("at", lost)], made.losses
    assert not overbooked(row["input"], made)
    if row["to"] in TYPES and isinstance(made.output, dict) and {"model", "modelId"} & set(made.output):
        assert not oracle(row["to"]).fault(diptych.convert(made.output, source=row["to"], target=row["to"]).output)


def test_offsets_count_from_the_start_of_the_prompt():
    tokens = [{"token": text, "logprob": -0.1, "bytes": None, "top_logprobs": []} for text in ("Hi", " there")]
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi there"}, "finish_reason": "stop"}
    reply = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice | {"logprobs": {"content": tokens}}],
    }
    asked = {"model": "m", "prompt": "say hi, one word", "logprobs": 2}
    found = diptych.convert_response(reply, to="completions", request=asked).output
    assert found["choices"][0]["logprobs"]["text_offset"] == [16, 18]
