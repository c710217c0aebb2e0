"""The one factory of Jinja environments: every render site goes through it.

Rule: immutable sandbox, guarded operators, methods and filters, charged loops.
Past sandbox fixes elsewhere missed a sibling render site; here there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from jinja2 import BaseLoader, StrictUndefined, Template, Undefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.environment import TemplateModule
from jinja2.ext import Extension
from jinja2.lexer import TokenStream
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer

from ..errors import ResourceLimit
from . import filters, limits, operators, printing
from .codegen import GuardCodeGenerator
from .costs import FILTER_COSTS, TEST_COSTS, meter
from .measure import hashed, searched, weighed
from .methods import check_method, cut, refuse_unsafe
from .nesting import built, is_trusted, nested

T = TypeVar("T")

#: Methods that leave the world of text: bytes, and big integers in disguise.
_BLOCKED_ATTRIBUTES = frozenset({"encode", "decode", "to_bytes", "from_bytes", "maketrans", "fromkeys"})

#: Python needs about three kilobytes to compile each.
MOST_TOKENS = 30_000

#: Jinja's pattern of a number needs 240 bytes for each of its digits.
_LONG_NUMBER = re.compile(r"\b\d[\da-fA-F_xob]{200000,}")

_DICT_METHODS = frozenset(dir(dict))
#: Bytes of what stands for ``str.format``, of a module, and of an argument that a call keeps, with its place.
_FORMATTER = 640
_MODULE = 8_192
_KEPT = 256


class GuardTransformer(NodeTransformer):
    """Rewrite loops, ``~`` and ``*arguments`` of a parsed template so that they are charged."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        values = [nodes.Const(value, lineno=node.lineno) for value in (_pace(node), _is_handed_on(node))]
        node.iter = _environment_call("paced", [node.iter, *values], node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _environment_call("join_text", node.nodes, node.lineno)

    def visit_Call(self, node: nodes.Call | nodes.Filter | nodes.Test) -> nodes.Node:
        self.generic_visit(node)
        if node.dyn_args is not None:
            node.dyn_args = _environment_call("spread", [node.dyn_args], node.lineno)
        if node.dyn_kwargs is not None:
            node.dyn_kwargs = _environment_call("spread", [node.dyn_kwargs], node.lineno)
        return node

    visit_Filter = visit_Test = visit_Call


def _pace(loop: nodes.For) -> int:
    """Return how many steps of a loop run before the caps are looked at: some thousand nodes of the source."""
    size = 0
    for node in chain.from_iterable(map(_all_nodes, (*loop.body, *loop.else_, *((loop.test,) if loop.test else ())))):
        size += 1
        if isinstance(node, _ELSEWHERE):
            return 1
    return max(1, 4096 // max(1, size))


def _is_handed_on(loop: nodes.For) -> bool:
    """Return whether ``loop`` may be kept beyond its loop: it is more than asked for a number, or called."""
    asked = {id(node.node) for node in loop.find_all(nodes.Getattr) if node.attr not in ("cycle", "changed")}
    for call in loop.find_all(nodes.Call):
        asked.update(map(id, (call.node, getattr(call.node, "node", None))))
    return any(node.name == "loop" and id(node) not in asked for node in loop.find_all(nodes.Name))


def _all_nodes(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Node)


#: What runs source that stands elsewhere.
_ELSEWHERE = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Block)


def _environment_call(name: str, args: list[Any], lineno: int) -> nodes.Call:
    function = nodes.EnvironmentAttribute(name, lineno=lineno)
    return nodes.Call(function, args, [], None, None, lineno=lineno)


class GuardedTemplate(Template):
    """A template whose module, which an import makes, is watched like any other output."""

    def make_module(self, vars: Any = None, shared: bool = False, locals: Any = None) -> TemplateModule:
        context = limits.made(self.new_context(vars, shared, locals), _MODULE)
        return TemplateModule(self, context, limits.drained(self.root_render_func(context)))


class SandboxEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox with our caps; make one by :func:`make_environment`."""

    intercepted_binops = frozenset({"+", *operators.OPERATOR_CHECKS})
    code_generator_class: type[CodeGenerator] = GuardCodeGenerator
    template_class: type[Template] = GuardedTemplate
    transformer_class: type[GuardTransformer] = GuardTransformer

    add = staticmethod(operators.add)
    concat = staticmethod(limits.joined)
    new_buffer = staticmethod(limits.new_buffer)
    paced = staticmethod(limits.paced)
    printed = staticmethod(printing.printed)
    spread = staticmethod(limits.spread)
    searched = staticmethod(searched)
    sliced = staticmethod(operators.sliced)
    weighed = staticmethod(weighed)
    join_text = staticmethod(printing.join_text)
    nested = staticmethod(nested)
    made = staticmethod(limits.made)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        if found := _LONG_NUMBER.search(source):
            raise ResourceLimit(f"a number of {len(found[0]):,} digits is too large")
        return TokenStream(counted(super()._tokenize(source, name, filename, state)), name, filename)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        self.transformer_class().visit(source)
        source.set_environment(self)
        return super()._generate(source, name, filename, defer_init)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _BLOCKED_ATTRIBUTES and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        operators.OPERATOR_CHECKS[operator](left, right)
        return limits.held(super().call_binop(context, operator, left, right))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look an attribute up; a key of a plain mapping takes the short way.

        The sandbox's own checks cost ten times the look-up, and a key of plain data
        that is no method's name needs none of them.
        """
        if type(obj) is dict and attribute in obj and attribute not in _DICT_METHODS:
            return obj[attribute]
        found = super().getattr(obj, attribute)
        return limits.made(found, 128) if isinstance(found, Undefined) else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look an item up; plain mappings and lists take the short way."""
        if (type(obj) is dict and type(argument) is str) or (type(obj) is list and type(argument) is int):
            try:
                return obj[argument]  # type: ignore[index]
            except LookupError:
                pass
        return super().getitem(obj, weighed(argument))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        limits.charge()
        if type(__obj) is Macro:
            # What Context.call does for a macro, without its search for decorators.
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
            if __obj.catch_varargs:
                kept(nested(args))
            if __obj.catch_kwargs:
                kept(nested(kwargs))
            return __obj(*args, **kwargs)
        if type(__obj) is LoopContext:  # a recursive loop over other items
            args = tuple(map(limits.paced, args))
        refuse_unsafe(__obj)
        check_method(__obj, (*args, *kwargs.values()))
        result = cut(__obj, limits.held(super().call(__context, __obj, *args, **kwargs)))
        return result if type(result) is str or is_trusted(__obj) else built(result)

    def _load_template(self, name: str, globals: Any) -> Any:
        limits.charge()
        return super()._load_template(name, globals)

    def wrap_str_format(self, value: Any) -> Any:
        """Route ``str.format`` and ``str.format_map`` through the guarded formatter."""
        owner = getattr(value, "__self__", None)
        if not isinstance(owner, str) or getattr(value, "__name__", "") not in ("format", "format_map"):
            return None
        formatter = limits.made(operators.GuardedFormatter(self), _FORMATTER)
        if value.__name__ == "format_map":
            return lambda mapping: _sized(formatter.vformat(str(owner), (), mapping))
        return lambda *args, **kwargs: _sized(formatter.vformat(str(owner), args, kwargs))


def counted(tokens: Iterable[T], most: int = MOST_TOKENS) -> Iterator[T]:
    """Yield the tokens of a template, no more than can be compiled in a few seconds and a hundred megabytes."""
    for number, token in enumerate(tokens):
        if number & 0xFF == 0xFF:
            limits.charge(0)
            if number > most:
                raise ResourceLimit(
                    f"a template of more than {MOST_TOKENS:,} words and signs inside of its tags",
                    hint="split it with includes, or pass what it holds as data",
                )
        yield token


def _sized(value: str) -> str:
    limits.check_size(len(value))
    return value


def _guarded_range(*args: int) -> range:
    try:
        return safe_range(*args)
    except OverflowError as error:
        raise ResourceLimit("a range of more than 100,000 numbers", hint="loop over less") from error


def kept(arguments: Any) -> Any:
    """Count the arguments of a call that keeps them, and return them."""
    return limits.made(arguments, _KEPT * len(arguments))


def _guarded_dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    args = tuple(limits.charged(arg) if isinstance(arg, Iterator) else arg for arg in args)
    hashed(args)
    return dict(*args, **nested(kwargs))


def _guarded_cycler(*items: Any) -> Cycler:
    return Cycler(*kept(nested(items)))  # whose .items a template can read


class GuardedNamespace(Namespace):
    """A namespace of a template: each name in it is counted, and so is its text."""

    def __setitem__(self, name: str, value: Any) -> None:
        names = self._Namespace__attrs
        if name not in names:
            limits.made(None, _KEPT)
        names[name] = value

    def __repr__(self) -> str:
        names = self._Namespace__attrs
        printing.check_notation(names)
        return limits.held(f"<Namespace {names!r}>")


def _guarded_namespace(*args: Any, **kwargs: Any) -> GuardedNamespace:
    return GuardedNamespace(kept(_guarded_dict(*args, **kwargs)))


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
    env.filters.update(filters.GUARDED_FILTERS)
    for name in filters.REMOVED_FILTERS:
        env.filters.pop(name, None)
    meter(env.filters, FILTER_COSTS)
    meter(env.tests, TEST_COSTS)
    env.globals.clear()
    env.globals.update(
        range=printing.Helper("range", _guarded_range),
        dict=printing.Helper("dict", _guarded_dict),
        namespace=printing.Helper("namespace", _guarded_namespace),
        cycler=printing.Helper("cycler", _guarded_cycler),
        joiner=printing.Helper("joiner", Joiner),
    )
    return env
