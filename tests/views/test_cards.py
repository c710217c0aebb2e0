"""Every value that shows itself: nothing runs, nothing steers the terminal, nothing is hidden."""

import html
import io
import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from rich.console import Console

from diptych import Client, Library, Template, convert, count, estimate, fit, to_messages, to_prompt
from diptych.migrate.findings.finding import Audit, Finding
from diptych.request import Request
from diptych.testing import Server
from diptych.views.card import ROWS, Card, Table
from diptych.views.html import card_html
from diptych.views.shown import Shown
from diptych.views.terminal import card_rich

HOSTILE = "<script>alert(1)</script>\x1b[31m\x07[red]é🎉\u202e</div>"
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"q": 1}'}}


def hostile_messages():
    return [{"role": "user", "content": HOSTILE}, {"role": "assistant", "content": None, "tool_calls": [CALL]}]


def reply():
    with Server() as server, Client(server.base_url) as client:
        return client.send([{"role": "user", "content": HOSTILE}], model="test")


#: One value of every class that shows itself, with hostile text in it.
VALUES = {
    "Reading": lambda: to_messages(f"User: {HOSTILE}\nAssistant: Hi\nUser: x\nAssistant:"),
    "Writing": lambda: to_prompt(hostile_messages()[:1], "chatml"),
    "Conversion": lambda: convert(hostile_messages(), target="gemini", on_loss="ignore"),
    "Estimate": lambda: estimate(HOSTILE, HOSTILE),
    "Fitted": lambda: fit([*hostile_messages()[:1] * 3], "gpt-4o"),
    "Template": lambda: Template.from_string(f"---\ninputs: {{t: string}}\n---\n{{{{ t }}}}{HOSTILE[:25]}", name=HOSTILE),
    "Library": lambda: Library({"a<b>": "{{ x }}", "broken": "{% if %}" + HOSTILE}),
    "Reply": reply,
    "Parsed": reply,
    "Audit": lambda: Audit([Finding("model", f"{HOSTILE}:1:1", {"model": HOSTILE, "shutdown_date": "2026-01-01"})]),
    "Request": lambda: Request(to_messages(HOSTILE).conversation, params={"stop": HOSTILE}),
    "Rendered": lambda: Template.from_string("Say {{ t }}", name=HOSTILE).render(t=HOSTILE),
    "TokenCount": lambda: count(HOSTILE, "gpt-4o"),
}


def classes(base=Shown):
    for one in base.__subclasses__():
        if one.__module__.startswith("diptych"):
            yield one.__name__
            yield from classes(one)


def test_every_class_that_shows_itself_is_here():
    assert {*classes()} | {"TokenCount"} == VALUES.keys()


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.names, self.open = set(), []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.open.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", VALUES)
def test_a_picture_in_a_notebook_holds_no_markup_of_the_data(name):
    page = VALUES[name]()._repr_html_()
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert tags.names <= {"div", "table", "tr", "th", "td", "mark"}
    if name not in ("TokenCount",):
        assert "<script>" in html.unescape(page) or "a<b>" in html.unescape(page)


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("name", VALUES)
def test_a_picture_in_a_terminal_fits_and_cannot_steer_it(name, width):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(VALUES[name]())
    shown = console.file.getvalue()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)
    assert all(len(line) <= width for line in shown.splitlines())
    assert shown.strip()


def test_calls_parts_and_losses_are_visible():
    talk = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c.png"}}]}]
    page = convert(talk + hostile_messages()[1:], target="openai_chat", on_loss="ignore")._repr_html_()
    assert "https://a.b/c.png" in page
    assert "tool call: look({&#34;q&#34;: 1})" in page
    lossy = convert([{"role": "user", "name": "ann", "content": "Hi"}], target="gemini", on_loss="ignore")
    assert "name-dropped" in lossy._repr_html_()
    assert "$.messages[0].name" in lossy._repr_html_() or "$[0].name" in lossy._repr_html_()


def test_an_unknown_price_is_said_and_a_known_one_is_whole():
    assert "no price is known" in html.unescape(estimate("Hi", "no-such-model")._repr_html_())
    known = estimate([{"role": "user", "content": "Hi"}], "gpt-5.4-mini", output=100)
    assert f"${known.cost.expected:f}" in known._repr_html_()
    assert known.cost.expected > Decimal(0)


def test_what_is_too_much_is_counted():
    card = Card("", {}, [Table("", ("n",), [(n,) for n in range(ROWS + 7)])])
    assert "… 7 more rows" in card_html(card)
    console = Console(file=io.StringIO(), width=60)
    console.print(card_rich(card))
    assert "… 7 more rows" in console.file.getvalue()


def test_the_legend_stands_only_where_data_is_marked():
    template = Template.from_string("Say {{ t }}")
    assert "Marked text is data" in template.render(t="x")._repr_html_()
    assert "Marked text is data" not in to_messages("Hi")._repr_html_()
