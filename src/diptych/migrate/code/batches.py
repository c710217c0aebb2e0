"""A list of prompts becomes as many calls: a comprehension around the call, one answer per prompt.

Rule: only where the answer is read through its choices, which are then the first choice of each answer. The
order is the same: choice k of a list of prompts belongs to prompt k, where one answer per prompt is asked for.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import libcst as cst

from .plan import Plan, Site
from .source import Source, bound, constant_of, dotted, text_of
from .webs import reaching

#: Functions that give token ids.
_IDS: Final = frozenset({"encode", "tokenize", "encode_ordinary", "convert_tokens_to_ids"})
#: Annotations of a list of texts.
_TEXTS: Final = re.compile(r"(?:typing\.)?(?:[Ll]ist|[Ss]equence|[Ii]terable|[Tt]uple)\[str(?:, \.\.\.)?\]")


class Batch(NamedTuple):
    """A list of prompts: the source of the content of one call, and of the loop around it."""

    content: str
    loop: str


class Batches:
    """The calls of one source that ask for a list of prompts."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.source: Source = plan.source
        self.found: dict[Site, Batch] = {}

    def take(self, site: Site, node: Any, names: set[str]) -> str | None:
        """Return the content of one of the calls that a list of prompts becomes, None where that is not known.

        ``names`` are the other arguments of the call.
        """
        if site in self.found or names & {"n", "best_of", "stream", "logprobs"}:
            return None
        batch = self._of(node)
        if batch is None:
            return None
        self.found[site] = batch
        return batch.content

    def _of(self, node: Any) -> Batch | None:
        if isinstance(node, cst.ListComp):
            code = self.source.code(node.elt)
            is_ids = isinstance(node.elt, cst.Call) and dotted(node.elt.func)[-1] in _IDS
            is_async = node.for_in.asynchronous is not None
            if is_ids or is_async or isinstance(node.elt, cst.List | cst.Tuple):
                return None
            start, end = self.source.span(node.for_in)
            return Batch(code, self.source.text[start:end].strip())
        if isinstance(node, cst.List | cst.Tuple) and len(node.elements) > 1:
            texts = [element.value for element in node.elements if isinstance(element, cst.Element)]
            is_text = all(text_of(t) is not None or isinstance(t, cst.FormattedString) for t in texts)
            if is_text and len(texts) == len(node.elements):
                name = self._free("prompt")
                return Batch(name, f"for {name} in {self.source.code(node)}")
        if isinstance(node, cst.Name) and self._is_texts(node):
            name = self._free("prompt")
            return Batch(name, f"for {name} in {node.value}")
        return None

    def _is_texts(self, node: cst.Name) -> bool:
        """Tell whether a name holds a list of texts, by its annotation or by what it is bound to and filled with."""
        found = reaching(self.source, node)
        return bool(found) and all(self._binds_texts(binding, node.value) for binding in found)

    def _binds_texts(self, binding: Any, name: str) -> bool:
        annotation = binding.annotation if isinstance(binding, cst.Param) else None
        value: Any = None
        if isinstance(binding, cst.Name):
            kind, value, annotation = bound(self.source, binding)
            value = value if kind == "value" else None
        if annotation is not None:
            return _TEXTS.fullmatch(self.source.code(annotation.annotation)) is not None
        if isinstance(value, cst.List) and not value.elements:
            added = [self.source.parent(self.source.parent(load)) for load in self.source.readers(binding, name)]
            given = [call for call in added if isinstance(call, cst.Call) and dotted(call.func)[-1] == "append"]
            return bool(given) and all(len(c.args) == 1 and _is_text(c.args[0].value) for c in given)
        if isinstance(value, cst.ListComp):
            return _is_text(value.elt)
        return isinstance(value, cst.List) and all(_is_text(element.value) for element in value.elements)

    def _free(self, name: str) -> str:
        """Return a name that the source does not use."""
        while name in self.source.text:
            name += "_"
        return name

    def wrap(self, site: Site, call: Any) -> None:
        """Put the loop around a call. To be asked for after its uses were followed: edits at one place keep order."""
        batch = self.found.get(site)
        if batch is None:
            return
        outer = self.source.parent(call)
        whole = outer if isinstance(outer, cst.Await) else call
        start, end = self.source.outer(whole)
        self.plan.edit(site, start, start, "[")
        self.plan.edit(site, end, end, f" {batch.loop}]")
        self.plan.change(site, call, "the list of prompts became one call for each", "note")

    def read(self, site: Site, node: Any) -> None:
        """Rewrite ``answer.choices`` of a list of prompts as the first choices of its answers."""
        head = node.value
        start, end = self.source.outer(head)
        name = self._free("reply")
        first = f"{name}.choices[0]" if isinstance(node, cst.Attribute) else f'{name}["choices"][0]'
        self.plan.edit(site, start, start, f"[{first} for {name} in ")
        self.plan.edit(site, end, self.source.outer(node)[1], "]")
        self.plan.change(site, node, f"choices became {first} of each answer", "result")


def _is_text(node: Any) -> bool:
    if text_of(node) is not None or isinstance(node, cst.FormattedString | cst.ConcatenatedString):
        return True
    if isinstance(node, cst.BinaryOperation):
        return isinstance(node.operator, cst.Add | cst.Modulo) and (_is_text(node.left) or _is_text(node.right))
    return isinstance(node, cst.Call) and dotted(node.func)[-1] in ("format", "strip", "replace", "join")


def is_one(node: Any) -> bool:
    """Tell whether the one element of a list is a text, as far as its name and shape say."""
    if isinstance(node, cst.Name):
        name = node.value.lower()
        return constant_of(node) is ... and not any(word in name for word in ("tok", "ids", "enc", "inp", "ctx"))
    return (
        isinstance(node, cst.BinaryOperation | cst.FormattedString | cst.ConcatenatedString)
        or text_of(node) is not None
    )
