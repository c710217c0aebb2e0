"""Tool calls in the text of a reply, read by the marks that a chat template writes.

Rule: a call counts only where it is complete: its name, its arguments, and its end (or the end of the
reply). Where no control token opens a call, its name has to be that of a tool, if tools are given. The
types of arguments come from the tools' schemas, else from the look of the value.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from .reply_marks import HOLE, Calls, Keys, Path

Schemas = Mapping[str, Mapping[str, Any]]
_NAME: Final = r"(?P<name>[\w.\-/:]{1,128}?)"
#: So many marks of calls are tried, and so many characters of a value without quotes.
_ATTEMPTS: Final = 24
_LONGEST: Final = 20_000
_KEY: Final = re.compile(r"[^\s<>\"'=:,(){}\[\]]{1,128}")


class Call(NamedTuple):
    """One call: its name, its arguments as an object, and its id where the text holds one."""

    name: str
    arguments: Any
    id: str | None = None


def calls_at(calls: Calls | None) -> str:
    """Return the mark at which calls begin."""
    if calls is None:
        return ""
    first = calls.section_open or calls.open
    return first.partition(HOLE)[0].split("\n")[0].strip()


def is_marked(calls: Calls) -> bool:
    """Return whether calls begin with a mark, and not as any text may."""
    return len(calls_at(calls)) > 2


@lru_cache(maxsize=256)
def mark(text: str) -> re.Pattern[str]:
    """Return the pattern of a mark: white space is free, a hole takes the id or the number of a call."""
    words = (r"[\w.\-/:]{0,64}".join(map(re.escape, word.split(HOLE))) for word in text.split())
    return re.compile(r"\s*" + r"\s*".join(words))


def first_call(
    text: str, start: int, stop: int, calls: Calls | None, tools: Schemas
) -> Iterator[tuple[int, list[Call], int]]:
    """Yield where calls begin, the calls, and where they end; nothing where there are none."""
    if calls is None:
        return
    if calls.bare and (bare := mark(calls.bare).match(text, start, stop)):
        taken = _section(text, bare.end(), stop, replace(calls, section_open=""), tools)
        if taken:
            yield start, *taken
            return
    for at in _starts(text, start, stop, calls):
        taken = _section(text, at, stop, calls, tools)
        if taken and (is_marked(calls) or all(not tools or call.name in tools for call in taken[0])):
            yield at, *taken
            return


def _starts(text: str, start: int, stop: int, calls: Calls) -> Iterator[int]:
    """Yield where calls may begin: at their mark, or, without one, where the content does."""
    if not is_marked(calls):
        yield _blank(text, start, stop)
        return
    opening = mark(f"{calls.section_open} {calls.open}").pattern.removeprefix(r"\s*")
    for found in islice(re.finditer(opening, text[:stop]), _ATTEMPTS):
        if found.start() >= start:
            yield found.start()


def _section(text: str, position: int, stop: int, calls: Calls, tools: Schemas) -> tuple[list[Call], int] | None:
    """Read a section of calls."""
    found: list[Call] = []
    position = _skip(calls.section_open, text, position, stop)
    if position < 0:
        return None
    while True:
        opened = _skip(calls.open, text, position, stop)
        taken = _payload(text, opened, stop, calls, tools) if opened >= 0 else None
        if taken is None:
            break
        items, position = taken
        closed = _skip(calls.close, text, position, stop)
        if closed < 0 and text[position:stop].strip() and not _ends_here(text, position, stop, calls):
            return None
        found += items
        position = closed if closed >= 0 else position
        following = _skip(calls.sep, text, position, stop)
        if following < 0:
            break
        more = following if _begins(text, following, stop, calls) else position
        if more == position and not calls.sep and not _begins(text, position, stop, calls):
            break
        if more == position and calls.sep:
            break
        position = more
    if not found:
        return None
    end = _skip(calls.section_close, text, position, stop)
    if end < 0 and calls.is_first:
        end = position
    if end < 0 and text[position:stop].strip():
        return None
    return found, end if end >= 0 else stop


def _ends_here(text: str, position: int, stop: int, calls: Calls) -> bool:
    return bool(calls.section_close) and _skip(calls.section_close, text, position, stop) >= 0


def _begins(text: str, position: int, stop: int, calls: Calls) -> bool:
    """Return whether another call begins at a position."""
    if position >= stop or (calls.section_close and _skip(calls.section_close, text, position, stop) >= 0):
        return bool(calls.open) and _skip(calls.open, text, position, stop) >= 0
    opened = _skip(calls.open, text, position, stop)
    return opened >= 0 and bool(text[opened:stop].strip())


def _skip(wanted: str, text: str, position: int, stop: int) -> int:
    """Return the position after a mark, -1 where it does not stand there."""
    if not wanted:
        return position
    found = mark(wanted).match(text, position, stop)
    return found.end() if found else -1


def _payload(text: str, position: int, stop: int, calls: Calls, tools: Schemas) -> tuple[list[Call], int] | None:
    if calls.kind == "json":
        return _json(text, position, stop, calls)
    named = _named(calls.middle, calls.kind).match(text, position, stop)
    if named is None:
        return None
    name, position = named["name"], named.end()
    if calls.kind == "name":
        taken = decoded(text, position, stop)
        return ([Call(name, taken[0])], taken[1]) if taken and isinstance(taken[0], dict) else None
    assert calls.keys is not None
    arguments, position = _arguments(text, position, stop, calls, calls.keys, tools.get(name, {}))
    return [Call(name, arguments)], position


@lru_cache(maxsize=256)
def _named(middle: str, kind: str) -> re.Pattern[str]:
    """Return the pattern of a name and what follows it: the middle, or directly an argument or the end."""
    after = mark(middle).pattern if middle else r"\s*(?=[<{\[\n]|$)" if kind == "keys" else r"\s*(?=\{)"
    return re.compile(r"\s*" + _NAME + after)


def decoded(text: str, position: int, stop: int) -> tuple[Any, int] | None:
    """Return the JSON value at a position and where it ends."""
    position = _blank(text, position, stop)
    if not text.startswith(_JSON_BEGINS, position):
        return None  # its error would count the lines of the whole text
    try:
        value, end = _DECODER.raw_decode(text, position)
    except (ValueError, RecursionError):
        return None
    return (value, end) if end <= stop else None


_JSON_BEGINS: Final = ("{", "[", '"', "-", "t", "f", "n", *"0123456789")
_DECODER: Final = json.JSONDecoder(strict=False)


def _json(text: str, position: int, stop: int, calls: Calls) -> tuple[list[Call], int] | None:
    taken = decoded(text, position, stop)
    if taken is None:
        return None
    items = taken[0] if isinstance(taken[0], list) else [taken[0]]
    found = [_item(item, calls) for item in items]
    return ([call for call in found if call], taken[1]) if found and all(found) else None


def _item(item: Any, calls: Calls) -> Call | None:
    """Return the call that a JSON value holds; other usual names of the fields are understood."""
    if not isinstance(item, dict):
        return None
    if calls.name is None:
        inner = at_path(item, calls.arguments)
        if not isinstance(inner, dict) or len(inner) != 1:
            return None
        ((name, arguments),) = inner.items()
    else:
        name = at_path(item, calls.name)
        arguments = at_path(item, calls.arguments)
        if arguments is None and len(calls.arguments) == 1:
            arguments = next((item[key] for key in ("arguments", "parameters") if key in item), {})
    if isinstance(arguments, str):
        taken = decoded(arguments, 0, len(arguments))
        arguments = taken[0] if taken else None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    given = at_path(item, calls.id) if calls.id else None
    return Call(name, arguments, given if isinstance(given, str) else None)


def at_path(value: Any, path: Path) -> Any:
    """Return what a JSON value holds at a path, None where there is nothing.

    >>> at_path({"a": [1]}, ("a", 0))
    1
    """
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return value


# arguments one by one -------------------------------------------------------------------------


def _arguments(
    text: str, position: int, stop: int, calls: Calls, keys: Keys, schema: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """Read arguments until none begins any more."""
    found: dict[str, Any] = {}
    while True:
        opened = _skip(keys.open, text, position, stop)
        key = _KEY.match(text, _blank(text, opened, stop), stop) if opened >= 0 else None
        between = _skip(keys.between.strip(), text, key.end(), stop) if key else -1
        if key is None or between < 0:
            return found, position
        value, end = _value(text, between, stop, calls, keys, schema.get(key[0]))
        if end < 0:
            return found, position
        found[key[0]] = value
        position = _skip(keys.sep, text, end, stop) if keys.sep else end
        if position < 0:
            return found, end


def _blank(text: str, position: int, stop: int) -> int:
    """Return the position after white space."""
    while position < stop and text[position].isspace():
        position += 1
    return position


def _value(text: str, position: int, stop: int, calls: Calls, keys: Keys, schema: Any) -> tuple[Any, int]:
    """Return the value of an argument and where it ends, -1 where it has no end."""
    opened, closed = keys.quotes
    at = _blank(text, position, stop)
    if opened and text.startswith(opened, at):
        if opened == '"' == closed and (taken := decoded(text, at, stop)):
            return taken[0], taken[1]
        end = text.find(closed or opened, at + len(opened), stop)
        return (text[at + len(opened) : end], end + len(closed or opened)) if end >= 0 else (None, -1)
    if keys.close.strip():
        return _closed(text, position, stop, keys, schema)
    if (taken := decoded(text, at, stop)) and _follows(text, taken[1], stop, calls, keys):
        return taken[0], taken[1]
    end = _bare_end(text, at, stop, calls, keys)
    return (_noted(text[at:end].strip(), keys.quotes, schema), end) if end >= 0 else (None, -1)


def _bare_end(text: str, position: int, stop: int, calls: Calls, keys: Keys) -> int:
    """Return where a value without quotes ends: outside of brackets, where another key or the end follows."""
    depth, opened = 0, keys.quotes[0]
    stop = min(stop, position + _LONGEST)
    while position < stop:
        if opened and text.startswith(opened, position):
            closed = text.find(keys.quotes[1], position + len(opened), stop)
            position = closed + len(keys.quotes[1]) if closed >= 0 else stop
            continue
        if depth == 0 and (_is_next(text, position, stop, keys) or _is_end(text, position, stop, calls)):
            return position
        depth += (text[position] in "[{(") - (text[position] in "]})")
        position += 1
    return -1


def _is_next(text: str, position: int, stop: int, keys: Keys) -> bool:
    """Return whether the separator and another key stand at a position."""
    if not keys.sep or not text.startswith(keys.sep, position):
        return False
    key = _KEY.match(text, _blank(text, position + len(keys.sep), stop), stop)
    return key is not None and _skip(keys.between.strip(), text, key.end(), stop) >= 0


def _is_end(text: str, position: int, stop: int, calls: Calls) -> bool:
    """Return whether the end of a call stands at a position, and then another call or the end of all."""
    close = calls.close or calls.sep or calls.section_close
    if not close or not text.startswith(close[0], position):
        return False
    closed = _skip(close, text, position, stop)
    rest = (calls.sep, calls.section_close, calls.open)
    return closed >= 0 and (
        not text[closed:stop].strip() or any(one and _skip(one, text, closed, stop) >= 0 for one in rest)
    )


def _noted(text: str, quotes: tuple[str, str], schema: Any) -> Any:
    """Return the value of a text that may hold a template's own quotes, with keys that have none."""
    opened, closed = quotes
    if not opened or opened == '"' or text[:1] not in ("{", "["):
        return typed(text, schema)
    quoted = re.sub(re.escape(opened) + "(.*?)" + re.escape(closed), lambda m: json.dumps(m[1]), text, flags=re.DOTALL)
    return typed(re.sub(r"([{,]\s*)([^\s{}\[\],:\"]+)\s*:", r'\1"\2":', quoted), schema)


