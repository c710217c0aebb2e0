"""A template's counter gives what counting the rendered template gives."""

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
    assert template.counter("gpt-4o")(n=3) == count("3 French", "gpt-4o").tokens


def test_counter_of_unknown_model_says_so():
    with pytest.raises(TokenError, match="no encoding is known"):
        Template.from_string("Hi").counter("no-such-model")
