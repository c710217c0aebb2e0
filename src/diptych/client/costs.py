"""What a call may cost before it is sent, and what it did cost after.

Rule: before, the worst case; after, the larger of the server's count and ours, with
its source. An unknown price is None, never 0; under a budget in USD it is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from .. import prices, tokens
from ..errors import BudgetExceeded, DiptychError, PriceError
from ..model import RefusalPart, TextPart
from ..projection import ABSENT
from ..response import Response, ResponseChoice, Usage
from .requests import Ask

#: The names under which the APIs take an output cap, the newer first.
_CAPS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens")
#: Where those APIs take one that have it inside of another object.
_INNER_CAPS: Final = (
    ("generationConfig", "maxOutputTokens"),
    ("options", "num_predict"),
    ("inferenceConfig", "maxTokens"),
)
#: Tokens that the Completions API generates where no cap is given (API reference, 2026-11).
_COMPLETIONS_DEFAULT: Final = 16


class Worst(NamedTuple):
    """The most that a call may use: tokens in all, and USD where a price is known."""

    tokens: int
    prompt: int
    output: int
    usd: Decimal | None


def output_cap(ask: Ask) -> int:
    """Return the tokens that all choices together may have.

    Raises BudgetExceeded for a call without a cap: nothing bounds its cost.
    """
    inner = [(ask.body.get(outer) or {}).get(name) for outer, name in _INNER_CAPS]
    caps = [cap for cap in (*map(ask.body.get, _CAPS), *inner) if cap is not None]
    if ask.api == "completions" and not caps:
        caps = [_COMPLETIONS_DEFAULT]
    best_of = ask.body.get("best_of") or 1
    # Some servers read -1 as "without end"; what is not a number may mean anything.
    if not caps or not all(_is_count(number) for number in (*caps, best_of)):
        raise BudgetExceeded(
            "the call has no output cap, so nothing bounds its cost", reason="no output cap", hint="pass max_tokens=…"
        )
    # Servers differ in which of two caps they obey, and llama.cpp generates one token for a cap of 0.
    cap: int = max(*caps, 1)
    return cap * max(ask.choices, int(best_of))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def prompt_bound(ask: Ask) -> tokens.TokenCount:
    """Return a count whose ``high`` the prompt cannot exceed by much where it can be counted, by at all else."""
    try:
        found = tokens.count(ask.body, model=ask.body.get("model"))
        if found.high is not None:
            return found
    except DiptychError:
        pass
    # A byte-level encoding never makes more tokens than bytes; the JSON around the texts pays for the frames.
    size = len(json.dumps(ask.body, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return tokens.TokenCount(size, "approximate", (), None, 0, size, str(ask.body.get("model")))


def worst_case(ask: Ask, *, priced: bool) -> Worst:
    """Return the most that this call may use, in the tier that it asks for.

    Raises PriceError without a price where ``priced``.
    """
    prompt, output = prompt_bound(ask), output_cap(ask)
    model = str(ask.body.get("model"))
    usd = prices.worst_cost(prompt, output=output, body=ask.body, model=model)
    if usd is None and priced:
        asked = ask.body.get("service_tier")
        tier = f" in the tier {asked!r}" if asked else ""
        raise PriceError(
            f"no price is known for {model!r}{tier}, so a budget in USD cannot hold",
            hint="give the budget in tokens, or add a price to the price book",
        )
    high = int(prompt.high or 0)
    return Worst(high + output, high, output, usd)


def same_model(asked: str, answered: str) -> bool:
    """Return whether an answer's model is the one asked for, or a dated snapshot of it.

    >>> same_model("gpt-4o", "gpt-4o-2024-08-06"), same_model("gpt-4o", "llama-3")
    (True, False)
    """
    return answered == asked or answered.startswith(f"{asked}-") or answered.rpartition("/")[2] == asked


def billed_model(asked: Any, answered: str | None) -> str | None:
    """Return the model whose price counts: the one that answered, by the name that was asked for where it is the same.

    A router may give a call to any model, and a price is that of the model that did the work.
    """
    if not answered or answered == asked:
        return None if asked is None else str(asked)
    if asked is not None and prices.default().find(answered) is None and same_model(str(asked), answered):
        return str(asked)
    return answered


def price(model: str | None, usage: Usage | None, tier: str | None = None, *, now: str | None = None) -> Decimal | None:
    """Return what a usage costs in USD at this time in the tier that was billed, None where no price is known."""
    if usage is None or not model or prices.default().find(model) is None:
        return None
    return prices.price_usage(model, stated(usage), service_tier=tier, date=now)


def billed_tier(ask: Ask, response: Response) -> str | None:
    """Return the service tier that a server says it billed, else the one that was asked for."""
    said = response.native.get(ask.api, {}).get("service_tier") or ask.body.get("service_tier")
    return said if isinstance(said, str) else None


def stated(usage: Usage) -> Mapping[str, Any]:
    """Return the usage as the server reported it: ours keeps neither audio nor cache writes."""
    if usage.source == "server" and usage.server:
        counts: Mapping[str, Any] = _whole(usage.server)
        return counts
    return usage.to_json()


def _whole(value: Any) -> Any:
    """Return a usage with every whole number as one: JSON has one kind of number, and 9.0 is 9."""
    if isinstance(value, Mapping):
        return {name: _whole(inner) for name, inner in value.items()}
    return int(value) if type(value) is float and value.is_integer() else value


def why_unpriced(model: str | None, usage: Usage, tier: str | None = None) -> str:
    """Return why a usage has no price."""
    return prices.why_unpriced(model or "", stated(usage), service_tier=tier) or f"no price is known for {model!r}"


def estimate(ask: Ask) -> Any:
    """Return the estimate of a call before it is sent, None where there can be none."""
    try:
        return prices.estimate(ask.body, model=ask.body.get("model"))
    except DiptychError:
        return None


def settle_usage(server: Usage | None, ask: Ask, choices: Sequence[ResponseChoice], *, count: bool) -> Usage | None:
    """Return the usage that counts: per number the larger of the server's and, where asked for, ours.

    None where nobody knows: the server states no usage, or half of one, and our count would leave
    out what it cannot see.
    """
    if server is not None and not _is_whole(server, ask, choices):
        server = None
    if server is None:
        return own_usage(ask, choices) if _shows_all(ask, choices) else None
    if not count and len(choices) < 2:
        return server
    own = own_usage(ask, choices)
    if own is None:
        return server
    if own.completion_tokens <= server.completion_tokens and own.prompt_tokens <= server.prompt_tokens:
        return server
    if len(choices) < 2 and not count:
        return server
    most = max(server.completion_tokens, own.completion_tokens)
    if most == server.completion_tokens:
        return server  # the prompt is the server's to count: it alone sees the chat template
    return Usage(server.prompt_tokens, most, server.cached_tokens, server.reasoning_tokens, "counted", server.server)


def _is_whole(usage: Usage, ask: Ask, choices: Sequence[ResponseChoice]) -> bool:
    """Return whether a server's usage has both numbers: a 0 beside a prompt or a text is a number left out."""
    least = sum(1 for choice in choices if choice.message.text or _written(choice))
    return (usage.prompt_tokens > 0 or not ask.prompt) and usage.completion_tokens >= least


