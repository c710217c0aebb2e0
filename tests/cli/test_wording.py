"""Errors, hints and suggestions in the words of the command line."""

import ast
import re
from pathlib import Path

import pytest

import diptych
from diptych.cli.failure import as_flags

from .test_cli import run  # noqa: F401 - a fixture

#: How Python's arguments look in a hint.
PYTHON = re.compile(r"\b[a-z_]+=(?:…|'|True\b|False\b)|\bmode '")


def hints():
    """Every hint that is written in the client and its bodies."""
    for folder in ("client", "apis"):
        for file in sorted((Path(diptych.__file__).parent / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "hint":
                    yield from filter(None, [text_of(node.value)])


def text_of(node):
    if isinstance(node, ast.Constant):
        return node.value
    parts = node.values if isinstance(node, ast.JoinedStr) else ()
    return "".join(p.value if isinstance(p, ast.Constant) else "NAME" for p in parts)


def test_hints_of_the_client_name_flags():
    found = list(hints())
    assert any(map(PYTHON.search, found))
    assert [text for text in map(as_flags, found) if PYTHON.search(text)] == []


def test_no_key(run, monkeypatch):  # noqa: F811
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    found = run("run", "translate", "-p", "text=hi")
    assert "OPENAI_API_KEY" in found.err
    assert "--base-url" in found.err
    assert "--dry-run" in found.err


def test_over_the_budget(run, monkeypatch):  # noqa: F811
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    found = run("run", "translate", "-p", "text=hi", "--max-cost", "0.0000001")
    assert found.code == 1
    assert "0.0000001" in found.err
    assert "raise --max-cost" in found.err


@pytest.mark.parametrize("command", ["render", "run"])
@pytest.mark.parametrize("given", [["--text", "Soup"], ["--text=Soup"]])
def test_an_option_that_is_an_input(run, command, given):  # noqa: F811
    found = run(command, "translate", *given)
    assert found.code == 2
    assert "-p text=Soup" in found.err
    assert "Possible" not in found.err


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(["rendr"], "'render'"), (["migrate", "dta"], "'data'"), (["render", "x", "--modle", "y"], "--model"),
     (["explain", "undefined-inptu"], "'undefined-input'"), (["models", "gpt5"], "'gpt-5'")],
)  # fmt: skip
def test_what_is_alike_is_suggested(run, arguments, near):  # noqa: F811
    assert near in run(*arguments).err


@pytest.mark.parametrize("arguments", [["chat"], ["explain", "no-such-thing"], ["models", "zzzz"]])
def test_what_is_not_alike_is_not(run, arguments):  # noqa: F811
    found = run(*arguments)
    assert found.code != 0
    assert found.err
    assert "did you mean" not in found.err.lower()


def test_no_model_is_a_finding(run):  # noqa: F811
    found = run("models", "gpt5", "--json")
    assert (found.code, found.json["models"]) == (1, [])


def test_a_template_is_no_file(run):  # noqa: F811
    found = run("count", "translate")
    assert found.code == 2
    assert "diptych cost translate" in found.err
    assert "diptych render translate" in found.err


def test_migrated_templates_are_counted(run, tmp_path):  # noqa: F811
    (tmp_path / "one.prompt").write_text("---\nmodel: x\n---\nHi {{name}}")
    assert "1 template written to new" in run("migrate", "templates", "one.prompt", "--out", "new").err
    (tmp_path / "two.prompt").write_text("---\nmodel: x\n---\nHo {{name}}")
    assert "2 templates written to new" in run("migrate", "templates", "one.prompt", "two.prompt", "-o", "new").err