def _follows(text: str, position: int, stop: int, calls: Calls, keys: Keys) -> bool:
    """Return whether what may follow a value stands at a position."""
    return any(one and _skip(one, text, position, stop) >= 0 for one in (keys.sep, calls.close))


def _closed(text: str, position: int, stop: int, keys: Keys, schema: Any) -> tuple[Any, int]:
    """Return a value that a mark closes; the white space that the template writes around it is not its own."""
    close = keys.close.strip()
    end = text.find(close, position, stop)
    if end < 0:
        return None, -1
    raw = text[position:end]
    before = keys.between[len(keys.between.rstrip()) :]
    after = keys.close[: len(keys.close) - len(keys.close.lstrip())]
    return typed(raw.removeprefix(before).removesuffix(after), schema), end + len(close)


def typed(text: str, schema: Any) -> Any:
    """Return the value that a text stands for: by its schema, else by its look.

    >>> typed("3", None), typed("3", {"type": "string"}), typed("True", None), typed("a", None)
    (3, '3', True, 'a')
    """
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if kind == "string":
        return text
    taken = decoded(text, 0, len(text))
    if taken and not text[taken[1] :].strip():
        return taken[0]
    try:
        return ast.literal_eval(text.strip()) if text.strip()[:1] in "{[(" or text.strip() in _PYTHON else text
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


_PYTHON: Final = ("True", "False", "None")
