"""What each receiver takes of a JSON Schema: one row per API. What it refuses is removed, and reported.

Rule: a keyword that a server refuses would fail the whole request, so it is left out; the reply may then break it, and
whoever parses the reply validates it against the whole schema (``Client.parse`` does). A schema converted to its own
API stays as it is. Bedrock's and Ollama's servers leave schemas to the model: nothing is claimed of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from ..model import FrozenMap, ResponseFormat, ToolSpec, thaw
from ..request import Request
from .ledger import Ledger

#: Keywords whose value maps names to schemas, is a schema, or is a list of schemas.
NAMED: Final = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
SINGLE: Final = ("items", "additionalItems", "additionalProperties", "not", "contains", "if", "then", "else")
LISTS: Final = ("anyOf", "allOf", "oneOf", "prefixItems")


class Profile(NamedTuple):
    """What an API takes of a schema.

    ``refused`` are keywords that fail the request; where ``taken`` is given, all but these do. ``formats`` are the
    formats of a text that are taken. ``of_strict`` says that it holds for schemas marked strict alone, ``of_tools``
    that it holds for strict tools, too. ``least_items`` is the largest ``minItems`` that is taken.
    """

    source: str
    seen: str
    refused: Collection[str] = ()
    taken: Collection[str] = ()
    formats: Collection[str] = ()
    least_items: int | None = None
    of_strict: bool = False
    of_tools: bool = True

    def refuses(self, name: str, value: Any) -> bool:
        """Tell whether a keyword fails the request."""
        if name == "format" and self.formats:
            return value not in self.formats
        if name == "minItems" and self.least_items is not None:
            return bool(value > self.least_items) if type(value) is int else True
        return name in self.refused or bool(self.taken and name not in self.taken)


_STRICT: Final = Profile(
    'OpenAI, "Structured outputs", supported schemas',
    "2026-11-26",
    refused=("allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else", "default"),
    of_strict=True,
)
PROFILES: Final[Mapping[str, Profile]] = {
    "chat": _STRICT,
    "responses": _STRICT,
    "anthropic": Profile(
        'Anthropic, "Structured outputs"; anthropic 2.14, lib._parse._transform',
        "2026-11-26",
        refused=(
            "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
            "maxItems", "uniqueItems", "minProperties", "maxProperties", "minContains", "maxContains",
        ),
        least_items=1,
        formats=("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"),
    ),
    "gemini": Profile(
        "google-genai 3.6, GenerationConfig.response_json_schema",
        "2026-11-26",
        taken=(
            "$id", "$defs", "$ref", "$anchor", "$schema", "type", "format", "title", "description", "enum", "items",
            "prefixItems", "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties",
            "additionalProperties", "required", "propertyOrdering", "nullable",
        ),
        of_tools=False,
    ),
}  # fmt: skip


def fitted(schema: Mapping[str, Any], profile: Profile, path: str = "") -> tuple[dict[str, Any], list[str]]:
    """Return a schema without the keywords that an API refuses, and the paths of those.

    >>> fitted({"type": "string", "minLength": 3}, PROFILES["anthropic"])
    ({'type': 'string'}, ['minLength'])
    """
    found: dict[str, Any] = {}
    gone: list[str] = []
    for name, value in schema.items():
        at = f"{path}.{name}" if path else name
        if profile.refuses(name, value):
            gone.append(at)
        elif name in NAMED and isinstance(value, Mapping):
            found[name] = {key: _inside(sub, profile, f"{at}.{key}", gone) for key, sub in value.items()}
        elif name in LISTS and isinstance(value, list | tuple):
            found[name] = [_inside(sub, profile, f"{at}[{index}]", gone) for index, sub in enumerate(value)]
        else:
            found[name] = _inside(value, profile, at, gone) if name in SINGLE else value
    return found, gone


def _inside(value: Any, profile: Profile, path: str, gone: list[str]) -> Any:
    if not isinstance(value, Mapping):
        return value
    found, more = fitted(value, profile, path)
    gone += more
    return found


def fit(api: str, request: Request, ledger: Ledger) -> Request:
    """Return a request whose schemas the server of an API takes; what is left out of them is reported."""
    profile, talk = PROFILES.get(api), request.conversation
    if profile is None or not (talk.response_format or talk.tools):
        return request
    tools = tuple(_tool(tool, profile, ledger) for tool in talk.tools) if profile.of_tools else talk.tools
    wanted = _format(talk.response_format, profile, ledger)
    if wanted is talk.response_format and all(map(_is, tools, talk.tools)):
        return request
    return request.replace(response_format=wanted, tools=tools)


def _is(one: Any, two: Any) -> bool:
    return one is two


def _format(wanted: ResponseFormat | None, profile: Profile, ledger: Ledger) -> ResponseFormat | None:
    if wanted is None or wanted.schema is None or (profile.of_strict and not wanted.strict):
        return wanted
    schema = _cut(wanted, "schema", wanted.schema, profile, ledger)
    return wanted if schema is None else _same(replace(wanted, schema=schema), wanted, ledger)


def _tool(tool: ToolSpec, profile: Profile, ledger: Ledger) -> ToolSpec:
    if not tool.strict or tool.parameters is None:
        return tool
    schema = _cut(tool, "parameters", tool.parameters, profile, ledger)
    return tool if schema is None else _same(replace(tool, parameters=schema), tool, ledger)


def _same(new: Any, old: Any, ledger: Ledger) -> Any:
    ledger.same(new, old)
    return new


def _cut(value: Any, name: str, schema: Mapping[str, Any], profile: Profile, ledger: Ledger) -> FrozenMap | None:
    """Return what is left of a schema, None where it is all taken; the keywords that go are reported."""
    found, gone = fitted(thaw(schema), profile)
    root = ledger.path(value, name)
    for path in gone:
        ledger.report(f"{root}.{path}", "field-dropped", "its server refuses this keyword: validate the reply")
    return FrozenMap(found) if gone else None
