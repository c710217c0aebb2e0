"""What stands in for the Completions API in tests, and is no mock that is known: fakes and answers.

Rule: nothing of it is changed. Where a call that it may stand for would change, that call is
refused instead, since its tests would read the old shape.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Any, Final

import libcst as cst

from .plan import Plan
from .source import Node, Source, dotted, text_of

#: A file of tests, or of what stands in for a server in them.
_TEST_NAME: Final = re.compile(r"(?:^|_)(?:tests?|conftest|fakes?|mocks?|stubs?|fixtures?)(?:_|\.|$)")
_TEST_IMPORTS: Final = frozenset({"unittest", "pytest", "mock", "respx", "responses", "requests_mock", "pytest_httpx"})
#: A class or object that is given a resource of Completions.
_RESOURCE: Final = re.compile(r"\b(?:completions|Completion)\b\s*(?::[^=\n]+)?=(?!=)|class Completions?\b")
#: A fake that answers Chat, too, serves before and after.
_BOTH: Final = re.compile(r"\bchat\b\s*(?::[^=\n]+)?=(?!=)|class Chat\b")
_DOTTED: Final = re.compile(r"(?:^|(?<!chat)\.)(?:completions|Completion)\.a?create\b")


def is_test(file: str, imports: list[str]) -> bool:
    """Tell whether a file holds tests or what tests use, by its name or its imports.

    >>> is_test("tests/conftest.py", []), is_test("app.py", ["openai"])
    (True, False)
    """
    names = PurePosixPath(file).parts[-2:]
    return any(map(_TEST_NAME.search, names)) or any(path.partition(".")[0] in _TEST_IMPORTS for path in imports)


def stand_ins(plan: Plan, imports: list[str], known: Collection[Node]) -> Iterator[Node]:
    """Yield what stands in for an answer or a resource; ``known`` are the answers of mocks that were looked at."""
    source = plan.source
    if not is_test(source.file, imports):
        return
    within = [site.node for site in plan.sites if site.kind == "mock"]
    for node in source.nodes:
        if node not in known and _stands_in(source, node) and not any(source.inside(node, mock) for mock in within):
            yield node


def _stands_in(source: Source, node: Any) -> bool:
    if isinstance(node, cst.Call) and "create" in _named(node) and _is_resource(source, node):
        return True
    if isinstance(node, cst.Dict | cst.Call):
        choices = _named(node).get("choices")
        return isinstance(choices, cst.List) and any("text" in _named(e.value) for e in choices.elements)
    if isinstance(node, cst.FunctionDef) and node.name.value in ("create", "acreate"):
        is_method = isinstance(source.function_of(node), cst.ClassDef)
        return is_method and _RESOURCE.search(source.text) is not None and not _BOTH.search(source.text)
    is_said = isinstance(source.parent(node), cst.Expr)  # a docstring
    text = text_of(node) if isinstance(node, cst.SimpleString) and not is_said else None
    return text is not None and _DOTTED.search(text) is not None


def _is_resource(source: Source, node: cst.Call) -> bool:
    """Tell whether an object with ``create`` becomes ``completions`` of a client that has no ``chat``."""
    outer: Any = source.parent(node)
    if isinstance(outer, cst.Arg):
        name = outer.keyword.value if outer.keyword else ""
    else:
        targets = outer.targets if isinstance(outer, cst.Assign) else ()
        name = next((dotted(t.target)[-1] for t in targets), "")
    return name in ("completions", "Completion") and not _BOTH.search(source.text)


def _named(value: Any) -> dict[str, Any]:
    """Return the named values of a dict literal or of any call."""
    if isinstance(value, cst.Call):
        return {arg.keyword.value: arg.value for arg in value.args if arg.keyword}
    entries = value.elements if isinstance(value, cst.Dict) else ()
    return {str(text_of(e.key)): e.value for e in entries if isinstance(e, cst.DictElement)}
