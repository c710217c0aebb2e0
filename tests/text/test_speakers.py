"""Speakers of prompts without markers: who speaks, in which typography, and who is only quoted."""

import re

import pytest

import diptych
from diptych.text.names import EXAMPLES, KNOWN, TALKERS

USERS = sorted(name for name in TALKERS if KNOWN[name] == "user")
MODELS = sorted(name for name in TALKERS if KNOWN[name] == "assistant")
ASKED = sorted(name for name in EXAMPLES if KNOWN[name] == "user")
TALK = [("user", "hi"), ("assistant", "hello"), ("user", "bye")]

#: What stands around a name and a content: ``N`` and ``X``.
FRAMES = [
    "N: X\n", "N:X\n", "N : X\n", "N：X\n", "N\u00a0: X\n", "N:\nX\n\n", "  N: X\n", "\tN:\tX\n",
    "**N:** X\n\n", "**N**: X\n\n", "__N:__ X\n\n", "*N:* X\n\n", "_N_: X\n\n", "***N:*** X\n\n", "`N:` X\n", "<b>N:</b> X\n",
    "### N:\nX\n\n", "### N\nX\n\n", "# N\n\nX\n\n", "### **N**\nX\n\n", "### N: X\n", "#N: X\n", "=== N ===\nX\n", "**N**\nX\n\n",
    "[N]: X\n", "[N] X\n", "[N]\nX\n\n", "**[N]** X\n\n", "[N:] X\n", "(N) X\n", "<N> X\n", "@N: X\n", "【N】X\n",
    "N> X\n", "N » X\n", "N - X\n", "N — X\n", "- N: X\n", "* N: X\n", "• **N**: X\n", "> N: X\n", "1. N: X\n", "🙂 N: X\n", "N says: X\n",
    "[10:31] N: X\n", "10:31 N: X\n", "[2024-05-01 10:31:07] N: X\n", "2024-05-01T10:31:07Z N: X\n", "5/1/24, 1:31 PM - N: X\n",
    "N (10:31): X\n", "N [10:31]: X\n", "N (Ann): X\n", "N: X\n---\n", "N: X</s>\n", "N: X\r\n", "N\nX\n\n",
]  # fmt: skip

#: Prompts in which somebody speaks, and who says what; ``…`` is the open end.
SPOKEN = {
    "a name of one's own": ("Be Max.\n\nUser: hi\nMax: hello\nUser: bye\nMax:", [("system", "Be Max."), *TALK]),
    "the other one begins": ("Waiter: Soup?\nCustomer: Yes.\nWaiter:", [("assistant", "Soup?"), ("user", "Yes.")]),
    "me and you": ("Me: hi\nYou: hello\nMe: bye\nYou:", TALK),
    "in a line": ("A chat. User: hi Assistant: hello User: bye Assistant:", [("system", "A chat."), *TALK]),
    "a tool": ("User: hi\nAssistant: wait\nTool: 4\nAssistant:", [*TALK[:1], ("assistant", "wait"), ("tool", "4")]),
    "numbers": ("Q1: hi\nA1: hello\nQ2: bye\nA2:", TALK),
    "labels in a fence": ("User: hi\n```\nUser: x\nAI: y\n```\nAssistant:", [("user", "hi\n```\nUser: x\nAI: y\n```")]),
    "a deed for the model": ("Summarize the text.\n\nUser: hi\nAssistant:", [("system", "Summarize the text."), *TALK[:1]]),
    "headings of another format": ("### System:\nBe.\n\n### User:\nhi\n\n### Response:\n", [("system", "Be."), *TALK[:1]]),
    "a byte order mark": ("\ufeffUser: hi\nAssistant:", TALK[:1]),
}  # fmt: skip

