"""Typed functions and the schema of the front matter, judged by mypy, pyright and jsonschema."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from tests.commands import diptych_command

from diptych import Library, Template, TemplateError
from diptych.templating.front_schema import front_schema
from diptych.templating.typed import typed_source

ROOT = Path(__file__).parents[2]
Mypy = Callable[..., "subprocess.CompletedProcess[str]"]
PYRIGHT = {"pythonPath": sys.executable, "extraPaths": [str(ROOT / "src")], "typeCheckingMode": "standard"}
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


@pytest.fixture(scope="module")
def mypy(tmp_path_factory: pytest.TempPathFactory) -> Mypy:
    """Run mypy as a project would; what it finds out of Diptych and its libraries is found out once."""
    cache = tmp_path_factory.mktemp("mypy")

    def run(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={cache}", "--no-error-summary", *files]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)

    return run


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


def test_mypy_checks_the_calls(project: Path, mypy: Mypy) -> None:
    (project / "good.py").write_text(CALLS)
    (project / "wrong.py").write_text(WRONG)
    done = mypy(project, "good.py", "wrong.py")
    assert "good.py" not in done.stdout
    assert "prompts.py" not in done.stdout
    assert _wrong_lines(done.stdout) == {4, 5, 6, 7, 8}, done.stdout + done.stderr


def test_pyright_checks_the_calls(project: Path) -> None:
    beside = Path(sys.executable).parent / "basedpyright"
    pyright = str(beside) if beside.exists() else shutil.which("pyright")
    if pyright is None:
        pytest.skip("neither basedpyright nor pyright is installed")
    (project / "good.py").write_text(CALLS)
    (project / "wrong.py").write_text(WRONG)
    (project / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    done = subprocess.run([pyright, "good.py", "wrong.py"], capture_output=True, text=True, cwd=project, check=False)
    assert "good.py:" not in done.stdout
    assert _wrong_lines(done.stdout.replace(" - error", ": error").replace(str(project) + "/", "")) == {4, 5, 6, 7, 8}


NAMES = (
    "list",
    "class",
    "match",
    "2nd",
    "Rendered",
    "a.b",
    "x²",
    "Path",
    "TypedDict",
    "any",
    "deep/er",
    "self",
    'say "hi"',
)
INPUTS = (
    "template",
    "self",
    "name",
    "inputs",
    "_render",
    "list",
    "str",
    "class",
    "a b",
    "Any",
    "x-y",
    "cls",
    "value",
    'q"b',
)
FRONT = {
    "description": 'Ends with "quotes" and a \\ backslash: \\d """ and "',
    "inputs": {
        **{name: {"type": "string", "default": '"""\\'} for name in INPUTS},
        "kind": {"enum": ["a\\b", "c'd", None, 3]},
        "half": {"enum": [0.5, 1.5]},
        "none": {},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"a b": {"type": "string"}, "c": {}}}},
    },
}


def test_any_name_gives_python(tmp_path: Path, mypy: Mypy) -> None:
    for name in NAMES:
        path = tmp_path / "odd names" / f"{name}.jinja"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(f"---\n{json.dumps(FRONT)}\n---\n{{{{ name }}}}{{{{ template }}}}", "utf-8")
    path = tmp_path / "typed.py"
    path.write_text(typed_source(tmp_path / "odd names", output=path), "utf-8")
    calls = [
        f"typed.{name}(kind=None, half=0.5, none=1, rows=[]).prompt"
        for name in ("list_", "class_", "Rendered_", "_2nd")
    ]
    (tmp_path / "use.py").write_text("\n".join(["import typed", *calls, "print(typed.self(template='a', name='b', kind=3, half=0.5, none=1, rows=[]).prompt)"]))  # fmt: skip
    done = subprocess.run([sys.executable, "use.py"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.stdout, done.stderr) == ("ba\n", "")
    done = mypy(tmp_path, "typed.py", "use.py")
    assert done.stdout == "", done.stdout
    pyright = Path(sys.executable).parent / "basedpyright"
    if pyright.exists():
        (tmp_path / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
        done = subprocess.run([str(pyright), "--level", "error", "typed.py"], capture_output=True, text=True, cwd=tmp_path, check=False)  # fmt: skip
        assert done.stdout.startswith("0 errors"), done.stdout


@pytest.mark.parametrize(
    ("names", "inputs"),
    [
        (("a-b", "a_b"), ""),
        (("a/b", "a_b"), ""),
        (("class", "class_"), ""),
        (("a",), "[x-y, x_y]"),
        (("a",), "[class, class_]"),
    ],
)
def test_names_that_become_the_same_are_an_error(tmp_path: Path, names: tuple[str, ...], inputs: str) -> None:
    for name in names:
        path = tmp_path / f"{name}.jinja"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"---\ninputs: {inputs}\n---\nHi")
    with pytest.raises(TemplateError) as caught:
        typed_source(tmp_path)
    shown = (
        [f"'{name}.jinja'" for name in names] if not inputs else [repr(one) for one in inputs.strip("[]").split(", ")]
    )
    assert all(one in caught.value.message for one in shown)
    assert caught.value.hint


def test_classes_of_one_name_are_apart(tmp_path: Path) -> None:
    rows = "{type: object, properties: {x: {type: string}}}"
    for name, key in (("a_b", "c"), ("a", "b_c"), ("ABC", "d"), ("AB", "C")):
        (tmp_path / f"{name}.jinja").write_text(f"---\ninputs: {{{key}: {rows}}}\n---\n{{{{ {key} }}}}")
    source = typed_source(tmp_path)
    titles = [line.split(" = ")[0] for line in source.splitlines() if "TypedDict(" in line]
    functions = [line[4:].split("(")[0] for line in source.splitlines() if line.startswith("def ")]
    assert len({*titles, *functions}) == len(titles) + len(functions)


def test_the_source_is_linted(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "F,W,I", "--isolated", "prompts.py"],
        capture_output=True, text=True, cwd=project, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_command(project: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return diptych_command(*args, cwd=project)

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
    for right in (
        {"inputs": {"a": "string[]?", "b": {"type": "integer", "default": 3}}},
        {"x-team": "a"},
        {"inputs": ["a"]},
    ):
        judge.validate(right)
