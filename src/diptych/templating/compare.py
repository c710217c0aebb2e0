"""Two versions of a template, sample by sample: texts, tokens, cost, and what a cache still holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from ..catalogue import DEFAULT_MODEL
from ..errors import DiptychError
from ..prices import estimate
from ..tokens import count
from .analyse import Prefix, stable_prefix
from .rendered import Rendered
from .template import Template


class Side(NamedTuple):
    """What a version makes of a sample, or why it does not render."""

    messages: list[dict[str, Any]]
    tokens: int | None
    cost: Decimal | None
    error: str | None = None


class Difference(NamedTuple):
    """A sample in both versions; ``prefix`` is what they share at their beginning."""

    sample: str
    before: Side
    after: Side
    prefix: Prefix

    @property
    def is_same(self) -> bool:
        """True where both versions make the same messages."""
        return self.before.messages == self.after.messages and self.before.error == self.after.error

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON; costs are texts in USD."""
        sides = {
            name: {**side._asdict(), "cost": None if side.cost is None else str(side.cost)}
            for name, side in (("before", self.before), ("after", self.after))
        }
        return {"sample": self.sample, "same": self.is_same, **sides, "prefix": self.prefix._asdict()}


def compare(
    before: Template,
    after: Template,
    *,
    model: str | None = None,
    samples: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Difference]:
    """Yield the difference for every sample of either version, or for ``samples``.

    A version without samples is rendered without inputs. ``model`` counts and prices both.

    >>> one, two = (Template.from_string(f"Be {word}.") for word in ("brief", "kind"))
    >>> [found.is_same for found in compare(one, two, model="gpt-4o")]
    [False]
    """
    chosen = samples if samples is not None else {**before.samples, **after.samples} or {"no inputs": {}}
    for name, inputs in chosen.items():
        first, second = _rendered(before, inputs), _rendered(after, inputs)
        both = [one for one in (first, second) if isinstance(one, Rendered)]
        prefix = stable_prefix(both, model=model) if len(both) == 2 else Prefix(0, 0, None)
        yield Difference(name, _side(first, model), _side(second, model), prefix)


def _rendered(template: Template, inputs: Mapping[str, Any]) -> Rendered | DiptychError:
    known = {name: value for name, value in inputs.items() if name in template.inputs}
    try:
        rendered = template.render(known)
        rendered.messages  # noqa: B018 - a projection is made when it is asked for
    except DiptychError as error:
        return error
    return rendered


def _side(rendered: Rendered | DiptychError, model: str | None) -> Side:
    if not isinstance(rendered, Rendered):
        return Side([], None, None, str(rendered.message))
    name = model or rendered.model or DEFAULT_MODEL
    cost = estimate(rendered, name).cost
    return Side(rendered.messages, count(rendered, name).tokens, None if cost is None else cost.expected)
