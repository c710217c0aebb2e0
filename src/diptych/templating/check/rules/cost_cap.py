"""A sample over the cap on cost.

``diptych check --max-cost USD`` estimates the request of every sample and finds those whose expected
cost is higher.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import DiptychError
from ....prices import estimate
from ..finding import Finding
from ..subject import Subject

CODE = "T502"
BAD = "(a sample of 0.02 USD under --max-cost 0.01)"
GOOD = "(a sample of 0.005 USD under --max-cost 0.01)"


def check(subject: Subject) -> Iterator[Finding]:
    """Find samples whose request costs more."""
    cap = subject.settings.max_cost
    if cap is None or subject.template is None:
        return
    for name, sample in subject.template.samples.items():
        try:
            cost = estimate(subject.template.render(sample), subject.model).cost
        except DiptychError:
            continue
        if cost is not None and cost.expected is not None and float(cost.expected) > cap:
            message = f"{name} costs about {cost.expected:.6f} USD with {subject.model}, over {cap}"
            yield Finding(CODE, message, subject.at_key("samples"), "shorten it, or name a cheaper model")
