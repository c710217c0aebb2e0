"""Inputs keep their meaning: what is no plain data computes, compares and shows its fields."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import pickle
from collections import namedtuple
from decimal import Decimal
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import InvalidInput, Library, Template, TemplateError, TemplateSyntaxError, UndefinedInput, load

Point = namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Item:
    name: str
    price: Decimal


class Order(pydantic.BaseModel):
    items: list[int]
    at: datetime.date
    total: Decimal


def said(source: str, **inputs: Any) -> str:
    return Template.from_string(source).render(**inputs).prompt


@pytest.mark.parametrize(
    ("source", "value", "wanted"),
    [
        ("{{ x * 2 }}", Decimal("1.5"), "3.0"),
        ("{{ x }}", Decimal("1.50"), "1.50"),
        ("{{ x + 1 > 2 }}", Decimal("1.5"), "True"),
        ("{{ '%.1f'|format(x) }}", Decimal("2.25"), "2.2"),
        ("{{ x|tojson }}", Decimal("2"), "2"),
        ("{{ x }}", [Decimal("1.10"), {"a": Decimal("2")}], "[1.10, {'a': 2}]"),
        ("{{ x }}", ["Decimal('1')"], "[\"Decimal('1')\"]"),
        ("{{ x|tojson }}", [Decimal("1.10"), Decimal("1E+3"), "a"], '[1.10, 1E+3, "a"]'),
        ("{{ x|tojson }}", Decimal("0.1234567890123456789012345678901"), "0.1234567890123456789012345678901"),
        ("{{ x|tojson }}", ["decimal:0", "decimal_:0", Decimal("1.0")], '["decimal:0", "decimal_:0", 1.0]'),
        ("{{ x[1] }}", {1: "a"}, "a"),
        ("{{ x[1] }}{{ x['1'] }}", {1: "a", "1": "b"}, "ab"),
        ("{{ x|tojson }}", {1: None}, '{"1": null}'),
        ("{{ x.year }}-{{ x.day }} {{ x }}", datetime.date(2026, 1, 31), "2026-31 2026-01-31"),
        ("{{ x.hour }}:{{ x.minute }}", datetime.datetime(2026, 1, 31, 9, 5), "9:5"),
        ("{{ x.minute }}", datetime.time(9, 5), "5"),
        ("{{ x < '2027' }}", datetime.date(2026, 1, 1), "True"),
        ("{{ x.x }} {{ x[1] }} {{ x|length }}", Point(1, 2), "1 2 2"),
        ("{% for a, b in x %}{{ a }}{{ b }};{% endfor %}", [Point(1, 2), Point(3, 4)], "12;34;"),
        ("{{ x }}", Colour.RED, "red"),
        ("{{ x[0].name }} {{ x[0].price * 2 }}", [Item("a", Decimal("1.5"))], "a 3.0"),
        (
            "{{ x['items'] }} {{ x.at.month }} {{ x.total + 1 }}",
            Order(items=[1], at=datetime.date(2026, 5, 1), total=Decimal(2)),
            "[1] 5 3",
        ),
    ],
)
def test_values_keep_their_meaning(source: str, value: Any, wanted: str) -> None:
    assert said(source, x=value) == wanted


def test_fields_called_like_methods_are_fields() -> None:
    assert said("{{ x.count }}{{ x.index }}", x=namedtuple("C", "count index")(7, 8)) == "78"


def test_a_model_that_needs_its_json_form_says_so() -> None:
    class Secret(pydantic.BaseModel):
        key: pydantic.SecretStr

    rendered = Template.from_string("{{ x.key }}").render(x=Secret(key="hush"))
    assert "hush" not in rendered.prompt
    assert [(loss.path, loss.kind) for loss in rendered.losses] == [("$.inputs.x", "substituted")]


@pytest.mark.parametrize("value", [Decimal("1E+999999"), Decimal("1" * 5000), Decimal("1E-999999")])
def test_a_decimal_of_many_digits_is_refused(value: Decimal) -> None:
    with pytest.raises(InvalidInput, match="digits"):
        said("{{ '{:f}'.format(x) }}", x=value)


@given(st.dictionaries(st.integers() | st.text(max_size=3), st.integers(), max_size=5))
def test_keys_stay_what_they_are(value: dict[Any, int]) -> None:
    source = "{% for k in x %}{% if k is number %}n{% else %}s{% endif %}{% endfor %}"
    assert said(source, x=value) == "".join("n" if isinstance(k, int) else "s" for k in value)


def test_a_rendered_record_pickles() -> None:
    rendered = Template.from_string("{% for a in x %}{{ a }}{% endfor %}").render(x=Point(1, 2))
    assert pickle.loads(pickle.dumps(rendered)).prompt == "12"


def front(inputs: str, body: str = "x") -> Template:
    return Template.from_string(f"---\ninputs:\n{inputs}\n---\n{body}")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("  n: {type: integer, default: abc}", "the default of 'n'"),
        ("  n: {type: string, enum: [a], default: z}", "the default of 'n'"),
        ("  n: {type: string, default: 5}", "the default of 'n'"),
        ("  n: {type: array, items: {type: integer}, default: [1, x]}", "the default of 'n'"),
    ],
)
def test_a_default_of_another_type_is_refused_at_load(inputs: str, said: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=said) as caught:
        front(inputs)
    assert caught.value.location is not None
    assert caught.value.location.line == 3


def test_everything_wrong_is_said_at_once_with_its_path() -> None:
    template = front(
        "  d: {type: array, items: {type: object, properties: {c: {type: string}}, required: [c]}}\n  n: number"
    )
    with pytest.raises(InvalidInput) as caught:
        template.render(d=[{"c": "x"}, {}, {"c": 5}], n=None)
    message = caught.value.message
    assert "'d[1].c': Field required" in message
    assert "'d[2].c': Input should be a valid string" in message
    assert "'n': Input should be a valid number" in message
    assert caught.value.path == "$.inputs.d[1].c"


def test_all_missing_inputs_are_named() -> None:
    with pytest.raises(UndefinedInput, match="the inputs 'a', 'c' are missing"):
        front("  a: string\n  b: string\n  c: string").render(b="x")
    with pytest.raises(UndefinedInput) as caught:
        Template.from_string("{{ a }} {{ b }}").render()
    assert caught.value.hint == "pass a=…; the inputs are a, b"


@pytest.mark.parametrize(
    ("body", "inputs", "wanted"),
    [("[{{ s }}]", {}, "[]"), ("[{{ s }}]", {"s": None}, "[]"), ("{% if s is none %}none{% endif %}", {}, "none")],
)
def test_an_optional_input_that_is_none_prints_nothing(body: str, inputs: dict[str, Any], wanted: str) -> None:
    assert front("  s: string?", body).render(**inputs).prompt == wanted


@pytest.mark.parametrize(
    "call",
    [
        lambda: Template.from_string(5),
        lambda: Template.from_string("a", name=5),
        lambda: load(5),
        lambda: Library({"a": 5}),
        lambda: Template.from_string("{{ x }}").render(5),
        lambda: Template.from_string("{{ x }}").render({1: 2}),
        lambda: Template.from_string("{{ x|round(500) }}").render(x=Decimal(1)),
        lambda: Template.from_string("{{ x|tojson }}").render(x=float("nan")),
    ],
)
def test_values_of_a_wrong_kind_are_errors_of_ours(call: Any) -> None:
    with pytest.raises(TemplateError):
        call()


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ("{enum: [1]}", 1, True),
        ("{enum: [true]}", True, 1),
        ("{const: 1}", 1, "1"),
        ("number", 1.5, "1.5"),
        ("boolean", False, 0),
        ("array", (1, 2), "ab"),
        ("object", {"a": 1}, [1]),
        ("{type: array, items: {type: integer}}", range(3), [True]),
        ("{anyOf: [{type: integer}, {type: string}]}", "a", True),
    ],
)
def test_types_are_strict(schema: str, right: Any, wrong: Any) -> None:
    front(f"  n: {schema}", "{{ n }}").render(n=right)
    with pytest.raises(InvalidInput):
        front(f"  n: {schema}", "{{ n }}").render(n=wrong)
