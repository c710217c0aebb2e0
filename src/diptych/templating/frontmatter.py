"""Front matter: a block of restricted YAML between two ``---`` lines at the top.

Rule: the block ends at the first line that is exactly ``---``. The YAML is that of
JSON: no tags, anchors, aliases, merge keys or duplicate keys; only ``true`` and
``false`` are booleans, only decimal digits are integers, and dates and
``12:30:45`` stay strings. A template file cannot hold credentials or addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import yaml

from ..errors import Location, TemplateSyntaxError
from ..suggest import closest, suggest
from .whitespace import TRIMS

KNOWN_KEYS: Final = frozenset({
    "name", "description", "model", "params", "inputs", "response_format", "tools", "format", "trim", "samples",
    "version",
})  # fmt: skip
#: Keys by which a file from elsewhere could send a prompt or a key to another place.
REFUSED_KEYS: Final = frozenset(
    {"api_key", "apikey", "base_url", "api_base", "endpoint", "headers", "organization", "proxy"}
)
#: Larger than any front matter that a person writes; the parser is slow.
MAX_CHARACTERS: Final = 100_000

#: Keys that stand between a declaration and its name: inputs as JSON Schema, tools and schemas as in a request.
_WRAPPERS: Final = ("properties", "function", "json_schema")

_FENCE = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)


class Parts(NamedTuple):
    """A template file taken apart; ``offset`` lines stand before the body."""

    meta: dict[str, Any]
    body: str
    offset: int
    front: str

    @property
    def trim(self) -> str:
        """The rule for white space around tags."""
        wanted = self.meta.get("trim")
        return wanted if wanted in TRIMS else TRIMS[0]


def split(source: str, file: str) -> Parts:
    """Split a template file into front matter and body.

    Raises TemplateSyntaxError with the place in ``file``.
    """
    parts = take_apart(source, file)
    for error in key_errors(parts.meta, parts.front, file):
        raise error
    return parts


@lru_cache(maxsize=32)  # a check, a load and a hash ask for the same text one after the other
def take_apart(source: str, file: str) -> Parts:
    """Split a template file as :func:`split` does, whatever its keys are."""
    source = source.removeprefix("\ufeff")
    first = _FENCE.match(source)
    if first is None or "\n" not in source:
        return Parts({}, source, 0, "")
    closing = _FENCE.search(source, first.end() + 1)
    if closing is None:
        raise TemplateSyntaxError(
            "the front matter is not closed",
            location=Location(file, 1, 1, source.split("\n", 1)[0], 3),
            hint="end it with a line of three dashes",
        )
    front = source[first.end() + 1 : closing.start()]
    body = source[closing.end() :].removeprefix("\r").removeprefix("\n")
    offset = source.count("\n", 0, closing.start()) + 1
    return Parts(_load(front, file), body, offset, front)


def _load(front: str, file: str) -> dict[str, Any]:
    if len(front) > MAX_CHARACTERS:
        raise TemplateSyntaxError(f"{file}: the front matter is over {MAX_CHARACTERS:,} characters")
    try:
        meta = yaml.load(front.removeprefix("\ufeff"), Loader=PlainLoader)  # noqa: S506 - a restricted loader
    except yaml.MarkedYAMLError as error:
        hint = "the front matter is YAML: quote texts with special characters, close brackets"
        raise TemplateSyntaxError(_words(error), location=_mark(error, front, file), hint=hint) from None
    except (yaml.YAMLError, ValueError) as error:
        raise TemplateSyntaxError(f"front matter: {error}", location=Location(file, 2)) from None
    except RecursionError:
        raise TemplateSyntaxError("the front matter is nested too deeply", location=Location(file, 2)) from None
    if meta is None:
        return {}
    if not isinstance(meta, dict):
        raise TemplateSyntaxError("front matter must be a mapping of keys", location=Location(file, 2))
    return meta


def key_errors(meta: dict[str, Any], front: str, file: str) -> Iterator[TemplateSyntaxError]:
    """Yield what is wrong with the keys of a front matter, and with its rule for white space."""
    if (trim := meta.get("trim", TRIMS[0])) not in TRIMS:
        where = locate_path(front, "$.trim", file)
        yield TemplateSyntaxError(f"trim cannot be {trim!r}", location=where, hint=suggest(str(trim), TRIMS))
    for key in meta:
        if str(key).lower().replace("-", "_") in REFUSED_KEYS:
            yield TemplateSyntaxError(
                f"a template cannot set {key!r}: it would decide where prompts and keys go",
                location=locate_path(front, f"$.{key}", file),
                hint="give it to the client or to the command line",
            )
        if key not in KNOWN_KEYS and (close := closest(str(key), KNOWN_KEYS, 0.75)):
            yield TemplateSyntaxError(
                f"front matter has no key {key!r}",
                location=locate_path(front, f"$.{key}", file),
                hint=f"did you mean {close!r}? Keys of your own begin with x-",
            )


def locate_key(front: str, key: str, file: str) -> Location:
    """Return the place of a key in the front matter."""
    for number, line in enumerate(front.split("\n"), 2):
        found = re.match(rf"\s*(-\s+(name:\s*)?)?(['\"]?){re.escape(key)}\3\s*(:|$)", line)
        if found:
            return Location(file, number, line.index(key) + 1, line.rstrip("\r"), len(key))
    for number, line in enumerate(front.split("\n"), 2):  # inside of {…}
        if found := re.search(rf"[{{,]\s*(['\"]?){re.escape(key)}\1\s*:", line):
            return Location(file, number, line.index(key, found.start()) + 1, line.rstrip("\r"), len(key))
    return Location(file, 1)


@lru_cache(maxsize=8)
def _composed(front: str) -> yaml.Node | None:
    loader = PlainLoader(front)
    try:
        return loader.get_single_node()
    except (yaml.YAMLError, RecursionError):
        return None


def locate_path(front: str, path: str, file: str) -> Location | None:
    """Return the place of the deepest key or item on a path (``$.inputs.text``), None where the first is missing.

    Inputs and samples in a list, and inputs in a JSON Schema, are found by their names.
    """
    node, found = _composed(front), None
    for step in re.findall(r"[^.\[\]]+", path.removeprefix("$")):
        child = _child(node, step)
        if child is None:
            break
        mark, node = child[0].start_mark, child[1]
        line = front.split("\n")[mark.line].rstrip("\r")
        start = mark.column + line.startswith(("'", '"'), mark.column)
        width = len(step) if line.startswith(step, start) else max(1, len(line) - mark.column)
        found = Location(file, mark.line + 2, (start if width == len(step) else mark.column) + 1, line, width)
    return found


def _child(node: yaml.Node | None, step: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the node at which a step of a path stands, and the one to go on from."""
    if isinstance(node, yaml.MappingNode):
        keys = {key.value: (key, value) for key, value in node.value}
        inner = (_child(keys[wrapper][1], step) for wrapper in _WRAPPERS if wrapper in keys)
        return keys.get(step) or next(filter(None, inner), None)
    if not isinstance(node, yaml.SequenceNode):
        return None
    for index, item in enumerate(node.value):
        name = _child(item, "name")
        if step in (str(index), f"sample {index + 1}", item.value, name[1].value if name else None):
            return (name[1] if name else item), item
    return None


