"""Splicing says what the general way says, with msgspec and without, byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.datasets.finetune import PROMPT_ENDS, Separators
from diptych.migrate.data.counts import ShardCounts
from diptych.migrate.data.rows import Rows
from diptych.migrate.data.spec import Spec
from diptych.migrate.data.splice import Texts, lines_decoder, shape_of, splice_block, splice_lines

SEPARATORS = [Separators(end, " ", close) for end in (*PROMPT_ENDS, "") for close in ("", " END", "\n", "###")]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet=' \n"\\/u0aE#>-é東\ud800\x00', max_size=20),
    st.sampled_from(["", " ", "\\", "\\\\n", '"', "x\\", "\n\n###\n\n", " END", "\u2028", "\x85", "<|im_end|>"]),
    st.sampled_from(["", "\n", " "]).map("\n\nHuman: Hi\n\nAssistant:".__add__),
    st.sampled_from(["", "\n", "Yo<|im_end|>\n"]).map("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant".__add__),
)


@st.composite
def lines(draw, separators):
    """A row in one of the ways that programs write one, or something that is no row."""
    prompt = draw(TEXTS) + draw(st.sampled_from([separators.prompt_end, "", "\\" + separators.prompt_end]))
    completion = draw(st.sampled_from([" ", ""])) + draw(TEXTS) + draw(st.sampled_from([separators.completion_end, ""]))
    row = {"prompt": prompt, "completion": completion}
    way = draw(st.integers(0, 9))
    if way == 0:
        return draw(st.sampled_from(["", "  ", "nonsense", "[]", '{"prompt": "a"}', "\ufeff{}", '"\\ud8"']))
    if way == 1:
        row = draw(
            st.sampled_from([{"completion": completion, "prompt": prompt}, {**row, "id": 1}, {**row, "prompt": 3}])
        )
    if way == 2:
        return '{"prompt": "a", "prompt": "b", "completion": " c"}'
    text = json.dumps(
        row,
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")])),
    )
    if way == 3:  # another spelling of the same text
        text = (
            text.replace("\\n", "\\u000a").replace(" ", "\\u0020").replace("<", "\\u003c").replace(">", "\\u003E")
            if draw(st.booleans())
            else text.replace("/", "\\/")
        )
    return text + draw(st.sampled_from(["", "\r", " "]))


@st.composite
def files(draw):
    separators = draw(st.sampled_from(SEPARATORS))
    found = draw(st.lists(lines(separators), max_size=6))
    text = "\n".join(found) + draw(st.sampled_from(["\n", ""]))
    return separators, text.encode("utf-8", draw(st.sampled_from(["replace", "surrogatepass"])))


def general(data, separators):
    """Return each line's row and reject as the general way gives them."""
    counts = ShardCounts()
    rows = Rows(Spec("finetune_legacy", "finetune_chat", "ignore", separators=separators), counts)
    found = [rows.line(n, raw) for n, raw in enumerate(data.split(b"\n"), 1) if raw.strip()]
    return [json.loads(good) for good, _ in found if good], [json.loads(bad)["line"] for _, bad in found if bad]


def by_lines(data, separators, texts=None):
    counts, rejected, out = ShardCounts(), [], []
    rows = Rows(Spec("finetune_legacy", "finetune_chat", "ignore", separators=separators), counts)

    def slow(number, raw):
        good, bad = rows.line(number, raw)
        if bad:
            rejected.append(json.loads(bad)["line"])
        return good

    spliced = splice_lines(data, separators, slow, out, 1, texts)
    return b"".join(out), rejected, spliced + counts.converted


@given(files())
def test_spliced_rows_say_what_the_general_way_says(given_file):
    separators, data = given_file
    rows, rejected = general(data, separators)
    lines, bad, count = by_lines(data, separators)
    assert [json.loads(line) for line in lines.splitlines()] == rows
    assert (bad, count) == (rejected, len(rows))
    texts = Texts([], [])
    assert by_lines(data, separators, texts)[0] == lines, "counting changes no byte"
    assert len(texts.prompts) == len(texts.completions)


@given(files())
def test_msgspec_changes_no_byte(given_file):
    decoders = lines_decoder()
    if decoders is None:
        pytest.skip("msgspec comes with the extra `fast`")
    separators, data = given_file
    texts = Texts([], [])
    whole = splice_block(data, separators, decoders, texts)
    if whole is not None:
        expected = Texts([], [])
        assert whole == (by_lines(data, separators, expected)[0], len(data.splitlines()))
        assert texts == expected


@pytest.mark.parametrize("separators", SEPARATORS)
def test_ordinary_files_are_spliced_whole(separators):
    """The fast ways are taken: a file as people have it does not fall back on the general one."""
    rows = [
        {"prompt": f'é\n"{n}"\\x{separators.prompt_end}', "completion": f" a\t{n}{separators.completion_end}"}
        for n in range(9)
    ]
    data = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    out = []
    assert splice_lines(data, separators, lambda number, raw: pytest.fail(f"line {number} was not spliced"), out) == 9
    assert json.loads(b"".join(out).splitlines()[3])["messages"][1]["content"] == "a\t3"
    decoders = lines_decoder()
    if decoders is not None:
        assert splice_block(data, separators, decoders) == (b"".join(out), 9)


@pytest.mark.parametrize(
    "line", ["", "{}", '{"prompt": 1, "completion": ""}', '{"prompt": "a", "completion": "b"', "x"]
)
def test_what_is_no_pair_has_no_shape(line):
    assert shape_of(line) is None
