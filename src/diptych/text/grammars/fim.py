"""Fill in the middle: a prompt with text before and after the place to fill, never a chat.

- ``fim-codellama``: ``<PRE> before <SUF>after <MID>``
- ``fim-starcoder``: ``<fim_prefix>before<fim_suffix>after<fim_middle>``
- ``fim-qwen``: ``<|fim_prefix|>before<|fim_suffix|>after<|fim_middle|>``
- ``fim-deepseek``: ``<｜fim▁begin｜>before<｜fim▁hole｜>after<｜fim▁end｜>``
- ``fim-codestral``: ``[SUFFIX]after[PREFIX]before``

A form of a request rather than of a chat: it converts to the ``prompt`` and ``suffix`` of a
Completions body (``completions``) and back; as messages it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...errors import FormatError
from ...format import Format


class Marks(NamedTuple):
    """The marks of a dialect: before the prefix, between, at the end; ``suffix_first``: the order is turned."""

    start: str
    middle: str
    end: str
    suffix_first: bool = False


DIALECTS: Final[dict[str, Marks]] = {
    "fim-codellama": Marks("<PRE> ", " <SUF>", " <MID>"),
    "fim-starcoder": Marks("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    "fim-qwen": Marks("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    "fim-deepseek": Marks("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
    "fim-codestral": Marks("[SUFFIX]", "[PREFIX]", "", True),
}


def dialect_of(text: str) -> str | None:
    """Return the dialect of a text, None where it is no such prompt.

    >>> dialect_of("<fim_prefix>a<fim_suffix>b<fim_middle>")
    'fim-starcoder'
    """
    for name, marks in DIALECTS.items():
        body = text.removeprefix("<s>")
        if body.startswith(marks.start) and marks.middle in body and body.endswith(marks.end):
            return name
    return None


def read_fim(text: str, dialect: str | None = None) -> dict[str, str]:
    """Return ``prompt`` and ``suffix`` of a fill-in-the-middle text. Raises FormatError.

    >>> read_fim("<PRE> def f(): <SUF> return x <MID>")
    {'prompt': 'def f():', 'suffix': ' return x'}
    """
    name = dialect or dialect_of(text)
    marks = DIALECTS.get(name or "")
    if marks is None or (dialect is not None and dialect_of(text) != dialect):
        raise FormatError("this is no fill-in-the-middle prompt", path="$", hint=f"dialects: {', '.join(DIALECTS)}")
    body = text.removeprefix("<s>").removeprefix(marks.start)
    body = body.removesuffix(marks.end) if marks.end else body
    first, _, second = body.partition(marks.middle)
    before, after = (second, first) if marks.suffix_first else (first, second)
    if marks.middle in second:
        raise FormatError("the text holds the mark of the middle twice", path="$")
    return {"prompt": before, "suffix": after}


def write_fim(body: Mapping[str, Any], dialect: str) -> str:
    """Return the text of a Completions body with a ``suffix``. Raises FormatError.

    >>> write_fim({"prompt": "a", "suffix": "b"}, "fim-qwen")
    '<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>'
    """
    marks = DIALECTS.get(dialect)
    prompt, suffix = body.get("prompt"), body.get("suffix") or ""
    if marks is None or not isinstance(prompt, str):
        raise FormatError("a fill-in-the-middle text needs a dialect and a prompt", path="$.prompt")
    for text, path in ((prompt, "$.prompt"), (suffix, "$.suffix")):
        if any(mark.strip() and mark.strip() in text for mark in marks[:3]):
            raise FormatError(f"the text holds a mark of {dialect}", path=path)
    first, second = (suffix, prompt) if marks.suffix_first else (prompt, suffix)
    return marks.start + first + marks.middle + second + marks.end


def convert_fim(value: Any, source: str, target: str) -> Any:
    """Return the other side of a fill-in-the-middle conversion, None where it is none."""
    if isinstance(value, str) and target == "completions":
        dialect = source if source in DIALECTS else dialect_of(value) if source == "auto" else None
        return read_fim(value, dialect) if dialect else None
    if isinstance(value, Mapping) and target in DIALECTS:
        return write_fim(value, target)
    return None


def _refused(_: Any) -> Any:
    raise FormatError(
        "fill-in-the-middle prompts cannot be converted to messages",
        path="$",
        hint="convert it to 'completions': a prompt and its suffix",
    )


def _mapping(dialect: str) -> str:
    written = write_fim({"prompt": "before", "suffix": "after"}, dialect)
    return f"{written} ↔ prompt and suffix of a Completions body"


FORMATS: Final = tuple(Format(name, "text", _mapping(name), _refused, _refused) for name in DIALECTS)
