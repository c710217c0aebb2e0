"""Ollama's native bodies: everything comes back, calls without ids are linked, and nothing is lost in silence."""

from __future__ import annotations

from typing import Any

import pytest

from diptych.apis import api as engine
from diptych.apis.anthropic.request import API as ANTHROPIC
from diptych.apis.ledger import Ledger
from diptych.apis.ollama.request import read_request, write_request
from diptych.errors import FormatError
from diptych.model import Conversation, FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCall
from diptych.request import Request

Q = {"role": "user", "content": "q"}
CALL = {"function": {"name": "f", "arguments": {"a": 1}}}

#: Bodies, and the leaves of them that Anthropic has no place for.
BODIES: list[tuple[dict[str, Any], list[str]]] = [
    ({"messages": [Q]}, []),
    ({"model": "m", "messages": [{"role": "system", "content": "s"}, Q, {"role": "assistant", "content": ""}]}, []),
    ({"model": "m", "messages": [Q | {"images": ["/9j/AAAA", "iVBORw0KGgo"]}], "stream": True}, []),
    ({"messages": [Q, {"role": "assistant", "content": "a", "thinking": "hmm"}]}, ["$.messages[1].thinking"]),
    ({"messages": [Q, {"role": "assistant", "tool_calls": [CALL, CALL | {"id": "c9"}]},
                   {"role": "tool", "content": "1", "tool_name": "f"}, {"role": "tool", "content": "2"}]}, []),
    ({"messages": [Q, {"role": "assistant", "content": "", "tool_calls": [CALL | {"id": "c9"}]},
                   {"role": "tool", "content": "1", "tool_name": "g", "tool_call_id": "c9", "x": 1}]},
     ["$.messages[2].tool_name", "$.messages[2].x"]),
    ({"model": "m", "messages": [Q], "stream": False, "keep_alive": "5m", "format": "json", "think": True,
      "options": {"temperature": 0, "num_predict": 9, "num_ctx": 4096, "stop": ["x"], "seed": 1}},
     ["$.keep_alive", "$.format", "$.think", "$.options.num_ctx", "$.options.seed"]),
    ({"model": "m", "messages": [Q], "stream": False, "format": {"type": "object"}, "think": "low",
      "options": {"num_predict": -1},
      "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}]},
     ["$.options"]),
]  # fmt: skip


@pytest.mark.parametrize("value", [value for value, _ in BODIES])
def test_the_same_api_gives_the_same_body(value: dict[str, Any]) -> None:
    assert write_request(read_request(value), whole="model" in value) == value


@pytest.mark.parametrize(("value", "wanted"), BODIES)
def test_what_only_ollama_says_is_reported_at_its_path(value: dict[str, Any], wanted: list[str]) -> None:
    ledger = Ledger()
    written = engine.write_request(ANTHROPIC, read_request(value, ledger), ledger, whole=False)
    assert sorted(loss.path for loss in ledger.losses) == sorted(wanted)
    assert "diptych:" not in str(written)


def test_calls_without_ids_are_linked_by_name_and_order() -> None:
    _, call, first, second = read_request(BODIES[4][0]).conversation.messages
    assert [one.id for one in call.tool_calls] == ["call_0", "c9"]
    assert [first.tool_call_id, second.tool_call_id] == ["call_0", "c9"]


def test_a_conversation_of_another_api_is_written_with_its_losses() -> None:
    parts = (ImagePart("data:image/png;base64,iVBO", "low"), TextPart("a"), TextPart("b"), FilePart(file_id="f"))
    messages = (
        Message("developer", "s"),
        Message.of("user", (*parts, ImagePart("https://e.org/a.png")), name="ann", is_list=True),
        Message.of("assistant", (ReasoningPart("hmm"), ToolCall("c1", "f", '{"a": 1}'))),
        Message("tool", "6", tool_call_id="c1"),
    )
    ledger = Ledger()
    body = write_request(Request(Conversation(messages), model="m", params={"n": 2, "max_tokens": 5}), ledger)
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "ab", "images": ["iVBO"]},
            {"role": "assistant", "content": "", "thinking": "hmm", "tool_calls": [CALL | {"id": "c1"}]},
            {"role": "tool", "content": "6", "tool_name": "f", "tool_call_id": "c1"},
        ],
        "options": {"num_predict": 5},
        "stream": False,
    }
    assert sorted((loss.path, loss.kind) for loss in ledger.losses) == [
        ("$.messages[0].role", "role-changed"),
        ("$.messages[1]", "merged"),
        ("$.messages[1]", "reordered"),
        ("$.messages[1].content[0].image_url.detail", "field-dropped"),
        ("$.messages[1].content[3]", "media-dropped"),
        ("$.messages[1].content[4]", "media-dropped"),
        ("$.messages[1].name", "name-dropped"),
        ("$.n", "parameter-dropped"),
        ("$.stream", "defaulted"),
    ]
    ollama = pytest.importorskip("ollama._types")
    ollama.ChatRequest.model_validate(body)


def test_a_body_that_does_not_say_whether_it_streams_streams() -> None:
    assert read_request(BODIES[1][0]).params["stream"] is True


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"model": "m"}, "$.messages"),
        ({"messages": [{"role": "bot", "content": "q"}]}, "$.messages[0].role"),
        ({"messages": [{"role": "user", "content": ["q"]}]}, "$.messages[0].content"),
        ({"messages": [Q | {"images": [3]}]}, "$.messages[0].images[0]"),
    ],
)
def test_a_malformed_body_is_an_error_with_a_path(value: dict[str, Any], path: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_request(value)
    assert caught.value.path == path


def test_a_message_without_content_is_empty_for_everybody_but_the_assistant() -> None:
    value = {"messages": [{"role": "user"}, {"role": "assistant", "thinking": "hmm"}, {"role": "tool"}]}
    messages = read_request(value).conversation.messages
    assert [message.content for message in messages] == ["", None, ""]
    assert write_request(read_request(value), whole=False) == value
