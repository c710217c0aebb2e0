"""Log probabilities of Gemini: the chosen tokens and their alternatives, in two lists side by side.

Rule: ``chosenCandidates[i]`` with ``topCandidates[i].candidates`` is one token of Chat with its alternatives. The ids
of tokens are Gemini's alone: each is kept by its path, so that it comes back to Gemini and is reported to any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...model import thaw
from ..fields import is_equal

#: Where they stand in a candidate, and what begins the paths of the ids that are kept.
AT: Final = "logprobsResult"
_NAMES: Final = {"token": "token", "logProbability": "logprob"}
_ID: Final = "tokenId"
_STEP: Final = re.compile(r"(\w+)\[(\d+)\]")


def read_logprobs(stated: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return log probabilities as Chat has them and what Gemini alone says of them, None where they are no such lists.

    >>> said = {"chosenCandidates": [{"token": "Hi", "tokenId": 7, "logProbability": -0.5}]}
    >>> read_logprobs(said)
    ({'content': [{'token': 'Hi', 'logprob': -0.5}]}, {'logprobsResult.chosenCandidates[0].tokenId': 7})
    """
    if not isinstance(stated, Mapping):
        return None
    plain = thaw(stated)
    chosen, tops = plain.get("chosenCandidates"), plain.get("topCandidates")
    if not isinstance(chosen, list) or not chosen or not all(map(_is_token, chosen)):
        return None
    content = [_renamed(token, _NAMES) for token in chosen]
    if isinstance(tops, list) and len(tops) == len(chosen) and all(map(_is_list, tops)):
        for token, top in zip(content, tops, strict=True):
            token["top_logprobs"] = [_renamed(one, _NAMES) for one in top["candidates"]]
    kept = {f"{AT}.{path}": token[_ID] for path, token in _tokens(plain) if _ID in token}
    found, rest = {"content": content}, {name: value for name, value in plain.items() if name not in _LISTS}
    kept |= {AT: rest} if rest else {}
    return (found, kept) if is_equal(restored(write_logprobs(content), kept), plain) else None


_LISTS: Final = ("chosenCandidates", "topCandidates")


def write_logprobs(content: list[dict[str, Any]]) -> dict[str, Any]:
    """Return tokens of Chat as Gemini has them."""
    names = {neutral: own for own, neutral in _NAMES.items()}
    found: dict[str, Any] = {"chosenCandidates": [_renamed(token, names) for token in content]}
    if any("top_logprobs" in token for token in content):
        tops = [token.get("top_logprobs") or () for token in content]
        found["topCandidates"] = [{"candidates": [_renamed(one, names) for one in top]} for top in tops]
    return found


def restored(written: dict[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return written log probabilities with what Gemini alone says of them; a token that is gone takes its id along."""
    for path, id_ in kept.items():
        target: Any = written
        for name, index in _STEP.findall(path):
            items = target.get(name) or ()
            target = items[int(index)] if int(index) < len(items) else {}
        if path.startswith(f"{AT}."):
            target[_ID] = id_
    return {**written, **thaw(kept.get(AT, {}))}


def _tokens(stated: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every token with its path."""
    for index, token in enumerate(stated.get("chosenCandidates") or ()):
        yield f"chosenCandidates[{index}].{_ID}", token
    for index, top in enumerate(stated.get("topCandidates") or ()):
        for number, token in enumerate(top.get("candidates") or () if isinstance(top, Mapping) else ()):
            yield f"topCandidates[{index}].candidates[{number}].{_ID}", token


def _renamed(token: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {new: token[old] for old, new in names.items() if old in token}


def _is_token(token: Any) -> bool:
    if not isinstance(token, Mapping) or not isinstance(token.get("token"), str):
        return False
    return isinstance(token.get("logProbability"), int | float) and token.keys() <= {*_NAMES, _ID}


def _is_list(top: Any) -> bool:
    listed = top.get("candidates") if isinstance(top, Mapping) else None
    return isinstance(listed, list) and all(map(_is_token, listed))
