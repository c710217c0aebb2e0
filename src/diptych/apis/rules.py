"""Server rules as data: what an API refuses although its types allow it.

A rule names a place in a body, a check, where the rule is published, and how it can be mended
without changing the task. The rules of an API form one tree, which is walked once, from the leaves
up: a list is checked after its items, and items that a mend removes leave a hole until then, so that
every path is one of the body that came in. Nothing is copied where nothing is mended.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any, Final, NamedTuple, TypeAlias

from ..loss import Loss

#: What a check says of a value: where inside of it (``""``: the value itself), and what is wrong.
Findings: TypeAlias = Iterable[tuple[str, str]]
Check: TypeAlias = Callable[[Any], Findings]
Mend: TypeAlias = Callable[[Any], Any]
#: An object of JSON: nearly always a dict, which is asked first.
OBJECT: Final = (dict, Mapping)


#: Kinds of mends that add what the API's types require and its server does without.
_ADDED: Final = ("synthesised", "defaulted")


class _Gone:
    def __repr__(self) -> str:
        return "GONE"


#: What a mend returns for a value that is to be removed, and what stands in a list in its place.
GONE: Final[Any] = _Gone()


class Rule(NamedTuple):
    """A rule: the places it is about (``messages[*].content``; ``""`` is the body), its check and its source.

    ``kind`` is the loss that a mend causes; without a ``mend`` it says whether a body that breaks
    the rule is refused (``unsupported``) or only reported (``rule-breach``). A ``whole`` rule is about
    whole bodies, and says nothing of messages alone.
    """

    at: str
    check: Check
    source: str
    mend: Mend | None = None
    kind: str = "unsupported"
    whole: bool = False

    def is_about(self, kind: type) -> bool:
        """Tell whether values of a type can break the rule."""
        return issubclass(kind, getattr(self.check, "kind", object))


class _Walk(NamedTuple):
    """One walk through a body."""

    losses: list[Loss]
    mends: bool
    whole: bool


@dataclass(slots=True)
class Rules:
    """The rules of one API as a tree of places.

    >>> rules = Rules.of(Rule("top_p", between(0, 1), "an example", clamp(0, 1), "clamped"))
    >>> rules.mended({"top_p": 2})
    ({'top_p': 1}, (Loss(path='$.top_p', kind='clamped', detail='2 is not between 0 and 1'),))
    >>> rules.breaches({"top_p": 2})[0].kind
    'rule-breach'
    """

    rules: list[Rule] = field(default_factory=list)
    fields: dict[str, Rules] = field(default_factory=dict)
    items: Rules | None = None
    by_type: dict[type, tuple[Rule, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, *rules: Rule) -> Rules:
        """Return the tree of these rules; those of one place are applied in their order."""
        root = cls()
        for rule in rules:
            node = root
            for step in re.findall(r"[^.\[\]]+", rule.at):
                node = node._step(step)
            node.rules.append(rule)
        return root

    def _step(self, step: str) -> Rules:
        if step != "*":
            return self.fields.setdefault(step, Rules())
        if self.items is None:
            self.items = Rules()
        return self.items

    def all(self) -> Iterator[Rule]:
        """Yield every rule."""
        yield from self.rules
        for child in (*self.fields.values(), *([self.items] if self.items else ())):
            yield from child.all()

    def breaches(self, body: Any, *, whole: bool = True) -> tuple[Loss, ...]:
        """Return a loss of the kind ``rule-breach`` for everything that the server refuses; nothing is mended."""
        if self._holds(body, whole):
            return ()
        losses: list[Loss] = []
        self._walk(body, "$", _Walk(losses, False, whole))
        return tuple(loss._replace(kind="rule-breach") for loss in losses if loss.kind not in _ADDED)

    def mended(self, body: Any, *, whole: bool = True) -> tuple[Any, tuple[Loss, ...]]:
        """Return the body as the server takes it, and a loss for everything that was mended or cannot be."""
        if self._holds(body, whole):
            return body, ()
        losses: list[Loss] = []
        return self._walk(body, "$", _Walk(losses, True, whole)), tuple(losses)

    def _holds(self, value: Any, whole: bool) -> bool:
        """Tell whether a value breaks no rule: the walk that nearly every body needs alone, without paths."""
        if type(value) is dict:
            for name in self.fields.keys() & value.keys():
                if not self.fields[name]._holds(value[name], whole):
                    return False
        elif self.items is not None and type(value) is list:
            for item in value:
                if not self.items._holds(item, whole):
                    return False
        elif isinstance(value, Mapping | tuple):  # rare: read by the walk that knows every type
            return False
        kind = type(value)
        rules = self.by_type.get(kind)
        if rules is None:
            rules = self.by_type[kind] = tuple(rule for rule in self.rules if rule.is_about(kind))
        return not any(True for rule in rules if whole or not rule.whole for _ in rule.check(value))

    def _walk(self, value: Any, path: str, walk: _Walk) -> Any:
        if self.fields and isinstance(value, Mapping):
            value = self._fields(value, path, walk)
        elif self.items is not None and isinstance(value, list | tuple):
            value = self._items(self.items, value, path, walk)
        for rule in self.rules:
            if value is GONE or (rule.whole and not walk.whole):
                continue
            found = [Loss(path + where, rule.kind, words) for where, words in rule.check(value)]
            walk.losses.extend(found)
            value = rule.mend(value) if found and walk.mends and rule.mend else value
        if type(value) is list and GONE in value:
            return [item for item in value if item is not GONE]
        return value

    def _fields(self, value: Mapping[str, Any], path: str, walk: _Walk) -> Mapping[str, Any]:
        changed = {}
        for name, node in self.fields.items():
            if name in value:
                after = node._walk(value[name], f"{path}.{name}", walk)
                if after is not value[name]:
                    changed[name] = after
        if not changed:
            return value
        return {name: item for name, item in {**value, **changed}.items() if item is not GONE}

    def _items(self, node: Rules, value: Sequence[Any], path: str, walk: _Walk) -> Sequence[Any]:
        after = [node._walk(item, f"{path}[{index}]", walk) for index, item in enumerate(value)]
        return value if all(map(_is, after, value)) else after


def _is(one: Any, two: Any) -> bool:
    return one is two


# checks ----------------------------------------------------------------------------------------


def that(holds: Callable[[Any], bool], words: str, kind: type | tuple[type, ...] = object) -> Check:
    """Return a check of the values of a type; ``words`` say what is wrong, ``{}`` stands for the value."""

    def check(value: Any) -> Findings:
        if isinstance(value, kind) and not holds(value):
            shown = value if isinstance(value, int | float) else repr(value)[:80]
            yield "", words.format(shown)

    check.kind = kind  # type: ignore[attr-defined]
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


def at_most(number: int, what: str) -> Check:
    """Return the check that a list, a text or an object is not longer than this."""
    return that(lambda value: len(value) <= number, f"more than {number} {what}", (str, list, tuple, Mapping))


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
        at: Any = body
        for step in mode:
            at = at.get(step) if isinstance(at, OBJECT) else None
        if at == "json_object" and not any("json" in text.lower() for text in texts_of(text_of(body))):
            yield "".join(f".{step}" for step in mode), "JSON mode needs the word JSON in a message"

    return check


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
        parts = (part for message in messages for _, part in _parts(message, content, ""))
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


def _parts(message: Any, content: str, at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the parts of a message with their places."""
    found = message.get(content) if isinstance(message, OBJECT) else None
    for index, part in enumerate(found if isinstance(found, list) else ()):
        if isinstance(part, OBJECT):
            yield f"{at}.{content}[{index}]", part


def says_something(part: Any) -> Findings:
    """Find the part of a message whose text is blank."""
    if isinstance(part, OBJECT) and isinstance(part.get("text"), str) and not part["text"].strip():
        yield ".text", "the text is blank"


is_filled: Final = that(bool, "it is empty", (str, list, tuple))
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
