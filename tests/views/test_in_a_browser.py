"""Cards in a real browser, as a notebook shows them: nothing runs, nothing is asked for, nothing runs over."""

from tests.report.browser import Watched, browser

from .test_cards import VALUES


def test_cards_are_shown_and_do_nothing(tmp_path):
    cards = "<hr>".join(value()._repr_html_() for value in VALUES.values())
    file = tmp_path / "cards.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><title>still</title>{cards}", "utf-8")
    with browser() as chromium:
        for width, scheme in ((400, "light"), (1600, "dark")):
            watched = Watched(chromium, width=width, scheme=scheme)
            watched.page.goto(file.as_uri())
            assert watched.overflow() <= 0, width
            assert watched.page.title() == "still"
            assert watched.said == []
            assert [url for url in watched.asked if not url.startswith("file:")] == []
            assert watched.page.query_selector("script, svg, img") is None
