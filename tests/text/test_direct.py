"""Plain turns that are written directly are what the careful way writes, and read back as they were."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.conversion.registry import grammars
from diptych.model import ROLES, Conversation, FrozenMap, Message, Segment, TextPart, ToolCall, ToolSpec
from diptych.text import writing
from diptych.text.direct import frames_of
from diptych.text.reading import messages_of
from diptych.text.writing import write_text

DIRECT = [name for name, grammar in grammars().items() if frames_of(grammar)]


def carefully(*args, **options):
    with patch.object(writing, "write_plain", lambda *_: None):
        return write_text(*args, **options)


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
@given(data=st.data())
def test_the_direct_way_is_the_careful_way(name, data):
    conversation = data.draw(conversations(grammars()[name]))
    options = {"add_generation_prompt": data.draw(st.booleans()), "bos": data.draw(st.sampled_from([None, True, False]))}
    assert write_text(conversation, name, **options) == carefully(conversation, name, **options)


@pytest.mark.parametrize("name", DIRECT)
@given(data=st.data())
def test_what_holds_no_mark_reads_back_as_it_was(name, data):
    grammar = grammars()[name]
    conversation = data.draw(conversations(grammar))
    if writing.write_plain(grammar, conversation.messages, None) is None:
        return
    writings = [write_text(conversation, name, add_generation_prompt=cue, bos=bos) for cue in (0, 1) for bos in (0, 1)]
    for written in writings:
        assert messages_of(written.text, grammar) == [(m.role, m.text) for m in conversation.messages]
        assert "".join(written.text[span.start : span.end] for span in written.spans) == written.text


@pytest.mark.parametrize("name", DIRECT)
@given(data=st.data())
def test_authors_are_those_of_the_careful_way(name, data):
    grammar = grammars()[name]
    segments = st.builds(Segment, contents(grammar), st.sampled_from(["template", "data"]), st.sampled_from([None, "a"]))
    provenance = data.draw(st.lists(st.lists(segments, max_size=3), max_size=3))
    messages = tuple(Message("user", "".join(s.text for s in one)) for one in provenance)
    options = {"provenance": provenance, "guard": data.draw(st.sampled_from(["off", "escape"]))}
    written, careful = (way(Conversation(messages), name, **options) for way in (write_text, carefully))
    assert (written, written.spans) == (careful, careful.spans)


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
        assert write_text(conversation, name) == carefully(conversation, name)
