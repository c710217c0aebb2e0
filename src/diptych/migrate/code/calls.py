"""Calls of the OpenAI SDKs: which there are, whose they are, what becomes of them.

Rule: a call counts as OpenAI's where its receiver is known to be, or where there is evidence of
it (:mod:`.evidence`); that it was not followed is said. Without evidence the call is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import libcst as cst

from .arguments import KNOWN, Arguments
from .bindings import Bindings, Origin
from .brackets import Finder
from .evidence import Evidence, is_openai_model
from .imports import Imports
from .items import Items
from .plan import Plan, Site
from .results import Results
from .servers import is_open_model
from .source import Node, Source, dotted
from .targets import RESPONSES
from .values import Value

#: Arguments of look-alikes: Anthropic's old API, and Chat by another client.
_NOT_THEIRS: Final = frozenset({"max_tokens_to_sample", "messages"})


class Calls:
    """Finds and rewrites the SDK calls of one source."""

    def __init__(
        self, plan: Plan, bindings: Bindings, arguments: Arguments, results: Results, imports: Imports
    ) -> None:
        self.plan, self.bindings, self.arguments, self.results, self.imports = (
            plan,
            bindings,
            arguments,
            results,
            imports,
        )
        self.source: Source = plan.source
        self.evidence, self.finder = Evidence(bindings, plan.models.fixtures), Finder(plan.source, results.functions)
        self._aliases: dict[Node, list[tuple[Site, cst.Name]]] = {}
        self._dicts: dict[Node, list[tuple[Site, cst.Name]]] = {}

    def find(self) -> None:
        """Look at every call, and at every use of ``create`` that is none."""
        named = {
            target.value
            for node in self.source.nodes
            if isinstance(node, cst.Assign) and isinstance(node.value, cst.Attribute)
            if node.value.attr.value in ("create", "acreate")
            for target in (t.target for t in node.targets)
            if isinstance(target, cst.Name)
        }
        for node in self.source.nodes:
            if not isinstance(node, cst.Attribute | cst.Name):
                continue
            name = node.attr.value if isinstance(node, cst.Attribute) else node.value
            if name not in ("create", "acreate") and not (isinstance(node, cst.Name) and name in named):
                continue
            if isinstance(node, cst.Name) and node not in self.source.loads.get(name, ()):
                continue
            origin = self.bindings.of(node)
            if origin.what == "create":
                self._use(node, origin)
        self.plan.settle_names(self._aliases, "function-escapes", self._is_rebound)
        self.plan.settle_names(self._dicts, "unpacked-arguments", self._is_rebound, self._is_unpacked)

    def _use(self, node: Any, origin: Origin) -> None:
        call = self.source.parent(node)
        if isinstance(call, cst.Call) and call.func is node:
            self._call(call, origin)
        elif origin.path != "?" and not isinstance(call, cst.AssignTarget) and not self._is_alias(call):
            site = self.plan.site(node, family=origin.sdk)
            self.plan.refuse(site, "function-escapes", ".".join(dotted(node)))
            self._tie_aliases(site, origin)

    def _is_alias(self, outer: Any) -> bool:
        """Tell whether the function is only given a name, or is the target of a mock."""
        if isinstance(outer, cst.Assign):
            return all(isinstance(target.target, cst.Name) for target in outer.targets)
        return isinstance(outer, cst.Attribute)

    def _call(self, call: cst.Call, origin: Origin) -> None:
        found = self.finder.of(call)
        brackets = found.every
        names = {item.name for bracket in brackets for item in bracket.items}
        if origin.path == "?" and names & _NOT_THEIRS:
            return
        site = self.plan.site(call, family=origin.sdk)
        evidence = self._evidence(site, call, brackets) if origin.path == "?" else ""
        if origin.path == "?" and not evidence:
            return
        if origin.path == "?" and not self._has_shape(brackets):
            self._odd(site, call, evidence)
            return
        if origin.elsewhere and (version := self.bindings.servers.version_without_chat):
            self.plan.refuse(site, "api-version", version)
        if not origin.elsewhere and self._goes_away(origin, brackets):
            origin = replace(origin, elsewhere=True)
        self._no_responses(site, origin)
        path = ".".join(dotted(call.func)).lstrip(".")
        self._tie_aliases(site, origin)
        for name in found.names:
            self._dicts.setdefault(self.source.bindings(name)[0], []).append((site, name))
        if origin.raw == "with_streaming_response":
            self.plan.refuse(site, "raw-response", origin.raw)
        asked = [self.arguments.rewrite(site, each, origin) for each in found.sets]
        streams = asked[0].streams if asked[0] is not None else _streams(brackets)
        if len({one.streams for one in asked if one is not None}) > 1:
            self.plan.refuse(site, "stream-unknown", "some callers ask for a stream")
        self._receiver(site, call, origin)
        head = self.plan.target.resource_of(origin.sdk)
        told = f" (taken for a call of OpenAI's SDK by {evidence})" if evidence else ""
        if origin.elsewhere:
            told += " (its server is not OpenAI's own: the model's name stays, and so does max_tokens)"
        self.plan.change(site, call, f"{path} became {head}.{origin.method}{told}", "call")
        site.changes.insert(0, site.changes.pop())
        kind = self._kind(site, origin, found.sets, asked[0].flag if asked[0] is not None else "", streams=streams)
        self.results.follow(call, Value(kind, origin.sdk, is_chunk=streams and bool(origin.raw)), site)
        self.arguments.prompts.batches.wrap(site, call)

    def _kind(self, site: Site, origin: Origin, sets: list[list[Items]], flag: str, *, streams: bool) -> str:
        """Return what a call gives: a response, a stream, either by a flag, or the answers to a list of prompts."""
        if site in self.arguments.prompts.batches.found:
            if origin.raw or len(sets[0]) > 1 or len(sets) > 1:
                self.plan.refuse(site, "prompt-list")
            return "batch"
        if flag:
            self.results.flags[site] = flag
            if origin.raw or len(sets) > 1:
                self.plan.refuse(site, "stream-unknown")
            return "either"
        return "raw" if origin.raw else "stream" if streams else "response"

    def _no_responses(self, site: Site, origin: Origin) -> None:
        """Refuse a call that cannot be one of Responses, where that is asked for."""
        if self.plan.target != RESPONSES:
            return
        if origin.sdk == "v0":
            self.plan.refuse(site, "responses", "openai before 1 does not have it: --new-sdk moves the file first")
        elif origin.elsewhere:
            self.plan.refuse(site, "responses", "cannot determine whether this server, not OpenAI's own, has it")

    def _odd(self, site: Site, call: cst.Call, evidence: str) -> None:
        """Report a call that has neither a prompt nor the shape of one, where its receiver seems to be OpenAI's."""
        if evidence.startswith("its shape"):
            self.plan.sites.remove(site)
        else:
            self.plan.refuse(site, "not-understood", self.source.code(call.func).partition("\n")[0])

    def _evidence(self, site: Site, call: cst.Call, brackets: list[Items]) -> str:
        """Return what says that a receiver that was not followed is OpenAI's; where nothing does, refuse the call."""
        if self.evidence.is_of_a_vendor(brackets):
            self.plan.sites.remove(site)
            return ""
        if found := self.evidence.of(call.func, brackets):
            return found
        vendors = self.bindings.vendors
        if vendors and "openai" not in self.bindings.imported:
            self.plan.sites.remove(site)
        else:
            beside = f" beside {', '.join(sorted(vendors))}" if vendors else ""
            self.plan.refuse(site, "receiver-unknown", self.source.code(call.func).partition("\n")[0] + beside)
        return ""

    def _goes_away(self, origin: Origin, brackets: list[Items]) -> bool:
        """Tell whether a call goes to another server by its arguments, or by what the source makes."""
        items = [item for bracket in brackets for item in bracket.items]
        args = [item.node for item in items if isinstance(item.node, cst.Arg)]
        if self.bindings.servers.named_away(args):
            return True
        models = [
            model for item in items if item.name in ("model", "engine") for model in self.evidence.models(item.value)
        ]
        if any(map(is_open_model, models)):
            return True
        if origin.path != "?" or True not in self.bindings.made:
            return origin.path == "?" and self.bindings.is_only_away
        # Both kinds of client are made here: a model that OpenAI served decides.
        return self.bindings.is_only_away or not any(map(is_openai_model, models))

    def _has_shape(self, brackets: list[Items]) -> bool:
        names = {item.name for bracket in brackets for item in bracket.items}
        unpacked = any(bracket.unpacked for bracket in brackets)
        return "prompt" in names or (unpacked and names <= KNOWN)

    # the receiver --------------------------------------------------------------------------------

    def _receiver(self, site: Site, call: cst.Call, origin: Origin) -> None:
        new = self.plan.target.resource_of(origin.sdk)
        if isinstance(origin.at, cst.Attribute):
            self.plan.edit(site, *self.source.span(origin.at.attr), new)
        elif isinstance(origin.node, cst.ImportFrom) and origin.sdk == "v0":
            name = _first(call.func)
            if origin.aliases or not isinstance(name, cst.Name):
                self.plan.refuse(site, "function-escapes", "the imported name has another name, too")
                return
            for binding in self.source.bindings(name):
                self.imports.use(site, binding, name, "openai", "ChatCompletion")
        else:
            self.plan.refuse(site, "function-escapes", "the resource was imported by its name")

    def _tie_aliases(self, site: Site, origin: Origin) -> None:
        for name in origin.aliases:
            self._aliases.setdefault(self.source.bindings(name)[0], []).append((site, name))

    def _is_unpacked(self, name: cst.Name) -> bool:
        """Tell whether a dict is unpacked here; its other uses were looked at when it was followed."""
        outer = self.source.parent(name)
        return not isinstance(outer, cst.Subscript | cst.Attribute | cst.Arg) or getattr(outer, "star", "") == "**"

    def _is_rebound(self, uses: list[cst.Name]) -> bool:
        return any(len(self.source.bindings(name)) != 1 for name in uses)


def _first(func: Any) -> Any:
    while isinstance(func, cst.Attribute):
        func = func.value
    return func


def _streams(brackets: list[Items]) -> bool:
    item = next((found for bracket in brackets if (found := bracket.get("stream"))), None)
    return item is not None and isinstance(item.value, cst.Name) and item.value.value == "True"
