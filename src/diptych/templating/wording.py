"""Syntax errors of Jinja in plain words: what is wrong, where it begins, and what to write.

Rule: Jinja stops where its parser could not go on, which is often the end of the file. What people
look for is the tag that was never closed, the brace that meant JSON, the word of another language.
Each pattern here rewrites one message; what none of them knows stays as Jinja said it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import jinja2

from ..sandbox.mistakes import Mistake
from ..suggest import closest

TAGS: Final = (
    "if", "elif", "else", "for", "set", "macro", "call", "filter", "block", "include", "extends", "import", "from",
    "with", "raw", "break", "continue", "message", "system", "developer", "user", "assistant", "tool", "history",
    "image", "audio", "file", "tool_call",
)  # fmt: skip
_BLOCKS: Final = frozenset({
    "if", "for", "macro", "call", "filter", "block", "with", "message", "chat", "system", "developer", "user",
    "assistant", "tool", "raw", "autoescape",
})  # fmt: skip
_NAMES: Final = {
    "end of print statement": "}}", "end of statement block": "%}", "begin of print statement": "{{",
    "begin of statement block": "{%", "end of comment": "#}",
}  # fmt: skip
#: What stands in a line, what it means, and what to write.
_FOREIGN: Final = (
    (r"(\{\{\s*#(?:if|each|unless|with)\b)", "this is Handlebars", "write {% if x %} … {% endif %} or {% for %}"),
    (r"(\{\{\s*>)", "this is a partial of Handlebars or Mustache", "write {% include 'name' %}"),
    (r"(\{\{\s*[#^/])", "this is a section of Handlebars or Mustache", "write {% if x %} or {% for i in x %}"),
    (
        r"(\{\{\s*[\"'])[^\"']*[\"']\s*:", "the braces of JSON begin an expression here",
        "put literal JSON between {% raw %} and {% endraw %}",
    ),
    (r"(\{\{\{)", "three braces are Handlebars", "write {{ x }}: nothing is escaped here"),
    (r"(\belse\s+if\b)", "'else if' is not a tag", "write {% elif … %}"),
    (r"\{%-?\s*(elseif|elsif)\b", "'elseif' is not a tag", "write {% elif … %}"),
    (r"(\$\w+)", "a name has no $ here", "write the bare name"),
    (r"(&&|\|\|)", "this operator is of another language", "write and, or, not"),
    (r"(\?\.)", "this operator is of another language", "ask with {% if x.y is defined %}"),
    (r"\b(f['\"])", "f-strings are Python", "join texts with ~"),
)  # fmt: skip


def reworded(mistake: Mistake, body: str) -> Mistake:
    """Return a mistake of Jinja's parser in plain words, with the place that a person would look at."""
    for pattern, words in _PATTERNS:
        if found := re.search(pattern, mistake.message):
            return words(mistake, found, body)
    return mistake


def tag_mistake(message: str, tag: str, line: int) -> Mistake:
    """Return a mistake whose place is a tag in a line."""
    return Mistake(message, None, line, rf"\{{%[-+]?\s*({re.escape(tag)})\b")


def _line(mistake: Mistake, body: str) -> str:
    lines = body.split("\n")
    return lines[mistake.line - 1] if mistake.line and mistake.line <= len(lines) else ""


def _foreign(mistake: Mistake, body: str) -> Mistake | None:
    line = _line(mistake, body)
    for pattern, message, hint in _FOREIGN:
        if (found := re.search(pattern, line)) and "{%" + "raw" not in line:
            shown = "" if found[1] in message else f": {found[1]}"
            return Mistake(message + shown, hint, mistake.line, pattern)
    return None


def _unclosed(mistake: Mistake, _: re.Match[str], body: str) -> Mistake:
    opened = list(open_tags(body))
    if not opened:
        return mistake
    line, tag = opened[-1]
    pattern = rf"\{{%[-+]?\s*({re.escape(tag)})\b"
    if tag == "set":
        hint = "write {% set x = … %}, or close the block with {% endset %}"
    else:
        hint = f"close it with {{% end{tag} %}}"
    return Mistake(f"{{% {tag} %}} is not closed", hint, line, pattern)


