"""A text expression as pieces: what is literal, and the holes that a run of the program fills.

Rule: a hole is opaque. An expression that cannot be taken apart with certainty is no
pieces at all. :func:`proof` evaluates the expression itself, every hole a placeholder.
"""

from __future__ import annotations

import ast
import string
import textwrap
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import libcst as cst

from .markup import MARK
from .source import Source, bound, text_of

#: Around the number of a hole in a text; private characters that no prompt holds.
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_PURE: Final = (cst.Name, cst.Attribute, cst.Integer, cst.Float, cst.SimpleString)
_DELIMITERS: Final = ('"', "'", '"""', "'''")


class Piece(NamedTuple):
    """A literal text, or a hole: the source of its field, as an f-string has it (``{name!r:>5}``)."""

    text: str
    hole: str = ""


class Pieces(list[Piece]):
    """The pieces of an expression, in order, and the constants of the module that were looked up."""

    def __init__(self, pieces: Iterable[Piece] = (), constants: Mapping[str, str] | None = None) -> None:
        super().__init__(pieces)
        self.constants = dict(constants or {})

    def marked(self) -> tuple[str, list[tuple[int, int]]]:
        """Return the text with a placeholder a hole, and the ranges of those."""
        text, ranges = "", []
        for number, piece in enumerate(self):
            if piece.hole:
                mark = f"{_OPEN}{number}{_CLOSE}"
                ranges.append((len(text), len(text) + len(mark)))
                text += mark
            else:
                text += piece.text
        return text, ranges

    def within(self, marked: str) -> Pieces:
        """Return the pieces of a part of the marked text."""
        found = Pieces()
        for part in _split(marked):
            if isinstance(part, int):
                found.append(self[part])
            elif part:
                found.append(Piece(part))
        return found


def filled(marked: str) -> str:
    """Return a marked text with a word in the place of each hole.

    >>> filled("Say \ue0f00\ue0f1.")
    'Say hole0.'
    """
    return "".join(f"hole{part}" if isinstance(part, int) else part for part in _split(marked))


def _split(marked: str) -> list[Any]:
    parts: list[Any] = []
    for index, part in enumerate(marked.replace(_CLOSE, _OPEN).split(_OPEN)):
        parts.append(int(part) if index % 2 else part)
    return parts


def pieces_of(source: Source, node: Any) -> Pieces | None:
    """Return the pieces of a text expression, None for one that is not certain.

    A constant of the module that holds special tokens is its text; ``constants`` says which were.
    """
    if (text := text_of(node)) is not None:
        return None if _OPEN in text or _CLOSE in text else Pieces([Piece(text)])
    if isinstance(node, cst.FormattedString):
        return _formatted(source, node)
    if isinstance(node, cst.ConcatenatedString):
        return _joined(pieces_of(source, node.left), pieces_of(source, node.right))
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return _sum(source, node)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        return _percent(source, node)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        name = node.func.attr.value
        if name == "format":
            return _format(source, node)
        if name in ("strip", "lstrip", "rstrip") and not node.args:
            return _stripped(pieces_of(source, node.func.value), name)
    if isinstance(node, cst.Call) and _is_dedent(source, node) and len(node.args) == 1:
        text = text_of(node.args[0].value)
        return None if text is None else Pieces([Piece(textwrap.dedent(text))])
    return None


def _joined(left: Pieces | None, right: Pieces | None) -> Pieces | None:
    if left is None or right is None:
        return None
    return Pieces([*left, *right], {**left.constants, **right.constants})


def _known(source: Source, node: Any) -> Pieces | None:
    """Return the text of a constant of the module that holds special tokens; None for any other expression.

    A literal that a function gives a name of its own is data, whatever it holds, and so is one without such
    tokens: both stay holes.
    """
    if not isinstance(node, cst.Name):
        return None
    text = _constant(source, node)
    if text is None or not MARK.search(text) or source.function_of(source.bindings(node)[0]) is not source.module:
        return None
    return None if text is None or _OPEN in text or _CLOSE in text else Pieces([Piece(text)], {node.value: text})


