"""The pictures in a real browser: what is shown is the text, and no data runs."""

import html
import re
import shutil
import subprocess

import pytest

from diptych import Template

HOSTILE = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"></pre></div>é🎉\u202e"


@pytest.fixture(scope="module")
def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on this machine: scripts/install-browser.sh installs it")
    return found


def dom(chromium, page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><title>still</title>{page}", "utf-8")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*command, "--dump-dom", file.as_uri()], capture_output=True, timeout=900, check=True)
    return done.stdout.decode()


def test_hostile_data_is_shown_and_does_not_run(chromium, tmp_path):
    template = Template.from_string("{% system %}Be brief.{% endsystem %}{% user %}Say {{ text }}.{% enduser %}")
    page = dom(chromium, template.render(text=HOSTILE)._repr_html_(), tmp_path)
    assert "<title>still</title>" in page
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert "document.title='ran'" in text
    assert "Be brief." in text
