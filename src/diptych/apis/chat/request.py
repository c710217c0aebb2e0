"""A Chat request body and the neutral request.

Rule: messages, functions and the response format are read; every other parameter keeps its
name, which is the neutral one. Tools that are no functions stay as they are among the
parameters, so that reading and writing is the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...errors import FormatError
from ...model import Conversation, FrozenMap, ResponseFormat, ToolSpec, thaw
from ...request import Request
from .messages import read_messages, read_response_format, read_tools, write, write_response_format, write_tools

_READ: Final = frozenset({"model", "messages", "tools", "response_format"})


def read_request(body: Mapping[str, Any]) -> Request:
    """Read a Chat body. Raises FormatError with the path of a malformed message.

    >>> read_request({"model": "m", "messages": [], "seed": 7}).params["seed"]
    7
    """
    params = {name: value for name, value in body.items() if name not in _READ}
    tools, wanted = _read_tools(body.get("tools")), _read_format(body.get("response_format"))
    if tools is None and "tools" in body:
        params["tools"] = body["tools"]
    if wanted is None and "response_format" in body:
        params["response_format"] = body["response_format"]
    messages = read_messages(body.get("messages")).messages
    whole = Conversation(messages, tools or (), wanted)
    name = body.get("model")
    return Request(whole, model=name if isinstance(name, str) else None, params=FrozenMap(params))


def write_request(request: Request) -> dict[str, Any]:
    """Write the Chat body of a request.

    >>> write_request(read_request({"model": "m", "messages": [], "seed": 7}))
    {'model': 'm', 'messages': [], 'seed': 7}
    """
    messages = request.wire_messages()
    found: dict[str, Any] = {} if request.model is None else {"model": request.model}
    found["messages"] = write(request.conversation) if messages is None else messages
    return {**found, **chat_params(request)}


def chat_params(request: Request) -> dict[str, Any]:
    """Return everything of a Chat body beside model and messages."""
    return with_declared(request.conversation, {name: thaw(value) for name, value in request.params.items()})


def with_declared(conversation: Conversation, params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with the tools and the response format that a conversation holds; what is given stays."""
    if conversation.tools:
        params.setdefault("tools", write_tools(conversation))
    declared = conversation.response_format
    if declared is not None and declared.type != "text":
        params.setdefault("response_format", write_response_format(conversation))
    return params


def _read_tools(tools: Any) -> tuple[ToolSpec, ...] | None:
    """Return functions that are written again as they are, None for anything else."""
    try:
        read = read_tools(tools) if isinstance(tools, list) and tools else ()
    except FormatError:
        return None
    return read if read and write_tools(Conversation(tools=read)) == tools else None


def _read_format(value: Any) -> ResponseFormat | None:
    """Return a response format that is written again as it is, None for anything else."""
    try:
        read = read_response_format(value)
    except FormatError:
        return None
    is_written = read is not None and read.type != "text"
    return read if is_written and write_response_format(Conversation(response_format=read)) == value else None
