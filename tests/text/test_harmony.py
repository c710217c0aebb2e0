"""Harmony against OpenAI's own renderer and parser (openai-harmony), with the vocabulary of the packed ranks."""

import base64
import os
import random

import pytest

from diptych.encodings.recipes import RECIPES, read_packed
from diptych.model import Conversation, FrozenMap, Message, ToolCall, ToolSpec
from diptych.text.reading import read_text
from diptych.text.writing import write_text

harmony = pytest.importorskip("openai_harmony")
WORDS = ["Hi", " there", "\n", "é", "日本", "{", "# Tools", "a  b", "\t", "<b>", "User:", "0"]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """Return openai-harmony's encoding, read from a folder: it would fetch the file over the network."""
    recipe = RECIPES["o200k_base"]
    folder = tmp_path_factory.mktemp("ranks")
    ranks = sorted(read_packed(recipe.file, recipe.ranks).items(), key=lambda item: item[1])
    lines = (b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks)
    (folder / "o200k_base.tiktoken").write_bytes(b"".join(lines))
    before = os.environ.get("TIKTOKEN_ENCODINGS_BASE")
    os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(folder)
    try:
        return harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)
    except harmony.HarmonyError as error:
        pytest.skip(f"openai-harmony does not take the packed vocabulary: {error}")
    finally:
        os.environ.pop("TIKTOKEN_ENCODINGS_BASE")
        if before is not None:
            os.environ["TIKTOKEN_ENCODINGS_BASE"] = before


def text_of(chance):
    return "".join(chance.choices(WORDS, k=chance.randint(1, 6)))


def conversation_of(chance):
    """Return a conversation and the same as openai-harmony's messages."""
    ours, theirs, calls = [], [], 0
    make, role = harmony.Message.from_role_and_content, harmony.Role
    if chance.random() < 0.5:
        text = text_of(chance)
        ours.append(Message("system", text))
        theirs.append(make(role.DEVELOPER, harmony.DeveloperContent.new().with_instructions(text)))
    for _ in range(chance.randint(1, 4)):
        text = text_of(chance)
        ours.append(Message("user", text))
        theirs.append(make(role.USER, text))
        for _ in range(chance.randint(0, 2)):
            text, result, why = text_of(chance), text_of(chance), chance.choice([None, text_of(chance)])
            call = ToolCall(f"call_{calls}", "f", f'{{"n": {calls}}}')
            calls += 1
            said = chance.choice([None, text])
            ours += [
                Message("assistant", said, tool_calls=(call,), reasoning=why),
                Message("tool", result, tool_call_id=call.id),
            ]
            if why is not None:
                theirs.append(make(role.ASSISTANT, why).with_channel("analysis"))
            if said is not None:
                theirs.append(make(role.ASSISTANT, said).with_channel("commentary"))
            asked = make(role.ASSISTANT, call.arguments).with_channel("commentary")
            theirs.append(asked.with_recipient("functions.f").with_content_type("<|constrain|> json"))
            author = harmony.Author.new(role.TOOL, "functions.f")
            answer = harmony.Message.from_author_and_content(author, result)
            theirs.append(answer.with_channel("commentary").with_recipient("assistant"))
        if chance.random() < 0.7:
            text, why = text_of(chance), chance.choice([None, text_of(chance)])
            ours.append(Message("assistant", text, reasoning=why))
            if why is not None:
                theirs.append(make(role.ASSISTANT, why).with_channel("analysis"))
            theirs.append(make(role.ASSISTANT, text).with_channel("final"))
    return Conversation(tuple(ours)), harmony.Conversation.from_messages(theirs)


def test_a_thousand_conversations_are_written_as_openai_writes_them(oracle):
    chance = random.Random(5)
    for number in range(1000):
        ours, theirs = conversation_of(chance)
        keeps = number % 2 == 1
        config = harmony.RenderConversationConfig(auto_drop_analysis=not keeps)
        ids = oracle.render_conversation_for_completion(theirs, harmony.Role.ASSISTANT, config=config)
        written = write_text(ours, "harmony", keep_reasoning=keeps)
        assert written.text == oracle.decode_utf8(ids), ours
        assert {loss.kind for loss in written.losses} <= {"renamed", "by-format-rule"}
        kept = write_text(ours, "harmony", keep_reasoning=True).text
        read = read_text(kept, "harmony").conversation.messages
        assert read == ours.messages


