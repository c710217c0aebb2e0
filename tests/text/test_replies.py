"""A raw reply becomes one message: by its chat template's own marks, whole and streamed, and never with a loss unsaid."""

import gzip
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import ChatTemplate, DiptychError, FormatError, read_reply, to_prompt
from diptych.model import ToolCall
from diptych.text.derived import reasoning_field
from diptych.text.registry import grammars
from diptych.text.replies import ReplyReader
from diptych.text.reply_marks import reply_marks

OPEN = "{% for m in messages %}<|go|>{{ m.role }}\n"
CUE = "{% if add_generation_prompt %}<|go|>assistant\n{% endif %}"
THINK = "{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}{{ m.content }}"


def template(call, think=THINK):
    calls = "{% for c in m.tool_calls or [] %}{% set f = c.function %}" + call + "{% endfor %}"
    return ChatTemplate(OPEN + think + calls + "<|stop|>\n{% endfor %}" + CUE)


JSON = template('\n<call>\n{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}\n</call>')
NAMED = template("<|call|>{{ f.name }}<|with|>{{ f.arguments | tojson }}<|done|>")
KEYS = template(
    "\n<f={{ f.name }}>\n{% for k, v in f.arguments.items() %}<p={{ k }}>\n"
    "{{ v if v is string else v | tojson }}\n</p>\n{% endfor %}</f>"
)
LIST = template(
    '{% if loop.first %}[CALLS][{% endif %}{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}, '
    "\"id\": \"{{ c.id }}\"}{{ ', ' if not loop.last else ']' }}"
)
PYTHON = template(
    "{{ '[' if loop.first else ', ' }}{{ f.name }}({% for k, v in f.arguments.items() %}{{ k }}={{ v | tojson }}"
    "{{ ', ' if not loop.last }}{% endfor %}){{ ']' if loop.last }}"
)
ALL = {"json": JSON, "named": NAMED, "keys": KEYS, "list": LIST, "python": PYTHON}
PREFIX = "<|go|>user\nHi<|stop|>\n<|go|>assistant\n"
PROPERTIES = {"city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"}}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": "d", "parameters": {"properties": PROPERTIES}}}
    for name in ("weather", "notes")
]
words = st.text(alphabet="abc XÄ.,", min_size=1, max_size=10).map(str.strip).filter(bool)
arguments = st.fixed_dictionaries(
    {"city": words}, optional={"days": st.integers(-9, 99), "exact": st.booleans(), "more": st.lists(st.integers(0, 9))}
)
calls = st.lists(st.tuples(st.sampled_from(["weather", "notes"]), arguments), max_size=3)


def message_of(content, thought, called):
    message = {"role": "assistant", "content": content} | ({"reasoning_content": thought} if thought else {})
    entries = [
        {"id": f"call0000{index}", "type": "function", "function": {"name": name, "arguments": given}}
        for index, (name, given) in enumerate(called)
    ]
    return message | ({"tool_calls": entries} if entries else {})


def said(reading):
    (message,) = reading.conversation.messages
    return message.text, message.reasoning, [(call.name, json.loads(call.arguments)) for call in message.tool_calls]


def fed(reader, text, cuts):
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [event for one, two in pairwise(places) for event in reader.feed(text[one:two])]


@pytest.mark.parametrize("name", ALL)
@given(
    content=st.one_of(st.just(""), words),
    thought=st.one_of(st.none(), words),
    called=calls,
    cuts=st.lists(st.integers(0)),
)
def test_a_reply_that_a_template_writes_is_read_back_however_it_is_cut(name, content, thought, called, cuts):
    content = "" if name == "python" and called else content  # no mark says where the call begins
    message = message_of(content, thought, called)
    text = ALL[name].render([{"role": "user", "content": "Hi"}, message], tools=TOOLS).removeprefix(PREFIX)
    whole = read_reply(text, format=ALL[name], prefix=PREFIX, tools=TOOLS)
    assert (said(whole), whole.verdict) == ((content, thought, called), "lossless")
    check_stream(ALL[name], text, cuts, whole)


def check_stream(format, text, cuts, whole):
    reader = ReplyReader(format=format, prefix=PREFIX, tools=TOOLS)
    events = fed(reader, text, cuts)
    assert reader.finish() == whole
    (message,) = whole.conversation.messages
    assert message.text.startswith("".join(event.text for event in events if event.kind == "text"))
    assert (message.reasoning or "").startswith("".join(event.text for event in events if event.kind == "reasoning"))


PIECES = [
    "<think>", "</think>", "\n", "<call>", "</call>", '{"name": "weather", "arguments": {"city": "Rome"}}', "{", "}", "a",
    "<f=weather>", "<p=city>", "Rome", "</p>", "</f>", "[CALLS]", "[", "]", "<|call|>", "weather", "<|with|>", "<|done|>",
    "<|stop|>", "<|go|>user", "weather(", "city=", '"b"', ")", ", ",
]  # fmt: skip


