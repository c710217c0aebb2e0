"""The policy for losses: raise on them, warn of them, or only return them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final, Literal

from .errors import FormatError, LossError
from .loss import Loss, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What is done about a loss above exact; ``warn`` is the name that 0.1 had for ``report``.
OnLoss = Literal["raise", "report", "ignore", "warn"]
_POLICIES: Final[dict[str, Literal["raise", "report", "ignore"]]] = {
    "raise": "raise", "report": "report", "ignore": "ignore", "warn": "report",
}  # fmt: skip


class LossWarning(UserWarning):
    """Issued once a loss by the policy ``report``.

    >>> import warnings
    >>> from diptych import convert
    >>> body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "seed": 7}
    >>> with warnings.catch_warnings(record=True) as seen:
    ...     warnings.simplefilter("always")
    ...     _ = convert(body, target="anthropic", on_loss="report")
    >>> seen[0].category.__name__
    'LossWarning'
    """


def policy_of(on_loss: str) -> Literal["raise", "report", "ignore"]:
    """Return the policy of that name. Raises FormatError for an unknown one.

    >>> policy_of("warn")
    'report'
    """
    if found := _POLICIES.get(on_loss):
        return found
    raise FormatError(f"unknown policy {on_loss!r}", path="$.on_loss", hint="raise, report or ignore")


def _way_out(losses: list[Loss]) -> str:
    """Return the hint for losses that stop a conversion: what gives them a value of the caller's, where one does."""
    is_capless = any(loss.path == "$.max_tokens" and "requires a cap" in loss.detail for loss in losses)
    return f"pass {'max_tokens=…, or ' if is_capless else ''}on_loss='report' to continue"


def settle(losses: Iterable[Loss], on_loss: OnLoss = "raise") -> tuple[Loss, ...]:
    """Apply the policy to the losses and return them.

    ``raise`` raises on anything above exact, ``report`` issues a
    :class:`LossWarning` for each, ``ignore`` keeps quiet. A refused loss raises
    under every policy: there is no output to continue with.

    Raises :class:`~diptych.errors.LossError`, and FormatError for an unknown policy.
    """
    policy = policy_of(on_loss)
    found = tuple(losses)
    if not found:
        return found
    above = [loss for loss in found if loss.severity > Severity.EXACT]
    stop = above if policy == "raise" else [loss for loss in above if loss.severity is Severity.REFUSED]
    if stop:
        hint = None if any(x.severity is Severity.REFUSED for x in stop) else _way_out(stop)
        more = f" (and {len(stop) - 1} more)" if len(stop) > 1 else ""
        raise LossError(f"{stop[0]}{more}", losses=found, hint=hint)
    if policy == "report":
        for loss in above:
            warnings.warn(str(loss), LossWarning, stacklevel=3)
    return found