def _mark(error: yaml.MarkedYAMLError, front: str, file: str) -> Location:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Location(file, 2)
    lines = front.rstrip("\r\n").split("\n")
    number = min(mark.line, len(lines) - 1)
    line = lines[number].rstrip("\r")
    return Location(file, number + 2, min(mark.column, len(line)) + 1 if number == mark.line else len(line) + 1, line)


def _words(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "invalid YAML"
    return "front matter: " + problem.replace("character '\\t'", "a tab").replace("<stream end>", "the end")


class PlainLoader(yaml.SafeLoader):
    """YAML with the value types of JSON and nothing that refers or executes."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused("anchors and aliases are not allowed", event)
        if getattr(event, "tag", None) is not None:
            raise _refused(f"tags are not allowed ({event.tag})", event)
        return super().compose_node(parent, index)

    def scan_plain(self) -> Any:
        """Scan a plain text; inside of ``{…}`` a question mark is a character, as in YAML 1.2."""
        token = super().scan_plain()
        while self.flow_level and self.peek() == "?" and self.index == token.end_mark.index:
            self.forward()
            text, blanks = token.value + "?", 0
            while self.peek(blanks) == " ":
                blanks += 1
            if self.peek(blanks) not in "\0\t\r\n\x85\u2028\u2029,:?[]{}#":
                self.forward(blanks)
                text += " " * blanks + super().scan_plain().value
            token = yaml.ScalarToken(text, True, token.start_mark, self.get_mark())
        return token

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key must be a plain word", key)
            if key.value in seen:
                raise _refused(f"the key {key.value!r} stands twice", key)
            seen.add(key.value)
        # Keys are always text: `1:` and `true:` are names, not numbers and booleans.
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


def _refused(problem: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, where.start_mark)


def _construct_map(loader: PlainLoader, node: Any) -> dict[Any, Any]:
    return loader.construct_mapping(node)


def _construct_int(_: PlainLoader, node: Any) -> int:
    if len(node.value) > 4300:
        raise _refused("an integer of more than 4,300 digits", node)
    return int(node.value)


PlainLoader.add_constructor("tag:yaml.org,2002:map", _construct_map)
PlainLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", "-0123456789"),
):
    PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))
