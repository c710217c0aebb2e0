"""promptfoo's chat prompts: a JSON or YAML list of messages with ``{{name}}`` holes.

====================================  ====================================================
``[{"role": …, "content": …}]``       messages
``{{ name }}`` in a content           ``{{ name }}``; promptfoo parses the list first and fills
                                      in each text then (``renderVarsInObject``)
``{name}``, ``$name``                 text; ambiguous, for other tools fill these in
other tags of Nunjucks                refused: they are not Jinja's
content that is not text              refused
other fields of a message             lost
====================================  ====================================================

A value that is not a text prints as Jinja prints it; Nunjucks prints lists and objects another way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .draft import Draft
from .model import Layout, Source
from .pieces import Piece, write

_HOLE: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_TAG: Final = re.compile(r"\{\{|\{%|\{#")
_FOREIGN: Final = re.compile(r"(?<!\{)\{[A-Za-z_]\w*\}(?!\})|\$\{?[A-Za-z_]\w*")


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a list of messages. Raises MigrationError."""
    messages = _messages(source)
    if not messages:
        raise draft.refuse("the file holds no list of messages")
    texts = [_content(message, f"$[{index}]", draft) for index, message in enumerate(messages)]
    for role, text in texts:
        draft.message(role, _jinja(text, draft))
    if any(text != text.strip("\n") for _, text in texts):
        draft.lose("$", "trimmed", "line breaks at the ends of a message are layout")
    draft.meaning = lambda inputs: [(role, _meaning(text, inputs).strip("\n")) for role, text in texts]


def _messages(source: Source) -> list[Any]:
    if not source.name.endswith((".json", ".yaml", ".yml")):
        return []
    value = source.value
    return value if isinstance(value, list) and all(map(_is_message, value)) else []


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and {"role", "content"} <= value.keys()


def _content(message: Mapping[str, Any], place: str, draft: Draft) -> tuple[str, str]:
    content = message["content"]
    if not isinstance(content, str):
        raise draft.refuse("a message whose content is not text cannot be migrated", f"{place}.content")
    if _TAG.search(_HOLE.sub("", content)):
        hint = "write it in Jinja by hand: its tags are much alike"
        raise draft.refuse("a tag of Nunjucks that is more than a name", f"{place}.content", hint=hint)
    if found := _FOREIGN.search(content):
        draft.doubt(f"{draft.filename}: {place}.content: {found[0]} is text for promptfoo and a hole for other tools")
    draft.drop(message, ("role", "content"), place)
    return draft.role(message["role"], f"{place}.role"), content


def _jinja(text: str, draft: Draft) -> str:
    pieces, last = [], 0
    for found in _HOLE.finditer(text):
        name = draft.input_name(found[1])
        pieces += [Piece("text", text[last : found.start()]), Piece("print", f"{{{{ {name} }}}}")]
        last = found.end()
    return write([*pieces, Piece("text", text[last:])])


def _meaning(text: str, inputs: Mapping[str, Any]) -> str:
    return _HOLE.sub(lambda found: str(inputs[found[1]]), text)


def _is_likely(source: Source) -> bool:
    return bool(_messages(source))


LAYOUT: Final = Layout("promptfoo", read, lambda _: False, _is_likely, rank=40, is_lenient=True)
