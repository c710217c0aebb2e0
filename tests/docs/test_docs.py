"""The pages are true: their Python runs, their links lead somewhere, the generated ones are fresh."""

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import diptych
from diptych import registered

from .test_newcomer import PAGES as ELSEWHERE

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FILE = re.compile(r"into a file `(\w+\.py)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    """What an example registers ends with it."""
    monkeypatch.setattr(registered, "given", [])


#: The other pages are run by test_newcomer: in an empty folder, with the files and commands of the page.
HERE = [page for page in PAGES if page not in ELSEWHERE]


@pytest.mark.parametrize("page", HERE, ids=lambda p: str(p.relative_to(ROOT)))
def test_python_of_the_page_runs(page, monkeypatch, capsys, tmp_path):
    """One namespace a page, and the files that it names; lines are those of the page, so that a failure says where."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registered, "given", [])
    text = page.read_text("utf-8")
    for name, block in _FILE.findall(text):
        (tmp_path / name).write_text(block, "utf-8")
    scope = {"__name__": f"page_{page.stem}"}
    for block in _BLOCK.finditer(text):
        line = text[: block.start(1)].count("\n")
        exec(compile("\n" * line + block.group(1), str(page), "exec"), scope)


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", re.sub(r"`[^`\n]*`", "", page.read_text("utf-8"))):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_generated_pages_are_fresh():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "build_docs.py"), "--check"],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr + done.stdout


MODULES = sorted(m.name for m in pkgutil.walk_packages(diptych.__path__, "diptych.") if "__main__" not in m.name)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    try:
        module = importlib.import_module(name)
    except diptych.MissingExtra as error:
        pytest.skip(str(error))
    failed, _ = doctest.testmod(module)
    assert failed == 0