def _formatted(source: Source, node: cst.FormattedString) -> Pieces | None:
    found = Pieces()
    raw = "r" if "r" in node.start.lower() else ""
    quote = node.start.lstrip("rRfFbBuU")
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    text = ast.literal_eval(f"{raw}{quote}{part.value.replace('{{', '{').replace('}}', '}')}{quote}")
            except (SyntaxError, ValueError):
                return None
            found.append(Piece(text))
        else:
            assert isinstance(part, cst.FormattedStringExpression)
            if part.equal is not None:
                return None  # {name=} writes its own source
            plain = part.conversion is None and part.format_spec is None
            if plain and (known := _known(source, part.expression)) is not None:
                found += known
                found.constants |= known.constants
                continue
            start, end = source.span(part)
            found.append(Piece("", source.text[start:end]))
    return None if any(_OPEN in piece.text for piece in found) else found


def _sum(source: Source, node: cst.BinaryOperation) -> Pieces | None:
    sides = []
    for side in (node.left, node.right):
        found = pieces_of(source, side) or _known(source, side)
        if found is None and isinstance(side, cst.Name | cst.Attribute | cst.Subscript | cst.Call):
            found = Pieces([Piece("", "{" + source.code(side) + "}")])
        sides.append(found)
    found = _joined(*sides)
    # Two things without a literal need not be texts.
    return found if found and any(not piece.hole for piece in found) else None


def _percent(source: Source, node: cst.BinaryOperation) -> Pieces | None:
    text = text_of(node.left)
    if text is None or not isinstance(node.right, cst.Tuple) or _OPEN in text:
        return None
    values: list[Any] = [e.value for e in node.right.elements if isinstance(e, cst.Element)]
    parts = text.replace("%%", _OPEN).split("%s")
    if any("%" in part for part in parts) or len(parts) != len(values) + 1 or len(values) < len(node.right.elements):
        return None
    found = Pieces([Piece(parts[0].replace(_OPEN, "%"))])
    for value, part in zip(values, parts[1:], strict=True):
        known = _known(source, value)
        found += known or [Piece("", "{" + source.code(value) + "!s}")]
        found.constants |= known.constants if known else {}
        found.append(Piece(part.replace(_OPEN, "%")))
    return found


def _format(source: Source, node: cst.Call) -> Pieces | None:
    assert isinstance(node.func, cst.Attribute)
    text, constants = text_of(node.func.value), {}
    if text is None and isinstance(node.func.value, cst.Name):
        text = _constant(source, node.func.value)
        constants = {node.func.value.value: text} if text is not None else {}
    if text is None or _OPEN in text or any(arg.star for arg in node.args):
        return None
    values = {arg.keyword.value: arg.value for arg in node.args if arg.keyword}
    values |= {str(index): arg.value for index, arg in enumerate(a for a in node.args if not a.keyword)}
    if not all(isinstance(value, _PURE) for value in values.values()):
        return None  # it would be evaluated in another order, or not once
    found, automatic = Pieces(constants=constants), 0
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return None
    for literal, name, spec, conversion in fields:
        found.append(Piece(literal))
        if name is None:
            continue
        if name == "":
            name, automatic = str(automatic), automatic + 1
        if name not in values or "{" in (spec or ""):
            return None
        tail = (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        if not tail and (known := _known(source, values[name])) is not None:
            found += known
            found.constants |= known.constants
            continue
        found.append(Piece("", "{" + source.code(values[name]) + tail + "}"))
    return found


def _constant(source: Source, name: cst.Name) -> str | None:
    """Return the text that a name is bound to, where it is bound once and to a literal."""
    found = source.bindings(name)
    if len(found) != 1 or not isinstance(found[0], cst.Name):
        return None
    kind, value, _ = bound(source, found[0])
    return text_of(value) if kind == "value" else None


def _stripped(found: Pieces | None, how: str) -> Pieces | None:
    """Strip the ends; not where a hole stands at an end, whose value may bring its own white space."""
    if not found:
        return found
    found = Pieces((piece for piece in found if piece.text or piece.hole), found.constants)
    if how != "rstrip" and found:
        if found[0].hole or not found[0].text.lstrip():
            return None
        found[0] = Piece(found[0].text.lstrip())
    if how != "lstrip" and found:
        if found[-1].hole or not found[-1].text.rstrip():
            return None
        found[-1] = Piece(found[-1].text.rstrip())
    return found


def _is_dedent(source: Source, node: cst.Call) -> bool:
    name = node.func.attr.value if isinstance(node.func, cst.Attribute) else getattr(node.func, "value", "")
    return name == "dedent" and "textwrap" in source.text


# writing ---------------------------------------------------------------------------------------


def expression(pieces: Pieces, prefer: str = '"', avoid: set[str] | None = None) -> str | None:
    """Return the source of a text made of pieces, None where no quotes are left for it."""
    holes = [piece.hole for piece in pieces if piece.hole]
    if any("\\" in hole for hole in holes):
        return None
    order = sorted(_DELIMITERS, key=lambda mark: (len(mark), mark != prefer))
    for mark in order:
        if mark[0] in (avoid or ()) or any(mark[0] in hole for hole in holes):
            continue
        if not holes and not avoid and len(mark) > 1:
            continue
        if any("\n" in hole for hole in holes) and len(mark) == 1:
            continue
        body = "".join(piece.hole or _escaped(piece.text, mark, bool(holes)) for piece in pieces)
        return f"{'f' if holes else ''}{mark}{body}{mark}"
    return None


def _escaped(text: str, mark: str, has_holes: bool) -> str:
    out = []
    for character in text:
        if character == "\\" or character == mark[0]:
            out.append("\\" + character)
        elif character in "\n\r\t":
            out.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character])
        elif not character.isprintable():
            out.append(character.encode("unicode_escape").decode() if ord(character) < 0x110000 else "")
        else:
            out.append(character * 2 if has_holes and character in "{}" else character)
    return "".join(out)


