"""Plain rows go a shorter way: it writes what the general way writes, or nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.migrate import Spec, convert_shard
from diptych.migrate.data import plain
from diptych.migrate.data.counts import ShardCounts
from diptych.migrate.data.rows import Rows

PAIRS = [(a, b) for a in plain._READERS for b in plain._WRITERS if a != b]
TEXTS = st.text(max_size=6) | st.sampled_from(
    [
        "Hi",
        " ",
        "\u2028",
        '"',
        "\\",
        '\\"',
        "\\\\",
        "\ud800",
        "\x00",
        "\u00a0",
        "é",
        "\n\nHuman: x\n\nAssistant:",
        "a ->",
    ]
)
SPEAKERS = st.sampled_from(["user", "assistant", "system", "human", "gpt", "tool", "User", "bot"])
ANY = TEXTS | st.none() | st.integers() | st.lists(TEXTS, max_size=2)


def talks(speaker, said):
    turn = st.fixed_dictionaries({speaker: SPEAKERS, said: TEXTS | ANY}, optional={"weight": st.just(0), "name": TEXTS})
    pair = ("user", "assistant") if speaker == "role" else ("human", "gpt")
    good = st.lists(TEXTS, min_size=1, max_size=5).map(
        lambda texts: [{speaker: pair[n % 2], said: text} for n, text in enumerate(texts)]
    )
    return good | st.lists(turn, max_size=4)


def columns(*names):
    return st.fixed_dictionaries(
        {}, optional=dict.fromkeys((*names, "id", "label"), TEXTS | ANY)
    ) | st.fixed_dictionaries(dict.fromkeys(names, TEXTS))


ROWS = {
    "finetune_chat": st.fixed_dictionaries({"messages": talks("role", "content")}, optional={"id": ANY, "tools": ANY}),
    "sharegpt": st.fixed_dictionaries({"conversations": talks("from", "value")}, optional={"system": ANY, "id": TEXTS}),
    "alpaca_row": columns("instruction", "input", "output", "system"),
    "question_answer": columns("question", "answer"),
    "system_question": columns("system_prompt", "question", "response"),
    "input_output": columns("input", "output"),
}  # fmt: skip


def general(source, target, line):
    """What the general way makes of a line: its bytes, the rejects, the counts."""
    counts = ShardCounts()
    rows = Rows(Spec(source, target), counts)
    good, bad = rows.line(1, line)
    return good, bad, counts, rows.rules.bytes


def test_every_reader_has_its_rows():
    assert ROWS.keys() == plain._READERS.keys()


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(data=st.data(), ascii=st.booleans(), gap=st.sampled_from(["", " "]))
def test_a_plain_row_is_what_the_general_way_makes_of_it(source, target, data, ascii, gap):
    row = data.draw(ROWS[source])
    line = (
        json.dumps(row, ensure_ascii=ascii, separators=(f",{gap}", f":{gap}")).encode("utf-8", "surrogatepass") + b"\r"
    )
    found = plain.plain_converter(source, target)(line)
    if found is not None:
        good, bad, counts, size = general(source, target, line)
        assert (good, bad, counts.losses, counts.written, size) == (found, b"", {}, 1, len(found))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_common_rows_are_plain(source, target):
    row = {
        "finetune_chat": {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yé"}]},
        "sharegpt": {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yé"}]},
        "alpaca_row": {"instruction": "Hi", "input": "", "output": "Yé"},
        "question_answer": {"question": "Hi", "answer": "Yé"},
        "system_question": {"system_prompt": "", "question": "Hi", "response": "Yé"},
        "input_output": {"input": "Hi", "output": "Yé"},
    }[source]
    line = json.dumps(row).encode()
    assert plain.plain_converter(source, target)(line) == general(source, target, line)[0] != b""


@pytest.mark.parametrize(
    "line",
    [
        '{"messages": [{"role": "user", "content": "a", "content": "b"}, {"role": "assistant", "content": "c"}]}',
        '{"messages": [], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]}',
        r'{"messages": [{"role": "user", "content": "a", "r\"": "b"}, {"role": "assistant", "content": "c"}]}',
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]} {}',
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "\ttab"}]}',
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "\\ud800"}]}',
        "[1]", "", " ", "{", '"a', "NaN", "[" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_general_way(line):
    assert plain.plain_converter("finetune_chat", "sharegpt")(line.encode()) is None


@pytest.mark.parametrize("part", [None, 400])
@pytest.mark.parametrize("model", [None, "gpt-4o-mini"])
def test_plain_rows_stand_among_others_in_their_order(tmp_path, part, monkeypatch, model):
    rows = []
    for n in range(40):
        turns = [{"from": "human", "value": f"{n}?"}, {"from": "gpt" if n % 5 else "observation", "value": f"{n}!"}]
        rows.append("bad" if n % 7 == 3 else json.dumps({"conversations": turns}))
    (tmp_path / "in.jsonl").write_text("\n\n".join(rows))
    counted = {} if model is None else {"model": model, "source_model": "gpt-3.5-turbo-instruct"}
    spec = {"from": "sharegpt", "to": "finetune_chat", **counted}
    fast = convert_shard(tmp_path / "in.jsonl", tmp_path / "fast.jsonl", spec)
    monkeypatch.setattr("diptych.migrate.data.rows.plain_converter", lambda *_: None)
    slow = convert_shard(tmp_path / "in.jsonl", tmp_path / "slow.jsonl", spec)
    assert fast == slow
    for name in ("", ".rejects.jsonl"):
        assert (tmp_path / f"fast.jsonl{name}").read_bytes() == (tmp_path / f"slow.jsonl{name}").read_bytes()
