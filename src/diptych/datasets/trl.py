"""Rows as TRL's trainers take them: a column a part, each a text or a list of messages.

- ``trl_text``: ``{"text"}``. A text in a token-delimited format (ChatML, Llama …), or in the frame of
  a format of labels (``\\n\\nHuman:``, ``### Instruction:``) is its messages. Any other text goes to no
  layout of conversations (``unsupported``, ``undecidable``): it is what a model learns to say, and has no
  user. A single assistant message is written as its text, anything else as ChatML (``flattened``)
- ``trl_prompt``: ``{"prompt"}``, a question; an answer has no place (``text-dropped``)
- ``trl_prompt_completion``: ``{"prompt", "completion"}``
- ``trl_preference``: ``{"prompt", "chosen", "rejected"}``. Without a prompt it is what the two have in
  common, message by message: two lists, or two texts that are talks themselves (HH-RLHF); other texts are
  refused (``undecidable``). A prompt that the answers repeat (UltraFeedback) is said once. The answers are also
  ``chosen_messages`` or ``chosen_response`` with ``rejected_messages`` or ``rejected_response`` (LLaMA-Factory v1);
  beside ``messages`` or ``response`` the rejected one takes the place of their last answer (ms-swift)
- ``trl_unpaired``: ``{"prompt", "completion", "label"}``; an answer of which nothing is said is a good one
- ``trl_stepwise``: ``{"prompt", "completions", "labels"}``: an assistant message a step; the whole answer
  is good where each step is, and where one is not, each message keeps its ``label``

Lists are written; a prompt of text is read as one user message (or as the turns of the talk that it
is up to its answer), a completion of text as one assistant message. A prompt that only may be a talk
is told (``flattened``), or refused where answers stand in it (``undecidable``).
``tools`` stand beside; arguments of calls are written as objects, as chat templates want them, and
reasoning as ``thinking``. The list of messages alone (``{"messages"}``) is ``finetune_chat``.
Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..apis.chat import messages as openai_chat
from ..errors import FormatError
from ..format import Format
from ..loss import Loss
from ..model import EMPTY, Conversation, Example, FrozenMap, Message
from ..text.reading import read_text
from ..text.writing import write_text
from .rows import (
    Read,
    Written,
    border_of,
    example_of,
    flag_of,
    other,
    proven_row,
    read_tools,
    refusal,
    row_of,
    speaker_of,
    text_of,
)
from .talks import answer_of, no_talk, pair_of, prompt_of, said_once, talk_of
from .turns import Turns


def certain_reading(text: str) -> Conversation | None:
    """Return the messages of a text in a format of marks that has no other reading, else None.

    >>> certain_reading("User: Hi") is None
    True
    """
    try:
        reading = read_text(text)
    except FormatError:  # a prompt for filling in the middle is text like any other here
        return None
    is_certain = reading.verdict == "lossless" and reading.format != "plain"
    return reading.conversation if is_certain else None


# one text -----------------------------------------------------------------------------------


def _read_text(value: Any) -> Read:
    row = row_of(value)
    text = text_of(row, "text")
    losses = other(row, ("text",))
    found = talk_of(text)
    if found is None:
        return example_of([Message("assistant", text)], [*losses, no_talk(text)])
    answer = len(found.messages) if found.cue == "reply" else None
    return example_of(found.messages, [*losses, *found.losses], answer=answer)


def _write_text(conversation: Conversation) -> Written:
    example = Example.of(conversation)
    if len(example.messages) == 1 and example.messages[0].role == "assistant":
        row = {"text": example.messages[0].text}
        losses = proven_row(example, (), _read_text, row)
        # That the text alone shows no user is no fault here: it is what a model learns to say.
        return row, tuple(loss for loss in losses if loss.path != "$.text")
    writing = write_text(example, "chatml", add_generation_prompt=False)
    row = {"text": writing.text}
    losses = proven_row(example, writing.losses, _read_text, row)
    return row, (*losses, Loss("$.messages", "flattened", "the messages became one text of ChatML"))


# prompt and completion ------------------------------------------------------------------------


def _messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Write messages as chat templates take them."""
    written = []
    for message in messages:
        wire = openai_chat.write_message(message)
        if "reasoning_content" in wire:
            wire["thinking"] = wire.pop("reasoning_content")
        for call in wire.get("tool_calls", ()):
            if "function" in call:
                call["function"]["arguments"] = _as_object(call["function"]["arguments"])
        written.append(wire)
    return written