def _shows_all(ask: Ask, choices: Sequence[ResponseChoice]) -> bool:
    """Return whether all that is billed can be counted here: no hidden reasoning, no image, no tool call."""
    price = prices.default().find(str(ask.body.get("model")))
    if price is not None and price.reasoning:
        return False
    try:
        basis = tokens.count(ask.body, model=ask.body.get("model")).basis
    except DiptychError:
        return False
    return basis in ("exact", "fitted") and all(_is_text(choice) for choice in choices)


def _is_text(choice: ResponseChoice) -> bool:
    """Return whether all that a choice shows is text."""
    message = choice.message
    return all(value in (None, "", ABSENT) for value in message.extra.values()) and all(
        isinstance(part, TextPart) for part in message.parts
    )


def own_usage(ask: Ask, choices: Sequence[ResponseChoice]) -> Usage | None:
    """Return the least that our own count of a call allows for, None for a model of no known kind."""
    model = ask.body.get("model")
    try:
        before = tokens.count(ask.body, model=model).low
        after = [tokens.count(_written(choice), model=model).low for choice in choices]
    except DiptychError:
        return None
    if before is None or None in after:
        return None
    return Usage(int(before), sum(int(n or 0) for n in after), source="counted")


def _written(choice: ResponseChoice) -> str:
    """Return all text that a choice was billed for, as near as it shows."""
    message = choice.message
    refusals = [part.text for part in message.parts if isinstance(part, RefusalPart)]
    calls = [text for call in message.tool_calls for text in (call.name, call.arguments)]
    return "".join([message.text, message.reasoning or "", *refusals, *calls])