def open_tags(body: str) -> Iterator[tuple[int, str]]:
    """Yield the tags that are never closed, the outermost first, with their lines."""
    stack: list[tuple[int, str]] = []
    try:
        for line, tag, is_block in _tags(body):
            if tag.startswith("end"):
                if stack and stack[-1][1] == tag[3:]:
                    stack.pop()
            elif is_block:
                stack.append((line, tag))
    except jinja2.TemplateSyntaxError:
        pass
    yield from stack


def _tags(body: str) -> Iterator[tuple[int, str, bool]]:
    tokens = [token for token in jinja2.Environment().lexer.tokeniter(body, None) if token[1] != "whitespace"]  # noqa: S701
    for index, (line, kind, _) in enumerate(tokens):
        if kind != "block_begin" or index + 1 >= len(tokens):
            continue
        tag = tokens[index + 1][2]
        is_set_block = tag == "set" and not any(
            value == "=" for _, kind, value in tokens[index + 2 : index + 5] if kind == "operator"
        )
        yield line, tag, tag in _BLOCKS or is_set_block


def _unknown(mistake: Mistake, found: re.Match[str], body: str) -> Mistake:
    tag = found[1]
    pattern = rf"\{{%[-+]?\s*({re.escape(tag)})\b"
    if foreign := _foreign(mistake, body):
        return foreign
    inner = re.search(r"block that needs to be closed is '(\w+)'", mistake.message)
    if tag.startswith("end"):
        if inner:
            message = f"{{% {tag} %}} does not close {{% {inner[1]} %}}"
            return Mistake(message, f"close it with {{% end{inner[1]} %}} first", mistake.line, pattern)
        if tag == "end":
            return Mistake("{% end %} is not a tag", "say what ends: {% endif %}, {% endfor %}", mistake.line, pattern)
        return Mistake(f"{{% {tag} %}} closes nothing", "take it out, or open it before", mistake.line, pattern)
    if tag in ("elif", "else"):
        return Mistake(f"{{% {tag} %}} stands outside of an if", "open it with {% if … %}", mistake.line, pattern)
    close = closest(tag, TAGS)
    hint = f"did you mean {close!r}?" if close else f"the tags are {', '.join(TAGS)}"
    return Mistake(f"there is no tag {tag!r}", hint, mistake.line, pattern)


def _expected(mistake: Mistake, found: re.Match[str], body: str) -> Mistake:
    if foreign := _foreign(mistake, body):
        return foreign
    wanted, got = (_NAMES.get(word, word) for word in found.groups())
    line = mistake.line
    if wanted in ("}}", "%}") and got == "=":
        return Mistake("= sets a value; it does not compare", "compare with ==", line, r"[^=!<>](=)[^=]")
    if wanted == "in" and got:
        return Mistake(
            f"a loop needs 'in', not {got!r}", "write {% for i in items %}", line, rf"\b({re.escape(got)})\b"
        )
    if wanted == "name" and got == "}}":
        return Mistake("a filter's name is missing after |", "write {{ x | upper }}", line, r"(\|)\s*[-+]?\}\}")
    if wanted == "}}":
        hint = "join texts with ~, call a function with ( ), end the expression with }}"
        shown = f"a {got}" if got in ("string", "integer", "float", "name") else repr(got)
        return Mistake(f"{shown} was not expected here", hint, line, rf"\s({re.escape(got)})(?!\w)")
    if wanted == "%}":
        return Mistake(
            f"the tag should end before {got!r}", "write one statement in a tag", line, rf"\s({re.escape(got)})(?!\w)"
        )
    return Mistake(f"expected {wanted!r}, got {got!r}", mistake.hint, line, rf"({re.escape(got)})")


def _character(mistake: Mistake, found: re.Match[str], body: str) -> Mistake:
    if foreign := _foreign(mistake, body):
        return foreign
    character = found[1]
    hints = {
        **dict.fromkeys("\"'", "close the text with the quote that opened it"),
        "}": "an expression ends with two braces: }}",
        "?": "write {{ a if b else c }}, or x is defined",
    }
    hint = hints.get(character, "an expression holds names, texts, numbers and operators")
    if character in "\"'":
        return Mistake("a text is not closed", hint, mistake.line, rf"({re.escape(character)})")
    return Mistake(
        f"{character!r} was not expected here", hint, mistake.line, rf"\{{[{{%][^}}]*?({re.escape(character)})"
    )


