"""Chunks add up to a reply: one choice at a time, whatever the server leaves out.

Rule: a stream is complete when every choice that was asked for has its finish
reason; ``[DONE]`` only corroborates, since some servers never send it and others
send it early. A whole body is one chunk whose choices are finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import InvalidResponse
from .replies import Api, Choice, Delta, Usage

_HEAD: Final = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
#: A message that holds no more than these needs no closer look.
_PLAIN: Final = frozenset({"role", "content"})
#: Names under which servers send the reasoning of a model.
_REASONING: Final = ("reasoning_content", "reasoning")


class Accumulator:
    """Add chunks, get deltas; ``choices()`` is what they add up to.

    >>> sum_ = Accumulator("chat", 1)
    >>> sum_.add({"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]})[0].text
    'Hi'
    >>> sum_.complete
    True
    """

    def __init__(self, api: Api, expected: int) -> None:
        self.api, self.expected = api, expected
        self.head: dict[str, Any] = {}
        self.usage: Any = None
        self.done = False  # [DONE] has come
        self.started = False
        self._missing: list[str] = list(_HEAD)
        self._choices: dict[int, _Growing] = {}

    @property
    def complete(self) -> bool:
        """True where every choice that was asked for, and every one that came, has finished."""
        return len(self._choices) >= self.expected and all(c.finish_reason for c in self._choices.values())

    def add(self, chunk: Mapping[str, Any]) -> list[Delta]:
        """Take a chunk or a whole body. Raises InvalidResponse where its choices are malformed."""
        self.started = True
        for key in self._missing:
            # "" stands for "unknown" on some servers: a later chunk may know.
            if chunk.get(key) not in (None, ""):
                self.head[key] = chunk[key]
                self._missing = [other for other in self._missing if other != key]
        if isinstance(chunk.get("usage"), Mapping):
            self.usage = chunk["usage"]
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            if choices is None:
                return []
            raise InvalidResponse("the choices of an answer are no list")
        return [self._add(choice, position, chunk) for position, choice in enumerate(choices)]

    def _add(self, choice: Any, position: int, chunk: Mapping[str, Any]) -> Delta:
        if not isinstance(choice, Mapping):
            raise InvalidResponse(f"choice {position} of an answer is no object")
        index = choice.get("index")
        index = index if isinstance(index, int) else position
        text = self._choices.setdefault(index, _Growing()).add(choice)
        reason = choice.get("finish_reason")
        return Delta(text, index, reason if isinstance(reason, str) else None, chunk)

    def choices(self) -> tuple[Choice, ...]:
        """Return the choices so far, by index."""
        return tuple(growing.choice(index) for index, growing in sorted(self._choices.items()))

    def body(self) -> dict[str, Any]:
        """Return the body that the server would have sent without streaming."""
        wire = [self._wire(choice) for choice in self.choices()]
        found = {**self.head, "object": "chat.completion" if self.api == "chat" else "text_completion"}
        found["choices"] = wire
        return {**found, "usage": self.usage} if self.usage is not None else found

    def _wire(self, choice: Choice) -> dict[str, Any]:
        content: dict[str, Any] = {"message": dict(choice.message)} if self.api == "chat" else {"text": choice.text}
        found = {"index": choice.index, **content, "finish_reason": choice.finish_reason}
        return {**found, "logprobs": choice.logprobs} if choice.logprobs is not None else found


class _Growing:
    """One choice while it grows."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._role = "assistant"
        self._texts: list[str] = []
        self._more: dict[str, list[str]] = {}  # reasoning and refusal, by their names on the wire
        self._calls: dict[int, dict[str, Any]] = {}
        self._logprobs: Any = None
        self._rest: dict[str, Any] = {}

    def add(self, choice: Mapping[str, Any]) -> str:
        part = choice.get("delta", choice.get("message"))
        text = choice.get("text")
        if isinstance(part, Mapping):
            text = part.get("content")
            self._message(part)
        elif part is not None:
            raise InvalidResponse("a choice's message is no object")
        reason = choice.get("finish_reason")
        self.finish_reason = reason if isinstance(reason, str) and reason else self.finish_reason
        if (logprobs := choice.get("logprobs")) is not None:
            self._add_logprobs(logprobs)
        text = text if isinstance(text, str) else ""
        self._texts.append(text)
        return text

    def _message(self, part: Mapping[str, Any]) -> None:
        self._role = part.get("role") or self._role
        if part.keys() <= _PLAIN:
            return
        for name in (*_REASONING, "refusal"):
            if isinstance(part.get(name), str):
                self._more.setdefault(name, []).append(part[name])
        calls = part.get("tool_calls") or ()
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, Mapping):
                self._call(call, position)
        for name in ("annotations", "audio", "function_call"):
            if part.get(name):
                self._rest[name] = part[name]

    def _call(self, call: Mapping[str, Any], position: int) -> None:
        index = call.get("index", position)
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        whole = self._calls.setdefault(index if isinstance(index, int) else position, empty)
        whole["id"] = call.get("id") or whole["id"]
        function = call.get("function")
        if isinstance(function, Mapping):
            for name in ("name", "arguments"):
                whole["function"][name] += function.get(name) or ""

    def _add_logprobs(self, value: Any) -> None:
        """Join the logprobs of chunks: every list in them grows."""
        if not isinstance(value, Mapping):
            return
        if self._logprobs is None:
            self._logprobs = {k: list(v) if isinstance(v, list) else v for k, v in value.items()}
            return
        for key, more in value.items():
            known = self._logprobs.get(key)
            if isinstance(known, list) and isinstance(more, list):
                known.extend(more)
            elif known is None:
                self._logprobs[key] = list(more) if isinstance(more, list) else more

    def choice(self, index: int) -> Choice:
        text = "".join(self._texts)
        message: dict[str, Any] = {"role": self._role, "content": text}
        if self._calls:
            message["content"] = text or None
            message["tool_calls"] = [call for _, call in sorted(self._calls.items())]
        message |= {name: "".join(texts) for name, texts in self._more.items()}
        if message.get("refusal") and not text:
            message["content"] = None
        return Choice(index, text, self.finish_reason, message | self._rest, self._logprobs)


def usage_of(value: Any) -> Usage | None:
    """Read the ``usage`` of a body; None where there is none or it says nothing.

    >>> usage_of({"prompt_tokens": 3, "completion_tokens": 2}).total_tokens
    5
    """
    if not isinstance(value, Mapping):
        return None
    prompt, completion = _whole(value.get("prompt_tokens")), _whole(value.get("completion_tokens"))
    if not prompt and not completion:
        return None  # some proxies stream {0, 0, 0} in place of a usage
    inside, outside = value.get("prompt_tokens_details"), value.get("completion_tokens_details")
    return Usage(
        prompt,
        completion,
        _whole(inside.get("cached_tokens")) if isinstance(inside, Mapping) else 0,
        _whole(outside.get("reasoning_tokens")) if isinstance(outside, Mapping) else 0,
        server=dict(value),
    )


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
