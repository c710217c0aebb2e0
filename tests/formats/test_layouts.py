"""Rows of training data, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.formats.finetune import Separators, separators_of
from diptych.formats.registry import get

TALK = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]
ROWS = {
    "finetune_legacy": {"prompt": "Hi\n\n###\n\n", "completion": " Yo END"},
    "finetune_chat": {"messages": TALK},
    "sharegpt": {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}]},
    "alpaca_row": {"instruction": "Hi", "input": "", "output": "Yo"},
}
TEXT = st.text(st.characters(codec="utf-8"), max_size=10)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_both_ways(name):
    assert diptych.convert(ROWS[name], name, "openai_chat").output == TALK
    assert diptych.convert(TALK, target=name).output == ROWS[name]


@pytest.mark.parametrize("name", ROWS)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3), st.none() | TEXT)
def test_what_is_not_told_comes_back(name, pairs, system):
    wire = [{"role": "system", "content": system}] if system is not None else []
    for a, b in pairs:
        wire += [{"role": "user", "content": a}, {"role": "assistant", "content": b}]
    output, losses = get(name).write(diptych.convert(wire, target="openai_chat").output and _conversation(wire))
    if not losses:
        again, _ = get(name).read(output)
        assert [(m.role, m.text) for m in again.messages] == [(m["role"], m["content"]) for m in wire]


def _conversation(wire):
    from diptych.formats.openai_chat import read_messages

    return read_messages(wire)


def test_separators_are_those_of_all_rows():
    rows = [{"prompt": f"q{n} ->", "completion": f" a{n}\n"} for n in range(5)]
    assert separators_of(rows) == Separators(" ->", " ", "\n")
    assert separators_of([*rows, {"prompt": "x", "completion": "y"}]) == Separators("", "", "")


def test_tool_calls_of_sharegpt():
    row = {"system": "S", "conversations": [
        {"from": "human", "value": "Rain?"},
        {"from": "function_call", "value": '{"name": "rain", "arguments": {"at": "Paris"}}'},
        {"from": "observation", "value": "yes"}, {"from": "gpt", "value": "It rains."}]}  # fmt: skip
    messages = diptych.convert(row).output
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert messages[3]["tool_call_id"] == messages[2]["tool_calls"][0]["id"]


def test_further_fields_are_told():
    found = diptych.convert({**ROWS["sharegpt"], "source": "x"}, on_loss="ignore")
    assert [(loss.path, loss.kind) for loss in found.losses] == [("$.source", "field-dropped")]


@pytest.mark.parametrize("value", [{}, {"prompt": 3, "completion": ""}, {"conversations": [{"from": "elf", "value": ""}]},
                                   {"instruction": "x"}, 3, {"conversations": [{"from": "function_call", "value": "x"}]}])  # fmt: skip
@pytest.mark.parametrize("name", ROWS)
def test_bad_rows_say_where(name, value):
    with pytest.raises(diptych.FormatError) as caught:
        get(name).read(value)
    assert caught.value.path.startswith("$")
