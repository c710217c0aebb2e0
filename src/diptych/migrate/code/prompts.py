"""A prompt expression becomes a messages expression.

Rule: a prompt is one user message that holds the same expression, untouched. Only a text
that is written in a format of special tokens, read without loss and proved by evaluation,
becomes several messages; holes are opaque, so that no data can be taken for structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import libcst as cst

from ...errors import FormatError
from ...format import Reading
from ...text.marks import unknown_marks
from ...text.reading import read_text
from ...text.registry import grammar_of
from .batches import Batches, is_one
from .continuations import Continuations
from .items import Item, Items
from .markup import Markup
from .pieces import Pieces, expression, filled, pieces_of, proof
from .plan import Plan, Site
from .source import Source, bound, constant_of, dotted, quotes_around
from .targets import RESPONSES
from .webs import reaching

#: Names of what is several prompts, where nothing says what they hold.
#: Ends of a text, which are stops of plain prompts, too.
_ENDS: Final = ("<|endoftext|>", "<|endofprompt|>")
_PLURALS: Final = ("prompts", "texts", "inputs", "questions", "batch", "queries", "messages_list")


class Prompts:
    """Rewrites the prompts of calls of one source."""

    def __init__(self, plan: Plan, continuations: Continuations, batches: Batches) -> None:
        self.plan, self.continuations, self.batches = plan, continuations, batches
        self.source: Source = plan.source
        self.markup = Markup(plan.source)

    def rewrite(self, site: Site, bracket: Items, item: Item, others: Sequence[Any] = ()) -> str:
        """Change a prompt into messages; return the format that it was read as several messages of.

        ``others`` are further expressions that tell how the prompt is written: the stops.
        """
        value = self._single(item.value)
        if code := self._is_no_text(value):
            if code == "prompt-list" and self._many(site, bracket, item, others):
                return ""
            self.plan.refuse(site, code)
            return ""
        avoid = quotes_around(self.source, item.value)
        if len(avoid) > 1:
            self.plan.refuse(site, "nested-quotes")
            return ""
        site.may_be_many = not bracket.get("n") and isinstance(value, cst.Name) and self._sounds_plural(value)
        bracket.rename(self.plan, site, item, self.plan.target.prompt)
        changed, written, pieces = self._written(value)
        reading = self._reading(site, pieces)
        labels = reading is not None and reading.format != "plain"
        self.continuations.prompt(site, value, pieces, others, labels=labels)
        if site.refusal is not None:
            return ""
        messages = self._messages(reading, pieces, written, avoid) if reading and pieces else None
        if messages is not None and reading is not None and pieces is not None:
            if mark := self.markup.fills(written, pieces.constants):
                self.plan.refuse(site, "prompt-markup", f"a hole may hold {mark}")
            self._several(site, bracket, changed, messages, "'" if '"' in avoid else '"')
            contents = [{"role": m["role"], "content": filled(m["content"])} for m in reading.messages]
            site.prompt = filled(pieces.marked()[0]), contents
            self._say(site, item, f"the prompt became {len(reading.messages)} messages ({reading.format})")
            return reading.format
        mark = self.markup.found(item.value) or self.markup.found(*others, but=_ENDS)
        if mark:
            self.plan.refuse(site, "prompt-markup", mark)
            return ""
        if reading is not None and reading.format != "plain":
            self._say(site, item, f"the prompt stays one message, though it reads as {reading.format}, too")
        elif reading is not None and (found := unknown_marks(pieces.marked()[0] if pieces else "")):
            self._say(site, item, f"the prompt stays one message, though it holds {found[0].text!r}: see to it")
        self._one_message(site, item, value, pieces, avoid)
        return ""

    def _one_message(self, site: Site, item: Item, value: Any, pieces: Pieces | None, avoid: set[str]) -> None:
        """Put one user message around the prompt's expression, which stays."""
        text = filled(pieces.marked()[0]) if pieces is not None else "hole0"
        site.prompt = text, [{"role": "user", "content": text}]
        own = self.source.text[self.source.span(item.label)[0]] if item.is_entry else '"'
        start, end = self.source.outer(item.value)
        value_start, value_end = self.source.outer(value)
        head, tail = self._around("'" if '"' in avoid or own == "'" else '"')
        if value is item.value:
            self.plan.edit(site, start, start, head)
            self.plan.edit(site, end, end, tail)
        else:  # a list of one prompt
            self.plan.edit(site, start, value_start, head)
            self.plan.edit(site, value_end, end, tail)

    def _around(self, quote: str) -> tuple[str, str]:
        """Return what stands around the text of the one user: Responses takes the text itself."""
        if self.plan.target == RESPONSES:
            return "", ""
        return f"[{{{quote}role{quote}: {quote}user{quote}, {quote}content{quote}: ", "}]"

    def _many(self, site: Site, bracket: Items, item: Item, others: Sequence[Any]) -> bool:
        """Write the content of one call of many; tell whether a list of prompts becomes calls."""
        content = self.batches.take(site, item.value, {other.name for other in bracket.items})
        if content is None or quotes_around(self.source, item.value):
            return False
        if mark := self.markup.found(item.value) or self.markup.found(*others, but=_ENDS):
            self.plan.refuse(site, "prompt-markup", mark)
        bracket.rename(self.plan, site, item, self.plan.target.prompt)
        quote = self.source.text[self.source.span(item.label)[0]] if item.is_entry else '"'
        self.plan.edit(site, *self.source.outer(item.value), content.join(self._around(quote)))
        return True

    def _several(self, site: Site, bracket: Items, changed: Any, messages: list[tuple[str, str]], quote: str) -> None:
        """Write several messages; of Responses a first system message is its instructions."""
        start, end = self.source.outer(changed)
        roles = [role for role, _ in messages]
        is_here = bracket.base is None and any(changed is item.value for item in bracket.items)
        if self.plan.target == RESPONSES and roles[0] == "system" and roles.count("system") == 1 and is_here:
            bracket.append(self.plan, site, "instructions", messages[0][1])
            messages = messages[1:]
        if self.plan.target == RESPONSES and [role for role, _ in messages] == ["user"]:
            self.plan.edit(site, start, end, messages[0][1])
            return
        entries = [
            f"{{{quote}role{quote}: {quote}{role}{quote}, {quote}content{quote}: {content}}}"
            for role, content in messages
        ]
        self.plan.edit(site, start, end, f"[{', '.join(entries)}]")

    def _say(self, site: Site, item: Item, what: str) -> None:
        self.plan.change(site, item.label, what, "note")

    def _single(self, node: Any) -> Any:
        """Return the one prompt of a list of one."""
        if isinstance(node, cst.List) and len(node.elements) == 1 and isinstance(node.elements[0], cst.Element):
            inner = node.elements[0].value
            if is_one(inner) and not self._is_no_text(inner):
                return inner
        return node

    def _is_no_text(self, node: Any, depth: int = 0) -> str:
        """Return the code of a prompt that is known not to be one text."""
        if isinstance(node, cst.List | cst.Tuple):
            numbers = [constant_of(e.value) for e in node.elements if isinstance(e, cst.Element)]
            is_ids = bool(numbers) and all(isinstance(number, int) for number in numbers)
            return "prompt-tokens" if is_ids else "prompt-list"
        if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp):
            return "prompt-list"
        if isinstance(node, cst.SimpleString) and node.prefix.lower().startswith(("b", "rb", "br")):
            return "prompt-tokens"
        if constant_of(node) is None:
            return "no-prompt"
        if isinstance(node, cst.Call) and depth < 4:
            name = dotted(node.func)[-1]
            if name in ("encode", "tokenize", "encode_ordinary", "convert_tokens_to_ids"):
                return "prompt-tokens"
            is_list = name in ("list", "split", "splitlines", "tolist", "to_list")
            return "prompt-list" if is_list else self._is_built(node, depth)
        if isinstance(node, cst.Name) and depth < 4:
            return self._named(node, depth)
        if isinstance(node, cst.Attribute) and node.attr.value.lower() in _PLURALS:
            return "prompt-list"
        return ""

    def _is_built(self, call: cst.Call, depth: int) -> str:
        """Return the code of a prompt that a function in sight makes, where any of what it returns is not text."""
        codes: list[str] = []
        for function in self._functions(call.func):
            if isinstance(function, cst.Lambda):
                codes.append(self._is_no_text(function.body, depth + 1))
                continue
            told = self.source.code(function.returns.annotation) if function.returns else ""
            own = [n for n in self.source.nodes if isinstance(n, cst.Return | cst.Yield) and self._is_of(n, function)]
            if _is_of_many(told) or any(isinstance(node, cst.Yield) for node in own):
                return "prompt-list"
            codes += [self._is_no_text(n.value, depth + 1) for n in own if isinstance(n, cst.Return) and n.value]
        found = next((code for code in codes if code not in ("", "no-prompt")), "")
        return found or ("no-prompt" if codes and all(codes) else "")

    def _is_of(self, node: Any, function: Any) -> bool:
        return self.source.function_of(node) is function

    def _functions(self, func: Any) -> list[Any]:
        """Return the functions of the source that a call may be of: by name, or a method by its own."""
        if isinstance(func, cst.Attribute):
            is_own = isinstance(func.value, cst.Name) and func.value.value in ("self", "cls")
            every = [node for node in self.source.nodes if isinstance(node, cst.FunctionDef)] if is_own else []
            named = [function for function in every if function.name.value == func.attr.value]
            return [function for function in named if isinstance(self.source.function_of(function), cst.ClassDef)]
        found: list[Any] = list(self.source.bindings(func)) if isinstance(func, cst.Name) else []
        values = [bound(self.source, each)[1] if isinstance(each, cst.Name) else each for each in found]
        return [value for value in values if isinstance(value, cst.FunctionDef | cst.Lambda)]

    def _sounds_plural(self, node: cst.Name) -> bool:
        """Tell whether a name says several, and is bound to no text."""
        name = node.value.lower()
        found = reaching(self.source, node)
        values = [bound(self.source, binding)[1] for binding in found if isinstance(binding, cst.Name)]
        is_text = bool(values) and all(pieces_of(self.source, value) is not None for value in values)
        annotated = any(isinstance(binding, cst.Param) and binding.annotation is not None for binding in found)
        return name.endswith("s") and not name.endswith("ss") and not annotated and not is_text

    def _named(self, node: cst.Name, depth: int) -> str:
        seen = False
        for binding in reaching(self.source, node):
            annotation: Any = None
            if isinstance(binding, cst.Param):
                annotation, value = binding.annotation, binding.default
            elif isinstance(binding, cst.Name):
                kind, value, annotation = bound(self.source, binding)
                if kind == "iter":
                    return ""  # one of many
                value = value if kind == "value" else None
            else:
                continue
            if annotation is not None:
                if _is_of_many(self.source.code(annotation.annotation)):
                    return "prompt-list"
                seen = True
            if value is not None and constant_of(value) is not None:
                if code := self._is_no_text(value, depth + 1):
                    return code
                seen = seen or not isinstance(value, cst.Call)
        return "prompt-list" if not seen and node.value.lower() in _PLURALS else ""

    # structure ---------------------------------------------------------------------------------

    def _written(self, value: Any) -> tuple[Any, Any, Pieces | None]:
        """Return the expression to change, the one that writes the prompt, and its pieces.

        A name is looked through where it is bound once: where it is read here alone, what it is bound to
        changes; a literal without holes that others read, too, is written out here.
        """
        pieces = pieces_of(self.source, value)
        if pieces is not None or not isinstance(value, cst.Name):
            return value, value, pieces
        found = self.source.bindings(value)
        if len(found) != 1 or not isinstance(found[0], cst.Name):
            return value, value, None
        kind, written, _ = bound(self.source, found[0])
        if kind != "value" or not isinstance(self.source.parent(found[0]), cst.AssignTarget):
            return value, value, None
        is_here = self.source.function_of(found[0]) is self.source.function_of(value)
        if is_here and self.source.readers(found[0], value.value) == [value]:
            return written, written, pieces_of(self.source, written)
        pieces = pieces_of(self.source, written)
        is_literal = pieces is not None and not any(piece.hole for piece in pieces)
        return value, written, pieces if is_literal else None

    def _reading(self, site: Site, pieces: Pieces | None) -> Reading | None:
        if pieces is None:
            return None
        marked, ranges = pieces.marked()
        try:
            reading = read_text(marked, opaque=ranges)
        except FormatError:
            self.plan.refuse(site, "fill-in-middle")
            return None
        certain = reading.format != "plain" and grammar_of(reading.format).is_certain
        if certain and (reading.conversation.cue == "continue" or _ends_in_reply(reading)):
            self.plan.refuse(site, "reply-begun")
        return reading

    def _messages(
        self, reading: Reading, pieces: Pieces, written: Any, avoid: set[str]
    ) -> list[tuple[str, str]] | None:
        """Return the roles and content expressions of a structured prompt, None where anything is uncertain."""
        if reading.verdict != "lossless" or reading.losses or reading.format == "plain":
            return None
        if not grammar_of(reading.format).is_certain:
            return None
        quote = "'" if '"' in avoid else '"'
        entries, contents = [], []
        for message in reading.messages:
            if set(message) - {"role", "content"} or not isinstance(message["content"], str):
                return None
            content = expression(pieces.within(message["content"]), quote, avoid)
            if content is None:
                return None
            contents.append(content)
            entries.append((message["role"], content))
        return entries if self._is_proved(written, contents, reading, pieces) else None

    def _is_proved(self, written: Any, contents: list[str], reading: Reading, pieces: Pieces) -> bool:
        """Tell whether the contents, evaluated, are what the evaluated prompt reads as."""
        found = proof([self.source.code(written), *contents], pieces.constants)
        if found is None:
            return False
        again = read_text(found[0], reading.format)
        return again.verdict == "lossless" and [m["content"] for m in again.messages] == found[1:]


def _is_of_many(annotation: str) -> bool:
    """Tell whether an annotation is of several."""
    words = ("list[", "sequence[", "iterable[", "tuple[", "iterator[", "generator[")
    return annotation == "list" or any(word in annotation.lower() for word in words)


def _ends_in_reply(reading: Reading) -> bool:
    return bool(reading.messages) and reading.messages[-1]["role"] == "assistant"
