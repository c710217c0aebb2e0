"""Names of functions that a server refuses are written another way, everywhere alike, and reported."""

from diptych.conversion.bodies import convert_request

CALL = {"id": "c1", "type": "function", "function": {"name": "look up", "arguments": "{}"}}
BODY = {
    "model": "m", "max_tokens": 20,
    "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [CALL]},
                 {"role": "tool", "tool_call_id": "c1", "content": "y"}],
    "tools": [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("look up", "look_up")],
    "tool_choice": {"type": "function", "function": {"name": "look up"}},
}  # fmt: skip


def test_a_name_is_changed_in_tools_calls_and_choice():
    (found,) = convert_request(BODY, to="anthropic", on_loss="ignore")
    body = found.output
    assert [tool["name"] for tool in body["tools"]] == ["look_up_2", "look_up"]
    assert body["messages"][1]["content"][0]["name"] == body["tool_choice"]["name"] == "look_up_2"
    assert [loss.path for loss in found.losses if loss.kind == "substituted"] == [
        "$.messages[1].tool_calls[0].function.name", "$.tools[0].function.name", "$.tool_choice",
    ]  # fmt: skip


def test_a_name_that_the_server_takes_stays():
    body = {**BODY, "tools": BODY["tools"][1:], "messages": BODY["messages"][:1], "tool_choice": "auto"}
    assert convert_request(body, to="anthropic")[0].losses == ()
