"""Messages as a list of objects with ``role`` and ``content``, whose contents are texts with holes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .draft import Draft
from .jinja import write_message
from .meaning import HISTORY

Written = Callable[[str, str], str]
Meant = Callable[[str, Mapping[str, Any]], str]


def read_messages(
    messages: list[Any], path: str, draft: Draft, write: Written, mean: Meant, *, content: str = "content"
) -> None:
    """Add messages to the draft: ``write`` returns a text at a path as Jinja, ``mean`` what it says for inputs.

    An object of the type ``placeholder`` is a history. Raises MigrationError for a content that is not text.
    """
    texts: list[tuple[str, str]] = []
    for index, message in enumerate(messages):
        place = f"{path}[{index}]"
        if not isinstance(message, Mapping):
            raise draft.refuse("a message is not an object", place)
        if message.get("type") == "placeholder" and isinstance(message.get("name"), str):
            draft.history(message["name"])
            texts.append((HISTORY, message["name"]))
            continue
        text = message.get(content)
        if not isinstance(text, str):
            raise draft.refuse("a message whose content is not text cannot be migrated", f"{place}.{content}")
        draft.drop(message, ("role", "type", "id", content), place)
        role = draft.role(message.get("role"), f"{place}.role")
        write_message(role, write(text, f"{place}.{content}"), draft, f"{place}.{content}")
        texts.append((role, text))
    draft.meaning = lambda inputs: [
        (role, text) if role == HISTORY else (role, mean(text, inputs).strip("\n")) for role, text in texts
    ]
