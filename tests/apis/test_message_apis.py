"""The message APIs: what is not told as a loss comes back; real shapes read; bad ones say where."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import diptych
from diptych.apis.bedrock.media import as_json
from diptych.apis.proof import differences
from diptych.conversion.registry import get
from diptych.model import (
    AudioPart,
    Conversation,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
)

#: Those of the registry; the two of OpenAI that convert as whole bodies have tests of their own.
APIS = [entry.name for entry in diptych.list_formats("api") if entry.name not in ("chat", "completions")]
PNG = "data:image/png;base64,AAAA"
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["", " ", "<|im_end|>", "\n\nHuman:", "{}"])
PART = st.one_of(
    st.builds(TextPart, TEXT),
    st.sampled_from([ImagePart(PNG), ImagePart("https://example.com/a.png"), ImagePart(PNG, "low")]),
    st.just(AudioPart("AAAA", "wav")),
    st.sampled_from([FilePart("data:application/pdf;base64,AAAA", "a.pdf"), FilePart(file_id="file-1")]),
)
CONTENT = st.one_of(TEXT, st.lists(PART, min_size=1, max_size=3).map(tuple))
ARGUMENTS = st.sampled_from(["{}", '{"a": 1}', '{"a":1}', "not json", '{"b": {"c": [1, null]}}', ""])
CALLS = st.lists(st.builds(ToolCall, st.sampled_from(["c1", "c2"]), st.just("look"), ARGUMENTS), max_size=2).map(tuple)
MESSAGE = st.one_of(
    st.builds(Message, st.sampled_from(["system", "developer", "user"]), CONTENT),
    st.builds(Message, st.just("user"), TEXT, st.sampled_from([None, "ann"])),
    st.builds(
        lambda c, calls, r: Message("assistant", c, tool_calls=calls, reasoning=r),
        st.one_of(st.none(), CONTENT),
        CALLS,
        st.sampled_from([None, "hm"]),
    ),
    st.builds(lambda c: Message("tool", c, tool_call_id="c1"), TEXT),
)
TOOLS = st.sampled_from([(), (ToolSpec("look", "Looks.", FrozenMap({"type": "object"}), True),), (ToolSpec("x"),)])
FORMATS = st.sampled_from(
    [None, ResponseFormat("json_object"), ResponseFormat("json_schema", "reply", FrozenMap({"type": "object"}), True)]
)
CONVERSATION = st.builds(Conversation, st.lists(MESSAGE, max_size=4).map(tuple), TOOLS, FORMATS)


EMPTIED = Conversation((Message("user", (AudioPart("AAAA", "wav"),)), Message("tool", "", tool_call_id="c1")))


@pytest.mark.parametrize("name", APIS)
@given(CONVERSATION)
@example(EMPTIED)  # some APIs have no place for sound: nothing is left of the message before the result
def test_every_difference_is_told(name, conversation):
    api = get(name)
    output, losses = api.write(conversation)
    json.dumps(as_json(output))
    again, _ = api.read(output)
    told = [loss.path.replace(".function.", ".") for loss in losses]
    # JSON that is spelt anew is the same, and a result without a call gets a name where an API wants one.
    made = ("renamed", "None has no place")
    found = [d for d in differences(conversation, again) if d.kind not in made and d.detail not in made]
    untold = [d for d in found if not any(d.path.startswith(path) or path.startswith(d.path) for path in told)]
    assert not untold
    if not losses:
        assert not found


@pytest.mark.parametrize("name", APIS)
@given(CONVERSATION)
def test_what_was_written_is_stable(name, conversation):
    """A body that came from us reads and writes to itself."""
    api = get(name)
    output, _ = api.write(conversation)
    again, _ = api.read(output)
    third, _ = api.write(again)
    fourth, _ = api.read(third)
    assert not differences(again, fourth)


TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Rain in Paris?"},
    {"role": "assistant", "content": None,
     "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "rain", "arguments": '{"at": "Paris"}'}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "yes"},
    {"role": "assistant", "content": "It rains."},
]  # fmt: skip

BODIES = {
    "anthropic": {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Rain in Paris?"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "c1", "name": "rain", "input": {"at": "Paris"}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "yes"}]},
            {"role": "assistant", "content": "It rains."},
        ],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Rain in Paris?"}]},
            {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "rain", "args": {"at": "Paris"}}}]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"id": "c1", "name": "rain", "response": {"result": "yes"}}}],
            },
            {"role": "model", "parts": [{"text": "It rains."}]},
        ],
    },
    "bedrock": {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Rain in Paris?"}]},
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "c1", "name": "rain", "input": {"at": "Paris"}}}],
            },
            {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "yes"}]}}]},
            {"role": "assistant", "content": [{"text": "It rains."}]},
        ],
    },
    "responses": {
        "instructions": "Be brief.",
        "input": [
            {"type": "message", "role": "user", "content": "Rain in Paris?"},
            {"type": "function_call", "call_id": "c1", "name": "rain", "arguments": '{"at": "Paris"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "yes"},
            {"type": "message", "role": "assistant", "content": "It rains."},
        ],
    },
    "ollama": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Rain in Paris?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "function": {"name": "rain", "arguments": {"at": "Paris"}}}],
        },
        {"role": "tool", "content": "yes", "tool_call_id": "c1", "tool_name": "rain"},
        {"role": "assistant", "content": "It rains."},
    ],
}


@pytest.mark.parametrize("name", APIS)
def test_a_talk_with_a_tool_both_ways(name):
    assert diptych.convert(TALK, target=name).output == BODIES[name]
    back = diptych.convert(BODIES[name], target="openai_chat")
    assert back.output == TALK
    assert back.verdict == "lossless"


@pytest.mark.parametrize("source", APIS)
@pytest.mark.parametrize("target", APIS)
def test_any_to_any(source, target):
    assert diptych.convert(BODIES[source], target=target).output == BODIES[target]


def test_images_and_tools():
    body = {
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PNG}}]}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    }  # fmt: skip
    claude = diptych.convert(body, target="anthropic").output
    assert claude["messages"][0]["content"][1]["source"] == {
        "type": "base64",
        "media_type": "image/png",
        "data": "AAAA",
    }
    assert claude["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    bedrock = diptych.convert(body, target="bedrock").output
    assert bedrock["messages"][0]["content"][1] == {"image": {"format": "png", "source": {"bytes": b"\0\0\0"}}}
    found = diptych.convert(
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}],
        target="bedrock",
        on_loss="ignore",
    )
    assert found.losses[0].kind == "media-dropped"


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize(
    "value",
    [3, "x", None, {}, {"messages": 3}, {"messages": [3]}, {"messages": [{"role": "king", "content": "x"}]},
     {"messages": [{"role": "user", "content": 3}]}, {"messages": [{"role": "user", "content": [3]}]},
     {"contents": [{"role": "user"}]}, {"contents": [{"parts": [3]}]}, {"input": [{"type": "nonsense"}]},
     {"input": [{"role": "user", "content": [{"no": "type"}]}]}, {"messages": [], "tools": [3]}, {"system": [3], "messages": []}],
)  # fmt: skip
def test_malformed_values_say_where(name, value):
    try:
        found, _ = get(name).read(value)
    except diptych.FormatError as error:
        found = error
    assert isinstance(found, Conversation) or found.path.startswith("$")
