"""A malformed request has no count: TokenError with the path of the fault, never a guess that is exact."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.catalogue import DEFAULT_MODEL
from diptych.errors import TokenError
from diptych.tokens.shapes import ROLES

HI = {"role": "user", "content": "Hi"}


def chat(*messages, **more):
    return {"model": "gpt-4o", "messages": [HI, *messages], **more}


def call(**function):
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]}


def part(**fields):
    return {"role": "user", "content": [{"type": "text", "text": "a"}, fields]}


MALFORMED = {
    "role-number": (chat({"role": 5, "content": "x"}), "$.messages[1].role"),
    "role-list": (chat({"role": ["user"], "content": "x"}), "$.messages[1].role"),
    "role-missing": (chat({"content": "x"}), "$.messages[1]"),
    "no-message": (chat("Hi"), "$.messages[1]"),
    "content-number": (chat({"role": "user", "content": 5}), "$.messages[1].content"),
    "content-true": (chat({"role": "user", "content": True}), "$.messages[1].content"),
    "content-object": (chat({"role": "user", "content": {"text": "x"}}), "$.messages[1].content"),
    "content-missing": (chat({"role": "user"}), "$.messages[1].content"),
    "content-null": (chat({"role": "system", "content": None}), "$.messages[1].content"),
    "part-number": (chat({"role": "user", "content": [5]}), "$.messages[1].content[0]"),
    "part-type": (chat(part(type=5)), "$.messages[1].content[1].type"),
    "part-text": (chat(part(type="text", text=5)), "$.messages[1].content[1].text"),
    "part-text-missing": (chat(part(type="text")), "$.messages[1].content[1].text"),
    "part-image": (chat(part(type="image_url", image_url=5)), "$.messages[1].content[1].image_url"),
    "part-url": (chat(part(type="image_url", image_url={"url": 5})), "$.messages[1].content[1].image_url.url"),
    "part-audio": (chat(part(type="input_audio", input_audio={"data": 5})), "$.messages[1].content[1].input_audio.data"),
    "name": (chat({**HI, "name": 5}), "$.messages[1].name"),
    "calls": (chat({"role": "assistant", "tool_calls": "f"}), "$.messages[1].tool_calls"),
    "call": (chat({"role": "assistant", "tool_calls": [5]}), "$.messages[1].tool_calls[0]"),
    "call-function": (chat({"role": "assistant", "tool_calls": [{"id": "c"}]}), "$.messages[1].tool_calls[0].function"),
    "call-name": (chat(call(name=5, arguments="{}")), "$.messages[1].tool_calls[0].function.name"),
    "call-arguments": (chat(call(name="f", arguments=5)), "$.messages[1].tool_calls[0].function.arguments"),
    "call-legacy": (chat({"role": "assistant", "function_call": {"name": 1}}), "$.messages[1].function_call.name"),
    "call-id": (chat({"role": "tool", "content": "x", "tool_call_id": 5}), "$.messages[1].tool_call_id"),
    "tools": (chat(tools={"name": "f"}), "$.tools"),
    "tool": (chat(tools=["f"]), "$.tools[0]"),
    "tool-function": (chat(tools=[{"type": "function", "function": "f"}]), "$.tools[0].function"),
    "tool-name": (chat(tools=[{"type": "function", "function": {}}]), "$.tools[0].function.name"),
    "tool-parameters": (chat(functions=[{"name": "f", "parameters": []}]), "$.functions[0].parameters"),
    "tool-choice": (chat(tool_choice=5), "$.tool_choice"),
    "response-format": (chat(response_format="json"), "$.response_format"),
    "response-schema": (chat(response_format={"type": "json_schema"}), "$.response_format.json_schema"),
    "messages": ({"model": "gpt-4o", "messages": "Hi"}, "$.messages"),
    "prompt": ({"model": "gpt-4o", "prompt": 5}, "$.prompt"),
    "prompt-part": ({"model": "gpt-4o", "prompt": ["a", 5]}, "$.prompt[1]"),
    "prompt-negative-id": ({"model": "gpt-4o", "prompt": [[5, -1]]}, "$.prompt[0]"),
    "prompt-true": ({"model": "gpt-4o", "prompt": [True]}, "$.prompt[0]"),
    "model-number": ({"model": 5, "prompt": "x"}, "$.model"),
    "model-empty": ({"model": " ", "prompt": "x"}, "$.model"),
}  # fmt: skip


@pytest.mark.parametrize("do", [diptych.count, diptych.estimate], ids=["count", "estimate"])
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_an_error_with_its_path(name, do):
    body, path = MALFORMED[name]
    with pytest.raises(TokenError) as caught:
        do(body)
    assert caught.value.path == path
    if "model" not in name:
        with pytest.raises(TokenError):
            do(body, "gpt-4.1")


def test_a_list_of_requests_is_no_list_of_messages():
    with pytest.raises(TokenError, match="whole request") as caught:
        diptych.count([chat(), chat()])
    assert "--jsonl" in caught.value.hint


def test_an_empty_model_is_refused():
    with pytest.raises(TokenError, match="model is empty"):
        diptych.count("Hi", "")


def test_a_model_that_is_given_wins_over_the_bodys_own():
    body = {"model": "gpt-4", "messages": [HI]}
    assert diptych.count(body).model == diptych.estimate(body).model == "gpt-4"
    assert diptych.count(body, "gpt-4o").model == diptych.estimate(body, "gpt-4o").model == "gpt-4o"
    assert diptych.count({**body, "model": None}).model == DEFAULT_MODEL


@given(st.text(min_size=1, max_size=8), st.text(max_size=8))
def test_only_the_roles_of_the_api_are_exact(role, content):
    found = diptych.count([{"role": role, "content": content}], "gpt-4o")
    assert (found.basis == "exact") == (role in ROLES - {"tool"}) or role == "tool"
    assert found.low <= found.tokens <= found.high


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
WELL = {
    "model": "gpt-4o",
    "messages": [
        HI,
        part(type="image_url", image_url={"url": "https://x.example/a.png", "detail": "low"}),
        call(name="f", arguments="{}"),
        {"role": "tool", "tool_call_id": "c", "content": "1"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    "max_tokens": 5,
    "n": 1,
    "service_tier": "default",
}  # fmt: skip


def places(value, path=()):
    """Every place of a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    key, *rest = path
    if isinstance(value, dict):
        return {**value, key: replaced(value[key], rest, new)}
    return [replaced(inner, rest, new) if index == key else inner for index, inner in enumerate(value)]


@given(st.sampled_from(list(places(WELL))), JSON)
def test_any_change_of_a_body_is_counted_or_a_token_error(path, junk):
    body = replaced(WELL, path, junk)
    for do in (diptych.count, diptych.estimate):
        with contextlib.suppress(TokenError):
            do(body)
