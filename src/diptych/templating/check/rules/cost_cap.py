"""A sample over the cap on cost.

``diptych check --max-cost USD`` estimates the request of every sample and finds those whose expected
cost is higher.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ....prices import estimate
from ...rendered import Rendered
from ..finding import Finding
from ..subject import Subject

CODE = "T502"
BAD = "(a sample of 0.02 USD under --max-cost 0.01)"
GOOD = "(a sample of 0.005 USD under --max-cost 0.01)"


def check(subject: Subject) -> Iterator[Finding]:
    """Find samples whose request costs more."""
    cap = subject.settings.max_cost
    if cap is None:
        return
    for sample, cost in subject.measured(lambda rendered: _expected(rendered, subject.model)):
        if float(cost) > cap:
            message = f"{sample.name} costs about {_usd(cost)} USD with {subject.model}, over {_usd(cap)}"
            yield Finding(CODE, message, subject.at_key("samples", sample.name), "shorten it, or name a cheaper model")


def _usd(amount: Decimal | float) -> str:
    """Return an amount in plain decimals, all of them: a small one is neither 0 nor written with an exponent."""
    return f"{Decimal(str(amount)).normalize():f}"


def _expected(rendered: Rendered, model: str) -> Decimal | None:
    cost = estimate(rendered, model).cost
    return None if cost is None else cost.expected
