"""Safe cuts and the counters built on them: equal to the plain count, always."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.encodings.text import count_text
from diptych.errors import TokenError
from diptych.tokens import count
from diptych.tokens.counter import Slot, messages_counter, text_counter
from diptych.tokens.cuts import safe_cuts, split_static

ENCODINGS = ("o200k_base", "cl100k_base", "p50k_base", "r50k_base")
SPICE = [
    " ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", "\x0b", "\x0c", "\x85", "\u00a0", "\u2028", "\u3000", "\u200b", "\x1c",
    "a", "Ab", "the", "é", "日本", "ǅ", "\u0301", "ʰ", "1", "1234", "½", "Ⅷ", "!", "//", "/", "'s", "'LL", "'", "_", "-",
    "\ud800", "\udc00", "\x00", "🙂", "<|endoftext|>", "{{", "\U0001e030",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(SPICE), st.text(max_size=4)), max_size=16).map("".join)
pieces = st.lists(st.one_of(texts, st.sampled_from("abc").map(Slot)), max_size=7)
values = st.fixed_dictionaries({"a": texts, "b": texts, "c": st.just("")})


def whole(parts, inputs):
    return "".join(inputs[part.name] if isinstance(part, Slot) else part for part in parts)


@pytest.mark.parametrize("name", ENCODINGS)
@given(text=texts)
def test_every_safe_cut_is_exact(name, text):
    expected = count_text(text, encoding_name=name)
    for cut in safe_cuts(text, name):
        assert count_text(text[:cut], encoding_name=name) + count_text(text[cut:], encoding_name=name) == expected, (
            text[:cut],
            text[cut:],
        )


@pytest.mark.parametrize("name", ENCODINGS)
@given(parts=pieces, inputs=values)
def test_counter_is_the_plain_count(name, parts, inputs):
    assert text_counter(parts, name)(inputs) == count_text(whole(parts, inputs), encoding_name=name)


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4", "gpt-5.4", "o3-mini", "gpt-3.5-turbo-0301", "gpt-4o-search-preview"]
)
@given(first=pieces, second=pieces, inputs=values)
def test_messages_counter_is_the_plain_count(model, first, second, inputs):
    plan = [("system", first), ("user", second), ("assistant", ["Yes. ", Slot("a")]), ("user", ["Go on"])]
    messages = [{"role": role, "content": whole(parts, inputs)} for role, parts in plan]
    assert messages_counter(plan, model)(inputs) == count(messages, model).tokens
    tools = {"tools": [{"type": "function", "function": {"name": "now"}}]}
    assert messages_counter(plan, model, tools)(inputs) == count({**tools, "messages": messages}, model).tokens


def test_a_place_where_patterns_join_is_no_cut():
    # A mark takes the line break along, and in r50k the line break is split off the run before a letter.
    assert safe_cuts("!\n", "o200k_base") == []
    assert safe_cuts("\n\na", "r50k_base") == []
    assert split_static("nocut", "o200k_base") is None


def test_static_text_is_not_tokenised_again():
    counter = text_counter(["word " * 1000, Slot("x"), " word" * 1000], "o200k_base")
    plain = counter({"x": "value"})
    assert plain == count_text("word " * 1000 + "value" + " word" * 1000)
    cells = [cell.cell_contents for cell in counter.__closure__]
    only = next(cell for cell in cells if callable(cell) and cell.__name__ == "<lambda>")
    run = only({"x": "value"})
    assert len(run) < 20


def test_counter_names_what_is_missing():
    with pytest.raises(KeyError, match="x"):
        text_counter([Slot("x")], "o200k_base")({})
    with pytest.raises(TokenError):
        messages_counter([], "claude-3")