@pytest.mark.parametrize("name", ALL)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12), cuts=st.lists(st.integers(0)))
def test_no_text_is_lost_and_what_is_malformed_is_said(name, pieces, cuts):
    text = "".join(pieces)
    whole = read_reply(text, format=ALL[name], prefix=PREFIX, tools=TOOLS)
    check_stream(ALL[name], text, cuts, whole)
    content, reasoning, called = said(whole)
    kept = content + (reasoning or "") + json.dumps(called)
    assert kept.count("Rome") + kept.count("a") >= text.count("Rome")
    if whole.verdict == "lossless" and not called:
        marks = "<think></think><|stop|>"
        letters = "".join(c for c in text.partition("<|stop|>")[0] if not c.isspace() and c not in marks)
        assert letters == "".join(c for c in (reasoning or "") + content if not c.isspace() and c not in marks)


@pytest.mark.parametrize(
    "text",
    [
        '<call>\n{"name": "weather", "arguments": {"city": "Ro',
        '<call>\n{"arguments": {}}\n</call>',
        "<call>weather</call>",
        "<think>\nI wonder",
        "Hi<|stop|>\n<|go|>user\nMore",
    ],
)
def test_a_malformed_reply_stays_text_with_a_verdict(text):
    reading = read_reply(text, format=JSON, prefix=PREFIX, tools=TOOLS)
    content, reasoning, called = said(reading)
    assert reading.verdict == "lossy"
    assert called == []
    assert "".join((reasoning or "", content)).split() == text.replace("<think>", "").replace("<|stop|>", "").split()
    assert "malformed" in reading.losses[0].detail


def test_a_prefix_may_have_opened_the_reasoning():
    reading = read_reply("2+2\n</think>\n\nFour<|stop|>", format=JSON, prefix=PREFIX + "<think>\n")
    assert said(reading) == ("Four", "2+2", [])


def test_a_prefix_may_end_after_a_tool_or_in_the_reply():
    reading = read_reply("!<|stop|>", format=JSON, prefix="…<|go|>tool\n1<|stop|>\n<|go|>assistant\nWell")
    assert said(reading) == ("Well!", None, [])


@pytest.mark.parametrize("prefix", ["", "Hello", "<|go|>user\nHi<|stop|>\n", PREFIX + "Yes.<|stop|>\n"])
def test_without_its_prefix_a_reply_is_refused(prefix):
    with pytest.raises(FormatError, match="prefix"):
        read_reply("Hi", format=JSON, prefix=prefix)


def test_arguments_have_the_types_of_the_tools():
    text = "<f=weather>\n<p=city>\n12\n</p>\n<p=days>\n3\n</p>\n</f>"
    assert said(read_reply(text, format=KEYS, prefix=PREFIX, tools=TOOLS))[2] == [
        ("weather", {"city": "12", "days": 3})
    ]
    assert said(read_reply(text, format=KEYS, prefix=PREFIX))[2] == [("weather", {"city": 12, "days": 3})]


def test_a_model_may_write_json_with_other_blanks_and_in_another_order():
    text = '<call>{"arguments":{"city":"Rome"},"name":"weather"}</call>'
    reading = read_reply(text, format=JSON, prefix=PREFIX, tools=TOOLS)
    assert (said(reading)[2], reading.verdict) == ([("weather", {"city": "Rome"})], "lossless")


def test_ids_of_calls_are_kept():
    reading = read_reply('[CALLS][{"name": "notes", "arguments": {}, "id": "x1"}]', format=LIST, prefix=PREFIX)
    assert reading.conversation.messages[0].tool_calls[0].id == "x1"


class Letters:
    """A tokenizer whose ids are code points; as those of Hugging Face it leaves control tokens out unless told."""

    def decode(self, ids, skip_special_tokens=True):
        return "".join(chr(one) for one in ids if one < 1000 or not skip_special_tokens)


class Plain:
    def decode(self, ids):
        return "".join(map(chr, ids))


@pytest.mark.parametrize("tokenizer", [Letters(), Plain()])
def test_token_ids_are_decoded_by_a_tokenizer(tokenizer):
    reading = read_reply([*map(ord, "Hi é")], format=JSON, prefix=PREFIX, decode=tokenizer)
    assert said(reading)[0] == "Hi é"


@pytest.mark.parametrize("name", ["qwen3-coder", "glm4.5", "minimax-m2"])
@given(city=st.sampled_from(["22", "true", "null", "[1]", "Rome", "1.50", '"x"']), days=st.integers(-9, 99))
def test_a_named_format_gives_arguments_the_types_of_the_tools(name, city, days):
    grammar = grammars()[name]
    call = ToolCall("c", "weather", json.dumps({"city": city, "days": days}))
    prompt = to_prompt([{"role": "user", "content": "Hi"}], name).text
    reply = grammar.calls.write([call], after_content=True) + grammar.turns["assistant"].close
    reading = read_reply("Look." + reply, format=name, prefix=prompt, tools=TOOLS)
    (message,) = reading.conversation.messages
    assert [json.loads(one.arguments) for one in message.tool_calls] == [{"city": city, "days": days}]


