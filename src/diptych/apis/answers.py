"""Answers of message APIs, whole: one engine reads and writes them by the tables of each API.

Rule: reading is by subtraction, as for requests: what the tables write of a body is taken out of it,
and the rest is kept in ``native`` under the name of the API. So the same API in and out is the identity,
and what another API has no place for is a loss with the path of the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from ..errors import FormatError
from ..loss import Loss
from ..model import (
    EMPTY,
    AudioPart,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    thaw,
)
from ..projection import is_old
from ..response import HEAD, Response, ResponseChoice, native_of
from .api import Api, Reader, Writer
from .counts import Counts
from .fields import MISSING, NOTE, Field, Kind, bind_field, dig, is_equal, joined, place
from .ledger import Ledger, leaves, parts
from .logprobs import written_tokens
from .marks import MARKS

#: Notes: constants that a body lacks; and the word in which the API said why a reply ended.
ABSENT: Final = f"{NOTE}absent"
END: Final = f"{NOTE}end"
#: What a server measures: a number in its place is not what it would say.
_MEASURED: Final = frozenset({"usage", "metrics"})
#: What the neutral model calls the end of a reply, in the words of Chat.
ENDS: Final = ("stop", "length", "tool_calls", "content_filter", "function_call")
#: Those that Completions does not have.
CALLED: Final = ("tool_calls", "function_call")


@dataclass(frozen=True)
class Answers:
    """How an API answers.

    ``head`` are the rows beside the choices (``id``, ``model``, ``created``), ``fixed`` the constants of a
    body, ``needs`` what a server always says, with the value where nothing is known. ``ends`` maps the API's
    words for why a reply ended to the neutral ones, the one that is written first; ``has_refusals`` tells whether
    the API has refusals, which are texts elsewhere. ``read_choices(reader,
    body)`` takes the choices out of a body; ``write_choices(writer, choices)`` gives the fields that hold them.
    ``has_media`` says that a reply may hold images and files.
    An API that ``has_logprobs`` writes those of a reply by :func:`write_logprobs`.
    """

    api: Api
    counts: Counts
    read_choices: Callable[[Reader, dict[str, Any]], Iterable[ResponseChoice]]
    write_choices: Callable[[Writer, tuple[ResponseChoice, ...]], dict[str, Any]]
    head: tuple[Field, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    needs: Mapping[str, Any] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
    usage_at: str = "usage"
    has_refusals: bool = False
    has_logprobs: bool = False
    has_media: bool = False

    def is_answer(self, body: Mapping[str, Any]) -> bool:
        """Tell whether a body is an answer of this API by its marks."""
        return MARKS[self.name].answer(body)

    @property
    def name(self) -> str:
        """The name of the API."""
        return self.api.name

    def end_of(self, word: Any) -> tuple[str | None, dict[str, Any]]:
        """Return the neutral end of a reply, and the note that keeps the API's word where another is written for it."""
        found = self.ends.get(word) if isinstance(word, str) else None
        is_written = found is not None and self.word_for(found) == word
        return found, {} if is_written else {END: {} if word is MISSING else {"is": word}}

    def word_for(self, end: str | None) -> str | None:
        """Return the API's word for a neutral end."""
        return next((word for word, neutral in self.ends.items() if neutral == end), None)

    def write_end(self, writer: Writer, choice: ResponseChoice, name: str) -> dict[str, Any]:
        """Return the field ``name`` that ends a choice: with the API's own word where that says the same."""
        note = choice.native.get(self.name, EMPTY).get(END)
        if note is not None and self.end_of(note.get("is"))[0] == choice.finish_reason:
            return {name: thaw(note["is"])} if "is" in note else {}
        word, own = self.word_for(choice.finish_reason), has_own_end(choice, self.name)
        if word is None and (choice.finish_reason is not None or own):
            said = choice.finish_reason or own
            writer.ledger.lose(choice, "finish_reason", "substituted", f"{self.name} has no {said!r}")
            word = self.word_for("stop")
        return {name: word}


def read_answer(answers: Answers, body: Mapping[str, Any], ledger: Ledger | None = None) -> Response:
    """Read a whole body. Raises FormatError with the path of what is malformed."""
    if not isinstance(body, Mapping):
        raise FormatError(f"a response is an object, not {type(body).__name__}", path="$")
    ledger = Ledger() if ledger is None else ledger
    rest = dict(body)
    reader = Reader(answers.api, ledger)
    choices = tuple(answers.read_choices(reader, rest))
    usage = _read_usage(answers, rest, ledger)
    found: dict[str, Any] = {}
    for row in answers.head:
        value, left = bind_field(row, dig(rest, row.path))
        if value is not None:
            found[row.to] = value
            rest = _left(rest, row.path, left)
    absent = [name for name in answers.fixed if name not in rest]
    rest = {name: value for name, value in rest.items() if not _is_fixed(answers, name, value)}
    if absent:
        rest[ABSENT] = {"names": absent}
    response = Response(choices, usage, **found, native=native_of(answers.name, rest))
    ledger.at(response, "$", Kind(Response, answers.head))
    return response


