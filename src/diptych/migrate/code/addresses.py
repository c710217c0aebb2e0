"""Addresses of the Completions API, however they are put together, and how they become those of Chat.

Rule: an address is followed through names that are bound once, f-strings, sums, ``format``, ``rstrip`` and
``urljoin``; what is not a literal is a hole. One literal of it holds ``completions``, and that one changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import libcst as cst

from .source import Source, bound, constant_of, dotted, text_of

#: Around a hole of an address.
OPEN, CLOSE = "\ue0f0", "\ue0f1"
_PATH: Final = re.compile(
    rf"(?<!/chat)(?:/v1|{CLOSE}|/deployments/[^/]+|/engines/(?P<engine>[^/]+))/completions/?(?:\?[^/]*)?$"
)
_ENGINE: Final = re.compile(r"engines/(?P<engine>[^/]+)/completions")
_WORD: Final = re.compile(r"(?<!chat/)\bcompletions(?=/?(?:\?|$))")
_VERSION: Final = re.compile(r"api-version=(\d{4}-\d{2}-\d{2})")
_DEPTH: Final = 8


@dataclass
class Address:
    """An address as text, its holes between marks, and what writes it."""

    text: str = ""
    #: The literals of it, each with its text.
    literals: list[tuple[Any, str]] = field(default_factory=list)
    #: The names that it was followed through, each with the literals behind it.
    names: list[tuple[cst.Name, list[Any]]] = field(default_factory=list)
    #: The expressions that are holes, in order.
    holes: list[Any] = field(default_factory=list)

    @property
    def engine(self) -> str:
        """The model that stands in the path, "" where none does."""
        found = _PATH.search(self.text)
        return (found["engine"] or "") if found else ""

    @property
    def is_deployment(self) -> bool:
        """Whether it names a deployment, as Azure's do."""
        return "/deployments/" in self.text

    @property
    def version(self) -> str:
        """The version of Azure's API that it asks for, "" where it is not written."""
        found = _VERSION.search(self.text)
        return found[1] if found else ""


def address_of(source: Source, node: Any, base: Any = None) -> Address | None:
    """Return the address of the Completions API that an expression gives, None for any other text.

    ``base`` is the expression of a client's base, where a path alone is put after it.
    """
    found = Address()
    found.text = "".join(_texts(source, node, found, _DEPTH))
    if base is not None and "://" not in found.text and not found.text.startswith(OPEN):
        before = Address()
        head = "".join(_texts(source, base, before, _DEPTH)).rstrip("/")
        found.text = f"{head}/{found.text.lstrip('/')}"
        found.holes[:0] = before.holes
    return found if _PATH.search(found.text) else None


class Change(NamedTuple):
    """The edit that makes an address that of Chat, and the names that its other readers read it by."""

    start: int
    end: int
    text: str
    names: list[cst.Name]


def change_of(source: Source, found: Address) -> Change | None:
    """Return how an address becomes that of Chat, None where no single literal can be changed."""
    holders = [(node, text) for node, text in found.literals if "completions" in text]
    if len(holders) != 1:
        return None
    holder = holders[0][0]
    names = [name for name, reached in found.names if holder in reached]
    start, end = source.outer(holder)
    code = source.text[start:end]
    pattern = _ENGINE if found.engine else _WORD
    body = code.rstrip("\"'")
    matches = list(pattern.finditer(body))
    if len(matches) != 1:
        return None
    at = matches[0]
    return Change(start + at.start(), start + at.end(), "chat/completions", names)


def _texts(source: Source, node: Any, found: Address, depth: int) -> Iterator[str]:
    """Yield the parts of an address; what cannot be followed is a hole."""
    text = text_of(node)
    if text is not None:
        found.literals.append((node, text))
        yield text
    elif isinstance(node, cst.FormattedString):
        yield from _formatted(source, node, found, depth)
    elif isinstance(node, cst.ConcatenatedString) or (
        isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add)
    ):
        yield from _texts(source, node.left, found, depth)
        yield from _texts(source, node.right, found, depth)
    elif isinstance(node, cst.Name) and depth and (value := _once(source, node)) is not None:
        before = len(found.literals)
        yield "".join(_texts(source, value, found, depth - 1))
        found.names.append((node, [literal for literal, _ in found.literals[before:]]))
    elif isinstance(node, cst.Call) and (parts := _joined(node)) is not None:
        yield from _between(parts, source, found, depth)
    else:
        found.holes.append(node)
        yield f"{OPEN}{source.code(node)}{CLOSE}"


def _is_sum(node: cst.ConcatenatedString | cst.BinaryOperation) -> bool:
    return isinstance(node, cst.ConcatenatedString) or isinstance(node.operator, cst.Add)


def _formatted(source: Source, node: cst.FormattedString, found: Address, depth: int) -> Iterator[str]:
    whole = ""
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            whole += part.value
            yield part.value
        elif isinstance(part, cst.FormattedStringExpression):
            whole += "{}"
            yield from _texts(source, part.expression, found, depth)
    found.literals.append((node, whole))


def _joined(call: cst.Call) -> list[Any] | None:
    """Return what ``urljoin(base, path)``, ``base.rstrip("/")`` put together."""
    name = dotted(call.func)[-1]
    values = [arg.value for arg in call.args if not arg.keyword]
    if name == "urljoin" and len(values) == 2:
        return values
    if name in ("rstrip", "strip") and isinstance(call.func, cst.Attribute) and constant_of(call.func.value) is not ...:
        return [call.func.value]
    return None


def _between(parts: list[Any], source: Source, found: Address, depth: int) -> Iterator[str]:
    for number, part in enumerate(parts):
        text = "".join(_texts(source, part, found, depth))
        yield text if not number else "/" + text.lstrip("/")


def _once(source: Source, name: cst.Name) -> Any:
    """Return what a name is bound to, where it is bound once."""
    bindings = source.bindings(name)
    if len(bindings) != 1 or not isinstance(bindings[0], cst.Name):
        return None
    kind, value, _ = bound(source, bindings[0])
    return value if kind == "value" else None
