"""Rows of OpenAI's fine-tuning files, the old of prompt and completion, and that of chat.

- ``finetune_legacy``: ``{"prompt", "completion"}`` is one user message and its answer. The separator
  that ended each prompt (`` ->``, ``\\n\\n###\\n\\n`` …), the space that began each completion and the mark
  that ended it belong to no message; ``separators_of`` finds them in a data set, and a row that
  deviates is told; a single row is read with the ones that were customary. A prompt without separator that is a talk
  up to the cue of its answer (ChatML, ``\\n\\nHuman: … \\n\\nAssistant:``) is its turns
- ``finetune_chat``: ``{"messages", "tools", "parallel_tool_calls"}``, also of open trainers. Where the
  answer begins is said by ``weight: 0`` on the assistant messages before it. Names of other trainers
  are read (``from`` and ``value``, ``thinking``, arguments as objects, a column ``system``), and the ``functions``
  and ``function_call`` of 2023 as tools; what OpenAI has no field for
  (reasoning, further fields of a message) is lost

Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from ..apis.chat import messages as openai_chat
from ..apis.detection import fits
from ..format import Format
from ..loss import Loss
from ..model import EMPTY, Conversation, Example, FrozenMap, Message
from .openai_rules import MESSAGE_FIELDS, finetune_rules
from .rows import (
    Read,
    Written,
    border_kept,
    example_of,
    functions_of,
    implied,
    other,
    proven_row,
    refusal,
    row_of,
    text_of,
    with_system,
)
from .talks import answer_in, question_of
from .turns import Turns

#: Ends of prompts and of completions that were customary (openai 1.50, ``lib/_validators.py``, and its guide).
PROMPT_ENDS: Final = (
    "\n\n###\n\n",
    "\n\n===\n\n",
    "\n\n---\n\n",
    "\n\n=>\n\n",
    "\n\n->\n\n",
    " ->",
    " =>",
    "\n\n%%%\n\n",
)
COMPLETION_ENDS: Final = (" END", "\nEND", "\n###", " ###", "###", "\n")
#: Marks that no text ends in by itself, or nearly none.
PROMPT_MARKS: Final = PROMPT_ENDS
COMPLETION_MARKS: Final = COMPLETION_ENDS[:-1]
#: Parameters that only a request has: with one of them an object is a body, and no row.
_OF_REQUESTS: Final = frozenset(
    {"model", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stream", "stop", "n", "response_format"}
)


class Separators(NamedTuple):
    """What stands around the texts of a data set and belongs to none of them."""

    prompt_end: str = ""
    completion_start: str = " "
    completion_end: str = ""


def separators_of(rows: Iterable[Mapping[str, Any]]) -> Separators:
    """Return what three quarters of the rows, or more, have in common at the ends of their texts.

    :func:`deviations` tells of the others.

    >>> separators_of([{"prompt": "a ->", "completion": " b END"}, {"prompt": "c ->", "completion": " d END"}])
    Separators(prompt_end=' ->', completion_start=' ', completion_end=' END')
    """
    pairs = [(str(row.get("prompt", "")), str(row.get("completion", ""))) for row in rows]
    if not pairs:
        return Separators()
    prompts, completions = zip(*pairs, strict=True)
    return Separators(
        _common(PROMPT_ENDS, [[p.endswith(end) for p in prompts] for end in PROMPT_ENDS]),
        _common((" ",), [[c.startswith(" ") for c in completions]]),
        _common(COMPLETION_ENDS, [[c.endswith(end) for c in completions] for end in COMPLETION_ENDS]),
    )


def _common(marks: Sequence[str], found: Sequence[Sequence[bool]]) -> str:
    """Return the mark that most texts have, of such the longest; empty where it is less than three quarters of them."""
    numbers = [sum(texts) for texts in found]
    most = max(range(len(marks)), key=lambda n: (numbers[n], len(marks[n])))
    return marks[most] if 4 * numbers[most] >= 3 * len(found[most]) else ""


def deviations(prompt: str, completion: str, separators: Separators) -> list[Loss]:
    """Return what the texts of a row lack of the separators of its data set, and the marks that those do not name.

    White space alone changes nothing: a text without it is told, and no reason to refuse the row.

    >>> [loss.detail for loss in deviations("a ->", " b", Separators(" ->", " ", " END"))]
    ["it does not end in ' END', as those of the data set do, and stays as it is"]
    """
    losses: list[Loss] = []
    for path, text, end, marks in (
        ("$.prompt", prompt, separators.prompt_end, PROMPT_MARKS),
        ("$.completion", completion, separators.completion_end, COMPLETION_MARKS),
    ):
        if not text.endswith(end):
            losses.append(_missing(path, f"end in {end!r}", end))
        elif not end and text.endswith(marks):
            mark = next(mark for mark in marks if text.endswith(mark))
            detail = f"it ends in {mark!r}, which is no mark of this data set, and stays as it is"
            losses.append(Loss(path, "marker-in-content", detail))
    if not completion.startswith(separators.completion_start):
        losses.append(_missing("$.completion", "begin with a space", separators.completion_start))
    return losses


def _missing(path: str, what: str, mark: str) -> Loss:
    kind = "rule-breach" if mark.strip() else "by-format-rule"
    return Loss(path, kind, f"it does not {what}, as those of the data set do, and stays as it is")


def read_row(row: Mapping[str, Any], separators: Separators) -> Read:
    """Read a row of prompt and completion. Raises FormatError where one is not text.

    Where no separator ends the prompts, the cue of a format may: such a prompt is read turn by turn.

    >>> read_row({"prompt": "2+2 ->", "completion": " 4"}, Separators(" ->"))[0].messages[1].text
    '4'
    """
    prompt, completion = text_of(row, "prompt"), text_of(row, "completion")
    deviating = deviations(prompt, completion, separators)
    prompt = prompt.removesuffix(separators.prompt_end)
    completion = completion.removeprefix(separators.completion_start).removesuffix(separators.completion_end)
    talk = None if separators.prompt_end else question_of(prompt)
    asked = (Message("user", prompt),) if talk is None else talk.messages
    said = None if talk is None else answer_in(prompt, asked, text_of(row, "completion"))
    completion = completion if said is None else said.text.removesuffix(separators.completion_end)
    losses = (*deviating, *(talk.losses if talk else ()), *other(row, ("prompt", "completion")))
    return Example((*asked, Message("assistant", completion)), answer=len(asked)), losses


def _read_legacy(value: Any) -> Read:
    row = row_of(value)
    return read_row(row, separators_of([row]))


def _write_legacy(conversation: Conversation) -> Written:
    example = Example.of(conversation)
    if [message.role for message in example.messages] != ["user", "assistant"]:
        return {}, refusal("$.messages", "a row is one user message and one answer")
    prompt, answer = example.messages
    row = {"prompt": f"{prompt.text}\n\n###\n\n", "completion": f" {answer.text} END"}
    return row, proven_row(example, border_kept(example), _read_legacy, row)


def _is_legacy(value: Any) -> float:
    texts = isinstance(value, Mapping) and all(isinstance(value.get(name), str) for name in ("prompt", "completion"))
    return 0.92 if texts and "label" not in value else 0.0


# chat ---------------------------------------------------------------------------------------

_CHAT_FIELDS: Final = ("messages", "tools", "functions", "parallel_tool_calls", "system")


def request_of(row: Mapping[str, Any]) -> FrozenMap:
    """Return the one parameter that rows of training data have beside their tools."""
    value = row.get("parallel_tool_calls")
    return EMPTY if value is None else FrozenMap({"parallel_tool_calls": value})


def _read_chat(value: Any) -> Read:
    row = row_of(value)
    losses = other(row, _CHAT_FIELDS)
    messages = with_system(row, Turns(losses).read(row.get("messages"), "$.messages"), losses)
    tools = functions_of(row, losses)
    weighed, answer = _weighed(messages)
    losses += _moved(messages, weighed, answer)
    return example_of(weighed, losses, tools=tools, answer=answer, request=request_of(row))


def _weighed(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], int | None]:
    """Return the messages without the weights that only say where the answer begins, and where."""
    spoken = [index for index, message in enumerate(messages) if message.role == "assistant"]
    learnt = [index for index in spoken if not _is_zero(messages[index])]
    if not learnt or spoken == learnt or spoken[-len(learnt) :] != learnt:
        return messages, None  # every answer is learnt, or some in the midst: no border
    border = learnt[0]
    before = tuple(_unweighed(message) if _is_zero(message) else message for message in messages[:border])
    return (*before, *messages[border:]), border


def _moved(before: Sequence[Message], after: Sequence[Message], border: int | None) -> list[Loss]:
    """Return a loss for each weight that became the border of the answer."""
    moved = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    return [Loss(f"$.messages[{i}].weight", "renamed", f"the answer begins at message {border}") for i in moved]


def _is_zero(message: Message) -> bool:
    weight = message.extra.get("weight")
    return message.role == "assistant" and weight == 0 and not isinstance(weight, bool)


def _unweighed(message: Message) -> Message:
    left = {name: value for name, value in message.extra.items() if name != "weight"}
    return message.replace(native=FrozenMap({**message.native, "chat": left}) if left else EMPTY)


def openai_messages(messages: Iterable[Message], losses: list[Loss], path: str = "$.messages") -> list[dict[str, Any]]:
    """Write messages with the fields that OpenAI's training files have, and tell of the others."""
    written = []
    for index, message in enumerate(messages):
        wire = openai_chat.write_message(message)
        for name in [name for name in wire if name not in MESSAGE_FIELDS]:
            value = wire.pop(name)
            if name != "reasoning_content":
                losses.append(Loss(f"{path}[{index}].{name}", "field-dropped", "no field for it"))
            elif value:
                losses.append(Loss(f"{path}[{index}].reasoning", "reasoning-dropped", "no field for it"))
        written.append(wire)
    return written


