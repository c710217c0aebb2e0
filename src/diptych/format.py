"""What a format is: a name, a kind, a mapping in one line, a reader and a writer.

Rule: one file a format; the file exposes ``FORMAT`` (or ``FORMATS``), its module
docstring lists what becomes what and what is lost, and the registry is derived
from the folder. Readers and writers are pure: value in, value out, losses beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .loss import Loss, Verdict
from .model import Conversation, Span

#: A prompt text, the messages or bodies of an API, a row of a data set.
Kind = Literal["text", "api", "dataset"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a foreign value was read as.

    ``verdict`` is ``lossless`` only where writing the conversation again gives the
    identical value and no other reading exists; ``alternatives`` holds the other
    readings of an ambiguous value, and ``detail`` says why it is ambiguous, where, and what to
    do; ``confidence`` (0 to 1) is that of the detected ``format``.
    """

    conversation: Conversation
    messages: list[dict[str, Any]]
    format: str
    verdict: Verdict = "lossless"
    losses: tuple[Loss, ...] = ()
    alternatives: tuple[Reading, ...] = ()
    confidence: float = 1.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """A conversation written as text: the prompt, its stop list, what it cannot carry.

    ``spans`` cover every character of ``text`` exactly once.
    """

    text: str
    stop: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    spans: tuple[Span, ...] = ()


class Proof(NamedTuple):
    """Whether the target gives the same text: ``by`` whom it was rendered, where it differs first, what would help."""

    equal: bool
    by: str
    first_difference: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """A value in its target format, with the verdict and the losses of the way there.

    ``detail`` says why an ambiguous value is ambiguous. ``proof`` says whether a receiver sees
    the same; None where nothing was asked to prove it.
    """

    output: Any
    verdict: Verdict = "lossless"
    losses: tuple[Loss, ...] = ()
    format: str = ""
    alternatives: tuple[Any, ...] = ()
    detail: str = ""
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """What loss accounting has to know of the values of an API.

    ``holds`` names the fields of a body that hold the conversation: all others are parameters.
    ``bare`` is the field that a list without a body around it stands for. ``implied`` holds fields
    with the value that their absence means; ``proved`` fields that the text formats compare.
    ``write_body`` writes a body where the format's own writer gives a list. ``place`` turns a path
    of the neutral model into that of a body. ``keeps_plain``: a body that holds nothing but texts
    and messages of a role and a text comes back as it is, and ``writes_plain``: messages that are
    plain texts do, so that no proof is needed (a law tests both).
    """

    holds: frozenset[str] = frozenset()
    bare: str = ""
    implied: frozenset[tuple[str, Any]] = frozenset()
    proved: frozenset[str] = frozenset()
    write_body: Callable[[Conversation], tuple[Any, tuple[Loss, ...]]] | None = None
    place: Callable[[str], str] | None = None
    keeps_plain: bool = False
    writes_plain: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """One entry of the registry.

    ``read(value) -> (Conversation, losses)`` and ``write(conversation) -> (value,
    losses)``; either may be None. ``detect(value) -> float`` says how sure it is
    that a value is of this format (0: not at all). ``carries`` names the fields of
    :class:`~diptych.model.Example` that a data set's row has a place for: what it
    does not carry is told as a loss by ``convert``, not by each writer
    (``request.name``: this parameter alone). ``asks`` marks a layout whose rows hold a
    question and no answer. ``rules(row)`` yields a refused loss for everything in a written
    row that the receiver's published rules forbid. ``grammar`` is that of a text format,
    ``wire`` says what the values of an API consist of.
    """

    name: str
    kind: Kind
    mapping: str
    read: Callable[[Any], tuple[Conversation, tuple[Loss, ...]]] | None = None
    write: Callable[[Conversation], tuple[Any, tuple[Loss, ...]]] | None = None
    detect: Callable[[Any], float] | None = None
    aliases: tuple[str, ...] = field(default=())
    carries: frozenset[str] = field(default=frozenset())
    rules: Callable[[Any], Iterable[Loss]] | None = None
    asks: bool = False
    grammar: Any = None
    wire: Wire = Wire()

    @property
    def direction(self) -> str:
        """``read``, ``write`` or ``read/write``."""
        return "/".join(name for name, way in (("read", self.read), ("write", self.write)) if way)
