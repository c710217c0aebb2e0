"""What OpenAI publishes of training and batch files, written a second time and held against the first.

The checks here are the test's own, from the pages (guides "Supervised fine-tuning", "Vision
fine-tuning", "Direct preference optimization", "Batch"; cookbook "Data preparation and analysis for
chat model fine-tuning"); none of them calls the library's.
"""

import copy
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.conversion.registry import get
from diptych.datasets.alternation import alternation
from diptych.datasets.openai_rules import FileRules
from diptych.loss import Severity
from diptych.migrate import convert_shard
from diptych.model import Example, FrozenMap, ImagePart, Message, TextPart, ToolCall, ToolSpec

# the test's own validators ---------------------------------------------------------------------


def chat_is_fine(row):
    return (
        isinstance(row, dict)
        and set(row) <= {"messages", "tools", "parallel_tool_calls", "functions"}
        and row.get("parallel_tool_calls", True) in (True, False)
        and messages_are_fine(row.get("messages"))
        and tools_are_fine(row.get("tools", []))
        and row["messages"][-1]["role"] == "assistant"
        and any(m["role"] == "assistant" and (m.get("content") or m.get("tool_calls")) for m in row["messages"])
        and any(m["role"] == "user" for m in row["messages"])
        and links_are_fine(row["messages"], row.get("tools"))
        and len(images(row["messages"])) <= 10
    )


def messages_are_fine(messages):
    return isinstance(messages, list) and bool(messages) and all(map(message_is_fine, messages))


def message_is_fine(message):
    role = message.get("role")
    fields = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal"}
    if set(message) - fields or role not in ("system", "developer", "user", "assistant", "tool", "function"):
        return False
    if "weight" in message and not (
        role == "assistant" and message["weight"] in (0, 1) and type(message["weight"]) is not bool
    ):
        return False
    if "name" in message and not re.fullmatch(r"[^\s<|\\/>]{1,64}", message["name"]):
        return False
    content = message.get("content")
    if content is None and not (
        role == "assistant" and (message.get("tool_calls") or message.get("function_call") or message.get("refusal"))
    ):
        return False
    if content == "" and role != "tool" and not message.get("tool_calls"):
        return False
    if "\\ud" in json.dumps(content) and re.search("[\ud800-\udfff]", str(content)):
        return False
    if isinstance(content, list):
        if not content or not all(part["type"] in ("text", "image_url") for part in content):
            return False
        if role != "user" and any(part["type"] == "image_url" for part in content):
            return False
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        return False
    return calls_are_fine(message.get("tool_calls"), role)


def calls_are_fine(calls, role):
    if calls is None:
        return True
    return role == "assistant" and bool(calls) and all(
        isinstance(call["id"], str) and call["type"] == "function" and isinstance(call["function"]["arguments"], str)
        and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", call["function"]["name"])
        for call in calls
    )  # fmt: skip


def links_are_fine(messages, tools):
    """Every call is of a tool that is declared, has its result right behind it, and every result its call."""
    names = {tool["function"]["name"] for tool in tools} if tools else None
    while messages:
        message, *messages = messages
        if message["role"] == "tool":
            return False
        calls = message.get("tool_calls") or []
        results = []
        while messages and messages[0]["role"] == "tool":
            results.append(messages.pop(0)["tool_call_id"])
        ids = [call["id"] for call in calls]
        if len({*ids}) < len(ids) or {*results} - {*ids} or len({*results}) < len(results):
            return False
        if ids and sorted(results) != sorted(ids) and (messages or results):
            return False
        for call in calls:
            if names is not None and call["function"]["name"] not in names:
                return False
            if type(loaded(call["function"]["arguments"])) is not dict:
                return False
    return True


def loaded(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def tools_are_fine(tools):
    return len(tools) <= 128 and all(
        tool["type"] == "function" and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool["function"]["name"]) for tool in tools
    )


def images(messages):
    return [p for m in messages if isinstance(m.get("content"), list) for p in m["content"] if p["type"] == "image_url"]


