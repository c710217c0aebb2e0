"""Laws that every API and every text format obeys, and six formats that break them and are caught.

The formats come from the registry. ``IN_FULL`` names those that obey all laws; the other APIs may
report more than they lose, and their own bodies are not yet written again as they were.
"""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych import registered
from diptych.apis.chat.request import write_request
from diptych.conversion.accounting import accounted, is_under
from diptych.conversion.registry import get
from diptych.format import Format
from diptych.loss import Loss, Severity
from diptych.model import Conversation, FrozenMap, ImagePart, Message, TextPart, ToolCall, ToolSpec, thaw
from diptych.projection import write
from diptych.request import Request
from diptych.text.turns import conversation_of, turns_of

APIS = [entry.name for entry in diptych.list_formats("api")]
TEXTS = [entry.name for entry in diptych.list_formats("text") if entry.grammar is not None]
IN_FULL = {"chat", "completions", *TEXTS}

# conversations ---------------------------------------------------------------------------------

WORDS = st.sampled_from(["Hi", "two words", "a\nb", "x: y", "{}", "é", "[1]", "<b>bold</b>"])
NATIVE = st.sampled_from([FrozenMap(), FrozenMap({"chat": {"cache_control": {"type": "ephemeral"}}})])
PARTS = st.lists(
    st.builds(TextPart, WORDS, NATIVE) | st.just(ImagePart("https://example.com/a.png", "low")), min_size=1, max_size=2
).map(tuple)
EXTRA = st.sampled_from([FrozenMap(), FrozenMap({"weight": 0})])
CALLS = st.lists(
    st.builds(ToolCall, st.sampled_from(["c1", "c2"]), WORDS, st.sampled_from(["{}", '{"a": 1}', "no json"])),
    min_size=1, max_size=2,
).map(tuple)  # fmt: skip
TURN = st.one_of(
    st.builds(Message, st.sampled_from(["user", "assistant", "developer"]), WORDS),
    st.builds(Message, st.just("user"), PARTS),
    st.builds(Message, st.just("user"), WORDS, st.just("ann"), extra=EXTRA),
    st.builds(lambda calls, why: Message("assistant", None, tool_calls=calls, reasoning=why), CALLS, WORDS | st.none()),
    st.builds(lambda text, id_: Message("tool", text, tool_call_id=id_), WORDS, st.sampled_from(["c1", "c2"])),
)
SYSTEM = st.lists(st.builds(Message, st.just("system"), WORDS), max_size=1)
TOOLS = st.sampled_from([(), (ToolSpec("look", "Looks.", FrozenMap({"type": "object"})),)])
CONVERSATION = st.builds(
    lambda system, turns, tools: Conversation((*system, *turns), tools),
    SYSTEM, st.lists(TURN, min_size=1, max_size=4), TOOLS,
)  # fmt: skip
PLAIN_TALK = st.builds(
    lambda system, turns: Conversation((*system, *turns)),
    SYSTEM,
    st.lists(WORDS, min_size=1, max_size=5).map(
        lambda texts: [Message(("user", "assistant")[i % 2], f"{i} {text}") for i, text in enumerate(texts)]
    ),
)


# laws --------------------------------------------------------------------------------------------


def chat_body(conversation):
    return write_request(Request(conversation), whole=False)


def in_chat(path):
    """Return the path of a Chat body for one of the neutral model."""
    path = re.sub(r"(\.tool_calls\[\d+\])\.(name|arguments)$", r"\1.function.\2", path)
    return re.sub(r"^(\$\.messages\[\d+\])\.reasoning\b", r"\1.reasoning_content", path)


def leaves(value, path="$"):
    """Yield path and scalar of every leaf: a text is one text part, null and empty are absent, JSON texts are JSON."""
    if path.endswith(".content") and isinstance(value, str):
        value = [{"type": "text", "text": value}]
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif path.endswith(".arguments"):
        yield path, _json(value)
    elif value not in (None, "") and (not path.endswith(".type") or value != "text"):
        yield path, value


def _json(text):
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


