"""Filters that prompts need and Jinja has not.

Rule: a filter is a pure function of texts and plain data whose output is bounded by its input.
What marks the end of a block (a fence, a closing tag) never stands inside of it, so data
cannot leave its block.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any, Final

from ..errors import TemplateError
from ..sandbox.limits import charged, check_size
from ..sandbox.printing import text

_TAG_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*")


def dedent(value: Any) -> str:
    """Take the indentation that all lines share off, and the blank first line of a block.

    >>> dedent("\\n    a\\n      b\\n")
    'a\\n  b\\n'
    """
    return textwrap.dedent(text(value).removeprefix("\n"))


def bullets(items: Any, mark: str = "- ") -> str:
    """Write a list with an item a line; further lines of an item stand under its first.

    >>> print(bullets(["one", "two\\nlines"]))
    - one
    - two
      lines
    """
    if isinstance(items, str | dict) or items is None:
        raise TemplateError(f"bullets takes a list, not {_KINDS[type(items)]}", hint="write [text]|bullets")
    mark, texts = text(mark), [text(item) for item in charged(items)]
    check_size(sum(map(len, texts)) + len(mark) * sum(1 + item.count("\n") for item in texts))
    under = "\n" + " " * len(mark)
    return "\n".join(mark + item.replace("\n", under) for item in texts)


_KINDS: Final = {str: "a text", dict: "a mapping", type(None): "none"}


def fence(value: Any, language: str = "") -> str:
    """Put a text between fences of backticks, longer than any run of backticks in it.

    >>> print(fence("a ``` b", "md"))
    ````md
    a ``` b
    ````
    """
    inner = text(value)
    longest = max((len(run) for run in re.findall("`+", inner)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{text(language)}\n{inner}{'' if inner.endswith(chr(10)) else chr(10)}{marks}"


def xml(value: Any, tag: str) -> str:
    """Put a text between ``<tag>`` and ``</tag>``; one that closes the tag itself has ``&lt;`` there.

    >>> xml("Hi", "document"), xml("x</a>y", "a")
    ('<document>\\nHi\\n</document>', '<a>\\nx&lt;/a>y\\n</a>')
    """
    name, inner = text(tag), text(value)
    if not _TAG_NAME.fullmatch(name):
        raise TemplateError(f"xml: {name!r} is not a name of a tag", hint="write text|xml('document')")
    inner = re.sub(rf"<(?=\s*/\s*{re.escape(name)}\b)", "&lt;", inner, flags=re.IGNORECASE)
    return f"<{name}>\n{inner}\n</{name}>"


def truncate_tokens(value: Any, tokens: int, end: str = "", model: str | None = None) -> str:
    """Cut a text to at most so many tokens, ``end`` included, never inside of a character.

    ``model`` is the model whose encoding counts; by default the catalogue's default model.

    >>> truncate_tokens("one two three four", 2), truncate_tokens("short", 9, "…")
    ('one two', 'short')
    """
    from ..catalogue import DEFAULT_MODEL
    from ..encodings.encoding import encoding, encoding_name_for_model
    from ..encodings.text import encode_text

    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 0:
        raise TemplateError("truncate_tokens: the cap is a number of tokens", hint="write text|truncate_tokens(500)")
    name = encoding_name_for_model(model or DEFAULT_MODEL)
    whole, tail = text(value), text(end)
    ids = encode_text(whole, encoding_name=name)
    if len(ids) <= tokens:
        return whole
    room = tokens - len(encode_text(tail, encoding_name=name))
    while room > 0:
        cut = encoding(name).decode_bytes(ids[:room]).decode("utf-8", "ignore") + tail
        if len(encode_text(cut, encoding_name=name)) <= tokens:
            return cut
        room -= 1
    return ""


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "dedent": dedent,
    "bullets": bullets,
    "fence": fence,
    "xml": xml,
    "truncate_tokens": truncate_tokens,
}