def placed(
    reader: Reader, choice: ResponseChoice, path: str, end: str, message: str = "", logprobs: str = "logprobs"
) -> ResponseChoice:
    """Record where a choice, its end, its message and its log probabilities stood, and return it."""
    rows = (Field(end, "finish_reason"), Field(logprobs, "logprobs"))
    reader.ledger.at(choice, path, Kind(ResponseChoice, rows))
    reader.ledger.at(choice.message, f"{path}.{message}" if message else path)
    return choice


def _is_fixed(answers: Answers, name: str, value: Any) -> bool:
    return name in answers.fixed and is_equal(answers.fixed[name], value)


def _left(rest: dict[str, Any], path: str, left: Any) -> dict[str, Any]:
    found = {name: value for name, value in rest.items() if name != path}
    return found if left is MISSING else {**found, path: left}


def _read_usage(answers: Answers, rest: dict[str, Any], ledger: Ledger) -> Any:
    stated = rest.get(answers.usage_at) if answers.usage_at else _beside(answers, rest)
    if not isinstance(stated, Mapping) or not stated:
        return None
    usage = answers.counts.read(stated)
    ledger.at(usage, f"$.{answers.usage_at}" if answers.usage_at else "$")
    for name in (answers.usage_at,) if answers.usage_at else tuple(stated):
        del rest[name]
    return usage


