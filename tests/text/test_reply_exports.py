"""Grammars and templates for servers: what a chat template writes is allowed by them and parsed by them."""

import json
import re

import pytest

from diptych import ChatTemplate, FormatError
from diptych.text.reply_grammars import gbnf, structural_tag
from diptych.text.reply_marks import reply_marks
from diptych.text.reply_schemas import JSON_RULES, schema_rule, without
from diptych.text.reply_templates import response_template

from .test_replies import ALL, JSON, KEYS, NAMED, PREFIX, PYTHON, REPLIES, TOOLS, said, tool_templates, written_reply

assert tool_templates  # a fixture
regex = pytest.importorskip("regex", reason="regex comes with transformers")
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|[A-Za-z][\w-]*|\s+|[()|*?+]|\{\d+\}')


def matcher(grammar):
    """Return the pattern of a GBNF grammar: an oracle that shares nothing with its writer."""
    rules = [line.split(" ::= ", 1) for line in grammar.splitlines()]
    defined = "".join(f"(?P<{name.replace('-', '_')}>{_converted(body)})" for name, body in rules)
    return regex.compile(f"(?(DEFINE){defined})(?&root)", regex.V0)


def _converted(body):
    pieces = []
    for token in _TOKEN.findall(body):
        if token[0] == '"':
            pieces.append(f"(?:{regex.escape(json.loads(token))})")
        elif token[0].isalpha():
            pieces.append(f"(?&{token.replace('-', '_')})")
        elif not token.isspace():
            pieces.append("(?:" if token == "(" else token)
    assert "".join(_TOKEN.findall(body)) == body
    return "".join(pieces)


def before_end(text, template):
    ends = [at for end in reply_marks(template).ends if (at := text.find(end)) >= 0]
    return text[: min(ends, default=len(text))]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("reply", REPLIES)
def test_a_grammar_allows_what_the_template_writes(name, reply):
    template = ALL[name]
    content, thought, called = REPLIES[reply]
    known = [
        (tool, {key: value for key, value in given.items() if key in ("city", "days", "exact")})
        for tool, given in called
    ]
    written = written_reply(template, content, thought, known)
    text = before_end(written[1], template)
    assert matcher(gbnf(template, TOOLS)).fullmatch(text)
    assert bool(matcher(gbnf(template, TOOLS, required=True)).fullmatch(text)) == bool(known and not content)


@pytest.mark.parametrize(
    "text",
    [
        '<call>\n{"name": "nothing", "arguments": {}}\n</call>',
        '<call>\n{"name": "weather", "arguments": {"city": 3}}\n</call>',
        '<call>\n{"name": "weather", "arguments": {"city": "Rome"}}',
        "<call>",
    ],
)
def test_a_grammar_refuses_what_is_no_call_of_the_tools(text):
    assert not matcher(gbnf(JSON, TOOLS)).fullmatch(text)


def test_a_schema_becomes_rules():
    schema = {
        "type": "object",
        "properties": {
            "a": {"enum": ["x", "y"]},
            "b": {"type": ["integer", "null"]},
            "c": {"type": "array", "items": {"type": "number"}},
        },
        "required": ["a"],
    }
    rules = {}
    root = schema_rule(schema, "s", rules)
    lines = {"root": root, **rules, "ws": "[ ]*", **JSON_RULES}
    found = matcher("".join(f"{name} ::= {body}\n" for name, body in lines.items()))
    for text in ('{"a": "x"}', '{"a": "y", "b": null}', '{"a":"x","b":1,"c":[1.5, 2]}'):
        assert found.fullmatch(text)
    for text in ("{}", '{"a": "z"}', '{"b": 1}', '{"a": "x", "c": ["1"]}', '{"a": "x", "d": 1}'):
        assert not found.fullmatch(text)


def test_a_text_without_a_mark_may_hold_its_beginning():
    found = matcher(f"root ::= {without(['<call>'])}\n")
    assert found.fullmatch("a < b <d <")
    assert not found.fullmatch("a <call> b")


