"""Constructs whose rule recordings show: schemas, tools, forced functions, Responses, suffixes. The requests are our own."""

import pytest

from diptych import TokenError, count
from diptych.encodings.text import count_text
from diptych.tokens.tools import render_tools

HI = {"role": "user", "content": "Rate it."}
RATING = {"type": "number", "description": "The rating"}


def size(text):
    return count_text(text, encoding_name="o200k_base")


def schema_of(properties, **more):
    schema = {"type": "object", "properties": properties, **more}
    wanted = {"type": "json_schema", "json_schema": {"name": "Score", "strict": True, "schema": schema}}
    return {"model": "gpt-4o-mini", "messages": [HI], "response_format": wanted}


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("default", 0.5), ("minimum", 0), ("maximum", 1), ("exclusiveMinimum", 0), ("exclusiveMaximum", 2),
        ("multipleOf", 2), ("pattern", "^a+$"), ("format", "date"), ("minLength", 1), ("maxLength", 9),
        ("minItems", 1), ("maxItems", 3),
    ],
)  # fmt: skip
def test_keywords_that_constrain_leave_no_trace_in_a_schema(keyword, value):
    with_it, without = (count(schema_of({"score": one})).tokens for one in ({**RATING, keyword: value}, RATING))
    assert with_it == without


def test_a_property_may_have_the_name_of_a_keyword():
    assert count(schema_of({"default": RATING})).tokens > count(schema_of({})).tokens + 5


def test_a_schema_is_billed_as_ascii():
    plain, dashed = (count(schema_of({}, description=text)).tokens for text in ("Short - short", "Short \u2014 short"))
    assert dashed - plain == size('"Short \\u2014 short"') - size('"Short - short"')


def tool(properties, **more):
    return {
        "type": "function",
        "function": {"name": "save", "parameters": {"type": "object", "properties": properties, **more}},
    }


def rendered(properties, **more):
    return render_tools([tool(properties, **more)["function"]])


def test_a_comment_on_entries_stands_before_them():
    entry = {
        "type": "object",
        "description": "one row",
        "properties": {"id": {"type": "string", "description": "Its id"}},
    }
    assert "rows?: Array<\n// one row\n{\n// Its id\nid?: string,\n}\n>,\n" in rendered(
        {"rows": {"type": "array", "items": entry}}
    )


def test_several_types_repeat_the_comment_each():
    assert "a?: \n// The key\nstring\n | \n// The key\nnull\n," in rendered(
        {"a": {"type": ["string", "null"], "description": "The key"}}
    )


def test_open_objects_name_their_further_keys():
    assert "{ a?: string, [key: string]: any }" in rendered({"a": {"type": "string"}}, additionalProperties=True)
    bodies = [
        {"messages": [HI], "tools": [tool({"a": {"type": "string"}}, **more)]}
        for more in ({}, {"additionalProperties": True})
    ]
    assert count(bodies[1], "gpt-4o").tokens - count(bodies[0], "gpt-4o").tokens == 7


def test_a_forced_function_is_billed_with_the_dot_before_it():
    forced = {"type": "function", "function": {"name": "TrainingData"}}
    body = {"messages": [HI], "tools": [tool({})]}
    more = count({**body, "tool_choice": forced}, "gpt-4o").tokens - count(body, "gpt-4o").tokens
    assert more == 7 + size(".TrainingData")


def test_gpt_4_shows_no_titles():
    with_titles, without = (
        {"messages": [HI], "tools": [tool({"a": {"type": "string", "description": "The key", **more}})]}
        for more in ({"title": "A long title of the key"}, {})
    )
    assert count(with_titles, "gpt-4").tokens == count(without, "gpt-4").tokens
    assert count(with_titles, "gpt-4o").tokens > count(without, "gpt-4o").tokens


def test_a_suffix_is_billed_and_does_not_call_itself_exact():
    body = {"model": "gpt-3.5-turbo-instruct", "prompt": "def f(", "max_tokens": 20}
    found = count({**body, "suffix": "    return x\n"})
    assert found.basis == "approximate"
    assert found.low > count(body).tokens


def test_several_results_that_are_not_ascii_are_a_range():
    calls = [{"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in "ab"]
    results = [{"role": "tool", "tool_call_id": i, "content": "Grüße — 日本"} for i in "ab"]
    found = count([HI, {"role": "assistant", "content": None, "tool_calls": calls}, *results], "gpt-4o")
    assert found.basis == "approximate"
    assert found.low < found.high


# Responses and Embeddings ------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5-mini", "o4-mini"])
def test_text_of_a_responses_body_is_counted_as_in_chat(model):
    chat = [{"role": "system", "content": "Be brief."}, HI]
    part = {"role": "user", "content": [{"type": "input_text", "text": "Rate it."}], "type": "message"}
    for body in ({"instructions": "Be brief.", "input": "Rate it."}, {"input": chat}, {"input": [chat[0], part]}):
        found = count(body, model)
        assert (found.tokens, found.basis) == (count(chat, model).tokens, "exact")


def test_the_lines_and_faults_of_a_responses_body_have_its_paths():
    found = count({"instructions": "Be brief.", "input": [HI]}, "gpt-4o")
    assert [item.path for item in found.items] == ["$.instructions", "$.input[0]", "$"]
    for body, path in (
        ({"input": 5}, "$.input"),
        ({"input": [5]}, "$.input[0]"),
        ({"input": [{"role": 5, "content": "x"}]}, "$.input[0].role"),
        ({"input": [{"role": "user", "content": 5}]}, "$.input[0].content"),
        ({"input": [{"type": "function_call", "name": 5}]}, "$.input[0].name"),
        ({"input": [{"type": "function_call_output", "output": 5}]}, "$.input[0].output"),
        ({"instructions": 5, "input": "x"}, "$.instructions"),
    ):
        with pytest.raises(TokenError) as error:
            count(body, "gpt-4o")
        assert error.value.path == path


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "prompt"])
def test_what_the_server_keeps_is_unknown(name):
    found = count({"input": "Hi", name: "stored"}, "gpt-4o")
    assert (found.tokens, found.basis) == (None, "unknown")
    assert name in found.reason


def test_several_calls_of_a_responses_body_are_messages_of_their_own():
    calls = [{"type": "function_call", "call_id": i, "name": "f", "arguments": "{}"} for i in "ab"]
    outputs = [{"type": "function_call_output", "call_id": i, "output": "1"} for i in "ab"]
    kinds = [item.kind for item in count({"input": [HI, *calls, *outputs]}, "gpt-4o").items]
    assert kinds == ["message", "tool_call", "tool_call", "tool_result", "tool_result", "priming"]


def test_tools_that_the_server_runs_are_a_range():
    found = count({"input": "Hi", "tools": [{"type": "web_search"}]}, "gpt-4o")
    assert found.basis == "approximate"
    assert found.high > 10_000


def test_embeddings_count_their_input():
    for given in ("Hello there", ["Hello", " there"], [1, 2]):
        found = count({"model": "text-embedding-3-small", "input": given})
        assert (found.tokens, found.basis) == (2, "exact")
