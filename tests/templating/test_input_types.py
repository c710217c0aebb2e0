"""Values that are of a declared type as they stand need no pydantic, and pydantic would not change them."""

import subprocess
import sys
from itertools import product

import pytest
from pydantic import TypeAdapter

from diptych.templating.schema import TYPES, AnnotationBuilder, expand, fits, is_type_alone

SHORTHAND = [name + suffix for name, suffix in product(TYPES, ("", "?", "[]", "[]?", "?[]"))]
VALUES = [
    "", "7", "true", 0, 7, -1, 2**70, 0.5, 7.0, float("inf"), True, False, None, [], [1], ["a", None], [1.0], [True],
    [[1], []], [{}], [{"a": 1}], {}, {"a": [1]}, [None], [1, "a"],
]  # fmt: skip


@pytest.mark.parametrize("kind", SHORTHAND)
def test_what_fits_is_what_pydantic_returns_unchanged(kind):
    schema = expand(kind)
    assert is_type_alone(schema)
    adapter = TypeAdapter(AnnotationBuilder({}).build(schema, "$"))
    for value in VALUES:
        if fits(value, schema):
            assert repr(adapter.validate_python(value)) == repr(value)


def test_every_type_has_values_that_fit():
    assert [kind for kind in SHORTHAND if not any(fits(value, expand(kind)) for value in VALUES)] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "a"}, {"type": "integer", "minimum": 1}, {"enum": [1]}, {"const": 1},
        {"type": ["string", "null"]}, {"items": {"type": "string"}}, {"type": "array", "items": {"minLength": 1}},
        {"type": "object", "properties": {}}, {"type": "object", "additionalProperties": False}, {"$ref": "#/a"},
        {"anyOf": [{"type": "string", "maxLength": 3}]}, {"anyOf": [{"type": "string"}], "type": "string"},
        {"type": "strin"}, True, None,
    ],
)  # fmt: skip
def test_a_schema_that_says_more_is_left_to_pydantic(schema):
    assert not is_type_alone(schema)


def test_rendering_typed_inputs_does_not_import_pydantic():
    code = (
        "import sys, diptych\n"
        "source = '---\\ninputs: {n: integer, xs: list, o: {type: number, default: 1}}\\n---\\n{{ n }}{{ xs }}'\n"
        "print(diptych.Template.from_string(source).render(n=1, xs=['a']).prompt, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1['a'] False\n"
