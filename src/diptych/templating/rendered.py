"""A rendered template: one source of truth, two projections.

Rule: ``prompt`` and ``messages`` are written from the same assembled messages, and
every character keeps its author. Projections are made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ..apis.chat.messages import write
from ..format import DeclaringTemplate, Writing
from ..loss import Loss
from ..model import Conversation, Message, Part, ResponseFormat, Segment, Span, TextPart, ToolSpec
from ..policy import OnLoss
from ..request import Api, Request
from ..views.card import Card, Talk
from ..views.parts import described
from .assemble import Assembled, add_segment
from .plan import Plan


class Rendered(Request):
    """What a template and its inputs became; see :meth:`Template.render`.

    >>> from diptych import Template
    >>> r = Template.from_string('Translate to French: "{{ text }}"').render(text="Hello")
    >>> r.prompt
    'Translate to French: "Hello"'
    >>> r.messages
    [{'role': 'user', 'content': 'Translate to French: "Hello"'}]
    """

    __slots__ = ("_assembled", "_input_losses", "_plan", "_prompt", "_template", "_values", "_writing")

    __setattr__ = object.__setattr__  # type: ignore[assignment]  # its projections are made on first access

    def __init__(
        self,
        template: DeclaringTemplate,
        plan: Plan | None,
        values: Mapping[str, Any],
        assembled: Assembled | None = None,
        input_losses: tuple[Loss, ...] = (),
    ) -> None:
        self._template = template
        self._plan = plan
        self._values = values
        self._assembled = assembled
        self._input_losses = input_losses
        self._prompt: str | None = None
        self._writing: Writing | None = None

    # the two projections -----------------------------------------------------------

    @property
    def prompt(self) -> str:
        """The Completions prompt. A chat is written by the template's text format."""
        if self._prompt is None:
            plan = self._plan
            if plan is not None and not plan.is_chat:
                self._prompt = plan.make_prompt(self._values)
            elif self.is_chat:
                self._prompt = self._chat_writing().text
            else:
                self._prompt = self.assembled.text
        return self._prompt

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages in OpenAI Chat wire shape. A prompt is one user message.

        Every access gives new lists and mappings: what is appended to them changes no request.
        """
        plan = self._plan
        if plan is None:
            return write(self.conversation)
        if not plan.is_chat:
            return [{"role": "user", "content": self.prompt}]
        messages = plan.make_messages(self._values)
        return list(map(dict.copy, messages)) if plan.histories else messages

    @property
    def is_chat(self) -> bool:
        """True where the template has messages, False where it is a prompt."""
        return self._plan.is_chat if self._plan is not None else self.assembled.is_chat

    # provenance ----------------------------------------------------------------------

    @property
    def assembled(self) -> Assembled:
        """The text or messages with the author of every run of characters."""
        if self._assembled is None:
            assert self._plan is not None
            self._assembled = self._plan.assembled(self._values)
        return self._assembled

    @property
    def segments(self) -> list[tuple[str, tuple[Segment, ...]]]:
        """Each message's role and its text as segments."""
        if not self.is_chat:
            return [("user", self.assembled.loose)]
        return [(entry.message.role, entry.segments) for entry in self.assembled.entries]

    @property
    def priorities(self) -> list[float | None]:
        """Each message's ``priority`` as the template declares it, None where it does not."""
        return [entry.priority for entry in self.assembled.entries] if self.is_chat else [None]

    @property
    def spans(self) -> list[Span]:
        """Who wrote what in ``prompt``: every character stands in one span."""
        if self.is_chat:
            return list(self._chat_writing().spans)
        spans, position = [], 0
        for text, source, name in self.assembled.loose:
            spans.append(Span(position, position + len(text), source, name, 0))
            position += len(text)
        return spans

    def token_ids(self, model: str | None = None) -> list[int]:
        """Return the token ids of ``prompt``.

        Control tokens such as ``<|im_start|>`` come only from what the author (or
        the text format) wrote; the same characters in data are encoded as text.
        Raises TokenError for a model without a known encoding.
        """
        from ..catalogue import DEFAULT_MODEL
        from ..encodings.text import token_ids

        segments: list[Segment] = []
        for span in self.spans:
            add_segment(segments, Segment(self.prompt[span.start : span.end], span.source))
        return token_ids(segments, model=model or self._template.model or DEFAULT_MODEL)

    # the neutral value and what it loses ---------------------------------------------

    @property
    def conversation(self) -> Conversation:
        """The neutral conversation, with the template's tools and response format."""
        if self.is_chat:
            messages = tuple(entry.message for entry in self.assembled.entries)
        else:
            messages = (Message("user", self.prompt),)
        return Conversation(messages, self.tools, self.response_format, "continue" if self.prefills else "none")

    @property
    def prefills(self) -> bool:
        """True where the last message is a prefill: the model goes on with it."""
        return self.is_chat and bool(self.assembled.entries) and self.assembled.entries[-1].prefill

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """The tools that the template declares."""
        return self._template.tools

    @property
    def response_format(self) -> ResponseFormat | None:
        """The response format that the template declares."""
        return self._template.response_format

    @property
    def template(self) -> DeclaringTemplate:
        """The template this was rendered from."""
        return self._template

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs that were rendered, with their defaults, by name."""
        return MappingProxyType(self._values)

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What ``prompt`` cannot carry, and what had to be replaced in the inputs."""
        if self.is_chat:
            return self._input_losses + self._chat_writing().losses
        return self._input_losses

    def _chat_writing(self) -> Writing:
        if self._writing is None:
            self._writing = self.write(self._template.text_format)
        return self._writing

    def write(self, format: str, *, add_generation_prompt: bool = True) -> Writing:
        """Write the messages in a text format: the prompt, its stop list, spans, losses.

        Markers of the format inside data are neutralised, and each is a loss.
        Raises FormatError for an unknown format.
        """
        from ..text.writing import write_text

        provenance: Sequence[Sequence[Segment]] = [segments for _, segments in self.segments]
        written = write_text(
            self.conversation,
            format,
            add_generation_prompt=add_generation_prompt and not self.prefills,
            provenance=provenance,
            guard="escape",
        )
        return _left_open(written, self.conversation.messages[-1].text) if self.prefills else written

    # the body to send ------------------------------------------------------------------

    @property
    def model(self) -> str | None:
        """The model that the template names."""
        return self._template.model

    @property
    def params(self) -> dict[str, Any]:
        """The request parameters that the template declares."""
        return self._template.params

    def wire_messages(self) -> list[dict[str, Any]]:
        """Return ``messages``."""
        return self.messages

    def write_prompt(self) -> Writing:
        """Return ``prompt`` with its stop list, spans and losses: the messages in the template's text format."""
        return self._chat_writing() if self.is_chat else Writing(self.prompt, (), (), tuple(self.spans))

    def request(
        self, api: Api | None = None, *, model: str | None = None, on_loss: OnLoss = "raise", **params: Any
    ) -> dict[str, Any]:
        """Return the body to send to an API: ``chat``, ``completions``, ``responses``, ``anthropic`` and others.

        Without ``api`` a model that OpenAI serves by one of the two gets that one, and any other
        the template's own shape. The template's ``model`` and ``params`` are defaults under the
        arguments; a parameter given as None is left out. ``on_loss`` says what becomes of what
        the API cannot carry (tools and JSON mode on Completions): ``raise`` a LossError,
        ``report`` a warning, ``ignore`` it. Raises FormatError for a parameter that the API does
        not know or whose value is out of range.

        >>> from diptych import Template
        >>> Template.from_string("Hi").render().request(model="gpt-4o")["messages"]
        [{'role': 'user', 'content': 'Hi'}]
        """
        from ..conversion.requests import build

        return build(self, model=model, api=api, on_loss=on_loss, **params).body

    # showing itself --------------------------------------------------------------------

    def __str__(self) -> str:
        """Return the prompt."""
        return self.prompt

    def __repr__(self) -> str:
        kind = f"{len(self.messages)} messages" if self.is_chat else f"{len(self.prompt)} characters"
        return f"<Rendered {self._template.name}: {kind}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rendered):
            return NotImplemented
        return self.segments == other.segments and self.conversation == other.conversation

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the inputs and what was assembled; the template's plan is made anew."""
        state = (self._plan is not None, self._values, self._assembled, self._input_losses)
        return _unpickled, (self._template, *state)

    def _card(self) -> Card:
        return Card(self._template.name, {}, (Talk("", self._visible()),))

    def _visible(self) -> list[tuple[str, list[Segment]]]:
        """Return the segments with a line for each part that is not text, in its place."""
        return [(role, [*map(_as_text, pieces)]) for role, pieces in self.pieces]

    @property
    def pieces(self) -> list[tuple[str, list[Segment | Part]]]:
        """Every message's role, and its text in runs of one author with the parts that are not text in their places."""
        if not self.is_chat:
            return [(role, list(segments)) for role, segments in self.segments]
        entries = self.assembled.entries
        return [(entry.message.role, _with_parts(entry.message, entry.segments)) for entry in entries]


