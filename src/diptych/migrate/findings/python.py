"""Python files and notebooks: calls as the code migration sees them, models and prompts by the syntax tree."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ...errors import MigrationError
from ..code.files import FileMigration
from ..code.notebooks import python_cells
from .endpoints import dead_endpoints
from .finding import Finding
from .models import dated_models, is_certain, may_concern, model_finding
from .prompts import prompt_finding
from .texts import definition_findings

#: The kinds of change that are a call each.
_CALLS: Final = ("call", "langchain", "http")
_UNREAD: Final = ("syntax", "encoding", "notebook")


def calls_of(migration: FileMigration) -> list[Finding]:
    """Return the call sites of a file: which would be migrated, which refused and why."""
    calls = [
        Finding("call", str(change.place), {"migrates": True, "what": change.what})
        for change in migration.changes
        if change.kind in _CALLS
    ]
    for refusal in migration.refusals:
        if refusal.code not in _UNREAD:
            facts = {"migrates": False, "code": refusal.code, "reason": refusal.reason, "hint": refusal.hint}
            calls.append(Finding("call", str(refusal.place), facts))
    return calls


def python_findings(file: Path, name: str, calls: list[Finding]) -> list[Finding]:
    """Return the findings of a Python file. Raises MigrationError for one that does not parse.

    A file without any hint is not parsed.
    """
    source = file.read_bytes()
    defines = b"langchain" in source or b"PromptTemplate" in source
    if not (calls or defines or may_concern(source.decode("utf-8", "replace"))):
        return []
    found = _source(source, name, calls)
    if defines:
        found += definition_findings(source.decode("utf-8-sig"), name)
    return sorted(found, key=lambda finding: finding.order)


def notebook_findings(file: Path, name: str, calls: list[Finding]) -> list[Finding]:
    """Return the findings of a notebook's code cells, each placed in its cell."""
    found: list[Finding] = []
    for number, source in python_cells(file.read_text("utf-8-sig"), name):
        place = f"{name}[cell {number}]"
        own = [call for call in calls if call.place.startswith(f"{place}:")]
        found += _source(source.encode(), place, own)
    return found


def _source(source: bytes, name: str, calls: list[Finding]) -> list[Finding]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes are the audited code's own affair
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError) as error:
            place = f"{name}:{getattr(error, 'lineno', None) or 1}"
            raise MigrationError(f"the source does not parse: {getattr(error, 'msg', error)}", path=place) from None
    places = {call.order for call in calls}
    found = [*calls, *_models(tree, name), *_prompts(tree, name, places), *dead_endpoints(tree, name)]
    return sorted(found, key=lambda finding: finding.order)


def _models(tree: ast.Module, name: str) -> Iterator[Finding]:
    said = {id(node) for holder in ast.walk(tree) for node in _named_model(holder)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in dated_models():
            if is_certain(node.value) or id(node) in said:
                yield model_finding(node.value, f"{name}:{node.lineno}:{node.col_offset + 1}")


def _named_model(node: ast.AST) -> Iterator[ast.AST | None]:
    """Yield the values that a name, a keyword or a key calls a model."""
    if isinstance(node, ast.keyword) and node.arg and _is_model(node.arg):
        yield node.value
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [str(getattr(target, "id", None) or getattr(target, "attr", "")) for target in targets]
        if any(map(_is_model, names)):
            yield node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and _is_model(key.value):
                yield value


def _is_model(name: str) -> bool:
    return any(word in name.lower() for word in ("model", "engine", "deployment"))


# prompts --------------------------------------------------------------------------------------


def _prompts(tree: ast.Module, name: str, calls: set[tuple[int, int]]) -> Iterator[Finding]:
    """Yield the prompts that can be read: those of the calls, and what names bound once hold."""
    bound = _bound_once(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or (node.lineno, node.col_offset + 1) not in calls:
            continue
        for keyword in node.keywords:
            value: ast.expr | None = keyword.value if keyword.arg == "prompt" else _body_prompt(keyword)
            if isinstance(value, ast.Name):
                value = bound.get(value.id)
            text = _text_of(value) if value is not None else None
            if value is not None and text:
                yield prompt_finding(text, f"{name}:{value.lineno}:{value.col_offset + 1}")


def _body_prompt(keyword: ast.keyword) -> ast.expr | None:
    """Return the prompt of a request's body that is sent as ``json={…}``."""
    if keyword.arg != "json" or not isinstance(keyword.value, ast.Dict):
        return None
    pairs = zip(keyword.value.keys, keyword.value.values, strict=True)
    return next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "prompt"), None)


def _bound_once(tree: ast.Module) -> dict[str, ast.expr]:
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None if node.id in found else _VALUE
        elif isinstance(node, ast.arg):
            found[node.arg] = None
    values = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }
    return {name: value for name, value in values.items() if found.get(name) is not None}


_VALUE: Final = ast.Constant(None)


def _text_of(node: ast.expr) -> str | None:
    """Return a literal's text; the holes of an f-string stand as ``{name}``."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_piece(part) for part in node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _text_of(node.func.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _text_of(node.left)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text_of(node.left), _text_of(node.right)
        return None if left is None and right is None else (left or "{…}") + (right or "{…}")
    return None


def _piece(part: Any) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "{" + ast.unparse(part.value) + "}"
