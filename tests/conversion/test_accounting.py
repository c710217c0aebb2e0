"""What a reader or a writer leaves out is reported by the engine, with its path in the source."""

from dataclasses import replace

import pytest

import diptych
from diptych.conversion.accounting import Comparison, accounted, is_empty, is_same, is_under
from diptych.conversion.registry import get

TALK = {"role": "user", "content": "hi"}
THOUGHT = [{"type": "thinking", "thinking": "t", "signature": "SIG"}, {"type": "text", "text": "a"}]
CACHED = {"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}
GEMINI = [
    {"role": "user", "parts": [{"text": "hi"}]},
    {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "SIG"}]},
]
BEDROCK = [
    {"role": "user", "content": [{"text": "a"}]},
    {
        "role": "assistant",
        "content": [{"reasoningContent": {"reasoningText": {"text": "t", "signature": "S"}}}, {"text": "b"}],
    },
]
SAMPLED = {"model": "m", "temperature": 0.1, "max_tokens": 5, "messages": [TALK]}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]

#: Source, value, and what has no place in any other API. Into its own format each stays as it is.
LOST = [
    ("anthropic", {"messages": [TALK, {"role": "assistant", "content": THOUGHT}]},
     [("$.messages[1].content[0].signature", "field-dropped")]),
    ("anthropic", {"system": [CACHED], "messages": [TALK]}, [("$.system[0].cache_control", "field-dropped")]),
    ("anthropic", [{"role": "user", "content": [CACHED]}], [("$[0].content[0].cache_control", "field-dropped")]),
    ("gemini", {"contents": GEMINI}, [("$.contents[1].parts[0].thoughtSignature", "field-dropped")]),
    ("gemini", {"contents": GEMINI[:1], "generationConfig": {"presencePenalty": 0.2}},
     [("$.generationConfig.presencePenalty", "parameter-dropped")]),
    ("bedrock", {"messages": BEDROCK},
     [("$.messages[1].content[0].reasoningContent.reasoningText.signature", "field-dropped")]),
    ("responses", {"input": [{"type": "message", "id": "msg_1", **TALK}], "store": False},
     [("$.store", "parameter-dropped"), ("$.input[0].id", "field-dropped")]),
    ("openai_chat", {**SAMPLED, "seed": 7}, [("$.seed", "parameter-dropped")]),
    ("chat", {**SAMPLED, "store": True, "tool_choice": "required", "tools": TOOLS}, [("$.store", "parameter-dropped")]),
    ("chat", [{"role": "user", "content": [CACHED]}], [("$.messages[0].content[0].cache_control", "field-dropped")]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "value", "lost"), LOST)
@pytest.mark.parametrize("target", ["anthropic", "chatml"])
def test_what_a_reader_leaves_out(source, value, lost, target):
    if source == "anthropic" == target:
        target = "bedrock"
    with pytest.raises(diptych.LossError):
        diptych.convert(value, source=source, target=target)
    found = diptych.convert(value, source=source, target=target, on_loss="ignore")
    assert found.verdict == "lossy"
    told = [(loss.path, loss.kind) for loss in found.losses]
    whole = [path for path, kind in told if kind == "reasoning-dropped"]  # with it goes its signature
    missing = [loss for loss in lost if loss not in told and not any(is_under(loss[0], path) for path in whole)]
    assert not missing, told
    beside = {"flattened", "tools-dropped", "reasoning-dropped", "tool-calls-dropped", "renamed", "reordered", "clamped", "synthesised"}
    beside |= {"parameter-dropped"} if target == "chatml" else set()
    assert {kind for loss in told if loss not in lost for kind in loss[1:]} <= beside


def test_parameters_have_no_place_in_a_text():
    body = {**SAMPLED, "temperature": 0, "stop": ["x"], "tool_choice": "required", "tools": TOOLS}
    told = {(loss.path, loss.kind) for loss in diptych.convert(body, target="chatml", on_loss="ignore").losses}
    assert told == {("$.tools", "tools-dropped")} | {
        (f"$.{name}", "parameter-dropped") for name in ("model", "temperature", "max_tokens", "stop", "tool_choice")
    }


@pytest.mark.parametrize(("source", "value", "lost"), LOST)
def test_its_own_format_keeps_everything(source, value, lost):
    found = diptych.convert(value, source=source, target=source, on_loss="raise" if isinstance(value, dict) else "ignore")
    if isinstance(value, dict) or source == "chat":
        assert (found.output, found.verdict, found.losses) == (value, "lossless", ())


def test_a_conversion_proves_nothing_that_nobody_asked_for():
    assert diptych.convert("hi").proof is None


def test_a_format_that_does_not_read_what_it_writes():
    def read(value):
        raise diptych.FormatError("no")

    liar = accounted(replace(get("chat"), read=read, wire=type(get("chat").wire)(), api=None))
    output, losses = replace(liar).write(diptych.Conversation((diptych.Message("user", "x"),)))
    assert [loss.kind for loss in losses][-1] == "unsupported"
    assert output == [{"role": "user", "content": "x"}]


@pytest.mark.parametrize(("before", "after", "paths"), [
    ({"a": 1}, {"a": 1}, []), ({"a": True}, {"a": 1}, ["$.a"]), ({"a": {"b": {"c": 1}}}, {"a": {}}, ["$.a"]),
    ({"a": {"b": {"c": 1}}}, {"a": {"d": 2}}, ["$.a.b"]), ({"a": None, "b": "", "c": [], "d": {"e": None}}, {}, []),
    ({"a": "x"}, {"a": [{"type": "text", "text": "x"}]}, []), ({"a": [{"text": "x"}]}, {"a": "x"}, []),
    ({"a": [{"text": "x"}, {"text": "y"}]}, {"a": "x\n\ny"}, ["$.a"]),
    ({"a": [{"text": "x", "k": 1}]}, {"a": "x"}, ["$.a[0].k"]),
    ({"a": '{"x": 1}'}, {"a": '{"x":1}'}, []), ({"a": '{"x": 1}'}, {"a": '{"x":2}'}, ["$.a"]),
    ({"a": [1, 2, 3]}, {"a": [1, 3]}, ["$.a[1]"]), ({"a": [1, 2]}, {"a": [2, 1]}, ["$.a[0]", "$.a[1]"]),
    ({"a": [{"k": 1}, {"k": 2}]}, {"a": [{"k": 2}], "b": {"k": 1}}, ["$.a[0]"]),
    ({"a": [{"k": 1}]}, {"a": "text"}, ["$.a"]), ({"a": "x"}, {"a": ["x"]}, ["$.a"]), ([1], [1], []), ("x", "y", ["$"]),
])  # fmt: skip
def test_leaves_are_compared_by_path(before, after, paths):
    assert [loss.path for loss in Comparison(after).of(before)] == paths


def test_what_is_the_same():
    assert is_same('[1, {"a": 2}]', '[1,{"a":2}]')
    assert not is_same("{", "[")
    assert is_empty({"a": [None, ""]})
    assert not is_empty({"a": False})
