"""Schemas are fitted to their receiver: what its server refuses goes, with its path, and is validated locally."""

import json
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from diptych import Client, InvalidResponse, LossError, convert_request
from diptych.apis.profiles import PROFILES, fitted
from diptych.conversion.responses import answering
from diptych.testing import Server

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 3, "pattern": "^[a-z]+$", "default": "ann"},
        "mail": {"anyOf": [{"type": "string", "format": "email"}, {"type": "string", "format": "idn-email"}]},
        "tags": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "uniqueItems": True},
        "minimum": {"type": "integer"},
    },
    "required": ["name"],
    "additionalProperties": False,
    "if": {"required": ["mail"]},
}
GONE = {
    "anthropic": {
        "properties.name.minLength", "properties.mail.anyOf[1].format", "properties.tags.items.minimum",
        "properties.tags.minItems", "properties.tags.uniqueItems",
    },
    "chat": {"properties.name.default", "if"},
    "gemini": {
        "properties.name.minLength", "properties.name.pattern", "properties.name.default", "properties.tags.uniqueItems", "if",
    },
}  # fmt: skip


def body(strict=True):
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": strict}}
    tool = {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": strict}}
    return {
        "model": "m",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Hi"}],
        "response_format": wanted,
        "tools": [tool],
    }


def test_every_row_is_of_an_api_and_has_its_source():
    assert {*PROFILES} <= {*answering()}
    assert all(row.source and row.seen for row in PROFILES.values())


@pytest.mark.parametrize("api", GONE)
def test_what_a_server_refuses_goes_and_nothing_else(api):
    found, gone = fitted(SCHEMA, PROFILES[api])
    assert {*gone} == GONE[api]
    assert fitted(found, PROFILES[api]) == (found, [])
    assert found["properties"].keys() == SCHEMA["properties"].keys()


@pytest.mark.parametrize("api", ["anthropic", "gemini", "responses"])
def test_a_request_says_what_went_at_its_place(api):
    made = convert_request(body(), to=api, on_loss="ignore")[0]
    said = {loss.path for loss in made.losses if "refuses this keyword" in loss.detail}
    roots = {"anthropic": ("response_format.json_schema.schema", "tools[0].function.parameters")}
    roots = roots.get(
        api, ("response_format.json_schema.schema",) + (("tools[0].function.parameters",) if api == "responses" else ())
    )
    gone = GONE.get(api, GONE["chat"])
    assert said == {f"$.{root}.{path}" for root in roots for path in gone}
    with pytest.raises(LossError):
        convert_request(body(), to=api)


def test_its_own_api_and_what_is_not_strict_stay():
    assert convert_request(body(), to="chat")[0].output == body()
    loose = convert_request(body(strict=False), to="responses", on_loss="ignore")[0]
    assert loose.output["text"]["format"]["schema"] == loose.output["tools"][0]["parameters"] == SCHEMA


def test_the_sdk_of_anthropic_leaves_out_the_same():
    transform = pytest.importorskip("anthropic").transform_schema
    for name, schema in SCHEMA["properties"].items():
        if name == "name":
            continue  # it turns patterns and defaults into words
        left = transform(json.loads(json.dumps(schema)))
        found, gone = fitted(schema, PROFILES["anthropic"])
        assert bool(gone) == (
            "{" in str(left.get("description", ""))
            or "{" in str(left.get("anyOf", left.get("items"))).replace("{'", "")
        ), name
        assert left["type"] == found["type"] if "type" in found else left["anyOf"]


class Person(BaseModel):
    name: Annotated[str, Field(min_length=6)]


@pytest.mark.parametrize("api", ["anthropic", "gemini", "chat", "responses", "ollama", "bedrock"])
def test_what_was_left_out_is_validated_when_the_reply_is_parsed(api):
    with Server(lambda body: '{"name": "Ann"}') as server, Client(server.base_url, api=api) as client:
        with pytest.raises(InvalidResponse, match="name"):
            client.parse("Who?", Person, model="m", max_tokens=50)
        assert ("minLength" in json.dumps(server.requests[-1].body)) == (api not in ("anthropic", "gemini"))
