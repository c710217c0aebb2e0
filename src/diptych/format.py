"""What a format is: a name, a kind, a mapping in one line, a reader and a writer.

Rule: one file a format; the file exposes ``FORMAT`` (or ``FORMATS``), its module
docstring lists what becomes what and what is lost, and the registry is derived
from the folder. Readers and writers are pure: value in, value out, losses beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias, cast, runtime_checkable

from .loss import Loss, Verdict
from .model import Conversation, ResponseFormat, Segment, Span, ToolSpec
from .views.card import Block, Card, Table, Talk, loss_table
from .views.shown import Shown
from .views.wire import conversation_talk, output_block

#: A prompt text, the messages or bodies of an API, a row of a data set.
Kind = Literal["text", "api", "dataset"]
Spans: TypeAlias = tuple[Span, ...]
_set: Final = object.__setattr__


@dataclass(frozen=True, slots=True)
class Reading(Shown):
    """What a foreign value was read as.

    ``verdict`` is ``lossless`` only where writing the conversation again gives the
    identical value and no other reading exists; ``alternatives`` holds the other
    readings of an ambiguous value, and ``detail`` says why it is ambiguous, where, and what to
    do; ``confidence`` (0 to 1) is that of the detected ``format``.

    >>> from diptych import to_messages
    >>> reading = to_messages("<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n")
    >>> reading.format, reading.verdict, reading.messages
    ('chatml', 'lossless', [{'role': 'user', 'content': 'Hi'}])
    """

    conversation: Conversation
    messages: list[dict[str, Any]]
    format: str
    verdict: Verdict = "lossless"
    losses: tuple[Loss, ...] = ()
    alternatives: tuple[Reading, ...] = ()
    confidence: float = 1.0
    detail: str = ""

    def _card(self) -> Card:
        facts = {"format": self.format, "verdict": self.verdict, "confidence": self.confidence, "detail": self.detail}
        blocks: list[Block] = [conversation_talk(self.conversation), *loss_table(self.losses)]
        rows = [(other.format, other.verdict, len(other.messages)) for other in self.alternatives]
        blocks += [Table("Other readings", ("format", "verdict", "messages"), rows)] if rows else []
        return Card("Reading", facts, blocks)


class Writing(Shown):
    """A conversation written as text: the prompt, its stop list, what it cannot carry.

    ``spans`` cover every character of ``text`` exactly once. They are made when they are
    first asked for: ``spans`` may be given as a function that makes them.

    >>> from diptych import to_prompt
    >>> writing = to_prompt([{"role": "user", "content": "Hi"}], "chatml")
    >>> writing.stop, writing.spans[1].source
    (('<|im_end|>',), 'data')
    """

    __slots__ = ("_spans", "losses", "stop", "text")
    __match_args__ = ("text", "stop", "losses", "spans")
    text: str
    stop: tuple[str, ...]
    losses: tuple[Loss, ...]
    _spans: Spans | Callable[[], Spans]

    def __init__(
        self,
        text: str,
        stop: tuple[str, ...] = (),
        losses: tuple[Loss, ...] = (),
        spans: Spans | Callable[[], Spans] = (),
    ) -> None:
        _set(self, "text", text)
        _set(self, "stop", stop)
        _set(self, "losses", losses)
        _set(self, "_spans", spans)

    @property
    def spans(self) -> Spans:
        """Who wrote which characters of the text."""
        if callable(self._spans):
            _set(self, "_spans", self._spans())
        return cast("Spans", self._spans)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Writing cannot be changed", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Writing cannot be changed", name=name, obj=self)

    def _key(self) -> tuple[str, tuple[str, ...], tuple[Loss, ...], Spans]:
        return (self.text, self.stop, self.losses, self.spans)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Writing) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Writing(text={self.text!r}, stop={self.stop!r}, losses={self.losses!r}, spans={self.spans!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Writing, self._key())

    def _card(self) -> Card:
        pieces = [Segment(self.text[span.start : span.end], span.source, span.input) for span in self.spans]
        talk = Talk("", [("prompt", pieces or [Segment(self.text, "template")])])
        return Card("Prompt", {"stop": ", ".join(map(repr, self.stop))}, [talk, *loss_table(self.losses)])


class Proof(NamedTuple):
    """Whether the target gives the same text: ``by`` whom it was rendered, where it differs first, what would help."""

    equal: bool
    by: str
    first_difference: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion(Shown):
    """A value in its target format, with the verdict and the losses of the way there.

    ``detail`` says why an ambiguous value is ambiguous. ``proof`` says whether a receiver sees
    the same; None where nothing was asked to prove it.

    >>> from diptych import convert
    >>> result = convert([{"role": "user", "content": "Hi"}], target="gemini")
    >>> result.verdict, result.output
    ('lossless', {'contents': [{'role': 'user', 'parts': [{'text': 'Hi'}]}]})
    """

    output: Any
    verdict: Verdict = "lossless"
    losses: tuple[Loss, ...] = ()
    format: str = ""
    alternatives: tuple[Any, ...] = ()
    detail: str = ""
    proof: Proof | None = None

    def _card(self) -> Card:
        facts: dict[str, object] = {"read as": self.format, "verdict": self.verdict, "detail": self.detail}
        if self.proof is not None:
            answer = "the same" if self.proof.equal else f"differs: {self.proof.first_difference}"
            facts |= {"proof": f"{answer} (rendered by {self.proof.by})", "remedy": self.proof.remedy}
        blocks: list[Block] = [*loss_table(self.losses), output_block(self.output)]
        others = [(getattr(other, "format", other),) for other in self.alternatives]
        blocks += [Table("Other readings", ("format",), others)] if others else []
        return Card("Conversion", facts, blocks)


@dataclass(frozen=True, slots=True)
class Wire:
    """What loss accounting has to know of the values of an API.

    ``holds`` names the fields of a body that hold the conversation: all others are parameters. ``bare`` is
    the field that a list without a body around it stands for. ``talk`` names the fields of a conversation
    alone: an object that holds no others is this API's form of a message list, and no body.
    """

    holds: frozenset[str] = frozenset()
    bare: str = ""
    talk: frozenset[str] = frozenset()


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
    ``wire`` says what the values of an API consist of, and ``api`` holds the tables of one that
    reads and writes whole requests (:class:`diptych.apis.api.Api`).
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
    api: Any = None

    @property
    def direction(self) -> str:
        """``read``, ``write`` or ``read/write``."""
        return "/".join(name for name, way in (("read", self.read), ("write", self.write)) if way)


class DeclaringTemplate(Protocol):
    """The template that something was rendered from: what it declares."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str | None: ...

    @property
    def params(self) -> dict[str, Any]: ...

    @property
    def text_format(self) -> str: ...

    @property
    def tools(self) -> tuple[ToolSpec, ...]: ...

    @property
    def response_format(self) -> ResponseFormat | None: ...

    @property
    def hash(self) -> str: ...


@runtime_checkable
class RenderedTemplate(Protocol):
    """A rendered template, as the layers below templating see it.

    Its properties are for the type checker alone: asked whether an object has them, Python
    3.11 would read each, which is to render.
    """

    def request(self, api: Any = "chat", *, model: str | None = None, **params: Any) -> dict[str, Any]: ...

    def token_ids(self, model: str | None = None) -> list[int]: ...

    if TYPE_CHECKING:

        @property
        def is_chat(self) -> bool: ...

        @property
        def prompt(self) -> str: ...

        @property
        def messages(self) -> list[dict[str, Any]]: ...

        @property
        def conversation(self) -> Conversation: ...

        @property
        def tools(self) -> tuple[ToolSpec, ...]: ...

        @property
        def response_format(self) -> ResponseFormat | None: ...

        @property
        def template(self) -> DeclaringTemplate: ...
