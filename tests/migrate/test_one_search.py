"""Every command that searches a folder finds the same files in it."""

import json

import pytest

from diptych.cli import main as command_line

FILES = [
    ".gitignore",
    "out/{}",
    "venv/lib/{}",
    "node_modules/{}",
    ".cache/{}",
    "env311/pyvenv.cfg",
    "env311/{}",
    "src/{}",
]
TEXTS = {
    "a.prompty": "---\nname: a\nmodel:\n  api: completion\n---\nHi {{name}}\n",
    "a.jsonl": '{"prompt": "2+2? ->", "completion": " 4"}\n',
    "a.py": 'import openai\nopenai.Completion.create(model="davinci-002", prompt="Hi", max_tokens=9)\n',
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    for file, text in TEXTS.items():
        for name in FILES:
            path = tmp_path / name.format(file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    (tmp_path / ".gitignore").write_text("out/")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def main(monkeypatch):
    def run(args):
        monkeypatch.setattr("sys.argv", ["diptych", *args])
        with pytest.raises(SystemExit) as ended:
            command_line()
        return ended.value.code

    return run


def searched(main, capsys, *args):
    """Return the files that a command with ``--json`` names."""
    main([*args, "--json"])
    told = json.loads(capsys.readouterr().out)
    if "findings" in told:
        return {finding["place"].partition(":")[0] for finding in told["findings"]}
    return {file["file"] for file in told["files"]}


COMMANDS = {
    "audit": (("audit", "."), ["src/a.jsonl", "src/a.prompty", "src/a.py"]),
    "templates": (("migrate", "templates", "."), ["src/a.prompty"]),
    "code": (("migrate", "code", "."), ["src/a.py"]),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_agree(project, main, capsys, command):
    args, files = COMMANDS[command]
    assert searched(main, capsys, *args) == set(files)
    ignored = {f"out/{file.removeprefix('src/')}" for file in files}
    venv = {f"venv/lib/{file.removeprefix('src/')}" for file in files}
    assert searched(main, capsys, *args, "--no-ignore") == {*files, *ignored, *venv}


def test_data_agrees(project, main, capsys):
    made = project / "made"
    for _ in range(2):  # what was made is no source of the next run
        assert main(["migrate", "data", ".", str(made), "--to", "finetune_chat", "--no-count"]) == 0
        assert [path.relative_to(made).as_posix() for path in made.rglob("*.jsonl")] == ["src/a.jsonl"]
    (project / ".gitignore").write_text("*.jsonl")
    assert main(["migrate", "data", ".", str(project / "again"), "--no-count"]) == 2
    assert "--no-ignore" in capsys.readouterr().err
    assert main(["migrate", "data", ".", str(project / "again"), "--no-count", "--no-ignore"]) == 0
