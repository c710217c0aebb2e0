"""Texts with holes say what their own engine says: ``str.format``, ``string.Template``, the ``%`` operator, Jinja."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diptych import Template
from diptych.errors import MigrationError
from diptych.migrate import migrate_template

VALUES = {"x": "a'b", "y": "é{{ 1 }}$x", "n": 7, "w": 12, "o": {"k": "K", "xs": [1, 2]}, "loop": "L"}
#: Each language: its engine, and marks of it.
ENGINES = {
    "str-format": (
        lambda text: string.Formatter().vformat(text, (), VALUES),
        ["{x}", "{y}", "{x!r}", "{x!s:>9}", "{y:^8}", "{y!a}", "{n:05.1f}", "{n:+d}", "{x:{w}}", "{n:{w}.{n}f}", "{o[k]}", "{o[xs]!r:>9}", "{loop}", "{{", "}}"],
    ),
    "string-template": (lambda text: string.Template(text).substitute(VALUES), ["$x", "${y}", "$$", "${n}s", "$loop", "$"]),
    "percent-format": (lambda text: text % VALUES, ["%(x)s", "%(y)r", "%(n)05.1f", "%(n)+d", "%(x)-9s|", "%(loop)s", "%%", "%(x)a", "%"]),
}  # fmt: skip
PLAIN = ["a", " ", "\n", "é", "'", "\\", '"', "# b", "-", "(", ")"]
FOREIGN = {
    "str-format": ["$x", "%(x)s", "{{% b %}}", "{{# c #}}", "{{{{ d }}}}"],
    "string-template": ["{x}", "{{ y }}", "{% b %}", "%s", "{#"],
    "percent-format": ["{x}", "{{ y }}", "$x", "{%% b %%}", "{#"],
}  # fmt: skip


@pytest.mark.parametrize("layout", ENGINES)
@given(data=st.data())
def test_a_text_says_what_its_engine_says(layout, data):
    engine, marks = ENGINES[layout]
    text = "".join(data.draw(st.lists(st.sampled_from([*marks, *PLAIN, *FOREIGN[layout]]), max_size=9)))
    try:
        meant = engine(text.removesuffix("\n"))  # the end of the file
    except KeyError:
        assume(False)  # a name that the pieces made together
    except (ValueError, TypeError, IndexError):
        with pytest.raises(MigrationError):
            migrate_template(text, "a.txt", layout=layout)
        return
    found = migrate_template(text, "a.txt", layout=layout)
    assert found.verdict == "lossless"
    template = Template.from_string(found.source)
    inputs = {name: VALUES[name.rstrip("_")] for name in template.inputs}
    assert template.render(**inputs).prompt == meant


@given(
    parts=st.lists(
        st.sampled_from(
            [
                "{x}",
                "{y!r}",
                "$x",
                "${y}",
                "%(x)s",
                "%s",
                "{{ x }}",
                "{% if x %}",
                "{% endif %}",
                "{{#if x}}",
                "{{/if}}",
                "{{",
                "}}",
                "<%= x %>",
                *PLAIN,
            ]
        ),
        max_size=7,
    )
)
def test_what_is_lossless_is_read_by_one_engine_alone(parts):
    text = "".join(parts)
    try:
        found = migrate_template(text, "a.txt")
    except MigrationError:
        return
    assume(found.verdict == "lossless")
    template = Template.from_string(found.source)
    said = template.render(**{name: VALUES[name] for name in template.inputs}).prompt
    engine, _ = ENGINES["str-format"]
    text = text.removesuffix("\n")  # the end of the file
    is_format = "{x}" in parts
    assert said == (engine(text) if is_format else text if "{{ x }}" not in text and "{%" not in text else said)
    assert not any(mark in parts for mark in ("$x", "${y}", "%(x)s", "<%= x %>"))
