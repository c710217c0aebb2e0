"""Chat responses, whole: ``choices[].message`` with its finish reason and log probabilities.

Rule: everything has a place in the neutral response or stays in ``native["chat"]``, so that
reading and writing is the identity; what is malformed is an error and never repaired. Mapping:

- ``content`` text or parts, ``reasoning_content`` (or ``reasoning``), ``tool_calls``, ``function_call``
  and ``refusal``: parts of the message, in this order
- ``usage``: :class:`~diptych.response.Usage`, which keeps what the server stated
- ``id``, ``created``, ``model``, ``system_fingerprint``: fields of the response; any other field: kept
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...errors import FormatError
from ...loss import Loss
from ...model import EMPTY, ContentPart, FrozenMap, Message, Part, ReasoningPart, RefusalPart, TextPart, ToolCall
from ...projection import ABSENT, OLD
from ...response import Response, ResponseChoice, native_of
from .. import heads, logprobs
from ..heads import Name, choices_of, indices_of
from .calls import read_calls, read_function, text_field
from .messages import read_part, write_message

#: Types of parts that are text; servers other than Chat's name them as the Responses API does.
TEXTS: Final = ("text", "output_text")
#: Names under which servers send the reasoning of a model, and the ``native`` of a part that came so.
REASONING: Final = {
    "reasoning_content": EMPTY,
    "reasoning": FrozenMap({"chat": {"field": "reasoning"}}),
}
#: Fields of a message that its parts hold, where they say something.
PARTS: Final = frozenset({"content", "refusal", "tool_calls", "function_call", *REASONING})
_PLAIN: Final = frozenset({"role", "content"})
_FROM_CHAT: Final = native_of("chat", {})


def read_response(body: Mapping[str, Any]) -> Response:
    """Read a whole body. Raises FormatError where its choices are malformed.

    >>> read_response({"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}).text
    'Hi'
    """
    return read_body(body, "chat")


def read_body(body: Mapping[str, Any], api: Name) -> Response:
    """Read a whole body of either API: servers mix up a ``message`` and a ``text``."""
    found = choices_of(body)
    indices = indices_of(found, whole=True)
    choices = tuple(_read_choice(choice, index, api) for choice, index in zip(found, indices, strict=True))
    fields, rest = heads.read_head(body, api)
    return Response(choices, **fields, native=native_of(api, rest))


def _read_choice(choice: Mapping[str, Any], index: int, api: Name) -> ResponseChoice:
    part, text = said(choice)
    if part is None and text is None:
        raise FormatError(f"choice {index} is not whole: it has neither a message nor a text")
    if part is None:
        message = Message.of("assistant", (TextPart(text or ""),), native=native_of(api, {}))
    else:
        message = read_message(part)
    content = "text" if part is None else "message" if choice.get("message") is part else "delta"
    finish = text_field(choice, "finish_reason", "the finish reason of a choice") or None
    stated = choice.get("logprobs")
    native = native_of(api, heads.of_choice(choice, content))
    return ResponseChoice(message, finish, index, stated if isinstance(stated, Mapping) else None, native)


def said(choice: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str | None]:
    """Return the message or delta of a choice, and the text of one that has neither."""
    part = choice.get("delta")
    part = choice.get("message") if part is None else part
    if isinstance(part, Mapping):
        return part, None
    if part is not None:
        raise FormatError("the message of a choice is not an object")
    text = choice.get("text")
    if not isinstance(text, str | None):
        raise FormatError("the text of a choice is not a string")
    return None, text


def read_message(value: Mapping[str, Any]) -> Message:
    """Read the message of a whole choice. Raises FormatError for a field of a wrong type."""
    role = text_field(value, "role", "the role of a message")
    content = value.get("content")
    if value.keys() == _PLAIN and role and isinstance(content, str):
        return Message.of(role, (TextPart(content),), native=_FROM_CHAT)
    parts = (*_reasoning(value), *_content(content), *read_calls(value.get("tool_calls")), *_old_call(value))
    if refusal := text_field(value, "refusal", "the refusal of a message"):
        parts = (*parts, RefusalPart(refusal))
    rest = {name: field for name, field in value.items() if name != "role" and not _is_part(name, field)}
    rest |= {name: ABSENT for name in _PLAIN if name not in value}
    native = native_of("chat", rest)
    return Message.of(role or "assistant", parts, is_list=isinstance(content, list), native=native)


def _is_part(name: str, field: Any) -> bool:
    """Return whether a field of a message is held by its parts: an empty one is not, except the content."""
    if name in REASONING:
        return isinstance(field, str) and bool(field)
    return name == "content" or (name in PARTS and bool(field))


def _reasoning(value: Mapping[str, Any]) -> tuple[Part, ...]:
    found = ((value.get(name), native) for name, native in REASONING.items())
    return tuple(ReasoningPart(text, native=native) for text, native in found if isinstance(text, str) and text)


def _old_call(value: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    if not value.get("function_call"):
        return ()
    return (ToolCall("", *read_function(value["function_call"]), native=OLD),)


def _content(content: Any) -> tuple[ContentPart, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(content),)
    return tuple(content_part(part) for part in listed(content))


def listed(content: Any) -> list[Any]:
    """Return a content that is a list. Raises FormatError for any other value."""
    if not isinstance(content, list):
        raise FormatError("the content of a message is neither a string nor a list of parts")
    return content


def content_part(part: Any) -> ContentPart:
    """Read one part of a content. Raises FormatError where it is none."""
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        raise FormatError("a part of a content is not an object with a type")
    if part["type"] not in TEXTS:
        return read_part(part, "$")
    if not isinstance(part.get("text"), str):
        raise FormatError("a text part of a content has no text")
    rest = {name: value for name, value in part.items() if name != "text" and (name, value) != ("type", "text")}
    return TextPart(part["text"], FrozenMap({"chat": rest}) if rest else EMPTY)


# writing --------------------------------------------------------------------------------------------


def write_response(
    response: Response,
    request: Mapping[str, Any] | None = None,  # noqa: ARG001  # every writer takes the request that is answered
) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write a whole body; return it and what it cannot carry.

    >>> body, losses = write_response(Response((ResponseChoice(Message("assistant", "Hi"), "stop"),)))
    >>> body["choices"][0]["message"]["content"], losses
    ('Hi', ())
    """
    losses: list[Loss] = []
    body = heads.write_head(response, "chat", "$", losses)
    choices = [_write_choice(choice, f"$.choices[{n}]", losses) for n, choice in enumerate(response.choices)]
    found = {**body, "choices": choices}
    if response.usage is not None:
        found["usage"] = heads.write_usage(response.usage)
    return found, tuple(losses)


def _write_choice(choice: ResponseChoice, path: str, losses: list[Loss]) -> dict[str, Any]:
    message = write_message(choice.message)
    if "chat" not in choice.message.native:
        message.setdefault("refusal", None)
    stated = choice.logprobs
    if "chat" not in choice.native:
        stated = logprobs.to_chat(stated, f"{path}.logprobs", losses)
    content = {"message": message, "logprobs": stated}
    return heads.write_choice(choice, content, heads.beside(choice.native, "chat", path, losses), "chat")
