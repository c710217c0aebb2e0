"""Whole responses of either API in, of either API out.

Rule: read → write through :class:`~diptych.response.Response`; what an API says and what it
cannot say stands with its reader and its writer. The same API in and out is the identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import FormatError
from ...format import Conversion
from ...loss import Loss, verdict_of
from ...policy import OnLoss, settle
from ..chat import response as chat
from ..heads import OBJECTS
from . import response as completions
from .convert_request import Target


def convert_response(
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    to: Target,
    request: Mapping[str, Any] | None = None,
    on_loss: OnLoss = "raise",
) -> Conversion:
    """Convert a response body to the other API.

    ``request`` is the request of the target API that is being answered (the one that was
    converted): its ``echo`` and ``n`` count. ``body`` may be the list of replies to the
    requests that one Completions request became. Raises LossError for what the target
    cannot say (tool calls), FormatError for what is no response.

    >>> reply = {"object": "chat.completion", "choices": [
    ...     {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
    >>> convert_response(reply, to="completions").output["choices"][0]["text"]
    'Hi'
    """
    if to not in OBJECTS:
        raise FormatError(f"there is no API {to!r}", hint="to='chat' or to='completions'")
    if not isinstance(body, Mapping | list | tuple):
        raise FormatError(f"a response is an object, not {type(body).__name__}", path="$")
    bodies = [body] if isinstance(body, Mapping) else list(body)
    if not bodies or not all(isinstance(b, Mapping) and isinstance(b.get("choices"), list) for b in bodies):
        raise FormatError("a response has choices", path="$")
    reads = chat.read_response if any(_is_chat(b, to) for b in bodies) else completions.read_response
    responses = [reads(b) for b in bodies]
    output: Any
    losses: tuple[Loss, ...]
    if to == "completions":
        output, losses = completions.write_responses(responses, request)
    elif len(responses) == 1:
        output, losses = chat.write_response(responses[0], request)
    else:
        written = [chat.write_response(response, request) for response in responses]
        output, losses = [one for one, _ in written], tuple(loss for _, more in written for loss in more)
    settle(losses, on_loss)
    return Conversion(output, verdict_of(losses), losses, to)


def _is_chat(body: Mapping[str, Any], to: Target) -> bool:
    """Return whether a body is of Chat: its choices tell, else its ``object``; one that says nothing is left alone."""
    choices = [choice for choice in body["choices"] if isinstance(choice, Mapping)]
    if choices or body.get("object") in OBJECTS.values():
        return any("message" in choice for choice in choices) or (not choices and body["object"] == OBJECTS["chat"])
    return to == "chat"