def _beside(answers: Answers, rest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts that stand among the fields of a body."""
    names = answers.counts.paths.values()
    return {name: rest[name] for name in names if type(rest.get(name)) is int}


def has_own_end(choice: ResponseChoice, api: str = "") -> str:
    """Return the word of another API for the end of a reply that has no neutral one, "" where there is none."""
    words = (fields.get(END, EMPTY).get("is") for name, fields in choice.native.items() if name != api)
    return next((word for word in words if isinstance(word, str) and word), "") if choice.finish_reason is None else ""


# writing -----------------------------------------------------------------------------------------


def write_answer(answers: Answers, response: Response, ledger: Ledger | None = None) -> dict[str, Any]:
    """Write a whole body; what it has no place for is reported in the ledger."""
    ledger = Ledger() if ledger is None else ledger
    writer = Writer(answers.api, None, ledger)
    own = response.native.get(answers.name)
    is_own = own is not None
    wire: dict[str, Any] = dict(answers.fixed)
    for row in answers.head:
        value = getattr(response, row.to)
        written = None if value is None else row.write(value) if row.write else value
        if written is not None:
            place(wire, row.path, written)
    _report_head(answers, response, ledger)
    wire |= answers.write_choices(writer, response.choices)
    if response.usage is not None:
        counted = answers.counts.write(response.usage, own=is_own)
        wire |= {answers.usage_at: counted} if answers.usage_at else counted
    return _with_own(wire, thaw(own)) if own is not None else _with_needs(answers, wire, ledger)


def _report_head(answers: Answers, response: Response, ledger: Ledger) -> None:
    rows = {row.to for row in answers.head}
    for name in HEAD:
        if getattr(response, name) is not None and name not in rows:
            ledger.report(ledger.path(response, name), "field-dropped")
    for api, fields in response.native.items():
        if api != answers.name:
            for path, _ in leaves(fields, "$"):
                ledger.report(path, "field-dropped")


def _with_own(wire: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return a body with what its API alone says; that stands against the constants."""
    for name in own.pop(ABSENT, {}).get("names", ()):
        wire.pop(name, None)
    found = joined(wire, own)
    return found | {name: value for name, value in own.items() if name in wire and not isinstance(value, Mapping)}


def _with_needs(answers: Answers, wire: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    missing = {name: value for name, value in answers.needs.items() if name not in wire}
    if unknown := [name for name in missing if name in _MEASURED]:
        ledger.report("$", "substituted", f"not known, and stated as 0: {', '.join(unknown)}")
    if made := [name for name in missing if name not in _MEASURED]:
        ledger.report("$", "synthesised", f"{answers.name} always says {', '.join(made)}")
    return {**wire, **missing}


# what another API gives, made fit ------------------------------------------------------------------


def only_choice(answers: Answers, writer: Writer, choices: tuple[ResponseChoice, ...]) -> ResponseChoice:
    """Return the choice that an API with one reply writes; the others are reported."""
    for choice in choices[1:]:
        writer.ledger.lose(choice, kind="message-dropped", detail=f"{answers.name} gives one reply")
    return choices[0] if choices else ResponseChoice(Message.of("assistant", ()))


def parts_of(answers: Answers, writer: Writer, choice: ResponseChoice) -> tuple[Part, ...]:
    """Return the parts of a choice, and report what stands beside them: log probabilities, fields of other APIs.

    A refusal is a text where the API has no refusals; an empty text of another API is nothing.
    """
    if choice.logprobs is not None and not answers.has_logprobs:
        writer.ledger.lose(choice, "logprobs", "field-dropped")
    if answers.name not in choice.native:
        _tell_role(choice, writer.ledger)
    for value in (choice, choice.message):
        for api, fields in value.native.items():
            if api != answers.name:
                writer.ledger.lose_natives(value, fields)
    found = choice.message.parts
    if answers.name in choice.native:
        return found
    said = [_said(answers, writer, part) for part in found if not (type(part) is TextPart and not part.text)]
    return tuple(part for part in said if part is not None)


def write_logprobs(
    writer: Writer, choice: ResponseChoice, *, whole: bool = False, bytes_too: bool = True
) -> list[dict[str, Any]]:
    """Return the tokens of a reply with their log probabilities, none where they are not known."""
    if choice.logprobs is None:
        return []
    if writer.api.name in choice.native:
        return list(choice.logprobs.get("content") or ())
    losses: list[Loss] = []
    path = writer.ledger.path(choice, "logprobs")
    found = written_tokens(choice.logprobs, path, losses, whole=whole, bytes_too=bytes_too)
    for loss in losses:
        writer.ledger.report(*loss)
    return found


def _tell_role(choice: ResponseChoice, ledger: Ledger) -> None:
    """Report the role of a reply that the assistant does not say."""
    if choice.message.role != "assistant":
        ledger.lose(choice.message, "role", "role-changed", f"{choice.message.role} became assistant")


def _said(answers: Answers, writer: Writer, part: Part) -> Part | None:
    if isinstance(part, ImagePart | AudioPart | FilePart) and not answers.has_media:
        writer.ledger.lose(part, detail="a reply holds no media there")
        return None
    if not isinstance(part, RefusalPart) or answers.has_refusals:
        return part
    writer.ledger.lose(part, kind="substituted", detail="the refusal is a text")
    return TextPart(part.text)


def modern(response: Response, ledger: Ledger) -> Response:
    """Return a response of Chat whose call of 2023 (``function_call``) is one as other APIs have it, with an id."""
    choices = tuple(_modern(choice, ledger) for choice in response.choices)
    if all(map(lambda one, two: one is two, choices, response.choices)):
        return response
    made = replace(response, choices=choices)
    ledger.same(made, response)
    return made


def _modern(choice: ResponseChoice, ledger: Ledger) -> ResponseChoice:
    message = choice.message
    taken = {call.id for call in message.tool_calls}
    free = (id_ for number in count() if (id_ := f"call_{number}") not in taken)
    nameless = [isinstance(part, ToolCall) and not part.id for part in message.parts]
    if choice.finish_reason != "function_call" and not any(nameless):
        return choice
    if choice.finish_reason == "function_call":
        ledger.lose(choice, "finish_reason", "renamed", "a function is a tool")
    end = "tool_calls" if choice.finish_reason == "function_call" else choice.finish_reason
    parts = [
        _with_id(part, free, ledger) if isinstance(part, ToolCall) and is_nameless else part
        for part, is_nameless in zip(message.parts, nameless, strict=True)
    ]
    made = replace(choice, finish_reason=end, message=message.replace(parts=parts))
    ledger.same(made, choice)
    ledger.same(made.message, message)
    return made


def _with_id(call: ToolCall, free: Iterator[str], ledger: Ledger) -> ToolCall:
    made = replace(call, id=next(free), native=EMPTY if is_old(call) else call.native)
    ledger.same(made, call)
    ledger.lose(made, "id", "synthesised", made.id)
    return made


def natives_beside(answers: Answers, native: FrozenMap, wire: dict[str, Any], *, notes: bool = False) -> dict[str, Any]:
    """Add what an API alone says of a choice."""
    own = thaw(native.get(answers.name, EMPTY))
    return joined(wire, {name: value for name, value in own.items() if notes or not name.startswith(NOTE)})


def mark(response: Response, ledger: Ledger) -> None:
    """Record where the values of a Chat or Completions body stood."""
    for index, choice in enumerate(response.choices):
        path = f"$.choices[{index}]"
        ledger.at(choice, path)
        ledger.at(choice.message, f"{path}.message")
        if choice.message.is_plain:
            continue
        for part, at in parts(choice.message, f"{path}.message"):
            ledger.at(part, at)


def as_own(response: Response, head: Mapping[str, Any], *, own: bool) -> Response:
    """Return what the events of a stream amount to as a response of this API, without what others said of it."""
    made = replace(response, **{name: head[name] for name in head if getattr(response, name) is None})
    if own:
        return made
    usage = None if made.usage is None else replace(made.usage, server=None)
    return replace(made, usage=usage, choices=tuple(map(_bare, made.choices)), native=EMPTY)


def _bare(choice: ResponseChoice) -> ResponseChoice:
    parts = tuple(replace(part, native=EMPTY) for part in choice.message.parts if not isinstance(part, OtherPart))
    return replace(choice, native=EMPTY, message=choice.message.replace(parts=parts, native=EMPTY))


def as_chat(response: Response, ledger: Ledger, *, texts_alone: bool = False) -> Response:
    """Return the response of another API as Chat can say it: its texts as one, then its calls.

    ``texts_alone`` is for Completions, whose reply is a text.
    """
    for fields in response.native.values():
        for path, _ in leaves(fields, "$"):
            ledger.report(path, "field-dropped")
    choices = tuple(_chat_choice(choice, ledger, texts_alone) for choice in response.choices)
    if missing := [name for name in ("id", "model", "created") if getattr(response, name) is None]:
        ledger.report("$", "synthesised", f"Chat always says {', '.join(missing)}")
    made = replace(response, choices=choices, native=EMPTY)
    return replace(made, id=made.id or "0", model=made.model or "unknown", created=made.created or 0)


def _chat_choice(choice: ResponseChoice, ledger: Ledger, texts_alone: bool) -> ResponseChoice:
    for value in (choice, choice.message, *choice.message.parts):
        for api, fields in getattr(value, "native", EMPTY).items():
            if api != "chat":
                ledger.lose_natives(value, fields)
    texts: list[TextPart] = []
    beside: list[Part] = []
    for part in choice.message.parts:
        if isinstance(part, TextPart):
            if any(isinstance(one, ToolCall) for one in beside):
                ledger.lose(part, kind="reordered", detail="the text stands before the calls")
            if texts:
                ledger.lose(part, kind="merged", detail="two texts became one")
            texts.append(part)
        elif isinstance(part, RefusalPart) and texts_alone:
            ledger.lose(part, kind="substituted", detail="the refusal is a text")
            texts.append(TextPart(part.text))
        elif isinstance(part, ReasoningPart | RefusalPart | ToolCall) and not texts_alone:
            beside.append(replace(part, native=EMPTY))
        else:
            refused = "unsupported" if isinstance(part, ToolCall) else ""
            ledger.lose(part, kind=refused, detail="Completions has texts alone" if refused else "")
    said = [TextPart("".join(text.text for text in texts))] if texts else []
    ordered = sorted([*said, *beside], key=_order)
    message = Message.of("assistant", _one_reasoning(ordered, ledger))
    _tell_role(choice, ledger)
    end = choice.finish_reason
    if end is None:
        word = has_own_end(choice)
        detail = f"Chat has no {word!r}" if word else "Chat always says why a reply ended"
        ledger.lose(choice, "finish_reason", "substituted", detail)
    if texts_alone and end in CALLED:
        ledger.lose(choice, "finish_reason", "substituted", "Completions calls nothing: stop")
        end = "stop"
    made = replace(choice, message=message, finish_reason=end or "stop", native=EMPTY)
    ledger.same(made, choice)
    return made


def _order(part: Part) -> int:
    return next(n for n, cls in enumerate((ReasoningPart, TextPart, ToolCall, RefusalPart)) if isinstance(part, cls))


def _one_reasoning(parts: list[Any], ledger: Ledger) -> list[Part]:
    """Return parts with their reasoning, which is one text in Chat, as one."""
    found = [part for part in parts if isinstance(part, ReasoningPart)]
    if len(found) < 2:
        return [part for part in parts if not (isinstance(part, ReasoningPart) and not part.text)]
    text = "\n".join(part.text for part in found if part.text)
    ledger.report("$", "merged", "two reasonings became one")
    return [ReasoningPart(text), *(part for part in parts if not isinstance(part, ReasoningPart))]


def is_foreign(native: Iterable[str]) -> bool:
    """Tell whether a value came from an API that is neither Chat nor Completions."""
    return any(name not in ("chat", "completions") for name in native)
