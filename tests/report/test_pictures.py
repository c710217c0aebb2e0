"""What a person sees of a rendered template: roles, data apart from author text, nothing obeyed."""

import io
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from diptych import Template

CHAT = Template.from_string("{% system %}Be brief.{% endsystem %}{% user %}Say {{ text }}.{% enduser %}")


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        self.text.append(data)


def shown(rendered):
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(rendered)
    return console.file.getvalue()


def test_html_shows_roles_and_marks_data():
    page = CHAT.render(text="<b>hi</b>")._repr_html_()
    reader = Reader()
    reader.feed(page)
    assert "system" in page
    assert "&lt;b&gt;hi&lt;/b&gt;" in page
    assert "b" not in reader.tags


@given(st.text(max_size=80))
def test_html_holds_any_data_as_text(text):
    rendered = CHAT.render(text=text)
    reader = Reader()
    reader.feed(rendered._repr_html_())
    assert not reader.tags & {"script", "img", "b", "iframe", "link", "object"}


@given(st.text(max_size=80))
def test_terminal_obeys_no_data(text):
    assert "\x1b" not in shown(CHAT.render(text=text))
    assert "\x07" not in shown(CHAT.render(text=text))


def test_terminal_shows_markup_as_text():
    assert "[red]hi[/red]" in shown(CHAT.render(text="[red]hi[/red]"))