def _as_text(piece: Segment | Part) -> Segment:
    return piece if isinstance(piece, Segment) else Segment(f"\n[{described(piece)}]\n", "template")


def _with_parts(message: Message, segments: Sequence[Segment]) -> list[Segment | Part]:
    left, shown = list(segments), list[Segment | Part]()
    if all(isinstance(part, TextPart) for part in message.parts):
        return [*left]
    for part in message.parts:
        if not isinstance(part, TextPart):
            shown.append(part)
            continue
        room = len(part.text)
        while left and room > 0:
            taken = left[0]._replace(text=left[0].text[:room])
            shown.append(taken)
            room -= len(taken.text)
            rest = left[0].text[len(taken.text) :]
            left = [left[0]._replace(text=rest), *left[1:]] if rest else left[1:]
    return shown


def _left_open(writing: Writing, last: str) -> Writing:
    """Return a text that ends in its last message, without what closes it."""
    end = writing.text.rfind(last) + len(last)
    if not last or end < len(last):
        return writing
    spans = tuple(span._replace(end=min(span.end, end)) for span in writing.spans if span.start < end)
    return Writing(writing.text[:end], writing.stop, writing.losses, spans)


def _unpickled(template: Any, is_planned: bool, values: Any, assembled: Any, losses: Any) -> Rendered:
    return Rendered(template, template.plan if is_planned else None, values, assembled, losses)
