"""Caps on what a render may cost, and the running account of one render.

Rule: every loop, call and large text is charged before it is made, so that a
hostile template stops with a ResourceLimit and never with MemoryError, a hang or
a crash. The account of the running render is a context variable: threads and
tasks do not share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from itertools import chain, islice
from sys import getrefcount, getsizeof
from time import monotonic
from typing import Any, Final, TypeVar

from ..errors import ResourceLimit

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Cap what one template may cost: pass it as ``limits=`` wherever a template comes from.

    ``output``: characters of the whole output, and of any single text. ``seconds``: wall
    clock. ``work``: loop steps, calls, and what operators, filters and tests do to large
    values, about a unit per microsecond. ``memory``: bytes of the values that the template
    makes and holds. ``depth``: nesting of input data; what a template builds around it may
    be nested twice as deeply, and never more than 500 levels. ``source``: characters of one
    template file. The defaults are far above any prompt that a context window holds, and far
    below what hurts a process of 512 MB.

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
    memory: int = 128_000_000
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


#: Jinja's generated code keeps what it has printed in lists: bytes per entry, with its tuple.
_PRINTED: Final = 72
#: Bytes of a generator, a range, a namespace, or another object that is no text, number or container.
_OBJECT: Final = 640
#: Values smaller than this are not watched one by one: they count until the render ends.
_SMALL: Final = 1024
#: Seconds that a unit of work may take: what is announced to last beyond the deadline is not begun.
_UNIT: Final = 1e-6


class Account:
    """What one render has used so far: work, time, and the bytes of the values that it has made.

    A large value counts as long as the template holds it, a small one until the render ends.
    """

    __slots__ = ("buffers", "bytes", "deadline", "limits", "values", "work")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.work = 0
        self.bytes = 0
        self.deadline = monotonic() + limits.seconds
        #: Lists of what was printed so far, of the running captures; they grow while nobody looks.
        self.buffers: list[list[Any]] = []
        #: The large values that the render has made, with their bytes.
        self.values: list[tuple[Any, int]] = []

    def charge(self, steps: int) -> None:
        """Add loop steps or calls. Raises ResourceLimit over the cap on work, time or memory."""
        self.work += steps
        if self.work > self.limits.work:
            raise ResourceLimit(
                f"the render needs more than {self.limits.work:,} loop steps and calls",
                hint="loop over less, or raise Limits.work",
            )
        if monotonic() > self.deadline:
            raise self._late()
        if self.buffers or self.bytes > self.limits.memory:
            self.grow(0)

    def spend(self, units: int) -> None:
        """Add the work of one operation that cannot be interrupted: about a microsecond a unit."""
        self.charge(units)
        if monotonic() + units * _UNIT > self.deadline:
            raise self._late()

    def _late(self) -> ResourceLimit:
        return ResourceLimit(
            f"the render takes longer than {self.limits.seconds:g} s",
            hint="simplify the template, or raise Limits.seconds",
        )

    def grow(self, size: int, value: Any = None) -> None:
        """Add the bytes of a new value. Raises ResourceLimit over the cap on memory."""
        self.bytes += size
        if size >= _SMALL and value is not None:
            self.values.append((value, size))
        if self._used() > self.limits.memory:
            self._forget_dead()
            if self._used() > self.limits.memory:
                raise ResourceLimit(
                    f"the values of the render need more than {self.limits.memory:,} bytes",
                    hint="build less, or raise Limits.memory",
                )

    def reserve(self, size: int) -> None:
        """Ask before so many bytes are used for a short time. Raises ResourceLimit over the cap on memory."""
        self.grow(size)
        self.bytes -= size

    def _used(self) -> int:
        return self.bytes + _PRINTED * sum(map(len, self.buffers))

    def _forget_dead(self) -> None:
        """Take the large values off that nobody but this account holds."""
        kept: list[tuple[Any, int]] = []
        for pair in self.values:
            if getrefcount(pair[0]) > 2:  # this pair, and the argument of getrefcount
                kept.append(pair)
            else:
                self.bytes -= pair[1]
        self.values = kept

    def release(self, buffer: list[Any]) -> None:
        """Stop watching a list of what was printed."""
        for index in range(len(self.buffers) - 1, -1, -1):
            if self.buffers[index] is buffer:
                del self.buffers[index]
                return


_account: ContextVar[Account | None] = ContextVar("diptych_render_account", default=None)
#: The account of the running render, or None outside of a render.
account = _account.get


def open_account(limits: Limits = DEFAULT_LIMITS) -> Any:
    """Start a render's account; give the returned token to :func:`close_account`."""
    return _account.set(Account(limits))


def close_account(token: Any) -> None:
    """End a render's account."""
    _account.reset(token)