def _ended(mistake: Mistake, found: re.Match[str], body: str) -> Mistake:
    closing = _NAMES.get(found[1], found[1])
    opening = {"}}": "{{", "%}": "{%", "#}": "{#"}.get(closing, closing)
    last = body.rfind(opening)
    line = body.count("\n", 0, last) + 1 if last >= 0 else mistake.line
    return Mistake(f"{opening} is not closed", f"close it with {closing}", line, rf".*({re.escape(opening)})")


def _missing(mistake: Mistake, _: re.Match[str], body: str) -> Mistake:
    if foreign := _foreign(mistake, body):
        return foreign
    if mistake.message == "expected name or number":
        return Mistake("a name is missing after the dot", "write x.name", mistake.line, r"(\.)\s*[-+]?[%}]\}")
    hint = "finish the expression, as in {{ x }}, {% if x %} or {% include 'name' %}"
    return Mistake("something is missing here", hint, mistake.line, r"(\{[{%][^{}]*[%}]\})")


def _raw(mistake: Mistake, _: re.Match[str], body: str) -> Mistake:
    line = body.count("\n", 0, body.rfind("raw")) + 1
    return mistake._replace(
        message="{% raw %} is not closed", hint="close it with {% endraw %}", line=line, pattern=r"\{%[-+]?\s*(raw)\b"
    )


_PATTERNS: Final[tuple[tuple[str, Callable[[Mistake, re.Match[str], str], Mistake]], ...]] = (
    (r"Unexpected end of template", _unclosed),
    (r"Missing (end of comment)", _ended),
    (r"Missing end of raw", _raw),
    (r"unknown tag '([^']*)'", _unknown),
    (r"unexpected end of template, expected '([^']*)'", _ended),
    (r"expected token '([^']*)', got '([^']*)'", _expected),
    (r"unexpected char ['\"](.)['\"]", _character),
    (r"^unexpected '(\})'", _character),
    (r"^(?:unexpected '|expected name or number|Expected an expression)", _missing),
)


#: What Python says of a value that an expression cannot use, and the same in words of templates.
_RUN: Final = (
    (r"'(\w+)' object is not iterable", "{0} cannot be looped over", "ask first: {{% if x %}}, or write (x or [])"),
    (r"object of type '(\w+)' has no len\(\)", "{0} has no length", "ask first: {{% if x %}}, or write (x or [])"),
    (r"'(\w+)' object is not callable", "{0} cannot be called", "leave the ( ) out"),
    (r"'(\w+)' object is not subscriptable", "{0} has no items", "look the input up that has them"),
    (r"type (\w+) doesn't define __round__ method", "{0} cannot be rounded", "write x|float|round"),
    (
        r"unsupported operand type\(s\) for (\S+): '(\w+)' and '(\w+)'", "{1} {0} {2} cannot be computed",
        "join texts with ~; turn a text into a number with |int or |float",
    ),
    (
        r"can only concatenate (\w+) \(not \"(\w+)\"\)", "{0} + {1} cannot be computed",
        "join texts with ~; turn a text into a number with |int or |float",
    ),
    (
        r"'(\S+)' not supported between instances of '(\w+)' and '(\w+)'", "{1} {0} {2} cannot be compared",
        "turn a text into a number with |int or |float",
    ),
)  # fmt: skip
_KINDS: Final = {
    "NoneType": "none", "int": "an integer", "float": "a number", "Decimal": "a number", "bool": "a boolean",
    "str": "a text", "Traced": "a text", "Moment": "a text", "list": "a list", "tuple": "a list", "Record": "a list",
    "dict": "a mapping",
}  # fmt: skip


def run_words(message: str) -> tuple[str, str] | None:
    """Return what Python says of a value in words of templates, with the way out; None where it is not known.

    >>> run_words("'NoneType' object is not iterable")[0]
    'none cannot be looped over'
    """
    for pattern, words, hint in _RUN:
        if found := re.match(pattern, message):
            return words.format(*(_KINDS.get(word, word) for word in found.groups())), hint.format()
    return None
