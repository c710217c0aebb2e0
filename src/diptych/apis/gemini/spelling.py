"""Gemini's bodies as users write them: in camel or snake case, with ``config``, with bytes.

:func:`plain` gives the body as the REST API documents it, with notes of how it was spelt, and
:func:`spelt` writes it again as it came in. Names inside of arguments, results, schemas and labels
are the user's own: they are not touched. A field that is null is absent.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from ..fields import NOTE

#: The note of a body that says how it was spelt.
SPELLING: Final = f"{NOTE}spelling"
_OPAQUE: Final = frozenset({
    "args", "response", "parametersJsonSchema", "responseJsonSchema", "labels", "partMetadata", "default", "example",
    "enum", "headers",
})  # fmt: skip
#: Fields that map names of the user to objects of the API.
_NAMED: Final = frozenset({"properties", "defs", "$defs"})
#: What of the SDK's ``config`` stands beside ``generationConfig`` in a body.
_BESIDE: Final = frozenset({
    "systemInstruction", "tools", "toolConfig", "safetySettings", "cachedContent", "labels", "serviceTier", "store",
    "modelArmorConfig",
})  # fmt: skip
_CONFIG: Final = "generationConfig"
#: What most values are: nothing of them is spelt in another way.
_LEAVES: Final = frozenset({str, int, float, bool})


def plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body in camel case, with base64 in place of bytes, and with a note of the differences.

    >>> plain({"contents": [], "config": {"top_k": 3}})
    {'contents': [], 'generationConfig': {'topK': 3}, 'diptych:spelling': {'topK': 'top_k', 'config': True}}
    """
    notes: dict[str, Any] = {}
    found: dict[str, Any] = _camel(body, notes)
    if isinstance(found.get("config"), Mapping) and _CONFIG not in found:
        config = found.pop("config")
        found |= {name: value for name, value in config.items() if name in _BESIDE}
        found[_CONFIG] = {name: value for name, value in config.items() if name not in _BESIDE}
        notes["config"] = True
    return {**found, SPELLING: notes} if notes else found


def spelt(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as it was spelt before :func:`plain`."""
    notes = body.get(SPELLING)
    if notes is None:
        return body
    found = {name: value for name, value in body.items() if name != SPELLING}
    if notes.get("config"):
        inner = {name: found.pop(name) for name in list(found) if name in _BESIDE}
        found["config"] = {**found.pop(_CONFIG, {}), **inner}
    result: dict[str, Any] = _again(found, notes)
    return result


def path_speller(body: Mapping[str, Any]) -> Callable[[str], str]:
    """Return the function that gives a path of the plain body in the spelling of the body that came in."""
    notes: Mapping[str, Any] = body.get(SPELLING, {})

    def spell(path: str) -> str:
        head, *more = path.split(".")
        if notes.get("config") and more:
            first = re.split(r"\[", more[0])[0]
            more = ["config", *more[1:]] if first == _CONFIG else ["config", *more] if first in _BESIDE else more
        return ".".join([head, *(re.sub(r"^\w+", lambda found: _spelling(notes, found[0]), step) for step in more)])

    return spell if notes else lambda path: path


def _spelling(notes: Mapping[str, Any], name: str) -> str:
    known = notes.get(name)
    return known if isinstance(known, str) else name


def _is_own(key: str, is_named: bool) -> bool:
    """Tell whether a field holds what the user named."""
    return key in _OPAQUE and not is_named


def _camel(value: Any, notes: dict[str, Any], *, is_named: bool = False) -> Any:
    if type(value) is not dict:
        if isinstance(value, list | tuple):
            return [_camel(item, notes) for item in value]
        if not isinstance(value, Mapping):
            return value.value if isinstance(value, Enum) else value
    found = {}
    for name, item in value.items():
        if item is None:  # a dump of the SDK names every field there is
            continue
        key = name if is_named or "_" not in name else re.sub(r"_+([a-z0-9])", lambda hit: hit[1].upper(), name)
        if key != name:
            notes[key] = name
        if type(item) in _LEAVES:
            found[key] = item
            continue
        if isinstance(item, bytes):
            notes[f"bytes:{key}"] = True
            item = base64.b64encode(item).decode()
        found[key] = item if _is_own(key, is_named) else _camel(item, notes, is_named=key in _NAMED and not is_named)
    return found


def _again(value: Any, notes: Mapping[str, Any], *, is_named: bool = False) -> Any:
    if isinstance(value, list | tuple):
        return [_again(item, notes) for item in value]
    if not isinstance(value, Mapping):
        return value
    found = {}
    for key, item in value.items():
        if f"bytes:{key}" in notes and isinstance(item, str) and not is_named:
            item = base64.b64decode(item)
        again = item if _is_own(key, is_named) else _again(item, notes, is_named=key in _NAMED and not is_named)
        found[key if is_named else _spelling(notes, key)] = again
    return found
