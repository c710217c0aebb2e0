"""Chunks add up to a reply: one choice at a time, whatever the server leaves out.

Rule: a stream is complete when every choice that was asked for has its finish
reason; ``[DONE]`` only corroborates, since some servers never send it and others
send it early. A whole body is one chunk whose choices are finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..apis.chat.calls import Named, ToolCalls, index_of, read_function, text_field
from ..errors import InvalidResponse
from .content import Content
from .replies import Api, Choice, Delta, Usage
from .secret import NOTHING, Secret

_HEAD: Final = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
#: A message that holds no more than these needs no closer look.
_PLAIN: Final = frozenset({"role", "content"})
#: Names under which servers send the reasoning of a model.
_REASONING: Final = ("reasoning_content", "reasoning")
#: Fields of streamed audio that come in pieces.
_GROWING: Final = ("data", "transcript")


class Accumulator:
    """Add chunks, get deltas; ``choices()`` is what they add up to.

    >>> sum_ = Accumulator("chat", 1)
    >>> sum_.add({"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]})[0].text
    'Hi'
    >>> sum_.complete
    True
    """

    def __init__(self, api: Api, expected: int, key: Secret = NOTHING, tools: frozenset[str] = frozenset()) -> None:
        self._key, self._tools = key, tools
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

    def add(self, chunk: Mapping[str, Any], *, whole: bool = False) -> list[Delta]:
        """Take a chunk or a ``whole`` body. Raises InvalidResponse where its choices are malformed."""
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
            raise InvalidResponse("the choices of an answer are not a list")
        indices = [_index(choice, position) for position, choice in enumerate(choices)]
        if whole and len(set(indices)) < len(indices):
            indices = list(range(len(indices)))  # a server that numbers every choice 0: they stay apart
        return [self._add(choice, index, chunk, whole) for choice, index in zip(choices, indices, strict=True)]

    def _add(self, choice: Mapping[str, Any], index: int, chunk: Mapping[str, Any], whole: bool) -> Delta:
        if index not in self._choices:
            self._choices[index] = _Growing(self._key, self._tools)
        text = self._choices[index].add(choice, whole=whole)
        return Delta(text, index, choice.get("finish_reason"), chunk)

    def problem(self) -> str | None:
        """Return what a choice of a complete answer lacks, None where all are whole."""
        found = ((index, choice.problem()) for index, choice in sorted(self._choices.items()))
        return next((f"choice {index} is not whole: {problem}" for index, problem in found if problem), None)

    @property
    def spells_key(self) -> bool:
        """True where the chunks together hold the API key, in parts that are not the key."""
        self.choices()
        return any(choice.spells_key for choice in self._choices.values())

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


def _index(choice: Any, position: int) -> int:
    if not isinstance(choice, Mapping):
        raise InvalidResponse(f"choice {position} of an answer is not an object")
    index = index_of(choice, "a choice")
    return position if index is None else index


class _Growing:
    """One choice while it grows."""

    def __init__(self, key: Secret, tools: frozenset[str]) -> None:
        self.finish_reason: str | None = None
        self.spells_key = False
        self._key, self._tools = key, tools
        self._role = "assistant"
        self._has_content = False
        self._content = Content()
        self._more: dict[str, list[str]] = {}  # reasoning and refusal, by their names on the wire
        self._calls = ToolCalls(tools)
        self._function: Named | None = None
        self._logprobs: Any = None
        self._rest: dict[str, Any] = {}

    def add(self, choice: Mapping[str, Any], *, whole: bool) -> str:
        part, content = choice.get("delta"), choice.get("text")
        part = choice.get("message") if part is None else part
        if isinstance(part, Mapping):
            content = part.get("content")
            self._message(part, whole)
        elif part is not None:
            raise InvalidResponse("the message of a choice is not an object")
        elif not isinstance(content, str | None):
            raise InvalidResponse("the text of a choice is not a string")
        self._has_content = self._has_content or part is not None or content is not None
        self.finish_reason = text_field(choice, "finish_reason", "the finish reason of a choice") or self.finish_reason
        if (logprobs := choice.get("logprobs")) is not None:
            self._add_logprobs(logprobs)
        return self._content.add(content)

    def _message(self, part: Mapping[str, Any], whole: bool) -> None:
        self._role = text_field(part, "role", "the role of a message") or self._role
        if part.keys() <= _PLAIN:
            return
        for name in (*_REASONING, "refusal"):
            if name == "refusal" or isinstance(part.get(name), str):
                self._more.setdefault(name, []).append(text_field(part, name, f"the {name} of a message"))
        self._calls.add(part.get("tool_calls"), whole=whole)
        if part.get("function_call"):
            self._function = self._function or Named(self._tools)
            self._function.add(*read_function(part["function_call"]))
        for name in ("annotations", "audio"):
            if part.get(name):
                self._rest[name] = _joined(self._rest.get(name), part[name])

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

    def problem(self) -> str | None:
        """Return what the choice lacks, None where it is whole."""
        if not self._has_content:
            return "it has neither a message nor a text"
        if self._function is not None and not self._function.name:
            return "its function call has no name"
        return self._calls.problem()

    def choice(self, index: int) -> Choice:
        text, content = self._hidden(self._content.text), self._hidden(self._content.value)
        message: dict[str, Any] = {"role": self._role, "content": content}
        if calls := self._calls.wire():
            message["content"] = content or None
            message["tool_calls"] = self._hidden(calls)
        if self._function is not None:
            message["content"] = content or None
            message["function_call"] = self._hidden({"name": self._function.name, "arguments": self._function.payload})
        message |= {name: self._hidden("".join(texts)) for name, texts in self._more.items() if any(texts)}
        if message.get("refusal") and not content:
            message["content"] = None
        return Choice(index, text, self.finish_reason, message | self._rest, self._logprobs)

    def _hidden(self, value: Any) -> Any:
        """Return a joined value without the key, which no chunk alone may have held."""
        if isinstance(value, str):
            hidden = self._key.hide(value)
            self.spells_key = self.spells_key or hidden != value
            return hidden
        if isinstance(value, Mapping):
            return {name: self._hidden(inner) for name, inner in value.items()}
        return [self._hidden(inner) for inner in value] if isinstance(value, list) else value


def _joined(before: Any, more: Any) -> Any:
    """Return what two chunks of annotations or audio make: lists and texts grow, objects field by field."""
    if isinstance(before, list) and isinstance(more, list):
        return before + more
    if isinstance(before, Mapping) and isinstance(more, Mapping):
        grown = {name: _joined(before.get(name), more[name]) for name in more if name in _GROWING}
        return {**before, **more, **grown}
    if isinstance(before, str) and isinstance(more, str):
        return before + more
    return before if more is None else more


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