def test_a_structural_tag_holds_a_call_of_each_tool():
    found = structural_tag(JSON, TOOLS, required=True)
    assert (found["type"], found["format"]["at_least_one"], found["format"]["triggers"]) == (
        "structural_tag",
        True,
        ["<call>"],
    )
    first = found["format"]["tags"][0]
    assert (first["begin"], first["end"]) == ('<call>\n{"name": "weather", "arguments": ', "}\n</call>")
    assert first["content"]["json_schema"] == TOOLS[0]["function"]["parameters"]
    assert structural_tag(KEYS, TOOLS)["format"]["tags"][1]["content"]["type"] == "grammar"


def test_what_cannot_be_exported_is_said():
    plain = ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}")
    for export in (gbnf, structural_tag):
        with pytest.raises(FormatError, match="no tool calls"):
            export(plain, TOOLS)
        with pytest.raises(FormatError, match="without tools"):
            export(JSON, [])
    with pytest.raises(FormatError, match="id or a number"):
        structural_tag(ALL["list"], TOOLS)


# the parser of transformers -------------------------------------------------------------------


@pytest.fixture(scope="module")
def parse():
    parsing = pytest.importorskip("transformers.utils.chat_parsing", reason="needs transformers 5.24")

    def parsed(text, template, prefix):
        found = parsing.parse_response(
            text, response_template(template), prefix=prefix, tools=[*map(typed_tool, TOOLS)]
        )
        calls = [(one["function"]["name"], one["function"]["arguments"]) for one in found.get("tool_calls", ())]
        return found.get("content", ""), found.get("reasoning_content"), calls

    return parsed


@pytest.mark.parametrize(
    "template", [JSON, NAMED, KEYS, ALL["list"], PYTHON], ids=["json", "named", "keys", "list", "python"]
)
@pytest.mark.parametrize("reply", ["content", "reasoning", "call", "two"])
def test_transformers_parses_a_reply_by_the_exported_template(parse, template, reply):
    prefix, text = written_reply(template, *REPLIES[reply])
    assert parse(text, template, prefix) == REPLIES[reply]


def test_a_prefix_that_opens_the_reasoning_is_parsed(parse):
    assert parse("Hm\n</think>\n\nYes<|stop|>\n", JSON, PREFIX + "<think>\n") == ("Yes", "Hm", [])


def test_real_templates_are_exported(parse, tool_templates, capsys):
    parsed, allowed = 0, 0
    for template in tool_templates.values():
        replies = [(reply, written) for reply in REPLIES.values() if (written := written_reply(template, *reply))]
        found = matcher(gbnf(template, [*map(typed_tool, TOOLS)]))
        allowed += all(found.fullmatch(before_end(text, template)) for _, (_, text) in replies)
        parsed += is_parsed(parse, template, replies)
    total = len(tool_templates)
    with capsys.disabled():
        print(
            f"\nexports of {total} templates with tools: {parsed} parsed by transformers, {allowed} grammars allow every reply"
        )
    assert parsed >= 0.8 * total
    assert allowed >= 0.85 * total


def typed_tool(tool):
    """Return a tool that knows every argument of the replies."""
    more = {"xs": {"type": "array", "items": {"type": "integer"}}, "o": {"type": "object"}}
    properties = {**tool["function"]["parameters"]["properties"], **more}
    return {
        "type": "function",
        "function": {**tool["function"], "parameters": {"type": "object", "properties": properties}},
    }


def is_parsed(parse, template, replies):
    try:
        return all(parse(text, template, prefix) == reply for reply, (prefix, text) in replies)
    except (FormatError, ValueError):
        return False


def test_the_grammar_and_the_reader_agree():
    text = '<call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</call>'
    from diptych import read_reply

    assert matcher(gbnf(JSON, TOOLS)).fullmatch(text)
    assert said(read_reply(text, format=JSON, prefix=PREFIX, tools=TOOLS))[2] == [("weather", {"city": "Rome"})]
