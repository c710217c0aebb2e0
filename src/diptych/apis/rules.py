"""Server rules as data: what an API refuses although its types allow it.

A rule names a place in a body, a check, where the rule is published, and how it can be mended
without changing the task. The rules of an API form one tree, which is walked once, from the leaves
up: a list is checked after its items, and items that a mend removes leave a hole until then, so that
every path is one of the body that came in. Nothing is copied where nothing is mended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from ..errors import OF_SHAPE
from ..loss import Loss
from .fields import OBJECT as OBJECT

#: What a check says of a value: where inside of it (``""``: the value itself), and what is wrong.
Findings: TypeAlias = Iterable[tuple[str, str]]
Check: TypeAlias = Callable[[Any], Findings]
Mend: TypeAlias = Callable[[Any], Any]
Holds: TypeAlias = Callable[[Any], bool]

#: Kinds of mends that add what the API's types require and its server does without.
_ADDED: Final = ("synthesised", "defaulted")


#: Places inside of the messages of a body.
_INSIDE: Final = ("messages[*]", "contents[*]", "input[*]", "system[*]")


class _Gone:
    def __repr__(self) -> str:
        return "GONE"


#: What a mend returns for a value that is to be removed, and what stands in a list in its place.
GONE: Final[Any] = _Gone()


class Rule(NamedTuple):
    """A rule: the places it is about (``messages[*].content``; ``""`` is the body), its check and its source.

    ``kind`` is the loss that a mend causes; without a ``mend`` it says whether a body that breaks
    the rule is refused (``unsupported``) or only reported (``rule-breach``). A ``whole`` rule is about
    whole bodies, and says nothing of messages alone. A rule that is not ``of_texts`` is kept by every conversation
    of texts that say something, without calls, tools and media.
    """

    at: str
    check: Check
    source: str
    mend: Mend | None = None
    kind: str = "unsupported"
    whole: bool = False
    of_texts: bool = True

    def is_about(self, kind: type) -> bool:
        """Tell whether values of a type can break the rule."""
        return issubclass(kind, getattr(self.check, "kind", object))

    def findings(self, value: Any) -> Findings:
        """Yield what the check finds; a value that it cannot look at breaks the rule as a whole."""
        try:
            yield from self.check(value)
        except OF_SHAPE as error:
            yield "", f"it is malformed: {type(error).__name__}"

    @property
    def test(self) -> Holds:
        """The function that tells whether a value that the rule is about keeps it."""
        holds: Holds | None = getattr(self.check, "holds", None)
        return holds or (lambda value: next(iter(self.check(value)), None) is None)


class _Walk(NamedTuple):
    """One walk through a body."""

    losses: list[Loss]
    mends: bool
    whole: bool


@dataclass(slots=True)
class Rules:
    """The rules of one API as a tree of places.

    >>> from diptych.apis.checks import between, clamp
    >>> rules = Rules.of(Rule("top_p", between(0, 1), "an example", clamp(0, 1), "clamped"))
    >>> rules.mended({"top_p": 2})
    ({'top_p': 1}, (Loss(path='$.top_p', kind='clamped', detail='2 is not between 0 and 1'),))
    >>> rules.breaches({"top_p": 2})[0].kind
    'rule-breach'
    """

    rules: list[Rule] = field(default_factory=list)
    fields: dict[str, Rules] = field(default_factory=dict)
    items: Rules | None = None
    tests: tuple[dict[type, Holds | None], dict[type, Holds | None]] = field(default_factory=lambda: ({}, {}))
    given: tuple[Rule, ...] = ()
    texts: Rules | None = None

    @classmethod
    def of(cls, *rules: Rule) -> Rules:
        """Return the tree of these rules; those of one place are applied in their order."""
        root = cls(given=rules)
        for rule in rules:
            node = root
            for step in re.findall(r"[^.\[\]]+", rule.at):
                node = node._step(step)
            node.rules.append(rule)
        return root

    @property
    def of_texts(self) -> Rules:
        """The rules that are left to check of a conversation of texts, which most are: none looks into a message."""
        if self.texts is None:
            self.texts = Rules.of(*(rule for rule in self.given if rule.of_texts and not rule.at.startswith(_INSIDE)))
        return self.texts

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
        holds = self._test(type(value), whole)
        try:
            return holds is None or holds(value)
        except OF_SHAPE:
            return False  # malformed: the walk says where

    def _test(self, kind: type, whole: bool) -> Holds | None:
        """Return what tells whether a value of a type keeps the rules, None where there are none for it."""
        known = self.tests[whole]
        if kind not in known:
            known[kind] = self._made(kind, whole)
        return known[kind]

    def _made(self, kind: type, whole: bool) -> Holds | None:
        rules = [rule for rule in self.rules if rule.is_about(kind) and (whole or not rule.whole)]
        if kind is dict:
            own = [rule.test for rule in rules if not (is_nested(rule.check) or field_of(rule.check))]
            if nested_ := tuple(rule.test for rule in rules if is_nested(rule.check)):
                own.append(_of_nested(nested_))
            if of_fields := [rule for rule in rules if field_of(rule.check)]:
                own.append(_of_fields(of_fields))
        else:
            own = [rule.test for rule in rules]
        if kind is dict and self.fields:
            own.insert(0, self._keeps_fields(whole))
        elif kind is list and self.items is not None:
            own.insert(0, self.items._keeps_items(whole))
        elif issubclass(kind, tuple | Mapping) and kind is not dict:  # rare: read by the walk that knows every type
            return lambda _: False
        return _every(tuple(own)) if len(own) > 1 else own[0] if own else None

    def _keeps_fields(self, whole: bool) -> Holds:
        nodes = {name: (node, node.tests[whole]) for name, node in self.fields.items()}

        def holds(value: dict[str, Any]) -> bool:
            for name, item in value.items():
                if (found := nodes.get(name)) is not None:
                    node, tests = found
                    kind = type(item)
                    test = tests[kind] if kind in tests else node._test(kind, whole)
                    if test is not None and not test(item):
                        return False
            return True

        return holds

    def _keeps_items(self, whole: bool) -> Holds:
        tests = self.tests[whole]

        def holds(value: list[Any]) -> bool:
            for item in value:
                kind = type(item)
                test = tests[kind] if kind in tests else self._test(kind, whole)
                if test is not None and not test(item):
                    return False
            return True

        return holds

    def _walk(self, value: Any, path: str, walk: _Walk) -> Any:
        if path != "$" and type(value) is dict and self._holds(value, walk.whole):
            return value
        if self.fields and isinstance(value, Mapping):
            value = self._fields(value, path, walk)
        elif self.items is not None and isinstance(value, list | tuple):
            value = self._items(self.items, value, path, walk)
        for rule in self.rules:
            if value is GONE or (rule.whole and not walk.whole):
                continue
            found = [Loss(path + where, rule.kind, words) for where, words in rule.findings(value)]
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


def nested(check: Check) -> Check:
    """Mark a check that an object of texts alone, as most messages are, cannot break."""
    check.nested = True  # type: ignore[attr-defined]
    return check


def is_nested(check: Check) -> bool:
    """Tell whether a check is of that kind."""
    return getattr(check, "nested", False)


def about(field: str, check: Check) -> Check:
    """Mark a check that an object without this field cannot break."""
    check.field = field  # type: ignore[attr-defined]
    return check


def field_of(check: Check) -> str:
    """Return the field that a check is about, empty where it is about the whole object."""
    return str(getattr(check, "field", ""))


def _of_fields(rules: list[Rule]) -> Holds:
    """Return the test that rules about fields hold, nearly all of which most objects do not have."""
    names = frozenset(field_of(rule.check) for rule in rules)
    tests = {name: _every(tuple(rule.test for rule in rules if field_of(rule.check) == name)) for name in names}

    def holds(value: dict[str, Any]) -> bool:
        return names.isdisjoint(value) or all(tests[name](value) for name in names if name in value)

    return holds


def _of_nested(tests: tuple[Holds, ...]) -> Holds:
    every = _every(tests)

    def holds(value: dict[str, Any]) -> bool:
        for item in value.values():
            if type(item) is not str:
                return every(value)
        return True

    return holds


def _every(tests: tuple[Holds, ...]) -> Holds:
    """Return the test that all of these hold, nested by halves: a chain of calls costs less than a loop over them."""
    if len(tests) == 1:
        return tests[0]
    one, two = _every(tests[: len(tests) // 2]), _every(tests[len(tests) // 2 :])
    return lambda value: one(value) and two(value)


def _is(one: Any, two: Any) -> bool:
    return one is two