def preference_is_fine(row):
    asked = row["input"]
    outputs = [row["preferred_output"], row["non_preferred_output"]]
    return (
        set(row) == {"input", "preferred_output", "non_preferred_output"}
        and set(asked) <= {"messages", "tools", "parallel_tool_calls"}
        and messages_are_fine(asked["messages"])
        and links_are_fine(asked["messages"], asked.get("tools"))
        and asked["messages"][-1]["role"] in ("user", "tool")
        and tools_are_fine(asked.get("tools", []))
        and all(len(o) == 1 and o[0]["role"] == "assistant" and message_is_fine(o[0]) for o in outputs)
        and not images([*asked["messages"], *outputs[0], *outputs[1]])
    )


def line_is_fine(row):
    return (
        list(row) == ["custom_id", "method", "url", "body"]
        and isinstance(row["custom_id"], str)
        and row["custom_id"] != ""
        and row["method"] == "POST"
        and row["url"] == "/v1/chat/completions"
        and isinstance(row["body"].get("model"), str)
        and row["body"]["model"] != ""
        and bool(row["body"]["messages"])
        and not row["body"].get("stream")
        and tools_are_fine(row["body"].get("tools", []))
    )


# what is written is fine -------------------------------------------------------------------------

TEXT = st.text(st.characters(), max_size=5)
NAME = st.none() | st.sampled_from(["ann", "Ann Lee", "a" * 64, "a" * 65, "a<b", "", "é"])
FUNCTION = st.sampled_from(["f", "get-it_2", "no name", "n" * 65, ""])
PARTS = st.lists(TEXT.map(TextPart) | st.just(ImagePart("https://x.example/a.png")), min_size=0, max_size=12).map(tuple)


@st.composite
def examples(draw):
    messages = [Message("system", draw(TEXT))] if draw(st.booleans()) else []
    messages.append(Message("user", draw(TEXT | TEXT | PARTS), draw(NAME)))
    if draw(st.booleans()):
        messages.append(Message("assistant", None, tool_calls=(ToolCall("c", draw(FUNCTION), "{}"),)))
        messages.append(Message("tool", draw(TEXT), tool_call_id=draw(st.sampled_from(["c", "c", None]))))
    answer = len(messages)
    extra = draw(st.sampled_from([{}, {}, {"weight": 1}, {"weight": 2}, {"weight": True}, {"note": 1}]))
    messages.append(Message("assistant", draw(st.none() | TEXT | PARTS), extra=FrozenMap(extra)))
    return Example(
        tuple(messages),
        (ToolSpec(draw(FUNCTION)),) * draw(st.sampled_from([0, 0, 1, 128, 129])),
        answer=answer,
        rejected=(Message("assistant", draw(TEXT)),) if draw(st.booleans()) else None,
        id=draw(st.sampled_from([None, "", "r1"])),
        request=FrozenMap(draw(st.sampled_from([{}, {"model": "m"}, {"model": ""}, {"model": "m", "stream": True}]))),
    )


@pytest.mark.parametrize(
    ("name", "is_fine"),
    [("finetune_chat", chat_is_fine), ("openai_dpo", preference_is_fine), ("openai_batch", line_is_fine)],
)
@given(example=examples())
def test_what_is_written_passes_and_what_is_refused_would_not(name, is_fine, example):
    entry = get(name)
    row, losses = entry.write(example)
    if any(loss.severity is Severity.REFUSED for loss in losses):
        return
    broken = [*entry.rules(row)]
    assert all(loss.kind == "unsupported" and loss.path.startswith("$.") and loss.detail for loss in broken)
    assert bool(is_fine(row)) == (not broken), (row, broken)


# the cookbook's published checks ------------------------------------------------------------------


def cookbook_errors(row):
    """The checks of "Data preparation and analysis for chat model fine-tuning", by the names it gives its counts.

    It is of 2023: a call of tools stands for its ``function_call``, and its list of keys has no tools.
    """
    messages = row.get("messages")
    if not messages:
        return ["missing_messages_list"]
    found = []
    for message in messages:
        if "role" not in message or not ("content" in message or "tool_calls" in message):
            found.append("message_missing_key")
        if set(message) - {"role", "content", "name", "function_call", "weight", "tool_calls", "tool_call_id", "refusal"}:
            found.append("message_unrecognized_key")
        if message.get("role") not in ("system", "developer", "user", "assistant", "function", "tool"):
            found.append("unrecognized_role")
        content = message.get("content")
        called = message.get("function_call") or message.get("tool_calls") or message.get("role") == "tool"
        if not (content or called) or not isinstance(content, str | list | None):
            found.append("missing_content")
    if not any(message.get("role") == "assistant" for message in messages):
        found.append("example_missing_assistant_message")
    return found


