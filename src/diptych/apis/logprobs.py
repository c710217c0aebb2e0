"""Log probabilities between the two shapes.

Rule: Completions has parallel lists and a dict of alternatives a token; Chat has one
object a token. ``text_offset`` is counted anew; bytes of a token that is no whole
text are None; alternatives with the same text merge in a dict, which is a loss.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import FormatError
from ..loss import Loss


def to_chat(logprobs: Any, path: str, losses: list[Loss]) -> dict[str, Any] | None:
    """Return the Chat shape of Completions logprobs; the Chat shape stays as it is."""
    if not isinstance(logprobs, Mapping):
        return None
    if "content" in logprobs:
        return dict(logprobs)
    tokens, values, tops = (
        _listed(logprobs.get(name), f"{path}.{name}") for name in ("tokens", "token_logprobs", "top_logprobs")
    )
    if not all(isinstance(token, str) for token in tokens):
        raise FormatError("tokens of logprobs are strings", path=f"{path}.tokens")
    content = []
    for index, token in enumerate(tokens):
        value = values[index] if index < len(values) else None
        if value is None:
            losses.append(Loss(f"{path}.token_logprobs[{index}]", "field-dropped", "a token without a log probability"))
            continue
        top = tops[index] if index < len(tops) and isinstance(tops[index], Mapping) else {}
        content.append({**_entry(token, value), "top_logprobs": [_entry(text, p) for text, p in top.items()]})
    return {"content": content, "refusal": None}


def _listed(value: Any, path: str, *, of_objects: bool = False) -> Sequence[Any]:
    """Return a list, empty for null. Raises FormatError for anything else, or for entries that are not objects."""
    if value is None:
        return ()
    if not isinstance(value, list) or (of_objects and not all(isinstance(entry, Mapping) for entry in value)):
        raise FormatError(f"a list{' of objects' if of_objects else ''} is expected here", path=path)
    return value


def _bytes_of(entry: Mapping[str, Any], path: str) -> bytes:
    data = entry.get("bytes")
    if not isinstance(data, list):
        return str(entry.get("token", "")).encode("utf-8", "replace")
    if not all(isinstance(byte, int) and 0 <= byte < 256 for byte in data):
        raise FormatError("bytes of a token are integers from 0 to 255", path=f"{path}.bytes")
    return bytes(data)


def _entry(token: str, value: float) -> dict[str, Any]:
    broken = "\ufffd" in token or token.startswith("bytes:")
    return {"token": token, "logprob": value, "bytes": None if broken else list(token.encode("utf-8", "replace"))}


def to_completions(logprobs: Any, start: int, path: str, losses: list[Loss]) -> dict[str, Any] | None:
    """Return the Completions shape of Chat logprobs; ``start`` is the offset of the first token."""
    if not isinstance(logprobs, Mapping):
        return None
    if "tokens" in logprobs:
        return dict(logprobs)
    entries: Sequence[Mapping[str, Any]] = _listed(logprobs.get("content"), f"{path}.content", of_objects=True)
    tops: list[dict[str, float]] = []
    offsets, offset = [], start
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for index, entry in enumerate(entries):
        offsets.append(offset)
        # A character may be split over tokens: it counts where its last byte stands.
        offset += len(decoder.decode(_bytes_of(entry, f"{path}.content[{index}]")))
        listed = _listed(entry.get("top_logprobs"), f"{path}.content[{index}].top_logprobs", of_objects=True)
        top = {str(other.get("token")): other.get("logprob") for other in reversed(listed)}
        if len(top) < len(listed):
            losses.append(Loss(f"{path}.content[{index}].top_logprobs", "merged", "two alternatives have one text"))
        tops.append(dict(reversed(top.items())))
    return {
        "tokens": [entry.get("token") for entry in entries],
        "token_logprobs": [entry.get("logprob") for entry in entries],
        "top_logprobs": tops,
        "text_offset": offsets,
    }