def _as_object(arguments: str) -> Any:
    """Return arguments as the object they are; other text stays as it is."""
    try:
        found = json.loads(arguments, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return arguments
    return found if isinstance(found, dict) else arguments


def _no_number(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON, and a row is


def _tools(example: Example) -> dict[str, Any]:
    return {"tools": openai_chat.write_tools(example)} if example.tools else {}


def _read_prompt(value: Any) -> Read:
    row = row_of(value)
    losses = other(row, ("prompt", "tools"))
    prompt = prompt_of(row, Turns(losses))
    return example_of(prompt, losses, tools=read_tools(row.get("tools"), losses), answer=len(prompt))


def without_answer(example: Example, losses: list[Loss]) -> Example:
    """Return the question of an example, and tell of the answer that is gone."""
    border = border_of(example, [])
    losses += [
        Loss(f"$.messages[{index}]", "text-dropped", "a question holds no answer")
        for index in range(border, len(example.messages))
    ]
    return replace(example, messages=example.messages[:border], answer=border)


def _write_prompt(conversation: Conversation) -> Written:
    losses: list[Loss] = []
    asked = without_answer(Example.of(conversation), losses)
    row = {"prompt": _messages(asked.messages), **_tools(asked)}
    return row, proven_row(asked, losses, _read_prompt, row)


def _read_completion(value: Any) -> Read:
    row = row_of(value)
    losses = other(row, ("prompt", "completion", "tools"))
    turns = Turns(losses)
    asked = prompt_of(row, turns)
    prompt, (answer,) = said_once(asked, {"$.completion": answer_of(row, "completion", asked, turns)}, losses)
    return example_of((*prompt, *answer), losses, tools=read_tools(row.get("tools"), losses), answer=len(prompt))


def _write_completion(conversation: Conversation) -> Written:
    example, losses = Example.of(conversation), list[Loss]()
    border = border_of(example, losses)
    if border == len(example.messages):
        return {}, refusal("$.answer", "a row holds an answer")
    prompt, answer = example.messages[:border], example.messages[border:]
    row = {"prompt": _messages(prompt), "completion": _messages(answer), **_tools(example)}
    return row, proven_row(example, losses, _read_completion, row)


# preferences --------------------------------------------------------------------------------


#: Names of the columns of a comparison, as other trainers have them (ms-swift, LLaMA-Factory v1).
_COMPARED: Final = {
    "prompt": ("question", "instruction", "input", "query"),
    "rejected": ("rejected_messages", "rejected_response"),
    "chosen": ("chosen_messages", "chosen_response", "messages", "response"),
}


def _read_preference(value: Any) -> Read:
    row = row_of(value)
    losses: list[Loss] = []
    row = _compared(row, losses)
    losses += other(row, ("prompt", "chosen", "rejected", "tools", "system"))
    prompt, better, worse = pair_of(row, losses)
    tools = read_tools(row.get("tools"), losses)
    return example_of((*prompt, *better), losses, tools=tools, answer=len(prompt), rejected=worse)


def _compared(row: Mapping[str, Any], losses: list[Loss]) -> dict[str, Any]:
    """Return a row with its question and answers under TRL's names; a worse answer may stand beside whole messages."""
    found = dict(row)
    for own, names in _COMPARED.items():
        if found.get(own) in (None, "") and (name := next((n for n in names if found.get(n) is not None), None)):
            losses.append(Loss(f"$.{name}", "renamed", own))
            found[own] = found.pop(name)
    if isinstance(found.get("rejected"), str) and isinstance(found.get("chosen"), list) and "rejected" not in row:
        last = max((n for n, turn in enumerate(found["chosen"]) if _is_asking(turn)), default=-1)
        found["rejected"] = [*found["chosen"][: last + 1], {"role": "assistant", "content": found["rejected"]}]
    return found


def _is_asking(turn: Any) -> bool:
    return isinstance(turn, Mapping) and speaker_of(turn.get("role", turn.get("from"))) in ("user", "tool")


def _write_preference(conversation: Conversation) -> Written:
    example, losses = Example.of(conversation), list[Loss]()
    if example.rejected is None:
        return {}, refusal("$.rejected", "a row compares two answers, and there is one")
    border = border_of(example, losses)
    row = {
        "prompt": _messages(example.messages[:border]),
        "chosen": _messages(example.messages[border:]),
        "rejected": _messages(example.rejected),
        **_tools(example),
    }
    return row, proven_row(example, losses, _read_preference, row)


def _read_unpaired(value: Any) -> Read:
    row = row_of(value)
    losses: list[Loss] = []
    label = flag_of(row, "label", losses)
    found, told = _read_completion({name: item for name, item in row.items() if name != "label"})
    return replace(found, label=label), (*losses, *told)


def label_of(example: Example, losses: list[Loss], path: str = "$.label") -> bool:
    """Return whether the answer is good: one that is there to be learnt is."""
    if example.label is None:
        losses.append(Loss(path, "defaulted", "true: an answer to be learnt is a good one"))
    return example.label is not False


def _write_unpaired(conversation: Conversation) -> Written:
    example, losses = Example.of(conversation), list[Loss]()
    row, told = _write_completion(example)
    return {**row, "label": label_of(example, losses)}, (*losses, *told)


# steps --------------------------------------------------------------------------------------


def _read_stepwise(value: Any) -> Read:
    row = row_of(value)
    steps, labels = row.get("completions"), row.get("labels")
    if not isinstance(steps, list | tuple) or not isinstance(labels, list | tuple) or len(steps) != len(labels):
        raise FormatError("there are as many labels as completions", path="$.labels")
    losses = other(row, ("prompt", "completions", "labels"))
    messages = [Message("user", text_of(row, "prompt"))]
    good = [flag_of({"label": label}, "label", losses, f"$.labels[{i}]") for i, label in enumerate(labels)]
    says_more = len(good) > 1 and not all(good)  # than the label of the whole answer does
    for index, step in enumerate(steps):
        if not isinstance(step, str):
            raise FormatError("a step is text", path=f"$.completions[{index}]")
        extra = FrozenMap({"label": good[index]}) if says_more else EMPTY
        messages.append(Message("assistant", step, extra=extra))
    return example_of(messages, losses, answer=1, label=all(good) if good else None)


def _write_stepwise(conversation: Conversation) -> Written:
    example, losses = Example.of(conversation), list[Loss]()
    roles = [message.role for message in example.messages]
    if border_of(example, losses) != 1 or roles != ["user", *["assistant"] * (len(roles) - 1)]:
        return {}, refusal("$.messages", "a row is one user message and the steps of its answer")
    steps = example.messages[1:]
    labels = _labels(example, steps, losses)
    if labels is None:
        return {}, refusal("$.label", "a row says of each step whether it is right")
    row = {"prompt": example.messages[0].text, "completions": [step.text for step in steps], "labels": labels}
    return row, proven_row(example, losses, _read_stepwise, row)


def _labels(example: Example, steps: Sequence[Message], losses: list[Loss]) -> list[bool] | None:
    """Return whether each step is right, None where the example does not say."""
    labels: list[Any] = [step.extra.get("label") for step in steps]
    if all(label is None for label in labels) and (len(steps) == 1 or example.label is not False):
        return [label_of(example, losses)] * len(steps)
    if not all(isinstance(label, bool) for label in labels):
        return None
    good = all(labels)
    if example.label is None:
        losses.append(Loss("$.label", "defaulted", f"{good}, as its steps say"))
    elif example.label != good:
        losses.append(Loss("$.label", "substituted", f"{example.label} became {good}, as its steps say"))
    return labels


# what a row is ------------------------------------------------------------------------------


def _has(value: Any, *names: str, without: Sequence[str] = ()) -> bool:
    is_row = isinstance(value, Mapping) and "model" not in value
    return is_row and all(value.get(n) is not None for n in names) and not any(n in value for n in without)


def _is_text(value: Any) -> float:
    return 0.6 if _has(value, "text", without=("prompt", "messages")) and isinstance(value["text"], str) else 0.0


def _is_prompt(value: Any) -> float:
    others = ("completion", "completions", "chosen", "rejected", "suffix", "generation", "messages")
    if not _has(value, "prompt", without=others) or not isinstance(value["prompt"], str | list):
        return 0.0
    return 0.6 if isinstance(value["prompt"], str) else 0.7


def _is_completion(value: Any) -> float:
    if not _has(value, "prompt", "completion", without=("label",)):
        return 0.0
    return 0.6 if isinstance(value["prompt"], str) and isinstance(value["completion"], str) else 0.93


def _is_preference(value: Any) -> float:
    if _has(value, without=("instruction", "conversations", "rejected")):
        pair = {*_COMPARED["rejected"]} & value.keys() and {"chosen", *_COMPARED["chosen"]} & value.keys()
        return 0.95 if pair else 0.0
    return 0.93 if _has(value, "chosen", "rejected", without=("instruction", "conversations")) else 0.0


def _is_unpaired(value: Any) -> float:
    return 0.95 if _has(value, "prompt", "completion", "label") else 0.0


def _is_stepwise(value: Any) -> float:
    return 0.96 if _has(value, "prompt", "completions", "labels") else 0.0


def _format(
    name: str, mapping: str, read: Any, write: Any, detect: Any, aliases: Sequence[str], *carries: str
) -> Format:
    return Format(name, "dataset", mapping, read, write, detect, tuple(aliases), frozenset(carries))


FORMATS: Final = (
    _format("trl_text", "one text: an assistant message, or messages in a format of marks", _read_text, _write_text,
            _is_text, ("language_modeling", "text")),
    replace(_format("trl_prompt", "a question without an answer", _read_prompt, _write_prompt, _is_prompt,
                    ("prompt_only", "prompt"), "answer"), asks=True),
    _format("trl_prompt_completion", "question and answer, as lists of messages", _read_completion, _write_completion,
            _is_completion, ("conversational_prompt_completion",), "answer"),
    _format("trl_preference", "question, chosen and rejected answer", _read_preference, _write_preference,
            _is_preference, ("preference", "chosen_rejected"), "answer", "rejected"),
    _format("trl_unpaired", "question, answer, and whether it is good", _read_unpaired, _write_unpaired,
            _is_unpaired, ("kto", "unpaired_preference"), "answer", "label"),
    _format("trl_stepwise", "question and steps, each right or wrong", _read_stepwise, _write_stepwise, _is_stepwise,
            ("stepwise", "stepwise_supervision", "prm"), "answer", "label"),
)  # fmt: skip