@given(example=examples())
def test_what_passes_has_none_of_the_cookbooks_errors(example):
    row, losses = get("finetune_chat").write(example)
    is_refused = any(loss.severity is Severity.REFUSED for loss in (*losses, *get("finetune_chat").rules(row)))
    assert is_refused or cookbook_errors(row) == []


# speakers in turn ---------------------------------------------------------------------------------

CALLED = Message("assistant", None, tool_calls=(ToolCall("c", "f", "{}"),))
SYSTEM, USER, SAID, RESULT = (
    Message("system", "s"), Message("user", "u"), Message("assistant", "a"), Message("tool", "r", tool_call_id="c")
)  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "at"),
    [
        ([USER, SAID], []), ([SYSTEM, USER, SAID, USER, SAID], []), ([SYSTEM, SYSTEM, USER, SAID], []),
        ([USER, CALLED, RESULT, SAID], []), ([USER, CALLED, RESULT, RESULT, CALLED, RESULT, SAID], []),
        ([SAID], [0]), ([USER, USER, SAID], [1]), ([USER, SAID, SAID], [2]), ([USER, SYSTEM, SAID], [1]),
        ([USER, CALLED, SAID], [2]), ([USER, RESULT, SAID], [1]), ([USER, CALLED, RESULT, USER, SAID], [3]),
    ],
)  # fmt: skip
def test_speakers_in_turn(messages, at):
    assert [loss.path for loss in alternation(Example(tuple(messages)))] == [f"$.messages[{n}]" for n in at]


def test_a_worse_answer_is_in_turn_too():
    found = alternation(Example((USER, SAID), answer=1, rejected=(SAID, SAID)))
    assert [loss.path for loss in found] == ["$.rejected[1]"]


def test_speakers_are_in_turn_only_where_that_is_asked(tmp_path):
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]}
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    spec = {"from": "finetune_chat", "to": "sharegpt"}
    assert convert_shard(tmp_path / "in.jsonl", tmp_path / "a.jsonl", spec).converted == 1
    assert convert_shard(tmp_path / "in.jsonl", tmp_path / "b.jsonl", {**spec, "rules": ["alternation"]}).rejected == 1
    with pytest.raises(diptych.MigrationError, match="no rule 'alternating'"):
        convert_shard(tmp_path / "in.jsonl", tmp_path / "c.jsonl", {**spec, "rules": ["alternating"]})


# each format to itself ----------------------------------------------------------------------------

LAYOUTS = [entry.name for entry in diptych.list_formats("dataset") if entry.read and entry.write]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_row_of_a_layout_is_itself_byte_for_byte(tmp_path, name):
    """A mark of the beginning goes, and the end of the line; what stands between stays as it was written."""
    label, request = (True if "label" in get(name).carries else None), {"model": "m"}
    rejected = (Message("assistant", "No."),) if "rejected" in get(name).carries else None
    answer = () if get(name).asks else (Message("assistant", "é \u2028 Yes."),)
    example = Example((Message("user", "Hi?"), *answer), answer=1, label=label, rejected=rejected, id="r1", request=FrozenMap(request))
    row, _ = get(name).write(example)
    line = json.dumps(row, ensure_ascii=False, indent=None, separators=(" ,", ":  ")).encode()
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + line + b"\r\n" + line)
    counts = convert_shard(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {"from": name, "to": name})
    assert counts.losses == {}
    assert (tmp_path / "out.jsonl").read_bytes() == line + b"\n" + line + b"\n"


# what is broken is caught ------------------------------------------------------------------------

CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Tide?"}, {"type": "image_url", "image_url": {"url": "u"}}], "name": "ann"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "tides", "arguments": "{}"}}], "weight": 0},
        {"role": "tool", "tool_call_id": "c", "content": "high"},
        {"role": "assistant", "content": "High.", "weight": 1},
    ],
    "tools": [{"type": "function", "function": {"name": "tides", "parameters": {}}}],
    "parallel_tool_calls": False,
}  # fmt: skip
DPO = {
    "input": {"messages": [{"role": "user", "content": "Tide?"}], "tools": CHAT["tools"], "parallel_tool_calls": True},
    "preferred_output": [{"role": "assistant", "content": "High."}],
    "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
}
LINE = {"custom_id": "q", "method": "POST", "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": [{"role": "user", "content": "Tide?"}], "tools": CHAT["tools"]}}  # fmt: skip
FINE = {"finetune_chat": CHAT, "openai_dpo": DPO, "openai_batch": LINE}
IMAGE = {"type": "image_url", "image_url": {"url": "u"}}
GONE = object()

#: Layout, where the row is changed, to what; where the breach is told.
MUTANTS = [
    ("finetune_chat", "messages", [], "$.messages"),
    ("finetune_chat", "messages", GONE, "$.messages"),
    ("finetune_chat", "messages", "x", "$.messages"),
    ("finetune_chat", "messages/0", 3, "$.messages[0]"),
    ("finetune_chat", "messages/0/role", "elf", "$.messages[0].role"),
    ("finetune_chat", "messages/0/mood", "x", "$.messages[0].mood"),
    ("finetune_chat", "messages/0/content", GONE, "$.messages[0].content"),
    ("finetune_chat", "messages/0/content", [], "$.messages[0].content"),
    ("finetune_chat", "messages/0/content", "", "$.messages[0].content"),
    ("finetune_chat", "messages/1/content", "", "$.messages[1].content"),
    ("finetune_chat", "messages/1/content", "a\ud800", "$.messages[1].content"),
    ("finetune_chat", "messages/1/content/0/text", "\udfff", "$.messages[1].content"),
    ("finetune_chat", "messages/4/content", "", "$.messages[4].content"),
    ("finetune_chat", "messages/1/role", "developer", "$.messages"),
    ("finetune_chat", "messages/2/tool_calls/0/id", "d", "$.messages[2].tool_calls[0]"),
    ("finetune_chat", "messages/3/tool_call_id", "d", "$.messages[3].tool_call_id"),
    ("finetune_chat", "messages/3/role", "user", "$.messages[2].tool_calls[0]"),
    ("finetune_chat", "messages/2/tool_calls", CHAT["messages"][2]["tool_calls"] * 2, "$.messages[2].tool_calls[1].id"),
    ("finetune_chat", "messages/2/tool_calls/0/function/arguments", "{", "$.messages[2].tool_calls[0].function.arguments"),
    ("finetune_chat", "messages/2/tool_calls/0/function/arguments", "[]", "$.messages[2].tool_calls[0].function.arguments"),
    ("finetune_chat", "messages/2/tool_calls/0/function/name", "moon", "$.messages[2].tool_calls[0].function.name"),
    ("openai_dpo", "preferred_output/0/content", "", "$.preferred_output[0].content"),
    ("finetune_chat", "messages/0/content", {}, "$.messages[0].content"),
    ("finetune_chat", "messages/0/content", [IMAGE], "$.messages[0].content[0]"),
    ("finetune_chat", "messages/4/content", [IMAGE], "$.messages[4].content[0]"),
    ("finetune_chat", "messages/1/content/0", {"type": "input_audio", "input_audio": {}}, "$.messages[1].content[0]"),
    ("finetune_chat", "messages/1/content/0", {"type": "file", "file": {}}, "$.messages[1].content[0]"),
    ("finetune_chat", "messages/1/content/0/text", 3, "$.messages[1].content[0].text"),
    ("finetune_chat", "messages/1/content", [IMAGE] * 11, "$.messages"),
    ("finetune_chat", "messages/1/name", "Ann Lee", "$.messages[1].name"),
    ("finetune_chat", "messages/1/name", "a" * 65, "$.messages[1].name"),
    ("finetune_chat", "messages/1/name", "ann\n", "$.messages[1].name"),
    ("finetune_chat", "messages/1/weight", 0, "$.messages[1].weight"),
    ("finetune_chat", "messages/4/weight", 0.5, "$.messages[4].weight"),
    ("finetune_chat", "messages/4/weight", True, "$.messages[4].weight"),
    ("finetune_chat", "messages/4/weight", "1", "$.messages[4].weight"),
    ("finetune_chat", "messages/4/content", None, "$.messages[4].content"),
    ("finetune_chat", "messages/4/role", "user", "$.messages[4].role"),
    ("finetune_chat", "messages/3/tool_call_id", GONE, "$.messages[3].tool_call_id"),
    ("finetune_chat", "messages/2/tool_calls", [], "$.messages[2].tool_calls"),
    ("finetune_chat", "messages/2/tool_calls/0/type", "custom", "$.messages[2].tool_calls[0]"),
    ("finetune_chat", "messages/2/tool_calls/0/function/name", "a b", "$.messages[2].tool_calls[0].function.name"),
    ("finetune_chat", "messages/2/tool_calls/0/function/arguments", {}, "$.messages[2].tool_calls[0].function.arguments"),
    ("finetune_chat", "tools", CHAT["tools"] * 129, "$.tools"),
    ("finetune_chat", "tools", {}, "$.tools"),
    ("finetune_chat", "tools/0/function", GONE, "$.tools[0]"),
    ("finetune_chat", "tools/0/function/name", "n" * 65, "$.tools[0].function.name"),
    ("finetune_chat", "parallel_tool_calls", "yes", "$.parallel_tool_calls"),
    ("finetune_chat", "model", "m", "$.model"),
    ("openai_dpo", "input", GONE, "$.input"),
    ("openai_dpo", "input/messages", [], "$.input.messages"),
    ("openai_dpo", "input/messages/0/role", "assistant", "$.input.messages[0].role"),
    ("openai_dpo", "input/messages/0/content", [IMAGE], "$.input.messages[0].content"),
    ("openai_dpo", "input/seed", 1, "$.input.seed"),
    ("openai_dpo", "preferred_output", [], "$.preferred_output"),
    ("openai_dpo", "preferred_output", DPO["preferred_output"] * 2, "$.preferred_output"),
    ("openai_dpo", "preferred_output/0/role", "user", "$.preferred_output[0].role"),
    ("openai_dpo", "non_preferred_output", GONE, "$.non_preferred_output"),
    ("openai_dpo", "non_preferred_output/0/content", None, "$.non_preferred_output[0].content"),
    ("openai_dpo", "note", 1, "$.note"),
    ("openai_batch", "custom_id", "", "$.custom_id"),
    ("openai_batch", "custom_id", 3, "$.custom_id"),
    ("openai_batch", "custom_id", GONE, "$.custom_id"),
    ("openai_batch", "method", "GET", "$.method"),
    ("openai_batch", "url", "/v2/chat", "$.url"),
    ("openai_batch", "url", GONE, "$.url"),
    ("openai_batch", "url", "/v1/completions", "$.body.prompt"),
    ("openai_batch", "body", GONE, "$.body"),
    ("openai_batch", "body/model", GONE, "$.body.model"),
    ("openai_batch", "body/stream", True, "$.body.stream"),
    ("openai_batch", "body/messages", [], "$.body.messages"),
    ("openai_batch", "body/tools/0/function/name", "a.b", "$.body.tools[0].function.name"),
    ("openai_batch", "note", 1, "$.note"),
]  # fmt: skip


