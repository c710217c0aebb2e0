"""What a newcomer does: from the wheel, in an empty folder, every command and block of a page in its order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKILL = ROOT / "src/diptych/.agents/skills/diptych/SKILL.md"
PAGES = [
    ROOT / "README.md",
    ROOT / "docs/quick-start.md",
    ROOT / "docs/tutorial.md",
    *sorted((ROOT / "docs/how-to").glob("*.md")),
    SKILL,
]
_BLOCK = re.compile(r"(?:file `([\w./-]+)`:\n\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the environment of an installation from the wheel: dependencies by link, Diptych from the wheel alone."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    site, links, programs = folder / "site", folder / "links", folder / "bin"
    with zipfile.ZipFile(next(folder.glob("diptych-*.whl"))) as archive:
        archive.extractall(site)
    links.mkdir()
    programs.mkdir()
    for item in (item for p in sys.path if p.endswith("site-packages") for item in Path(p).iterdir()):
        if "diptych" not in item.name and item.suffix != ".pth" and not (links / item.name).exists():
            (links / item.name).symlink_to(item)
    (programs / "diptych").write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -m diptych "$@"\n')
    (programs / "diptych").chmod(0o755)
    path = os.pathsep.join([str(programs), "/usr/bin", "/bin"])
    yield {"PYTHONPATH": os.pathsep.join([str(site), str(links)]), "PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
    shutil.rmtree(folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_does_what_it_says(page: Path, installed: dict[str, str], tmp_path: Path) -> None:
    code = ""
    for file, language, block in _BLOCK.findall(page.read_text("utf-8")):
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(block, "utf-8")
        elif language == "console":
            for command, shown in commands(block):
                if not command.startswith("pip install"):
                    run(["sh", "-c", command], installed, tmp_path, shown)
        elif language == "python":
            code += block
    run([sys.executable, "-S", "-c", code], installed, tmp_path)


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of a block, each with the lines that it is said to print."""
    if "$ " not in block:
        yield from ((line, []) for line in block.splitlines())
        return
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def run(command: list[str], environment: dict[str, str], folder: Path, shown: list[str] | None = None) -> None:
    """Run a command: it succeeds, or has findings where the page shows what it prints."""
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in ((0, 1) if shown else (0,)), f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    printed = (done.stdout + done.stderr).splitlines()
    missing = [line for line in shown or [] if line not in printed and line.strip() != "…"]
    assert not missing, f"{command[-1]}\nprints no {missing}, but\n{done.stdout}\n{done.stderr}"


def test_the_skill_is_in_the_wheel_with_its_head(installed: dict[str, str]) -> None:
    site = Path(installed["PYTHONPATH"].split(os.pathsep)[0])
    text = (site / "diptych/.agents/skills/diptych/SKILL.md").read_text("utf-8")
    assert re.match(r"---\nname: diptych\ndescription: .{50,1000}\n---\n", text)
