"""What the writers of other tools' files share: the tags of a message, plain values, the proof.

Rule: what is written is read back by the layout's own reader and rendered; a difference that no
loss tells is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ...errors import DiptychError, MigrationError
from ...templating.template import Template
from .draft import Draft
from .finish import finish
from .model import Layout, Source
from .proof import samples

MESSAGE: Final = re.compile(r"\{%[-+]?\s*(message|chat|system|developer|user|assistant|tool)\b(.*?)[-+]?%\}", re.DOTALL)
MESSAGE_END: Final = re.compile(r"\{%[-+]?\s*end(message|chat|system|developer|user|assistant|tool)\s*[-+]?%\}")
FIELD: Final = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([\d.]+))")
HISTORY: Final = re.compile(r"\{%[-+]?\s*history\s+(\w+)\s*[-+]?%\}")


def thawed(value: Any) -> Any:
    """Return a frozen value in the types of JSON."""
    if isinstance(value, Mapping):
        return {key: thawed(inner) for key, inner in value.items()}
    return [thawed(inner) for inner in value] if isinstance(value, list | tuple) else value


def prove_back(
    template: Template, text: str, filename: str, layout: Layout, draft: Draft, renamed: Mapping[str, str]
) -> None:
    """Read the file back and compare what both say. Raises MigrationError.

    ``renamed`` are inputs that have another name when they are read back.
    """
    back = Draft(filename)
    layout.read(Source(text, filename), back)
    returned = Template.from_string(finish(back, layout).source)
    for inputs in samples(template):
        given = {renamed.get(name, name): value for name, value in inputs.items()}
        try:
            said, again = template.render(**inputs).messages, returned.render(**given).messages
        except DiptychError:
            continue
        if said != again and _whole(said) == _whole(again):
            draft.lose("$.messages", "message-dropped", "a message that is always blank is none there")
        elif said != again and draft.losses == []:
            raise MigrationError("the file would not say what the template says", path=filename)


def _whole(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages that are not blank."""
    return [one for one in messages if not isinstance(one.get("content"), str) or one["content"].strip()]
