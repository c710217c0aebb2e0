"""``tojson`` of other tools is Jinja's own; a migrated template writes the same bytes."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest

from diptych import Template
from diptych.errors import MigrationError
from diptych.migrate import migrate_template
from diptych.migrate.templates.write_prompty import to_prompty
from diptych.templating.filters import FILTERS

VALUES: list[Any] = ["<é>", {"b": 1, "a": [None, "日本 '&'"]}, [], 1.5]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize(
    ("layout", "file", "before", "after"),
    [
        ("text", "a.txt", "", ""),
        ("banks", "a.jinja", '{% chat role="user" %}', "{% endchat %}"),
        ("haystack", "a.j2", '{% message role="user" %}', "{% endmessage %}"),
        ("prompty", "a.prompty", "---\nname: a\n---\nuser:\n", ""),
    ],
)
@pytest.mark.parametrize("body", ["{{ x | tojson }}", "{{ x|tojson(2) }}", "{% set y = {'k': x}|tojson %}{{ y }}"])
def test_the_bytes_of_jinja(layout: str, file: str, before: str, after: str, body: str, value: Any) -> None:
    wanted = jinja2.Environment().from_string(body).render(x=value)
    found = migrate_template(before + body + after, file, layout=layout)
    assert Template.from_string(found.source).render(x=value).messages[0]["content"] == wanted


def test_back_to_prompty() -> None:
    body = "---\ninputs:\n  x: any\n---\n{% user %}{{ x | FILTER }}{% enduser %}"
    options = "tojson(html=true, ensure_ascii=true, sort_keys=true)"
    assert "{{ x | tojson }}" in to_prompty(Template.from_string(body.replace("FILTER", options))).source
    for name in ("tojson", "tojson(2)", *FILTERS):
        with pytest.raises(MigrationError, match="Diptych's own"):
            to_prompty(Template.from_string(body.replace("FILTER", name if name != "xml" else "xml('a')")))
