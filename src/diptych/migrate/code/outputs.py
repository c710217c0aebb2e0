"""What is read of an answer, as it is read of one of Responses: ``.choices[0].text`` becomes ``.output_text``.

Rule: there is one answer, so that a choice is the response itself, and the list of choices a list of one. What
Responses says in another shape (why it ended, log probabilities) refuses the call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import libcst as cst

from .batches import Batches
from .continuations import Continuations
from .events import Events
from .plan import Plan, Site
from .reads import Reads
from .source import constant_of, key_of
from .uses import Follow, Use
from .values import Value, is_shown

_SAME: Final = frozenset({"id", "model", "service_tier", "error", "_request_id"})
_USAGE: Final = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "total_tokens": "total_tokens",
}


class Outputs(Reads):
    """Looks at what is read of answers that become those of Responses."""

    _plain = frozenset[str]()

    def __init__(self, plan: Plan, streams: Events, continuations: Continuations, batches: Batches) -> None:
        super().__init__(plan, streams, continuations, batches)
        self.events = streams

    def _lacks(self, node: Any, detail: str, site: Site) -> None:
        self.plan.refuse(site, "responses", detail, at=node)

    def _batch(self, node: Any, name: Any, value: Value, site: Site) -> Iterator[Use]:
        """The choices of the answer to a list of prompts are the responses."""
        if name == "choices" and isinstance(node, cst.Attribute):
            self.plan.edit(site, self.source.outer(node.value)[1], self.source.span(node)[1], "")
            yield Follow(node, replace(value, kind="choice", many=1))
        else:
            yield from super()._batch(node, name, value, site)

    def _get(self, call: cst.Call, value: Value, site: Site) -> Iterator[Use]:
        self._lacks(call, "its answer is an object", site)
        yield from ()

    def _field(self, node: Any, name: Any, value: Value, site: Site) -> Iterator[Use]:
        if not isinstance(node, cst.Attribute):
            self._lacks(node, f"its answer is an object, of which [{name!r}] is read", site)
        elif value.is_chunk:
            self._event(node, name, site)
        elif value.kind == "response" and name == "choices":
            yield from self._choices(node, value, site)
        elif value.kind == "response" and name == "usage":
            self._usage(node, site)
        elif value.kind == "response" and name == "created":
            self._rename(node, "created_at", site)
        elif value.kind == "response" and name in _SAME:
            if name == "model":
                self._model_read(node, site)
        elif value.kind == "choice" and name == "text":
            self.continuations.text(site, node)
            if site.echo is not None:
                self._echo(node, site.echo, site)
            self._rename(node, "output_text", site)
        elif value.kind == "choice" and name == "finish_reason":
            self._finish(node, site)
        else:
            self._lacks(node, f".{name} is read", site)

    def _rename(self, node: cst.Attribute, name: str, site: Site) -> None:
        self.plan.edit(site, *self.source.span(node.attr), name)
        self.plan.change(site, node, f".{node.attr.value} became .{name}", "result")

    def _choices(self, node: cst.Attribute, value: Value, site: Site) -> Iterator[Use]:
        """``answer.choices[0]`` is the answer; the list alone is a list of it; its truth is that of the output."""
        if self._is_tested(node):
            self._rename(node, "output", site)
            return
        outer: Any = self.source.parent(node)
        is_first = isinstance(outer, cst.Subscript) and outer.value is node and key_of(outer) == 0
        last = outer if is_first else node
        start, end = self.source.outer(node.value)[1], self.source.span(last)[1]
        if "#" in self.source.text[start:end]:
            self._lacks(node, "a comment stands inside .choices[0]", site)
        elif is_first:
            self.plan.edit(site, start, end, "")
            yield Follow(outer, replace(value, kind="choice"))
        else:
            head = self.source.outer(node.value)[0]
            self.plan.edit(site, head, head, "[")
            self.plan.edit(site, start, end, "]")
            self.plan.change(site, node, ".choices became a list of the one answer", "result")
            yield Follow(node, replace(value, kind="choice", many=1))

    def _is_tested(self, node: Any) -> bool:
        """Tell whether only the truth of an expression counts."""
        outer: Any = self.source.parent(node)
        match outer:
            case cst.If() | cst.While() | cst.Assert() | cst.CompIf() | cst.UnaryOperation(operator=cst.Not()):
                return True
            case cst.IfExp():
                return outer.test is node
            case cst.BooleanOperation():
                return isinstance(outer.operator, cst.And) and outer.left is node
        return False

    def _usage(self, node: cst.Attribute, site: Site) -> None:
        outer: Any = self.source.parent(node)
        name = outer.attr.value if isinstance(outer, cst.Attribute) and outer.value is node else ""
        if name in _USAGE:
            if _USAGE[name] != name:
                self._rename(outer, _USAGE[name], site)
        elif not is_shown(self.source, node) and not self._is_tested(node):
            self._lacks(node, "its usage has other names, and they may be read elsewhere", site)

    def _finish(self, node: cst.Attribute, site: Site) -> None:
        """``finish_reason == "stop"`` is ``status == "completed"``; Responses gives other reasons elsewhere."""
        outer: Any = self.source.parent(node)
        other = outer.comparisons[0].comparator if isinstance(outer, cst.Comparison) else None
        if other is not None and len(outer.comparisons) == 1 and constant_of(other) == "stop":
            quote = self.source.text[self.source.span(other)[0]]
            self.plan.edit(site, *self.source.outer(other), f"{quote}completed{quote}")
            self._rename(node, "status", site)
        elif is_shown(self.source, node):
            self._rename(node, "status", site)
        else:
            self._lacks(node, "finish_reason is read; it has status and incomplete_details.reason", site)

    def _event(self, node: cst.Attribute, name: str, site: Site) -> None:
        outer: Any = self.source.parent(node)
        read: Any = self.source.parent(outer)
        is_first = isinstance(outer, cst.Subscript) and outer.value is node and key_of(outer) == 0
        is_text = isinstance(read, cst.Attribute) and read.value is outer and read.attr.value == "text"
        if name == "choices" and self._is_tested(node):
            self.events.tested(node, site)
        elif name == "choices" and is_first and is_text and isinstance(node.value, cst.Name):
            self.events.text(read, "v1", site)
        else:
            self._lacks(node, f"an event has no {name}, and more than .choices[0].text is read", site)
