"""Tool calls in texts: what is written reads back, and equals what mistral-common writes."""

import json
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diptych
from diptych import Severity
from diptych.model import Conversation, FrozenMap, Message, ToolSpec
from diptych.projection import write
from diptych.text.reading import read_text
from diptych.text.registry import grammars
from diptych.text.writing import write_text

WITH_CALLS = sorted(name for name, grammar in grammars().items() if grammar.calls)
WITH_RESULTS = sorted(name for name in WITH_CALLS if grammars()[name].calls.result)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", min_size=1, max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(st.text("abc_", min_size=1, max_size=4), VALUES, max_size=3)
TEXTS = st.text(max_size=12) | st.sampled_from(["", "22", '"x"', "{}", "<tool_call>", "\n", "}", "[TOOL_CALLS]["])


def call(index, name, arguments):
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"id": f"call_{index}", "type": "function", "function": function}


@st.composite
def talks(draw):
    """Return messages with calls, each answered, in a row."""
    messages, count = [{"role": "user", "content": "Q"}], 0
    for _ in range(draw(st.integers(1, 2))):
        made = [
            call(count + i, draw(st.sampled_from(["f", "get_x", "a.b"])), draw(ARGUMENTS))
            for i in range(draw(st.integers(1, 2)))
        ]
        count += len(made)
        messages.append({"role": "assistant", "content": draw(TEXTS) or None, "tool_calls": made})
        messages += [{"role": "tool", "content": draw(TEXTS), "tool_call_id": one["id"]} for one in made]
        if draw(st.booleans()):
            messages += [{"role": "assistant", "content": draw(TEXTS)}, {"role": "user", "content": draw(TEXTS)}]
    return messages


def shown(messages):
    """Return messages with the values of their arguments, the ids of calls by number."""
    numbers = {}
    rows = []
    for m in messages:
        calls = [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in m.get("tool_calls", ())]
        for c in m.get("tool_calls", ()):
            numbers[c["id"]] = len(numbers)
        rows.append((m["role"], m["content"] or "", calls, numbers.get(m.get("tool_call_id"))))
    return rows


@pytest.mark.parametrize("name", WITH_RESULTS)
@settings(max_examples=settings.default.max_examples // 2)
@given(messages=talks())
def test_calls_without_a_loss_come_back(name, messages):
    written = diptych.to_prompt(messages, format=name)
    if any(
        loss.severity > Severity.EXACT and not loss.path.endswith((".id", ".tool_call_id")) for loss in written.losses
    ):
        return
    found = diptych.to_messages(written.text, format=name).messages
    found = found[1:] if found and found[0]["role"] == "system" else found
    assert shown(found) == shown(messages), written.text


@pytest.mark.parametrize("name", WITH_CALLS)
def test_plain_calls_lose_nothing(name):
    messages = [
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": None, "tool_calls": [call(0, "f", {"a": 1, "b": "x"}), call(1, "g", {})]},
        {"role": "tool", "content": "sunny", "tool_call_id": "call_0"},
        {"role": "tool", "content": "22", "tool_call_id": "call_1"},
    ]
    messages = messages if name in WITH_RESULTS else messages[:2]
    written = diptych.to_prompt(messages, format=name)
    kept = [loss for loss in written.losses if loss.severity > Severity.EXACT and loss.kind != "substituted"]
    assert not kept
    reading = diptych.to_messages(written.text, format=name)
    assert shown(reading.messages)[-len(messages) :] == shown(messages)
    assert reading.verdict == "lossless"


def test_broken_calls_stay_text():
    for text in (
        '<tool_call>\n{"name": "f", "arguments": {"a": \n</tool_call>',
        "<tool_call>\nx\n</tool_call> and more",
    ):
        prompt = f"<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n{text}<|im_end|>\n"
        assert diptych.to_messages(prompt, format="chatml-qwen").messages[-1] == {"role": "assistant", "content": text}


def test_mistral_common_writes_the_same():
    pytest.importorskip("mistral_common")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mistral_common.protocol.instruct.request import ChatCompletionRequest
        from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

        tokenizer = MistralTokenizer.v3(is_tekken=True)
        ask = {"role": "user", "content": "Q"}
        calls = [call(0, "f", {"a": 1}), call(1, "g", {})]
        for one, id_ in zip(calls, ("abcdef000", "abcdef001"), strict=True):
            one["id"] = id_
        results = [
            {"role": "tool", "content": text, "tool_call_id": one["id"]}
            for text, one in zip(("22", "it is"), calls, strict=True)
        ]
        for messages in (
            [ask],
            [{"role": "system", "content": "S"}, ask],
            [
                ask,
                {"role": "assistant", "content": "A"},
                {"role": "user", "content": "a"},
                {"role": "user", "content": "b"},
            ],
            [ask, {"role": "assistant", "content": None, "tool_calls": calls}, *results],
            [
                ask,
                {"role": "assistant", "content": None, "tool_calls": calls},
                *results,
                {"role": "assistant", "content": "A"},
                ask,
            ],
        ):
            theirs = tokenizer.encode_chat_completion(ChatCompletionRequest(messages=messages)).text
            assert "<s>" + diptych.to_prompt(messages, format="mistral-tekken").text == theirs


def test_mistral_common_declares_the_same_tools():
    pytest.importorskip("mistral_common")
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}}
    tools = [
        {"type": "function", "function": {"name": name, "description": "D é", "parameters": parameters}}
        for name in "fg"
    ]
    talk = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}, {"role": "user", "content": "R"}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mistral_common.protocol.instruct.request import ChatCompletionRequest
        from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

        asked = ChatCompletionRequest(messages=talk, tools=tools)
        theirs = MistralTokenizer.v3(is_tekken=True).encode_chat_completion(asked).text
    specs = tuple(ToolSpec(name, "D é", FrozenMap(parameters)) for name in "fg")
    conversation = Conversation(tuple(Message(m["role"], m["content"]) for m in talk), specs)
    assert "<s>" + write_text(conversation, "mistral-tekken").text == theirs
    reading = read_text(theirs, "mistral-tekken")
    assert (reading.verdict, reading.conversation.tools, reading.messages) == ("lossless", specs, talk)


