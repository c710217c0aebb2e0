"""Foreign JSON and YAML in, plain values out.

Rule: nothing but the types of JSON leaves here. Dates stay text, anchors are followed within
a budget, and no message quotes what the file says: it may hold a key.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml

from ...errors import MigrationError

#: More values than any template file holds; aliases of YAML can multiply a small file.
MAX_VALUES: Final = 100_000
_FRONT: Final = re.compile(r"\A\ufeff?(?:[ \t]*\n|#[^\n]*\n)*---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.M)


class _Loader(yaml.SafeLoader):
    """YAML whose dates stay text: a prompt's default is what its author wrote."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def parse(text: str, filename: str) -> Any:
    """Return the plain value of a JSON or YAML text, which of the two its name says.

    Raises MigrationError.

    >>> parse("since: 2024-01-01", "a.yaml")
    {'since': '2024-01-01'}
    """
    try:
        if filename.lower().endswith(".json"):
            return json.loads(text.removeprefix("\ufeff"))
        return plain(yaml.load(text, Loader=_Loader))  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{filename}:{mark.line + 1}:{mark.column + 1}" if mark else filename
        is_tag = isinstance(error, yaml.constructor.ConstructorError)
        what = "a value of YAML is of a type that is not read" if is_tag else "it is not valid YAML"
        raise MigrationError(f"the file does not parse: {what}", path=place) from None
    except json.JSONDecodeError as error:
        place = f"{filename}:{error.lineno}:{error.colno}"
        raise MigrationError("the file does not parse: it is not valid JSON", path=place) from None
    except (ValueError, TypeError, yaml.YAMLError, RecursionError, OverflowError):
        raise MigrationError("the file does not parse", path=filename) from None


def plain(value: Any) -> Any:
    """Return a copy of a value in the types of JSON. Raises ValueError for one that is too large.

    >>> plain({1: (True, {"a"})})
    {'1': [True, ['a']]}
    """
    left = MAX_VALUES

    def copy(item: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError("too many values")
        if isinstance(item, dict):
            return {str(key): copy(entry) for key, entry in item.items()}
        if isinstance(item, list | tuple | set):
            return [copy(entry) for entry in item]
        return item if isinstance(item, str | int | float | bool | None) else str(item)

    return copy(value)


def split_front(text: str, filename: str) -> tuple[dict[str, Any], str]:
    """Return the front matter of a file and its body; comment lines may stand before it.

    Raises MigrationError for front matter that does not parse, is not closed, or is not a mapping.

    >>> split_front("---\\nmodel: m\\n---\\nHi", "a.prompt")
    ({'model': 'm'}, 'Hi')
    """
    found = _FRONT.match(text)
    if found is None:
        if re.match(r"\ufeff?---[ \t]*\n", text):
            raise MigrationError("the front matter is not closed", path=filename, hint="end it with a line of ---")
        return {}, text.removeprefix("\ufeff")
    meta = parse(found[1], f"{filename}.yaml" if filename.lower().endswith(".json") else filename)
    if meta is not None and not isinstance(meta, dict):
        raise MigrationError("the front matter is not a mapping", path=filename)
    return meta or {}, text[found.end() :]
