"""A prompt that became Chat messages is rendered by the model's template and compared."""

import json

import pytest

from diptych import ChatTemplate, FormatError, convert
from diptych.__main__ import main

TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
OPENED = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
SYSTEM = "{% if messages[0].role != 'system' %}<|im_start|>system\nBe good.<|im_end|>\n{% endif %}"
ASKED = "<|im_start|>user\nHi<|im_end|>\n"
PROMPT = ASKED + "<|im_start|>assistant\n"


def proof(prompt, source, **special):
    return convert(prompt, source="chatml", prove=ChatTemplate(source, **special)).proof


def test_the_same_text_is_equal():
    assert proof(PROMPT, TURNS + OPENED) == (True, "chat template", None, None)


@pytest.mark.parametrize(
    ("prompt", "source", "remedy"),
    [
        (ASKED, TURNS + OPENED, "add_generation_prompt: false"),
        (PROMPT + "Well", TURNS + OPENED, "continue_final_message: true"),
        (PROMPT, "{{ bos_token }}" + TURNS + OPENED, "writes '<s>' first"),
        (PROMPT, TURNS.replace("m.content", "m.content + ' '") + OPENED, "only blanks"),
    ],
)
def test_a_difference_names_what_would_mend_it(prompt, source, remedy):
    found = proof(prompt, source, bos_token="<s>")
    assert not found.equal
    assert found.first_difference.startswith("at character ")
    assert remedy in found.remedy


def test_another_template_differs_without_a_remedy():
    found = proof(PROMPT, SYSTEM + TURNS + OPENED)
    assert (found.equal, found.remedy) == (False, None)
    assert found.first_difference.startswith("at character 12: the prompt has 'user")


def test_a_template_that_refuses_is_told():
    assert "no users" in proof(PROMPT, "{{ raise_exception('no users') }}").first_difference


@pytest.mark.parametrize("value", [[{"role": "user", "content": "Hi"}], {"prompt": [1, 2]}])
def test_what_is_no_prompt_text_cannot_be_proved(value):
    with pytest.raises(FormatError):
        convert(value, prove=ChatTemplate(TURNS))


def test_a_request_is_proved_by_its_prompt():
    assert convert(
        {"model": "m", "prompt": "Hi"}, target="chat", prove=ChatTemplate("{{ messages[0].content }}")
    ).proof.equal


@pytest.mark.parametrize(("prompt", "code", "said"), [(PROMPT, 0, "the same text"), (ASKED, 1, "remedy: send")])
def test_the_command_says_whether_the_text_is_the_same(tmp_path, capsys, monkeypatch, prompt, code, said):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": TURNS + OPENED}))
    (tmp_path / "prompt.txt").write_text(prompt)
    monkeypatch.setattr(
        "sys.argv", ["diptych", "convert", str(tmp_path / "prompt.txt"), "--prove", str(tmp_path), "--from", "chatml"]
    )
    with pytest.raises(SystemExit) as found:
        main()
    assert (found.value.code or 0) == code
    assert said in capsys.readouterr().err
