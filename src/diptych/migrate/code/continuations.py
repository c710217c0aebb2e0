"""Code that goes on with the prompt: ``prompt + text``, the prompt's end once more, ``== " yes"``.

Rule: a Chat reply is an answer, not the rest of the text. Where the program puts the two together the call is
refused, unless the prompt is a transcript, whose next turn the reply is; a blank that a comparison expects
before the reply is taken out, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

import libcst as cst

from .pieces import Pieces
from .plan import Plan, Site
from .source import Source, dotted, requoted, text_of

_STRIPS: Final = frozenset({"strip", "lstrip", "rstrip"})
#: What a prompt ends with to open what the reply closes.
_OPENS: Final = ("{", "[", "(", "<", '"', "'", "`")
#: Other methods whose result is still the reply.
_CHANGES: Final = frozenset(
    {"replace", "removeprefix", "removesuffix", "lower", "upper", "title", "capitalize", "casefold", "expandtabs"}
)
#: The end of a speaker's label, as transcripts and their stops have it.
_LABEL: Final = re.compile(r"(?:^|[\n\"'\s])\w[\w ]{0,20}:[ \"']*$")
_PERCENT: Final = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]")
_DEPTH: Final = 3


@dataclass(frozen=True)
class _Prompt:
    #: The source of the expression, "" for one that is neither a name nor a field.
    code: str
    #: The literal that it ends with.
    end: str
    is_transcript: bool


class Continuations:
    """The prompts and the replies of one source, side by side."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.source: Source = plan.source
        self._prompts: dict[Site, _Prompt] = {}
        self._texts: list[tuple[Site, Any]] = []

    def prompt(self, site: Site, value: Any, pieces: Pieces | None, others: Any, *, labels: bool) -> None:
        """Note a prompt; ``others`` are its stops, ``labels`` tells whether it reads as a transcript."""
        code = self.source.code(value) if isinstance(value, cst.Name | cst.Attribute | cst.Subscript) else ""
        end = pieces[-1].text.rstrip() if pieces and not pieces[-1].hole else ""
        stops = [text_of(node) or "" for other in others for node in _literals(other)]
        is_transcript = labels or _LABEL.search(end) is not None or any(_LABEL.search(stop) for stop in stops)
        self._prompts[site] = _Prompt(code, end.rpartition("\n")[2], is_transcript)

    def text(self, site: Site, node: Any) -> None:
        """Note a read of a reply's text."""
        self._texts.append((site, node))

    def settle(self) -> None:
        """Refuse the calls whose reply is put after its prompt, and mend comparisons."""
        for site, node in self._texts:
            prompt = self._prompts.get(site)
            for use, is_stripped in self._uses(node, False, _DEPTH):
                if prompt is not None and (how := self._goes_on(use, prompt)):
                    if prompt.is_transcript:
                        self.plan.change(site, use, f"{how}: a Chat reply does not begin with a blank", "note")
                    else:
                        self.plan.refuse(site, "reply-begun", how, at=use)
                if not is_stripped:
                    self._compared(site, use)

    def _uses(self, node: Any, is_stripped: bool, depth: int) -> Iterator[tuple[Any, bool]]:
        """Yield the expressions that give the text, and whether blanks were taken off it."""
        yield node, is_stripped
        outer: Any = self.source.parent(node)
        if isinstance(outer, cst.Attribute) and outer.attr.value in _STRIPS | _CHANGES:
            call = self.source.parent(outer)
            if isinstance(call, cst.Call) and call.func is outer:
                yield from self._uses(call, is_stripped or outer.attr.value in _STRIPS, depth)
        elif isinstance(outer, cst.Assign) and depth and all(isinstance(t.target, cst.Name) for t in outer.targets):
            for target in outer.targets:
                name: Any = target.target
                for load in self.source.readers(name, name.value):
                    yield from self._uses(load, is_stripped, depth - 1)

    def _goes_on(self, node: Any, prompt: _Prompt) -> str:
        """Return how a reply's text is put after its prompt, "" where it is not."""
        before, text = self._before(node)
        if before is not None and prompt.code and self.source.code(before) == prompt.code:
            return "the reply is put after its prompt"
        said = text.strip()
        if (len(said) > 1 or said in _OPENS) and prompt.end.endswith(said):
            return f"{said!r}, which ends the prompt, is put before the reply"
        return ""

    def _before(self, node: Any) -> tuple[Any, str]:
        """Return the expression, or the literal text, right before a node in a sum or an f-string."""
        outer: Any = self.source.parent(node)
        if isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Add) and outer.right is node:
            last = outer.left
            while isinstance(last, cst.BinaryOperation) and isinstance(last.operator, cst.Add):
                last = last.right
            return last, text_of(last) or ""
        if isinstance(outer, cst.AugAssign) and isinstance(outer.operator, cst.AddAssign):
            return outer.target, ""
        if isinstance(outer, cst.Element | cst.Arg):
            return self._beside(outer)
        if isinstance(outer, cst.FormattedStringExpression):
            string: Any = self.source.parent(outer)
            at = list(string.parts).index(outer)
            part = string.parts[at - 1] if at else None
            if isinstance(part, cst.FormattedStringExpression):
                return part.expression, ""
            return None, part.value if isinstance(part, cst.FormattedStringText) else ""
        return None, ""

    def _beside(self, item: cst.Element | cst.Arg) -> tuple[Any, str]:
        """Return what stands before a member of ``"%s%s" % (a, b)``, ``"".join([a, b])``, a format or a print."""
        holder: Any = self.source.parent(item)
        members = list(holder.args if isinstance(holder, cst.Call) else holder.elements)
        at = members.index(item)
        if isinstance(holder, cst.Call):
            between = _between_arguments(holder)
        else:
            outer: Any = self.source.parent(holder)
            call = self.source.parent(outer) if isinstance(outer, cst.Arg) else outer
            is_join = isinstance(call, cst.Call) and dotted(call.func)[-1] == "join"
            is_percent = isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Modulo)
            between = [""] * len(members) if is_join else _between_percents(outer.left) if is_percent else []
        if at >= len(between):
            return None, ""
        return (members[at - 1].value, "") if at and not between[at] else (None, between[at])

    # comparisons -------------------------------------------------------------------------------

    def _compared(self, site: Site, node: Any) -> None:
        for literal in self._literals_beside(node):
            text = text_of(literal)
            if text is not None and text != text.lstrip() and text.strip():
                new = requoted(self.source, literal, text.lstrip())
                self.plan.edit(site, *self.source.outer(literal), new)
                told = f"a Chat reply does not begin with a blank: {text!r} became {text.lstrip()!r}"
                self.plan.change(site, literal, told, "note")

    def _literals_beside(self, node: Any) -> Iterator[Any]:
        """Yield the literals that a text is compared with: ``==``, ``in (…)``, ``startswith``."""
        outer: Any = self.source.parent(node)
        if isinstance(outer, cst.Comparison) and outer.left is node:
            for target in outer.comparisons:
                yield from _literals(target.comparator)
        elif isinstance(outer, cst.ComparisonTarget):
            yield from _literals(self.source.parent(outer).left)  # type: ignore[attr-defined]
        elif isinstance(outer, cst.Attribute) and outer.attr.value == "startswith":
            call = self.source.parent(outer)
            for arg in call.args if isinstance(call, cst.Call) else ():
                yield from _literals(arg.value)


def _between_arguments(call: cst.Call) -> list[str]:
    """Return the texts before each argument of ``"…".format(…)`` and of a print without blanks between."""
    if any(arg.keyword and arg.keyword.value == "sep" and text_of(arg.value) == "" for arg in call.args):
        return [""] * len(call.args)
    text = text_of(call.func.value) if isinstance(call.func, cst.Attribute) else None
    if text is None or dotted(call.func)[-1] != "format":
        return []
    try:
        parsed = list(Formatter().parse(text))
    except ValueError:
        return []
    return [before for before, name, _, _ in parsed if name is not None] if all(not p[1] for p in parsed) else []


def _between_percents(format_: Any) -> list[str]:
    """Return the texts before each ``%s`` of a format."""
    return _PERCENT.split((text_of(format_) or "").replace("%%", "  "))[:-1]


def _literals(node: Any) -> Iterator[Any]:
    """Yield the plain strings of a literal: itself, or those of a list, tuple or set."""
    if isinstance(node, cst.List | cst.Tuple | cst.Set):
        for element in node.elements:
            yield from _literals(element.value)
    elif isinstance(node, cst.SimpleString):
        yield node
