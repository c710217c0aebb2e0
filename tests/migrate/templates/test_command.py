"""``diptych migrate templates``: which files it takes, what it writes, and what it never does."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from diptych import Template
from diptych.cli.app import make_app

PROMPTY = "system:\nBrief.\nuser:\nHi {{ name }}\n"
PYTHON = (
    "from langchain_core.prompts import PromptTemplate\n"
    'hello = PromptTemplate.from_template("Hi {name}")\n'
    'bye = PromptTemplate.from_template("Bye {name}")\n'
    "bad = PromptTemplate.from_template(read())\n"
)


def run(*args, **options):
    return CliRunner().invoke(make_app(), ["migrate", "templates", *map(str, args)], **options)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "prompts"
    (path / "deep").mkdir(parents=True)
    files = {
        "a.prompty": PROMPTY,
        "deep/b.prompt": "Hi {{name}}",
        "c.prompt.yml": "messages: [{role: user, content: Hi}]",
        "d.json": '{"_type": "prompt", "template": "Hi {name}"}',
        "e.yaml": "prompt: Hi $name",
        "f.py": PYTHON,
        "g.jinja": '{% chat role="user" %}Hi{% endchat %}',
        # none of these is a template without doubt
        "notes.md": "# Notes about {name}",
        "notes.txt": "Hi {name}",
        "package.json": '{"name": "x", "prompt": "y"}',
        "ci.yml": "name: ci\non: push\nmessages: none\n",
        "compose.yaml": "services: {}",
        "broken.json": "{",
        "code.py": "print('PromptTemplate')",
        "own.jinja": "{% system %}Mine{% endsystem %}",
        "data.jsonl": "{}",
        ".git/x.prompty": PROMPTY,
        "node_modules/y.prompty": PROMPTY,
    }
    for name, text in files.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text, "utf-8")
    (path / "binary.json").write_bytes(b"\xff\xfe\x00")
    return path


def test_a_folder_gives_what_is_a_template_without_doubt(folder, tmp_path):
    out = tmp_path / "out"
    done = run(folder, "--out", out, "--json")
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert {p.name for p in out.iterdir()} == {
        "a.jinja", "b.jinja", "c.jinja", "d.jinja", "e.jinja", "hello.jinja", "bye.jinja", "g.jinja",
    }  # fmt: skip
    assert Template.from_string((out / "hello.jinja").read_text()).render(name="Ann").prompt == "Hi Ann"
    by_verdict = [
        (os.path.basename(f["file"]), f.get("name"), f.get("layout")) for f in document["files"] if "verdict" in f
    ]
    assert ("f.py", "hello", "langchain-python") in by_verdict
    (refusal,) = [f for f in document["files"] if "error" in f]
    assert refusal["place"].endswith("f.py:4:36")
    assert "only known when it runs" in refusal["error"]
    assert done.exit_code == 1
    assert "f.py:4:36: refused: bad:" in done.stderr


def test_a_file_that_is_named_is_always_read(folder, tmp_path):
    done = run(folder / "notes.txt")
    assert (done.exit_code, done.stdout) == (0, "Hi {{ name }}")
    done = run(folder / "ci.yml", tmp_path / "nothing.prompty", folder / "binary.json")
    assert done.exit_code == 1
    assert "there are no messages" in done.stderr
    assert "nothing.prompty: refused: No such file" in done.stderr
    assert "not UTF-8" in done.stderr


def test_standard_input_and_a_layout_by_name():
    done = run("-", "--from", "github-prompt", input="messages: [{role: user, content: 'Hi {{x}}'}]")
    assert done.stdout == "{% user %}Hi {{ x }}{% enduser %}\n"
    assert run("-", "--from", "nothing", input="x").exit_code == 1


def test_two_sources_of_one_name_never_overwrite(tmp_path):
    (tmp_path / "x.prompty").write_text(PROMPTY)
    (tmp_path / "x.prompt").write_text("Other")
    out = tmp_path / "out"
    done = run(tmp_path / "x.prompty", tmp_path / "x.prompt", "--out", out)
    assert done.exit_code == 1
    assert "is written already, from" in done.stderr
    assert "Brief." in (out / "x.jinja").read_text()


def test_a_file_that_differs_is_kept_without_force(tmp_path):
    (tmp_path / "x.prompty").write_text(PROMPTY)
    out = tmp_path / "out"
    assert run(tmp_path / "x.prompty", "--out", out).exit_code == 0
    assert run(tmp_path / "x.prompty", "--out", out).exit_code == 0  # the same again is no conflict
    (out / "x.jinja").write_text("edited")
    done = run(tmp_path / "x.prompty", "--out", out)
    assert done.exit_code == 1
    assert "--force" in done.stderr
    assert (out / "x.jinja").read_text() == "edited"
    assert run(tmp_path / "x.prompty", "--out", out, "--force").exit_code == 0
    assert "Brief." in (out / "x.jinja").read_text()
    assert [p.name for p in out.iterdir()] == ["x.jinja"]


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "x.prompty").write_text(PROMPTY)
    out = tmp_path / "out"

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    done = run(tmp_path / "x.prompty", "--out", out)
    assert done.exit_code == 1
    assert "No space left" in done.stderr
    assert list(out.iterdir()) == []


def test_losses_are_told_or_raise(tmp_path):
    (tmp_path / "x.prompty").write_text("---\nauthors: [a]\n---\n" + PROMPTY)
    done = run(tmp_path / "x.prompty")
    assert "$.authors: field-dropped" in done.stderr
    assert "Brief." in done.stdout
    assert run(tmp_path / "x.prompty", "--on-loss", "ignore").stderr == ""
    out = tmp_path / "out"
    done = run(tmp_path / "x.prompty", "--on-loss", "raise", "--out", out, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["files"][0]["error"].startswith("it would lose something")
    assert not out.exists()


def test_back_to_prompty(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "x.jinja").write_text("{% system %}A{% endsystem %}{% user %}{{ q }}{% enduser %}")
    (tmp_path / "t" / "y.prompty").write_text(PROMPTY)
    done = run(tmp_path / "t", "--to", "prompty", "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["x.prompty"]
    assert run(tmp_path / "t", "--to", "liquid").exit_code == 2


def test_a_secret_is_in_no_output(tmp_path):
    (tmp_path / "x.prompty").write_text(
        "---\nmodel: {id: m, connection: {kind: key, apiKey: sk-SECRET}, configuration: {api_key: sk-SECRET}}\n---\n"
        + PROMPTY
    )
    (tmp_path / "y.prompty").write_text("---\nmodel: {connection: {apiKey: sk-SECRET\n---\n" + PROMPTY)
    for flags in ([], ["--json"], ["--on-loss", "raise"]):
        done = run(tmp_path, *flags)
        assert "SECRET" not in done.stdout + done.stderr


def test_as_a_process(folder):
    command = [sys.executable, "-m", "diptych", "migrate", "templates", str(folder / "a.prompty")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("{% system %}Brief.{% endsystem %}\n")
    assert done.stderr == ""


def test_several_templates_are_shown_under_their_names(tmp_path):
    source = (
        "from langchain_core.prompts import PromptTemplate\n"
        "first = PromptTemplate.from_template('A {x}')\nsecond = PromptTemplate.from_template('B {x}')\n"
    )
    (tmp_path / "t.py").write_text(source, "utf-8")
    done = CliRunner().invoke(make_app(), ["migrate", "templates", str(tmp_path / "t.py")])
    where = (tmp_path / "t.py").as_posix()
    assert done.stdout == f"==> {where} first <==\nA {{{{ x }}}}\n\n==> {where} second <==\nB {{{{ x }}}}\n\n"
