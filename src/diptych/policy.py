"""The policy for losses: raise on them, warn of them, or only return them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

from .errors import LossError
from .loss import Loss, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

OnLoss = Literal["raise", "warn", "ignore"]


class LossWarning(UserWarning):
    """Issued once a loss by the policy ``warn``."""


def settle(losses: Iterable[Loss], on_loss: OnLoss = "raise") -> tuple[Loss, ...]:
    """Apply the policy to the losses and return them.

    ``raise`` raises on anything above exact, ``warn`` issues a
    :class:`LossWarning` for each, ``ignore`` keeps quiet. A refused loss raises
    under every policy: there is no output to go on with.

    Raises :class:`~diptych.errors.LossError`.
    """
    found = tuple(losses)
    above = [loss for loss in found if loss.severity > Severity.EXACT]
    stop = above if on_loss == "raise" else [loss for loss in above if loss.severity is Severity.REFUSED]
    if stop:
        hint = None if any(x.severity is Severity.REFUSED for x in stop) else "pass on_loss='warn' to go on"
        more = f" (and {len(stop) - 1} more)" if len(stop) > 1 else ""
        raise LossError(f"{stop[0]}{more}", losses=found, hint=hint)
    if on_loss == "warn":
        for loss in above:
            warnings.warn(str(loss), LossWarning, stacklevel=3)
    return found
