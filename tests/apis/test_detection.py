"""Detection: marks say which API a value is of; what fits several is of none alone, and nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

import diptych
from diptych.apis.detection import MARKS, fits

Q = {"role": "user", "content": "q"}


def turn(*blocks: Any, role: str = "assistant") -> list[Any]:
    return [Q, {"role": role, "content": list(blocks)}]


OBJECT_CALL = {"function": {"name": "f", "arguments": {}}}
TEXT_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}

CASES: list[tuple[Any, tuple[str, ...]]] = [
    ([Q], ("chat",)),
    ({"messages": [Q], "model": "m", "max_tokens": 9}, ("chat",)),
    ([Q, {"role": "assistant", "content": None, "tool_calls": [TEXT_CALL]}], ("chat",)),
    (turn({"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}), ("anthropic",)),
    (turn({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}), ("anthropic",)),
    (turn({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}), ("anthropic",)),
    ({"messages": [Q], "system": "s", "max_tokens": 9}, ("anthropic",)),
    ({"messages": [Q], "tools": [{"name": "f", "input_schema": {}}]}, ("anthropic",)),
    (turn({"text": "a"}), ("bedrock",)),
    (turn({"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}}), ("bedrock",)),
    ({"messages": [], "system": [{"text": "s"}]}, ("bedrock",)),
    ({"contents": [{"parts": [{"text": "a"}]}]}, ("gemini",)),
    ([{"role": "user", "parts": [{"text": "a"}]}], ("gemini",)),
    ({"contents": [], "generation_config": {}}, ("gemini",)),
    ({"input": "q"}, ("responses",)),
    ({"prompt": {"id": "p"}}, ("responses",)),
    ([{"type": "message", **Q}, {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}], ("responses",)),
    (turn({"type": "input_text", "text": "a"}), ("responses",)),
    ({"model": "m", "messages": [Q], "options": {"num_ctx": 1}}, ("ollama",)),
    ([Q, {"role": "assistant", "content": "", "tool_calls": [OBJECT_CALL]}], ("ollama",)),
    ([{**Q, "images": ["iVBO"]}], ("ollama",)),
    ([*turn({"type": "tool_use", "id": "t", "name": "f", "input": {}}), {"role": "tool", "tool_call_id": "t"}],
     ("chat", "anthropic")),
    ({"messages": [Q], "system": "s", "options": {}}, ("anthropic", "ollama")),
    ([], ()), ({}, ()), ({"messages": []}, ()), ({"messages": "q"}, ()), ([1], ()), (["q"], ()), ({"model": "m"}, ()),
]  # fmt: skip


@pytest.mark.parametrize(("value", "wanted"), CASES)
def test_marks_say_which_api_a_value_is_of(value: Any, wanted: tuple[str, ...]) -> None:
    assert fits(value) == wanted


def test_no_feature_is_a_mark_of_two() -> None:
    marks = [mark for found in MARKS.values() for mark in found]
    assert len(marks) == len(set(marks))


def test_what_fits_two_equally_is_ambiguous_and_names_both() -> None:
    value = [Q, {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}]},
             {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}]}]  # fmt: skip
    found = diptych.convert(value, target="gemini", on_loss="ignore")
    assert found.verdict == "ambiguous"
    assert "anthropic and chat" in found.detail or "chat and anthropic" in found.detail
    assert len(found.alternatives) == 1


@pytest.mark.parametrize("value", [[], {}, {"messages": []}, {"model": "m"}, [1]])
def test_nothing_is_guessed_from_nothing(value: Any) -> None:
    with pytest.raises(diptych.FormatError):
        diptych.convert(value, target="gemini", on_loss="ignore")
