"""A template's counter gives what counting the rendered template gives."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import Template, TokenError, count

SOURCES = {
    "prompt": 'Translate the following English text to French: "{{ text }}"',
    "bare": "{{ text }}",
    "filters": "Shout: {{ text | upper }} and {{ text | trim }}{{ text }}!",
    "chat": "{% system %}You translate.{% endsystem %}{% user %}To French: {{ text }}{% enduser %}",
    "past": "{% user %}Hi{% enduser %}{% assistant %}Yes?{% endassistant %}{% user %}{{ text }}{% enduser %}",
    "named": '{% message role="user" name="Ann" %}{{ text }}{% endmessage %}',
    "loop": "{% for word in text.split() %}{{ word }},{% endfor %}",
    "schema": "---\nresponse_format: {type: object, properties: {a: {type: string}}}\n---\n{% user %}{{ text }}{% enduser %}",
}


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-3.5-turbo", "o3-mini", "gpt-5", "gpt-3.5-turbo-instruct"])
@pytest.mark.parametrize("name", SOURCES)
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(["", "  ", "don't\n\n stop", "a\r\nb "])
)
def test_counter_equals_count_of_rendered(name, model, text):
    template = Template.from_string(SOURCES[name])
    if name != "bare" or text:
        assert template.counter(model=model)(text=text) == count(template.render(text=text), model).tokens


def test_counter_takes_defaults_and_other_values():
    template = Template.from_string(
        "---\ninputs:\n  n: integer\n  to: {type: string, default: French}\n---\n{{ n }} {{ to }}"
    )
    assert template.counter("gpt-4o")(n=3) == count([{"role": "user", "content": "3 French"}], "gpt-4o").tokens
    assert template.counter("davinci-002")(n=3) == count("3 French", "davinci-002").tokens


def test_counter_of_unknown_model_says_so():
    with pytest.raises(TokenError, match="no encoding is known"):
        Template.from_string("Hi").counter("no-such-model")


ENCODINGS = ["o200k_base", "cl100k_base", "p50k_base", "r50k_base"]
#: What splits texts oddly: space of all kinds, breaks, marks, digits, marks of control, half characters.
PIECES = [
    " ", "  ", "\t", "\n", "\r\n", "\n\n ", "\x00", "\ud800", "\udfff", "\u2028", "\u3000", "\xa0", "a", "B", "é", "漢字",
    "don't", "'s", "'LL", "12345", "9", "...", "!?", "/", "//", "<|endoftext|>", "<|im_start|>", "🌞", "\u0301", "word", " word",
    "{", "}", '"', "\u200b", "ſ", "İ",
]  # fmt: skip


@pytest.mark.parametrize("name", ENCODINGS)
def test_ten_thousand_random_templates(name):
    """The counter's pieces against the whole text, for every encoding: 10,000 random templates each."""
    from diptych.encodings.text import count_text
    from diptych.tokens.counter import Slot, text_counter

    random = Random(20261124)
    for _ in range(10_000):
        pieces, values = [], {}
        for index in range(random.randint(1, 6)):
            text = "".join(random.choices(PIECES, k=random.randint(0, 9)))
            if random.random() < 0.5:
                pieces.append(text)
            else:
                pieces.append(Slot(f"s{index}"))
                values[f"s{index}"] = text
        whole = "".join(values[p.name] if isinstance(p, Slot) else p for p in pieces)
        assert text_counter(pieces, name)(values) == count_text(whole, encoding_name=name), (pieces, values)