def body_parts(example: Example) -> dict[str, Any]:
    """Return the tools of a row and whether they may be called side by side, where it has them."""
    found: dict[str, Any] = {"tools": openai_chat.write_tools(example)} if example.tools else {}
    if "parallel_tool_calls" in example.request:
        found["parallel_tool_calls"] = example.request["parallel_tool_calls"]
    return found


def _bordered(example: Example, losses: list[Loss]) -> Example:
    """Return an example whose weights only say where its answer begins as one that says so itself."""
    messages, border = _weighed(example.messages)
    if border is None or example.answer not in (None, border):
        return example
    losses += _moved(example.messages, messages, border)
    if example.answer is None:
        losses.append(Loss("$.answer", "renamed", "weights said where it begins"))
    return replace(example, messages=messages, answer=border)


def _write_chat(conversation: Conversation) -> Written:
    losses: list[Loss] = []
    example = _bordered(Example.of(conversation), losses)
    messages = openai_messages(example.messages, losses)
    is_shown = implied(example.messages, example.answer)
    for index, wire in enumerate(messages[: 0 if is_shown else example.answer]):
        if wire["role"] == "assistant" and "weight" not in wire:
            wire["weight"] = 0
            losses.append(Loss(f"$.messages[{index}].weight", "synthesised", "it stands before the answer"))
    row = {"messages": messages, **body_parts(example)}
    if not is_shown or any("weight" in message.extra for message in example.messages):
        said = _read_chat(row)[0].answer
        if said != example.answer and not (is_shown and implied(example.messages, said)):
            losses.append(Loss("$.answer", "merged", "weights do not say that this answer begins where it does"))
    return row, proven_row(example, losses, _read_chat, row)


