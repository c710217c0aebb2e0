"""The page of ``diptych play`` as a person uses it, in a real browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..report.browser import Watched, browser

pytest.importorskip("uvicorn", reason="uvicorn comes with the extra serve")
expect = pytest.importorskip("playwright.sync_api", reason="a dependency of development").expect
#: A slow machine may take so long, in milliseconds.
WAIT = 600_000
HOSTILE = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "greet.jinja").write_text(
        "---\ndescription: Greet.\ninputs: {name: string}\nsamples:\n  - {name: Ann}\n---\nHello {{ name }}"
    )
    command = [sys.executable, "-m", "diptych", "play", str(tmp_path), "--no-open"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    yield process.stderr.readline().strip()
    process.terminate()
    process.communicate(timeout=900)


def test_edit_save_and_look(address: str, tmp_path: Path) -> None:
    with browser() as chromium:
        watched = Watched(chromium, width=400)
        page = watched.page
        page.goto(address)
        expect(page.locator("#prompt")).to_have_text("Hello Ann", timeout=WAIT)
        assert page.locator("#prompt mark").text_content() == "Ann"

        page.get_by_label("Inputs (JSON)").fill('{"name": ' + '"' + HOSTILE.replace('"', '\\"') + '"}')
        expect(page.locator("#messages")).to_contain_text("<script>", timeout=WAIT)
        assert page.title() == "Diptych"
        assert page.locator("#prompt img, #prompt script, #messages img, #messages script").count() == 0
        assert watched.overflow() <= 0

        page.locator("#source").fill("Goodbye {{ name | uper }}")
        expect(page.locator("#error")).to_contain_text("uper", timeout=WAIT)
        page.locator("#source").fill("Goodbye {{ name }}")
        page.get_by_label("Inputs (JSON)").fill('{"name": "Bob"}')
        expect(page.locator("#prompt")).to_have_text("Goodbye Bob", timeout=WAIT)
        page.get_by_label("API").select_option("anthropic")
        assert '"max_tokens"' in page.locator("#body").text_content()

        page.get_by_role("button", name="Save").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#status")).to_contain_text("saved", timeout=WAIT)
        assert (tmp_path / "greet.jinja").read_text() == "Goodbye {{ name }}"

        own = address.partition("/?")[0]
        assert [url for url in watched.asked if not url.startswith(own)] == []
        assert watched.said == []
        assert page.get_by_role("button", name="Send").is_disabled()
