"""A reply that the request has begun: some servers (llama.cpp) say its beginning again.

Rule: where an answer begins with the text that the request ended with, that text is left out, since a client
puts the two together. What does not begin so is passed on as it is; a stream holds back no more than the
beginning that may still come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..response import Event


def begun_reply(body: Mapping[str, Any]) -> str:
    """Return the text of the last message of a Chat body where it is the assistant's, else "".

    >>> begun_reply({"messages": [{"role": "user", "content": "Go"}, {"role": "assistant", "content": "One,"}]})
    'One,'
    """
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, Mapping) or last.get("role") != "assistant":
        return ""
    content = last.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def without_begun(answer: Mapping[str, Any], begun: str) -> Mapping[str, Any]:
    """Return a whole answer of Chat whose messages do not say the beginning again.

    >>> answer = {"choices": [{"message": {"content": "One, two"}}]}
    >>> without_begun(answer, "One,")["choices"][0]["message"]["content"]
    ' two'
    """
    if not begun.strip():
        return answer
    return {**answer, "choices": [_shortened(choice, begun) for choice in answer.get("choices") or ()]}


def _shortened(choice: Mapping[str, Any], begun: str) -> Mapping[str, Any]:
    message = choice.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    if not isinstance(content, str) or not content.startswith(begun):
        return choice
    assert isinstance(message, Mapping)
    return {**choice, "message": {**message, "content": content[len(begun) :]}}


class BegunFilter:
    """Leaves the beginning of a reply out of a stream: feed it events, get events.

    >>> texts = BegunFilter("One,")
    >>> [event.text for piece in ("On", "e, ", "two") for event in texts.feed(Event("text", text=piece))]
    [' ', 'two']
    """

    def __init__(self, begun: str) -> None:
        self._begun = begun
        self._held: dict[int, list[Event]] = {}
        self._done: set[int] = set()

    def feed(self, event: Event) -> list[Event]:
        """Take an event; return those that may go on."""
        choice = event.choice
        if choice in self._done or event.kind in ("head", "start", "usage", "error"):
            return [event]
        if event.kind != "text":
            self._done.add(choice)
            return [*self._held.pop(choice, ()), event]
        held = self._held.setdefault(choice, [])
        held.append(event)
        text = "".join(one.text for one in held)
        if text.startswith(self._begun):
            self._done.add(choice)
            del self._held[choice]
            rest = text[len(self._begun) :]
            return [event._replace(text=rest)] if rest else []
        if self._begun.startswith(text):
            return []
        self._done.add(choice)
        return self._held.pop(choice)
