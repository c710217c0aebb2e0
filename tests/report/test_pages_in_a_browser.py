"""Reports in a real browser: nothing runs, nothing is asked for, nothing runs over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import diptych
from diptych.migrate.findings.finding import Audit, Finding
from diptych.report.audits import audit_document
from diptych.report.batches import batch_document, runs_document
from diptych.report.conversions import conversion_document
from diptych.report.datasets import data_document
from diptych.report.page import page_of
from diptych.report.templates import template_document
from diptych.report.versions import versions_document

from .browser import Watched, browser

#: Markup, attributes, schemes and style sheets that would run or phone home if they were not text.
HOSTILE = (
    "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
    "</pre></div></details><style>@import url(http://127.0.0.1:9/x)</style><svg onload=document.title='ran'>"
    "\" onmouseover=\"document.title='ran'\" x=\"{{ 7*7 }}é🎉\u202e" + "w" * 300
)

MANIFEST = {
    "source": {"name": HOSTILE},
    "spec": {"from": HOSTILE, "to": "finetune_chat", "model": HOSTILE},
    "counts": {
        "rows": 31, "converted": 1, "rejected": 30, "written": 1, "losses": {"merged": 1}, "tokens_before": 3,
        "tokens_after": 9, "problems": [HOSTILE], "left_out": {HOSTILE: 2}, "layouts": {HOSTILE: 31},
        "reasons": {HOSTILE: {"rows": 30, "line": 1, "message": HOSTILE}},
    },
}  # fmt: skip


def documents() -> dict[str, dict[str, Any]]:
    template = diptych.Template.from_string(
        "{% system %}Be brief.{% endsystem %}{% user %}Say {{ text }}.{% image picture %}{% enduser %}", name=HOSTILE
    )
    picture = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
    inputs = {"text": HOSTILE, "picture": picture}
    body = {"model": HOSTILE, "messages": [{"role": "user", "content": HOSTILE, "name": HOSTILE}], "n": 2}
    result = diptych.convert(body, target="anthropic", on_loss="ignore")
    row = {"custom_id": HOSTILE, "response": None, "error": {"code": "x", "message": HOSTILE}}
    facts = {"migrates": False, "reason": HOSTILE, "code": HOSTILE}
    found = Audit([Finding("call", f"{HOSTILE}:1:1", facts)], files=1, unread=[HOSTILE])
    return {
        "template": template_document(template, {HOSTILE: inputs}, models=["gpt-4o", HOSTILE]),
        "conversion": conversion_document(body, result, title=HOSTILE, source=HOSTILE, target=HOSTILE),
        "batch": batch_document({HOSTILE: row}, title=HOSTILE),
        "runs": runs_document({HOSTILE: row}, {}, title=HOSTILE),
        "audit": audit_document(found, title=HOSTILE),
        "data": data_document(MANIFEST, [{"line": 1, "error": {"message": HOSTILE}, "row": HOSTILE}] * 30, title=HOSTILE),
        "versions": versions_document(template, template, names=(HOSTILE, HOSTILE), samples={HOSTILE: inputs}),
    }


def test_every_kind_of_page_has_its_document() -> None:
    partials = Path(diptych.__file__).parent / "report" / "partials"
    kinds = {path.name.partition(".")[0] for path in partials.glob("*.html.jinja")} - {"base", "parts"}
    assert kinds == {document["kind"] for document in documents().values()}


def test_hostile_documents_are_shown_and_do_nothing(tmp_path: Path) -> None:
    with browser() as chromium:
        for name, document in documents().items():
            file = tmp_path / f"{name}.html"
            file.write_text(page_of(document), "utf-8")
            for width, scheme in ((400, "light"), (3840, "dark")):
                watched = Watched(chromium, width=width, scheme=scheme)
                watched.page.goto(file.as_uri())
                assert watched.overflow() <= 0, (name, width)
                for summary in watched.page.query_selector_all("summary"):
                    summary.evaluate("one => one.parentElement.open = true")
                assert watched.overflow() <= 0, (name, width)
                assert watched.page.title().startswith("<script>"), name
                assert watched.said == [], name
                assert [url for url in watched.asked if not url.startswith(("file:", "data:"))] == [], name
                assert watched.page.query_selector("script, svg, [onerror], [onmouseover], [onload]") is None, name


@pytest.mark.parametrize("name", ["batch", "template"])
def test_the_keyboard_is_enough(name: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page_of(documents()[name]), "utf-8")
    with browser() as chromium:
        page = Watched(chromium).page
        page.goto(file.as_uri())
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.tagName") == "SUMMARY":
                break
        before = page.evaluate("document.activeElement.parentElement.open")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.parentElement.open") is not before
