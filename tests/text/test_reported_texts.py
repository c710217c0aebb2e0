"""Texts that were read or written wrong once, a case of each kind."""

import pytest

import diptych

TALK = [
    {"role": "user", "content": "ask"},
    {"role": "assistant", "content": "  say  "},
    {"role": "user", "content": "on"},
]

WRITTEN = {
    "the generation prompt ends an empty thought": (
        "gemma4", TALK[:1], "<|turn>user\nask<turn|>\n<|turn>model\n<|channel>thought\n<channel|>",
    ),
    "OpenChat does not trim a reply": (
        "openchat", TALK,
        "GPT4 Correct User: ask<|end_of_turn|>GPT4 Correct Assistant:   say  <|end_of_turn|>"
        "GPT4 Correct User: on<|end_of_turn|>GPT4 Correct Assistant:",
    ),
    "nor does DeepSeek's coder": (
        "deepseek-coder", TALK,
        "### Instruction:\nask\n### Response:\n  say  \n<|EOT|>\n### Instruction:\non\n### Response:\n",
    ),
    "OpenChat has a system turn": (
        "openchat", [{"role": "system", "content": "Be."}, TALK[0]],
        "GPT4 Correct System: Be.<|end_of_turn|>GPT4 Correct User: ask<|end_of_turn|>GPT4 Correct Assistant:",
    ),
    "Mistral Small has no spaces": ("mistral-v7-tekken", TALK[:1], "[INST]ask[/INST]"),
    "neighbours are one turn of Mistral": ("mistral-v3", [TALK[0], TALK[2]], "[INST] ask\n\non[/INST]"),
    "earlier analysis is left out of Harmony": (
        "harmony", [TALK[0], {"role": "assistant", "content": "yes", "reasoning_content": "hm"}, TALK[2]],
        "<|start|>user<|message|>ask<|end|><|start|>assistant<|channel|>final<|message|>yes<|end|>"
        "<|start|>user<|message|>on<|end|><|start|>assistant",
    ),
}  # fmt: skip
KINDS = {
    "neighbours are one turn of Mistral": ["merged"],
    "earlier analysis is left out of Harmony": ["by-format-rule"],
}

#: Text, hints, roles and contents, and the verdict.
READ = {
    "hinted labels with a full-width colon": (
        "客户：早\n客服：", {"客户：": "user", "客服：": "assistant"}, [("user", "早")], "ambiguous",
    ),
    "hinted marks inside a line": (
        "<|ME|>ask<|YOU|>say<|ME|>on<|YOU|>", {"<|ME|>": "user", "<|YOU|>": "assistant"},
        [("user", "ask"), ("assistant", "say"), ("user", "on")], "ambiguous",
    ),
    "an open label of the user is not a message": (
        "A talk.\n\nHuman: ask\nAI: say\nHuman:", None, [("system", "A talk."), ("user", "ask"), ("assistant", "say")], "ambiguous",
    ),
    "Llama 2 without its first mark": (
        "[INST] <<SYS>>\nBe.\n<</SYS>>\n\nask [/INST] say </s><s>[INST] on [/INST]", None,
        [("system", "Be."), ("user", "ask"), ("assistant", "say"), ("user", "on")], "lossless",
    ),
    "Llama 2 of one turn, without any": (
        "[INST] <<SYS>>\nBe.\n<</SYS>>\n\nask [/INST]", None, [("system", "Be."), ("user", "ask")], "lossless",
    ),
    "a completion of Harmony begins behind its generation prompt": (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>", None,
        [("assistant", "yes")], "lossy",
    ),
    "lines that end in CRLF": (
        "<|im_start|>user\r\nask<|im_end|>\r\n<|im_start|>assistant\r\n", None, [("user", "ask")], "lossy",
    ),
    "a mark of the beginning twice": (
        "<s><s>[INST] ask [/INST]", None, [("user", "ask")], "lossy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_it_is_written_right(name):
    format, messages, text = WRITTEN[name]
    written = diptych.to_prompt(messages, format)
    assert (written.text, [loss.kind for loss in written.losses]) == (text, KINDS.get(name, []))


@pytest.mark.parametrize("name", READ)
def test_it_is_read_right(name):
    text, hints, said, verdict = READ[name]
    reading = diptych.to_messages(text, hints=hints)
    assert ([(m["role"], m["content"]) for m in reading.messages], reading.verdict) == (said, verdict)


def test_a_tool_call_of_harmony_is_a_call():
    text = (
        "<|start|>user<|message|>ask<|end|><|start|>assistant to=functions.f<|channel|>commentary <|constrain|> json"
        '<|message|>{"a": 2}<|call|><|start|>functions.f to=assistant<|channel|>commentary<|message|>4<|end|>'
    )
    asked, called, result = diptych.to_messages(text).messages
    assert (asked["role"], result["role"], result["tool_call_id"]) == ("user", "tool", called["tool_calls"][0]["id"])
    assert called["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a": 2}'}
