"""Server rules: what breaks one is found at its path, and what can be mended is mended there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import list_formats
from diptych.apis.api import write_request
from diptych.apis.chat.request import read_request
from diptych.apis.ledger import Ledger
from diptych.apis.origins import _is_of_texts
from diptych.apis.rules import Rules
from diptych.conversion.registry import get
from diptych.loss import KINDS, Severity

APIS = ("anthropic", "bedrock", "chat", "completions", "gemini", "ollama", "responses")


def rules_of(api: str) -> Rules:
    found: Rules = import_module(f"diptych.apis.{api}.rules").RULES
    return found


U = {"role": "user", "content": "q"}
TOOL_USE = {"type": "tool_use", "id": "a:1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "a:1", "content": "6"}
PDF = {"document": {"format": "pdf", "name": "a_b.pdf", "source": {"bytes": "AA=="}}}
F = {"type": "function", "function": {"name": "f"}}

#: API, the fields of a body, and (path, kind) of what mending reports.
MENDED: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("chat", {"messages": [U], "stop": ["a"] * 5}, [("$.stop", "unsupported")]),
    ("chat", {"messages": [U], "response_format": {"type": "json_object"}}, [("$.response_format.type", "rule-breach")]),
    ("chat", {"messages": [{"role": "tool", "tool_call_id": "x", "content": ""}]},
     [("$.messages[0].tool_call_id", "rule-breach")]),
    ("chat", {"messages": [{**U, "name": "Ann B"}]}, [("$.messages[0].name", "unsupported")]),
    ("chat", {"messages": [U], "tools": [{"type": "function", "function": {"name": "a.b"}}]},
     [("$.tools[0].function.name", "unsupported")]),
    ("completions", {"prompt": "", "logprobs": 6}, [("$.prompt", "rule-breach"), ("$.logprobs", "clamped")]),
    ("responses", {"input": "q", "max_output_tokens": 1}, [("$.max_output_tokens", "clamped")]),
    ("responses", {"input": [{"type": "function_call_output", "call_id": "c" * 65, "output": ""}]},
     [("$.input[0].call_id", "relabelled"), ("$.input[0].call_id", "rule-breach")]),
    ("anthropic", {"messages": [U], "max_tokens": 1, "temperature": 1.5}, [("$.temperature", "clamped")]),
    ("anthropic", {"messages": [U]}, [("$", "unsupported")]),
    ("anthropic", {"messages": [U, {"role": "assistant", "content": ""}, U], "max_tokens": 1},
     [("$.messages[1]", "message-dropped")]),
    ("anthropic", {"messages": [{"role": "user", "content": " "}], "max_tokens": 1},
     [("$.messages[0]", "message-dropped"), ("$.messages", "rule-breach")]),
    ("anthropic", {"messages": [U, {"role": "assistant", "content": "So, "}], "max_tokens": 1},
     [("$.messages[1].content", "trimmed")]),
    ("anthropic", {"messages": [U, {"role": "assistant", "content": [TOOL_USE]},
                                {"role": "user", "content": [{"type": "text", "text": "t"}, RESULT]}], "max_tokens": 1},
     [("$.messages[1].content[0].id", "relabelled"), ("$.messages[2].content[1].tool_use_id", "relabelled"),
      ("$.messages[2].content", "reordered")]),
    ("anthropic", {"messages": [U, {"role": "assistant", "content": [TOOL_USE | {"id": "a"}]}, U], "max_tokens": 1},
     [("$.messages[1].content[0]", "rule-breach")]),
    ("bedrock", {"messages": [{"role": "user", "content": [{"text": "a"}]}, {"role": "assistant", "content": []},
                              {"role": "user", "content": [{"text": " "}, {"text": "b"}]}]},
     [("$.messages[1]", "message-dropped"), ("$.messages[2].content[0].text", "trimmed"), ("$.messages[2]", "merged")]),
    ("bedrock", {"messages": [{"role": "user", "content": [{"text": "a"}, PDF]}]},
     [("$.messages[0].content[1].document.name", "substituted")]),
    ("bedrock", {"messages": [{"role": "user", "content": [{"image": {"format": "jpg", "source": {}}}]}]},
     [("$.messages[0].content[0].image.format", "renamed")]),
    ("gemini", {"contents": [{"role": "user", "parts": [{"text": ""}]}, {"role": "user", "parts": [{"text": "a"}]}]},
     [("$.contents[0].parts[0].text", "trimmed"), ("$.contents[0]", "message-dropped")]),
    ("gemini", {"contents": [{"parts": [{"text": "a"}]}], "generationConfig": {"stopSequences": ["a"] * 6}},
     [("$.generationConfig.stopSequences", "unsupported")]),
    ("chat", {"messages": [U], "tool_choice": "required", "parallel_tool_calls": False},
     [("$.tool_choice", "parameter-dropped"), ("$.parallel_tool_calls", "by-format-rule")]),
    ("chat", {"messages": [U], "stream_options": {}, "top_logprobs": 2, "function_call": "none", "tool_choice": None},
     [("$.function_call", "by-format-rule"), ("$.top_logprobs", "parameter-dropped"),
      ("$.stream_options", "by-format-rule")]),
    ("chat", {"messages": [U], "tools": [F], "tool_choice": {"type": "function", "function": {"name": "g"}}},
     [("$.tool_choice", "parameter-dropped")]),
    ("chat", {"messages": [U, {"role": "assistant", "content": None}, U], "modalities": ["text", "image"]},
     [("$.messages[1]", "message-dropped"), ("$.modalities[1]", "parameter-dropped")]),
    ("responses", {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}, U]},
     [("$.input[0].call_id", "rule-breach")]),
    ("bedrock", {"system": [{"text": " "}]}, [("$.system[0].text", "trimmed"), ("$.system", "by-format-rule")]),
    ("completions", {"prompt": "a", "stream_options": {}}, [("$.stream_options", "by-format-rule")]),
    ("responses", {"input": "a", "tool_choice": "required"}, [("$.tool_choice", "parameter-dropped")]),
    ("responses", {"input": "a", "tools": [{"type": "custom", "name": "f"}],
                   "tool_choice": {"type": "function", "name": "g"}}, [("$.tool_choice", "parameter-dropped")]),
    ("anthropic", {"messages": [U], "max_tokens": 1, "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
     [("$.tool_choice.disable_parallel_tool_use", "by-format-rule"), ("$.tool_choice", "parameter-dropped")]),
    ("anthropic", {"messages": [U], "max_tokens": 1, "tool_choice": {"type": "none"}},
     [("$.tool_choice", "by-format-rule")]),
    ("gemini", {"contents": [{"parts": [{"text": "a"}]}], "tools": [{"googleSearch": {}}],
                "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}},
     [("$.toolConfig.functionCallingConfig", "by-format-rule")]),
    ("gemini", {"contents": [{"parts": [{"text": "a"}]}], "tools": [{"functionDeclarations": [{"name": "f"}]}],
                "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}}},
     [("$.toolConfig.functionCallingConfig", "parameter-dropped")]),
    ("bedrock", {"toolConfig": {"toolChoice": {"any": {}}}}, [("$.toolConfig.toolChoice", "parameter-dropped")]),
    ("ollama", {"messages": [{"role": "developer", "content": "a"}]}, [("$.messages[0].role", "unsupported")]),
]  # fmt: skip


@pytest.mark.parametrize("api", APIS)
def test_every_rule_has_a_source_with_a_date_and_a_kind_that_fits(api: str) -> None:
    for rule in rules_of(api).all():
        assert "2026-1" in rule.source, rule
        severity = KINDS[rule.kind][0]
        assert rule.mend or severity is Severity.REFUSED or rule.kind == "rule-breach", rule


@pytest.mark.parametrize(("api", "body", "wanted"), MENDED)
def test_what_breaks_a_rule_is_found_at_its_path(api: str, body: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    body_before = repr(body)
    mended, losses = rules_of(api).mended(body)
    assert [(loss.path, loss.kind) for loss in losses] == wanted
    assert repr(body) == body_before
    assert {loss.kind for loss in rules_of(api).breaches(body)} == {"rule-breach"}
    left = [(loss.path, loss.kind) for loss in rules_of(api).mended(mended)[1]]
    assert all(kind in ("unsupported", "rule-breach") for _, kind in left), "mending is done in one go"


TAKEN: list[tuple[str, dict[str, Any]]] = [
    ("chat", {"messages": [U], "tools": [F], "tool_choice": {"type": "function", "function": {"name": "f"}}}),
    ("chat", {"messages": [U], "functions": [{"name": "f"}], "function_call": {"name": "f"}}),
    ("responses", {"input": "a", "tool_choice": "auto", "parallel_tool_calls": False}),
    ("responses", {"input": "a", "prompt": {"id": "p"}, "tool_choice": {"type": "function", "name": "f"}}),
    ("responses", {"input": "a", "tools": [{"type": "tool_search"}], "tool_choice": {"type": "function", "name": "f"}}),
    ("gemini", {"contents": [{"parts": [{"text": "a"}]}], "tools": [{"googleSearch": {}}],
                "toolConfig": {"includeServerSideToolInvocations": True, "functionCallingConfig": {"mode": "AUTO"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("api", "body"), TAKEN)
def test_a_choice_among_tools_that_are_there_is_no_breach(api: str, body: dict[str, Any]) -> None:
    assert rules_of(api).breaches(body) == ()


@pytest.mark.parametrize("api", APIS)
def test_a_body_that_breaks_no_rule_is_the_same_object(api: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "bedrock": {"messages": [{"role": "user", "content": [{"text": "a"}]}]},
        "completions": {"prompt": "a"},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": "a"}]}]},
        "responses": {"input": [{"role": "user", "content": "a"}]},
    }
    body = bodies.get(api, {"messages": [U], "max_tokens": 1})
    mended, losses = rules_of(api).mended(body)
    assert mended is body
    assert not losses


def test_both_ends_of_a_link_get_one_new_id() -> None:
    messages = [U, {"role": "assistant", "content": [TOOL_USE]}, {"role": "user", "content": [RESULT]}]
    mended, _ = rules_of("anthropic").mended({"messages": messages, "max_tokens": 1})
    call, result = (message["content"][0] for message in mended["messages"][1:])
    assert call["id"] == result["tool_use_id"] != "a:1"


texts = st.text('a \n{"\u2028é', min_size=1, max_size=5).filter(str.strip) | st.just("JSON")
talks = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "user", "assistant"]), "content": texts}),
    max_size=4,
)
asked = st.fixed_dictionaries(
    {"messages": talks},
    optional={
        "max_completion_tokens": st.integers(0, 9),
        "temperature": st.integers(-1, 3),
        "stop": st.lists(texts, max_size=6),
        "response_format": st.just({"type": "json_object"}),
        "tool_choice": st.just("auto"),
        "top_logprobs": st.just(50),
        "model": st.just("m"),
    },
)


@pytest.mark.parametrize("name", sorted(entry.name for entry in list_formats("api")))
@given(body=asked)
def test_of_a_conversation_of_texts_only_some_rules_are_left_to_check(name: str, body: dict[str, Any]) -> None:
    api = get(name, "api").api
    request = read_request(body)
    assert _is_of_texts(request)
    written = write_request(api, api.mend(request, Ledger()) if api.mend else request)
    for whole in (True, False):
        assert api.rules.of_texts.mended(written, whole=whole) == api.rules.mended(written, whole=whole)
