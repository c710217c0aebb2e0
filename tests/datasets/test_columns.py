"""Column maps: what they name arrives under the layout's name, and nothing else changes."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.datasets.columns import ColumnMap

NAMES = st.text(st.characters(exclude_characters=".[]\"'$", exclude_categories=["Cs"]), min_size=1, max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=5)


@given(ROWS, st.data())
def test_renaming_there_and_back_gives_the_row(row, data):
    old = data.draw(st.sampled_from(sorted(row)))
    new = data.draw(NAMES.filter(lambda name: name not in row))
    there = ColumnMap({new: old}).apply(row)
    assert there == {new if name == old else name: value for name, value in row.items()}
    assert ColumnMap({old: new}).apply(there) == row


@given(ROWS)
def test_a_map_changes_no_row_that_it_is_given(row):
    before = deepcopy(row)
    ColumnMap({"zz": "a.b"}, {"yy": 1}, {"user": "x"}, {"role": "who"}, ("a[0]",)).apply(row)
    assert row == before


@given(ROWS, st.data())
def test_a_path_takes_its_leaf_and_leaves_the_rest(row, data):
    """The leaf stands under the new name; all others stay where they were."""
    place = [data.draw(NAMES), data.draw(NAMES)]
    inner = {**data.draw(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3)), place[1]: "leaf", "~": "left"}
    row = {**row, place[0]: inner}
    path = ".".join(place)
    found = ColumnMap({"~new": path}).apply(row)
    assert found.pop("~new") == "leaf"
    assert found == {**row, place[0]: {key: item for key, item in inner.items() if key != place[1]}}


@pytest.mark.parametrize(
    ("path", "row", "left"),
    [
        ("a.b", {"a": {"b": 1}}, {}),
        ("$.a.b", {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
        ("a[1].b", {"a": [{"c": 0}, {"b": 1}]}, {"a": [{"c": 0}, None]}),
        ("a['b.c']", {"a": {"b.c": 1}}, {}),
        ('a["b c"]', {"a": {"b c": 1, "d": 2}}, {"a": {"d": 2}}),
        ("a.b", {"a.b": 1, "a": {"b": 2}}, {"a": {"b": 2}}),
    ],
)
def test_paths(path, row, left):
    assert ColumnMap({"new": path}).apply(row) == {**left, "new": 1}


def test_fields_may_stand_inside_of_others():
    row = {"q": [{"role": "user", "content": "Hi"}], "good": [1], "bad": [2]}
    names = ColumnMap({"input.messages": "q", "preferred_output": "good", "non_preferred_output": "bad"})
    assert names.apply(row) == {
        "input": {"messages": row["q"]}, "preferred_output": [1], "non_preferred_output": [2]
    }  # fmt: skip


def test_constants_stand_where_a_row_says_nothing():
    names = ColumnMap(constants={"system": "Be brief."})
    assert [names.apply(row)["system"] for row in ({}, {"system": ""}, {"system": None}, {"system": "x"})] == [
        "Be brief.", "Be brief.", "Be brief.", "x"
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["role", "from"])
def test_speakers_get_their_roles(key):
    turns = [{key: who, "x": "Hi"} for who in ("Kunde", "Bot", "Modell", 7)]
    names = ColumnMap(roles={"user": "Kunde", "assistant": ["Bot", "Modell"], "tool": 7}, turn={"content": "x"})
    found = names.apply({"messages": turns, "tools": turns})
    assert [turn[key] for turn in found["messages"]] == ["user", "assistant", "assistant", "tool"]
    assert [turn["content"] for turn in found["messages"]] == ["Hi"] * 4
    assert found["tools"] == turns


def test_a_call_is_a_call_whatever_it_is_called():
    names = ColumnMap(roles={"function_call": "act"})
    row = {"messages": [{"role": "act", "content": '{"name": "f"}'}]}
    assert names.apply(row)["messages"] == [{"from": "function_call", "value": '{"name": "f"}'}]


@pytest.mark.parametrize(
    ("made", "path", "hint"),
    [
        (lambda: ColumnMap(roles={"asistant": "x"}), "$.roles.asistant", "assistant"),
        (lambda: ColumnMap(roles={"user": "x", "tool": ["x"]}), "$.roles.tool", None),
        (lambda: ColumnMap({"a": "b[x"}), "$.columns.a", None),
        (lambda: ColumnMap({"a": ""}), "$.columns.a", None),
        (lambda: ColumnMap({"a": 3}), "$.columns.a", None),
        (lambda: ColumnMap(turn={"role": "a..b"}), "$.turn.role", None),
        (lambda: ColumnMap(roles=["x"]), "$.roles", None),
        (lambda: ColumnMap({"a": "b"}).apply({"a": 1, "b": 2}), "$.a", None),
    ],
)
def test_what_is_wrong_is_told_with_its_place(made, path, hint):
    with pytest.raises(diptych.FormatError) as caught:
        made()
    assert caught.value.path == path
    assert hint is None or hint in (caught.value.hint or "")