#: The caps on compiling one template; its size is capped beside.
_COMPILING: Final = Limits(seconds=10.0)


@contextmanager
def compiling() -> Iterator[None]:
    """Cap the time in which a template is read and compiled: by the running render, if there is one."""
    if account():
        yield
        return
    token = open_account(_COMPILING)
    try:
        yield
    finally:
        close_account(token)


def current_limits() -> Limits:
    """Return the caps of the running render, or the default ones outside of a render."""
    running = account()
    return running.limits if running else DEFAULT_LIMITS


def charge(steps: int = 1) -> None:
    """Charge the running render, if there is one."""
    if running := account():
        running.charge(steps)


def spend(units: int) -> None:
    """Charge the running render, if there is one, for an operation of about so many microseconds."""
    if running := account():
        running.spend(units)


def reserve(size: int) -> None:
    """Ask the running render, if there is one, for so many bytes for a short time."""
    if running := account():
        running.reserve(size)


def held(value: T) -> T:
    """Count the bytes of a value that the running render has made, and return it. Raises ResourceLimit over a cap."""
    if running := account():
        if isinstance(value, str) and len(value) > running.limits.output:
            check_size(len(value))
        if isinstance(value, _SIZED):
            running.grow(getsizeof(value), value)
        else:
            running.bytes += _PRINTED if type(value) in _NUMBERS else _OBJECT
    return value


def made(value: T, size: int) -> T:
    """Count so many bytes for a value that the source builds, until the render ends, and return it."""
    if running := account():
        running.grow(size)
    return value


_NUMBERS: Final = frozenset({int, float, bool, type(None)})
_SIZED: Final = (str, list, tuple, dict, set)


def check_size(size: int) -> None:
    """Refuse a text or list of that many characters or items before it is built."""
    limits = current_limits()
    if size > limits.output:
        raise ResourceLimit(
            f"a value of {size:,} characters or items is over the cap of {limits.output:,}",
            hint="build less, or raise Limits.output",
        )


def charged(iterable: Any) -> Any:
    """Charge a walk over items for all of its steps at once and return what to walk over.

    A lazy iterable becomes a list, no longer than the work that is left: that is
    what makes the price known before the walk starts.
    """
    try:
        steps = len(iterable)
    except TypeError:
        return _listed(iter(iterable))
    charge(steps + 1)
    return iterable


def _listed(iterator: Iterator[Any]) -> list[Any]:
    items: list[Any] = []
    while piece := list(islice(iterator, _PIECE)):
        charge(len(piece))
        items += piece
        reserve(getsizeof(items))
    charge(1)
    return held(items)


_PIECE: Final = 1024


def spread(arguments: Any) -> Any:
    """Charge ``*items`` or ``**items`` in a call: each call on the way to a function makes a copy of them."""
    if not isinstance(arguments, dict):
        arguments = charged(arguments)
        reserve(_COPIES * 8 * len(arguments))
    else:
        charge(len(arguments))
        reserve(_COPIES * getsizeof(arguments))
    return arguments


_COPIES: Final = 6


def paced(iterable: Any, pace: int = 16, is_handed_on: bool = False) -> Any:
    """Charge a loop, and look at the caps again after every ``pace`` steps of it.

    A loop that is handed on, as ``loop``, may be kept until the render ends.
    """
    items = charged(iterable)
    if is_handed_on:
        made(None, _OBJECT)
    return items if len(items) <= pace else _Paced(items, pace)


class _Paced:
    """Items that a loop takes in pieces."""

    __slots__ = ("_items", "_pace")

    def __init__(self, items: Any, pace: int) -> None:
        self._items = items
        self._pace = pace

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._pieces())

    def _pieces(self) -> Iterator[list[Any]]:
        iterator = iter(self._items)
        while piece := list(islice(iterator, self._pace)):
            yield piece
            charge(0)


# what is printed ------------------------------------------------------------------------------


def new_buffer() -> list[Any]:
    """Return a list for what a macro or block prints, which the running render watches."""
    buffer: list[Any] = []
    if running := account():
        running.buffers.append(buffer)
    return buffer


def drained(events: Iterable[Any]) -> list[Any]:
    """Return what was printed: the buffer itself, which is watched no more, or a list of what a template yields."""
    running = account()
    if type(events) is not list:
        buffer = new_buffer()
        buffer.extend(events)
        events = buffer
    if running:
        running.release(events)
        running.bytes += 8 * len(events)
    return events


def joined(events: Iterable[str]) -> str:
    """Join what was printed into one text. Takes the place of Jinja's ``concat``."""
    texts = drained(events)
    check_size(sum(map(len, texts)))
    return held("".join(texts))
