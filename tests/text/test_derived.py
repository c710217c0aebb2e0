"""Any chat template is a format: its marks are found by rendering it, and every reading is proved by it."""

import gzip
import json
import pickle
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import ChatTemplate, Conversation, FormatError, Message, convert, to_messages, to_prompt
from diptych.text.derived import marks_of, settings
from diptych.text.derived_reading import wire

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "chat_templates.jsonl.gz"
TURNS = "{% for m in messages %}<|go|>{{ m.role }}\n{{ m.content }}<|stop|>\n{% endfor %}"
CUE = "{% if add_generation_prompt %}<|go|>assistant\n{% endif %}"
PLAIN = ChatTemplate(TURNS + CUE)
FIRST = ChatTemplate(
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set s = '<<S>>' ~ messages[0].content ~ '<</S>>' %}"
    "{% set messages = messages[1:] %}{% else %}{% set s = '' %}{% endif %}{% for m in messages %}"
    "{% if m.role == 'user' %}[INST]{{ s if loop.first else '' }}{{ m.content | trim }}[/INST]"
    "{% elif m.role == 'assistant' %}{{ m.content | trim }}</s>"
    "{% else %}{{ raise_exception('only users and assistants') }}{% endif %}{% endfor %}",
    bos_token="<s>",
)
DATED = ChatTemplate(
    "{% if messages[0].role != 'system' %}<|go|>system\nIt is {{ strftime_now('%d %B %Y') }}.<|stop|>\n{% endif %}"
    + TURNS
    + CUE
)
THINKING = ChatTemplate(
    "{% for m in messages %}<|go|>{{ m.role }}\n{% if m.role == 'assistant' and loop.last %}"
    "<think>\n{{ m.reasoning_content or '' }}\n</think>\n\n{% endif %}{{ m.content }}<|stop|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|go|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
LABELLED = ChatTemplate("{% for m in messages %}{{ m.role | upper }}: {{ m.content }}\n{% endfor %}")
HI = [{"role": "user", "content": "Hi"}]
TALK = [{"role": "system", "content": "Be brief."}, *HI, {"role": "assistant", "content": "Yes?"}, *HI]

texts = st.text(alphabet="ab Xé\n.:{<", max_size=12)
words = st.text(alphabet="abX.:{<", min_size=1, max_size=12)


def turns(contents):
    """Conversations whose speakers take turns, with and without a system text."""
    roles = ["user", "assistant"] * 3
    pairs = st.lists(contents, min_size=1, max_size=5).map(lambda said: list(zip(roles, said, strict=False)))
    system = st.lists(contents.map(lambda text: ("system", text)), max_size=1)
    return st.builds(lambda first, rest: Conversation(tuple(Message(*pair) for pair in first + rest)), system, pairs)


@pytest.mark.parametrize("template", [PLAIN, FIRST, DATED, THINKING], ids=["plain", "first", "dated", "thinking"])
@given(conversation=turns(words), asks=st.booleans())
def test_what_a_template_writes_is_read_back(template, conversation, asks):
    writing = to_prompt(conversation, template, add_generation_prompt=asks)
    reading = to_messages(writing.text, template)
    assert (reading.verdict, reading.conversation.messages) == ("lossless", conversation.messages)
    assert writing.losses == ()
    assert "".join(writing.text[span.start : span.end] for span in writing.spans) == writing.text
    data = [writing.text[span.start : span.end] for span in writing.spans if span.source == "data"]
    assert data == [message.text for message in conversation.messages]


@given(st.lists(st.sampled_from(["<|go|>", "user\n", "system\n", "assistant\n", "<|stop|>", "\n", "a", "</think>"])))
def test_a_lossless_reading_renders_to_the_text(pieces):
    text = "".join(pieces)
    for template in (PLAIN, THINKING):
        reading = to_messages(text, template)
        if reading.verdict == "lossless":
            cue = reading.conversation.cue
            options = {"add_generation_prompt": cue == "reply", "continue_final_message": cue == "continue"}
            assert template.render(reading.messages, **options) == text


@pytest.mark.parametrize("text", ["", "Hello", "<|go|>", "<|go|>user\nHi<|end|>\n", "\0<|stop|>"])
def test_a_text_that_the_template_does_not_write_is_not_lossless(text):
    assert to_messages(text, PLAIN).verdict != "lossless"


def test_a_prompt_is_converted_both_ways_and_the_template_pickles():
    template = pickle.loads(pickle.dumps(FIRST))
    prompt = convert(TALK, target=template).output
    assert prompt == "<s>[INST]<<S>>Be brief.<</S>>Hi[/INST]Yes?</s>[INST]Hi[/INST]"
    assert convert(prompt, source=template).output == TALK
    assert convert({"messages": TALK, "model": "m"}, target=template, on_loss="ignore").output == prompt


def test_a_mark_of_the_beginning_may_be_left_to_the_server():
    reading = to_messages("[INST]Hi[/INST]", FIRST)
    assert (reading.verdict, reading.messages) == ("lossless", HI)
    assert [loss.kind for loss in reading.losses] == ["synthesised"]


def test_a_date_of_the_template_may_be_any():
    prompt = DATED.render(HI, add_generation_prompt=True, now=datetime(2020, 5, 17))
    reading = to_messages(prompt, DATED)
    assert (reading.verdict, reading.messages, reading.conversation.cue) == ("lossless", HI, "reply")


def test_a_setting_of_the_template_is_found_and_reported():
    assert settings(THINKING) == ({}, {"enable_thinking": False})
    reading = to_messages(THINKING.render(HI, add_generation_prompt=True, enable_thinking=False), THINKING)
    assert (reading.messages, reading.conversation.cue) == (HI, "reply")
    assert "enable_thinking=False" in reading.losses[0].detail


def test_reasoning_is_a_part_of_its_own():
    said = {"role": "assistant", "content": "4", "reasoning_content": "2+2"}
    reading = to_messages(THINKING.render([*HI, said]), THINKING)
    assert reading.conversation.messages[1].reasoning == "2+2"


def test_a_partial_reply_is_continued():
    reading = to_messages("<|go|>user\nHi<|stop|>\n<|go|>assistant\nWell", PLAIN)
    assert (reading.messages[-1]["content"], reading.conversation.cue) == ("Well", "continue")


@pytest.mark.parametrize(
    ("template", "messages", "kinds"),
    [
        (FIRST, [{"role": "user", "content": " Hi "}], {"trimmed"}),
        (PLAIN, [{"role": "user", "content": "Hi", "name": "ann"}], {"name-dropped"}),
        (PLAIN, [*HI, {"role": "assistant", "content": "4", "reasoning_content": "2+2"}], {"reasoning-dropped"}),
        (PLAIN, [{"role": "user", "content": "a<|stop|>\n<|go|>system\nb"}], {"marker-in-content"}),
        (ChatTemplate("{{ messages[-1].content }}"), TALK, {"message-dropped"}),
    ],
)
def test_what_a_template_does_not_write_is_a_loss(template, messages, kinds):
    assert {loss.kind for loss in convert(messages, target=template, on_loss="ignore").losses} == kinds


def test_a_template_that_refuses_says_so():
    with pytest.raises(FormatError, match="only users and assistants"):
        to_prompt([{"role": "tool", "content": "1", "tool_call_id": "c"}], FIRST)


def test_labels_are_never_certain():
    assert to_messages("USER: Hi\nASSISTANT: Yo\n", LABELLED).verdict == "ambiguous"


def test_data_of_a_writing_is_no_structure():
    messages = [{"role": "user", "content": "a<|stop|>\n<|go|>system\nb"}]
    assert to_messages(to_prompt(messages, PLAIN), PLAIN).messages == messages


CALLS = (
    "{{ m.content }}{% for c in m.tool_calls or [] %}"
    '\n<call>\n{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n</call>'
    "{% endfor %}<|stop|>\n{% endfor %}" + CUE
)


@pytest.mark.parametrize("header", ["", "{{ ' ' ~ m.name if m.role == 'tool' }}"])
def test_tool_calls_and_their_results_are_read(header):
    template = ChatTemplate("{% for m in messages %}<|go|>{{ m.role }}" + header + "\n" + CALLS)
    call = {"id": "call_0", "type": "function", "function": {"name": "look", "arguments": '{"at": "it"}'}}
    result = {"role": "tool", "content": "7", "name": "look", "tool_call_id": "call_0"}
    messages = [*HI, {"role": "assistant", "content": "Well.", "tool_calls": [call]}, result, *HI]
    writing = to_prompt(messages, template)
    assert writing.text.count('{"name": "look", "arguments": {"at": "it"}}') == 1
    assert to_messages(writing.text, template).messages == messages


def test_tools_of_a_prompt_are_read():
    offer = "{% if tools %}<|go|>tools\n{% for t in tools %}{{ t | tojson }}\n{% endfor %}<|stop|>\n{% endif %}"
    template = ChatTemplate(offer + TURNS + CUE)
    schema = {"type": "object", "properties": {"at": {"type": "string"}}}
    function = {"name": "look", "description": "Look at it.", "parameters": schema}
    body = {"messages": HI, "tools": [{"type": "function", "function": function}]}
    prompt = convert({"model": "m", **body}, target=template, on_loss="ignore").output
    assert '"look"' in prompt
    reading = to_messages(prompt, template)
    assert (reading.messages, [tool.name for tool in reading.conversation.tools]) == (HI, ["look"])
    assert convert(prompt, source=template, on_loss="ignore", prove=template).proof.equal


@pytest.mark.parametrize("dumps", ["{{ c.function.arguments | tojson }}", "{{ c.function.arguments }}"])
def test_arguments_are_encoded_once(dumps):
    body = (
        "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}" + dumps + "{% endfor %}{% endfor %}"
    )
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    messages = [*HI, {"role": "assistant", "content": "", "tool_calls": [call]}]
    assert to_prompt(messages, ChatTemplate(body)).text == 'Hi{"a": 1}'


def test_reading_takes_time_in_proportion():
    found = next(marks_of(PLAIN))
    assert {slot for _, slot in found.after["u"]} >= {"u", "a", "s"}
    text = PLAIN.render(HI * 2000)
    assert len(to_messages(text, PLAIN).messages) == 4000 / 2


@pytest.mark.skipif(not CORPUS.exists(), reason="the shared corpus of chat templates is not here")
def test_renderings_of_real_templates_are_read_right(capsys):
    right, total, certain = Counter(), Counter(), Counter()
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if isinstance(row["expected"], str) and is_plain(row["context"]):
                name, (is_right, verdict) = row["context"]["context_id"], read_right(row)
                total[name] += 1
                right[name] += is_right
                certain[verdict, is_right] += 1
    share = right.total() / total.total()
    with capsys.disabled():
        print(f"\nrenderings of real chat templates read by their own template: {right.total()} of {total.total()}")
    assert share >= 0.95
    assert certain["lossless", False] == 0
    assert certain["lossless", True] / right.total() >= 0.6


def is_plain(context):
    special = {name for name in context["template_kwargs"] if name.endswith("_token")}
    more = set(context["template_kwargs"]) - special
    return not more and not any(context.get(name) for name in ("tools", "documents"))


TEMPLATES = {}


def read_right(row):
    context, expected = row["context"], row["expected"]
    special = context["template_kwargs"]
    key = row["template_id"], json.dumps(special)
    template = TEMPLATES.setdefault(key, ChatTemplate(row["template"], **special))
    reading = to_messages(expected, template)
    cue, now = reading.conversation.cue, datetime.fromisoformat(context.get("frozen_now") or "2025-01-15T10:30:00")
    options = {"add_generation_prompt": cue == "reply", "continue_final_message": cue == "continue", "now": now}
    options["parse_arguments"] = True
    field = next(marks_of(template)).reasoning
    try:
        return template.render(wire(reading.conversation, field), **options) == expected, reading.verdict
    except Exception:
        return False, reading.verdict
