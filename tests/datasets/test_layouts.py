"""Rows of training data, read and written: a table of rows, what they say, and what is lost."""

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.conversion.registry import get, list_formats
from diptych.datasets.finetune import COMPLETION_ENDS, Separators, read_row, separators_of
from diptych.datasets.layouts import detect_layout
from diptych.loss import Severity
from diptych.model import Example, FrozenMap, Message, ToolCall, ToolSpec

NAMES = [entry.name for entry in list_formats() if entry.kind == "dataset"]
USER, SAID = {"role": "user", "content": "Capital of Peru?"}, {"role": "assistant", "content": "Lima"}
WORSE = {"role": "assistant", "content": "Cusco"}
TALK = [USER, SAID]
ASKED, LIMA, CUSCO = Message("user", "Capital of Peru?"), Message("assistant", "Lima"), Message("assistant", "Cusco")
MORE, YES = Message("user", "Sure?"), Message("assistant", "Yes")
BRIEF = Message("system", "Be brief.")
LONG = [USER, WORSE, {"role": "user", "content": "Sure?"}, SAID]
TIDES = {"name": "tides", "parameters": {"type": "object", "properties": {"port": {"type": "string"}}}}
TIDES_SPEC = ToolSpec("tides", None, FrozenMap(TIDES["parameters"]))
WIRE_TIDES = [{"type": "function", "function": TIDES}]
CALL = {"id": "t1", "type": "function", "function": {"name": "tides", "arguments": '{"port": "Callao"}'}}
CALLED = Message("assistant", None, tool_calls=(ToolCall("t1", "tides", '{"port": "Callao"}'),))


def at_once(*messages, **fields):
    return Example(tuple(messages), **fields)


