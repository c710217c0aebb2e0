"""White space around tags: what the author wrote is what is printed.

Rule (``trim: lines``): a line leaves no trace if it holds nothing but tags that print nothing by
themselves (``if``, ``for``, ``set``, ``macro``, ``else``, ``end…``, message tags, comments) and
none of them carries ``-`` or ``+``. A tag with ``-`` or ``+`` does exactly what Jinja does.
``include``, ``call``, ``{{ }}``, ``image`` and a ``block`` that ends on its own line count as
text. ``trim: jinja`` is Jinja's default, ``trim: blocks`` its ``trim_blocks`` with ``lstrip_blocks``.
In all three, one line break at the end of the file is dropped, as Jinja does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Final

from jinja2.lexer import Lexer, TokenStream

from ..sandbox.environment import MOST_TOKENS, SandboxEnvironment, counted

#: The rules there are, the default first.
TRIMS: Final = ("lines", "jinja", "blocks")
_PRINTING: Final = frozenset({"include", "call", "endcall", "image", "audio", "file", "tool_call"})
_BEGINS: Final = frozenset({"block_begin", "comment_begin", "raw_begin", "raw_end"})
_ENDS: Final = frozenset({"block_end", "comment_end", "raw_begin", "raw_end"})


class LineLexer(Lexer):
    """Jinja's lexer, without the lines that hold nothing but silent tags."""

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        # White space and text are tokens here, too.
        tokens = list(counted(super().tokeniter(source, name, filename, state), 4 * MOST_TOKENS))
        kept = _Lines(tokens).kept()
        for index, (line, kind, value) in enumerate(tokens):
            text = kept.get(index, value)
            if text or kind != "data":
                yield line, kind, text


class _Lines:
    """The lines of a body, each with the pieces of text on it and whether it leaves a trace."""

    def __init__(self, tokens: list[tuple[int, str, str]]) -> None:
        self._tokens = tokens
        self._removed: list[tuple[int, int, int]] = []
        self._next_line(1)

    def kept(self) -> dict[int, str]:
        """Return what remains of each text that loses something, by the index of its token."""
        for index, (line, kind, value) in enumerate(self._tokens):
            if kind == "data":
                self._text(index, value)
            else:
                self._tag(index, line, kind, value)
        self._end_line()
        kept: dict[int, str] = {}
        for index, start, end in reversed(self._removed):
            text = kept.get(index, self._tokens[index][2])
            kept[index] = text[:start] + text[end:]
        return kept

    def _next_line(self, number: int) -> None:
        self._number = number
        self._blanks: list[tuple[int, int, int]] = []
        self._has_tag = self._has_trace = False
        self._blocks = 0

    def _end_line(self, lines: int = 1) -> None:
        if self._has_tag and not self._has_trace:
            self._removed += self._blanks
        self._next_line(self._number + lines)

    def _text(self, index: int, value: str) -> None:
        start = 0
        while start < len(value):
            end = value.find("\n", start) + 1 or len(value)
            self._has_trace = self._has_trace or not value[start:end].isspace()
            self._blanks.append((index, start, end))
            if value[end - 1] == "\n":
                self._end_line()
            start = end

    def _tag(self, index: int, line: int, kind: str, value: str) -> None:
        if line > self._number:  # a tag with `-` took the line breaks before it
            self._end_line(line - self._number)
        if kind == "variable_begin":
            self._has_trace = True
        elif kind in _BEGINS:
            self._has_tag = True
            self._has_trace = self._has_trace or value[2:3] in ("-", "+")
        elif kind == "name":
            self._name(index, value)
        if kind in _ENDS and value.rstrip()[-3:-2] in ("-", "+"):
            self._has_trace = True
        self._number += value.count("\n")
        if kind in _ENDS and "\n" in value[len(value.rstrip()) :]:  # `-%}` took the rest of its line
            self._end_line(0)

    def _name(self, index: int, value: str) -> None:
        """Take the name of a tag: the first name after its beginning."""
        before = index - 1
        while self._tokens[before][1] == "whitespace":
            before -= 1
        if self._tokens[before][1] != "block_begin":
            return
        self._blocks += value == "block"
        self._has_trace = self._has_trace or value in _PRINTING or (value == "endblock" and self._blocks > 0)


class TrimmingEnvironment(SandboxEnvironment):
    """An environment in which every template says itself how white space is trimmed."""

    @cached_property
    def lexers(self) -> dict[str, Lexer]:
        """The lexer of each rule."""
        plain = self.overlay(trim_blocks=False, lstrip_blocks=False)
        blocks = self.overlay(trim_blocks=True, lstrip_blocks=True)
        return {"lines": LineLexer(plain), "jinja": Lexer(plain), "blocks": Lexer(blocks)}

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        lexer = self.lexers[_trim.get()]
        tokens = lexer.tokenize(self.preprocess(source, name, filename), name, filename, state)
        return TokenStream(counted(tokens), name, filename)


_trim: ContextVar[str] = ContextVar("trim", default=TRIMS[0])


@contextmanager
def trimming(rule: str) -> Iterator[None]:
    """Read templates by one of :data:`TRIMS` inside of this context."""
    token = _trim.set(rule)
    try:
        yield
    finally:
        _trim.reset(token)
