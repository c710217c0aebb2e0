"""What an expression holds, as far as answers are followed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import libcst as cst

from .source import Source, constant_of, dotted

#: Functions that show a value to people.
LOGS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})

_STRINGS: Final = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)


def is_log(func: Any) -> bool:
    """Tell whether a function shows its arguments to people: ``logger.info`` and the like."""
    names = dotted(func)
    return len(names) > 1 and names[-1] in LOGS and any("log" in name.lower() for name in names[:-1])


def is_shown(source: Source, node: Any) -> bool:
    """Tell whether an expression is only shown to people: printed, logged, or the text of an exception."""
    call = source.enclosing(node, cst.Call, cst.Raise, cst.FunctionDef)
    while isinstance(call, cst.Call) and (call.func is node or is_text(call)):
        call = source.enclosing(call, cst.Call, cst.Raise, cst.FunctionDef)
    if not isinstance(call, cst.Call):
        return isinstance(call, cst.Raise)
    name = dotted(call.func)[-1]
    return is_log(call.func) or name in ("print", "pprint") or name.endswith(("Error", "Exception"))


def is_text(call: cst.Call) -> bool:
    """Tell whether a call only writes its arguments as text: ``str``, ``repr``, ``"…".format``."""
    func: Any = call.func
    is_format = isinstance(func, cst.Attribute) and func.attr.value == "format"
    return dotted(func) in (("str",), ("repr",)) or (is_format and isinstance(func.value, _STRINGS))


def is_nothing(node: Any) -> bool:
    """Tell whether an expression is no answer of any API: a literal, or nothing at all."""
    if node is None or constant_of(node) is not ...:
        return True
    return isinstance(node, cst.List | cst.Dict | cst.Tuple) and not node.elements


@dataclass(frozen=True)
class Value:
    """An answer or a part of one: response, raw, stream, choice, http.

    ``many`` counts the lists around it; ``sdk`` is v1, v0 or plain (data of HTTP);
    ``is_chunk`` means that it came out of a stream.
    """

    kind: str
    sdk: str = "v1"
    many: int = 0
    is_chunk: bool = False


def one_of(value: Value) -> Value:
    """Return what an iteration over a value gives.

    >>> one_of(Value("choice", many=1))
    Value(kind='choice', sdk='v1', many=0, is_chunk=False)
    """
    if value.kind == "stream" and not value.many:
        return replace(value, kind="response", is_chunk=True)
    return replace(value, many=value.many - 1)
