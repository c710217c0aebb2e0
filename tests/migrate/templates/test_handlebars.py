"""Handlebars: what its own engine made of random bodies, and rules that bodies of dotprompt rely on."""

import json
from pathlib import Path

import pytest

from diptych import Template
from diptych.errors import MigrationError
from diptych.migrate import migrate_template
from diptych.migrate.templates.picoschema import to_json_schema

GOLDEN = json.loads((Path(__file__).parent / "handlebars.json").read_text("utf-8"))
SCHEMA = """---
input:
  schema:
    s: string
    e: string
    n: integer
    z: integer
    t: boolean
    f: boolean
    o(object):
      k: string
    l(array): string
    items(array):
      k: string
    words(array): string
    nil(array): string
---
"""


def said(body, inputs, front=""):
    template = Template.from_string(migrate_template(front + body, "a.prompt").source)
    return template.render(**{name: value for name, value in inputs.items() if name in template.inputs}).prompt


@pytest.mark.parametrize(("body", "golden"), GOLDEN["cases"], ids=range(len(GOLDEN["cases"])))
def test_a_body_says_what_handlebars_says(body, golden):
    assert said(body, GOLDEN["inputs"], SCHEMA) == golden


@pytest.mark.parametrize(
    ("body", "inputs", "golden"),
    [
        ("{{a.b.c}}|{{#if a.b.c}}x{{else}}y{{/if}}", {"a": {}}, "|y"),
        ("{{{else}}}", {"else_": "E"}, "E"),
        ("{{#each xs}}{{#if this}}{{this}}{{else if @first}}first{{else}}none{{/if}} {{/each}}", {"xs": ["", "a", ""]}, "first a none "),
        ("{{^if a}}no{{/if}}{{#unless a}}no{{else}}yes{{/unless}}", {"a": ""}, "nono"),
        ("{{#each o}}{{@key}}{{/each}}", {"o": {"items": 1, "keys": 2}}, "itemskeys"),
        ("{{o.items}} {{o.[a b]}}", {"o": {"items": "I", "a b": "AB"}}, "I AB"),
        ("\\\\{{a}} \\{{a}} \\\\", {"a": "A"}, "\\A {{a}} \\\\"),
        ("{{#each xs}}{{#each ys}}{{../k}}{{this}}{{/each}};{{/each}}", {"xs": [{"k": 1, "ys": [2, 3]}, {"k": 4, "ys": []}]}, "1213;;"),
        ("a\n\n{{!-- a\n note }} --}}\n\nb", {}, "a\n\n\nb"),
        ("{{lookup xs 1}}{{lookup o k}}", {"xs": ["a", "b"], "o": {"x": "X"}, "k": "x"}, "bX"),
        ("{{null}}{{undefined}}{{false}}{{12}}{{\"s\"}}", {}, "false12s"),
        ("{{xs.length}}", {"xs": ["a"]}, "1"),
    ],
)  # fmt: skip
def test_rules(body, inputs, golden):
    assert said(body, inputs) == golden


@pytest.mark.parametrize(
    ("schema", "golden"),
    [
        ("string, a name", {"type": "string", "description": "a name"}),
        ({"type": "string", "minLength": 1}, {"type": "string", "minLength": 1}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"a": "any, what"}, {"type": "object", "properties": {"a": {"description": "what"}}, "required": ["a"], "additionalProperties": False}),
        (
            {"a?(enum, m)": ["x"], "b?(array)": {"c": "null"}},
            {
                "type": "object",
                "properties": {
                    "a": {"enum": ["x", None], "description": "m"},
                    "b": {
                        "type": ["array", "null"],
                        "items": {"type": "object", "properties": {"c": {"type": "null"}}, "required": ["c"], "additionalProperties": False},
                    },
                },
                "additionalProperties": False,
            },
        ),
    ],
)  # fmt: skip
def test_picoschema(schema, golden):
    assert to_json_schema(schema) == golden


@pytest.mark.parametrize(
    "schema", [1, ["a"], {"a": 1}, {"a(map)": "string"}, "Person", {"a": "Person, who"}, {"a": None}]
)
def test_what_is_no_picoschema(schema):
    with pytest.raises(MigrationError):
        to_json_schema(schema)
