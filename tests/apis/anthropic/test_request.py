"""Anthropic bodies: the same API in and out is the identity, and every value keeps its place."""


from hypothesis import given
from hypothesis import strategies as st

from diptych.apis.anthropic.request import read_request, write_request
from diptych.apis.ledger import Ledger
from diptych.model import ReasoningPart, TextPart, ToolCall

USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
BLOCKS = {
    "cache": {"type": "text", "text": "long", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    "thinking": {"type": "thinking", "thinking": "hmm", "signature": "s"},
    "redacted": {"type": "redacted_thinking", "data": "opaque"},
    "call": USE,
    "server": {"type": "server_tool_use", "id": "srv1", "name": "web_search", "input": {"query": "x"}},
    "result": {"type": "tool_result", "tool_use_id": "t1", "content": "6", "is_error": False},
    "seen": {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "a"}]},
    "bare": {"type": "tool_result", "tool_use_id": "t1"},
    "image": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
    "address": {"type": "image", "source": {"type": "url", "url": "https://e.org/a.png"}, "new": {"x": 1}},
    "text": {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "é"}, "title": "T"},
    "linked": {"type": "document", "source": {"type": "url", "url": "https://e.org"}, "citations": {"enabled": True}},
    "file": {"type": "image", "source": {"type": "file", "file_id": "f1"}},
}
BLOCK = st.sampled_from(sorted(BLOCKS)).map(lambda name: BLOCKS[name])
CONTENT = st.sampled_from(["Hi", ""]) | st.lists(BLOCK, max_size=4)
TURN = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": CONTENT})
BODY = st.fixed_dictionaries(
    {"messages": st.lists(TURN, max_size=4)},
    optional={
        "system": st.just("S") | st.lists(st.just(BLOCKS["cache"]) | st.just({"type": "text", "text": "S"}), max_size=2),
        "tools": st.lists(
            st.sampled_from([
                {"name": "f", "input_schema": {"type": "object"}, "strict": True, "cache_control": {"type": "ephemeral"}},
                {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
            ]),
            max_size=3,
        ),
        "tool_choice": st.sampled_from([
            {"type": "any", "disable_parallel_tool_use": True}, {"type": "tool", "name": "f"}, {"type": "new"},
        ]),
        "thinking": st.just({"type": "enabled", "budget_tokens": 1024}),
        "metadata": st.sampled_from([{"user_id": "u"}, {}, {"user_id": None}]),
        "output_config": st.just({"format": {"type": "json_schema", "schema": {"type": "object"}}, "effort": "low"}),
        "max_tokens": st.sampled_from([5, None]),
    },
)  # fmt: skip


@given(BODY)
def test_the_same_api_in_and_out_is_the_identity(body):
    assert write_request(read_request(body), whole=False) == body


@given(BODY)
def test_every_part_has_the_path_of_its_block(body):
    ledger = Ledger()
    request = read_request(body, ledger)
    for message in request.conversation.messages:
        for part in () if message.is_plain else message.parts:
            path = ledger.path(part)
            if isinstance(part, ToolCall):
                assert dig(body, path) == USE
            elif isinstance(part, ReasoningPart):
                assert dig(body, path)["thinking"] == part.text
            elif isinstance(part, TextPart) and part.native:
                assert dig(body, path)["text"] == part.text


def dig(value, path):
    for step in path.replace("[", ".[").split(".")[1:]:
        value = value[int(step[1:-1])] if step.startswith("[") else value[step]
    return value


def test_parameters_have_neutral_names():
    request = read_request({
        "model": "m", "max_tokens": 5, "stop_sequences": ["X"], "metadata": {"user_id": "u"}, "messages": [],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True}, "thinking": {"type": "disabled"},
    })  # fmt: skip
    assert dict(request.params) == {
        "max_completion_tokens": 5, "stop": ("X",), "user": "u", "tool_choice": "required", "parallel_tool_calls": False,
    }  # fmt: skip
    assert request.native == {"anthropic": {"thinking": {"type": "disabled"}}}


def test_an_edited_value_shows_in_the_body():
    request = read_request({"messages": [{"role": "user", "content": [BLOCKS["cache"], BLOCKS["image"]]}]})
    message = request.conversation.messages[0]
    edited = message.with_text("short")
    changed = type(request)(type(request.conversation)((edited,)))
    assert write_request(changed, whole=False)["messages"][0]["content"][0] == {"type": "text", "text": "short"}
