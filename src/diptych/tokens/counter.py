"""Counting a template: its static text once, then only inputs and the edges beside them.

Rule: the result equals the plain count of the whole text, always. Static text between
its outermost safe cuts is counted when the counter is made; what is left are short runs
of edge, input, edge, which are joined and tokenised on every call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..catalogue import DEFAULT_MODEL
from ..catalogue.models import model_info
from ..encodings.encoding import encoding
from ..encodings.text import LONG_RUN, count_text
from ..errors import TokenError
from .count import count
from .cuts import split_static
from .rules import FAMILIES


class Slot(NamedTuple):
    """The place of an input in a text.

    >>> Slot("name")
    Slot(name='name')
    """

    name: str


Piece = str | Slot
Values = Mapping[str, str]
Counter = Callable[[Values], int]


def text_counter(pieces: Sequence[Piece], encoding_name: str) -> Counter:
    """Return a function of the inputs' texts that counts the tokens of the whole text.

    A piece is static text or the :class:`Slot` of an input. Raises TokenError for an
    unknown encoding; the function raises KeyError for a missing input.

    >>> counter = text_counter(["Translate to French: ", Slot("text"), " Thank you."], "o200k_base")
    >>> counter({"text": "Good morning"})
    9
    """
    fixed, runs = _compile(pieces, encoding_name)
    return _counter_of(fixed, runs, encoding_name)


def _compile(pieces: Sequence[Piece], encoding_name: str) -> tuple[int, list[list[Piece]]]:
    """Return the tokens of all static text that stands alone, and the runs that do not."""
    fixed, runs = 0, [[]]  # type: int, list[list[Piece]]
    for piece in _joined(pieces):
        split = split_static(piece, encoding_name) if isinstance(piece, str) else None
        if split is None:
            runs[-1].append(piece)
            continue
        head, middle, tail = split
        runs[-1].append(head)
        fixed += count_text(middle, encoding_name=encoding_name)
        runs.append([tail])
    for run in runs:
        if not any(isinstance(piece, Slot) for piece in run):
            fixed += count_text("".join(str(piece) for piece in run), encoding_name=encoding_name)
    return fixed, [_joined(run) for run in runs if any(isinstance(piece, Slot) for piece in run)]


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces with static neighbours joined and empty texts left out."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece or isinstance(piece, Slot):
            found.append(piece)
    return found


def _counter_of(fixed: int, runs: list[list[Piece]], encoding_name: str) -> Counter:
    encode = encoding(encoding_name).encode_ordinary
    makers = [_maker(run) for run in runs]

    def tokens_of(text: str) -> int:
        return len(encode(text)) if len(text) < LONG_RUN else count_text(text, encoding_name=encoding_name)

    if len(makers) == 1:
        only = makers[0]
        return lambda values: fixed + tokens_of(only(values))

    def counter(values: Values) -> int:
        total = fixed
        for make in makers:
            total += tokens_of(make(values))
        return total

    return counter


def _maker(run: list[Piece]) -> Callable[[Values], str]:
    """Return a function that joins one run; the usual shapes without a loop."""
    if len(run) == 1 and isinstance(run[0], Slot):
        name = run[0].name
        return lambda values: values[name]
    if len(run) == 3 and isinstance(run[1], Slot) and not isinstance(run[0], Slot) and not isinstance(run[2], Slot):
        before, (inner,), after = run[0], run[1], run[2]
        return lambda values: f"{before}{values[inner]}{after}"
    parts = [(isinstance(piece, Slot), piece.name if isinstance(piece, Slot) else piece) for piece in run]
    return lambda values: "".join([values[text] if is_slot else text for is_slot, text in parts])


def messages_counter(
    messages: Sequence[tuple[str, Sequence[Piece]]],
    model: str | None = None,
    body: Mapping[str, Any] | None = None,
) -> Counter:
    """Return a function of the inputs' texts that counts messages as :func:`count` does.

    ``messages`` are roles with the pieces of their contents; ``body`` holds what else the
    request has (``tools``, ``response_format``). Raises TokenError for a model without a
    known encoding.

    >>> counter = messages_counter([("user", ["Hello ", Slot("name")])], "gpt-5.4-mini")
    >>> counter({"name": "Ann"}) == count([{"role": "user", "content": "Hello Ann"}], "gpt-5.4-mini").tokens
    True
    """
    name = model or DEFAULT_MODEL
    info = model_info(name)
    if info.encoding is None:
        raise TokenError(f"no encoding is known for the model {name!r}")
    rules = FAMILIES[info.family or "chat"]
    if body or rules.content_only or any(role == "tool" for role, _ in messages):
        return _whole_counter(messages, name, body or {})
    fixed, runs = rules.priming, []  # type: int, list[list[Piece]]
    for role, pieces in messages:
        fixed += rules.message + count_text(role, encoding_name=info.encoding)
        fixed += rules.past_assistant if role == "assistant" else 0
        own, own_runs = _compile(pieces, info.encoding)
        fixed += own
        runs += own_runs
    return _counter_of(fixed, runs, info.encoding)


def _whole_counter(messages: Sequence[tuple[str, Sequence[Piece]]], model: str, body: Mapping[str, Any]) -> Counter:
    """Return a counter that renders and counts: sections join the text of the system message."""
    makers = [(role, _maker(_joined(pieces))) for role, pieces in messages]

    def counter(values: Values) -> int:
        written = [{"role": role, "content": make(values)} for role, make in makers]
        return int(count({**body, "messages": written}, model))

    return counter
