"""The one factory of Jinja environments: every render site goes through it.

Rule: immutable sandbox, guarded operators, methods and filters, charged loops.
Past sandbox fixes elsewhere missed a sibling render site; here there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Undefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.ext import Extension
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer

from ..errors import ResourceLimit
from . import guards, limits
from .codegen import GuardCodeGenerator
from .nesting import built, is_trusted, nested

#: Methods that leave the world of text: bytes, and big integers in disguise.
_BLOCKED_ATTRIBUTES = frozenset({"encode", "decode", "to_bytes", "from_bytes", "maketrans", "fromkeys"})

_DICT_METHODS = frozenset(dir(dict))


class GuardTransformer(NodeTransformer):
    """Rewrite loops and ``~`` of a parsed template so that they are charged."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _environment_call("charged", [node.iter], node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _environment_call("join_text", node.nodes, node.lineno)


def _environment_call(name: str, args: list[Any], lineno: int) -> nodes.Call:
    function = nodes.EnvironmentAttribute(name, lineno=lineno)
    return nodes.Call(function, args, [], None, None, lineno=lineno)


class SandboxEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox with our caps; make one by :func:`make_environment`."""

    intercepted_binops = frozenset({"+", *guards.OPERATOR_CHECKS})
    code_generator_class: type[CodeGenerator] = GuardCodeGenerator
    transformer_class: type[GuardTransformer] = GuardTransformer

    add = staticmethod(guards.add)
    charged = staticmethod(limits.charged)
    join_text = staticmethod(guards.join_text)
    nested = staticmethod(nested)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        self.transformer_class().visit(source)
        source.set_environment(self)
        return super()._generate(source, name, filename, defer_init)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _BLOCKED_ATTRIBUTES and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        guards.OPERATOR_CHECKS[operator](left, right)
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look an attribute up; a key of a plain mapping takes the short way.

        The sandbox's own checks cost ten times the look-up, and a key of plain data
        that is no method's name needs none of them.
        """
        if type(obj) is dict and attribute in obj and attribute not in _DICT_METHODS:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look an item up; plain mappings and lists take the short way."""
        if (type(obj) is dict and type(argument) is str) or (type(obj) is list and type(argument) is int):
            try:
                return obj[argument]  # type: ignore[index]
            except LookupError:
                pass
        return super().getitem(obj, argument)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        limits.charge()
        if type(__obj) is Macro:
            # What Context.call does for a macro, without its search for decorators.
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
            if __obj.catch_varargs:
                nested(args)
            if __obj.catch_kwargs:
                nested(kwargs)
            return __obj(*args, **kwargs)
        guards.refuse_unsafe(__obj)
        guards.check_method(__obj, args)
        result = super().call(__context, __obj, *args, **kwargs)
        return result if type(result) is str or is_trusted(__obj) else built(result)

    def wrap_str_format(self, value: Any) -> Any:
        """Route ``str.format`` and ``str.format_map`` through the guarded formatter."""
        owner = getattr(value, "__self__", None)
        if not isinstance(owner, str) or getattr(value, "__name__", "") not in ("format", "format_map"):
            return None
        formatter = guards.GuardedFormatter(self)
        if value.__name__ == "format_map":
            return lambda mapping: _sized(formatter.vformat(str(owner), (), mapping))
        return lambda *args, **kwargs: _sized(formatter.vformat(str(owner), args, kwargs))


def _sized(value: str) -> str:
    limits.check_size(len(value))
    return value


def _guarded_range(*args: int) -> range:
    try:
        return safe_range(*args)
    except OverflowError as error:
        raise ResourceLimit("a range of more than 100,000 numbers", hint="loop over less") from error


def _guarded_dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **nested(kwargs))


def _guarded_cycler(*items: Any) -> Cycler:
    return Cycler(*nested(items))  # whose .items a template can read


def make_environment(
    *,
    loader: BaseLoader | None = None,
    undefined: type[Undefined] = StrictUndefined,
    extensions: Sequence[str | type[Extension]] = (),
    environment_class: type[SandboxEnvironment] = SandboxEnvironment,
    keep_trailing_newline: bool = False,
) -> Any:
    """Return a sandboxed environment: trimmed blocks, loop controls, guarded helpers.

    ``environment_class`` may add a code generator; ``undefined`` is strict unless a
    foreign dialect needs Jinja's lenient one.
    """
    env = environment_class(
        loader=loader,
        undefined=undefined,
        extensions=["jinja2.ext.loopcontrols", *extensions],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_trailing_newline,
        autoescape=False,
        optimized=False,
        cache_size=400,
    )
    env.filters.update(guards.GUARDED_FILTERS)
    for name in guards.REMOVED_FILTERS:
        env.filters.pop(name, None)
    env.globals.clear()
    env.globals.update(
        range=guards.Helper("range", _guarded_range),
        dict=guards.Helper("dict", _guarded_dict),
        namespace=guards.Helper("namespace", Namespace),
        cycler=guards.Helper("cycler", _guarded_cycler),
        joiner=guards.Helper("joiner", Joiner),
    )
    return env
