"""From any format to any other: read into the hinge, write out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..apis.chat.messages import read_messages
from ..datasets.carried import not_carried, unkept
from ..datasets.rows import untouched
from ..errors import FormatError
from ..format import Conversion, Format, Reading, RenderedTemplate, Writing
from ..loss import Loss, Severity, Verdict, verdict_of, worst
from ..model import Conversation, Example
from ..policy import OnLoss, settle
from ..text.grammars.fim import convert_fim
from ..text.marks import say, unknown_marks
from ..text.reading import read_text
from ..text.template_text import to_template
from ..text.writing import write_text
from .registry import get, list_formats

Written = tuple[Any, tuple[Loss, ...]]


def to_messages(prompt: Any, format: str = "auto", *, hints: Mapping[str, Any] | None = None) -> Reading:
    """Read a Completions prompt as messages.

    ``prompt`` is a text; a :class:`Writing`, whose spans say what was data and so no
    structure; or a rendered template, which reads as the messages it was made of.
    ``hints`` names speaker labels: ``{"Customer": "user"}``, or ``{"user_labels": […],
    "assistant_labels": […]}``. The verdict says whether the reading is certain; other
    readings stand in ``alternatives``, and ``detail`` says what is uncertain, such as a
    control token that the format does not know, or a hint that names nothing in the text.
    Raises FormatError.

    >>> to_messages("Say hello").messages
    [{'role': 'user', 'content': 'Say hello'}]
    """
    if isinstance(prompt, Writing):
        data = [(span.start, span.end) for span in prompt.spans if span.source == "data"]
        return read_text(prompt.text, format, hints=hints, opaque=data)
    if isinstance(prompt, RenderedTemplate):
        return Reading(prompt.conversation, prompt.messages, "diptych-template")
    return read_text(prompt, format, hints=hints)


def to_prompt(
    messages: Any,
    format: str = "chatml",
    *,
    add_generation_prompt: bool = True,
) -> Writing:
    """Write messages (a wire list, or a conversation) as a Completions prompt.

    Raises FormatError with the path of a malformed message.

    >>> to_prompt([{"role": "user", "content": "Hi"}]).text
    '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n'
    """
    conversation = messages if isinstance(messages, Conversation) else read_messages(messages)
    return write_text(conversation, format, add_generation_prompt=add_generation_prompt)


def convert(value: Any, *, source: str = "auto", target: str = "openai_chat", on_loss: OnLoss = "raise") -> Conversion:
    """Convert a value from one registered format to another.

    Returns the output with the verdict and every loss. ``on_loss`` decides whether a
    loss raises :class:`~diptych.errors.LossError` (``raise``), is a warning (``report``), or
    only stands in the result (``ignore``).

    >>> convert("Say hello").output
    [{'role': 'user', 'content': 'Say hello'}]
    """
    if (filled := convert_fim(value, source, target)) is not None:
        return Conversion(filled, format=source)
    if target == "diptych-template" and isinstance(value, str):
        found_template = to_template(value, source)
        settle(found_template.losses, on_loss)
        return found_template
    try:
        conversation, losses, verdict, name, alternatives, detail = _read(value, source)
        entry = get(target)
        if entry.write is None:
            raise FormatError(f"{target} can be read, not written")
        output, written = _write(conversation, entry, losses, on_loss)
        if entry.kind == "dataset" and untouched(value, name, output, entry.name):
            losses, verdict = (), "lossless"
    except RecursionError:
        raise FormatError("the value is nested too deeply to be read", path="$") from None
    found = settle((*losses, *written), on_loss)
    if verdict == "lossless":
        verdict = verdict_of(found)
    return Conversion(output, verdict, found, name, alternatives, detail)


def _write(conversation: Conversation, entry: Format, read: tuple[Loss, ...], on_loss: OnLoss) -> Written:
    """Write a conversation; what its format has no place for, and what its receiver forbids, is told."""
    assert entry.write is not None
    example = Example.of(conversation)
    lost = tuple(not_carried(example, entry))
    if worst(lost) is Severity.REFUSED:
        settle((*read, *lost), on_loss)  # raises: a writer need not know a row that it cannot hold
    output, losses = entry.write(conversation)
    forbidden = tuple(entry.rules(output)) if entry.rules and worst(losses) < Severity.REFUSED else ()
    return output, (*losses, *lost, *forbidden, *unkept(example, entry, read, (*losses, *lost)))


def _read(value: Any, source: str) -> tuple[Conversation, tuple[Loss, ...], Verdict, str, tuple[Any, ...], str]:
    if isinstance(value, Conversation):
        return value, (), "lossless", "conversation", (), ""
    if isinstance(value, str) and (source == "auto" or get(source).kind == "text"):
        reading = read_text(value, source)
        alternatives = tuple(other.messages for other in reading.alternatives)
        return reading.conversation, reading.losses, reading.verdict, reading.format, alternatives, reading.detail
    name = _detect(value) if source == "auto" else source
    entry = get(name)
    if entry.read is None:
        raise FormatError(f"{name} can be written, not read")
    conversation, losses = entry.read(value)
    detail = _unexplained(value, conversation) if entry.kind == "dataset" and isinstance(value, Mapping) else ""
    return conversation, losses, "ambiguous" if detail else verdict_of(losses), name, (), detail


def _unexplained(row: Mapping[str, Any], conversation: Conversation) -> str:
    """Say which control tokens no format explains, in a text of a row that became one message as it stands."""
    whole = {message.text for message in conversation.messages}
    texts = {name: row[name] for name in ("text", "prompt") if isinstance(row.get(name), str)}
    said = {name: say(unknown_marks(text), text) for name, text in texts.items() if text in whole}
    return "; ".join(f"$.{name}: {detail}" for name, detail in said.items() if detail)


def _detect(value: Any) -> str:
    ranked = [(entry.detect(value), entry.name) for entry in list_formats() if entry.detect]
    confidence, name = max(ranked, default=(0.0, ""))
    if confidence <= 0:
        kind = "an object" if isinstance(value, Mapping) else type(value).__name__
        raise FormatError(f"the format of {kind} is not recognised", path="$", hint="name it")
    return name