# proof -----------------------------------------------------------------------------------------


class _Value(str):
    """A placeholder that shows how it was written: its key, and every format asked of it."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return f"{_OPEN}{str.__str__(self)[1:-1]}|{spec}{_CLOSE}" if spec else str.__str__(self)

    def __repr__(self) -> str:
        return f"{_OPEN}{str.__str__(self)[1:-1]}!r{_CLOSE}"


def proof(codes: list[str], constants: Mapping[str, str]) -> list[str] | None:
    """Evaluate text expressions, equal holes having equal placeholders; None where that is impossible."""
    names: dict[str, str] = {}
    scope: dict[str, Any] = {**constants, "__builtins__": {}, "_dedent": textwrap.dedent}
    results = []
    for code in codes:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(f"({code})", mode="eval")
            tree.body = _Holes(names, constants).text(tree.body)
            ast.fix_missing_locations(tree)
            scope |= {name: _Value(f"{_OPEN}{name}{_CLOSE}") for name in names.values()}
            results.append(str(eval(compile(tree, "<prompt>", "eval"), scope)))  # noqa: S307 - literals and placeholders alone
        except (SyntaxError, TypeError, ValueError, KeyError, IndexError, AttributeError, NameError):
            return None
    return results


class _Holes:
    """Puts a placeholder in the place of everything that is not a literal."""

    def __init__(self, names: dict[str, str], constants: Mapping[str, str]) -> None:
        self.names, self.constants = names, constants

    def text(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Constant(value=str()):
                return node
            case ast.JoinedStr():
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        part.value = self.hole(part.value)
                return node
            case ast.BinOp(op=ast.Add()):
                node.left, node.right = self.text(node.left), self.text(node.right)
                return node
            case ast.BinOp(op=ast.Mod(), right=ast.Tuple() as values):
                values.elts = [self.hole(value) for value in values.elts]
                return node
            case ast.Call(func=ast.Attribute(attr="format")):
                node.args = [self.hole(arg) for arg in node.args]
                for keyword in node.keywords:
                    keyword.value = self.hole(keyword.value)
                return node
            case ast.Call(func=ast.Attribute(attr="strip" | "lstrip" | "rstrip") as func, args=[]):
                func.value = self.text(func.value)
                return node
            case ast.Call(func=ast.Attribute(attr="dedent") | ast.Name(id="dedent"), args=[ast.Constant()]):
                node.func = ast.Name("_dedent", ast.Load())
                return node
        return self.hole(node)

    def hole(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name) and node.id in self.constants:
            return node  # its text is known
        key = ast.unparse(node)
        name = self.names.setdefault(key, f"_h{len(self.names)}")
        return ast.Name(name, ast.Load())
