"""Log probabilities of the test server: made from the token and its place, the same every time.

Shapes: Chat has an object per token (API reference, 2026-11), Completions parallel lists. A token that
is no whole text is shown by its bytes, as both APIs do.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .. import tokens

_ENCODING: Final = "o200k_base"
#: What could have stood in a token's place.
_OTHERS: Final = (
    " the", " a", " of", " to", " and", " in", " is", " it", " you", " that", " was", " for", " on", " are", " with",
    " as", " at", " be", " this", " have", " from",
)  # fmt: skip


def stated(api: str, body: Mapping[str, Any], ids: list[int], *, is_echoed: bool) -> dict[str, Any] | None:
    """Return the log probabilities of tokens in the shape of an API, None where the body asks for none."""
    if api == "chat":
        wanted = (body.get("top_logprobs") or 0) if body.get("logprobs") else None
    else:
        wanted = body.get("logprobs")
    if wanted is None:
        return None
    pieces = tokens.encoding(_ENCODING).decode_tokens_bytes(ids)
    entries = [_entry(piece, place, min(wanted, 20)) for place, piece in enumerate(pieces)]
    return {"content": entries, "refusal": None} if api == "chat" else _lists(entries, wanted, is_echoed=is_echoed)


def _entry(piece: bytes, place: int, count: int) -> dict[str, Any]:
    shown = piece.decode("utf-8", "backslashreplace")
    value = -((sum(piece) * 31 + place * 7) % 97) / 100
    others = [text for text in _OTHERS if text != shown][: max(0, count - 1)]
    top = [(shown, value), *((text, round(value - 1 - n / 4, 4)) for n, text in enumerate(others))][:count]
    spelled = [_spelled(text, p, piece if not n else text.encode()) for n, (text, p) in enumerate(top)]
    return {**_spelled(shown, value, piece), "top_logprobs": spelled}


def _spelled(text: str, value: float, data: bytes) -> dict[str, Any]:
    return {"token": text, "logprob": value, "bytes": list(data)}


def _lists(entries: list[dict[str, Any]], wanted: int, *, is_echoed: bool) -> dict[str, Any]:
    """Return the lists of Completions. What stands before the first token of an echoed prompt is nothing."""
    decoder, offsets, offset = codecs.getincrementaldecoder("utf-8")("replace"), [], 0
    for entry in entries:
        offsets.append(offset)
        offset += len(decoder.decode(bytes(entry["bytes"])))
    values: list[float | None] = [entry["logprob"] for entry in entries]
    tops: list[dict[str, float] | None] | None = None
    if wanted:
        tops = [{one["token"]: one["logprob"] for one in entry["top_logprobs"]} for entry in entries]
    if is_echoed and values:
        values[0] = None
        tops = tops and [None, *tops[1:]]
    names = [entry["token"] for entry in entries]
    return {"tokens": names, "token_logprobs": values, "top_logprobs": tops, "text_offset": offsets}


def steps_of(text: str, logprobs: Mapping[str, Any] | None) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield a text token by token with its log probabilities; half a character goes out with its other half."""
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    begun, pieces = 0, _tokens(text, logprobs)
    for place, piece in enumerate(pieces):
        is_last = place == len(pieces) - 1
        shown = decoder.decode(piece, is_last)
        if shown or (is_last and logprobs):
            yield shown, _between(logprobs, begun, place + 1)
            begun = place + 1


def _tokens(text: str, logprobs: Mapping[str, Any] | None) -> list[bytes]:
    entries = (logprobs or {}).get("content")
    if entries:
        return [bytes(entry["bytes"]) for entry in entries]
    offsets = (logprobs or {}).get("text_offset")
    if offsets:
        return [text[a:b].encode() for a, b in zip(offsets, [*offsets[1:], len(text)], strict=True)]
    return tokens.encoding(_ENCODING).decode_tokens_bytes(tokens.encode_text(text, encoding_name=_ENCODING))


def _between(logprobs: Mapping[str, Any] | None, start: int, end: int) -> dict[str, Any] | None:
    """Return the log probabilities of some tokens: every list cut to them."""
    if logprobs is None:
        return None
    return {name: value[start:end] if isinstance(value, list) else value for name, value in logprobs.items()}