def through(entry, conversation):
    """Return the leaves before and after a format, and the losses between, with the paths of a Chat body."""
    output, told = entry.write(conversation)
    again = read_back(entry, output)
    if any(loss.kind == "synthesised" for loss in told) and len(again.messages) == len(conversation.messages) + 1:
        again = replace(again, messages=again.messages[1:])  # the format's own system message
    losses = [loss._replace(path=in_chat(loss.path)) for loss in told]
    return dict(leaves(chat_body(conversation))), dict(leaves(chat_body(again))), losses


def read_back(entry, output):
    """Read an output; speaker labels by their grammar alone, since what they look like is another question."""
    grammar = entry.grammar
    if grammar is None or grammar.is_certain or grammar.reader:
        return entry.read(output)[0]
    return conversation_of(output, turns_of(output, grammar), grammar)


def survival(entry, conversation):
    before, after, losses = through(entry, conversation)
    reported = [x for x in losses if x.severity > Severity.EXACT or x.kind == "by-format-rule"]
    above = [loss for loss in reported if loss.path != "$"]
    # Where messages are reported as merged or split, places move: a value has to be somewhere.
    is_moved = any(loss.kind in ("merged", "split", "role-dropped") or loss.path.endswith("]") for loss in above)
    everything = "\0".join(map(str, after.values())) if is_moved else ""
    silent = {
        path: value
        for path, value in before.items()
        if after.get(path) != value
        and not any(is_under(path, loss.path) for loss in above)
        and not (is_moved and (path.endswith(".role") or str(value) in everything))
    }
    assert not silent, (silent, losses)


def no_overbooking(entry, conversation):
    before, after, losses = through(entry, conversation)
    for loss in losses:
        covered = [path for path in before if is_under(path, loss.path)]
        is_lie = loss.severity is Severity.DROPPED and covered and all(after.get(p) == before[p] for p in covered)
        is_all = loss.path == "$" and Severity.EXACT < loss.severity < Severity.REFUSED
        assert not is_lie, loss
        assert not is_all, loss


def order(entry, conversation):
    numbered = [m.with_text(f"text {i}") for i, m in enumerate(conversation.messages) if m.role in ("user", "assistant")]
    plain = Conversation(tuple(Message(m.role, m.text) for m in numbered))
    output, losses = entry.write(plain)
    shown = json.dumps(output)
    found = [shown.find(message.text) for message in plain.messages]
    assert found == sorted(found), losses


def openness(entry, conversation):
    last = Message("assistant", "It is")
    for before in (conversation.messages, (Message("user", "x"),)):
        output, _ = entry.write(Conversation((*before, last), cue="continue"))
        again = entry.read(output)[0].messages[-1]
        assert (again.role, again.text) == ("assistant", "It is")


def links(entry, conversation):
    call = ToolCall("call_7", "look", "{}")
    asked = (Message("user", "x"), Message("assistant", None, tool_calls=(call,)))
    linked = Conversation((*asked, Message("tool", "seen", tool_call_id="call_7")))
    output, losses = entry.write(linked)
    again = entry.read(output)[0].messages
    calls = [(call.id, at) for at, message in enumerate(again) for call in message.tool_calls]
    results = [(message.tool_call_id, at - 1) for at, message in enumerate(again) if message.role == "tool"]
    assert calls == results == [("call_7", 1)] or any(loss.kind == "tool-calls-dropped" for loss in losses)


def editing(entry, conversation):
    for talk in (conversation, entry.read(entry.write(conversation)[0])[0]):
        turns = [at for at, message in enumerate(talk.messages) if message.role in ("user", "assistant") and message.text]
        for at in turns[:1] + turns[-1:]:
            changed = (*talk.messages[:at], talk.messages[at].with_text("an edited text"), *talk.messages[at + 1 :])
            again = entry.read(entry.write(replace(talk, messages=changed))[0])[0]
            assert again.messages[at].text == "an edited text"
            fewer = entry.write(replace(talk, messages=(*changed[:at], *changed[at + 1 :])))[0]
            assert "an edited text" not in json.dumps(fewer)
        for edit in EDITS:
            output, losses = entry.write(replace(talk, messages=tuple(map(edit, talk.messages))))
            is_told = any(loss.severity is Severity.DROPPED and loss.path != "$" for loss in losses)
            is_same = talk.messages == tuple(map(edit, talk.messages))
            assert is_told or is_same or "renamed" in json.dumps(output)


