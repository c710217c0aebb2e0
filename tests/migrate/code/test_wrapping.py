"""Lines that a migration makes too long: they mean the same, and nearly all stand as ruff would have them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code
from diptych.migrate.code.edits import apply
from diptych.migrate.code.files import migrate_files
from diptych.migrate.code.migration import planned
from diptych.migrate.code.source import Source
from diptych.migrate.code.widths import width_of
from diptych.migrate.code.wrapping import wrapped

CASES = Path(__file__).parent / "cases"
WIDTH = 88


def formatted(folder):
    """Format every file of a folder with ruff, which is the judge here."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--quiet", f"--line-length={WIDTH}", str(folder)]
    subprocess.run(command, check=True)
    return {file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.py"))}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The cases, formatted, and what their migration gives with lines wrapped and without."""
    pytest.importorskip("ruff", reason="ruff comes with the extra `dev`")
    folder = tmp_path_factory.mktemp("before")
    for file in sorted(CASES.glob("*.before.py"))[::3]:
        (folder / file.name).write_text(file.read_text("utf-8"), "utf-8")
    before = formatted(folder)
    found = {}
    for name, source in before.items():
        edits = planned(Source(source, name)).edits
        plain = apply(source, edits)
        found[name] = source, plain, wrapped(source, edits, plain, WIDTH)
    return {name: three for name, three in found.items() if three[0] != three[1]}


def test_wrapped_lines_mean_the_same(sources):
    assert len(sources) > 25
    for name, (_, plain, found) in sources.items():
        assert ast.dump(ast.parse(plain)) == ast.dump(ast.parse(found)), name


def test_nearly_all_stands_as_a_formatter_would_have_it(sources, tmp_path):
    for name, (_, _, found) in sources.items():
        (tmp_path / name).write_text(found, "utf-8")
    again = formatted(tmp_path)
    lines = [(name, line) for name, (_, _, found) in sources.items() for line in found.splitlines()]
    kept = [(name, line) for name, line in lines if line in set(again[name].splitlines())]
    same = sum(again[name] == found for name, (_, _, found) in sources.items())
    assert len(kept) >= 0.95 * len(lines)
    assert same >= 0.7 * len(sources)


def test_lines_that_did_not_change_stay(sources):
    for before, plain, found in sources.values():
        untouched = set(before.splitlines()) & set(plain.splitlines())
        short = {line for line in untouched if len(line) <= WIDTH}
        assert short <= set(found.splitlines()) | {
            line for line in short if line.strip().startswith(("model=", "messages="))
        }


LONG = "reply = client.completions.create(model='text-davinci-003', prompt=text, max_tokens=100)\n"
IMPORT = "import openai\nclient = openai.OpenAI()\n"


def test_the_elements_go_to_one_line_or_to_one_each():
    found = migrate_code(IMPORT + LONG, line_length=110).source
    assert found.endswith(
        "reply = client.chat.completions.create(\n"
        '    model=\'gpt-5.4-mini\', messages=[{"role": "user", "content": text}], max_completion_tokens=100\n'
        ")\n"
    )
    found = migrate_code(IMPORT + LONG, line_length=90).source
    assert found.endswith(
        "reply = client.chat.completions.create(\n"
        "    model='gpt-5.4-mini',\n"
        '    messages=[{"role": "user", "content": text}],\n'
        "    max_completion_tokens=100,\n"
        ")\n"
    )


def test_a_line_that_was_too_long_before_stays_one_and_so_do_all_without_a_length():
    for options in ({"line_length": 60}, {}):
        assert len(migrate_code(IMPORT + LONG, **options).source.splitlines()) == 3


@pytest.mark.parametrize("rest", ["  # why", "", "  # noqa: E501"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_breaks_and_comments_stay(newline, rest):
    source = (IMPORT + LONG.rstrip() + rest + "\n").replace("\n", newline)
    found = migrate_code(source, line_length=105).source
    assert found.count("\n") == found.count(newline) > 3
    assert found.endswith(f"){rest}{newline}")


SETTINGS = {
    "pyproject.toml": "[tool.ruff]\nline-length = 70\n", "ruff.toml": "line-length = 71\n", ".ruff.toml": "line-length = 72\n",
    "setup.cfg": "[flake8]\nmax-line-length = 73\n", ".flake8": "[flake8]\nmax_line_length=74\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_the_length_is_that_of_the_projects_formatter(tmp_path, name):
    (tmp_path / "src").mkdir()
    (tmp_path / name).write_text(SETTINGS[name])
    assert width_of(tmp_path / "src") == int("".join(c for c in SETTINGS[name] if c.isdigit() and c != "8") or 0)


@pytest.mark.parametrize("text", ["[tool.black\n", "[tool]\nblack = 3\n", "[tool.black]\nline-length = 'x'\n", ""])
def test_settings_that_say_nothing_leave_the_default(tmp_path, text):
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "setup.cfg").write_text("[metadata\n")
    assert width_of(tmp_path) == 88


def test_the_command_wraps_by_the_projects_length(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 100\n")
    (tmp_path / "a.py").write_text(IMPORT + LONG)
    (file,) = migrate_files([tmp_path]).files
    assert max(map(len, file.after.splitlines())) <= 100
    assert len(file.after.splitlines()) > 3
