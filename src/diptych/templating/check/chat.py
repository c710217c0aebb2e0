"""A model's chat template under check: rendered with small conversations, and what comes out is looked at.

Rule: no family and no marker is known here. A property is shown by a rendering, which the finding holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...errors import DiptychError, FormatError, Location, ResourceLimit, TemplateError
from ...sandbox.chat_template import ChatTemplate
from ...sandbox.gguf import read_metadata
from ...sandbox.limits import Limits
from .finding import Finding

#: Caps of a probe: a conversation of three messages is rendered in a few milliseconds.
_LIMITS: Final = Limits(seconds=2.0, output=200_000, work=100_000)
_OURS: Final = re.compile(r"\A---\r?\n|\{%[-+]?\s*(?:message|chat|system|developer|user|assistant|tool|history)\b")
_THEIRS: Final = re.compile(r"\bin\s+(?:messages|loop_messages)\b|\bmessages\s*\[")
_TOKEN_KEYS: Final = ("tokenizer.chat_template", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id")

USER: Final = {"role": "user", "content": "Uq1"}
ASSISTANT: Final = {"role": "assistant", "content": "Aq1"}
AGAIN: Final = {"role": "user", "content": "Uq2"}
LAST: Final = {"role": "assistant", "content": "Aq2"}
TOOL: Final = {
    "type": "function",
    "function": {
        "name": "fq",
        "description": "d",
        "parameters": {"type": "object", "properties": {"aq": {"type": "string"}}, "required": ["aq"]},
    },
}


class Rendering(NamedTuple):
    """What a template made of messages, or why it refused them."""

    text: str | None
    error: DiptychError | None = None

    def shown(self, around: str = "") -> str:
        """Return the rendering, or the part of it around a text, as one line."""
        if self.text is None:
            return f"refused: {self.error.message if self.error else ''}"[:160]
        at = max(0, self.text.find(around) - 40) if around else max(0, len(self.text) - 120)
        return f"rendered: {self.text[at : at + 120]!r}"


@dataclass
class ChatSubject:
    """A chat template; ``file`` is its name in messages, ``problem`` why there is no source."""

    file: str
    source: str
    special: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @cached_property
    def template(self) -> ChatTemplate | TemplateError:
        """The template, or the error that keeps it from loading."""
        if self.problem is not None:
            return TemplateError(self.problem)
        special = {"bos_token": "<s>", "eos_token": "</s>", **self.special}
        try:
            return ChatTemplate(self.source, limits=_LIMITS, **special)
        except TemplateError as error:
            return error

    def render(self, messages: Sequence[Any], **options: Any) -> Rendering:
        """Return what the template makes of messages; the same question is answered once."""
        key = json.dumps([messages, options], sort_keys=True)
        if key not in self._known:
            self._known[key] = self._rendered(messages, options)
        return self._known[key]

    @cached_property
    def _known(self) -> dict[str, Rendering]:
        return {}

    def _rendered(self, messages: Sequence[Any], options: dict[str, Any]) -> Rendering:
        if not isinstance(self.template, ChatTemplate):
            return Rendering(None, self.template)
        try:
            return Rendering(self.template.render(messages, **options))
        except DiptychError as error:
            return Rendering(None, error)

    @property
    def works(self) -> bool:
        """Whether one user message is rendered with its text: other properties mean nothing without that."""
        return "Uq1" in (self.render([USER]).text or "")

    @cached_property
    def takes_tools(self) -> bool:
        """Whether a tool that is offered shows in the rendering."""
        return "fq" in (self.render([USER], tools=[TOOL], add_generation_prompt=True).text or "")

    def at(self, *words: str) -> Location:
        """Return the place of the first of these patterns in the source, else its beginning."""
        for word in words:
            if found := re.search(word, self.source):
                number = self.source.count("\n", 0, found.start()) + 1
                start = self.source.rfind("\n", 0, found.start()) + 1
                line = self.source[start:].split("\n", 1)[0]
                column = found.start() - start + 1
                shown = line if len(line) <= 160 else line[max(0, column - 80) : column + 80]
                moved = column - max(0, column - 80) if len(line) > 160 else column
                return Location(self.file, number, column, shown if moved == column else "", max(1, len(found[0])))
        line = self.source.split("\n", 1)[0]
        return Location(self.file, 1, 1, line if len(line) <= 160 else "", 1)

    def found(self, code: str, message: str, place: Location, shown: Rendering | str, hint: str) -> Iterator[Finding]:
        """Yield one finding with the rendering that shows it."""
        seen = shown if isinstance(shown, str) else shown.shown()
        yield Finding(code, message, place, f"{hint}; {seen}")


def is_too_much(rendering: Rendering) -> bool:
    """Tell whether a cap ended a rendering."""
    return isinstance(rendering.error, ResourceLimit)


def is_chat_template(text: str) -> bool:
    """Tell whether a text is a model's chat template and not a template of ours.

    >>> is_chat_template("{% for m in messages %}{{ m.content }}{% endfor %}"), is_chat_template("{{ messages }}")
    (True, False)
    """
    return bool(_THEIRS.search(text)) and not _OURS.search(text)


def chat_templates_of(path: Path) -> list[ChatSubject]:
    """Return the chat templates of a ``tokenizer_config.json`` or a GGUF file. Raises FormatError if damaged."""
    shown = path.as_posix()
    if path.suffix == ".gguf":
        found, special = read_metadata(path, _TOKEN_KEYS).get(_TOKEN_KEYS[0]), dict[str, str]()
    else:
        found, special = _configured(path)
    if found is None:
        return []
    named = list(map(_named, found)) if isinstance(found, list) else [("", found)]
    return [_subject(f"{shown}#{name}" if name else shown, source, special) for name, source in named]


def _subject(file: str, source: Any, special: dict[str, str]) -> ChatSubject:
    if isinstance(source, str):
        return ChatSubject(file, source, special)
    return ChatSubject(file, "", special, f"chat_template is {_kind(source)}, not a text")


def _configured(path: Path) -> tuple[Any, dict[str, str]]:
    """Return what a configuration has as chat template, and its special tokens."""
    try:
        config = json.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 text (byte {error.start})") from None
    except ValueError as error:
        raise FormatError(f"not JSON: {error}") from None
    if not isinstance(config, dict):
        raise FormatError(f"the file holds {_kind(config)}, not an object")
    tokens = {
        key: one.get("content") if isinstance(one, dict) else one for key, one in config.items() if "_token" in key
    }
    return config.get("chat_template"), {key: one for key, one in tokens.items() if isinstance(one, str)}


def _named(one: Any) -> tuple[str, Any]:
    """Return the name and the source of an item of a list of chat templates."""
    return (str(one.get("name")), one.get("template")) if isinstance(one, dict) else ("?", one)


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else kinds.get(type(value), "a text")
