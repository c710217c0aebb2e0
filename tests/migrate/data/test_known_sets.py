"""The rows that people have: converted by the first command, or refused with the reason. Contents are invented."""

import json

import pytest

from diptych.errors import DiptychError
from diptych.migrate import convert_dataset
from diptych.migrate.data.rows import loads

USER, SAID, WORSE = ({"role": role, "content": text} for role, text in
                     [("user", "Hi?"), ("assistant", "Hello."), ("assistant", "No.")])  # fmt: skip
SYSTEM = {"role": "system", "content": "Be brief."}
PLAIN = {"messages": [USER, SAID]}
PAIR = {"prompt": [USER], "chosen": [SAID], "rejected": [WORSE]}
FRAME = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
CALLS = '[{"name": "w", "arguments": {}}, {"name": "v", "arguments": {}}]'

#: The data set or tool that has such rows, the target, the row, and what is written.
KNOWN = [
    ("HH-RLHF", "trl_preference",
     {"chosen": "\n\nHuman: Hi?\n\nAssistant: Hello.", "rejected": "\n\nHuman: Hi?\n\nAssistant: No."}, PAIR),
    ("HH-RLHF with single line breaks", "trl_preference",
     {"chosen": "Human: Hi?\nAssistant: Hello.", "rejected": "Human: Hi?\nAssistant: No."}, PAIR),
    ("pairs with headings", "trl_preference",
     {"chosen": "### Human: Hi?\n### Assistant: Hello.", "rejected": "### Human: Hi?\n### Assistant: No."}, PAIR),
    ("UltraFeedback", "trl_preference",
     {"prompt": "Hi?", "prompt_id": "ab12", "messages": [USER, SAID], "chosen": [USER, SAID], "rejected": [USER, WORSE],
      "score_chosen": 8.0, "score_rejected": 2.0}, PAIR),
    ("Orca DPO pairs", "trl_preference",
     {"system": "Be brief.", "question": "Hi?", "chosen": "Hello.", "rejected": "No."}, {**PAIR, "prompt": [SYSTEM, USER]}),
    ("Alpaca", "finetune_chat", {"instruction": "Hi?", "input": "", "output": "Hello."}, PLAIN),
    ("Alpaca with input and text", "finetune_chat",
     {"instruction": "Hi", "input": "there?", "output": "Hello.",
      "text": f"{FRAME}\n\n### Instruction:\nHi\n\n### Input:\nthere?\n\n"
      "### Response:\nHello."}, {"messages": [{"role": "user", "content": "Hi\nthere?"}, SAID]}),
    ("a text in the frame of Alpaca", "finetune_chat",
     {"text": f"{FRAME}\n\n### Instruction:\nHi?\n\n### Response:\nHello."}, PLAIN),
    ("Guanaco", "finetune_chat", {"text": "### Human: Hi?### Assistant: Hello."}, PLAIN),
    ("ShareGPT", "finetune_chat",
     {"id": "x_0", "conversations": [{"from": "human", "value": "Hi?"}, {"from": "gpt", "value": "Hello."}]}, PLAIN),
    ("Dolly", "finetune_chat", {"instruction": "Who?", "context": "Ann wrote it.", "response": "Ann.", "category": "closed_qa"},
     {"messages": [{"role": "user", "content": "Who?\n\nAnn wrote it."}, {"role": "assistant", "content": "Ann."}]}),
    ("UltraChat", "finetune_chat", {"id": "0", "data": ["Hi?", "Hello."]}, PLAIN),
    ("UltraChat 200k", "finetune_chat", {"prompt": "Hi?", "prompt_id": "f0", "messages": [USER, SAID]}, PLAIN),
    ("OpenChat", "finetune_chat", {"items": [{"from": "human", "value": "Hi?"}, {"from": "gpt", "value": "Hello."}]}, PLAIN),
    ("XTuner", "finetune_chat", {"conversation": [{"system": "Be brief.", "input": "Hi?", "output": "Hello."}]},
     {"messages": [SYSTEM, USER, SAID]}),
    ("LMSYS", "finetune_chat",
     {"conversation_id": "c1", "model": "vicuna-13b", "conversation": [USER, SAID], "turn": 1, "language": "English",
      "redacted": False}, PLAIN),
    ("ms-swift", "finetune_chat", {"query": "Hi?", "response": "Hello."}, PLAIN),
    ("prompt and response", "finetune_chat", {"prompt": "Hi?", "response": "Hello."}, PLAIN),
    ("FLAN", "finetune_chat", {"inputs": "Hi?", "targets": "Hello."}, PLAIN),
    ("mathematics", "finetune_chat", {"problem": "Hi?", "solution": "Hello.", "source": "olympiads"}, PLAIN),
    ("Open-Orca", "finetune_chat", {"id": "t0.1", "system_prompt": "", "question": "Hi?", "response": "Hello."}, PLAIN),
    ("a column system beside messages", "finetune_chat", {"system": "Be brief.", "messages": [USER, SAID]},
     {"messages": [SYSTEM, USER, SAID]}),
    ("Cohere", "finetune_chat", {"messages": [{"role": "System", "content": "Be brief."}, {"role": "User", "content": "Hi?"},
                                              {"role": "Chatbot", "content": "Hello."}]}, {"messages": [SYSTEM, USER, SAID]}),
    ("KTO", "trl_unpaired", {"messages": [USER, WORSE], "label": False},
     {"prompt": [USER], "completion": [WORSE], "label": False}),
    ("OpenAI evals", "finetune_chat", {"input": [SYSTEM, USER], "ideal": "Hello."}, {"messages": [SYSTEM, USER, SAID]}),
    ("Gemini's tuning", "finetune_chat",
     {"systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
      "contents": [{"role": "user", "parts": [{"text": "Hi?"}]}, {"role": "model", "parts": [{"text": "Hello."}]}]},
     {"messages": [SYSTEM, USER, SAID]}),
    ("Bedrock's tuning", "finetune_chat",
     {"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "Be brief."}],
      "messages": [{"role": "user", "content": [{"text": "Hi?"}]}, {"role": "assistant", "content": [{"text": "Hello."}]}]},
     {"messages": [SYSTEM, USER, SAID]}),
    ("functions of 2023", "finetune_chat",
     {"functions": [{"name": "w", "parameters": {}}],
      "messages": [USER, {"role": "assistant", "content": None, "function_call": {"name": "w", "arguments": "{}"}},
                   {"role": "function", "name": "w", "content": "sun"}, SAID]},
     {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [
         {"id": "call_0", "type": "function", "function": {"name": "w", "arguments": "{}"}}]},
         {"role": "tool", "content": "sun", "name": "w", "tool_call_id": "call_0"}, SAID],
      "tools": [{"type": "function", "function": {"name": "w", "parameters": {}}}]}),
    ("parallel calls with one list of results", "finetune_chat",
     {"conversations": [{"from": "human", "value": "Hi?"}, {"from": "function_call", "value": CALLS},
                        {"from": "observation", "value": '["sun", {"mm": 3}]'}, {"from": "gpt", "value": "Hello."}]},
     {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [
         {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": "{}"}} for n, name in enumerate("wv")]},
         {"role": "tool", "content": "sun", "tool_call_id": "call_0"},
         {"role": "tool", "content": '{"mm": 3}', "tool_call_id": "call_1"}, SAID]}),
]  # fmt: skip
#: Rows that are refused, and why.
REFUSED = [
    ("a corpus", {"text": "Some web page."}, "no user message"),
    ("OpenAssistant's messages", {"message_id": "1", "parent_id": None, "text": "Hi?", "role": "prompter"}, "message of a tree"),
    ("a column that says more", {**PLAIN, "notes": "Ask the client again."}, r"\$.notes: field-dropped"),
    ("a bad answer", {"messages": [USER, WORSE], "label": False}, "bad one"),
    ("calls of which one has no result",
     {"conversations": [{"from": "human", "value": "Hi?"}, {"from": "function_call", "value": CALLS},
                        {"from": "observation", "value": "sun"}, {"from": "gpt", "value": "Hello."}]}, "have no result"),
    ("another speaker", {"conversations": [{"from": "narrator", "value": "Hi?"}]}, "unknown speaker 'narrator'"),
]  # fmt: skip