def changed(row, place, value):
    row = copy.deepcopy(row)
    *steps, last = [int(step) if step.isdigit() else step for step in place.split("/")]
    inner = row
    for step in steps:
        inner = inner[step]
    if value is GONE:
        del inner[last]
    else:
        inner[last] = value
    return row


@pytest.mark.parametrize("name", FINE)
def test_rows_in_order_break_no_rule(name):
    assert [*get(name).rules(FINE[name])] == []


@pytest.mark.parametrize(
    ("name", "place", "value", "path"), MUTANTS, ids=[f"{m[0]}-{m[1]}-{i}" for i, m in enumerate(MUTANTS)]
)
def test_a_broken_row_is_caught_where_it_is_broken(name, place, value, path):
    found = [*get(name).rules(changed(FINE[name], place, value))]
    assert path in [loss.path for loss in found], found
    assert all(loss.severity is Severity.REFUSED and loss.detail for loss in found)


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("value", [None, 3, "x", [], {}])
def test_rules_take_any_value(name, value):
    assert [*get(name).rules(value)]


@given(st.data())
def test_rules_never_fail_on_a_row_of_any_shape(data):
    """Any value anywhere in a row is judged, and raises nothing."""
    name = data.draw(st.sampled_from(sorted(FINE)))
    row = copy.deepcopy(FINE[name])
    inner = row
    while True:
        keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
        key = data.draw(st.sampled_from([*keys]))
        if not inner[key] or not isinstance(inner[key], dict | list) or data.draw(st.booleans()):
            inner[key] = data.draw(
                st.sampled_from([None, 3, "", "x", [], [[]], [3], {}, {"a": 1}, True, [{"type": []}], {"role": []}])
            )
            break
        inner = inner[key]
    assert all(loss.path.startswith("$") for loss in get(name).rules(row))


