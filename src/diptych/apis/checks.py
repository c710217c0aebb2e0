"""Checks and mends that the rules of several APIs share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, pairwise
from typing import Any, Final

from .rules import GONE, OBJECT, Check, Findings, Mend, Rule, about

# checks ----------------------------------------------------------------------------------------


def that(holds: Callable[[Any], bool], words: str, kind: type | tuple[type, ...] = object, at: str = "") -> Check:
    """Return a check of the values of a type; ``words`` say what is wrong ``at`` a place, ``{}`` is the value."""

    def check(value: Any) -> Findings:
        if isinstance(value, kind) and not holds(value):
            shown = value if isinstance(value, int | float) else repr(value)[:80]
            yield at, words.format(shown)

    check.kind, check.holds = kind, holds  # type: ignore[attr-defined]
    return check


def matches(pattern: str, words: str) -> Check:
    """Return the check that a text matches a pattern from its beginning to its end."""
    compiled = re.compile(pattern)
    return that(lambda value: compiled.fullmatch(value) is not None, "{} is not " + words, str)


def among(*values: str) -> Check:
    """Return the check that a text is one of these words."""
    return that(lambda value: value in values, "{} is none of " + ", ".join(values), str)


def between(low: float, high: float | None = None) -> Check:
    """Return the check that a number lies in a range."""
    words = f"{{}} is less than {low}" if high is None else f"{{}} is not between {low} and {high}"
    return that(
        lambda value: isinstance(value, bool) or (low <= value and (high is None or value <= high)), words, (int, float)
    )


def ranges(source: str, **limits: tuple[float, float]) -> Iterator[Rule]:
    """Yield the rules that numbers lie in a range; a number outside is cut to it."""
    for at, (low, high) in limits.items():
        yield Rule(at, between(low, high), source, clamp(low, high), "clamped")


def at_most(number: int, what: str, kinds: tuple[type, ...] = (str, list, tuple, Mapping)) -> Check:
    """Return the check that a list, a text or an object is not longer than this."""
    return that(lambda value: len(value) <= number, f"more than {number} {what}", kinds)


def has(name: str) -> Check:
    """Return the check that an object has a field."""
    return that(lambda value: value.get(name) is not None, f"without {name}", OBJECT)


def messages_alternate(content: str) -> Check:
    """Return the check that no message has the role of the one before it."""

    def check(messages: Any) -> Findings:
        for before, index in _pairs(messages):
            if _joins(messages[before], messages[index], content):
                yield f"[{index}]", f"two messages of the role {messages[index].get('role')} in a row"

    return check


def first_is(role: str) -> Check:
    """Return the check that a conversation begins with this role."""

    def check(messages: Any) -> Findings:
        first = next((i for i, message in enumerate(messages or ()) if isinstance(message, OBJECT)), None)
        if first is not None and messages[first].get("role") != role:
            yield f"[{first}]", f"the first message is not of the role {role}"

    return check


def says_json(text_of: Callable[[Mapping[str, Any]], Any], mode: Sequence[str]) -> Check:
    """Return the check that a body that asks for JSON mode (at ``mode``) has the word JSON in its messages."""

    def check(body: Any) -> Findings:
        if value_at(body, mode) != "json_object":
            return
        if not any("json" in text.lower() for text in texts_of(text_of(body))):
            yield "".join(f".{step}" for step in mode), "JSON mode needs the word JSON in a message"

    return about(mode[0], check)


def needs(
    source: str, at: str, is_there: Callable[[Mapping[str, Any]], Any], words: str, is_idle: Callable[[Any], bool]
) -> Iterator[Rule]:
    """Yield the rules that a body has a parameter (``at``) only beside another, and how it is left out.

    What is idle, such as a choice that forces nothing, says nothing without the other parameter.
    """
    steps = at.split(".")

    def keeps(idle: bool, body: Mapping[str, Any]) -> bool:
        value = value_at(body, steps)
        return value is None or is_idle(value) is not idle or bool(is_there(body))

    for idle, kind in ((True, "by-format-rule"), (False, "parameter-dropped")):
        check = about(steps[0], that(partial(keeps, idle), words, OBJECT, f".{at}"))
        yield Rule("", check, source, lambda body: without_field(body, steps), kind)


def names_one(
    source: str, at: str, name_of: Callable[[Any], Any], names: Callable[[Mapping[str, Any]], Iterable[Any]]
) -> Rule:
    """Return the rule that a choice (``at``) of one tool by name names a tool that the body offers."""
    steps = at.split(".")

    def holds(body: Mapping[str, Any]) -> bool:
        choice = value_at(body, steps)
        name = name_of(choice) if isinstance(choice, OBJECT) else None
        return not isinstance(name, str) or name in names(body)

    check = about(steps[0], that(holds, "it names a tool that is not offered", OBJECT, f".{at}"))
    return Rule("", check, source, lambda body: without_field(body, steps), "parameter-dropped")


def value_at(body: Any, steps: Iterable[str]) -> Any:
    """Return the value at the end of these keys, None where there is none."""
    for step in steps:
        body = body.get(step) if isinstance(body, OBJECT) else None
    return body


def without_field(body: Mapping[str, Any], steps: Sequence[str]) -> dict[str, Any]:
    """Return an object without the field at the end of these keys, and without objects that it leaves empty."""
    first, *further = steps
    inner = without_field(body[first], further) if further else None
    return {name: inner if name == first else value for name, value in body.items() if name != first or inner}


def fields_of(values: Any, name: str) -> Iterator[Any]:
    """Yield a field of every object in a list."""
    yield from (value.get(name) for value in values or () if isinstance(value, OBJECT))


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | Mapping):
        for item in value.values() if isinstance(value, OBJECT) else value:
            yield from texts_of(item)


def results_follow(content: str, call_of: Callable[[Any], Any], result_of: Callable[[Any], Any]) -> Check:
    """Return the check that results and calls stand in neighbouring turns, each with the other.

    ``call_of`` and ``result_of`` give the id of the call or result that a part is, else None.
    """

    def check(messages: Any) -> Findings:
        listed = [one[content] for one in messages if isinstance(one, OBJECT) and type(one.get(content)) is list]
        parts = [part for parts in listed for part in parts if isinstance(part, OBJECT) and _is_more(part)]
        if not any(call_of(part) or result_of(part) for part in parts):
            return
        calls: dict[Any, str] = {}
        turns = [(i, message) for i, message in enumerate(messages) if isinstance(message, OBJECT)]
        for _, group in groupby(turns, lambda turn: turn[1].get("role")):
            turn = [found for index, message in group for found in _parts(message, content, f"[{index}]")]
            results = {id_: at for at, part in turn if (id_ := result_of(part)) is not None}
            yield from ((at, f"no call stands before the result {x!r}") for x, at in results.items() if x not in calls)
            yield from ((at, f"no result follows the call {x!r}") for x, at in calls.items() if x not in results)
            calls = {id_: at for at, part in turn if (id_ := call_of(part)) is not None}

    return check


def _is_more(part: Mapping[str, Any]) -> bool:
    """Tell whether a part is more than a text, which is neither a call nor a result."""
    return "text" not in part or len(part) > 1 + ("type" in part)


def _parts(message: Any, content: str, at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the parts of a message with their places."""
    found = message.get(content) if isinstance(message, OBJECT) else None
    for index, part in enumerate(found if isinstance(found, list) else ()):
        if isinstance(part, OBJECT):
            yield f"{at}.{content}[{index}]", part


