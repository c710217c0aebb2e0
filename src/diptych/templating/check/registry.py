"""The rules there are: one file each in ``rules`` and ``chat_rules``, which are the registry."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from ...errors import FormatError
from ...suggest import suggest
from . import chat_rules, rules
from .finding import Finding


class Rule(NamedTuple):
    """A rule: its code and name, what it says, a text that it finds and one that it does not.

    ``is_default`` is false for rules that are asked for by code alone; ``is_chat`` is true for those
    of models' chat templates.
    """

    code: str
    name: str
    explanation: str
    bad: str
    good: str
    check: Callable[[Any], Iterator[Finding]]
    is_default: bool = True
    is_chat: bool = False


@lru_cache(maxsize=1)
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, sorted by code."""
    found = []
    for package in (rules, chat_rules):
        for info in pkgutil.iter_modules(package.__path__):
            module = import_module(f"{package.__name__}.{info.name}")
            said = inspect.cleandoc(module.__doc__ or "")
            facts = (module.CODE, info.name.replace("_", "-"), said, module.BAD, module.GOOD, module.check)
            found.append(Rule(*facts, getattr(module, "IS_DEFAULT", True), package is chat_rules))
    return tuple(sorted(found, key=lambda rule: rule.code))


def selected(select: list[str] | None = None, ignore: list[str] | None = None) -> tuple[Rule, ...]:
    """Return the rules whose codes begin with one of ``select`` and with none of ``ignore``.

    ``ALL`` is every rule; without ``select`` the default ones. Raises FormatError for a code of no rule.

    >>> [rule.code for rule in selected(["T0"], ["T002"])][:2]
    ['T001', 'T003']
    """
    for code in [*(select or ()), *(ignore or ())]:
        if code != "ALL" and not any(rule.code.startswith(code) for rule in all_rules()):
            raise FormatError(f"there is no rule {code!r}", hint=suggest(code, [rule.code for rule in all_rules()]))
    wanted = [rule for rule in all_rules() if rule.is_default] if not select else all_rules()
    taken = [rule for rule in wanted if not select or "ALL" in select or rule.code.startswith(tuple(select))]
    return tuple(rule for rule in taken if not (ignore and rule.code.startswith(tuple(ignore))))
