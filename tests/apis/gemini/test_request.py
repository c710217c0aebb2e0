"""Gemini bodies: everything comes back, in the spelling it came in, and nothing foreign takes it along."""

from __future__ import annotations

from typing import Any

import pytest

from diptych.apis import api as engine
from diptych.apis.anthropic.request import API as ANTHROPIC
from diptych.apis.gemini.request import read_request, write_request
from diptych.apis.ledger import Ledger
from diptych.errors import FormatError
from diptych.model import Conversation, FilePart, FrozenMap, ImagePart, Message, TextPart, ToolCall
from diptych.request import Request

Q: dict[str, Any] = {"role": "user", "parts": [{"text": "q"}]}
CALL: dict[str, Any] = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}
RESULT: dict[str, Any] = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"x": 2}}}]}
PNG = {"inlineData": {"mimeType": "image/png", "data": "aaaa"}}

#: Bodies, and the leaves of them that no other API has a place for.
BODIES: list[tuple[dict[str, Any], list[str]]] = [
    ({"systemInstruction": "S", "contents": [Q]}, []),
    ({"systemInstruction": {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}, "contents": [Q]},
     ["$.systemInstruction.role"]),
    ({"contents": "q"}, []),
    ({"contents": [Q, CALL, RESULT]}, []),
    ({"contents": [Q, CALL, RESULT | {"role": "function"}]}, []),
    ({"contents": [{"parts": [{"text": "q"}]}, {"role": "model"}, {"role": "user", "parts": []}]}, []),
    ({"contents": [Q, {"role": "model", "parts": [{"functionCall": {"name": "f"}, "thoughtSignature": "c2ln"}]}]},
     ["$.contents[1].parts[0].thoughtSignature"]),
    ({"contents": [Q, {"role": "model", "parts": [{"text": "hmm", "thought": True, "thoughtSignature": "c2ln"}]}]},
     ["$.contents[1].parts[0]"]),
    ({"contents": [Q, {"role": "model", "parts": [
        {"text": "before"}, {"functionCall": {"id": "x", "name": "f", "args": {}}}, {"text": "after"}]},
      {"role": "user", "parts": [
        {"functionResponse": {"id": "x", "name": "f", "response": {"error": "bad"}, "parts": [PNG]}},
        {"functionResponse": {"name": "g", "response": {"output": "1"}}}, {"text": "and"}, PNG]}]},
     ["$.contents[2].parts[1].functionResponse.name"]),
    ({"contents": [{"role": "user", "parts": [
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE", "displayName": "r.pdf"}},
        {"inlineData": {"mimeType": "image/png", "data": "JVBE", "displayName": "r.png"},
         "videoMetadata": {"fps": 2}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://e.org/a"}},
        {"executableCode": {"code": "1", "language": "PYTHON"}}]}]},
     ["$.contents[0].parts[1].inlineData.displayName", "$.contents[0].parts[1].videoMetadata",
      "$.contents[0].parts[2].fileData.mimeType", "$.contents[0].parts[3]"]),
    ({"contents": [Q], "safetySettings": [{"category": "A", "threshold": "B"}], "cachedContent": "c",
      "generationConfig": {"temperature": 0.3, "maxOutputTokens": 9, "stopSequences": ["X"], "topK": 4,
                           "thinkingConfig": {"thinkingBudget": 100}},
      "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
     ["$.generationConfig.thinkingConfig", "$.safetySettings", "$.cachedContent"]),
    ({"contents": [Q], "tools": [
        {"googleSearch": {}}, {"functionDeclarations": [{"name": "a", "parameters": {"type": "object"}}]},
        {"functionDeclarations": [
            {"name": "b", "description": "d",
             "parameters": {"type": "OBJECT", "properties": {"x_y": {"type": "STRING", "nullable": True}}}},
            {"name": "c", "parametersJsonSchema": {"type": "object"}}], "urlContext": {}}]},
     ["$.tools[0]", "$.tools[2].urlContext"]),
    ({"contents": [Q], "generationConfig": {
        "responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["A", "B"]}}},
     ["$.generationConfig"]),
    ({"contents": [{"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": b"\xff\xfe"}}]},
                   {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"a_b": 1}},
                                                "thought_signature": b"\xff"}]},
                   {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"a_b": 1}}}]}],
      "tools": [{"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
      "generation_config": {"response_mime_type": "application/json", "response_schema": {"type": "OBJECT"}}},
     ["$.contents[1].parts[0].thought_signature"]),
    ({"model": "m", "contents": [Q], "config": {"temperature": 1, "cached_content": "c", "tools": [
        {"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}]}}, ["$.config.cached_content"]),
]  # fmt: skip


@pytest.mark.parametrize("body", [body for body, _ in BODIES])
def test_the_same_api_gives_the_same_body(body: dict[str, Any]) -> None:
    assert write_request(read_request(body)) == body


@pytest.mark.parametrize(("body", "wanted"), BODIES)
def test_what_only_gemini_says_is_reported_at_its_path(body: dict[str, Any], wanted: list[str]) -> None:
    ledger = Ledger()
    written = engine.write_request(ANTHROPIC, read_request(body, ledger), ledger, whole=False)
    lost = [loss.path for loss in ledger.losses if loss.kind != "synthesised"]
    assert sorted(lost) == sorted(wanted)
    assert "diptych:" not in str(written)


def test_calls_without_ids_are_linked_by_name_and_order() -> None:
    calls = [{"functionCall": {"name": name, "args": {"a": at}}} for at, name in enumerate("fgf")]
    results = [{"functionResponse": {"name": name, "response": {"result": text}}} for name, text in ("f1", "f3", "g2")]
    body = {"contents": [Q, {"role": "model", "parts": calls}, {"role": "user", "parts": results}]}
    messages = read_request(body).conversation.messages
    assert [call.id for call in messages[1].tool_calls] == ["call_0", "call_1", "call_2"]
    assert [(message.tool_call_id, message.text) for message in messages[2:]] == [
        ("call_0", "1"), ("call_2", "3"), ("call_1", "2")]  # fmt: skip


def test_a_reused_id_gives_each_result_the_name_of_the_call_before_it() -> None:
    messages = []
    for name in ("sum", "mul"):
        messages += [
            Message("assistant", None, tool_calls=(ToolCall("c1", name),)),
            Message("tool", name, None, (), "c1"),
        ]
    body = write_request(Request(Conversation((Message("user", "x"), *messages))))
    parts = [part["functionResponse"] for content in body["contents"] for part in content["parts"] if len(part) == 1
             and "functionResponse" in part]  # fmt: skip
    assert [part["name"] for part in parts] == ["sum", "mul"]


def test_a_chat_signature_for_google_becomes_the_thought_signature() -> None:
    native = FrozenMap({"chat": {"extra_content": {"google": {"thought_signature": "c2ln"}}}})
    call = ToolCall("c1", "f", "{}", native=native)
    ledger = Ledger()
    body = write_request(Request(Conversation((Message("assistant", None, tool_calls=(call,)),))), ledger)
    assert body["contents"][0]["parts"] == [
        {"functionCall": {"id": "c1", "name": "f", "args": {}}, "thoughtSignature": "c2ln"}]  # fmt: skip
    assert not ledger.losses


def test_edits_of_the_neutral_value_show() -> None:
    request = read_request({"contents": [Q, CALL, RESULT], "tools": BODIES[11][0]["tools"]})
    messages = request.conversation.messages
    edited = messages[1].replace(parts=(ToolCall("other", "g", '{"b": 2}', native=messages[1].parts[0].native),))
    result = messages[2].replace(parts=(TextPart("new"),), tool_call_id="other")
    conversation = Conversation((edited, result), request.conversation.tools[1:])
    body = write_request(Request(conversation, native=request.native))
    assert body["contents"] == [
        {"role": "model", "parts": [{"functionCall": {"id": "other", "name": "g", "args": {"b": 2}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "other", "name": "g", "response": {"result": "new"}}}]},
    ]
    assert [one["name"] for tool in body["tools"] for one in tool.get("functionDeclarations", ())] == ["b", "c"]


def test_media_have_their_places_and_ids_of_files_have_none() -> None:
    ledger = Ledger()
    parts = (ImagePart("https://e.org/a.png", "low"), FilePart(url="https://e.org/a.pdf"), FilePart(file_id="file-1"))
    body = write_request(Request(Conversation((Message.of("user", parts, is_list=True),))), ledger)
    assert body["contents"][0]["parts"] == [
        {"fileData": {"fileUri": "https://e.org/a.png"}}, {"fileData": {"fileUri": "https://e.org/a.pdf"}}]  # fmt: skip
    assert [(loss.path, loss.kind) for loss in ledger.losses] == [
        ("$.messages[0].content[0].image_url.detail", "field-dropped"), ("$.messages[0].content[2]", "media-dropped")]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "$.contents"),
        ({"contents": [1]}, "$.contents[0]"),
        ({"contents": [{"role": "user", "parts": "q"}]}, "$.contents[0].parts"),
        ({"contents": [{"role": "system", "parts": []}]}, "$.contents[0].role"),
        ({"contents": [], "systemInstruction": 3}, "$.systemInstruction"),
    ],
)
def test_a_malformed_body_is_an_error_with_a_path(body: dict[str, Any], path: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_request(body)
    assert caught.value.path == path


def test_a_dump_of_the_sdk_comes_back_without_its_nulls() -> None:
    types = pytest.importorskip("google.genai.types")
    part = types.Part(thought_signature=b"\xff", function_call=types.FunctionCall(name="f", args={"a_b": 1}))
    schema = types.Schema(type="OBJECT", properties={"a_b": types.Schema(type="STRING", min_length=2)})
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="f", parameters=schema)])
    config = types.GenerateContentConfig(temperature=1, system_instruction="s", tools=[tool])
    for how in ({}, {"exclude_none": True}, {"mode": "json"}, {"mode": "json", "by_alias": True}):
        content = types.Content(role="model", parts=[part, types.Part.from_bytes(data=b"\xff", mime_type="image/png")])
        body = {"contents": [content.model_dump(**how)], "config": config.model_dump(**how)}
        assert write_request(read_request(body)) == _without_nulls(body)
        types.Content.model_validate(write_request(read_request(body))["contents"][0])


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
