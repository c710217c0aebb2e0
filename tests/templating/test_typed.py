"""Typed functions and the schema of the front matter, judged by mypy, pyright and jsonschema."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from diptych import Library, Template
from diptych.templating.front_schema import front_schema
from diptych.templating.typed import typed_source

ROOT = Path(__file__).parents[2]
CALLS = """
import prompts

good: str = prompts.translate(text="Hello").prompt
prompts.classify(text="x", examples=[{"text": "a", "label": "b"}])
prompts.odd(class_="x", n=1)
"""
WRONG = """
import prompts

prompts.translate(txt="Hello")
prompts.translate(text=5)
prompts.classify(text="x", labels="no")
prompts.odd(class_="x", n="1")
prompts.odd(n=1)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    odd = "---\ninputs: {class: {enum: [x, y]}, n: integer}\n---\n{{ n }}{{ self }}"
    (tmp_path / "templates/odd.jinja").write_text(odd.replace("{{ self }}", ""))
    (tmp_path / "prompts.py").write_text(
        typed_source(tmp_path / "templates", output=tmp_path / "prompts.py"), encoding="utf-8"
    )
    return tmp_path


def test_the_functions_render(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("prompts", project / "prompts.py")
    assert spec is not None
    assert spec.loader is not None
    prompts = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prompts)
    library = Library(project / "templates")
    assert prompts.translate(text="Hi").prompt == library["translate"].render(text="Hi").prompt
    assert prompts.odd(class_="x", n=3).prompt == "3"
    names = {name for name in library if "/" not in name}
    assert len(prompts.__all__) == len(names)


def _wrong_lines(output: str) -> set[int]:
    return {int(line.split(":")[1]) for line in output.splitlines() if ": error" in line and "wrong.py" in line}


def test_mypy_checks_the_calls(project: Path) -> None:
    (project / "good.py").write_text(CALLS)
    (project / "wrong.py").write_text(WRONG)
    run = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--no-error-summary", "good.py", "wrong.py"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=project, check=False)
    assert "good.py" not in done.stdout
    assert "prompts.py" not in done.stdout
    assert _wrong_lines(done.stdout) == {4, 5, 6, 7, 8}, done.stdout + done.stderr


def test_pyright_checks_the_calls(project: Path) -> None:
    pyright = shutil.which("pyright")
    if pyright is None:
        pytest.skip("pyright is not installed")
    (project / "good.py").write_text(CALLS)
    (project / "wrong.py").write_text(WRONG)
    settings = {"pythonPath": sys.executable, "extraPaths": [str(ROOT / "src")]}
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run([pyright, "good.py", "wrong.py"], capture_output=True, text=True, cwd=project, check=False)
    assert "good.py:" not in done.stdout
    assert _wrong_lines(done.stdout.replace(" - error", ": error").replace(str(project) + "/", "")) == {4, 5, 6, 7, 8}


def test_the_source_is_linted(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "F,W,I", "--isolated", "prompts.py"],
        capture_output=True, text=True, cwd=project, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_command(project: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "diptych", *args]
        return subprocess.run(command, capture_output=True, text=True, cwd=project, check=False)

    assert run("types", "templates", "-o", "prompts.py", "--check").returncode == 0
    (project / "templates/new.jinja").write_text("{{ x }}")
    stale = run("types", "templates", "-o", "prompts.py", "--check")
    assert (stale.returncode, "run diptych types templates -o prompts.py" in stale.stderr) == (1, True)
    assert run("types", "templates", "-o", "prompts.py").returncode == 0
    assert run("types", "templates", "-o", "prompts.py", "--check").returncode == 0
    assert "def new(" in run("types", "templates").stdout
    assert json.loads(run("schema").stdout) == front_schema()


def test_the_schema_takes_what_templates_declare() -> None:
    jsonschema.Draft202012Validator.check_schema(front_schema())
    judge = jsonschema.Draft202012Validator(front_schema())
    for path in (ROOT / "templates").rglob("*.jinja"):
        judge.validate(Template.from_string(path.read_text("utf-8")).metadata if "partials" not in path.parts else {})
    for wrong in (
        {"trim": "line"},
        {"params": {"temprature": 0}},
        {"inputs": {"a": "strng"}},
        {"response_format": "json"},
        {"samples": [1]},
        {"tools": [{"description": "x"}]},
    ):
        assert list(judge.iter_errors(wrong)), wrong
    for right in ({"inputs": {"a": "string[]?", "b": {"type": "integer", "default": 3}}}, {"x-team": "a"}, {"inputs": ["a"]}):
        judge.validate(right)
