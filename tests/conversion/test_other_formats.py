"""Fill in the middle, templates out of prompts, and why a prompt is of one dialect."""

import contextlib
import types
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.conversion import registry
from diptych.conversion.registry import get
from diptych.text import registry as texts
from diptych.text.grammars import fim
from diptych.text.grammars.fim import DIALECTS, read_fim, write_fim
from diptych.text.reading import dialects
from diptych.text.registry import grammar_of
from diptych.text.template_text import to_template

PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="<[{"), max_size=20)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(PLAIN, PLAIN)
def test_fill_in_the_middle_there_and_back(dialect, before, after):
    text = write_fim({"prompt": before, "suffix": after}, dialect)
    assert read_fim(text, dialect) == {"prompt": before, "suffix": after}
    assert diptych.convert(text, target="completions").output == {"prompt": before, "suffix": after}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_mapping_says_what_is_written(dialect):
    body = {"prompt": "before", "suffix": "after"}
    assert get(dialect).mapping.partition(" ↔ ")[0] == write_fim(body, dialect)
    assert write_fim(body, dialect) in fim.__doc__


def test_a_template_is_a_format_like_any_other():
    entry = next(entry for entry in diptych.list_formats() if entry.name == "diptych-template")
    assert entry.direction == "write"
    messages = [{"role": "user", "content": "Hi {{ x }}"}]
    assert entry.write(diptych.to_messages("Hi").conversation) == ("{% user %}Hi{% enduser %}\n", ())
    assert diptych.convert(messages, target="diptych_template") == diptych.convert(messages, target="diptych-template")
    with pytest.raises(diptych.FormatError, match="can be written, not read"):
        diptych.convert("Hi", source="diptych-template")


@pytest.mark.parametrize("kind", ["GRAMMAR", "FORMAT"])
def test_two_files_with_one_name_are_an_error_that_names_both(monkeypatch, kind):
    twin = types.ModuleType("twin")
    setattr(twin, kind, replace(grammar_of("chatml")) if kind == "GRAMMAR" else replace(get("sharegpt")))
    home, ask = (texts, texts.grammars) if kind == "GRAMMAR" else (registry, registry.builtin)
    known = list(home.modules())
    monkeypatch.setattr(home, "modules", lambda *_: iter([*known, ("twin", twin)]))
    ask.cache_clear()
    try:
        with pytest.raises(diptych.FormatError, match=r"two files define the format '[\w:]+': diptych\..* and twin"):
            ask()
    finally:
        ask.cache_clear()
        registry._builtin.cache_clear()


def test_fill_in_the_middle_is_never_a_chat():
    text = diptych.convert({"prompt": "a", "suffix": "b"}, target="fim-starcoder").output
    with pytest.raises(diptych.FormatError, match="cannot be converted to messages"):
        diptych.to_messages(text)
    with pytest.raises(diptych.FormatError):
        diptych.convert(text)
    with pytest.raises(diptych.FormatError, match="mark"):
        write_fim({"prompt": "<fim_suffix>", "suffix": ""}, "fim-starcoder")


def test_the_running_example_becomes_a_template():
    source = diptych.convert(
        'Translate the following English text to French: "{text}"', target="diptych-template"
    ).output
    assert source == 'Translate the following English text to French: "{{ text }}"'
    assert "Hello" in diptych.Template.from_string(source).render(text="Hello").prompt


def test_a_transcript_with_holes_becomes_a_chat_template():
    prompt = "You are {who}.\n\nHuman: {question}\nAI:"
    source = diptych.convert(prompt, target="diptych-template", on_loss="ignore").output
    rendered = diptych.Template.from_string(source).render(who="terse", question="Human: x\nAI: y")
    assert rendered.messages == [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "Human: x\nAI: y"},
    ]


def test_jinja_holes_stay_and_hide_what_stands_in_them():
    prompt = "<|im_start|>user\n{{ text | replace('<|im_end|>', '') }}<|im_end|>\n<|im_start|>assistant\n"
    source = to_template(prompt).output
    assert source == "{% user %}{{ text | replace('<|im_end|>', '') }}{% enduser %}\n"
    assert diptych.Template.from_string(source).render(text="Hi<|im_end|>").messages[0]["content"] == "Hi"


@given(PLAIN, st.sampled_from(["{{", "}}", "{%", "{# x #}", "{{ a }}", "{% endraw %}", "{"]))
def test_text_that_jinja_would_obey_stays_text(text, braces):
    """Messages become a template that renders to the same messages, whatever stands in them."""
    content = f"a{text.strip()}{braces}b"
    found = diptych.convert([{"role": "user", "content": content}], target="diptych-template", on_loss="ignore")
    rendered = diptych.Template.from_string(found.output).render().messages
    assert (rendered == [{"role": "user", "content": content}]) == (found.verdict == "lossless")


def test_carriage_returns_of_a_message_are_reported():
    with pytest.raises(diptych.LossError, match="carriage returns"):
        diptych.convert([{"role": "user", "content": "a\r\nb"}], target="diptych-template")


def test_why_a_prompt_is_of_one_dialect():
    rows = dialects("[INST] Hi[/INST]")
    assert [row[0] for row in rows if not row[3]][:3]
    assert rows[0][3] == ""
    other = next(row for row in rows if row[0] == "mistral-v1")
    assert "differs from character 0" in other[3]


CUSTOM = [
    {"role": "user", "content": "q"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "h", "input": "x"}}]},
    {"role": "tool", "tool_call_id": "c", "content": "r"},
    {"role": "user", "content": "z"},
]


@pytest.mark.parametrize("target", [entry.name for entry in diptych.list_formats() if entry.write])
def test_a_custom_call_is_written_or_refused(target):
    with contextlib.suppress(diptych.DiptychError):
        diptych.convert(CUSTOM, target=target, on_loss="ignore")


@pytest.mark.parametrize(
    ("value", "source", "target"),
    [
        ({"prompt": [{"content": "x"}], "chosen": "a", "rejected": "b"}, "trl_preference", "chat"),
        ({"system": 5, "messages": [{"role": "user", "content": [{"text": "x"}]}]}, "bedrock", "chat"),
        ({"model": "m", "messages": [{"role": "user", "content": "Q"}], "response_format": "json"}, "chat", "completions"),
        ([{"role": "user", "content": "q"}], "chat", diptych.ChatTemplate("{{ messages }}")),
    ],
)
def test_what_is_malformed_is_told(value, source, target):
    with pytest.raises(diptych.DiptychError):
        diptych.convert(value, source=source, target=target)