#: Layout, row, what it says, what reading tells; the row written again, where it is another.
GOLDENS = [
    ("finetune_legacy", {"prompt": "Capital of Peru?\n\n###\n\n", "completion": " Lima END"}, at_once(ASKED, LIMA, answer=1), [], None),
    ("finetune_legacy", {"prompt": "Capital of Peru? ->", "completion": " Lima\n", "tag": 1}, at_once(ASKED, LIMA, answer=1),
     [("$.tag", "field-dropped")], {"prompt": "Capital of Peru?\n\n###\n\n", "completion": " Lima END"}),
    ("finetune_chat", {"messages": TALK}, at_once(ASKED, LIMA), [], None),
    ("finetune_chat", {"messages": [USER, {**WORSE, "weight": 0}, *LONG[2:]]}, at_once(ASKED, CUSCO, MORE, LIMA, answer=3),
     [("$.messages[1].weight", "renamed")], None),
    ("finetune_chat", {"messages": [USER, {**WORSE, "weight": 1}, *LONG[2:3], {**SAID, "weight": 0}]},
     at_once(ASKED, Message("assistant", "Cusco", extra=FrozenMap({"weight": 1})), MORE,
             Message("assistant", "Lima", extra=FrozenMap({"weight": 0}))), [], None),
    ("finetune_chat", {"messages": TALK, "tools": WIRE_TIDES, "parallel_tool_calls": False, "source": "x", "note": None},
     at_once(ASKED, LIMA, tools=(TIDES_SPEC,), request=FrozenMap({"parallel_tool_calls": False})),
     [("$.source", "field-dropped")], {"messages": TALK, "tools": WIRE_TIDES, "parallel_tool_calls": False}),
    ("finetune_chat",
     {"messages": [USER, {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "tides", "arguments": {"port": "Callao"}}}]},
                   {"role": "tool", "name": "tides", "content": "high"}, SAID]},
     at_once(ASKED, Message("assistant", None, tool_calls=(ToolCall("call_0", "tides", '{"port": "Callao"}'),), extra=FrozenMap({"content": "absent"})),
             Message("tool", "high", "tides", tool_call_id="call_0"), LIMA),
     [("$.messages[1].tool_calls[0].function.arguments", "renamed"), ("$.messages[1].tool_calls[0].id", "synthesised")],
     {"messages": [USER, {"role": "assistant", "tool_calls": [{**CALL, "id": "call_0"}]},
                   {"role": "tool", "content": "high", "name": "tides", "tool_call_id": "call_0"}, SAID]}),
    ("finetune_chat", {"messages": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Lima"}]},
     at_once(ASKED, LIMA), [], {"messages": TALK}),
    ("finetune_chat", {"messages": [USER, {**SAID, "thinking": "Hm."}]},
     at_once(ASKED, Message("assistant", "Lima", reasoning="Hm.")), [("$.messages[1].thinking", "renamed")], {"messages": TALK}),
    ("openai_dpo", {"input": {"messages": [USER], "tools": WIRE_TIDES, "parallel_tool_calls": True}, "preferred_output": [SAID], "non_preferred_output": [WORSE]},
     at_once(ASKED, LIMA, tools=(TIDES_SPEC,), answer=1, rejected=(CUSCO,), request=FrozenMap({"parallel_tool_calls": True})), [], None),
    ("openai_dpo", {"input": {"messages": [USER]}, "preferred_completion": [SAID], "non_preferred_completion": [WORSE]},
     at_once(ASKED, LIMA, answer=1, rejected=(CUSCO,)),
     [("$.preferred_completion", "renamed"), ("$.non_preferred_completion", "renamed")],
     {"input": {"messages": [USER]}, "preferred_output": [SAID], "non_preferred_output": [WORSE]}),
    ("trl_text", {"text": "Lima lies on the Rímac."}, at_once(Message("assistant", "Lima lies on the Rímac.")),
     [("$.text", "unsupported")], None),
    ("trl_text", {"text": "Human: Hi\n\nAssistant: Yo"}, at_once(Message("user", "Hi"), Message("assistant", "Yo")), [],
     {"text": "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n"}),
    ("trl_text", {"text": "User: Hi\nBot: Yo"}, at_once(Message("assistant", "User: Hi\nBot: Yo")),
     [("$.text", "undecidable")], None),
    ("trl_text", {"text": "<|im_start|>user\nCapital of Peru?<|im_end|>\n<|im_start|>assistant\nLima<|im_end|>\n"}, at_once(ASKED, LIMA), [], None),
    ("trl_text", {"text": "<PRE> a <SUF>b <MID>"}, at_once(Message("assistant", "<PRE> a <SUF>b <MID>")),
     [("$.text", "unsupported")], None),
    ("trl_prompt", {"prompt": [USER]}, at_once(ASKED, answer=1), [], None),
    ("trl_prompt", {"prompt": "Capital of Peru?"}, at_once(ASKED, answer=1), [], {"prompt": [USER]}),
    ("trl_prompt", {"prompt": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nCapital of Peru?<|im_end|>\n<|im_start|>assistant\n"},
     at_once(BRIEF, ASKED, answer=2), [], {"prompt": [{"role": "system", "content": "Be brief."}, USER]}),
    ("trl_prompt_completion", {"prompt": [USER], "completion": [SAID]}, at_once(ASKED, LIMA, answer=1), [], None),
    ("trl_prompt_completion", {"prompt": "The sky is", "completion": " blue."},
     at_once(Message("user", "The sky is"), Message("assistant", " blue."), answer=1), [],
     {"prompt": [{"role": "user", "content": "The sky is"}], "completion": [{"role": "assistant", "content": " blue."}]}),
    ("trl_prompt_completion", {"prompt": [USER], "completion": [{"role": "assistant", "content": None, "tool_calls": [{**CALL, "function": {"name": "tides", "arguments": {"port": "Callao"}}}]}], "tools": json.dumps([TIDES])},
     at_once(ASKED, CALLED, tools=(TIDES_SPEC,), answer=1),
     [("$.completion[0].tool_calls[0].function.arguments", "renamed"), ("$.tools", "renamed")],
     {"prompt": [USER], "completion": [{"role": "assistant", "content": None, "tool_calls": [{**CALL, "function": {"name": "tides", "arguments": {"port": "Callao"}}}]}], "tools": WIRE_TIDES}),
    ("trl_preference", {"prompt": [USER], "chosen": [SAID], "rejected": [WORSE]}, at_once(ASKED, LIMA, answer=1, rejected=(CUSCO,)), [], None),
    ("trl_preference", {"chosen": [USER, SAID], "rejected": [USER, WORSE], "score": 0.5}, at_once(ASKED, LIMA, answer=1, rejected=(CUSCO,)),
     [("$.score", "field-dropped")], {"prompt": [USER], "chosen": [SAID], "rejected": [WORSE]}),
    ("trl_preference", {"chosen": [USER, SAID], "rejected": [USER, SAID]}, at_once(ASKED, LIMA, answer=1, rejected=(LIMA,)), [],
     {"prompt": [USER], "chosen": [SAID], "rejected": [SAID]}),
    ("trl_preference", {"chosen": "ab", "rejected": "abc"}, at_once(Message("assistant", "ab"), answer=0, rejected=(Message("assistant", "abc"),)),
     [("$.chosen", "unsupported"), ("$.rejected", "unsupported")],
     {"prompt": [], "chosen": [{"role": "assistant", "content": "ab"}], "rejected": [{"role": "assistant", "content": "abc"}]}),
    ("trl_unpaired", {"prompt": [USER], "completion": [WORSE], "label": False}, at_once(ASKED, CUSCO, answer=1, label=False), [], None),
    ("trl_unpaired", {"prompt": "Capital of Peru?", "completion": "Lima", "label": 1}, at_once(ASKED, LIMA, answer=1, label=True),
     [("$.label", "renamed")], {"prompt": [USER], "completion": [SAID], "label": True}),
    ("trl_stepwise", {"prompt": "Capital of Peru?", "completions": ["Cusco", "Lima"], "labels": [False, True]},
     at_once(ASKED, Message("assistant", "Cusco", extra=FrozenMap({"label": False})), Message("assistant", "Lima", extra=FrozenMap({"label": True})),
             answer=1, label=False), [], None),
    ("trl_stepwise", {"prompt": "Capital of Peru?", "completions": ["Lima"], "labels": [True]}, at_once(ASKED, LIMA, answer=1, label=True), [], None),
    ("sharegpt", {"conversations": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Lima"}], "system": "Be brief."},
     at_once(BRIEF, ASKED, LIMA), [], None),
    ("sharegpt", {"conversations": [{"from": "human", "value": "Tide?"}, {"from": "function_call", "value": '{"name": "tides", "arguments": {"port": "Callao"}}'},
                                    {"from": "observation", "value": "high"}, {"from": "gpt", "value": "High."}], "tools": json.dumps(WIRE_TIDES)},
     at_once(Message("user", "Tide?"), Message("assistant", None, tool_calls=(ToolCall("call_0", "tides", '{"port": "Callao"}'),)),
             Message("tool", "high", tool_call_id="call_0"), Message("assistant", "High."), tools=(TIDES_SPEC,)), [("$.tools", "renamed")], None),
    ("sharegpt", {"conversations": [{"from": "human", "value": "Capital of Peru?"}], "chosen": {"from": "gpt", "value": "Lima"}, "rejected": {"from": "gpt", "value": "Cusco"}},
     at_once(ASKED, LIMA, answer=1, rejected=(CUSCO,)), [], None),
    ("sharegpt", {"conversations": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Cusco"}], "kto_tag": False, "images": ["a.png"]},
     at_once(ASKED, CUSCO, answer=1, label=False), [("$.images", "field-dropped")],
     {"conversations": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Cusco"}], "kto_tag": False}),
    ("sharegpt", {"conversations": TALK}, at_once(ASKED, LIMA), [],
     {"conversations": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Lima"}]}),
    ("alpaca_row", {"instruction": "Capital of Peru?", "input": "", "output": "Lima"}, at_once(ASKED, LIMA), [], None),
    ("alpaca_row", {"instruction": "Sure?", "input": "", "output": "Yes", "system": "Be brief.", "history": [["Capital of Peru?", "Lima"]]},
     at_once(BRIEF, ASKED, LIMA, MORE, YES), [], None),
    ("alpaca_row", {"instruction": "Translate", "input": "rain", "response": "lluvia"},
     at_once(Message("user", "Translate\nrain"), Message("assistant", "lluvia")), [("$.input", "merged"), ("$.response", "renamed")],
     {"instruction": "Translate\nrain", "input": "", "output": "lluvia"}),
    ("alpaca_row", {"instruction": "Capital of Peru?", "input": "", "chosen": "Lima", "rejected": "Cusco"}, at_once(ASKED, LIMA, answer=1, rejected=(CUSCO,)), [], None),
    ("alpaca_row", {"instruction": "Capital of Peru?", "input": "", "output": "Cusco", "kto_tag": False}, at_once(ASKED, CUSCO, answer=1, label=False), [], None),
    ("question_answer", {"question": "Capital of Peru?", "category": "towns", "answer": "Lima"}, at_once(ASKED, LIMA, answer=1),
     [("$.category", "field-dropped")], {"question": "Capital of Peru?", "answer": "Lima"}),
    ("system_question", {"system_prompt": "Be brief.", "question": "Capital of Peru?", "response": "Lima"}, at_once(BRIEF, ASKED, LIMA, answer=2), [], None),
    ("system_question", {"system_prompt": "", "question": "Capital of Peru?", "response": "Lima"}, at_once(ASKED, LIMA, answer=1), [], None),
    ("message_pairs", {"message_1": "Capital of Peru?", "message_2": "Lima", "message_3": "Sure?", "message_4": "Yes"}, at_once(ASKED, LIMA, MORE, YES), [], None),
    ("input_output", {"input": "Capital of Peru?", "output": "Lima"}, at_once(ASKED, LIMA, answer=1), [], None),
    ("openai_batch", {"custom_id": "q-1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [USER], "tools": WIRE_TIDES, "seed": 10**30}},
     at_once(ASKED, tools=(TIDES_SPEC,), answer=1, id="q-1", request=FrozenMap({"model": "m", "seed": 10**30})), [], None),
    ("openai_batch", {"custom_id": "q-1", "method": "POST", "url": "/v1/completions", "body": {"model": "m", "prompt": "Capital of Peru?", "max_tokens": 9}},
     at_once(ASKED, answer=1, id="q-1", request=FrozenMap({"model": "m", "max_completion_tokens": 9})),
     [("$.body.max_tokens", "renamed"), ("$.url", "renamed")],
     {"custom_id": "q-1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [USER], "max_completion_tokens": 9}}),
    ("pair_row", {"query": "Capital of Peru?", "response": "Lima"}, at_once(ASKED, LIMA), [], None),
    ("pair_row", {"system_prompt": "Be brief.", "prompt": "Sure?", "bot": "Yes", "history": [["Capital of Peru?", "Lima"]], "lang": "en"},
     at_once(Message("system", "Be brief."), ASKED, LIMA, MORE, YES),
     [("$.prompt", "renamed"), ("$.bot", "renamed"), ("$.lang", "field-dropped")],
     {"system": "Be brief.", "query": "Sure?", "response": "Yes", "history": [["Capital of Peru?", "Lima"]]}),
    ("talk_row", {"conversation": TALK}, at_once(ASKED, LIMA), [], None),
    ("talk_row", {"data": ["Capital of Peru?", "Lima"], "id": 1}, at_once(ASKED, LIMA),
     [("$.data", "renamed"), ("$.id", "field-dropped")], {"conversation": TALK}),
    ("talk_row", {"conversation": [{"system": "Be brief.", "input": "Capital of Peru?", "output": "Lima"}]},
     at_once(Message("system", "Be brief."), ASKED, LIMA), [], {"conversation": [{"role": "system", "content": "Be brief."}, *TALK]}),
    ("talk_row", {"items": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Lima"}]},
     at_once(ASKED, LIMA), [("$.items", "renamed")], {"conversation": TALK}),
    ("openai_evals", {"input": [USER], "ideal": "Lima"}, at_once(ASKED, LIMA, answer=1), [], None),
    ("openai_evals", {"input": "Capital of Peru?", "ideal": ["Lima", "Lima."]}, at_once(ASKED, LIMA, answer=1),
     [("$.ideal[1]", "field-dropped")], {"input": [USER], "ideal": "Lima"}),
    ("finetune_chat", {"system": "Be brief.", "messages": TALK}, at_once(Message("system", "Be brief."), ASKED, LIMA),
     [("$.system", "renamed")], {"messages": [{"role": "system", "content": "Be brief."}, *TALK]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "row", "example", "losses", "again"), GOLDENS, ids=[f"{g[0]}-{i}" for i, g in enumerate(GOLDENS)]
)
def test_a_row_both_ways(name, row, example, losses, again):
    found, told = get(name).read(row)
    assert found == example
    assert [(loss.path, loss.kind) for loss in told] == losses
    written, told = get(name).write(found)
    assert written == (again or row)
    assert list(written) == list(again or row)
    # Reasoning is the one thing in this table that a layout reads and has no place for.
    reasons = [f"$.messages[{i}].reasoning" for i, m in enumerate(example.messages) if m.reasoning]
    assert [loss.path for loss in told if loss.severity > 0 and loss.kind != "flattened"] == reasons


def test_every_layout_has_a_golden_and_is_told_from_all_others():
    assert {golden[0] for golden in GOLDENS} == set(NAMES)
    strings_are_legacy = {"trl_prompt_completion": "finetune_legacy"}
    for name, row, *_ in GOLDENS:
        found, confidence = detect_layout([row, row], list_formats())
        is_text = isinstance(row.get("completion"), str)
        assert found == (strings_are_legacy.get(name, name) if is_text else name), row
        assert 0.5 < confidence < 1


def test_rows_of_two_layouts_are_no_file():
    rows = [{"prompt": "a", "completion": "b"}, {"prompt": "a", "completion": "b"}, {"messages": TALK}]
    with pytest.raises(
        diptych.FormatError, match="this row is finetune_chat, those before are finetune_legacy"
    ) as caught:
        detect_layout(rows, list_formats())
    assert caught.value.path == "row 3"
    for rows in ([], [{"nothing": 1}], ["text"], [{}], [None]):
        with pytest.raises(diptych.FormatError):
            detect_layout(rows, list_formats())


def test_a_request_body_is_no_row():
    body = {"model": "m", "messages": [USER], "temperature": 0}
    assert diptych.convert(body).format == "chat"
    assert diptych.convert({"messages": TALK}).output == TALK
    with pytest.raises(diptych.FormatError):
        detect_layout([body], list_formats())


@pytest.mark.parametrize(("name", "kind", "found"), [
    ("alpaca", None, "alpaca"), ("alpaca", "dataset", "alpaca_row"), ("messages", None, "chat"), ("openai_chat", None, "chat"), ("chat", None, "chat"),
    ("messages", "dataset", "finetune_chat"), ("dataset:messages", None, "finetune_chat"), ("api:openai", None, "chat"), ("text:alpaca", "dataset", "alpaca"), ("DPO", None, "openai_dpo"),
    ("batch", None, "openai_batch"), ("kto", None, "trl_unpaired"), ("preference", "dataset", "trl_preference"),
    ("trl messages", "dataset", "finetune_chat"), ("Prompt-Completion", "dataset", "finetune_legacy"),
    ("chatml", "dataset", "chatml"),
])  # fmt: skip
def test_names_and_aliases(name, kind, found):
    assert get(name, kind).name == found


def test_no_alias_of_a_layout_is_that_of_another():
    folded = [
        "".join(c for c in name.casefold() if c.isalnum())
        for e in list_formats()
        if e.kind == "dataset"
        for name in (e.name, *e.aliases)
    ]
    assert len(folded) == len(set(folded))
    with pytest.raises(diptych.FormatError, match="did you mean 'sharegpt'"):
        get("sharegtp", "dataset")


# what finds no place ---------------------------------------------------------------------------

FULL = Example((ASKED, LIMA, MORE, YES), answer=3, rejected=(CUSCO,), label=True, id="r1",
               request=FrozenMap({"model": "m", "temperature": 0}))  # fmt: skip


@pytest.mark.parametrize(("target", "lost"), [
    ("openai_chat", [("$.rejected", "field-dropped"), ("$.label", "field-dropped"), ("$.custom_id", "field-dropped"),
                     ("$.body.model", "parameter-dropped"), ("$.body.temperature", "parameter-dropped"), ("$.answer", "merged")]),
    ("finetune_chat", [("$.messages[1].weight", "synthesised"), ("$.rejected", "field-dropped"), ("$.label", "field-dropped"),
                       ("$.custom_id", "field-dropped"), ("$.body.model", "parameter-dropped"), ("$.body.temperature", "parameter-dropped")]),
    ("trl_unpaired", [("$.rejected", "field-dropped"), ("$.custom_id", "field-dropped"), ("$.body.model", "parameter-dropped"),
                      ("$.body.temperature", "parameter-dropped")]),
    ("openai_batch", [("$.messages[3]", "text-dropped"), ("$.rejected", "field-dropped"), ("$.label", "field-dropped")]),
    ("trl_prompt", [("$.messages[3]", "text-dropped"), ("$.rejected", "field-dropped"), ("$.label", "field-dropped"),
                    ("$.custom_id", "field-dropped"), ("$.body.model", "parameter-dropped"), ("$.body.temperature", "parameter-dropped")]),
])  # fmt: skip
def test_fields_without_a_place_are_told(target, lost):
    found = diptych.convert(FULL, target=target, on_loss="ignore")
    assert [(loss.path, loss.kind) for loss in found.losses] == lost
    assert found.verdict == "lossy"


@pytest.mark.parametrize("target", [n for n in NAMES if not get(n).asks and "label" not in get(n).carries])
def test_a_bad_answer_is_never_taught(target):
    bad = Example(
        (ASKED, CUSCO), answer=1, label=False, rejected=(LIMA,) if "rejected" in get(target).carries else None
    )
    with pytest.raises(diptych.LossError, match="would teach it"):
        diptych.convert(bad, target=target, on_loss="ignore")


@pytest.mark.parametrize("target", [n for n in NAMES if not get(n).asks])
def test_a_question_alone_teaches_nothing(target):
    for question in (Example((ASKED,), answer=1), Example((ASKED,)), Example((ASKED, LIMA, MORE), answer=3)):
        with pytest.raises(diptych.LossError, match="holds no answer to learn"):
            diptych.convert(question, target=target, on_loss="ignore")


def test_several_answers_are_cut_before_the_last_and_told():
    found = diptych.convert({"messages": LONG}, target="trl_prompt_completion", on_loss="ignore")
    assert found.output == {"prompt": LONG[:3], "completion": LONG[3:]}
    assert [(loss.path, loss.kind) for loss in found.losses] == [("$.answer", "split")]


def test_a_warning_names_the_line_that_asked():
    with pytest.warns(diptych.LossWarning, match="several answers are learnt") as caught:
        diptych.convert({"messages": LONG}, target="trl_prompt_completion", on_loss="report")
    assert [warning.filename for warning in caught] == [__file__]


def test_one_answer_makes_no_pair():
    for target in ("openai_dpo", "trl_preference"):
        with pytest.raises(diptych.LossError, match="compares two answers"):
            diptych.convert({"messages": TALK}, target=target, on_loss="ignore")


@pytest.mark.parametrize(("row", "path"), [
    ({"id": "b", "custom_id": "q", "response": {"status_code": 200, "body": {}}, "error": None}, "$.response"),
    ({"custom_id": "q", "method": "POST", "url": "/v1/embeddings", "body": {"input": "x"}}, "$.url"),
    ({"custom_id": "q", "url": "/v1/completions", "body": {"model": "m", "prompt": ["a", "b"]}}, "$.body.prompt"),
    ({"custom_id": "q", "url": "/v1/completions", "body": {"model": "m", "prompt": {}}}, "$.body.prompt"),
    ({"custom_id": "q", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"role": "elf"}]}}, "$.body.messages[0].role"),
    ({"custom_id": 3, "body": {"messages": [USER]}}, "$.custom_id"),
])  # fmt: skip
def test_lines_that_are_no_requests_are_refused(row, path):
    with pytest.raises(diptych.FormatError) as caught:
        get("openai_batch").read(row)
    assert path in (caught.value.path, *(loss.path for loss in getattr(caught.value, "losses", ())))


# hostile rows ----------------------------------------------------------------------------------

HOSTILE = ["", " x ", "a\r\nb", "a\u2028b\u0085", "\ud800", "\x00", "\ufeffx", "<|im_start|>user\nHi<|im_end|>", "<|endoftext|>",
           "\n\nHuman: Hi\n\nAssistant:", "### Response:\n", "x ->", "x\n\n###\n\n", " END", "[INST] a [/INST]", "[]", "12" * 15]  # fmt: skip
PAIRED = [name for name in NAMES if name not in ("trl_text", "openai_batch", "trl_prompt")]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", PAIRED)
def test_texts_come_through_every_layout_as_they_are(name, text):
    other_text = f"{text}?"
    rejected = (Message("assistant", f"{text}!"),) if "rejected" in get(name).carries else None
    example = Example((Message("user", text), Message("assistant", other_text)), answer=1, rejected=rejected)
    if name in ("finetune_chat", "openai_dpo") and text in ("", "\ud800"):  # OpenAI takes neither
        with pytest.raises(diptych.LossError):
            diptych.convert(example, target=name, on_loss="ignore")
        return
    found = diptych.convert(example, target=name, on_loss="ignore")
    again, _ = get(name).read(json.loads(json.dumps(found.output)))
    assert [message.content for message in again.messages] == [text, other_text]
    assert again.rejected == rejected
    assert found.verdict == "lossless"


@pytest.mark.parametrize("content", [
    [{"type": "text", "text": "a"}, {"type": "image", "index": 10**30}], [{"type": "image_url", "image_url": {"url": "u", "x": [None]}}],
    [{"type": "text", "text": 3}], [{"type": "odd", "odd": {"deep": [{"er": [1.5, True, None, "\ud800"]}]}}],
])  # fmt: skip
@pytest.mark.parametrize("name", ["trl_prompt_completion", "trl_unpaired"])
def test_parts_of_any_kind_survive(name, content):
    row = {"prompt": [{"role": "user", "content": content}], "completion": [SAID], "label": True}
    row = {key: value for key, value in row.items() if key != "label" or name == "trl_unpaired"}
    assert diptych.convert(row, source=name, target=name).output == row


@pytest.mark.parametrize(
    ("content", "text"), [({"a": 10**30}, '{"a": 1' + "0" * 30 + "}"), (3, "3"), ([1, {}], "[1, {}]"), (True, "true")]
)
def test_other_contents_become_their_json_and_are_told(content, text):
    found, told = get("finetune_chat").read({"messages": [{"role": "user", "content": content}, SAID]})
    assert found.messages[0].content == text
    assert [(loss.path, loss.kind) for loss in told] == [("$.messages[0].content", "flattened")]


def test_nothing_of_a_call_or_a_tool_is_lost_in_silence():
    call = {**CALL, "index": 0, "function": {**CALL["function"], "parsed": 1}}
    tool = {"type": "function", "strict": 1, "function": {**TIDES, "return": {"type": "string"}}}
    row = {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [call]}], "tools": [tool]}
    _, told = get("finetune_chat").read(row)
    assert {(loss.path, loss.kind) for loss in told} == {
        ("$.messages[1].tool_calls[0].index", "field-dropped"), ("$.messages[1].tool_calls[0].function.parsed", "field-dropped"),
        ("$.tools[0].strict", "field-dropped"), ("$.tools[0].function.return", "field-dropped"),
    }  # fmt: skip


def objects_of(value, path="$"):
    """Yield every object of a row that is not a JSON Schema, with its path."""
    if isinstance(value, dict):
        yield path, value
        for name, item in value.items():
            if name not in ("parameters", "arguments"):
                yield from objects_of(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from objects_of(item, f"{path}[{index}]")


@pytest.mark.parametrize("row", [golden[1] for golden in GOLDENS], ids=[f"{g[0]}-{i}" for i, g in enumerate(GOLDENS)])
def test_no_field_anywhere_is_lost_in_silence(row):
    name = detect_layout([row], list_formats())[0]
    for number, (path, _) in enumerate(objects_of(row)):
        changed = json.loads(json.dumps(row))
        [*objects_of(changed)][number][1]["zz"] = 77
        found, told = get(name).read(changed)
        is_told = (f"{path}.zz", "field-dropped") in [(loss.path, loss.kind) for loss in told]
        assert is_told != ("77" in repr(found)), (path, found, told)


def test_rows_of_a_table_have_nulls_for_what_they_do_not_say():
    """As Arrow gives them: every object has the columns of all."""
    empty = {"name": None, "tool_calls": None, "tool_call_id": None, "weight": None, "thinking": None}
    part = {"type": "text", "text": "Capital of Peru?", "image_url": None}
    row = {"messages": [{**USER, **empty, "content": [part]}, {**SAID, **empty}], "tools": None, "system": None}
    assert diptych.convert(row, source="finetune_chat", target="finetune_chat").output == {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Capital of Peru?"}]}, SAID]
    }


def test_ids_that_are_made_are_no_ids_that_are_there():
    call = {"type": "function", "function": {"name": "tides", "arguments": "{}"}}
    calls = [{**call, "id": "call_0"}, call, call]
    results = [{"role": "tool", "content": text} for text in "abc"]
    found, _ = get("finetune_chat").read({"messages": [USER, {"role": "assistant", "tool_calls": calls}, *results]})
    ids = [call.id for call in found.messages[1].tool_calls]
    assert ids == ["call_0", "call_1", "call_2"] == [message.tool_call_id for message in found.messages[2:]]


def test_a_row_nested_too_deeply_is_refused():
    deep = json.loads("[" * 900 + "]" * 900)
    with pytest.raises(diptych.FormatError, match="nested too deeply"):
        diptych.convert(
            {"messages": [{**USER, "deep": deep}, SAID]}, source="finetune_chat", target="trl_prompt_completion"
        )


BAD = [{}, [], 3, None, "text", {"prompt": 3, "completion": ""}, {"conversations": [{"from": "elf", "value": ""}]},
       {"conversations": [{"from": ["human"], "value": ""}]}, {"conversations": "x"}, {"conversations": [{"from": "human"}]},
       {"conversations": [{"from": "function_call", "value": "x"}]}, {"conversations": [{"from": "function_call", "value": "[]"}]},
       {"instruction": "x"}, {"instruction": "x", "output": "y", "history": [["a"]]}, {"instruction": "x", "output": "y", "system": 3},
       {"messages": [{"role": ["user"], "content": ""}]}, {"messages": [{"role": "user"}]}, {"messages": [3]}, {"messages": TALK, "tools": "{"},
       {"messages": TALK, "tools": 3}, {"messages": TALK, "tools": [3]}, {"messages": TALK, "tools": [{"name": "f", "parameters": 3}]},
       {"input": {}, "preferred_output": []}, {"input": {"messages": [USER]}, "preferred_output": [SAID]}, {"text": ["x"]},
       {"prompt": [USER], "completion": 3}, {"prompt": "x", "completion": "y", "label": "yes"}, {"prompt": "x", "chosen": "y"},
       {"prompt": "x", "completions": ["y"], "labels": []}, {"prompt": "x", "completions": [3], "labels": [True]}, {"message_1": "x"},
       {"question": "x", "answer": 3, "response": 3}, {"input": "x", "output": None}, {"custom_id": "x", "body": 3},
       {"messages": [{"role": "assistant", "tool_calls": [3]}]}, {"messages": [{"role": "assistant", "tool_calls": 3}]}]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_bad_rows_say_where(name):
    paths = [path for path in map(partial(path_of_error, name), BAD) if path is not None]
    assert all(path.startswith("$") for path in paths)
    assert len(paths) > len(BAD) * 0.7


def path_of_error(name, value):
    """Return where a row is wrong, None where it is not."""
    try:
        get(name).read(value)
    except diptych.FormatError as error:
        return error.path
    return None


TEXTS = st.text(st.characters(), max_size=8)


@given(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4),
    st.sampled_from([" ->", "\n\n###\n\n", ""]),
    st.sampled_from([" END", "\n", ""]),
)
def test_separators_of_a_data_set_are_taken_off(pairs, end, stop):
    rows = [{"prompt": f"{a}.{end}", "completion": f" {b}.{stop}"} for a, b in pairs]
    found = separators_of(rows)
    assert found == Separators(end, " ", stop)
    assert [tuple(m.text for m in read_row(row, found)[0].messages) for row in rows] == [
        (f"{a}.", f"{b}.") for a, b in pairs
    ]


def test_separators_are_those_of_three_quarters_of_the_rows():
    rows = [{"prompt": f"q{n} ->", "completion": f" a{n}\n"} for n in range(3)]
    odd = {"prompt": "x", "completion": "y"}
    assert separators_of([*rows, odd]) == Separators(" ->", " ", "\n")
    assert separators_of([*rows, odd, odd]) == Separators("", "", "")
    assert separators_of([]) == Separators()


@pytest.mark.parametrize("end", COMPLETION_ENDS)
def test_the_longest_mark_is_taken_of_those_that_all_texts_have(end):
    assert separators_of([{"prompt": "a", "completion": f"b{end}"}]).completion_end == end


@given(st.sampled_from(["", *COMPLETION_ENDS]), st.sampled_from(["", *COMPLETION_ENDS]))
def test_a_row_is_told_unless_it_ends_as_its_data_set_does(usual, own):
    told = read_row({"prompt": "a", "completion": f" b{own}"}, Separators("", " ", usual))[1]
    ends_so = own.endswith(usual) if usual else own in ("", "\n")
    assert [loss.path for loss in told] == ([] if ends_so else ["$.completion"])
    assert not told or (told[0].severity is Severity.EXACT) == (usual == "\n")