#: Prompts in which nobody speaks to the model.
QUOTED = [
    "Summarize the following conversation.\n\nUser: hi\nAgent: hello\nUser: bye\n\nSummary:",
    "Translate this chat into German:\n\nCustomer: hi\nAgent: hello\nCustomer: bye",
    "Fasse das folgende Gespräch zusammen:\n\nKunde: Es ist kaputt.\nBot: Was?\nKunde: Alles.",
    "请总结以下对话：\n\n客户：坏了。\n客服：什么？\n客户：手机。",
    "Here is a chat:\n\nUser: hi\nBot: go away\nUser: why?\n\nWas it rude?",
    "\"\"\"\nUser: hi\nAssistant: hello\n\"\"\"\nCount the words.",
    "<chat>\nHuman: hi\n\nAssistant: hello\n\nHuman: bye\n</chat>\n\nWrite a title.",
    "---BEGIN CHAT---\nUser: hi\nAssistant: hello\nUser: bye\n---END CHAT---\n\nRate it.",
    "Reply in this format:\n\nQuestion: <the question>\nAnswer: <the answer>\n\nThe topic is water.",
    "Return it like this:\n\nUser: the name\nAssistant: the other name\n\nText: Bob met Ann.",
    "Rate the reply.\n\nUser: What is 2+2?\nAssistant: 5\n\nScore:",
    "Patient: John\nAge: 42\nDoctor: Ray\n\nWrite the referral.",
    "Explain:\n\nuser: root\nassistant: none\nport: 80",
    "const roles = {\n  user: 'hi',\n  assistant: 'hello',\n};\nAdd one.",
    "question: why?\nanswer: because\n---\nquestion: how?\nanswer: so\n\nConvert this YAML to CSV.",
    "Which is a fruit?\nA: Apple\nB: Stone\nC: Car\n\nGive the letter.",
    "User -> Assistant: hi\nAssistant --> User: hello\nDraw it.",
    "Does one write User: or Human: in a prompt?",
]  # fmt: skip


def said(reading):
    return [(m["role"], m["content"].strip()) for m in reading.messages]


def transcript(frame, user, model):
    """Return a talk in a frame, with its open end."""
    turns = "".join(
        re.sub("[NX]", lambda hole, n=n, x=x: n if hole[0] == "N" else x, frame)
        for n, x in ((user, "hi"), (model, "hello"), (user, "bye"))
    )
    return turns + frame.partition("X")[0].replace("N", model).rstrip()


@pytest.mark.parametrize("frame", FRAMES)
def test_names_speak_in_every_typography(frame):
    reading = diptych.to_messages(transcript(frame, "User", "Assistant"))
    assert (said(reading), reading.verdict, reading.conversation.cue) == (TALK, "ambiguous", "reply")


def test_names_speak_in_every_language():
    pairs = [(user, MODELS[index % len(MODELS)]) for index, user in enumerate(USERS)]
    pairs += [("user", model) for model in MODELS] + [(asked, "answer") for asked in ASKED]
    wrong = [pair for pair in pairs if said(diptych.to_messages(transcript("N: X\n", *pair))) != TALK]
    assert not wrong


@pytest.mark.parametrize("frame", [frame for frame in FRAMES if re.search(r"N\b.*:", frame)])
def test_hints_name_speakers_in_every_typography_that_ends_in_a_colon(frame):
    reading = diptych.to_messages(transcript(frame, "Zed", "Yan"), hints={"Zed": "user", "Yan": "assistant"})
    assert said(reading) == TALK


@pytest.mark.parametrize("name", SPOKEN)
def test_who_speaks(name):
    text, messages = SPOKEN[name]
    reading = diptych.to_messages(text)
    assert (said(reading), reading.verdict) == (messages, "ambiguous")


def test_many_byte_order_marks_are_text():
    text = "\ufeff" * 5000 + "User: hi"
    assert diptych.to_messages(text).messages[0]["content"].startswith("\ufeff")


@pytest.mark.parametrize("text", QUOTED)
def test_who_is_quoted_does_not_speak(text):
    reading = diptych.to_messages(text)
    assert (reading.messages, reading.verdict) == ([{"role": "user", "content": text}], "lossless")


@pytest.mark.parametrize("text", QUOTED[:6])
def test_an_open_end_makes_a_quotation_a_talk(text):
    reading = diptych.to_messages(f"{text}\n\nUser: on\nAssistant:")
    assert reading.conversation.cue == "reply"
