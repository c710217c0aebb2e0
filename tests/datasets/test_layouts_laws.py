"""Laws of the layouts: what is lost is told, what is told is lost, from every layout to every other."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diptych
from diptych.conversion.registry import get, list_formats
from diptych.loss import Severity, worst
from diptych.model import Example, FrozenMap, Message, OtherPart, ResponseFormat, TextPart, ToolCall, ToolSpec, thaw

NAMES = [entry.name for entry in list_formats() if entry.kind == "dataset"]
HOSTILE = [
    "", " ", " a ", "a\n", "\r\n", "\u2028x\u2029", "\ud800", "\x00", "\ufeff", "é\U0001f600", "[1, 2]", "null", "x ->",
    "<|im_start|>user\nHi<|im_end|>\n", "<|im_start|>system\nBe\n<|im_end|>", "<|im_end|>", "[INST] Hi [/INST]",
    "Human: Hi\n\nAssistant: Yo", "### Instruction:\nDo\n\n### Response:\nDone", "User: a\nAssistant:", " END", "\n\n###\n\n",
    "<|eot_id|>", '{"name": "f", "arguments": {}}', "<image>", "<PRE> a <SUF>b <MID>", "12345678901234567890123456789012",
]  # fmt: skip
TEXT = st.sampled_from(HOSTILE) | st.text(st.characters(), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", min_size=1), inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = st.sampled_from(["{}", "", "no JSON", '{"a":1}', '{"n": NaN}', "[]"]) | st.dictionaries(
    st.text("ab", max_size=2), JSON, max_size=2
).map(json.dumps)
EXTRA = st.just(FrozenMap()) | st.sampled_from([FrozenMap({"note": 10**30}), FrozenMap({"note": {"a": [None]}})])
PARTS = st.lists(
    TEXT.map(TextPart) | st.just(OtherPart(FrozenMap({"type": "image", "n": 10**30}))), min_size=1, max_size=3
).map(tuple)
SPEC = ToolSpec("f", "does f", FrozenMap({"type": "object", "properties": {"a": {"type": "string"}}}))


@st.composite
def turns(draw, is_plain):
    """A question and its answer, which may call a tool first."""
    name = None if is_plain else draw(st.none() | st.sampled_from(["ann", "bob"]))
    content = draw(TEXT if is_plain else TEXT | PARTS)
    found = [Message("user", content, name, extra=FrozenMap() if is_plain else draw(EXTRA))]
    if not is_plain and draw(st.booleans()):
        ids = draw(st.sampled_from([["call_0"], ["x"], ["call_0", "call_1"], ["b", "a"]]))
        said = draw(st.none() | TEXT)
        calls = tuple(ToolCall(id_, "f", draw(ARGUMENTS)) for id_ in ids)
        found.append(Message("assistant", said, tool_calls=calls))
        found += [Message("tool", draw(TEXT), tool_call_id=id_) for id_ in ids]
    reasoning = None if is_plain else draw(st.none() | TEXT)
    weight = FrozenMap() if is_plain else draw(st.just(FrozenMap()) | st.sampled_from([FrozenMap({"weight": 1})]))
    return [*found, Message("assistant", draw(TEXT), reasoning=reasoning, extra=weight)]


@st.composite
def examples(draw):
    """A row of any layout: half of them plain enough for the layouts that hold texts only."""
    is_plain = draw(st.booleans())
    system = draw(st.none() | st.tuples(st.sampled_from(["system", "system", "developer"]), TEXT))
    rounds = [draw(turns(is_plain)) for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3])))]
    messages = [Message(*system)] if system else []
    starts = []
    for found in rounds:
        starts.append(len(messages) + 1)
        messages += found
    answer = draw(st.none() | st.just(starts[-1]) | st.sampled_from(starts))
    if draw(st.integers(0, 7)) == 0:
        messages = messages[: starts[-1]]
        answer = len(messages)
    rejected = draw(st.none() | st.lists(TEXT.map(lambda t: Message("assistant", t)), min_size=1, max_size=2))
    return Example(
        tuple(messages),
        draw(st.just(()) | st.just((SPEC,))) if not is_plain else (),
        draw(st.none() | st.just(ResponseFormat("json_object"))) if not is_plain else None,
        answer=answer,
        rejected=None if rejected is None else tuple(rejected),
        label=draw(st.sampled_from([None, None, True, False])),
        id=draw(st.sampled_from([None, "row-1"])),
        request=FrozenMap(
            draw(st.sampled_from([{}, {"model": "m"}, {"model": "m", "seed": 10**30}, {"parallel_tool_calls": False}]))
        ),
    )


@st.composite
def wild_message(draw):
    """A message in any place: of any role, with anything a message may have."""
    role = draw(st.sampled_from(["system", "developer", "user", "user", "assistant", "assistant", "tool"]))
    extra = draw(
        st.sampled_from([{}, {}, {"weight": 0}, {"weight": 1}, {"label": True}, {"label": False}, {"note": 10**30}])
    )
    is_plain = role != "assistant" or draw(st.booleans())
    return Message(
        role,
        draw(TEXT | PARTS if is_plain else st.none() | TEXT),
        draw(st.sampled_from([None, None, "ann"])),
        ()
        if is_plain
        else draw(
            st.lists(st.builds(ToolCall, st.sampled_from(["call_0", "x"]), st.just("f"), ARGUMENTS), max_size=2).map(
                tuple
            )
        ),
        draw(st.sampled_from([None, "call_0", "x"])) if role == "tool" else None,
        draw(st.none() | TEXT) if role == "assistant" else None,
        FrozenMap(extra),
    )


@st.composite
def wild_examples(draw):
    """Messages in no order at all, an answer that begins anywhere."""
    messages = tuple(draw(st.lists(wild_message(), max_size=4)))
    return Example(
        messages,
        answer=draw(st.none() | st.integers(0, len(messages))),
        rejected=draw(st.none() | st.lists(wild_message(), max_size=2).map(tuple)),
        label=draw(st.sampled_from([None, True, False])),
    )


# what differs, in the test's own words ---------------------------------------------------------


def shown(message):
    """A content as it is compared: an absent one, an empty one and no parts are the same."""
    pieces = []
    for part in message.content_parts:
        if not isinstance(part, TextPart):
            pieces.append(part)
        elif pieces and isinstance(pieces[-1], str):
            pieces[-1] += part.text
        elif part.text:
            pieces.append(part.text)
    return pieces


def meant(arguments):
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def fields(message):
    calls = [(call.name, call.id, meant(call.arguments)) for call in message.tool_calls]
    extra = {key: thaw(value) for key, value in message.extra.items() if key != "content"}
    return {
        "role": message.role, "content": shown(message), "name": message.name, "tool_calls": repr(calls) if calls else "",
        "tool_call_id": message.tool_call_id, "reasoning": message.reasoning or None, **extra,
    }  # fmt: skip


def differing(before, after, path):
    if len(before) != len(after):
        return {path}
    found = set()
    for index, (a, b) in enumerate(zip(map(fields, before), map(fields, after), strict=True)):
        found |= {f"{path}[{index}].{key}" for key in a | b if a.get(key) != b.get(key)}
    return found


def border(messages, answer):
    """Where the answer begins, None where the messages alone show it."""
    first = next((i for i, m in enumerate(messages) if m.role == "assistant"), len(messages))
    is_question = not messages or messages[-1].role != "assistant"
    return None if answer == first or (is_question and answer == len(messages)) else answer


def differences(before, after, losses):
    """The paths at which two examples differ."""
    cut = [loss.path for loss in losses if loss.kind == "text-dropped"]
    if cut:
        kept = len(before.messages) - len(cut)
        assert cut == [f"$.messages[{index}]" for index in range(kept, len(before.messages))]
        assert len(after.messages) == kept
        before = replace(before, messages=before.messages[:kept], answer=kept)
    found = {f"{path}" for path in cut} | differing(before.messages, after.messages, "$.messages")
    if border(before.messages, before.answer) != border(after.messages, after.answer) and "$.messages" not in found:
        found.add("$.answer")
    if before.rejected is None or after.rejected is None:
        found |= {"$.rejected"} if before.rejected != after.rejected else set()
    else:
        found |= differing(before.rejected, after.rejected, "$.rejected")
    found |= {"$.label"} if before.label != after.label else set()
    found |= {"$.custom_id"} if before.id != after.id else set()
    found |= {"$.tools"} if before.tools != after.tools else set()
    found |= {"$.response_format"} if before.response_format != after.response_format else set()
    keys = {*before.request, *after.request}
    return found | {f"$.body.{key}" for key in keys if before.request.get(key) != after.request.get(key)}


def covers(loss, path):
    return path.startswith(loss.path) or loss.path.startswith(f"{path}.") or loss.path.startswith(f"{path}[")


def converted(value, target, source="auto"):
    """Convert a value, None where it is refused."""
    try:
        return diptych.convert(value, source=source, target=target, on_loss="ignore")
    except diptych.LossError as error:
        refused = [loss for loss in error.losses if loss.severity is Severity.REFUSED]
    assert refused
    return None


def check(example, name):
    """Write an example in a layout and read it again; return the row, None where it is refused."""
    found = converted(example, name)
    if found is None:
        return None
    assert repr(json.loads(json.dumps(found.output))) == repr(found.output)
    again, told = get(name).read(found.output)
    above = [loss for loss in told if loss.severity > Severity.EXACT]
    # A text without a user may be learnt; it goes to no other layout.
    assert not above or (
        name == "trl_text" and len(again.messages) == 1 and {loss.path for loss in above} == {"$.text"}
    )
    differ = differences(example, again, found.losses)
    told = [loss for loss in found.losses if loss.kind != "flattened"]
    silent = [path for path in differ if not any(covers(loss, path) for loss in told)]
    assert not silent, (silent, example, found.output, found.losses)
    for loss in told:
        if loss.severity > Severity.EXACT:
            # Where the number of messages changed, no border can be compared.
            is_open = loss.path == "$.answer" and "$.messages" in differ
            assert is_open or any(covers(loss, path) for path in differ), (loss, example, found.output)
    results = [m for m in (*example.messages, *(example.rejected or ())) if m.role == "tool"]
    # Reading links a result that names no call, and a text may itself be in a format of marks, which is told.
    is_text = name == "trl_text" and len(differ) > 0
    # A weight of what is no answer says nothing, and is not read.
    spoken = (*example.messages, *(example.rejected or ()))
    is_weighed = any(m.role != "assistant" and m.extra.get("weight") == 0 for m in spoken)
    if all(message.tool_call_id for message in results) and not is_text and not is_weighed:
        assert repr(get(name).write(again)[0]) == repr(found.output)
    return found.output


@pytest.mark.parametrize("name", NAMES)
@given(examples() | wild_examples())
def test_what_is_lost_is_told_and_what_is_told_is_lost(name, example):
    check(example, name)


@pytest.mark.parametrize("source", NAMES)
@settings(max_examples=settings.default.max_examples // 3)  # each is tried in several layouts
@given(example=examples() | wild_examples(), targets=st.sets(st.sampled_from(NAMES), min_size=3, max_size=3))
def test_from_every_layout_to_every_other(source, example, targets):
    row = check(example, source)
    if row is None:
        return
    held, told = get(source).read(row)
    is_refused = worst(told) is Severity.REFUSED
    for target in targets:
        direct = check(held, target)
        found = converted(row, target, source)
        if is_refused:
            assert found is None or (source == target and found.output == row)
        else:
            assert repr(found and found.output) == repr(direct)


ROUNDS = tuple(Message(role, f"{role} {number}") for number in range(2) for role in ("user", "assistant"))
SEVERAL = {
    "openai_dpo", "sharegpt", "alpaca_row", "trl_preference", "finetune_chat", "message_pairs", "trl_unpaired",
}  # fmt: skip
FIELDS = {"rejected": (Message("assistant", "worse"),), "label": True, "id": "row-1"}


@pytest.mark.parametrize("name", NAMES)
def test_the_laws_are_not_empty(name):
    """Every layout holds an example with an answer, several rounds where it has them, each field that it carries."""
    carried = {field: value for field, value in FIELDS.items() if field in get(name).carries}
    messages = ROUNDS if name in SEVERAL else ROUNDS[:2]
    request = FrozenMap({"model": "m"} if "request" in get(name).carries else {})
    example = Example(messages, answer=len(messages) - 1, request=request, **carried)
    again = get(name).read(converted(example, name).output)[0]
    asks = get(name).asks
    assert [m.text for m in again.messages] == [m.text for m in messages[: len(messages) - asks]]
    assert {field: getattr(again, field) for field in carried} == carried
