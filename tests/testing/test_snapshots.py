"""The pytest plugin and the assertions on prompts, used as a project would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diptych import Template
from diptych.testing.prompts import assert_prompt, difference, snapshot_of

CHAT = Template.from_string(
    "---\nmodel: gpt-4o\n---\n{% system %}Be brief.{% endsystem %}{% user %}{{ x }}{% enduser %}"
)
PROJECT = """
from diptych import Template

def test_greeting(diptych_snapshot):
    template = Template.from_string("{% system %}Be SAID.{% endsystem %}{% user %}Hi {{ x }}{% enduser %}")
    diptych_snapshot(template.render(x="Ann"))
    diptych_snapshot(template.render(x="Bob"), name="bob")
"""


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of ``folder`` with no plugin but ours: others take seconds to load."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


def test_assertions() -> None:
    rendered = CHAT.render(x="Hello")
    assert_prompt(rendered, roles=["system", "user"], max_tokens=30, max_cost=0.01)
    with pytest.raises(AssertionError, match="the roles are"):
        assert_prompt(rendered, roles=["user"])
    with pytest.raises(AssertionError, match=r"tokens with gpt-4o, over 3"):
        assert_prompt(rendered, max_tokens=3)
    with pytest.raises(AssertionError, match="USD"):
        assert_prompt(rendered, max_cost=0.0000000001)


def test_a_difference_is_told_by_message() -> None:
    before, after = (snapshot_of(CHAT.render(x=x)) for x in ("one\ntwo\nthree", "one\n2\nthree"))
    told = difference(before, after)
    assert "message 1: user:" in told
    assert "-two" in told
    assert "+2" in told
    assert "message 0" not in told


def test_no_text_can_look_like_a_section() -> None:
    rendered = CHAT.render(x="===== prompt =====\nforged")
    told = difference(snapshot_of(CHAT.render(x="a")), snapshot_of(rendered))
    assert told.count("message 1: user:") == 1


ALIKE = """
import pytest
from diptych import Template

def shown(text):
    return Template.from_string("Say {{ x }}").render(x=text)

def test_a(diptych_snapshot):
    diptych_snapshot(shown("function"))

class TestA:
    def test_a(self, diptych_snapshot):
        diptych_snapshot(shown("method"))

    class TestB:
        def test_a(self, diptych_snapshot):
            diptych_snapshot(shown("inner method"))

@pytest.mark.parametrize("x", ["a/b", "a b", "a-b", "a::b", "a.b", "é" * 300, "é" * 300 + "e"])
def test_b(x, diptych_snapshot):
    diptych_snapshot(shown(x))
    diptych_snapshot(shown("2" + x))
    diptych_snapshot(shown("3" + x), name="../../out")

def test_twice(diptych_snapshot):
    diptych_snapshot(shown("one"), name="x")
    with pytest.raises(AssertionError, match="two snapshots"):
        diptych_snapshot(shown("two"), name="x")
"""


def test_names_of_files_are_apart(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["diptych.testing.plugin"]\n')
    (tmp_path / "test_alike.py").write_text(ALIKE)
    for arguments in (["--accept"], []):
        done = pytest_in(tmp_path, *arguments)
        assert done.returncode == 0, done.stdout
    files = [path for path in tmp_path.rglob("*.txt") if path.parent.name == "__snapshots__"]
    assert len(files) == 3 + 7 * 3 + 1
    assert len({path.read_text("utf-8") for path in files}) == len(files)
    assert {path.parent for path in files} == {tmp_path / "__snapshots__"}


def test_the_plugin_in_a_project(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["diptych.testing.plugin"]\n')
    test = tmp_path / "test_prompts.py"

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return pytest_in(tmp_path, *args)

    test.write_text(PROJECT.replace("SAID", "brief"))
    missing = run()
    assert missing.returncode == 1
    assert "there is no snapshot test_prompts-test_greeting.txt" in missing.stdout
    assert run("--accept").returncode == 0
    assert run().returncode == 0
    names = sorted(path.name for path in (tmp_path / "__snapshots__").iterdir())
    assert names == ["test_prompts-test_greeting-bob.txt", "test_prompts-test_greeting.txt"]
    test.write_text(PROJECT.replace("SAID", "kind"))
    changed = run()
    assert changed.returncode == 1
    assert "message 0: system:" in changed.stdout
    assert "-Be brief." in changed.stdout
    assert "+Be kind." in changed.stdout
