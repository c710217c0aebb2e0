"""From any format to any other: read into the neutral model, write out of it.

One conversion, end to end: :func:`convert` finds both formats, :func:`_read` reads the value,
:func:`_write` writes the conversation, and ``accounting`` reports what either of them left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

from ..apis.between import PAIR, between, conversation_of, converted, write_conversation
from ..apis.chat.messages import read_messages
from ..apis.detection import confidence, fits
from ..apis.failures import failure_api
from ..apis.marks import api_of_answer
from ..datasets.carried import not_carried, unkept
from ..datasets.rows import untouched
from ..errors import FormatError, malformed
from ..format import Conversion, Format, Reading, RenderedTemplate, Writing
from ..loss import Loss, Severity, Verdict, verdict_of, worst
from ..model import Conversation, Example
from ..policy import OnLoss, settle
from ..sandbox.chat_template import ChatTemplate
from ..text.derived_writing import template_format, write_template
from ..text.grammar import Grammar
from ..text.grammars.fim import convert_fim
from ..text.marks import say, unknown_marks
from ..text.reading import read_text, text_format
from ..text.template_text import to_template
from ..text.writing import write_text
from .accounting import accounted
from .bodies import Binary, encoded
from .proof import Prover, prove_same, proved_reading
from .registry import builtin, get, list_formats
from .responses import answering, convert_response

Written = tuple[Any, tuple[Loss, ...]]
#: The fields that requests have, and no answer.
_REQUESTS: Final = frozenset({"messages", "prompt", "input", "contents"})


def to_messages(
    prompt: Any, format: str | Grammar | ChatTemplate = "auto", *, hints: Mapping[str, Any] | None = None
) -> Reading:
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
    format: str | Grammar | ChatTemplate = "chatml",
    *,
    add_generation_prompt: bool = True,
    keep_reasoning: bool = False,
) -> Writing:
    """Write messages (a wire list, or a conversation) as a Completions prompt.

    ``format`` is a name, or a model's chat template, which then writes the prompt.
    ``keep_reasoning`` writes the reasoning of earlier turns, too, which formats of reasoning leave
    out by their own rule (loss ``by-format-rule``). Raises FormatError with the path of a malformed
    message.

    >>> to_prompt([{"role": "user", "content": "Hi"}]).text
    '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n'
    """
    conversation = messages if isinstance(messages, Conversation) else read_messages(messages)
    if isinstance(format, ChatTemplate):
        return write_template(conversation, format, add_generation_prompt=add_generation_prompt)
    return write_text(conversation, format, add_generation_prompt=add_generation_prompt, keep_reasoning=keep_reasoning)


def convert(
    value: Any,
    *,
    source: str | Format | Grammar | ChatTemplate = "auto",
    target: str | Format | Grammar | ChatTemplate = "chat",
    on_loss: OnLoss = "raise",
    prove: Prover | None = None,
    binary: Binary = "bytes",
) -> Conversion:
    """Convert a value from one registered format to another.

    ``source`` and ``target`` are names, which may say their kind (``api:anthropic``), formats
    themselves, or a model's chat template. A message list in gives a message list out where the
    target has one (Chat); so does an object that holds messages and system text alone. A body with
    tools or parameters gives a body, and so does a prompt text that offers tools. Returns the output
    with the verdict and every loss. ``on_loss`` decides whether a loss raises
    :class:`~diptych.errors.LossError` (``raise``), is a warning (``report``), or only stands in the
    result (``ignore``). ``binary`` says how Bedrock's media are written: as bytes, which boto3 encodes,
    or as ``base64`` text for raw JSON. ``prove`` is the model's own chat template, or a client of
    its server (llama.cpp,
    vLLM): ``proof`` says whether the Chat request is rendered to the same text as the prompt, by a
    server to the same tokens, or where they differ first and what would help. A prompt that the
    template renders is read by it where ``source`` is not given.

    >>> convert("Say hello").output
    [{'role': 'user', 'content': 'Say hello'}]
    """
    if prove is not None and source == "auto" and isinstance(value, Mapping) and [*value] == ["prompt"]:
        value = value["prompt"] if isinstance(value["prompt"], str) else value  # a line of prompts, not of data
    if source == "auto" and isinstance(prove, ChatTemplate) and isinstance(value, str) and proved_reading(value, prove):
        source = prove
    wanted, given = _entry(target), None if source == "auto" else _entry(source)
    if (filled := convert_fim(value, given.name if given else "auto", wanted.name)) is not None:
        return _proved(Conversion(filled, format=given.name if given else "auto"), value, prove)
    try:
        with malformed("the value"):
            found = convert_whole(value, wanted, given) or [_converted(value, given, wanted, on_loss)]
    except FormatError as error:
        if isinstance(error.__cause__, RecursionError):
            raise FormatError("the value is nested too deeply to be read", path="$") from None
        raise
    if len(found) > 1:
        raise FormatError(f"the body becomes {len(found)} requests", path="$.prompt", hint="use convert_request")
    settle(found[0].losses, on_loss)
    return _proved(encoded(found[0], binary), value, prove)


def _proved(made: Conversion, value: Any, prove: Prover | None) -> Conversion:
    return made if prove is None else replace(made, proof=prove_same(value, made.output, prove))


def convert_whole(value: Any, target: str | Format, source: Format | None = None) -> list[Conversion]:
    """Convert a reply, or a request body to or from Completions, parameters included.

    A request of several prompts becomes several. Returns nothing for any other value or target. The
    caller settles the losses; those that are refused raise LossError.
    """
    wanted = _entry(target)
    if wanted.kind != "api" or not isinstance(value, Mapping):
        return []
    if (answer := _answer_of(value, source)) and wanted.name in answering():
        return [replace(convert_response(value, to=wanted.name, source=answer, on_loss="ignore"), format=answer)]
    found = source or _detect(value)
    if found.api is None or wanted.api is None or found.wire.talk >= value.keys() > {"messages"}:
        return []
    return converted(value, found, wanted) if "completions" in (found.name, wanted.name) else []


def _answer_of(value: Mapping[str, Any], source: Format | None) -> str | None:
    """Return the API that a value is an answer of, None where it is a request or something else."""
    if any(value.get(name) is not None for name in _REQUESTS) and "object" not in value:
        return None
    found = api_of_answer(value) or failure_api(value, source.name if source else "auto")
    return found if source is None or found in (None, source.name) or {found, source.name} <= {*PAIR} else None


def _entry(name: str | Format | Grammar | ChatTemplate) -> Format:
    if isinstance(name, str):
        return get(name)
    if isinstance(name, ChatTemplate):
        return template_format(name)
    if isinstance(name, Grammar):
        return text_format(name)
    if not isinstance(name, Format):
        hint = "name one of diptych.list_formats(), or pass a Format, a Grammar or a ChatTemplate"
        raise FormatError(f"a {type(name).__name__} is not a format", hint=hint)
    return accounted(name)


def _converted(value: Any, source: Format | None, target: Format, on_loss: OnLoss) -> Conversion:
    if target.name == "diptych-template" and isinstance(value, str):
        return to_template(value, source.grammar if source else "auto")
    entry = source or (None if isinstance(value, str | Conversation) else _detect(value))
    if entry is not None and entry.api is not None and target.api is not None:
        made = between(value, entry, target)
        return _with_others(made, value, target) if source is None else made
    ledger = None
    if entry is not None and entry.api is not None:
        conversation, ledger = conversation_of(value, entry)
        read = ledger.reading or Reading(conversation, [], entry.name)
        reading, losses = replace(read, conversation=conversation, format=entry.name), tuple(ledger.losses)
    else:
        entry, reading, losses = _read(value, entry)
    if target.name == "completions" and isinstance(value, str):
        return Conversion({"prompt": value}, "lossless", (), reading.format)  # a text is a prompt as it stands
    if _is_body(value, entry) and reading.format == target.name:
        return Conversion(deepcopy(value), format=target.name)  # its own format never mends a body
    offers_tools = isinstance(value, str) and bool(reading.conversation.tools)  # a list has no place for them
    is_body = offers_tools or (_is_body(value, entry) and not _is_talk(value, entry))
    output, written = _write(reading.conversation, target, losses, on_loss, is_body=is_body)
    if ledger is not None:
        written = tuple(ledger.moved_to(reading.conversation, written))
    if target.kind == "dataset" and untouched(value, reading.format, output, target.name):
        losses, reading = (), replace(reading, verdict="lossless")
    found = (*losses, *written)
    verdict = verdict_of(found) if reading.verdict == "lossless" else reading.verdict
    alternatives = tuple(other.messages for other in reading.alternatives)
    return Conversion(output, verdict, found, reading.format, alternatives, reading.detail)


def _with_others(made: Conversion, value: Any, target: Format) -> Conversion:
    """Return a conversion as ambiguous where the value fits several APIs equally well."""
    others = [name for name in fits(value) if name != made.format]
    if not others:
        return made
    outputs = tuple(between(value, get(name, "api"), target).output for name in others)
    said = f"it fits {made.format} and {' and '.join(others)}; name the source"
    return replace(made, verdict="ambiguous", alternatives=outputs, detail=said)


def _is_body(value: Any, entry: Format | None) -> bool:
    return entry is not None and entry.kind == "api" and isinstance(value, Mapping)


def _is_talk(value: Any, entry: Format | None) -> bool:
    """Return whether an object holds a conversation alone: what other APIs have in place of a message list."""
    return entry is not None and bool(entry.wire.talk) and entry.wire.talk.issuperset(value)


def _write(
    conversation: Conversation, entry: Format, read: tuple[Loss, ...], on_loss: OnLoss, *, is_body: bool
) -> Written:
    """Write a conversation; what its format has no place for, and what its receiver forbids, is reported."""
    if entry.write is None:
        raise FormatError(f"{entry.name} can be read, not written")
    example = Example.of(conversation)
    lost = tuple(not_carried(example, entry))
    if worst(lost) is Severity.REFUSED:
        settle((*read, *lost), on_loss)  # raises: a writer need not know a row that it cannot hold
    output, losses = _written(conversation, entry, is_body=is_body)
    forbidden = tuple(entry.rules(output)) if entry.rules and worst(losses) < Severity.REFUSED else ()
    return output, (*losses, *lost, *forbidden, *unkept(example, entry, read, (*losses, *lost)))


def _written(conversation: Conversation, entry: Format, *, is_body: bool) -> Written:
    if entry.api is not None:
        return write_conversation(conversation, entry, is_body=is_body)
    assert entry.write is not None
    return entry.write(conversation)


def _read(value: Any, source: Format | None) -> tuple[Format | None, Reading, tuple[Loss, ...]]:
    """Return the format of a value, what it reads as, and the losses of reading it."""
    if isinstance(value, Conversation):
        return None, Reading(value, [], "conversation"), ()
    if isinstance(value, str) and (source is None or source.grammar is not None):
        reading = read_text(value, source.grammar if source else "auto")
        return source, reading, reading.losses
    entry = source or _detect(value)
    if entry.read is None:
        raise FormatError(f"{entry.name} can be written, not read")
    conversation, losses = entry.read(value)
    detail = _unexplained(value, conversation) if entry.kind == "dataset" and isinstance(value, Mapping) else ""
    verdict: Verdict = "ambiguous" if detail else "lossless"
    return entry, Reading(conversation, [], entry.name, verdict, detail=detail), losses


def _unexplained(row: Mapping[str, Any], conversation: Conversation) -> str:
    """Say which control tokens no format explains, in a text of a row that became one message as it stands."""
    whole = {message.text for message in conversation.messages}
    texts = {name: row[name] for name in ("text", "prompt") if isinstance(row.get(name), str)}
    said = {name: say(unknown_marks(text), text) for name, text in texts.items() if text in whole}
    return "; ".join(f"$.{name}: {detail}" for name, detail in said.items() if detail)


def _detect(value: Any) -> Format:
    """Return the format of a value; those that others brought are asked last."""
    of_apis = confidence(value)
    for entries in (builtin(), list_formats()):
        ranked = [
            (of_apis.get(entry.name, 0.0) if entry.api else entry.detect(value), entry.name, entry)
            for entry in entries
            if entry.detect
        ]
        sure, _, entry = max(ranked, key=lambda row: row[:2])
        if sure > 0:
            return entry
    kind = "an object" if isinstance(value, Mapping) else type(value).__name__
    raise FormatError(f"the format of {kind} is not recognised", path="$", hint="name it")
