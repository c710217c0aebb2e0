"""Mocks of the Completions API in tests, and the answers that they give.

Rule: what is mocked and what it answers change together. An answer is a literal: a dict,
or ``SimpleNamespace`` / ``Mock`` calls of its shape; anything else refuses the mock.
"""

from __future__ import annotations

import re
from typing import Any, Final

import libcst as cst

from .bindings import Bindings, import_path
from .http import Http
from .plan import Plan, Site
from .shapes import MAKERS, Shapes
from .source import Source, dotted, key_of, text_of
from .standins import stand_ins
from .targets import RESPONSES

_TARGET: Final = re.compile(
    r"^(?P<head>.*?\b(?:openai\.)?)(?P<old>Completion|(?<!chat\.)completions(?:\.Completions)?)\.(?P<fn>a?create)$"
)
_ROUTERS: Final = re.compile(r"^(respx|responses|rsps|requests_mock|httpx_mock|router|respx_mock|mocker|m|mock|route)$")
_ASSERTS: Final = frozenset(
    {"assert_called", "assert_called_once", "assert_awaited", "assert_awaited_once", "assert_not_called",
     "assert_not_awaited", "called", "call_count", "await_count", "await_args_list", "reset_mock", "stop", "start"}
)  # fmt: skip


class Mocks:
    """Finds and rewrites mocks of one source."""

    def __init__(self, plan: Plan, bindings: Bindings, http: Http) -> None:
        self.plan, self.bindings, self.http = plan, bindings, http
        self.source: Source = plan.source
        self._members: dict[str, list[Site]] = {}
        self.shapes = Shapes(plan, http.results.functions.exported)

    def find(self) -> None:
        """Look at every call that may put a mock somewhere."""
        for node in self.source.nodes:
            if isinstance(node, cst.Call):
                name = dotted(node.func)[-1]
                if name in ("patch", "setattr", "object"):
                    self._patch(node, name)
                elif _ROUTERS.match(dotted(node.func)[0]) or name in ("add_response", "mock"):
                    self._route(node)

            elif isinstance(node, cst.Attribute) and node.attr.value in ("create", "acreate"):
                self._member(node)
        self._tie()
        self.plan.loose += [(node, ()) for node in stand_ins(self.plan, self.bindings.paths, self.shapes.seen)]

    def _imported(self, target: Any) -> tuple[str, ...]:
        """Return the modules that an expression goes through, where it begins with an import."""
        root = target
        while isinstance(root, cst.Attribute):
            root = root.value
        found = self.source.bindings(root) if isinstance(root, cst.Name) else []
        if len(found) != 1 or not isinstance(found[0], cst.Import | cst.ImportFrom):
            return ()
        return _modules(".".join((import_path(found[0], root.value), *dotted(target)[1:])))

    def _member(self, node: cst.Attribute) -> None:
        """``client.completions.create.return_value = …`` of a client that is a mock."""
        outer: Any = self.source.parent(node)
        if not isinstance(outer, cst.Attribute) or outer.attr.value not in {
            *_ASSERTS,
            "return_value",
            "side_effect",
            "assert_called_with",
            "assert_called_once_with",
            "call_args",
            "call_args_list",
            "mock_calls",
        }:
            return
        origin = self.bindings.of(node.value)
        if origin.what != "resource":
            return
        if self.bindings.vendors or origin.at is not node.value:
            self.plan.loose.append((node, ()))
            return
        site = self.plan.site(node, "mock", origin.sdk)
        self._members.setdefault(".".join(dotted(node.value)), []).append(site)
        new = self.plan.target.resource_of(origin.sdk)
        self.plan.edit(site, *self.source.span(node.value.attr), new)
        self.plan.change(site, node, f"the mock of {'.'.join(dotted(node.value))} became one of {new}", "mock")
        self._mock_used(site, node)

    def _tie(self) -> None:
        """Mocks of the same thing change together."""
        for sites in self._members.values():
            for site in sites:
                self.plan.tie(sites[0], site)

    # functions that are replaced ------------------------------------------------------------------

    def _patch(self, call: cst.Call, name: str) -> None:
        args = [arg for arg in call.args if not arg.keyword]
        text = text_of(args[0].value) if args else None
        if text is not None and (found := _TARGET.match(text)) and (name != "object"):
            if self._is_foreign(text):
                return
            old = found["old"]
            site = self.plan.site(call, "mock", "v0" if old == "Completion" else "v1")
            site.targets = _modules(found["head"])
            new = self.plan.target.mocked(old)
            self._replace_in(site, args[0].value, old + "." + found["fn"], new + "." + found["fn"])
            self.plan.change(site, call, f"the mock of {text} became one of {found['head']}{new}.{found['fn']}", "mock")
            self._answer(site, call, args[1:])
            if not re.match(r"(?:\w+\.)*openai\.", text) and not any("shape" in change.what for change in site.changes):
                self.plan.sites.remove(site)  # taken for some module's own ``completions``
                self.plan.loose.append((call, site.targets))
        elif len(args) > 1 and text_of(args[1].value) in ("create", "acreate"):
            self._object(call, args)

    def _is_foreign(self, text: str) -> bool:
        from .bindings import VENDORS

        return text.partition(".")[0] in VENDORS or ".chat.completions" in text

    def _object(self, call: cst.Call, args: list[cst.Arg]) -> None:
        """``patch.object(client.completions, "create")``."""
        target = args[0].value
        origin = self.bindings.of(target)
        if origin.what != "resource" or not isinstance(origin.at, cst.Attribute) or origin.at is not target:
            if origin.what == "resource":
                self.plan.refuse(self.plan.site(call, "mock", origin.sdk), "mock-use", "the resource has another name")
            return
        site = self.plan.site(call, "mock", origin.sdk)
        site.targets = self._imported(target)
        new = self.plan.target.resource_of(origin.sdk)
        self.plan.edit(site, *self.source.span(origin.at.attr), new)
        self.plan.change(site, call, f"the mock of {'.'.join(dotted(target))} became one of {new}", "mock")
        self._answer(site, call, args[2:])

    def _replace_in(self, site: Site, node: Any, old: str, new: str) -> None:
        start, end = self.source.outer(node)
        code = self.source.text[start:end]
        if code.count(old) != 1:
            self.plan.refuse(site, "mock-shape", "its target is written in parts", at=node)
            return
        self.plan.edit(site, start, end, code.replace(old, new))

    # what they answer --------------------------------------------------------------------------------

    def _answer(self, site: Site, call: cst.Call, rest: list[cst.Arg]) -> None:
        """Find every answer that a mock is given: in the call, or through the name that holds the mock."""
        for arg in call.args:
            if arg.keyword and arg.keyword.value == "return_value":
                self.shapes.shape(site, arg.value)
            elif arg.keyword and arg.keyword.value in ("side_effect", "new", "wraps", "new_callable"):
                self._effect(site, arg.value, arg.keyword.value)
        for arg in rest:
            self._effect(site, arg.value, "new")
        holder = self.source.parent(call)
        if isinstance(holder, cst.Decorator):
            self._decorated(site, holder)
        elif isinstance(holder, cst.WithItem) and holder.asname is not None:
            self._mock_named(site, holder.asname.name)
        elif isinstance(holder, cst.Assign):
            for target in holder.targets:
                self._mock_named(site, target.target)
        elif isinstance(holder, cst.Attribute):
            self._mock_used(site, call)

    def _effect(self, site: Site, value: Any, name: str) -> None:
        if isinstance(value, cst.Lambda):
            self.shapes.shape(site, value.body)
        elif isinstance(value, cst.List | cst.Tuple):
            for element in value.elements:
                self.shapes.shape(site, element.value)
        elif isinstance(value, cst.Call) and dotted(value.func)[-1] in MAKERS:
            for arg in value.args:
                if arg.keyword and arg.keyword.value == "return_value":
                    self.shapes.shape(site, arg.value)
                else:
                    self.plan.refuse(site, "mock-shape", at=value)
        elif isinstance(value, cst.Call | cst.Name) and dotted(getattr(value, "func", value))[-1].endswith(
            ("Error", "Exception", "Mock")
        ):
            return
        elif isinstance(value, cst.Name) and (function := self._function(value)) is not None:
            self._fake(site, function)
        else:
            self.plan.refuse(site, "mock-shape", name, at=value)

    def _function(self, name: cst.Name) -> cst.FunctionDef | None:
        found = self.source.bindings(name)
        one = found[0] if len(found) == 1 else None
        if isinstance(one, cst.FunctionDef) and self.source.readers(one, name.value) == [name]:
            return one
        return None

    def _fake(self, site: Site, function: cst.FunctionDef) -> None:
        """A function that stands in: what it returns is an answer; a parameter ``prompt`` is no more."""
        every = [*function.params.params, *function.params.kwonly_params]
        if any(param.name.value in ("prompt", "engine", "max_tokens") for param in every):
            self.plan.refuse(site, "mock-use", f"{function.name.value} takes prompt", at=function)
        for node in self.source.nodes:
            if self.source.function_of(node) is not function:
                continue
            if isinstance(node, cst.Return):
                self.shapes.shape(site, node.value)
            elif text_of(node) == "prompt":
                self.plan.refuse(site, "mock-use", f"{function.name.value} reads prompt", at=node)

    def _decorated(self, site: Site, decorator: cst.Decorator) -> None:
        """``@patch(…)``: the mock is a parameter, the nearest decorator's the first."""
        function: Any = self.source.parent(decorator)
        call = decorator.decorator
        is_given = isinstance(call, cst.Call) and any((a.keyword and a.keyword.value in ("new",)) for a in call.args)
        if not isinstance(function, cst.FunctionDef) or is_given:
            if isinstance(function, cst.ClassDef):
                self.plan.refuse(site, "mock-use", "a whole class is decorated", at=decorator)
            return
        patches = [d for d in function.decorators if "patch" in dotted(getattr(d.decorator, "func", d.decorator))]
        number = list(reversed(patches)).index(decorator)
        params = list(function.params.params)
        if params and params[0].name.value in ("self", "cls"):
            params = params[1:]
        if number < len(params):
            self._mock_named(site, params[number])

    def _mock_named(self, site: Site, binding: Any) -> None:
        name = binding.name.value if isinstance(binding, cst.Param) else getattr(binding, "value", None)
        if not isinstance(name, str):
            self.plan.refuse(site, "mock-use", at=binding)
            return
        for load in self.source.readers(binding, name):
            self._mock_used(site, load)

    def _mock_used(self, site: Site, node: Any) -> None:
        outer: Any = self.source.parent(node)
        if isinstance(outer, cst.Comparison | cst.Del):
            return
        if not (isinstance(outer, cst.Attribute) and outer.value is node):
            self.plan.refuse(site, "mock-use", at=node)
            return
        name = outer.attr.value
        target = self.source.parent(outer)
        if isinstance(target, cst.AssignTarget):
            value = getattr(self.source.parent(target), "value", None)
            if name == "return_value":
                self.shapes.shape(site, value)
            else:
                self._effect(site, value, name)
        elif name == "return_value" and isinstance(target, cst.Attribute):
            self._path(site, target)
        elif name not in _ASSERTS:
            self.plan.refuse(site, "mock-use", f".{name}", at=outer)

    def _path(self, site: Site, node: Any) -> None:
        """``mock.return_value.choices = […]`` or ``….choices[0].text = "…"``."""
        target: Any = self.source.parent(node)
        if node.attr.value != "choices":
            if not isinstance(target, cst.AssignTarget) or node.attr.value in ("text", "object"):
                self.plan.refuse(site, "mock-shape", at=node)
            return
        text: Any = self.source.parent(target)
        if self.plan.target == RESPONSES and self._is_text(target, text) and key_of(target) == 0:
            self.plan.edit(site, self.source.span(node.attr)[0], self.source.span(text)[1], "output_text")
        elif self.plan.target == RESPONSES:
            self.plan.refuse(site, "mock-shape", at=node)
        elif isinstance(target, cst.AssignTarget):
            self.shapes.choices(site, getattr(self.source.parent(target), "value", None))
        elif self._is_text(target, text):
            self.plan.edit(site, *self.source.span(text.attr), "message.content")
        else:
            self.plan.refuse(site, "mock-shape", at=node)

    def _is_text(self, target: Any, text: Any) -> bool:
        """Tell whether ``text`` is ``choices[…].text``, and ``target`` what it is read of."""
        return isinstance(target, cst.Subscript) and isinstance(text, cst.Attribute) and text.attr.value == "text"

    # HTTP mocks ----------------------------------------------------------------------------------------

    def _route(self, call: cst.Call) -> None:
        """respx, responses, requests_mock and pytest-httpx: an address and the body that it answers."""
        urls = [(a.value, self.http.address(a.value)) for a in call.args if not a.star]
        found = next(((node, address) for node, address in urls if address is not None), None)
        if found is None:
            return
        node, address = found
        assert address is not None
        site = self.plan.site(call, "mock", "http")
        self.http.change_address(site, address)
        if isinstance(node, cst.Name):
            self.plan.refuse(site, "mock-use", "the address is held by a name", at=node)
        self.plan.change(site, call, "the mocked address became /v1/chat/completions", "mock")
        body = self._body(call)
        if body is None:
            outer: Any = self.source.parent(call)
            later = self.source.parent(outer) if isinstance(outer, cst.Attribute) else None
            body = self._body(later) if isinstance(later, cst.Call) else None
        if body is None:
            self.plan.refuse(site, "mock-shape", at=call)
        else:
            self.shapes.shape(site, body)

    def _body(self, call: cst.Call) -> Any:
        for arg in call.args:
            if arg.keyword and arg.keyword.value == "json":
                return arg.value
            if arg.keyword and arg.keyword.value == "return_value" and isinstance(arg.value, cst.Call):
                return self._body(arg.value)
            if not arg.keyword and isinstance(arg.value, cst.Call) and dotted(arg.value.func)[-1] == "Response":
                return self._body(arg.value)
        return None


def _modules(path: str) -> tuple[str, ...]:
    """Return the modules of a mock's target that are the program's own."""
    parts = [part for part in path.split(".") if part]
    return () if parts[:1] == ["openai"] else tuple(part for part in parts if part not in ("openai", "completions"))