def test_token_ids_need_a_tokenizer():
    reading = read_reply([72, 105], format=JSON, prefix=PREFIX, decode=lambda ids: "".join(map(chr, ids)))
    assert said(reading)[0] == "Hi"
    with pytest.raises(FormatError, match="tokenizer"):
        read_reply([72, 105], format=JSON, prefix=PREFIX)


def test_a_named_format_reads_a_reply_with_its_prompt():
    prefix = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert said(read_reply("Hello<|im_end|>", format="chatml", prefix=prefix))[0] == "Hello"
    text = 'Look.\n<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call><|im_end|>'
    assert said(read_reply(text, format="chatml-qwen", prefix=prefix)) == ("Look.", None, [("f", {"a": 1})])
    text = "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Yes<|return|>"
    reading = read_reply(text, format="harmony", prefix="<|start|>user<|message|>Hi<|end|><|start|>assistant")
    assert said(reading) == ("Yes", "Hm", [])
    with pytest.raises(FormatError, match="does not ask for a reply"):
        read_reply("Hello", format="chatml", prefix="<|im_start|>user\nHi<|im_end|>\n")


@pytest.mark.parametrize(
    "unit",
    ["<call>", '<call>{"name": "f", "arguments": {"a":', "<think>", "</think>", "<f=weather><p=city>", " \n", "["],
)
@pytest.mark.parametrize("name", ALL)
def test_long_and_malformed_replies_are_read(name, unit):
    reading = read_reply(unit * 20_000, format=ALL[name], prefix=PREFIX, tools=TOOLS)
    assert said(reading)[2] == []


REPLIES = {
    "content": ("It is 22 C.", None, []),
    "reasoning": ("Four.", "2+2\nis 4", []),
    "call": ("", None, [("weather", {"city": "Paris, FR"})]),
    "both": ("Let me look.", None, [("weather", {"city": "Paris, FR"})]),
    "two": ("", None, [("weather", {"city": "Paris"}), ("notes", {"city": "Oslo"})]),
    "typed": ("", None, [("weather", {"city": 'New "York"', "days": 3, "exact": True, "xs": [1, 2], "o": {"a": "b"}})]),
}


@pytest.fixture(scope="session")
def tool_templates(shared):
    """The templates of the shared corpus that write tool calls, by name."""
    file = shared / "corpora" / "chat_templates.jsonl.gz"
    if not file.exists():
        pytest.skip("the shared corpus of chat templates is not here")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        sources = {row["template_id"]: row["template"] for row in map(json.loads, lines)}
    templates = {name: ChatTemplate(source, bos_token="<s>", eos_token="</s>") for name, source in sources.items()}
    return {name: one for name, one in templates.items() if (marks := reply_marks(one)) and marks.calls}


def test_real_templates_read_their_own_replies_back(tool_templates, capsys):
    able = tool_templates.values()
    right = [one for one in able if all(reads_back(one, *reply) for reply in REPLIES.values())]
    with capsys.disabled():
        print(f"\ntemplates with tools that read their own replies back: {len(right)} of {len(able)}")
    assert len(right) >= 0.95 * len(able)
    assert len(able) >= 45


def reads_back(template, content, thought, called):
    """Return whether a reply is read back; True where the template does not write all of it."""
    if (written := written_reply(template, content, thought, called)) is None:
        return True
    prefix, text = written
    reading = read_reply(text, format=template, prefix=prefix, tools=TOOLS)
    return said(reading) == (content, thought, called) and reading.verdict == "lossless"


def written_reply(template, content, thought, called):
    """Return the prompt and the reply that a template writes; None where it does not write all of it."""
    asked, marks = {"role": "user", "content": "What?"}, reply_marks(template)
    message = message_of(content, None, called)
    name = reasoning_field(template, {})
    if thought and not name:
        return None
    message |= {name: thought} if thought else {}
    try:
        text = template.render([asked, message], tools=TOOLS)
        prefix = template.render([asked], tools=TOOLS, add_generation_prompt=True)
    except DiptychError:
        return None
    body = text.rpartition("What?")[2]
    shown = [content, thought or "", *(name for name, _ in called), *(key for _, given in called for key in given)]
    if not all(one in body for one in shown):
        return None
    if not text.startswith(prefix):
        header = next(one for one in marks.headers if one in body)
        prefix = text[: text.index(header, text.index("What?")) + len(header)]
    return prefix, text[len(prefix) :]
