"""Streams from one API to the other, chunk by chunk.

Rule: an iterator in, an iterator out, nothing held back. A Chat stream begins each
choice with its role and ends it with an empty delta; a Completions stream keeps the
shape of its whole body. Added up, a converted stream is the converted whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import FormatError
from ...loss import Loss
from ...policy import OnLoss, settle
from .. import logprobs
from .convert_request import Target
from .convert_response import echo_of, head_of, message_losses, prompts_of, text_of


def convert_stream(
    chunks: Iterable[Mapping[str, Any]],
    *,
    to: Target,
    request: Mapping[str, Any] | None = None,
    on_loss: OnLoss = "raise",
) -> Iterator[dict[str, Any]]:
    """Convert the chunks of a stream to the other API.

    ``request`` is the request of the target API that is being answered: its ``echo``
    counts. Raises LossError for what the target cannot say, FormatError for a chunk
    without choices.

    >>> chunk = {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}]}
    >>> [c["choices"][0]["delta"] for c in convert_stream([chunk], to="chat")]
    [{'role': 'assistant', 'content': ''}, {'content': 'Hi'}, {}]
    """
    if to == "chat":
        yield from _to_chat(chunks, on_loss)
    elif to == "completions":
        yield from _to_completions(chunks, request or {}, on_loss)
    else:
        raise FormatError(f"there is no API {to!r}", hint="to='chat' or to='completions'")


def _choices(chunk: Any, number: int) -> list[Mapping[str, Any]]:
    choices = chunk.get("choices") if isinstance(chunk, Mapping) else None
    if choices is None and isinstance(chunk, Mapping) and "usage" in chunk:
        return []
    if not isinstance(choices, list) or not all(isinstance(choice, Mapping) for choice in choices):
        raise FormatError("a chunk has a list of choices", path=f"$[{number}].choices")
    return choices


def _to_chat(chunks: Iterable[Mapping[str, Any]], on_loss: OnLoss) -> Iterator[dict[str, Any]]:
    begun: set[int] = set()
    for number, chunk in enumerate(chunks):
        choices = _choices(chunk, number)
        head = {**head_of(chunk, "chat"), "object": "chat.completion.chunk"}
        for position, choice in enumerate(choices):
            index = position if choice.get("index") is None else choice["index"]
            if index not in begun:
                begun.add(index)
                yield {**head, "choices": [_delta(index, {"role": "assistant", "content": ""})]}
            losses: list[Loss] = []
            found = logprobs.to_chat(choice.get("logprobs"), f"$[{number}].logprobs", losses)
            settle(losses, on_loss)
            if choice.get("text") or found is not None:
                content = {"content": choice.get("text") or ""}
                yield {**head, "choices": [{**_delta(index, content), "logprobs": found}]}
            if choice.get("finish_reason"):
                yield {**head, "choices": [_delta(index, {}, choice["finish_reason"])]}
        if chunk.get("usage") is not None:
            yield {**head, "choices": [], "usage": chunk["usage"]}


def _delta(index: int, delta: dict[str, Any], reason: Any = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": reason}


def _to_completions(
    chunks: Iterable[Mapping[str, Any]], request: Mapping[str, Any], on_loss: OnLoss
) -> Iterator[dict[str, Any]]:
    offsets: dict[int, int] = {}
    before = echo_of(request, prompts_of(request), 0)
    for number, chunk in enumerate(chunks):
        head = head_of(chunk, "completions")
        for position, choice in enumerate(_choices(chunk, number)):
            index = position if choice.get("index") is None else choice["index"]
            delta = choice.get("delta") or {}
            losses = message_losses(delta, f"$[{number}].choices[{position}].delta")
            if index not in offsets:
                offsets[index] = len(before)
                if before:
                    yield {**head, "choices": [_text(index, before)]}
            text, reason = text_of(delta.get("content")), choice.get("finish_reason")
            settle(losses, on_loss)
            losses = []
            if not text and not reason and not choice.get("logprobs"):
                continue  # a role alone, or nothing: Completions has no such chunk
            found = logprobs.to_completions(choice.get("logprobs"), offsets[index], f"$[{number}].logprobs", losses)
            settle(losses, on_loss)
            offsets[index] += len(text)
            yield {**head, "choices": [{**_text(index, text, reason), "logprobs": found}]}
        if chunk.get("usage") is not None:
            yield {**head, "choices": [], "usage": chunk["usage"]}


def _text(index: int, text: str, reason: Any = None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": reason}
