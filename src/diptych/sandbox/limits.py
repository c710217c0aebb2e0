"""Caps on what a render may cost, and the running account of one render.

Rule: every loop, call and large text is charged before it is made, so that a
hostile template stops with a ResourceLimit and never with MemoryError, a hang or
a crash. The account of the running render is a context variable: threads and
tasks do not share it.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from itertools import islice
from time import monotonic
from typing import Any, Final

from ..errors import ResourceLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Cap what one template may cost: pass it as ``limits=`` wherever a template comes from.

    ``output``: characters of the whole output, and of any single text. ``seconds``: wall
    clock. ``work``: loop steps plus calls. ``depth``: nesting of input data; what a template
    builds around it may be nested twice as deeply, and never more than 500 levels.
    ``source``: characters of one template file. The defaults are far above any prompt
    that a context window holds, and far below what hurts a process of 512 MB.

    ``isolate=True`` renders in a worker process under limits of the operating system (Linux): 10 seconds at most,
    224 MiB of memory, no file written. Use it for templates of strangers.

    >>> Limits(seconds=0.5).output
    10000000
    """

    output: int = 10_000_000
    seconds: float = 3.0
    work: int = 1_000_000
    depth: int = 64
    source: int = 2_000_000
    isolate: bool = False

    @property
    def here(self) -> Limits:
        """The caps on what is done in this process: with ``isolate``, none is over its default."""
        if not self.isolate:
            return self
        caps = {f.name: min(getattr(self, f.name), f.default) for f in fields(self) if f.name != "isolate"}
        return Limits(**caps)

    @property
    def within(self) -> Limits:
        """The caps that a worker process applies by itself: these, without ``isolate``."""
        return replace(self, isolate=False)


DEFAULT_LIMITS: Final = Limits()


class Account:
    """What one render has used so far."""

    __slots__ = ("deadline", "limits", "work")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.work = 0
        self.deadline = monotonic() + limits.seconds

    def charge(self, steps: int) -> None:
        """Add loop steps or calls. Raises ResourceLimit over the work or time cap."""
        self.work += steps
        if self.work > self.limits.work:
            raise ResourceLimit(
                f"the render needs more than {self.limits.work:,} loop steps and calls",
                hint="loop over less, or raise Limits.work",
            )
        if monotonic() > self.deadline:
            raise ResourceLimit(
                f"the render takes longer than {self.limits.seconds:g} s",
                hint="simplify the template, or raise Limits.seconds",
            )


_account: ContextVar[Account | None] = ContextVar("diptych_render_account", default=None)


def open_account(limits: Limits = DEFAULT_LIMITS) -> Any:
    """Start a render's account; give the returned token to :func:`close_account`."""
    return _account.set(Account(limits))


def close_account(token: Any) -> None:
    """End a render's account."""
    _account.reset(token)


def current_limits() -> Limits:
    """Return the caps of the running render, or the default ones outside of a render."""
    account = _account.get()
    return account.limits if account else DEFAULT_LIMITS


def charge(steps: int = 1) -> None:
    """Charge the running render, if there is one."""
    account = _account.get()
    if account:
        account.charge(steps)


def check_size(size: int) -> None:
    """Refuse a text or list of that many characters or items before it is built."""
    limits = current_limits()
    if size > limits.output:
        raise ResourceLimit(
            f"a value of {size:,} characters or items is over the cap of {limits.output:,}",
            hint="build less, or raise Limits.output",
        )


def charged(iterable: Any) -> Any:
    """Charge a loop for all of its steps at once and return what to loop over.

    A lazy iterable becomes a list, no longer than the work that is left: that is
    what makes the price known before the loop starts.
    """
    try:
        steps = len(iterable)
    except TypeError:
        account = _account.get()
        room = account.limits.work - account.work + 1 if account else DEFAULT_LIMITS.work
        iterable = list(islice(iterable, max(room, 1)))
        steps = len(iterable)
    charge(steps + 1)
    return iterable