def _is_chat(value: Any) -> float:
    turns = value.get("messages") if isinstance(value, Mapping) else None
    if not isinstance(turns, list) or not turns or _OF_REQUESTS & value.keys():
        return 0.0
    is_turn = all(isinstance(turn, Mapping) and ("role" in turn or "from" in turn) for turn in turns)
    return 0.91 if is_turn and not _of_another_api(value) else 0.0


def _of_another_api(row: Mapping[str, Any]) -> bool:
    """Tell whether the blocks of a row are marks of an API other than Chat, whose reader they need."""
    found = fits({name: row[name] for name in ("messages", "tools") if row.get(name)})
    return bool(found) and not {"chat", "ollama"} & {*found}


FORMATS: Final = (
    Format(
        name="finetune_legacy",
        kind="dataset",
        mapping="prompt and completion, separators taken off",
        read=_read_legacy,
        write=_write_legacy,
        detect=_is_legacy,
        aliases=("prompt_completion", "openai_legacy"),
        carries=frozenset({"answer"}),
    ),
    Format(
        name="finetune_chat",
        kind="dataset",
        mapping="messages and tools of a row; weight 0 before the answer",
        read=_read_chat,
        write=_write_chat,
        detect=_is_chat,
        aliases=("openai_finetune", "chat_finetune", "trl_messages", "messages"),
        carries=frozenset({"answer", "request.parallel_tool_calls"}),
        rules=finetune_rules,
    ),
)
