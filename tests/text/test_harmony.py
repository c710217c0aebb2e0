"""Harmony against OpenAI's own renderer and parser (openai-harmony), with the vocabulary of the packed ranks."""

import base64
import os
import random

import pytest

from diptych.encodings.recipes import RECIPES, read_packed
from diptych.model import Conversation, Message, ToolCall
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
