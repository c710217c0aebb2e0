"""A request as every API means it: a conversation, a model, parameters by their neutral names.

Rule: frozen and comparable, like :mod:`diptych.model`. Parameters go by the names of the Chat
API, which most servers share; what only one API says stands in ``native`` under its name.
Source: the OpenAI API specification (openapi.json, read 2026-11-23).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from .format import Writing
from .model import EMPTY, Conversation, FrozenMap
from .views.card import Card
from .views.shown import Shown
from .views.wire import conversation_talk

#: The APIs whose bodies are built, sent, answered and bridged.
Api = Literal["chat", "completions", "responses", "anthropic", "gemini", "bedrock", "ollama"]


class Request(Shown):
    """What a call asks for, in no API's shape. A rendered template is one.

    ``params`` maps neutral names to JSON values: ``temperature``, ``max_tokens``, ``stop``,
    ``seed``, ``n``, ``stream`` … ``native`` maps the name of an API to the fields of its body
    that have no neutral meaning.

    >>> from diptych.model import Message
    >>> Request(Conversation((Message("user", "Hi"),)), model="gpt-4o").model
    'gpt-4o'
    """

    __slots__ = ("_fields",)
    _fields: tuple[Conversation, str | None, FrozenMap, FrozenMap]

    def __init__(
        self,
        conversation: Conversation,
        *,
        model: str | None = None,
        params: Mapping[str, Any] = EMPTY,
        native: FrozenMap = EMPTY,
    ) -> None:
        object.__setattr__(self, "_fields", (conversation, model, FrozenMap(params), native))

    @property
    def conversation(self) -> Conversation:
        """The messages, tools and response format."""
        return self._fields[0]

    @property
    def model(self) -> str | None:
        """The model that is asked."""
        return self._fields[1]

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters, by their neutral names."""
        return self._fields[2]

    @property
    def native(self) -> FrozenMap:
        """What only one API says, by the API's name."""
        return self._fields[3]

    def replace(self, **changes: Any) -> Request:
        """Return a copy with another ``model``, ``params`` or ``native``, or other fields of the conversation.

        >>> Request(Conversation(), model="a").replace(model="b").model
        'b'
        """
        own = {name: changes.pop(name, getattr(self, name)) for name in ("model", "params", "native")}
        conversation = replace(self.conversation, **changes) if changes else self.conversation
        return Request(conversation, **own)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Request cannot be changed", name=name, obj=self)

    def __eq__(self, other: object) -> bool:
        return self._fields == other._fields if isinstance(other, Request) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._fields)

    def _card(self) -> Card:
        tools = ", ".join(tool.name for tool in self.conversation.tools)
        facts = {"model": self.model, "tools": tools, **self.params}
        return Card("Request", facts, [conversation_talk(self.conversation, "")])

    def __repr__(self) -> str:
        return f"Request{self._fields!r}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_request, self._fields)

    @property
    def is_chat(self) -> bool:
        """Whether it was written as messages; False where it was written as a prompt."""
        return True

    def wire_messages(self) -> list[dict[str, Any]] | None:
        """Return the messages in the shape of Chat where they are made already, else None."""
        return None

    def write_prompt(self) -> Writing | None:
        """Return the prompt that the request was written as, or whose format it names, else None."""
        return None


def _request(conversation: Conversation, model: str | None, params: FrozenMap, native: FrozenMap) -> Request:
    """Rebuild a pickled request."""
    return Request(conversation, model=model, params=params, native=native)
