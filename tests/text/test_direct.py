"""Plain turns that are written and read directly are what the careful ways make of them."""

from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.errors import FormatError
from diptych.loss import Severity
from diptych.model import ROLES, Conversation, FrozenMap, Message, Segment, TextPart, ToolCall, ToolSpec
from diptych.text import heads, marks, reading, rivals, turns, writing
from diptych.text.direct import frames_of
from diptych.text.reading import read_text
from diptych.text.registry import grammars
from diptych.text.scan import UNSURE, cutter_of, scan
from diptych.text.turns import messages_of
from diptych.text.writing import write_text

DIRECT = [name for name, grammar in grammars().items() if frames_of(grammar)]
SCANNED = [name for name, grammar in grammars().items() if cutter_of(grammar)]
#: Laws over all of them.
FEW = max(6, settings.default.max_examples // 8)
#: Laws over those written directly.
SEVERAL = settings.default.max_examples // 3
#: Each of these, and, for None, any of all.
SOME = [*SCANNED, None]


@contextmanager
def careful():
    """Switch every short cut off."""
    with ExitStack() as stack:
        for module, name in ((writing, "write_plain"), (writing, "turns_alone"), (marks, "_are_own")):
            stack.enter_context(patch.object(module, name, lambda *_, **__: None))
        for module in (reading, rivals, turns):
            stack.enter_context(patch.object(module, "scan", lambda *_: UNSURE))
        for name in ("reads_alike", "_is_read_alike"):
            stack.enter_context(patch.object(rivals, name, lambda *_, **__: False))
        stack.enter_context(patch.object(rivals, "head_of", lambda *_: heads.Head()))
        yield


def carefully(call, *args, **options):
    with careful():
        return call(*args, **options)


def fragments(grammar):
    """Return whole marks of a grammar, and every piece of one that could join with what stands around it."""
    turns = [*grammar.turns.values(), grammar.system_turn]
    marks = {mark for turn in turns for mark in (turn.open, turn.close, *turn.also_closes)}
    marks |= {grammar.bos, grammar.cue, grammar.default_system or "", grammar.system_prefix, *grammar.markers}
    cut = {piece for mark in marks for at in range(1, len(mark)) for piece in (mark[:at], mark[at:])}
    return sorted(marks), sorted({*cut, "x"})


def contents(grammar):
    marks, cut = fragments(grammar)
    plain = st.sampled_from(["", "Hi", " ", "\n", "a\n\nb", "User: x", "\0", "é", "\ue000", "<", "|", ">", "[", "]"])
    pieces = st.one_of(plain, plain, st.sampled_from(cut), st.sampled_from(cut), st.sampled_from(marks))
    return st.lists(pieces, max_size=4).map("".join)


def conversations(grammar):
    roles = st.sampled_from([*grammar.turns] * 3 + [*ROLES])
    return st.lists(st.builds(Message, roles, contents(grammar)), max_size=5).map(lambda m: Conversation(tuple(m)))


def test_formats_of_special_tokens_are_written_directly():
    assert {"chatml", "chatml-qwen", "phi4", "llama3", "gemma", "gemma4", "phi3", "zephyr", "command-r"} <= set(DIRECT)
    assert not {"plain", "transcript", "claude", "harmony", "few-shot", "vicuna"} & set(DIRECT)


@pytest.mark.parametrize("name", DIRECT)
@settings(max_examples=SEVERAL)
@given(data=st.data())
def test_the_direct_way_is_the_careful_way(name, data):
    conversation = data.draw(conversations(grammars()[name]))
    options = {
        "add_generation_prompt": data.draw(st.booleans()),
        "bos": data.draw(st.sampled_from([None, True, False])),
    }
    assert write_text(conversation, name, **options) == carefully(write_text, conversation, name, **options)


@pytest.mark.parametrize("name", DIRECT)
@settings(max_examples=SEVERAL)
@given(data=st.data())
def test_what_holds_no_mark_reads_back_as_it_was(name, data):
    grammar = grammars()[name]
    conversation = data.draw(conversations(grammar))
    if writing.write_plain(grammar, conversation.messages, None) is None:
        return
    writings = [write_text(conversation, name, add_generation_prompt=cue, bos=bos) for cue in (0, 1) for bos in (0, 1)]
    for written in writings:
        assert carefully(messages_of, written.text, grammar) == [(m.role, m.text) for m in conversation.messages]
        assert "".join(written.text[span.start : span.end] for span in written.spans) == written.text


@pytest.mark.parametrize("name", DIRECT)
@settings(max_examples=SEVERAL)
@given(data=st.data())
def test_authors_are_those_of_the_careful_way(name, data):
    grammar = grammars()[name]
    segments = st.builds(
        Segment, contents(grammar), st.sampled_from(["template", "data"]), st.sampled_from([None, "a"])
    )
    provenance = data.draw(st.lists(st.lists(segments, max_size=3), max_size=3))
    messages = tuple(Message("user", "".join(s.text for s in one)) for one in provenance)
    options = {"provenance": provenance, "guard": data.draw(st.sampled_from(["off", "escape"]))}
    assert write_text(Conversation(messages), name, **options) == carefully(
        write_text, Conversation(messages), name, **options
    )


@pytest.mark.parametrize(
    "conversation",
    [
        Conversation((Message("user", "Hi", name="ann"),)),
        Conversation((Message("tool", "Hi", tool_call_id="c1"),)),
        Conversation((Message("user", (TextPart("Hi"),)),)),
        Conversation((Message("assistant", None),)),
        Conversation((Message("assistant", "Hi", tool_calls=(ToolCall("c1", "f"),)),)),
        Conversation((Message("assistant", "Hi", reasoning="why"),)),
        Conversation((Message("user", "Hi", extra=FrozenMap({"x": 1})),)),
        Conversation((Message("user", "Hi"),), tools=(ToolSpec("f"),)),
        Conversation(()),
    ],
)
def test_what_is_more_than_turns_keeps_its_losses(conversation):
    for name in grammars():
        assert write_text(conversation, name) == carefully(write_text, conversation, name)


# reading ------------------------------------------------------------------------------------


def texts(grammar):
    """Return texts of turns with other things among them: stray marks, pieces of marks, cues, no closes."""
    turns = list(grammar.turns.items())
    whole = st.builds(lambda turn, text: turn[1].open + text + turn[1].close, st.sampled_from(turns), contents(grammar))
    clean = st.builds(lambda turn, text: turn[1].open + text + turn[1].close, st.sampled_from(turns), st.text("ab \n"))
    begun = st.sampled_from([grammar.cue, *(turn.open for _, turn in turns)])
    pieces = st.lists(st.one_of(clean, clean, clean, whole, begun, contents(grammar)), max_size=4).map("".join)
    ends = st.sampled_from([grammar.cue, "", "\n"])
    return st.builds("{}{}{}".format, st.sampled_from(["", "", grammar.bos]), pieces, ends)


@pytest.mark.parametrize("name", SOME)
@settings(max_examples=FEW)
@given(data=st.data())
def test_reading_directly_is_reading_carefully(name, data):
    name = name or data.draw(st.sampled_from(sorted(grammars())))
    text = data.draw(texts(grammars()[name]))
    assert read_text(text, name) == carefully(read_text, text, name)


@pytest.mark.parametrize("name", SOME)
@settings(max_examples=FEW)
@given(data=st.data())
def test_detection_leaves_out_what_changes_nothing(name, data):
    name = name or data.draw(st.sampled_from(sorted(grammars())))
    text = data.draw(texts(grammars()[name]))
    found, wanted = outcome(read_text, text), outcome(carefully, read_text, text)
    if found == wanted or isinstance(wanted, str):
        return  # a fill-in-the-middle prompt
    # What the short cuts leave out reads with a loss, or with marks in its contents.
    if wanted.verdict == "lossless":
        assert (found.verdict, found.messages) == ("lossless", wanted.messages)
    if found.verdict == "lossless":
        explained = [one for one in (wanted, *wanted.alternatives) if one.messages == found.messages]
        assert explained
        assert not any(loss.severity > Severity.EXACT for loss in explained[0].losses)
    else:
        assert wanted.verdict != "lossless"


@pytest.mark.parametrize("name", SOME)
@settings(max_examples=FEW)
@given(data=st.data())
def test_the_beginning_of_a_long_text_says_nothing_wrong(name, data):
    """Windows of a few characters, on texts that are cut anywhere: what they leave out would not be the reading."""
    name = name or data.draw(st.sampled_from(SCANNED))
    text = data.draw(texts(grammars()[name])) + data.draw(texts(grammars()[name]))
    with patch.multiple(heads, _WINDOW=data.draw(st.integers(4, 120)), _LONG=0):
        found = outcome(read_text, text)
    with patch.object(rivals, "head_of", lambda *_: heads.Head()):
        wanted = outcome(read_text, text)
    if isinstance(wanted, str):
        assert found == wanted
    elif "lossless" in (found.verdict, wanted.verdict):
        assert (found.verdict, found.messages) == (wanted.verdict, wanted.messages)
    else:
        assert found.messages in [one.messages for one in (wanted, *wanted.alternatives)] or wanted.losses


def outcome(call, *args):
    try:
        return call(*args)
    except FormatError as error:  # a fill-in-the-middle prompt
        return str(error)


@pytest.mark.parametrize("name", SCANNED)
@settings(max_examples=FEW)
@given(data=st.data())
def test_what_a_scan_calls_broken_reads_with_a_loss(name, data):
    grammar = grammars()[name]
    text = data.draw(texts(grammar))
    if scan(grammar, text).state == "broken":
        reading = carefully(read_text, text, name)
        assert reading.losses or reading.verdict == "ambiguous"


@pytest.mark.parametrize("name", SCANNED)
def test_what_is_written_is_read_by_a_scan(name):
    grammar = grammars()[name]
    roles = [role for role in ("system", "user", "assistant", "user") if role in grammar.turns]
    written = write_text(Conversation(tuple(Message(role, "Hi") for role in roles)), name)
    found = scan(grammar, written.text)
    assert (found.state, found.cue) == ("plain", "reply")
    assert found.roles[-len(roles) :] == roles
    assert found.texts[-len(roles) :] == ["Hi"] * len(roles)


@pytest.mark.parametrize("name", SOME)
@settings(max_examples=FEW)
@given(data=st.data())
def test_marks_of_the_formats_own_are_not_unknown(name, data):
    name = name or data.draw(st.sampled_from(sorted(grammars())))
    text = data.draw(st.lists(contents(grammars()[name]), max_size=3).map("".join))
    text += data.draw(
        st.sampled_from(["", "<|eot|>", "[INST]", "<s>", "]~b]", "<bos>", "<user>:", "a < b", "[|user|]"])
    )
    assert marks.unknown_marks(text, name) == carefully(marks.unknown_marks, text, name)
