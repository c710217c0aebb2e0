"""Log probabilities between the shapes: parallel lists, and one object per token.

Rule: one object per token is neutral, as Chat, Responses and Ollama have it; Completions has parallel lists and a
dict of alternatives per token. ``text_offset`` is counted anew; a token that is part of a character is spelt
``bytes:\\xe2\\x80`` in Completions; alternatives with the same text merge in a dict, which is a loss.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..errors import FormatError
from ..loss import Loss

_SPELT: Final = "bytes:"
#: Where Chat has log probabilities: its tokens stand in a list inside.
_OF_CHAT: Final = re.compile(r"\.?choices\[\d+\]\.logprobs$")
_TOP: Final = frozenset({"token", "logprob", "bytes"})
_TOKEN: Final = _TOP | {"top_logprobs"}


def to_chat(logprobs: Any, path: str, losses: list[Loss]) -> dict[str, Any] | None:
    """Return the Chat shape of Completions logprobs; the Chat shape stays as it is."""
    if not isinstance(logprobs, Mapping):
        return None
    if "content" in logprobs or "refusal" in logprobs:
        content = logprobs.get("content")
        filled = [*map(_filled, content)] if isinstance(content, list) else content
        return {**logprobs, "content": filled, "refusal": logprobs.get("refusal")}
    tokens, values, tops = (
        _listed(logprobs.get(name), f"{path}.{name}") for name in ("tokens", "token_logprobs", "top_logprobs")
    )
    if not all(isinstance(token, str) for token in tokens):
        raise FormatError("tokens of logprobs are strings", path=f"{path}.tokens")
    content = []
    for index, token in enumerate(tokens):
        value = values[index] if index < len(values) else None
        if value is None:
            losses.append(Loss(f"{path}.tokens[{index}]", "field-dropped", "a token without a log probability"))
            losses += _lost(tops[index : index + 1], f"{path}.top_logprobs", index)
            continue
        top = tops[index] if index < len(tops) and isinstance(tops[index], Mapping) else {}
        content.append({**_entry(token, value), "top_logprobs": [_entry(text, p) for text, p in top.items()]})
    losses += _lost(values[len(tokens) :], f"{path}.token_logprobs", len(tokens))
    losses += _lost(tops[len(tokens) :], f"{path}.top_logprobs", len(tokens))
    return {"content": content, "refusal": None}


def _filled(entry: Any) -> Any:
    """Return a token with what Chat always says of one."""
    if not isinstance(entry, Mapping):
        return entry
    tops = [{"bytes": None, **top} if isinstance(top, Mapping) else top for top in entry.get("top_logprobs") or ()]
    return {"bytes": None, **entry, "top_logprobs": tops}


def read_tokens(value: Any) -> dict[str, Any] | None:
    """Return a list of tokens as Chat has it, None where it is another list, or says more of a token than Chat does."""
    is_list = isinstance(value, list) and bool(value) and all(_is_token(entry, _TOKEN) for entry in value)
    return {"content": value} if is_list else None


def _is_token(entry: Any, names: frozenset[str]) -> bool:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("token"), str) or not entry.keys() <= names:
        return False
    tops = entry.get("top_logprobs")
    return tops is None or (isinstance(tops, list) and all(_is_token(top, _TOP) for top in tops))


def written_tokens(
    stated: Mapping[str, Any], path: str, losses: list[Loss], *, whole: bool = False, bytes_too: bool = True
) -> list[dict[str, Any]]:
    """Return log probabilities as the list of tokens that they are in other APIs.

    ``whole`` says that every token has bytes and alternatives there, ``bytes_too`` false that none has bytes.
    """
    found = to_chat(stated, path, losses) or {}
    if found.get("refusal"):
        losses.append(Loss(f"{path}.refusal", "field-dropped", "only the tokens of the text have a place"))
    content = found.get("content") or ()
    if not bytes_too:
        inside = f"{path}.content" if _OF_CHAT.search(path) else path
        return [_texts(entry, f"{inside}[{index}]", losses) for index, entry in enumerate(content)]
    return [_whole(entry) if whole else dict(entry) for entry in content]


def _texts(entry: Mapping[str, Any], path: str, losses: list[Loss]) -> dict[str, Any]:
    """Return a token without its bytes, and report them where they are those of another text."""
    tops = entry.get("top_logprobs") or ()
    found = [(entry, path), *((top, f"{path}.top_logprobs[{index}]") for index, top in enumerate(tops))]
    for one, at in found:
        if one.get("bytes") and one["bytes"] != _spelt_out(one):
            losses.append(Loss(f"{at}.bytes", "field-dropped", "a token is a text there"))
    bare = [{name: value for name, value in one.items() if name != "bytes"} for one in (entry, *tops)]
    return {**bare[0], **({"top_logprobs": bare[1:]} if tops else {})}


def _whole(entry: Mapping[str, Any]) -> dict[str, Any]:
    tops = [{"bytes": _spelt_out(top), **_said(top)} for top in entry.get("top_logprobs") or ()]
    return {"bytes": _spelt_out(entry), **_said(entry), "top_logprobs": tops}


def _said(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}


def _spelt_out(entry: Mapping[str, Any]) -> list[int]:
    return list(str(entry.get("token", "")).encode("utf-8", "replace"))


def _lost(values: Sequence[Any], path: str, start: int) -> list[Loss]:
    """Return a loss for each value of a list that belongs to no token, or to one that is lost."""
    return [
        Loss(f"{path}[{index}]", "field-dropped", "it belongs to no token that is written")
        for index, value in enumerate(values, start)
        if value is not None and value != {}
    ]


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


def _bytes_lost(entry: Mapping[str, Any], path: str) -> list[Loss]:
    """Return a loss where the bytes of a token are those of another text."""
    data = entry.get("bytes")
    is_said = not data or _is_part(entry) or data == _spelt_out(entry)
    return [] if is_said else [Loss(f"{path}.bytes", "field-dropped", "a token of Completions is a text")]


def _is_part(entry: Mapping[str, Any]) -> bool:
    """Tell whether a token is a part of a character, and no text."""
    try:
        bytes(entry.get("bytes") or ()).decode()
    except UnicodeDecodeError:
        return True
    except (TypeError, ValueError):
        return False
    return False


def _token_of(entry: Mapping[str, Any]) -> str:
    """Return a token as Completions has it, which spells a part of a character as ``bytes:\\xe2\\x80``."""
    if _is_part(entry):
        return _SPELT + "".join(f"\\x{byte:02x}" for byte in entry["bytes"])
    return str(entry.get("token"))


def _entry(token: str, value: float) -> dict[str, Any]:
    if token.startswith(_SPELT) and re.fullmatch(r"(\\x[0-9a-f]{2})+", token[len(_SPELT) :]):
        spelt = token[len(_SPELT) :]
        return {"token": spelt, "logprob": value, "bytes": list(bytes.fromhex(spelt.replace("\\x", "")))}
    broken = "\ufffd" in token
    return {"token": token, "logprob": value, "bytes": None if broken else list(token.encode("utf-8", "replace"))}


def to_completions(logprobs: Any, start: int, path: str, losses: list[Loss]) -> dict[str, Any] | None:
    """Return the Completions shape of Chat logprobs; ``start`` is the offset of the first token."""
    if not isinstance(logprobs, Mapping):
        return None
    if "tokens" in logprobs:
        return dict(logprobs)
    entries: Sequence[Mapping[str, Any]] = _listed(logprobs.get("content"), f"{path}.content", of_objects=True)
    if logprobs.get("refusal"):
        losses.append(Loss(f"{path}.refusal", "field-dropped", "Completions has no refusals"))
    tops: list[dict[str, float]] = []
    offsets, offset = [], start
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for index, entry in enumerate(entries):
        offsets.append(offset)
        # A character may be split over tokens: it counts where its last byte stands.
        offset += len(decoder.decode(_bytes_of(entry, f"{path}.content[{index}]")))
        listed = _listed(entry.get("top_logprobs"), f"{path}.content[{index}].top_logprobs", of_objects=True)
        top = {_token_of(other): other.get("logprob") for other in reversed(listed)}
        losses += _bytes_lost(entry, f"{path}.content[{index}]")
        for number, other in enumerate(listed):
            losses += _bytes_lost(other, f"{path}.content[{index}].top_logprobs[{number}]")
        if len(top) < len(listed):
            losses.append(Loss(f"{path}.content[{index}].top_logprobs", "merged", "two alternatives have one text"))
        tops.append(dict(reversed(top.items())))
    return {
        "tokens": [_token_of(entry) for entry in entries],
        "token_logprobs": [entry.get("logprob") for entry in entries],
        "top_logprobs": tops,
        "text_offset": offsets,
    }