#: Neutral changes that every body has to show: another name of a speaker, of a tool.
EDITS = (
    lambda m: m.replace(name="renamed") if m.name else m,
    lambda m: m.replace(parts=tuple(replace(p, name="renamed") if isinstance(p, ToolCall) else p for p in m.parts)),
)


def identity(entry, conversation):
    value = {"talk": write(conversation)} if entry.name == "liar" else entry.write(conversation)[0]
    read, lost = entry.read(value)
    assert (*entry.write(read), lost) == (value, (), ())


LAWS = {law.__name__: law for law in (identity, survival, no_overbooking, order, openness, links, editing)}
#: What the laws of APIs ask that a text cannot do: it joins and trims, and says so. Survival stands for it.
OF_APIS = ("openness", "editing", "links")


@pytest.mark.parametrize("name", [*APIS, *TEXTS])
@given(CONVERSATION)
def test_what_goes_in_comes_out_or_is_a_loss(name, conversation):
    survival(get(name), conversation)


@pytest.mark.parametrize("name", sorted(IN_FULL))
@given(CONVERSATION)
def test_no_loss_names_what_stands_in_its_place(name, conversation):
    no_overbooking(get(name), conversation)


@pytest.mark.parametrize("name", [*APIS, *TEXTS])
@given(PLAIN_TALK)
def test_order(name, conversation):
    order(get(name), conversation)


@pytest.mark.parametrize("law", ["openness", "editing"])
@pytest.mark.parametrize("name", APIS)
@given(PLAIN_TALK)
def test_what_is_open_stays_open_and_an_edit_shows(name, law, conversation):
    LAWS[law](get(name), conversation)


@pytest.mark.parametrize("name", APIS)
def test_links_of_calls_and_results(name):
    links(get(name), Conversation())


# its own format ------------------------------------------------------------------------------------

