"""What crosses between APIs: files of a vendor, custom tools, refusals, and values that another spelling says."""

import pytest

from diptych import convert, convert_response

U = {"role": "user", "content": "q"}
MORE = {"role": "user", "content": "m"}


def converted(body, source, target):
    found = convert(body, source=source, target=target, on_loss="ignore")
    return found.output, [(loss.path, loss.kind) for loss in found.losses if loss.path != "$.max_tokens"]


FILE = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}
FILES = [
    ("anthropic", {"messages": [{"role": "user", "content": [FILE, {"type": "text", "text": "?"}]}]},
     "$.messages[0].content[0]"),
    ("chat", {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
     "$.messages[0].content[0]"),
    ("responses", {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
     "$.input[0].content[0]"),
    ("gemini", {"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": "gs://b/a", "mimeType": "image/png"}}]}]},
     "$.contents[0].parts[0]"),
    ("gemini", {"contents": [{"role": "user", "parts": [{"file_data": {
        "file_uri": "https://generativelanguage.googleapis.com/v1beta/files/a", "mime_type": "image/png"}}]}]},
     "$.contents[0].parts[0]"),
]  # fmt: skip
OPENAI = {"chat", "responses"}


@pytest.mark.parametrize(("source", "body", "path"), FILES)
@pytest.mark.parametrize("target", ["chat", "responses", "anthropic", "gemini", "bedrock", "ollama"])
def test_a_file_that_one_vendor_knows_goes_to_no_other(source, body, path, target):
    output, losses = converted(body, source, target)
    is_kept = source == target or {source, target} <= OPENAI
    assert ((path, "media-dropped") in losses) is not is_kept
    assert ("file" in str(output)) is is_kept


CUSTOM = {"name": "g", "description": "d"}
GRAMMAR = {"type": "grammar", "grammar": {"definition": "x", "syntax": "lark"}}
F = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": False}}


@pytest.mark.parametrize("format_", [{"type": "text"}, GRAMMAR, None])
def test_custom_tools_go_from_chat_to_responses_and_back(format_):
    custom = CUSTOM | ({"format": format_} if format_ else {})
    choice = {"type": "custom", "custom": {"name": "g"}}
    body = {"model": "m", "messages": [U], "tools": [F, {"type": "custom", "custom": custom}], "tool_choice": choice}
    there = convert(body, source="chat", target="responses")
    assert there.output["tools"][1]["type"] == "custom"
    assert there.verdict == "lossless"
    back = convert(there.output, source="responses", target="chat")
    assert back.output == body
    assert [path for path, _ in converted(body, "chat", "anthropic")[1]][-1] == "$.tools[1]"


REFUSALS = [
    ("chat", {"messages": [U, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, MORE]}),
    ("chat", {"messages": [U, {"role": "assistant", "content": None, "refusal": "no"}, MORE]}),
    ("responses", {"input": [U, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, MORE]}),
]


@pytest.mark.parametrize(("source", "body"), REFUSALS)
@pytest.mark.parametrize("target", ["chat", "responses", "anthropic", "gemini", "bedrock", "ollama"])
def test_a_refusal_of_the_history_is_one_or_a_text(source, body, target):
    output, losses = converted(body, source, target)
    assert "'no'" in str(output)
    assert ("substituted" in {kind for _, kind in losses}) is (target not in OPENAI)


SAME = [
    ("anthropic", {"messages": [U], "tools": [{"type": "custom", "name": "f", "input_schema": {"type": "object"}}]}),
    ("gemini", {"contents": [{"parts": [{"text": "q"}]}], "systemInstruction": {"role": "user", "parts": [{"text": "s"}]}}),
    ("bedrock", {"messages": [{"role": "user", "content": [{"text": "q"}]}], "outputConfig": {"textFormat": {
        "type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type":"object"}', "name": "n"}}}}}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "body"), SAME)
def test_what_another_spelling_says_is_carried_without_loss(source, body):
    found = convert(body, source=source, target="chat")
    assert found.verdict == "lossless"
    assert {"tools", "response_format", "role"} & {*str(found.output).replace("'", " ").split()}


def test_a_result_without_content_is_an_empty_list_in_bedrock():
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
    body = {"messages": [U, call, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]}
    output, losses = converted(body, "anthropic", "bedrock")
    assert output["messages"][2]["content"][0]["toolResult"]["content"] == []
    assert ("$.messages[2].content[0]", "synthesised") in losses


def test_two_calls_of_one_turn_with_one_id_are_told_apart():
    calls = [{"id": "x", "type": "function", "function": {"name": name, "arguments": "{}"}} for name in "fg"]
    results = [{"role": "tool", "tool_call_id": "x", "content": text} for text in "12"]
    output, losses = converted(
        [U, {"role": "assistant", "content": None, "tool_calls": calls}, *results], "chat", "gemini"
    )
    parts = [part["functionResponse"] for part in output["contents"][2]["parts"]]
    assert [(part["id"], part["name"], part["response"]["result"]) for part in parts] == [
        ("x", "f", "1"),
        ("x_2", "g", "2"),
    ]
    assert {kind for _, kind in losses} == {"relabelled"}


def test_responses_begins_a_new_reply_where_others_go_on():
    body = {"model": "m", "max_tokens": 9, "messages": [U, {"role": "assistant", "content": "Sure,"}]}
    assert ("$.messages[1]", "substituted") in converted(body, "anthropic", "responses")[1]


def test_a_mended_name_is_reported_at_the_name():
    file = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a_b.pdf"}}
    _, losses = converted([{"role": "user", "content": [file, {"type": "text", "text": "?"}]}], "chat", "bedrock")
    assert losses == [("$.messages[0].content[0].file.filename", "substituted")]


def answer(message, end):
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": end}
    return {"id": "r", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


@pytest.mark.parametrize("target", ["anthropic", "responses", "gemini", "bedrock", "ollama"])
def test_an_old_call_in_a_reply_has_an_id_and_is_one_of_a_tool(target):
    body = answer({"function_call": {"name": "f", "arguments": "{}"}}, "function_call")
    found = convert_response(body, to=target, on_loss="ignore")
    assert "call_0" in str(found.output)
    assert ("$.choices[0].message.function_call.id", "synthesised") in [(x.path, x.kind) for x in found.losses]
    assert "$.choices[0].finish_reason" not in [x.path for x in found.losses if x.severity]


@pytest.mark.parametrize("target", ["anthropic", "responses"])
def test_images_of_a_reply_are_reported_where_replies_are_texts(target):
    parts = [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"text": "a"}]
    body = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}
    found = convert_response(body, to=target, on_loss="ignore")
    assert "AAAA" not in str(found.output)
    assert ("$.candidates[0].content.parts[0]", "media-dropped") in [(x.path, x.kind) for x in found.losses]


def test_counts_that_arrive_are_not_reported_with_their_object():
    details = {"prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 1}}
    body = answer({"content": "a"}, "stop") | {"usage": {"prompt_tokens": 9, "completion_tokens": 2, **details}}
    found = convert_response(body, to="responses", on_loss="ignore")
    places = [loss.path for loss in found.losses if loss.path.startswith("$.usage")]
    assert places == ["$.usage.prompt_tokens_details.audio_tokens"]