# declarations of tools ------------------------------------------------------------------------

DECLARING = [name for name, grammar in grammars().items() if grammar.declares]
schemas = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(TEXTS, st.just({"type": "string"}))}
)
specs = st.builds(
    ToolSpec, st.sampled_from(["f", "get.it", "a-b"]), st.none() | TEXTS, st.none() | schemas.map(FrozenMap), st.none() | st.booleans()
)  # fmt: skip


@pytest.mark.parametrize("name", DECLARING)
@settings(max_examples=settings.default.max_examples // 5)
@given(tools=st.lists(specs, min_size=1, max_size=3), system=st.none() | TEXTS)
def test_declared_tools_come_back(name, tools, system):
    messages = [] if system is None else [Message("system", system)]
    conversation = Conversation((*messages, Message("user", "Q")), tuple(tools))
    written = write_text(conversation, name)
    reading = read_text(written.text, name)
    told = {loss.kind for loss in written.losses}
    assert reading.conversation.tools == conversation.tools or "tools-dropped" in told
    assert "tools-dropped" not in told or any(mark in str(tools) for mark in ("[", "<"))
    if not told:
        assert reading.messages == write(conversation)
        assert reading.verdict == "lossless" or reading.detail


@pytest.mark.parametrize("name", DECLARING)
def test_what_is_no_tool_stays_text(name):
    declares = grammars()[name].declares
    for inner in ("", "{", '{"name": 1}', '{"name": "f", "more": 1}', "[]"):
        text = declares.before + declares.open + inner + declares.close + declares.after
        assert declares.apart(text) == (text, ())
        assert declares.cut(text, "") == (text, ())


@pytest.mark.parametrize("name", DECLARING)
def test_hostile_declarations_stay_text(name):
    """Openings without end, many of them: parsed in one walk, and no tool."""
    declares = grammars()[name].declares
    openings = ("\n<parameter>\n<name>", "\n<a>", "\n</parameters>", "\n</function>", "</description>\n<parameters>", '{"a":')
    for unit in openings:
        began = declares.before + declares.open + "<function>\n<name>f</name>\n<description>"
        text = began + unit * (40_000 // len(unit)) + declares.after
        assert declares.apart(text) == (text, ()) == declares.cut(text, "")
