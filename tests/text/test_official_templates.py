"""Real models' chat templates: how many of their texts are read right, and which families write the same bytes."""

import gzip
import json
import random
from collections import Counter, defaultdict
from datetime import datetime
from functools import lru_cache

import pytest
from tests.text.official import kind_of

import diptych
from diptych.conversion.registry import get
from diptych.errors import DiptychError
from diptych.text import heads
from diptych.text.marks import marks_of
from diptych.text.registry import grammars
from diptych.text.turns import tools_changed
from diptych.text.writing import write_text

#: Templates that no text tells: they write nothing but the contents, or nothing of who speaks.
UNTOLD = ("olmo_thinker_rlzero", "olmo_thinker_code_rlzero", "assistant_message_only", "gptsan")
#: A part of a template's name, and the format that writes the same, byte for byte, in every plain context.
SAME = {
    "mistralai-Mistral-Nemo-Instruct-2407": "mistral-tekken", "mistral_v1-70c": "mistral-v1", "pixtral": "mistral-tekken",
    "mistral-instruct-v0.3": "mistral-v3", "Mistral-Large-Instruct-2411": "mistral-v7", "swift-mistral7b": "mistral-tekken-spaced",
    "command-r-plus": "command-r", "axolotl-cohere": "command-r", "granite-4.0": "granite", "gemma3n": "gemma",
    "gpt4all-gemma": "gemma", "Meta-Llama-3-8B": "llama3", "llama4": "llama4", "open-instruct-zephyr": "zephyr", "OLMoE": "olmo",
    "eachadea-vicuna": "vicuna-lines", "glm-edge": "glm4", "Qwen3-Thinking-1b": "qwen3-thinking", "Ernie4.5": "ernie-4.5",
    "Kimi-K2-Thinking": "kimi-k2-thinking",
}  # fmt: skip
#: The same for conversations with tool calls and their results.
SAME_CALLS = {
    "unsloth-qwen3": "qwen3", "moonshotai-Kimi-K2": "kimi-k2", "granite-4.1": "granite", "axolotl-llama4": "llama4", "glm-5.1": "glm5",
    "glm4moe": "glm4.5", "Nemotron-3-Nano": "nemotron3", "MiniMax-M2.5": "minimax-m2",
    "qwen3_6_training": "qwen3.5", "xinference-Qwen3-Coder": "qwen3-coder", "google-gemma-4": "gemma4",
    "deepseek-r1-0528-805": "deepseek-v3", "DeepSeek-V3.1": "deepseek-v3.1-empty",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(shared):
    file = shared / "corpora" / "chat_templates.jsonl.gz"
    if not file.is_file():
        pytest.skip("no chat templates in the folder of samples")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def plain(rows):
    """Return the renderings of plain contexts: texts of system, user and assistant, and nothing else."""
    return [row for row in rows if isinstance(row["expected"], str) and is_plain(row["context"])]


def is_plain(context):
    roles = ("system", "user", "assistant")
    has_more = context.get("tools") or context.get("documents") or context.get("return_assistant_spans")
    return not has_more and all(
        set(m) == {"role", "content"} and isinstance(m["content"], str) and m["role"] in roles
        for m in context["messages"]
    )


template_of = lru_cache(diptych.ChatTemplate)


def rendered(row, messages, cue):
    context = row["context"]
    now = context.get("frozen_now")
    try:
        return template_of(row["template"]).render(
            messages,
            add_generation_prompt=cue == "reply",
            continue_final_message=cue == "continue",
            now=datetime.fromisoformat(now) if now else None,
            **(context.get("template_kwargs") or {}),
        )
    except DiptychError:
        return None


def is_right(row, reading):
    """Return whether the template writes the same from what was read, or that is what it was given, but for outer blanks."""
    if rendered(row, reading.messages, reading.conversation.cue) == row["expected"]:
        return True
    return stripped(reading.messages) == stripped(row["context"]["messages"])


def stripped(messages):
    return [(m["role"], (m["content"] or "").strip()) for m in messages]


def test_most_texts_are_read_right_and_none_wrong_under_lossless(plain):
    found, wrong = defaultdict(Counter), []
    for row in plain:
        reading = diptych.to_messages(row["expected"])
        right = is_right(row, reading)
        found[row["template_id"]][right] += 1
        if not right and reading.verdict == "lossless" and not any(name in row["template_id"] for name in UNTOLD):
            wrong.append((row["template_id"], reading.format, row["expected"][-200:]))
    for name, counts in sorted(found.items(), key=lambda item: item[1][True] / item[1].total()):
        print(f"{counts[True]:3} of {counts.total():3} right  {name}")
    right = sum(counts[True] for counts in found.values())
    print(f"{right} of {len(plain)} texts are read right ({right / len(plain):.1%})")
    assert right / len(plain) >= 0.85
    assert not wrong


def test_most_right_readings_of_special_tokens_are_lossless(plain):
    """Texts whose contents hold other formats' control tokens, and those that begin with one mark twice, are not."""
    counts = {False: Counter(), True: Counter()}
    for row in plain:
        reading = diptych.to_messages(row["expected"])
        grammar = grammars().get(reading.format)
        if grammar and grammar.is_certain and not grammar.plain and is_right(row, reading):
            is_odd = any(marks_of(m["content"]) for m in row["context"]["messages"])
            counts[is_odd][reading.verdict] += 1
    for is_odd, found in counts.items():
        print(
            "contents with marks" if is_odd else "contents without marks",
            dict(found),
            f"{found['lossless'] / found.total():.1%}",
        )
    assert counts[False]["lossless"] / counts[False].total() >= 0.90


@pytest.mark.parametrize("part", SAME)
def test_the_same_bytes(plain, part):
    compared = 0
    for row in plain:
        context, messages = row["context"], row["context"]["messages"]
        if part not in row["template_id"] or context.get("continue_final_message") or "<|im_end|>" in str(messages):
            continue
        written = diptych.to_prompt(
            messages, SAME[part], add_generation_prompt=bool(context.get("add_generation_prompt"))
        )
        if any(loss.severity > diptych.Severity.EXACT for loss in written.losses):
            continue  # the grammar says that it does otherwise
        compared += 1
        bos = (context.get("template_kwargs") or {}).get("bos_token", "")
        assert row["expected"] in (written.text, bos + written.text, grammars()[SAME[part]].bos + written.text), (
            messages
        )
    assert compared


@pytest.mark.parametrize("part", SAME_CALLS)
@pytest.mark.parametrize("calls", [[("f", {"a": "x y", "n": 2})], [("f", {"a": "x"}), ("g", {"b": "y"})]])
def test_the_same_bytes_with_tool_calls(rows, part, calls):
    row = next(row for row in rows if part in row["template_id"])
    name, kwargs = SAME_CALLS[part], row["context"].get("template_kwargs") or {}
    own = grammars()[name]
    ids = [own.calls.id_of(called, index) for index, (called, _) in enumerate(calls)]

    def messages(dump):
        made = [
            {"id": id_, "type": "function", "function": {"name": called, "arguments": dump(arguments)}}
            for id_, (called, arguments) in zip(ids, calls, strict=True)
        ]
        results = [{"role": "tool", "tool_call_id": id_, "content": "it is"} for id_ in ids]
        begun = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
        return [*begun, {"role": "assistant", "content": "", "tool_calls": made}, *results]

    expected = template_of(row["template"]).render(messages(lambda x: x), add_generation_prompt=True, **kwargs)
    written = diptych.to_prompt(messages(json.dumps), name).text
    assert expected in (written, own.bos + written, kwargs.get("bos_token", "") + written)


#: A part of a template's name, and the format that declares tools with the same bytes.
SAME_TOOLS = {
    "unsloth-qwen3": "qwen3", "Qwen3-Thinking-1b": "qwen3-thinking", "granite-4.1": "granite", "glm4moe": "glm4.5",
    "MiniMax-M2.5": "minimax-m2", "moonshotai-Kimi-K2": "kimi-k2", "mistralai-Mistral-Nemo-Instruct-2407": "mistral-tekken",
    "mistral-instruct-v0.3": "mistral-v3", "xinference-Qwen3-Coder": "qwen3-coder", "qwen3_6_training": "qwen3.5",
    "NVIDIA-Nemotron-3-Nano": "nemotron3", "nemotron_3_super": "nemotron3", "axolotl-llama4": "llama4", "glm-5.1": "glm5",
    "google-gemma-4": "gemma4", "deepseek-r1-0528-805": "deepseek-v3",
}  # fmt: skip
TOOLS = [
    {"type": "function", "function": {"name": "f", "description": "Does é.", "parameters": {"type": "object", "properties": {"a": {"type": "string", "description": "An a."}}, "required": ["a"]}}},
    {"type": "function", "function": {"name": "g", "description": "More", "parameters": {"type": "object", "properties": {}}}},
]  # fmt: skip


@pytest.mark.parametrize("part", SAME_TOOLS)
def test_the_same_bytes_with_tools(rows, part):
    row, name = next(row for row in rows if part in row["template_id"]), SAME_TOOLS[part]
    kwargs, own = row["context"].get("template_kwargs") or {}, grammars()[name]
    chats = [[{"role": "user", "content": "Q"}], [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]]
    for messages in chats:
        if name == "kimi-k2" and len(messages) == 1:
            continue  # this version of its template has another system text of its own
        text = template_of(row["template"]).render(messages, tools=TOOLS, add_generation_prompt=True, **kwargs)
        conversation = get("chat").read({"messages": messages, "tools": TOOLS})[0]
        written = write_text(conversation, name).text
        assert text in (written, own.bos + written, kwargs.get("bos_token", "") + written)
        reading = diptych.to_messages(text, name)
        assert reading.verdict == "lossless"
        lost = tools_changed(conversation.tools, reading.conversation.tools)
        assert not [loss for loss in lost if loss.severity > diptych.Severity.EXACT], "more than empty fields"
        if name not in ("mistral-v3", "mistral-tekken") or len(messages) == 1:
            assert stripped(reading.messages)[-len(messages) :] == stripped(messages)
        found = diptych.to_messages(text)
        assert found.conversation.tools == reading.conversation.tools


#: Words of contents: ordinary ones, and some that look like markup or speakers.
PLAIN_WORDS = ["word", "it is", "é", "日本", "no", "1.5"]
ODD_WORDS = ["a < b", "<b>x</b>", "`code`", "line\nbreak", "[link](x)", "{x}", "User: hi", "  pad", '"q"', "# H", "</p>"]


def talk_of(chance):
    """Return a random conversation of system, user and assistant, a user last."""
    said = lambda: " ".join(chance.choices(PLAIN_WORDS * 6 + ODD_WORDS, k=chance.randint(1, 12)))  # noqa: E731
    messages = [{"role": "system", "content": said()}] if chance.random() < 0.5 else []
    for _ in range(chance.randint(1, 4)):
        messages += [{"role": "user", "content": said()}, {"role": "assistant", "content": said()}]
    return [*messages, {"role": "user", "content": said()}]


@pytest.mark.parametrize("window", [None, 200])
def test_random_conversations_of_real_templates(rows, window, monkeypatch):
    """A wrong reading is never lossless, also where most formats are left out by the beginning of a text."""
    if window:
        monkeypatch.setattr(heads, "_WINDOW", window)
        monkeypatch.setattr(heads, "_LONG", window)
    chance, found, wrong = random.Random(f"conversations {window}"), Counter(), []
    for row in {row["template_id"]: row for row in rows if kind_of(row["context"]) == "plain"}.values():
        messages = talk_of(chance)
        text = rendered(row, messages, "reply")
        if text is None or any(name in row["template_id"] for name in UNTOLD):
            continue
        reading = diptych.to_messages(text)
        right = is_right({**row, "expected": text, "context": {**row["context"], "messages": messages}}, reading)
        found[right, reading.verdict] += 1
        if not right and reading.verdict == "lossless":
            wrong.append((row["template_id"], reading.format, text))
    print(dict(found))
    assert not wrong
    right = {verdict: count for (is_one, verdict), count in found.items() if is_one}
    assert sum(right.values()) >= 0.85 * found.total()


def test_turns_of_calls_and_results_of_command_are_the_same_bytes(rows):
    """Behind the preamble of Cohere's template, which is read and not written."""
    row = next(row for row in rows if "command-r7b-12-2024-tool_use-8" in row["template_id"])
    for called in (CALLS[:1], CALLS):
        messages = [{"role": "user", "content": "Q"}, called_by(called, dict), *results_of(called)]
        messages += [{"role": "assistant", "content": "A"}, {"role": "user", "content": "R"}]
        text = template_of(row["template"]).render(messages, tools=TOOLS[:1], add_generation_prompt=True)
        given = [*messages[:1], called_by(called, json.dumps), *messages[2:]]
        assert text.endswith(diptych.to_prompt(given, "command-a").text)
        reading = diptych.to_messages(text, "command-a")
        assert [message["role"] for message in reading.messages] == [message["role"] for message in messages]
        assert [tool.name for tool in reading.conversation.tools] == ["f"]
        assert [call.name for call in reading.conversation.messages[1].tool_calls] == [name for name, _ in called]


CALLS = [("f", {"a": "x y", "n": [2, None]}), ("g", {"b": {"c": True}})]


def called_by(called, dump):
    calls = [
        {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": dump(arguments)}}
        for index, (name, arguments) in enumerate(called)
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls, "reasoning_content": ""}


def results_of(called):
    return [{"role": "tool", "tool_call_id": f"call_{index}", "content": "it is"} for index, _ in enumerate(called)]
