"""Responses bodies: everything comes back, turns are one message, and nothing foreign takes it along."""

from __future__ import annotations

from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.apis import api as engine
from diptych.apis.anthropic.request import API as ANTHROPIC
from diptych.apis.ledger import Ledger
from diptych.apis.responses.items import Items
from diptych.apis.responses.request import read_request, write_request
from diptych.apis.responses.rules import RULES
from diptych.errors import FormatError
from diptych.model import AudioPart, Conversation, FrozenMap, Message, ReasoningPart, TextPart, ToolCall
from diptych.request import Request

CALL: dict[str, Any] = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}
OUTPUT: dict[str, Any] = {"type": "function_call_output", "call_id": "c1", "output": "6"}
CITED = {"type": "url_citation", "url": "https://e.org", "title": "T", "start_index": 0, "end_index": 1}


def body(*items: Any, **fields: Any) -> dict[str, Any]:
    return {"input": [{"type": "message", "role": "user", "content": "q"}, *items], **fields}


def said(content: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": content, **fields}


#: Bodies, and the leaves of them that Anthropic has no place for.
BODIES: list[tuple[dict[str, Any], list[str]]] = [
    (body(), []),
    ({"input": "q", "instructions": "s"}, []),
    ({"input": [{"role": "system", "content": "x"}, {"role": "user", "content": "q"}]}, []),
    ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}]}, said("b")]}, []),
    (body({"type": "message", "role": "user", "content": [
        {"type": "input_file", "file_url": "https://e.org/a.pdf"},
        {"type": "input_image", "image_url": "https://e.org/a.png", "detail": "low"},
        {"type": "input_image", "file_id": "f1", "detail": "auto"}]}),
     ["$.input[1].content[1].detail", "$.input[1].content[2]"]),
    (body(CALL | {"id": "fc_1", "status": "completed"}, OUTPUT | {"id": "fco_1"}),
     ["$.input[1].id", "$.input[1].status", "$.input[2].id"]),
    (body(said([{"type": "output_text", "text": "a", "annotations": [CITED]}], id="msg_1", status="completed")),
     ["$.input[1].content[0].annotations", "$.input[1].id", "$.input[1].status"]),
    (body(said("working", phase="commentary"), said("done", phase="final_answer")),
     ["$.input[1].phase", "$.input[2].phase"]),
    (body({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hmm"},
                                                          {"type": "summary_text", "text": "a\nb"}]}, said("a")),
     ["$.input[1]"]),
    (body({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "enc"}, said("a")), ["$.input[1]"]),
    (body({"type": "reasoning", "id": "r", "summary": [], "content": [{"type": "reasoning_text", "text": "x"}]},
          CALL, said([]), {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "abc"}, OUTPUT,
          {"type": "custom_tool_call_output", "call_id": "c2", "output": [
              {"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "https://e.org/a.png"}]}),
     ["$.input[1]", "$.input[4].input", "$.input[4].type"]),
    (body({"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search"}},
          {"type": "item_reference", "id": "x"}, {"id": "y"}, {"type": "compaction", "encrypted_content": "z"}),
     [f"$.input[{index}]" for index in range(1, 5)]),
    (body(said([{"type": "input_text", "text": "a"}, {"type": "refusal", "refusal": "no"}, {"type": "odd", "x": 1}])),
     ["$.input[1].content[1]", "$.input[1].content[2]"]),
    ({"model": "m", "input": "q", "temperature": 1, "max_output_tokens": 20, "store": False, "metadata": {"a": "b"},
      "reasoning": {"effort": "low", "summary": "auto"}, "text": {"verbosity": "low"}, "stream": True,
      "previous_response_id": "resp_1", "include": ["reasoning.encrypted_content"],
      "tool_choice": {"type": "function", "name": "f"},
      "tools": [{"type": "web_search"}, {"type": "function", "name": "f", "parameters": {"type": "object"}},
                {"type": "custom", "name": "c"}]},
     ["$.store", "$.metadata", "$.reasoning.summary", "$.text.verbosity",
      "$.previous_response_id", "$.include", "$.tools[0]", "$.tools[2]"]),
    ({"prompt": {"id": "p", "variables": {"a": "b"}}}, ["$.prompt"]),
    ({"input": "q", "tool_choice": {"type": "mcp", "server_label": "f"}, "truncation": "auto"},
     ["$.tool_choice", "$.truncation"]),
    ({"input": "q", "include": ["message.output_text.logprobs"], "stream_options": {"include_obfuscation": False},
      "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}},
     ["$.include", "$.stream_options.include_obfuscation", "$.tool_choice"]),
]  # fmt: skip


@pytest.mark.parametrize("value", [value for value, _ in BODIES])
def test_the_same_api_gives_the_same_body(value: dict[str, Any]) -> None:
    assert write_request(read_request(value)) == value


@pytest.mark.parametrize(("value", "wanted"), BODIES)
def test_what_only_responses_says_is_reported_at_its_path(value: dict[str, Any], wanted: list[str]) -> None:
    ledger = Ledger()
    written = engine.write_request(ANTHROPIC, read_request(value, ledger), ledger, whole=False)
    assert sorted(loss.path for loss in ledger.losses) == sorted(wanted)
    assert "diptych:" not in str(written)


def test_a_turn_of_the_assistant_is_one_message_and_keeps_its_order() -> None:
    value = body(said("before"), CALL, OUTPUT, CALL | {"call_id": "c2"}, said("after"), said("more"))
    messages = read_request(value).conversation.messages
    assert [message.role for message in messages] == ["user", "assistant", "tool", "assistant", "assistant"]
    assert [type(part) for part in messages[1].parts] == [TextPart, ToolCall]
    assert [type(part) for part in messages[3].parts] == [ToolCall, TextPart]


def test_an_interleaved_turn_is_several_items() -> None:
    turn = Message.of("assistant", (TextPart("a"), ToolCall("c1", "f"), TextPart("b")))
    items = write_request(Request(Conversation((turn,))))["input"]
    assert [item.get("content", item["type"]) for item in items] == ["a", "function_call", "b"]


def test_reasoning_goes_back_to_its_origin_alone() -> None:
    ledger = Ledger()
    turn = Message.of("assistant", (ReasoningPart("hmm"), TextPart("a"), AudioPart("AAAA", "wav")))
    assert write_request(Request(Conversation((turn,))), ledger)["input"] == [
        said([{"type": "output_text", "text": "a"}])]  # fmt: skip
    kinds = ["reasoning-dropped", "media-dropped"]
    assert [loss.kind for loss in ledger.losses] == kinds


def test_edits_of_the_neutral_value_show() -> None:
    request = read_request(BODIES[8][0])
    question, turn = request.conversation.messages
    reasoning = ReasoningPart("new", native=turn.parts[0].native)  # type: ignore[union-attr]
    edited = turn.replace(parts=(reasoning, TextPart("b")))
    items = write_request(Request(Conversation((question, edited))))["input"]
    assert items[1] == {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "new"}]}
    assert items[2]["content"] == "b"


def test_what_the_sdk_requires_is_added_for_another_api_alone() -> None:
    image = {"type": "input_image", "image_url": "https://e.org/a.png"}
    value = {
        "input": [{"role": "user", "content": [image]}, {"role": "assistant", "content": [
            {"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]}],
        "tools": [{"type": "function", "name": "f"}],
    }  # fmt: skip
    mended, losses = RULES.mended(value)
    assert {loss.kind for loss in losses} == {"synthesised", "defaulted"}
    assert mended["input"][0]["content"][0]["detail"] == "auto"
    assert mended["tools"] == [{"type": "function", "name": "f", "parameters": None, "strict": False}]
    assert RULES.breaches(value) == ()
    types = pytest.importorskip("openai.types.responses")
    pydantic = pytest.importorskip("pydantic")
    pydantic.TypeAdapter(types.response_input_param.ResponseInputParam).validate_python(mended["input"])


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({}, "$.input"),
        ({"input": 3}, "$.input"),
        ({"input": ["q"]}, "$.input[0]"),
        ({"input": [{"role": "tool", "content": "q"}]}, "$.input[0].role"),
        ({"input": [{"role": "user", "content": 3}]}, "$.input[0].content"),
        ({"input": [{"role": "user", "content": [3]}]}, "$.input[0].content[0]"),
    ],
)
def test_a_malformed_body_is_an_error_with_a_path(value: dict[str, Any], path: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_request(value)
    assert caught.value.path == path


def test_what_a_system_text_says_beside_is_reported_when_it_becomes_instructions() -> None:
    part = TextPart("s", FrozenMap({"anthropic": {"cache_control": {"type": "ephemeral"}}}))
    ledger = Ledger()
    body = write_request(Request(Conversation((Message.of("system", (part,)),))), ledger)
    assert body == {"instructions": "s", "input": []}
    assert [loss.kind for loss in ledger.losses] == ["field-dropped"]


def test_options_of_a_stream_that_say_nothing_else_are_left_out() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "q"}], "stream_options": {"include_usage": False}}
    found = diptych.convert_request(body, to="responses", source="chat")[0]
    assert "stream_options" not in found.output
    assert [loss.kind for loss in found.losses] == ["by-format-rule"]


TURNS = st.sampled_from([
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes"},
    {"role": "assistant", "content": []},
    {"role": "system", "content": "Be brief"},
    {"role": "user", "content": "Hi", "status": "completed"},
    {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "1"},
    {"type": "reasoning", "summary": []},
])  # fmt: skip


@given(items=st.lists(st.tuples(TURNS, st.booleans()), max_size=6))
def test_turns_of_a_text_alone_are_read_as_all_others(items: list[tuple[dict[str, Any], bool]]) -> None:
    typed = [{"type": "message", **item} if has_type and "role" in item else item for item, has_type in items]
    read = partial(outcome_of, {"model": "m", "input": typed})
    found = read()
    with patch.object(Items, "_plain", lambda *_: None):
        assert found == read()


def outcome_of(body: dict[str, Any]) -> Any:
    ledger = Ledger()
    request = read_request(body, ledger)
    return request, [(ledger.path(one), ledger.path(one, "content")) for one in request.conversation.messages]
