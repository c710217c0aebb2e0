"""Text to tokens: equal to tiktoken where it answers, and an answer where it panics."""

import re
from functools import lru_cache

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from diptych.encodings import text as tokens_text
from diptych.encodings.encoding import encoding
from diptych.encodings.recipes import RECIPES
from diptych.encodings.text import byte_bounds, count_text, encode_text, fits, token_ids
from diptych.model import Segment

ENCODINGS = ("o200k_base", "cl100k_base", "p50k_base", "r50k_base")
SPICE = [
    " ", "  ", "\n", "\r\n", "\t", "\x0b", "\x85", "\u00a0", "\u2028", "\u3000", "\x1c", "a", "Ab", "é", "日本", "\u0301",
    "1", "1234", "!", "//", "'s", "'LL", "_", "-", "\ud800", "\udc00", "\x00", "🙂", "<|endoftext|>", "<|im_start|>",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(SPICE), st.text(max_size=4)), max_size=24).map("".join)


@pytest.mark.parametrize("name", ENCODINGS)
@given(text=texts)
def test_count_is_that_of_tiktoken(name, text):
    assert encode_text(text, encoding_name=name) == encoding(name).encode_ordinary(text)
    assert count_text(text, encoding_name=name) == len(encoding(name).encode_ordinary(text))


@pytest.mark.parametrize("name", ENCODINGS)
@given(left=texts, run=st.text(" \n\t\u00a0\r", min_size=5, max_size=14), right=texts)
def test_a_run_split_by_hand_gives_the_same_ids(name, left, run, right):
    bpe = encoding(name)
    text = left + run + right
    # The one known difference: a combining mark before line breaks (o200k) may be letter or punctuation.
    if re.search("[\u0300-\u036f][\r\n]", text):
        return
    ids = [token for part in tokens_text._iter_ids(text, bpe, 5) for token in part]
    assert ids == bpe.encode_ordinary(text)


@pytest.mark.parametrize("name", ENCODINGS)
def test_long_texts_are_cut_exactly(name, monkeypatch):
    monkeypatch.setattr(tokens_text, "PIECE", 50)
    text = "One, two\nthree!\n\n  four\u00a0five 'tis <|endoftext|>\t6 seven\r\n" * 40
    ids = [token for part in tokens_text._iter_ids(text, encoding(name)) for token in part]
    assert ids == encoding(name).encode_ordinary(text)


@pytest.mark.parametrize("text", [" " * 1_200_000, "a" * 1_000_000, "\t" * 1_000_000 + "x", "!" + "\n" * 1_000_000])
def test_runs_that_panic_tiktoken_are_counted(text):
    assert 0 < count_text(text, encoding_name="o200k_base") <= len(text)


def test_lone_surrogates_count_as_the_replacement_character():
    assert encode_text("a\ud800b", encoding_name="o200k_base") == encode_text("a\ufffdb", encoding_name="o200k_base")
    low, high = byte_bounds("\ud800é")
    assert low <= count_text("\ud800é") <= high


@given(text=texts, limit=st.integers(0, 60))
def test_fits_is_the_count_against_the_limit(text, limit):
    low, high = byte_bounds(text)
    assert low <= count_text(text) <= high
    assert fits(text, limit=limit) == (count_text(text) <= limit)


@lru_cache
def harmony_like() -> tiktoken.Encoding:
    return encoding("o200k_harmony")


def test_control_tokens_come_only_from_the_author():
    marker = "<|start|>"
    start = RECIPES["o200k_harmony"].special[marker]
    ids = token_ids([Segment(marker + "user", "template"), Segment(marker, "data", "q")], model="gpt-oss-20b")
    assert ids[0] == start
    assert ids.count(start) == 1
    assert ids[1:] == harmony_like().encode_ordinary("user" + marker)


def test_a_control_token_put_together_from_author_and_data_is_text():
    ids = token_ids([Segment("<|endof", "template"), Segment("text|>", "data")], model="gpt-4o")
    assert ids == encoding("o200k_base").encode_ordinary("<|endoftext|>")
    ids = token_ids([Segment("<|endof", "template"), Segment("text|>", "template")], model="gpt-4o")
    assert ids == [199999]


@given(parts=st.lists(st.tuples(texts, st.sampled_from(["template", "data"])), max_size=6))
def test_ids_without_control_tokens_are_those_of_the_whole(parts):
    segments = [Segment(text.replace("<|", "<"), source) for text, source in parts]
    whole = "".join(segment.text for segment in segments)
    if "<|" not in whole:
        assert token_ids(segments, model="gpt-4o") == encoding("o200k_base").encode_ordinary(whole)
