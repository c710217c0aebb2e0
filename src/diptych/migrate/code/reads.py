"""What is read of an answer: its fields, in each of the ways that the SDKs and plain data allow.

Rule: a field that both APIs have stays; ``.text`` is rewritten where it is read; any other
field refuses the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import libcst as cst
from libcst.metadata import ExpressionContext

from .batches import Batches
from .continuations import Continuations
from .markup import inside
from .plan import Plan, Site
from .source import Node, Source, constant_of, dotted, key_of, quotes_around, text_of
from .streams import Streams
from .uses import Escape, Follow, Owe, Use
from .values import Value, is_shown

#: Fields that both APIs have, with the same meaning.
_SHARED: Final = frozenset(
    {"id", "model", "usage", "created", "system_fingerprint", "service_tier", "_request_id", "response_ms", "headers",
     "organization", "request_id", "error"}
)  # fmt: skip
_OF_CHOICES: Final = frozenset({"index", "finish_reason"})
#: The beginning of a name of a Completions model.
_OLD_MODEL: Final = re.compile(r"(?:text-|code-)?(?:davinci|curie|babbage|ada)\b|gpt-3\.5-turbo-instruct|text-")
#: Lists of the logprobs, and what an entry of Chat's calls it.
_OF_TOKENS: Final = {"tokens": "token", "token_logprobs": "logprob"}
#: Methods that give the same as plain data.
_PLAIN: Final = frozenset({"model_dump", "to_dict", "dict", "to_dict_recursive"})


class Reads:
    """Looks at what is read of answers and yields what a read gives, as uses."""

    _plain = _PLAIN

    def __init__(self, plan: Plan, streams: Streams, continuations: Continuations, batches: Batches) -> None:
        self.plan, self.streams, self.continuations, self.batches = plan, streams, continuations, batches
        self.source: Source = plan.source

    def attribute(self, node: cst.Attribute, value: Value, site: Site) -> Iterator[Use]:
        name = node.attr.value
        if self.source.contexts.get(node) is not ExpressionContext.LOAD:
            yield Escape(node, f"{name} is assigned to")
            return
        call: Any = self.source.parent(node)
        is_called = isinstance(call, cst.Call) and call.func is node
        if value.many:
            yield from self._list_method(node, name, call, is_called, value)
        elif value.kind == "response" and is_called and name in self._plain:
            yield Follow(call, replace(value, sdk="plain"))
        elif value.kind in ("response", "choice") and is_called and name == "get":
            yield from self._get(call, value, site)
        elif value.kind == "batch":
            yield from self._batch(node, name, value, site)
        elif value.kind == "raw":
            yield from self._raw(name, call, is_called, value, site)
        elif value.kind == "http":
            yield from self._http(node, name, call, is_called, value)
        elif value.kind == "stream":
            if name not in ("close", "response", "aclose"):
                yield Escape(node, f"the result is a stream, which has no {name}")
        else:
            yield from self._field(node, name, value, site)

    def _logprobs(self, node: Any, value: Value, site: Site) -> Iterator[Use]:
        """Rewrite ``logprobs.tokens`` and ``.token_logprobs``, which Chat has in the entries of ``content``."""
        outer: Any = self.source.parent(node)
        name: Any = outer.attr.value if isinstance(outer, cst.Attribute) else None
        if isinstance(outer, cst.Subscript) and outer.value is node:
            name = key_of(outer)
        if name not in _OF_TOKENS or isinstance(node, cst.Call) or quotes_around(self.source, node):
            site.reads_logprobs = True
            return
        is_plain = isinstance(outer, cst.Subscript)
        entry = f'token["{_OF_TOKENS[name]}"]' if is_plain else f"token.{_OF_TOKENS[name]}"
        start, end = self.source.outer(node)
        self.plan.edit(site, start, start, f"[{entry} for token in ")
        tail = '["content"]]' if is_plain else ".content]"
        self.plan.edit(site, end, self.source.outer(outer)[1], tail)
        self.plan.change(site, outer, f"{name} became the entries of the logprobs' content", "result")
        yield from ()

    def _batch(self, node: Any, name: Any, value: Value, site: Site) -> Iterator[Use]:
        """A field of the answer to a list of prompts: its choices alone are known."""
        if name == "choices":
            self.batches.read(site, node)
            yield Follow(node, replace(value, kind="choice", many=1))
        else:
            self.plan.refuse(site, "prompt-list", f"{name} is read of its answer", at=node)

    def _field(self, node: Any, name: Any, value: Value, site: Site) -> Iterator[Use]:
        """A field of an answer or of a choice, read in any of the ways."""
        if value.kind == "response" and name == "choices":
            yield Follow(node, replace(value, kind="choice", many=1))
        elif value.kind == "response" and name in _SHARED:
            if name == "model":
                self._model_read(node, site)
        elif value.kind == "choice" and name == "text":
            self._text(node, value, site)
        elif value.kind == "choice" and name in _OF_CHOICES:
            if value.is_chunk:
                self.streams.guarded(node, site)
        elif value.kind == "choice" and name == "logprobs" and not value.is_chunk:
            yield from self._logprobs(node, value, site)
        elif value.kind == "choice" and name == "logprobs":
            site.reads_logprobs = True
        else:
            self.plan.refuse(site, "result-shape", str(name), at=node)

    def _text(self, node: Any, value: Value, site: Site) -> None:
        if value.is_chunk:
            self.streams.text(node, value.sdk, site)
            return
        self.continuations.text(site, node)
        if site.echo is not None:
            self._echo(node, site.echo, site)
        if isinstance(node, cst.Attribute):
            start, end = self.source.span(node.attr)
            self.plan.edit(site, start, end, "message.content")
            self.plan.change(site, node, ".text became .message.content", "result")
            return
        assert isinstance(node, cst.Subscript)
        index: Any = node.slice[0].slice
        start, end = self.source.outer(index.value)
        quoted = self.source.text[start:end]
        message, content = quoted.replace("text", "message"), quoted.replace("text", "content")
        self.plan.edit(site, start, end, f"{message}][{content}")
        self.plan.change(site, node, '["text"] became ["message"]["content"]', "result")

    def _model_read(self, node: Any, site: Site) -> None:
        """Say where the model that a reply names is held against the old one's name."""
        test = self.source.enclosing(node, cst.Comparison, cst.BaseSmallStatement)
        names = [text_of(n) or "" for n in inside(test) if isinstance(n, cst.SimpleString)] if test else []
        if old := next((name for name in names if _OLD_MODEL.match(name)), None):
            self.plan.change(site, node, f"the reply names the model that answers now, not {old!r}: see to it", "note")

    def _echo(self, node: Any, prompt: cst.Name, site: Site) -> None:
        """Put the prompt before a text that was to begin with it."""
        loops = [o for o in self.source.ancestors(node) if isinstance(o, cst.BaseComp)]
        is_hidden = any(n.value == prompt.value for o in loops for n in _names(o.for_in.target))
        if is_hidden or self.source.function_of(node) is not self.source.function_of(prompt):
            self.plan.refuse(site, "echo", at=node)
            return
        start, end = self.source.outer(node)
        self.plan.edit(site, start, start, f"({prompt.value} + ")
        self.plan.edit(site, end, end, ")")
        self.plan.change(site, node, "Chat does not repeat its prompt: it is put before the text", "note")

    def _get(self, call: cst.Call, value: Value, site: Site) -> Iterator[Use]:
        """``.get("choices")`` and ``.get("text")`` of plain data."""
        key = constant_of(call.args[0].value) if call.args and not call.args[0].keyword else ...
        if not isinstance(key, str) or (value.is_chunk and key == "text"):
            yield Escape(call, "get with a key that is not a literal")
        elif key == "text" and value.kind == "choice":
            start, end = self.source.outer(call.args[0].value)
            quoted = self.source.text[start:end]
            rest = ", {}" if len(call.args) > 1 else ""
            self.plan.edit(
                site, start, end, f"{quoted.replace('text', 'message')}{rest}).get({quoted.replace('text', 'content')}"
            )
            self.continuations.text(site, call)
            if site.echo is not None:
                self.plan.refuse(site, "echo", at=call)
            self.plan.change(site, call, '.get("text") became .get("message").get("content")', "result")
        else:
            yield from self._field(call, key, value, site)

    def subscript(self, node: cst.Subscript, value: Value, site: Site) -> Iterator[Use]:
        if self.source.contexts.get(node) is not ExpressionContext.LOAD:
            yield Escape(node, "an item is assigned to")
            return
        if value.many:
            is_slice = isinstance(node.slice[0].slice, cst.Slice)
            if (
                value.is_chunk
                and value.kind == "choice"
                and value.many == 1
                and not self._is_guarded(node, is_slice, site)
            ):
                yield Escape(node, "a chunk may have no choices, and there is no place for a guard")
                return
            site.reads_all = site.reads_all or (value.kind == "choice" and not value.is_chunk and key_of(node) != 0)
            yield Follow(node, value if is_slice else replace(value, many=value.many - 1))
        elif value.kind == "batch" and isinstance(key_of(node), str):
            yield from self._batch(node, key_of(node), value, site)
        elif value.kind in ("response", "choice"):
            key = key_of(node)
            if isinstance(key, str):
                yield from self._field(node, key, value, site)
            else:
                yield Escape(node, "a key that is not a literal")
        else:
            yield Escape(node)

    def _is_guarded(self, node: cst.Subscript, is_slice: bool, site: Site) -> bool:
        """Tell whether ``chunk.choices[0]`` may stand: the list is empty in some chunks of Chat."""
        outer = self.source.parent(node)
        is_read = isinstance(outer, cst.Attribute | cst.Subscript) and outer.value is node
        return is_slice or is_read or self.streams.indexed(node, site)

    def _list_method(self, node: Node, name: str, call: Any, is_called: bool, value: Value) -> Iterator[Use]:
        if is_called and name in ("pop", "copy") and value.kind != "stream" and not value.is_chunk:
            yield Follow(call, value if name == "copy" else replace(value, many=value.many - 1))
        elif is_called and name == "append":
            for arg in call.args:  # what is put in must be an answer, too
                yield Owe(arg.value, replace(value, many=value.many - 1), call)
        elif not (is_called and name in ("clear", "reverse")):
            yield Escape(node, f"a list's {name}")

    def _raw(self, name: str, call: Any, is_called: bool, value: Value, site: Site) -> Iterator[Use]:
        if name == "parse" and is_called and not call.args:
            yield Follow(call, replace(value, kind="stream" if value.is_chunk else "response"))
        elif name not in ("headers", "status_code", "request_id", "retries_taken", "elapsed", "http_response"):
            self.plan.refuse(site, "raw-response", f".{name}", at=call)

    def _http(self, node: Any, name: str, call: Any, is_called: bool, value: Value) -> Iterator[Use]:
        if name == "json" and is_called:
            yield Follow(call, replace(value, kind="response"))
        elif name == "raise_for_status" and is_called:
            yield Follow(call, value)
        elif name in ("text", "content") and self._is_loaded(text := self._decoded(node)):
            yield Follow(self.source.parent(self.source.parent(text)), replace(value, kind="response"))
        elif name in ("text", "content", "read") and is_shown(self.source, node):
            return
        elif name not in (
            "status_code",
            "status",
            "ok",
            "headers",
            "is_success",
            "is_error",
            "reason",
            "close",
            "elapsed",
        ):
            yield Escape(node, f".{name} of an HTTP answer")

    def _decoded(self, node: Any) -> Any:
        """Return the call of ``.decode`` around bytes, the node itself where there is none."""
        method = self.source.parent(node)
        is_decode = isinstance(method, cst.Attribute) and method.value is node and method.attr.value == "decode"
        return self.source.parent(method) if is_decode else node

    def _is_loaded(self, node: Any) -> bool:
        """Tell whether ``json.loads`` reads a text, or its bytes once they are decoded."""
        arg = self.source.parent(node)
        call = self.source.parent(arg)
        return isinstance(arg, cst.Arg) and isinstance(call, cst.Call) and dotted(call.func)[-2:] == ("json", "loads")

    def compared(self, node: Node, outer: Any) -> Iterator[Use]:
        comparison: Any = outer if isinstance(outer, cst.Comparison) else self.source.parent(outer)
        for target in comparison.comparisons:
            nothing = constant_of(target.comparator) is None or constant_of(comparison.left) is None
            within = isinstance(target.operator, cst.In | cst.NotIn) and constant_of(comparison.left) in (
                *_SHARED, "choices"
            )  # fmt: skip
            if not nothing and not within:
                yield Escape(node, "it is compared")


def _names(target: Any) -> Iterator[cst.Name]:
    return (node for node in inside(target) if isinstance(node, cst.Name))
