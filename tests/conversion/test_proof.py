"""A prompt that became Chat messages is rendered by the model's template and compared."""

import gzip
import json
from itertools import pairwise

import pytest

from diptych import ApiError, ChatTemplate, DiptychError, FormatError, convert
from diptych.__main__ import main

TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
OPENED = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
SYSTEM = "{% if messages[0].role != 'system' %}<|im_start|>system\nBe good.<|im_end|>\n{% endif %}"
ASKED = "<|im_start|>user\nHi<|im_end|>\n"
PROMPT = ASKED + "<|im_start|>assistant\n"


def proof(prompt, source, **special):
    return convert(prompt, source="chatml", prove=ChatTemplate(source, **special), on_loss="ignore").proof


def test_the_same_text_is_equal():
    assert proof(PROMPT, TURNS + OPENED) == (True, "chat template", None, None)


@pytest.mark.parametrize(
    ("prompt", "source", "remedy"),
    [
        (ASKED, TURNS + OPENED, "add_generation_prompt: false"),
        (PROMPT + "Well", TURNS + OPENED, "continue_final_message: true"),
        (PROMPT, "{{ bos_token }}" + TURNS + OPENED, "writes '<s>' first"),
        (PROMPT, TURNS.replace("m.content", "m.content + ' '") + OPENED, "only blanks"),
        (PROMPT.replace("\n", "\r\n"), TURNS + OPENED, "CRLF"),
    ],
)
def test_a_difference_names_what_would_mend_it(prompt, source, remedy):
    found = proof(prompt, source, bos_token="<s>")
    assert not found.equal
    assert found.first_difference.startswith("at character ")
    assert remedy in found.remedy


def test_another_template_differs_without_a_remedy():
    found = proof(PROMPT, SYSTEM.replace("!= 'system'", "!= 'sys'") + TURNS + OPENED)
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


THINKING = TURNS + OPENED.replace(
    "{% endif %}", "{% if thinks is defined and not thinks %}<think></think>{% endif %}{% endif %}"
)
DATED = "<|date|>{{ strftime_now('%d %b %Y') }}\n" + TURNS + OPENED


@pytest.mark.parametrize(
    ("prompt", "source", "remedy"),
    [
        (PROMPT + "<think></think>", THINKING, 'send chat_template_kwargs: {"thinks": false}'),
        ("<|date|>05 Mar 2020\n" + PROMPT, DATED, "the template wrote it on 2020-03-05"),
        ("<|im_start|>system\nBe good.<|im_end|>\n" + PROMPT, SYSTEM + TURNS + OPENED, None),
    ],
)
def test_a_prompt_is_read_by_the_template_that_proves_it(prompt, source, remedy):
    made = convert(prompt, prove=ChatTemplate(source))
    assert made.output == [{"role": "user", "content": "Hi"}]
    assert (made.proof.equal, made.proof.remedy) == (remedy is None, remedy)


class Server:
    """What a server shows of a request: its template's text, and its characters as tokens."""

    def __init__(self, source, bos=()):
        self.template, self.bos = ChatTemplate(source), list(bos)

    def seen(self, body):
        text = body.get("prompt")
        if text is None:
            options = {name: body[name] for name in ("add_generation_prompt",) if name in body}
            try:
                text = self.template.render(body["messages"], **{"add_generation_prompt": True, **options})
            except DiptychError as error:
                raise ApiError(error.message, status=400) from None
        return type("Sight", (), {"text": text, "token_ids": [*self.bos * ("prompt" in body), *map(ord, text)]})


@pytest.mark.parametrize(
    ("prompt", "server", "difference", "remedy"),
    [
        (PROMPT, Server(TURNS + OPENED), None, None),
        (ASKED, Server(TURNS + OPENED), "at character", "add_generation_prompt: false"),
        (PROMPT, Server(TURNS + OPENED, [1]), "at token 0 the prompt has [1, 60, 124]", None),
        (PROMPT, Server("{{ raise_exception('no users') }}"), "no users", None),
    ],
)
def test_a_server_compares_the_tokens(prompt, server, difference, remedy):
    found = convert(prompt, source="chatml", prove=server).proof
    assert (found.equal, found.by) == (difference is None, "server")
    assert (difference or "") in (found.first_difference or "")
    assert (remedy or "") in (found.remedy or "")


def test_what_cannot_render_proves_nothing():
    with pytest.raises(FormatError, match="int proves nothing"):
        convert("Hi", prove=3)


def test_the_command_proves_every_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "model.jinja").write_text(TURNS + OPENED)
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(prompt) + "\n" for prompt in (PROMPT, ASKED)))
    call = ["diptych", "convert", str(tmp_path / "prompts.jsonl"), "--jsonl", "--prove", str(tmp_path / "model.jinja")]
    monkeypatch.setattr("sys.argv", call)
    with pytest.raises(SystemExit) as found:
        main()
    out, err = capsys.readouterr()
    assert found.value.code == 1
    assert [json.loads(line)["proof"]["equal"] for line in out.splitlines()] == [True, False]
    assert "result 2: remedy: send add_generation_prompt: false" in err


@pytest.mark.parametrize("prompt", [PROMPT, ASKED, PROMPT + "Well", PROMPT.replace("\n", "\r\n"), "Hi", ""])
def test_a_line_that_holds_a_prompt_alone_is_proved_as_the_prompt_is(prompt):
    template = ChatTemplate(TURNS + OPENED)
    row, text = (convert(one, prove=template, on_loss="ignore") for one in ({"prompt": prompt}, prompt))
    assert (row.output, row.format, row.proof) == (text.output, text.format, text.proof)


def test_prompts_of_real_templates_prove_equal_with_their_own_and_differ_from_others(shared):
    file = shared / "corpora" / "chat_templates.jsonl.gz"
    if not file.exists():
        pytest.skip("the shared corpus of chat templates is not here")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = {
            row["template_id"]: row for row in map(json.loads, lines) if row["context"]["context_id"] == "multi_turn"
        }
    names = {"bos_token": "<s>", "eos_token": "</s>"}
    prompts = [(t, text) for t in (ChatTemplate(row["template"], **names) for row in rows.values()) if (text := of(t))]
    unequal = [text for template, text in prompts if not convert(text, prove=template, on_loss="ignore").proof.equal]
    assert len(unequal) <= 0.05 * len(prompts)
    for (_, text), (other, its) in pairwise(prompts):
        found = convert(text, prove=other, on_loss="ignore").proof
        assert found.equal or found.first_difference


TALK = [
    {"role": "user", "content": "Hello?"},
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": "Good."},
]


def of(template):
    try:
        return template.render(TALK, add_generation_prompt=True)
    except DiptychError:
        return None
