"""Values of a Python source that are literal, by its syntax; nothing is run.

Rule: a literal is a string, a list, a tuple, a mapping, a sum of such, a call that a reader knows,
and a name whose every value can be followed to such (:mod:`.python_steps`). Anything else is
refused where it stands.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ...errors import MigrationError
from .draft import Draft
from .model import Source
from .python_names import Names, Variable
from .python_steps import Step, Steps, leaves_of
from .python_uses import Found, Uses

_MAX_DEPTH = 50


class NotLiteral(Exception):
    """What an expression is instead of a literal, and the node where."""

    def __init__(self, node: ast.AST, reason: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason


def place_of_node(node: ast.AST) -> tuple[int, int]:
    """Return the line and the column of a node, both from 1."""
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1


def refusal_of(source: Source, found: Found) -> MigrationError:
    """Return the error that refuses what was found, with its place."""
    line, column = place_of_node(found.node)
    place = f"{source.filename}:{line}:{column}"
    return MigrationError(f"{found.name}: {found.reason}", path=place, hint=found.hint or None)


def parsed(source: Source) -> ast.Module:
    """Return the syntax tree of a source. Raises MigrationError for no Python."""
    try:
        return ast.parse(source.text)
    except SyntaxError as error:
        place = f"{source.filename}:{error.lineno or 1}:{error.offset or 1}"
        raise MigrationError("the source is no Python", path=place) from None
    except (ValueError, RecursionError, MemoryError):
        raise MigrationError("the source is no Python", path=source.filename) from None


def read_alone(_: Source, draft: Draft) -> None:
    """Refuse: a Python source is read by a layout's ``read_all``."""
    raise draft.refuse("a Python source holds definitions", hint="take them by migrate_templates")