def _is_blank(part: Mapping[str, Any]) -> bool:
    text = part.get("text")
    return isinstance(text, str) and not text.strip()


#: The check that the text of a part is not blank.
says_something: Final = that(lambda part: not _is_blank(part), "the text is blank", OBJECT, ".text")


def _is_filled(value: str | Sequence[Any]) -> bool:
    return bool(value) and not (type(value) is list and all(item is GONE for item in value))


is_filled: Final = that(_is_filled, "it is empty", (str, list, tuple))
is_not_blank: Final = that(lambda text: bool(text.strip()), "the text is blank", str)


# mends -----------------------------------------------------------------------------------------


def remove(_value: Any) -> Any:
    """Remove the value."""
    return GONE


def clamp(low: float, high: float) -> Mend:
    """Return a mend that cuts a number to a range."""
    return lambda value: min(max(value, low), high)


def instead(words: Mapping[str, str]) -> Mend:
    """Return a mend that replaces words by others."""
    return lambda value: words.get(value, value)


def relabel(allowed: str, length: int) -> Mend:
    """Return a mend that makes an id of allowed characters, the same from the same, another from another.

    >>> relabel("a-zA-Z0-9_-", 64)("call:1")
    'call_1_0af631'
    """

    def mend(value: str) -> str:
        mark = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:6]
        return f"{re.sub(f'[^{allowed}]', '_', value)[: length - 7]}_{mark}"

    return mend


def merge_messages(content: str) -> Mend:
    """Return a mend that adds a message to the one before it where both have one role."""

    def mend(messages: Any) -> list[Any]:
        found = list(messages)
        for before, index in _pairs(messages):
            while found[before] is GONE:  # it went into the one before it
                before -= 1
            if _joins(found[before], found[index], content):
                joined = {**found[before], content: [*found[before][content], *found[index][content]]}
                found[before], found[index] = joined, GONE
        return found

    return mend


def _pairs(messages: Any) -> Iterator[tuple[int, int]]:
    """Yield the positions of neighbours, whatever holes are between them."""
    present = [index for index, message in enumerate(messages) if isinstance(message, OBJECT)]
    return pairwise(present)


def _joins(one: Mapping[str, Any], two: Mapping[str, Any], content: str) -> bool:
    same_role = one.get("role") == two.get("role") and {*one, *two} <= {"role", content}
    return same_role and isinstance(one.get(content), list) and isinstance(two.get(content), list)
