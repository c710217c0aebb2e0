"""Gemma's notation of values: what is written reads back, and nothing else is taken for a value."""

import json

from hypothesis import given
from hypothesis import strategies as st

from diptych.model import FrozenMap, ToolSpec
from diptych.text.braces import Declaration, holds, read, written

KEYS = st.text("abcXYZ_1", min_size=1, max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_is_written_reads_back(value):
    text = written(value)
    assert read(text + "rest") == (value, len(text))
    assert holds(json.dumps(value))


@given(st.text('{}[],:<|">a1tru', max_size=30))
def test_what_is_read_is_a_value_as_it_is_written_or_nothing(text):
    found = read(text)
    assert found is None or 0 < found[1] <= len(text)


def test_what_the_notation_has_no_place_for():
    for arguments in ('{"a": "<|\\"|>"}', '{"a,b": 1}', '{"": 1}', "[1]", "{"):
        assert not holds(arguments)
    assert read("[" * 100_000) is None


def test_a_declaration_reads_back_or_is_none():
    schema = {
        "type": "object",
        "properties": {
            "tags": {"type": "array", "items": {"type": "string"}},
            "at": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
        },
        "required": ["at"],
    }
    tool = ToolSpec("f", "Does it.", FrozenMap(schema))
    text = Declaration().write(tool)
    assert Declaration().read(text + "<tool|>", 0) == (tool, len(text))
    assert Declaration().read(text.replace("OBJECT", "object"), 0) is None