def test_convert_refuses_what_the_receiver_would():
    rows = [({"messages": [{"role": "user", "content": "x", "name": "Ann Lee"}, {"role": "assistant", "content": "y"}]}, "finetune_chat", "name"),
            ({"custom_id": "", "body": {"model": "m", "messages": [{"role": "user", "content": "x"}]}}, "openai_batch", "id of its own"),
            ({"prompt": "x"}, "openai_batch", "id of its own")]  # fmt: skip
    for row, target, said in rows:
        with pytest.raises(diptych.LossError, match=said):
            diptych.convert(row, target=target, on_loss="ignore")


# whole files ---------------------------------------------------------------------------------------


def losses_of(layout, rows, size=None):
    rules = FileRules(layout)
    for row in rows:
        rules.add(row, len(json.dumps(row)) if size is None else size)
    found = rules.losses()
    assert all(loss.severity is Severity.REFUSED for loss in found)
    return [str(loss) for loss in found]


def lines(count, **changes):
    for number in range(count):
        yield {**LINE, "custom_id": f"q{number}", **changes}


def test_files_in_order_break_no_rule():
    assert losses_of("openai_batch", lines(50_000)) == []
    assert losses_of("finetune_chat", [CHAT] * 10) == []
    assert losses_of("openai_dpo", [DPO] * 10) == []
    assert losses_of("sharegpt", [{}]) == []


def test_what_a_batch_must_not_be():
    assert losses_of("openai_batch", lines(50_001)) == ["$: unsupported: 50,001 lines: a batch has at most 50,000"]
    assert losses_of("openai_batch", lines(3), size=70_000_000) == [
        "$: unsupported: 210,000,000 bytes: a batch has at most 200,000,000"
    ]
    twice = [*lines(3), *lines(2)]
    assert losses_of("openai_batch", twice) == ["line 4: $.custom_id: unsupported: 2 ids came before, first 'q0'"]
    mixed = [*lines(1), {**LINE, "custom_id": "z", "url": "/v1/completions", "body": {"model": "other"}}]
    assert losses_of("openai_batch", mixed) == [
        "line 2: $.url: unsupported: /v1/completions beside /v1/chat/completions: a batch has one",
        "line 2: $.body.model: unsupported: other beside m: a batch has one",
    ]
    assert losses_of("openai_batch", [None, {**LINE, "custom_id": "\ud800"}]) == []


def test_what_a_training_file_must_not_be():
    assert losses_of("finetune_chat", [CHAT] * 9) == ["$: unsupported: 9 rows: fine-tuning takes at least 10"]
    assert losses_of("openai_dpo", [DPO] * 10, size=60_000_000) == [
        "$: unsupported: 600,000,000 bytes: a file has at most 512,000,000"
    ]
    assert losses_of("finetune_chat", [CHAT] * 50_001, size=1) == [
        "$: unsupported: 50,001 rows with images: there are at most 50,000"
    ]


def test_a_long_file_takes_no_more_memory_than_a_batch_may_have_lines():
    rules = FileRules("openai_batch")
    for line in lines(60_000):
        rules.add(line, 1)
    assert len(rules._ids) == 50_000
