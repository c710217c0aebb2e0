"""Detection: what a text begins with is found at once, and is what every format says of itself."""

from hypothesis import given
from hypothesis import strategies as st

from diptych.text.detection import _begins, _heads, _opens_of
from diptych.text.registry import grammars

HEADS = _heads([*grammars().values()], has_plain=True)
MARKS = sorted({mark for one in HEADS.certain for mark in (*_opens_of(one), one.bos, *one.markers) if mark})
PIECES = st.sampled_from([*MARKS, " ", "\n", "a", "<"])


@given(text=st.lists(PIECES, max_size=4).map("".join))
def test_the_formats_that_a_text_begins_as_are_found_by_its_longest_mark(text):
    assert HEADS.beginning(text) == [one for one in HEADS.certain if _begins(text, one)]
