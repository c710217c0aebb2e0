"""Detection: what a text begins with is found at once, and is what every format says of itself."""

from hypothesis import given
from hypothesis import strategies as st

from diptych import to_prompt
from diptych.text.detection import _begins, _heads, _opens_of, likeliest
from diptych.text.registry import grammars
from diptych.text.rivals import Inside, _is_read_alike, reads_alike
from diptych.text.scan import scan

HEADS = _heads([*grammars().values()], has_plain=True)
MARKS = sorted({mark for one in HEADS.certain for mark in (*_opens_of(one), one.bos, *one.markers) if mark})
PIECES = st.sampled_from([*MARKS, " ", "\n", "a", "<"])


@given(text=st.lists(PIECES, max_size=4).map("".join))
def test_the_formats_that_a_text_begins_as_are_found_by_its_longest_mark(text):
    assert HEADS.beginning(text) == [one for one in HEADS.certain if _begins(text, one)]


ROLES = st.sampled_from(["system", "developer", "user", "assistant"])
TALKS = st.lists(st.builds(lambda role, text: {"role": role, "content": text}, ROLES, PIECES), min_size=1, max_size=4)


@given(data=st.data(), name=st.sampled_from([one.name for one in HEADS.certain]))
def test_rivals_that_are_left_out_at_once_are_left_out_one_by_one(data, name):
    text = to_prompt(data.draw(TALKS), name).text
    (_, first), *others = likeliest(text, grammars()) or [(0.0, grammars()[name])]
    found, inside, rivals = scan(first, text), Inside(text), tuple(rival for _, rival in others)
    if _is_read_alike(rivals, first, found, inside):
        assert all(reads_alike(rival, first, found, inside) for rival in rivals)