class Literals(ABC):
    """Literals of one module; a reader of definitions says what its calls and sums are."""

    names: Names
    steps: Steps
    uses: Uses

    def __init__(self) -> None:
        self._current: dict[Variable, Any] = {}

    # what a reader says ------------------------------------------------------------------------

    def of_call(self, call: ast.Call) -> Any:
        """Return the value of a call that is known. Raises NotLiteral."""
        raise NotLiteral(call, f"{ast.unparse(call.func)[:40]}(…) is only known when it runs")

    def joined(self, left: Any, right: Any, node: ast.expr) -> Any:
        """Return the sum of two values. Raises NotLiteral."""
        if type(left) is type(right) and isinstance(left, str | list | tuple):
            return left + right
        raise NotLiteral(node, "it is not a literal")

    def appended(self, whole: Any, items: list[Any], node: ast.expr) -> Any:
        """Return a value with items at its end. Raises NotLiteral."""
        if isinstance(whole, list):
            return [*whole, *items]
        raise NotLiteral(node, "it is no list that is added to")

    @abstractmethod
    def definitions(self) -> list[tuple[str, ast.expr]]:
        """Return the definitions with their names, in order."""

    @abstractmethod
    def defined(self, node: ast.expr) -> dict[str, Any]:
        """Return what a definition says. Raises NotLiteral."""

    def refused(self) -> list[Found]:
        """Return what makes or changes a definition in a way that is not read."""
        return [*self.uses.found, *self.uses.rebound()]

    def drafts(
        self, source: Source, write: Callable[[Any, Draft], None]
    ) -> tuple[list[Draft], list[MigrationError]]:
        """Return a draft for each definition, written by ``write``, and what is refused, in order."""
        drafts: list[Draft] = []
        refused = self.refused()
        taken: set[str] = set()
        for name, node in self.definitions():
            draft = Draft(source.filename, name)
            try:
                if name in taken:
                    raise NotLiteral(node, f"{name} is bound twice")
                taken.add(name)
                write(self.defined(node), draft)
                drafts.append(draft)
            except NotLiteral as error:
                refused.append(Found(error.node, name or "a prompt", error.reason, ""))
            except MigrationError as error:
                refused.append(Found(node, name, error.message, error.hint or ""))
        return drafts, [refusal_of(source, found) for found in sorted(refused, key=lambda one: place_of_node(one.node))]

    # literals ----------------------------------------------------------------------------------

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        """Return the value of an expression. Raises NotLiteral."""
        if depth > _MAX_DEPTH:
            raise NotLiteral(node, "it is nested too deeply")
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._of_name(node, depth)
        if isinstance(node, ast.List | ast.Tuple):
            found = [self.value(item, depth + 1) for item in node.elts]
            return found if isinstance(node, ast.List) else tuple(found)
        if isinstance(node, ast.Dict):
            return self._of_dict(node, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._of_sum(node, depth)
        if isinstance(node, ast.Call):
            return self.of_call(node)
        reason = "an f-string is filled in before" if isinstance(node, ast.JoinedStr) else "it is not a literal"
        raise NotLiteral(node, reason)

    def _of_sum(self, node: ast.BinOp, depth: int) -> Any:
        first, *others = leaves_of(node)
        found = self.value(first, depth + 1)
        for other in others:
            found = self.joined(found, self.value(other, depth + 1), node)
        return found

    def _of_name(self, node: ast.Name, depth: int) -> Any:
        variable = self.names.variable(node)
        if variable in self._current:
            return self._current[variable]
        values = self.names.values(variable)
        if variable is not None and self.steps.of(variable):
            found = self.stepped(variable, self.steps.before(node, variable), depth + 1)
        elif variable is None or len(values) != 1 or values[0] is None:
            raise NotLiteral(node, f"{node.id} is not bound once to a literal")
        else:
            found = self.value(values[0], depth + 1)
        # A prompt that a function is given is not changed by it, as far as anybody does; a list may be.
        is_changed = type(found) in (list, dict) and self.uses.is_changed(variable)
        if is_changed or self.uses.is_spoiled(variable):
            raise NotLiteral(node, f"{node.id} is changed after it is bound")
        return found

    def _of_dict(self, node: ast.Dict, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise NotLiteral(value, "cannot determine what an unpacked mapping holds")
            found[str(self.value(key, depth + 1))] = self.value(value, depth + 1)
        return found

    def keywords(self, call: ast.Call) -> dict[str, Any]:
        """Return the arguments of a call that have names. Raises NotLiteral."""
        found: dict[str, Any] = {}
        for keyword in call.keywords:
            if keyword.arg is None:
                raise NotLiteral(keyword.value, "cannot determine what unpacked arguments hold")
            found[keyword.arg] = self.value(keyword.value)
        return found

    def arguments(self, call: ast.Call, *positional: str) -> dict[str, Any]:
        """Return the arguments of a call by name. Raises NotLiteral."""
        given = self.keywords(call)
        for number, argument in enumerate(call.args):
            if isinstance(argument, ast.Starred) or number >= len(positional):
                raise NotLiteral(argument, "positional arguments are not understood here")
            given[positional[number]] = self.value(argument)
        return given

    # variables that are followed ---------------------------------------------------------------

    def stepped(self, variable: Variable, before: ast.stmt | None = None, depth: int = 0) -> Any:
        """Return the value of a followed variable, by default after its last step. Raises NotLiteral."""
        first, *steps = self.steps.of(variable)
        if before is not None and before.lineno <= first.statement.lineno:
            raise NotLiteral(before, f"{variable[1]} is used before it is bound")
        found = self.value(first.value, depth)
        for step in steps:
            if before is not None and step.statement.lineno >= before.lineno:
                if step.kind in ("append", "extend"):
                    raise NotLiteral(before, f"{variable[1]} is changed after it is used here")
                continue
            found = self._after(found, step, variable, depth)
        return found

    def _after(self, found: Any, step: Step, variable: Variable, depth: int) -> Any:
        if step.kind == "bind":
            self._current[variable] = found
            try:
                return self.value(step.value, depth)
            finally:
                del self._current[variable]
        more = self.value(step.value, depth)
        if step.kind == "add" and isinstance(found, list) and isinstance(more, list | tuple):
            return [*found, *more]
        if step.kind == "add":
            return self.joined(found, more, step.value)
        if step.kind == "extend" and not isinstance(more, list | tuple):
            raise NotLiteral(step.value, "what it is extended by is not a list")
        return self.appended(found, list(more) if step.kind == "extend" else [more], step.value)
