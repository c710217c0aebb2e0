"""Whether a model of one's own sees the same: the chat template renders what became of the prompts."""

import json

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from typer.testing import CliRunner

from diptych import ChatTemplate
from diptych.cli.app import make_app
from diptych.migrate.code.files import migrate_files

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HEAD = "from openai import OpenAI\nclient = OpenAI(base_url='http://localhost:8000/v1')\n"
SAME = "prompt=f'<|im_start|>user\\n{q}<|im_end|>\\n<|im_start|>assistant\\n'"


def source_of(prompt):
    return (
        f"{HEAD}def ask(q):\n    return client.completions.create(model='m', {prompt}, max_tokens=5).choices[0].text\n"
    )


def notes_of(folder, by):
    report = migrate_files([folder], prove=by)
    return [
        change.what
        for file in report.files
        for change in file.changes
        if "proof" in change.what or "sees" in change.what
    ]


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (SAME, "the model sees the same (proof by the chat template)"),
        ("prompt=q", "the model sees something else (by the chat template): at character 0"),
        ("prompt='Say ' + q", "the model sees something else (by the chat template): at character 0"),
    ],
)
def test_each_prompt_is_proved(tmp_path, prompt, said):
    (tmp_path / "a.py").write_text(source_of(prompt))
    (note,) = notes_of(tmp_path, ChatTemplate(TEMPLATE))
    assert note.startswith(said)


def test_a_call_of_openais_own_server_has_no_proof(tmp_path):
    (tmp_path / "a.py").write_text(source_of(SAME).replace("base_url='http://localhost:8000/v1'", ""))
    assert notes_of(tmp_path, ChatTemplate(TEMPLATE)) == []


def test_the_command_takes_a_tokenizer_config(tmp_path):
    (tmp_path / "a.py").write_text(source_of(SAME))
    config = tmp_path / "tokenizer_config.json"
    config.write_text(json.dumps({"chat_template": TEMPLATE}))
    done = CliRunner().invoke(make_app(), ["migrate", "code", str(tmp_path / "a.py"), "--prove", str(config)])
    assert done.exit_code == 0
    assert "the model sees the same" in done.stderr