UNKNOWN = st.dictionaries(st.sampled_from(["x", "cache_control", "weight", "index"]), st.just({"a": 1}), max_size=1)
WIRE_CALL = st.builds(
    lambda extra, inner: {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}", **inner}, **extra},
    UNKNOWN, UNKNOWN,
) | st.just({"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}})  # fmt: skip
WIRE_PART = st.builds(lambda text, extra: {"type": "text", "text": text, **extra}, WORDS, UNKNOWN) | st.sampled_from(
    [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, {"type": "fnord", "fnord": {"x": 1}}]
)
WIRE_MESSAGE = st.one_of(
    st.builds(lambda content, extra: {"role": "user", "content": content, **extra},
              WORDS | st.lists(WIRE_PART, min_size=1, max_size=3), UNKNOWN),
    st.builds(lambda calls, extra: {"role": "assistant", "content": None, "tool_calls": calls, **extra},
              st.lists(WIRE_CALL, min_size=1, max_size=2), UNKNOWN),
    st.builds(lambda text: {"role": "assistant", "content": text, "reasoning_content": "hm", "refusal": "no"}, WORDS),
    st.builds(lambda text: {"role": "tool", "tool_call_id": "c1", "content": text}, WORDS),
)  # fmt: skip


@given(st.lists(WIRE_MESSAGE, max_size=4))
def test_chat_is_read_and_written_as_it_was(messages):
    conversation, losses = get("chat").read(messages)
    assert not losses
    assert get("chat").write(conversation) == (messages, ())
    assert write(conversation) == messages


@pytest.mark.parametrize("name", APIS)
@given(CONVERSATION)
def test_its_own_format_is_the_identity(name, conversation):
    body = get(name).write(conversation)[0]
    body = body if isinstance(body, dict) else {"messages": body}
    body |= {"model": "m", "fnord": {"x": [1, None, ""]}}
    found = diptych.convert(body, source=name, target=name, on_loss="ignore")
    assert found.output == body
    assert {loss.kind for loss in found.losses} <= {"rule-breach"}
    assert found.output is not body


# six formats that lie --------------------------------------------------------------------------------

CHAT = get("chat")


def liar(wrong=lambda talk: talk, losses=(), keep=lambda message: message, wrote=lambda message, wire: wire):
    def write_it(conversation):
        return {"talk": wrong([wrote(m, wire) for m, wire in zip(conversation.messages, write(conversation), strict=True)])}, losses

    def read_it(value):
        conversation = CHAT.read(value["talk"])[0]
        return replace(conversation, messages=tuple(map(keep, conversation.messages))), ()

    return Format("liar", "api", "the messages under talk", read_it, write_it)


def raw(message):
    return message.replace(native=FrozenMap({"liar": {"raw": write(Conversation((message,)))[0]}}))


def swapped(talk):
    if len(talk) > 1:
        talk[0]["content"], talk[1]["content"] = talk[1]["content"], talk[0]["content"]
    return talk


def without(*names):
    return lambda talk: [{k: v for k, v in m.items() if k not in names} for m in talk]


#: Each with every law that it breaks; the others do not concern it.
LIARS = {
    "drops a name": (liar(without("name")), "identity survival editing"),
    "ignores edits": (liar(keep=raw, wrote=lambda m, wire: thaw(m.native["liar"]["raw"]) if "liar" in m.native else wire), "editing"),
    "swaps two contents": (liar(swapped), "identity survival order openness editing"),
    "books everything at $": (
        liar(without("name", "tool_calls"), (Loss("$", "field-dropped"),)),
        "identity survival no_overbooking links editing",
    ),
    "books what it carried": (liar(losses=(Loss("$.messages[0].content", "text-dropped"),)), "identity no_overbooking"),
    "reorders": (liar(lambda talk: talk[::-1]), "identity survival order openness links editing"),
}
SEEN = Conversation((
    Message("user", "Hi", "ann"), Message("assistant", None, tool_calls=(ToolCall("c1", "look"),)),
    Message("tool", "seen", tool_call_id="c1"), Message("assistant", "Ho"), Message("user", "Bye"),
))  # fmt: skip


@pytest.mark.parametrize(("entry", "broken"), LIARS.values(), ids=LIARS)
def test_a_format_that_lies_breaks_every_law_that_concerns_it(entry, broken):
    assert {name for name in LAWS if breaks(name, entry)} == set(broken.split())


def breaks(law, entry):
    try:
        LAWS[law](entry, SEEN)
    except AssertionError:
        return True
    return False


def test_an_honest_format_breaks_none():
    for law in LAWS.values():
        law(liar(), SEEN)
        law(accounted(liar()), SEEN)


@pytest.mark.parametrize("lie", ["drops a name", "swaps two contents", "books everything at $", "reorders"])
def test_the_engine_reports_what_a_format_does_not(lie, monkeypatch):
    monkeypatch.setattr(registered, "given", [])
    diptych.register(LIARS[lie][0])
    survival(get("liar"), SEEN)
    with pytest.raises(diptych.LossError):
        diptych.convert(SEEN, target="liar", on_loss="raise")
    assert diptych.convert(SEEN, target="liar", on_loss="ignore").verdict == "lossy"


def test_the_engine_reports_what_a_reader_leaves_out(monkeypatch):
    def read_it(value):
        return CHAT.read([{**m, "content": "all the same"} for m in value["talk"]])

    monkeypatch.setattr(registered, "given", [])
    diptych.register(replace(liar(), read=read_it))
    found = diptych.convert({"talk": [{"role": "user", "content": "x"}], "seed": 7}, source="liar", on_loss="ignore")
    assert [(loss.path, loss.kind) for loss in found.losses] == [
        ("$.talk[0].content", "substituted"), ("$.seed", "field-dropped"),
    ]  # fmt: skip
