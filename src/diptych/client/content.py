"""The content of a message: a text, or a list of parts, as a whole or in chunks.

Rule: texts are joined, and other parts (reasoning, images, references) are kept as they
came, in their place. A content of texts alone is one text, however it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidResponse

#: Types of parts that are text; servers other than Chat name them as the Responses API does.
_TEXTS = ("text", "output_text")


class Content:
    """Add contents; ``text`` is the text of all, ``value`` what a message holds.

    >>> content = Content()
    >>> content.add("Hi"), content.add([{"type": "text", "text": " there"}])
    ('Hi', ' there')
    >>> content.value
    'Hi there'
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._parts: list[str | Mapping[str, Any]] = []
        self._has_others = False

    def add(self, content: Any) -> str:
        """Take a content and return its text. Raises InvalidResponse where it is neither text nor parts."""
        if content is None:
            return ""
        if isinstance(content, str):
            self._texts.append(content)
            self._parts.append(content)
            return content
        if not isinstance(content, list):
            raise InvalidResponse("the content of a message is neither a string nor a list of parts")
        return "".join([self._part(part) for part in content])

    def _part(self, part: Any) -> str:
        if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
            raise InvalidResponse("a part of a content is not an object with a type")
        if part["type"] not in _TEXTS:
            self._has_others = True
            self._parts.append(part)
            return ""
        return self.add(_text_of(part))

    @property
    def text(self) -> str:
        """All texts, joined."""
        return "".join(self._texts)

    @property
    def value(self) -> str | list[Any]:
        """The text, or where there are other parts a list of all parts, texts in a row joined."""
        if not self._has_others:
            return self.text
        parts: list[Any] = []
        for part in self._parts:
            if isinstance(part, str) and parts and parts[-1]["type"] == "text":
                parts[-1] = {"type": "text", "text": parts[-1]["text"] + part}
            elif part:
                parts.append({"type": "text", "text": part} if isinstance(part, str) else part)
        return parts


def _text_of(part: Mapping[str, Any]) -> str:
    text = part.get("text")
    if not isinstance(text, str):
        raise InvalidResponse("a text part of a content has no text")
    return text
