"""banks (2.5): Jinja with ``{% chat role="…" %}``; its engine trims blocks as Diptych's does.

=========================================  ================================================
``{% chat role="user" %}``                 ``{% message role="user" %}``
a text without ``chat`` tags               a prompt
``{{ address|image }}``, ``|audio`` …      ``{% image address %}`` …; files beside it are inputs
``|cache_control(…)``                      the text; the mark is lost
white space around a text or part          layout, as there
text beside the ``chat`` tags              lost there too: refused, so that somebody sees it
``{% completion %}``, ``{% generate %}``   refused: they call a model
``|tool``, ``|lemmatize``, ``|to_xml``     refused: code outside of the template
``{{ canary_word }}``                      an input, which banks would make up
=========================================  ================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .draft import Draft
from .jinja import keep_json, plain_renderer
from .model import Layout, Source
from .reading import split_front

_CHAT: Final = re.compile(r"\{%([-+]?)\s*chat\s+role\s*=\s*([\"'])(\w+)\2\s*([-+]?)%\}\s*")
_END: Final = re.compile(r"\s*\{%([-+]?)\s*endchat\s*([-+]?)%\}")
_MEDIA: Final = re.compile(r"\s*\{\{-?\s*([^{}|]+?)\s*\|\s*(image|audio|document|video)(?:\([^)]*\))?\s*-?\}\}\s*")
_CACHED: Final = re.compile(r"\s*\|\s*cache_control(?:\([^)]*\))?")
_REFUSED: Final = {
    r"\{%-?\s*(completion|generate)\b": "the template calls a model, which a Diptych template does not",
    r"\|\s*(tool|lemmatize|to_xml)\b": "the filter is code outside of the template, and not in Diptych's sandbox",
    r"\|\s*(video)\b": "a video has no place in a message of Chat",
}
_PARTS: Final = {"image": "image", "audio": "audio", "document": "file"}


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a banks template. Raises MigrationError."""
    meta, body = split_front(source.text, source.filename)
    draft.drop(meta, ())
    read_body(body, draft, source.text.count("\n", 0, len(source.text) - len(body)))


def read_body(body: str, draft: Draft, line: int = 0) -> None:
    """Fill the draft from a body that stands behind so many lines. Raises MigrationError."""
    for pattern, reason in _REFUSED.items():
        if found := re.search(pattern, body):
            place = line + body.count("\n", 0, found.start()) + 1
            raise draft.refuse(f"{found[1]}: {reason}", place)
    if _CACHED.search(body):
        draft.lose("$.messages", "field-dropped", "cache_control: a mark for another API")
        body = _CACHED.sub("", body)
    draft.strips_data = True
    if not _MEDIA.search(body):
        draft.meaning = _meaning(body)
    body = _MEDIA.sub(lambda found: f"{{% {_PARTS[found[2]]} {found[1]} %}}", body)
    body = _CHAT.sub(lambda found: _opened(found, draft), body)
    draft.prompt(_END.sub(r"{%\1 endmessage \2%}", keep_json(body)))


def _opened(found: re.Match[str], draft: Draft) -> str:
    return f'{{%{found[1]} message role="{draft.role(found[3])}" {found[4]}%}}'


def _meaning(body: str) -> Any:
    """Return what banks makes of a body: messages at its tags, their texts stripped."""
    marked = _END.sub("\x01", _CHAT.sub(lambda found: f"\x00{found[3]}\x02", body))

    def meaning(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        rendered = plain_renderer(marked, trims=True)(inputs)
        if "\x00" not in marked:
            return [("user", rendered)]
        return [(found[1], found[2].strip()) for found in re.finditer(r"\x00([^\x02]*)\x02([^\x01]*)\x01", rendered)]

    return meaning


def _is_certain(source: Source) -> bool:
    return _CHAT.search(source.text) is not None and source.name.endswith((".jinja", ".jinja2", ".j2", ".txt", ".md"))


LAYOUT: Final = Layout(
    "banks", read, _is_certain, lambda source: _CHAT.search(source.text) is not None, rank=60, oracle="banks 2.5.1"
)
