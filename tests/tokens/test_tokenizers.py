"""Counting with other tokenizers: a function, an object, files, the server's own counter."""

import json

import pytest

import diptych
from diptych.errors import MissingExtra, TokenError
from diptych.local import find_model
from diptych.tokens.tokenizer import read_tokenizer

HI = [{"role": "user", "content": "Hello there"}]
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}"
)


class Words:
    """Counts words; renders by a template where it has one."""

    def __init__(self, template=None):
        if template is not None:
            self.chat_template = template

    def encode(self, text, add_special_tokens=True):
        return text.split() + ["<s>"] * add_special_tokens


def words(text):
    return len(text.split())


@pytest.mark.parametrize("tokenizer", [words, str.split, Words(), Words(TEMPLATE)])
def test_texts_are_counted_as_the_tokenizer_says(tokenizer):
    found = diptych.count("one two three", "my-llama", tokenizer=tokenizer)
    assert (found.tokens, found.basis, found.model) == (3, "exact", "my-llama")


def test_messages_without_a_template_are_a_range():
    found = diptych.count([*HI, *HI], "my-llama", tokenizer=words)
    assert found.basis == "approximate"
    assert 4 < found.low < found.tokens < found.high


def test_messages_with_a_template_are_exact():
    found = diptych.count([*HI, *HI], "my-llama", tokenizer=Words(TEMPLATE))
    assert (found.basis, found.tokens) == ("exact", 3)


def test_a_responses_body_is_rendered_as_messages():
    body = {"model": "my-llama", "input": "Hello there", "instructions": "Be brief."}
    assert diptych.count(body, tokenizer=Words(TEMPLATE)).tokens == 3


def test_the_server_is_asked():
    class Server:
        def count_tokens(self, body):
            assert body["model"] == "my-llama"
            return 41

    found = diptych.count(HI, "my-llama", via=Server())
    assert (found.tokens, found.basis, found.low, found.high) == (41, "exact", 41, 41)


@pytest.mark.parametrize("tokenizer", [5, object(), lambda text: "x" if not text else None])
def test_what_is_no_tokenizer_is_an_error(tokenizer):
    with pytest.raises(TokenError):
        diptych.count("a", "my-llama", tokenizer=tokenizer)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(TokenError, match="no tokenizer file"):
        diptych.count("a", "my-llama", tokenizer=tmp_path / "tokenizer.json")


def test_a_tokenizer_file_is_read_with_its_template(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    built = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    built.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    built.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages[0].content }} b"}))
    found = diptych.count([{"role": "user", "content": "a a"}], "m", tokenizer=tmp_path / "tokenizer.json")
    assert (found.tokens, found.basis) == (3, "exact")


#: Chat and Completions requests to SmolLM2 with what llama-server (b1-7e4c0a9) reported for them.
SERVED = [
    ({"messages": [
        {"role": "system", "content": "You are a helpful assistant that translates English to French."},
        {"role": "user", "content": 'Translate the following English text to French: "Hello, how are you?"'},
    ]}, 41),
    ({"prompt": "English: cat\nFrench:"}, 6),
    ({"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}, 18),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": t} for t in ("Hi ", "there")]}]}, 34),
]  # fmt: skip


@pytest.fixture(scope="module")
def smollm2():
    pytest.importorskip("tokenizers")
    try:
        return read_tokenizer(find_model())
    except MissingExtra:
        pytest.skip("the local model is not installed")


@pytest.mark.parametrize(("body", "reported"), SERVED)
def test_the_tokenizer_of_a_gguf_counts_as_llama_server_does(smollm2, body, reported):
    found = diptych.count(body, "smollm2", tokenizer=smollm2)
    assert (found.tokens, found.basis) == (reported, "exact")


def test_tools_that_the_template_does_not_name_are_a_range(smollm2):
    tools = [{"type": "function", "function": {"name": "now"}}]
    found = diptych.count({"messages": HI, "tools": tools}, "smollm2", tokenizer=smollm2)
    assert (found.basis, found.low) == ("approximate", diptych.count(HI, "smollm2", tokenizer=smollm2).tokens)


@pytest.mark.parametrize(
    ("body", "model"),
    [
        (HI, "claude-sonnet-4-5"),
        ({"system": "Be brief.", "messages": HI, "max_tokens": 9}, "claude-3-haiku"),
        ({"contents": [{"role": "user", "parts": [{"text": "Hello there"}]}]}, "gemini-2.5-flash"),
        ("Hello there", "deepseek-chat"),
    ],
)
def test_models_of_other_vendors_are_a_range(body, model):
    found = diptych.count(body, model)
    assert found.basis == "approximate"
    assert found.low <= found.tokens <= found.high


@pytest.mark.parametrize("options", [{"model": "claude-sonnet-4-5"}, {"model": "m", "tokenizer": words}])
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"messages": 5}, "$.messages"),
        ({"messages": [5]}, "$.messages[0]"),
        ({"messages": [{"role": 5, "content": "x"}]}, "$.messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "$.messages[0].content"),
        ({"contents": [{"parts": 5}]}, "$.contents[0].parts"),
    ],
)
def test_what_is_malformed_has_no_count_by_any_way(body, path, options):
    with pytest.raises(TokenError) as error:
        diptych.count(body, **options)
    assert error.value.path == path


def test_media_of_other_vendors_is_unknown():
    image = {"type": "image", "source": {"type": "base64", "data": "AAAA", "media_type": "image/png"}}
    found = diptych.count([{"role": "user", "content": [image]}], "claude-sonnet-4-5")
    assert (found.tokens, found.basis) == (None, "unknown")
    assert "claude-sonnet-4-5" in found.reason
