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