def converted(folder, row, target):
    (folder / "in.jsonl").write_text((json.dumps(row) + "\n") * 2)
    counts = convert_dataset(folder / "in.jsonl", folder / "out.jsonl", {"to": target}, workers=1)
    return counts, [loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize(("name", "target", "row", "wanted"), KNOWN, ids=[known[0] for known in KNOWN])
def test_the_first_command_converts(tmp_path, name, target, row, wanted):
    counts, rows = converted(tmp_path, row, target)
    assert counts.rejected == 0, counts.reasons
    assert rows == [wanted, wanted]


@pytest.mark.parametrize(("name", "row", "why"), REFUSED, ids=[refused[0] for refused in REFUSED])
def test_what_is_not_understood_is_refused_with_its_reason(tmp_path, name, row, why):
    with pytest.raises(DiptychError, match=why):
        counts, _ = converted(tmp_path, row, "finetune_chat")
        (reason,) = counts.reasons.values()
        assert (reason["rows"], reason["line"]) == (2, 1)
        raise DiptychError(reason["message"])


def test_a_single_row_of_another_kind_is_a_reject(tmp_path):
    rows = [PLAIN] * 12 + [{"nothing": "x"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts = convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {})
    assert (counts.converted, counts.rejected, counts.layouts) == (12, 1, {"finetune_chat": 13})
