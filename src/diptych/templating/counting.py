"""Counting a template: what its author wrote is counted once, what data brings each time.

Rule: the result equals ``count(template.render(**inputs)).tokens``, always. Where that
cannot be had from the template's pieces (loops, tools, histories, values that are not
text), it is what is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from .. import tokens
from ..conversion.requests import choose_api
from ..errors import TokenError
from ..format import DeclaringTemplate
from ..tokens import counter as pieces_of
from ..tokens.counter import Slot
from .plan import HistorySlot

if TYPE_CHECKING:
    from .plan import Piece, Plan

#: Parameters of a request that add to its count.
_COUNTED = frozenset({"tools", "functions", "response_format", "tool_choice", "function_call", "suffix"})
_Shown = Callable[[Mapping[str, str]], str]


class CountedTemplate(DeclaringTemplate, Protocol):
    """A template, as far as it is counted."""

    @property
    def plan(self) -> Plan | None: ...

    def render(self, /, **inputs: Any) -> Any: ...

    def fast_values(self, inputs: dict[str, Any]) -> dict[str, Any] | None: ...


def make_counter(template: CountedTemplate, model: str, api: str | None = None) -> Callable[..., int]:
    """Return a function of the inputs that counts the tokens of the rendered template.

    ``api`` is the API that the request goes to, where the model does not decide. The function
    raises what ``render`` raises. Raises TokenError for a model without a known encoding.

    >>> from diptych import Template
    >>> make_counter(Template.from_string("Hello {{ name }}!"), "davinci-002")(name="Ann")
    3
    """
    info = tokens.model_info(model)
    if info.encoding is None:
        raise TokenError(f"no encoding is known for {model!r}", hint="name a model whose encoding is known")

    def careful(inputs: Mapping[str, Any]) -> int:
        found = tokens.count(template.render(**inputs), model, api=api)
        assert found.tokens is not None
        return found.tokens

    fast = _from_pieces(template, model, api, info.encoding)
    if fast is None:
        return lambda **inputs: careful(inputs)
    count_values, direct = fast

    def counter(**inputs: Any) -> int:
        values = template.fast_values(inputs)
        if values is None:
            return careful(inputs)
        return count_values({name: show(values) for name, show in direct.items()} if direct else values)

    return counter


def _from_pieces(
    template: CountedTemplate, model: str, api: str | None, encoding: str
) -> tuple[Callable[[Mapping[str, str]], int], dict[str, _Shown]] | None:
    """Return a counter of the plan's values, and what must be put before it; None without a plan."""
    plan: Plan | None = template.plan
    if plan is None or template.tools or template.response_format is not None or plan.histories:
        return None
    if not _COUNTED.isdisjoint(template.params):
        return None
    filtered: dict[str, _Shown] = {}
    chosen, _ = choose_api("chat" if plan.is_chat else "completions", model, api=api, must_serve=False)
    if plan.is_chat and chosen == "completions":
        return None
    if not plan.is_chat and chosen == "chat":
        pieces = [_piece(p, filtered) for p in plan.pieces]
        return pieces_of.messages_counter([("user", pieces)], model), _all(plan, filtered)
    if not plan.is_chat:
        return pieces_of.text_counter([_piece(p, filtered) for p in plan.pieces], encoding), _all(plan, filtered)
    turns: list[tuple[str, list[str | Slot]]] = []
    for turn in plan.turns:
        if isinstance(turn, HistorySlot) or turn.name is not None or turn.priority is not None:
            return None
        turns.append((turn.role, [_piece(p, filtered) for p in turn.pieces]))
    return pieces_of.messages_counter(turns, model), _all(plan, filtered)


def _piece(piece: Piece, filtered: dict[str, _Shown]) -> str | Slot:
    if isinstance(piece, str):
        return piece
    if not piece.filters:
        return Slot(piece.name)
    key = "|".join((piece.name, *piece.filters))
    filtered[key] = piece.text_of
    return Slot(key)


def _all(plan: Plan, filtered: dict[str, _Shown]) -> dict[str, _Shown]:
    """Return what makes every value a counter looks up, or nothing where the inputs serve as they are."""
    if not filtered:
        return {}

    def plain(name: str) -> _Shown:
        return lambda values: values[name]

    return {name: plain(name) for name in plan.names} | filtered