@pytest.mark.parametrize(
    "reply", ["<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>"]
)
def test_a_completion_begins_behind_the_generation_prompt(oracle, reply):
    theirs = oracle.parse_messages_from_completion_tokens(
        oracle.encode(reply, allowed_special="all"), harmony.Role.ASSISTANT
    )
    (ours,) = read_text(reply, "harmony").conversation.messages
    assert [part.text for message in theirs for part in message.content] == [ours.reasoning, ours.text]


@pytest.mark.parametrize(
    "header",
    [
        "assistant to=functions.sum<|channel|>commentary <|constrain|> json",
        "assistant to=functions.sum<|channel|>commentary <|constrain|>json",
        "assistant to=functions.sum<|channel|>commentary json",
        "assistant<|channel|>commentary to=functions.sum <|constrain|>json",
        "assistant<|channel|>commentary to=functions.sum",
    ],
)
def test_a_recipient_stands_in_the_role_or_in_the_channel(header):
    text = f'<|start|>user<|message|>add<|end|><|start|>{header}<|message|>{{"a": 1}}<|call|>'
    messages = read_text(text, "harmony").messages
    assert [m["role"] for m in messages] == ["user", "assistant"]
    assert messages[1]["tool_calls"][0]["function"] == {"name": "sum", "arguments": '{"a": 1}'}


# tools --------------------------------------------------------------------------------------

NOTES = ["The city", "it is é", "a  b", "x: y", "日本"]


def schema_of(chance, depth=0):
    """Return a schema of what TypeScript can say, and of what it cannot."""
    kinds = ["string", "number", "integer", "boolean", "array", "enum", "union", "any", *(["object"] if depth < 2 else [])]
    kind = chance.choice(kinds)
    made = {"type": kind}
    if kind == "array":
        made = {"type": "array"} | ({"items": schema_of(chance, depth + 1)} if chance.random() < 0.8 else {})
    elif kind == "enum":
        made = {"type": "string", "enum": chance.sample(["a", "b c", "d-e"], chance.randint(1, 3))}
    elif kind == "union":
        made = {"type": [chance.choice(["string", "number"]), "null"]}
    elif kind == "any":
        made = {}
    elif kind == "object":
        made = object_of(chance, depth + 1)
    if chance.random() < 0.4:
        made["description"] = chance.choice(NOTES)
    if kind in ("string", "number", "boolean", "enum") and chance.random() < 0.4:
        made["default"] = {"string": "x y", "number": 1.5, "boolean": True, "enum": "a"}[kind]
    return made


def object_of(chance, depth=0):
    names = chance.sample(["a", "b", "c_d", "e2"], chance.randint(0, 3))
    required = [name for name in names if chance.random() < 0.5]
    made = {"type": "object", "properties": {name: schema_of(chance, depth) for name in names}}
    return made | ({"required": required} if required else {})


def tools_of(chance):
    parameters = [object_of(chance) if chance.random() < 0.8 else None for _ in range(chance.randint(1, 3))]
    return [(f"tool_{n}", chance.choice([*NOTES, "two\nlines"]), one) for n, one in enumerate(parameters)]


@pytest.mark.parametrize("seed", range(10))
def test_tools_are_declared_as_openai_declares_them(oracle, seed):
    chance = random.Random(f"tools {seed}")
    same = 0
    for _ in range(10):
        tools, text = tools_of(chance), chance.choice([None, text_of(chance)])
        described = [harmony.ToolDescription.new(name, note, parameters=schema) for name, note, schema in tools]
        content = harmony.DeveloperContent.new().with_function_tools(described)
        content = content if text is None else content.with_instructions(text)
        theirs = [
            harmony.Message.from_role_and_content(harmony.Role.DEVELOPER, content),
            harmony.Message.from_role_and_content(harmony.Role.USER, "Q"),
        ]
        expected = oracle.decode(oracle.render_conversation(harmony.Conversation.from_messages(theirs)))
        specs = tuple(ToolSpec(name, note, None if schema is None else FrozenMap(schema)) for name, note, schema in tools)
        ours = Conversation((*([] if text is None else [Message("system", text)]), Message("user", "Q")), specs)
        written = write_text(ours, "harmony", add_generation_prompt=False)
        assert written.text == expected
        reading = read_text(expected, "harmony")
        assert reading.verdict == "lossless" or "# Tools" in (text or "")  # such a text may be a template's own
        assert [(m["role"], m["content"]) for m in reading.messages] == [(m.role, m.text) for m in ours.messages]
        is_same = reading.conversation.tools == specs
        assert is_same or [loss.path for loss in written.losses if loss.path == "$.tools"]
        same += is_same
    assert same
