"""The site: built without a warning, no link leads nowhere, nothing is asked from elsewhere, every page is found."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "scripts"))

from build_docs import llms  # noqa: E402


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "docs"


def test_no_link_leads_nowhere_and_nothing_is_asked_from_elsewhere(site: Path) -> None:
    broken, outside = [], []
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        outside += re.findall(r'<(?:script|img|link rel="stylesheet")[^>]+(?:src|href)="(https?:[^"]+)', text)
        for target in re.findall(r'href="([^"#?]+)', text):
            if page.name != "404.html" and ":" not in target and not (page.parent / unquote(target)).exists():
                broken.append((page.relative_to(site).as_posix(), target))
    assert (broken, outside) == ([], [])
    assert (site / "search.json").stat().st_size > 100_000


def _pages(nav: Any) -> set[str]:
    if isinstance(nav, str):
        return {nav}
    return {page for one in (nav.values() if isinstance(nav, dict) else nav) for page in _pages(one)}


def test_every_page_stands_in_the_navigation_or_is_listed_by_one() -> None:
    nav = _pages(tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"])
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert nav <= pages
    formats = (DOCS / "reference" / "formats.md").read_text("utf-8")
    assert [page for page in pages - nav if f"({page.removeprefix('reference/')})" not in formats] == []


def test_language_models_find_every_page() -> None:
    listed = re.findall(r"\]\(([^)]+)\): (.*)", llms())
    assert {page for page, _ in listed} == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert [page for page, said in listed if not said] == []
