"""Tool calls and their results in a text, by data of the grammar: one pattern writes and reads them.

A pattern is text with holes: ``{name}``, ``{arguments}``, ``{id}``, ``{index}``; of a result ``{content}``,
or ``{string}``, its JSON string, or ``{json}``, the JSON that it is, else its string. Reading walks the
same pattern: arguments are one JSON value wherever it ends, and calls have to reach to the end of the
content; anything else stays text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final

from ..model import Message, ToolCall
from . import braces

#: The properties of each tool, by its name.
Schemas = Mapping[str, Mapping[str, Any]]
_NONE: Final[Schemas] = {}
_HOLE: Final = re.compile(r"\{(name|arguments|id|index|content|json|string)\}")
_HELD: Final = {"name": re.compile(r"[\w.-]+"), "id": re.compile(r"[\w.:-]+"), "index": re.compile(r"\d+")}


@dataclass(frozen=True, slots=True)
class Calls:
    """How a format writes tool calls behind an assistant's content, and their results.

    ``begin``, ``between`` and ``end`` stand around all ``call``; ``lead`` before them where there is a
    content. A ``result`` stands in a turn of the role ``turn``; neighbours share one where ``joined`` is
    what stands between them; no ``result``: there is no place for it. Arguments are JSON, or, where
    ``argument`` is given, that pattern (``{key}``, ``{value}``) for each, or, with ``is_braced``, Gemma's notation.
    ``ids`` are those that reading makes where the call holds none.

    ``open`` and ``close`` are the marks of a turn of calls, where it has others than a reply, and no content;
    ``thought`` stands around its reasoning. Behind results an assistant's turn opens without a mark where it
    ``resumes``, and no generation prompt is written; where results stand ``inside`` that turn, it is not closed
    before them, and ``close`` ends it where there are none.
    """

    call: str
    result: str = "{content}"
    begin: str = ""
    between: str = ""
    end: str = ""
    lead: str = ""
    turn: str = "tool"
    joined: str | None = None
    argument: str = ""
    ids: str = "call_{index}"
    is_braced: bool = False
    open: str = ""
    close: str = ""
    thought: tuple[str, str] | None = None
    resumes: bool = False
    inside: bool = False

    @property
    def marks(self) -> tuple[str, ...]:
        """What a content may not hold to be read as it is: the beginning of a call, and of a result."""
        found = (self.begin + _parts(self.call)[0], _parts(self.result)[0] if self.result else "")
        return tuple(mark for mark in found if mark.strip())

    def takes(self, call: ToolCall) -> bool:
        """Return whether a call can be written so that it reads back.

        >>> Calls("{name} {arguments}").takes(ToolCall("c", "two words"))
        False
        """
        holds = braces.holds if self.is_braced else is_object if self.argument else is_json
        arguments = holds(call.arguments)
        has_id = "{id}" not in self.call or _HELD["id"].fullmatch(call.id) is not None
        return call.type == "function" and arguments and has_id and _HELD["name"].fullmatch(call.name) is not None

    def write(self, calls: Sequence[ToolCall], *, after_content: bool, count: int = 0) -> str:
        """Return the text of calls; ``count`` have been written before.

        >>> Calls('<f>{name} {arguments}</f>').write([ToolCall("c", "add", '{"a": 1}')], after_content=False)
        '<f>add {"a": 1}</f>'
        """
        written = [_filled(self.call, self._values(call, index)) for index, call in enumerate(calls, count)]
        return (self.lead if after_content else "") + self.begin + self.between.join(written) + self.end

    def split(self, text: str, count: int, schemas: Schemas = _NONE) -> tuple[str, tuple[ToolCall, ...]]:
        """Return the content of a turn and the calls behind it; ``count`` calls have been read before.

        ``schemas`` are the properties of tools by name: an argument that is a string there stays one.

        >>> Calls('<f>{name} {arguments}</f>').split('Yes<f>add {"a": 1}</f>', 0)[1][0].name
        'add'
        """
        first = self.begin + _parts(self.call)[0]
        start = text.find(first)
        if start < 0:
            return text, ()
        found: list[ToolCall] = []
        position = start + len(self.begin)
        while (read := self._read(text, position, schemas)) is not None:
            values, position = read
            made = values.get("id") or self.id_of(values["name"], count + len(found))
            found.append(ToolCall(made, values["name"], values["arguments"]))
            if not text.startswith(self.between + _parts(self.call)[0], position):
                break
            position += len(self.between)
        if not found or text[position:] != self.end:
            return text, ()
        content = text[:start]
        return (content.removesuffix(self.lead) if self.lead else content), tuple(found)

    def _read(self, text: str, position: int, schemas: Schemas) -> tuple[dict[str, str], int] | None:
        return _read(self.call, text, position, self.argument, schemas, is_braced=self.is_braced)

    def id_of(self, name: str, index: int) -> str:
        """Return the id that reading makes for a call."""
        return _filled(self.ids, {"name": name, "index": str(index)})

    def frame(self, call: ToolCall, index: int) -> tuple[str, str]:
        """Return what stands before the content of a result and after it."""
        before, after = re.split(r"\{(?:content|json|string)\}", self.result)
        values = self._values(call, index)
        return _filled(before, values), _filled(after, values)

    def encoded(self, content: str) -> str:
        """Return the content of a result as it is written.

        >>> Calls("", result="{json}").encoded("it is"), Calls("", result="{json}").encoded("22")
        ('"it is"', '22')
        """
        if "{content}" in self.result or ("{json}" in self.result and is_json(content)):
            return content
        return json.dumps(content, ensure_ascii=False)

    def results(self, text: str) -> list[tuple[str, str | None]] | None:
        """Return content and id of each result in a turn, None where it holds anything else."""
        pattern = _result_pattern(self.result)
        if self.joined is None:
            whole = pattern.fullmatch(text)
            return [_result(whole)] if whole else None
        found, position = [], 0
        while one := pattern.match(text, position):
            found.append(_result(one))
            position = one.end()
            if position == len(text):
                return found
            if not text.startswith(self.joined, position):
                return None
            position += len(self.joined)
        return None

    def _values(self, call: ToolCall, index: int) -> dict[str, str]:
        arguments = _written(self.argument, call.arguments) if self.argument else call.arguments
        arguments = braces.written(json.loads(arguments)) if self.is_braced else arguments
        return {"name": call.name, "arguments": arguments, "id": call.id, "index": str(index)}


def answers_of(messages: Sequence[Message], own: Calls) -> dict[int, tuple[ToolCall, int]]:
    """Return the tool results that answer the calls one by one, as a text can tell: call and number by index."""
    asked = list(takewhile(own.takes, (call for message in messages for call in message.tool_calls)))
    results = [index for index, message in enumerate(messages) if message.role == "tool"]
    found: dict[int, tuple[ToolCall, int]] = {}
    for number, (index, call) in enumerate(zip(results, asked, strict=False)):
        before = {call.id for message in messages[:index] for call in message.tool_calls}
        if messages[index].tool_call_id != call.id or call.id not in before:
            break
        found[index] = (call, number)
    return found


def _filled(pattern: str, values: dict[str, str]) -> str:
    return _HOLE.sub(lambda hole: values[hole[1]], pattern)


@lru_cache(maxsize=128)
def _parts(pattern: str) -> tuple[str, ...]:
    """Return a pattern as texts and, between them, the names of its holes."""
    return tuple(_HOLE.split(pattern))


@lru_cache(maxsize=128)
def _result_pattern(pattern: str) -> re.Pattern[str]:
    texts = [re.escape(part) if number % 2 == 0 else _held(part) for number, part in enumerate(_parts(pattern))]
    return re.compile("".join(texts), re.DOTALL)


def _result(found: re.Match[str]) -> tuple[str, str | None]:
    groups = found.groupdict()
    content = str(groups.get("content") or groups.get("json") or groups.get("string") or "")
    if "content" not in groups and content.startswith('"') and is_json(content):
        content = str(json.loads(content))
    return content, groups.get("id")


def _held(hole: str) -> str:
    return f"(?P<{hole}>.*?)" if hole in ("content", "json", "string") else rf"(?P<{hole}>{_HELD[hole].pattern})"


def _written(pattern: str, arguments: str) -> str:
    """Return arguments one by one: a string as it stands, any other value as JSON."""
    values = json.loads(arguments)
    shown = {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in values.items()}
    return "".join(pattern.replace("{key}", key).replace("{value}", value) for key, value in shown.items())


def _gathered(pattern: str, text: str, properties: Mapping[str, Any]) -> str:
    """Return the JSON object of arguments that stand one by one."""
    key, value = r"(?P<key>[^<\n]*?)", r"(?P<value>.*?)"
    one = re.escape(pattern).replace(re.escape("{key}"), key).replace(re.escape("{value}"), value)
    pairs = ((m["key"], m["value"]) for m in re.finditer(one, text, re.DOTALL))
    found = {name: said if _is_text(properties.get(name), said) else json.loads(said) for name, said in pairs}
    return json.dumps(found, ensure_ascii=False)


def _is_text(schema: Any, said: str) -> bool:
    """Return whether an argument is a text: by its schema, else because it is not JSON."""
    return (isinstance(schema, Mapping) and schema.get("type") == "string") or not is_json(said)


def _read(
    pattern: str, text: str, position: int, argument: str, schemas: Schemas, *, is_braced: bool
) -> tuple[dict[str, str], int] | None:
    """Return what stands in the holes of a pattern at a position of a text, and where it ends."""
    values: dict[str, str] = {}
    for number, part in enumerate(_parts(pattern)):
        if number % 2 == 0:
            if not text.startswith(part, position):
                return None
            position += len(part)
        elif part == "arguments" and argument:
            end = text.find(_parts(pattern)[number + 1], position)
            if end < 0:
                return None
            properties = schemas.get(values.get("name", ""), {})
            values[part], position = _gathered(argument, text[position:end], properties), end
        elif part == "arguments" and is_braced:
            if (braced := braces.read(text, position)) is None:
                return None
            values[part], position = json.dumps(braced[0], ensure_ascii=False), braced[1]
        elif (stop := _end_of(part, text, position)) is None:
            return None
        else:
            values[part], position = text[position:stop], stop
    return values, position


def _end_of(hole: str, text: str, position: int) -> int | None:
    if hole != "arguments":
        found = _HELD[hole].match(text, position)
        return found.end() if found else None
    try:
        return JSONDecoder().raw_decode(text, position)[1]
    except (JSONDecodeError, RecursionError):
        return None


def is_json(text: str) -> bool:
    """Return whether a text is one JSON value without white space around it, as a call can hold.

    >>> is_json('{"a": 1}'), is_json("a")
    (True, False)
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return text == text.strip()


def is_object(text: str) -> bool:
    """Return whether a text is one JSON object.

    >>> is_object("{}"), is_object("1")
    (True, False)
    """
    return text.startswith("{") and is_json(text)
