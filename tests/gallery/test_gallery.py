"""The templates that are shipped: each renders, counts, converts and says what it is for."""

from pathlib import Path

import pytest

import diptych
from diptych.catalogue import DEFAULT_MODEL
from diptych.catalogue.replacements import refusals

GALLERY = Path(__file__).resolve().parents[2] / "templates"
IMAGE = "https://example.com/cat.png"
INPUTS = {
    "translate": {"text": "Hello"},
    "translate-chat": {"text": "Hello", "language": "Italian"},
    "summarize": {"text": "A long story."},
    "extract": {"text": "Ada Lovelace was born in London."},
    "classify": {"text": "Lovely!"},
    "world-series": {},
    "code-review": {"diff": "-a\n+b"},
    "describe-image": {"image": IMAGE},
    "tool-use": {"question": "Is it raining in Paris?"},
    "complete-capital": {},
}
LIBRARY = diptych.Library(GALLERY)
NAMES = sorted(path.stem for path in GALLERY.glob("*.jinja"))


def test_every_template_has_inputs_here():
    assert sorted(INPUTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_for_and_renders_both_panels(name):
    template = LIBRARY[name]
    assert template.description.endswith(".")
    rendered = template.render(**INPUTS[name])
    assert rendered.prompt
    assert rendered.messages
    covered = "".join(rendered.prompt[s.start : s.end] for s in rendered.spans)
    assert covered == rendered.prompt


@pytest.mark.parametrize("name", NAMES)
def test_its_request_is_valid_and_counts(name):
    rendered = LIBRARY[name].render(**INPUTS[name])
    body = rendered.request("chat")
    assert body["model"] == DEFAULT_MODEL
    assert body["messages"] == rendered.messages
    assert diptych.count(body).tokens > 0
    assert diptych.estimate(body).cost.expected > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_default_model_takes_its_parameters(name):
    """The output cap aside: its name in the request is the body builder's to choose."""
    template = LIBRARY[name]
    assert template.model is None, "the catalogue's default model is the one that is used"
    assert not refusals(DEFAULT_MODEL, template.params)


@pytest.mark.parametrize("name", NAMES)
def test_undeclared_inputs_are_refused(name):
    with pytest.raises(diptych.InvalidInput, match="nonsense"):
        LIBRARY[name].render(**INPUTS[name], nonsense=1)


def test_running_example():
    rendered = LIBRARY["translate"].render(text="{text}")
    assert rendered.prompt == 'Translate the following English text to French: "{text}"'
    assert rendered.messages == [
        {"role": "user", "content": 'Translate the following English text to French: "{text}"'}
    ]


def test_world_series_is_the_dialogue_and_continues_with_history():
    messages = LIBRARY["world-series"].render().messages
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
    assert messages[1]["content"] == "Who won the world series in 2020?"


def test_extract_asks_for_its_schema():
    body = LIBRARY["extract"].render(text="x").request("chat")
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["people", "places", "dates"]
    assert body["seed"] == 7


def test_classify_writes_its_examples_as_turns():
    roles = [m["role"] for m in LIBRARY["classify"].render(text="x").messages]
    assert roles == ["system", *["user", "assistant"] * 3, "user"]


def test_code_review_includes_its_rules():
    assert "security" in LIBRARY["code-review"].render(diff="x").messages[0]["content"]


def test_image_and_tool():
    image = LIBRARY["describe-image"].render(image=IMAGE).messages[-1]["content"]
    assert any(part["type"] == "image_url" and part["image_url"]["url"] == IMAGE for part in image)
    assert LIBRARY["tool-use"].render(question="x").request("chat")["tools"][0]["type"] == "function"
