"""Texts of training rows that hold a whole talk: read turn by turn, or reported.

A text is read by the text formats. A token-delimited format is certain where the reading is
proved. A format of labels (``\\n\\nHuman:``, ``### Instruction:``) is taken where the marks of its
grammar around the turns give the same text again and the speakers take turns; what a text lacks
at its ends (blank lines before, the close of the last turn) belongs to no turn. Every other text
in which somebody seems to speak is reported: one message is not what it means.

Answers that repeat the prompt are recognised here, too: the prompt is said once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..errors import FormatError
from ..format import Reading
from ..loss import Loss
from ..model import Cue, Message
from ..text.grammar import Grammar, Turn
from ..text.reading import read_text
from ..text.registry import grammar_of, grammars
from .rows import with_system
from .turns import Turns

#: White space that may follow the cue of a prompt.
BLANKS: Final = " \t\r\n"
#: Formats of labels that many texts have which are no talks.
_LABELLED: Final = ("transcript", "few-shot")
#: Turns of Guanaco's format that stand in lines of their own, and of Claude's without blank lines between.
_HEADING: Final = re.compile(r"\s*### Human:")
_BEFORE_HEADING: Final = re.compile(r"\s*\n(?=### (?:Human|Assistant):)")
_SPEAKER: Final = re.compile(r"\n*Human: (?s:.*)\nAssistant:")
_PARAGRAPHS: Final = re.compile(r"\n\n(?:Human|Assistant):")
_BEFORE_SPEAKER: Final = re.compile(r"(?<!\n)\n(?=(?:Human|Assistant):)")
#: The heading of Alpaca's further input, inside the turn of the user, and the preamble that goes with it
#: (Stanford Alpaca, 2023).
_INPUT: Final = "\n\n### Input:\n"
_PREAMBLE: Final = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request."
)


class Talk(NamedTuple):
    """The turns of a text, what the text asks for next, and what reading it changed."""

    messages: tuple[Message, ...]
    cue: Cue
    format: str
    losses: tuple[Loss, ...] = ()


def talk_of(text: str, path: str = "$.text") -> Talk | None:
    """Return the turns of a text, None where it is no talk or not certainly one.

    >>> [message.role for message in talk_of("\\n\\nHuman: Hi\\n\\nAssistant: Yo").messages]
    ['user', 'assistant']
    """
    text = _usual(text)
    reading = _reading(text)
    if reading is None or reading.format in ("plain", "few-shot"):  # examples are no turns
        return None
    if reading.verdict != "lossless" and not _is_proved(text, reading):
        return None
    conversation = reading.conversation
    return _with_input(Talk(_closed(conversation.messages, reading.format), conversation.cue, reading.format), path)


def _usual(text: str) -> str:
    """Return a text with the line breaks that its format has between turns, where it has others throughout."""
    if _HEADING.match(text):
        return _BEFORE_HEADING.sub("", text)
    if _SPEAKER.match(text) and not _PARAGRAPHS.search(text.lstrip("\n")):
        return _BEFORE_SPEAKER.sub("\n\n", text)
    return text


def question_of(prompt: str, path: str = "$.prompt") -> Talk | None:
    """Return the turns of a prompt that is a talk up to the answer it asks for, None for any other.

    Labels that many texts have (``User:``) are not enough here.

    >>> question_of("The sky is") is None, len(question_of("\\n\\nHuman: Hi\\n\\nAssistant:").messages)
    (True, 1)
    """
    if not prompt.rstrip(BLANKS).endswith(_ends()):  # few do: the others need not be read
        return None
    talk = talk_of(prompt, path)
    is_asked = talk is not None and talk.format not in _LABELLED and talk.messages[-1].role != "assistant"
    return talk if is_asked else None


@lru_cache(maxsize=1)
def _ends() -> tuple[str, ...]:
    known = [grammar for grammar in grammars().values() if grammar.name not in _LABELLED and not grammar.plain]
    found = {grammar.cue.strip() for grammar in known}
    found |= {grammar.turns["user"].close.strip() for grammar in known if grammar.is_certain}
    return tuple(sorted(found - {""}))


@lru_cache(maxsize=1)
def tails() -> tuple[str, ...]:
    """Return short ends, one of which every prompt of :func:`question_of` has before its last blanks.

    Of an end in angle brackets it is the bracket, or what follows it: JSON may spell the rest as escapes.
    """
    return tuple(sorted({">" if end.endswith(">") else end.rpartition(">")[2][-9:] for end in _ends()}))


def no_talk(text: str, path: str = "$.text") -> Loss:
    """Return the refused loss of a text that should be a talk and does not read as one."""
    doubt = doubt_of(text)
    if doubt is None:
        return Loss(path, "unsupported", "the text does not read as a conversation: there is no user message")
    return Loss(path, "undecidable", f"the text may be a conversation in the format {doubt.format}, not certainly")


def doubt_of(text: str) -> Reading | None:
    """Return what a text may be read as, though not certainly; None where it is a talk, or nobody seems to speak."""
    reading = _reading(text)
    is_one = reading is None or reading.format == "plain" or talk_of(text) is not None
    return None if is_one else reading


@lru_cache(maxsize=4)  # a row's text is asked for more than once
def _reading(text: str) -> Reading | None:
    try:
        return read_text(text)
    except FormatError:  # a prompt for filling in the middle is text like any other here
        return None


def answer_in(asked: str, prompt: tuple[Message, ...], answer: str) -> Message | None:
    """Return the answer of a text that goes on where a prompt that is a talk ended; what is between is the format's."""
    if talk_of(asked) is None:
        return None
    for text in (f"{asked.rstrip(' ')}{answer}", f"{asked}{answer}"):  # one of two spaces is the format's
        whole = talk_of(text)
        if whole is not None and whole.messages[:-1] == prompt and whole.messages[-1].role == "assistant":
            return whole.messages[-1]
    return None


class Pair(NamedTuple):
    """A prompt and two answers to it."""

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]


# columns ------------------------------------------------------------------------------------------


def prompt_of(row: Mapping[str, Any], turns: Turns) -> tuple[Message, ...]:
    """Return the messages of the column ``prompt``: a list, or a text, which may be a talk up to its answer."""
    prompt = row.get("prompt")
    if not isinstance(prompt, str):
        return turns.read(prompt, "$.prompt")
    found, doubt = talk_of(prompt, "$.prompt"), doubt_of(prompt)
    if found is not None and found.messages[-1].role != "assistant":
        turns.losses += found.losses
        return found.messages
    if found is not None:
        turns.losses.append(
            Loss("$.prompt", "undecidable", "the prompt is a conversation whose last turn is an answer")
        )
    elif doubt is not None:
        is_answered = any(message.role == "assistant" for message in doubt.conversation.messages)
        detail = f"one user message; it may be a conversation in the format {doubt.format}"
        turns.losses.append(Loss("$.prompt", "undecidable" if is_answered else "flattened", detail))
    return (Message("user", prompt),)


def answer_of(row: Mapping[str, Any], name: str, prompt: tuple[Message, ...], turns: Turns) -> tuple[Message, ...]:
    """Return the messages of a column that answers the prompt: a list, or a text, which may be a talk itself."""
    answer, asked = row.get(name), row.get("prompt")
    if not isinstance(answer, str):
        return turns.read(answer, f"$.{name}")
    if isinstance(asked, str) and (said := answer_in(asked, prompt, answer)) is not None:
        return (said,)
    talk = talk_of(answer, f"$.{name}")
    if talk is None or not _asks(talk.messages):
        return (Message("assistant", answer),)
    turns.losses += talk.losses
    return talk.messages


def pair_of(row: Mapping[str, Any], losses: list[Loss]) -> Pair:
    """Return the prompt and the two answers of the columns ``prompt``, ``chosen`` and ``rejected``."""
    has_prompt = row.get("prompt") not in (None, "")
    prompt = with_system(row, prompt_of(row, Turns(losses)) if has_prompt else (), losses)
    # Ids of calls are made by their order: each answer counts on from the prompt.
    better, worse = (answer_of(row, name, prompt, _after(prompt, losses)) for name in ("chosen", "rejected"))
    if not has_prompt:
        losses += [no_talk(row[n], f"$.{n}") for n in ("chosen", "rejected") if _is_no_talk(row.get(n))]
        return _parted((), better, worse, losses)
    refuse_repeated(row, better, losses)
    asked, (chosen, rejected) = said_once(prompt, {"$.chosen": better, "$.rejected": worse}, losses)
    if len(chosen) < len(better) and len(rejected) < len(worse):
        return _parted(asked, chosen, rejected, losses)  # the whole talk, as where no prompt stands beside
    return Pair(asked, chosen, rejected)


def _after(prompt: tuple[Message, ...], losses: list[Loss]) -> Turns:
    turns = Turns(losses)
    turns.goes_on_after(prompt)
    return turns


def _is_no_talk(value: Any) -> bool:
    return isinstance(value, str) and talk_of(value) is None


def _parted(
    prompt: tuple[Message, ...], better: tuple[Message, ...], worse: tuple[Message, ...], losses: list[Loss]
) -> Pair:
    """Return what both answers begin with as the end of the prompt, message by message; each keeps one at least."""
    most = max(min(len(better), len(worse)) - 1, 0)
    border = next((i for i in range(most) if better[i] != worse[i]), most)
    for name, answer in (("chosen", better), ("rejected", worse)):
        if not answer or answer[border].role not in ("assistant", "tool"):
            detail = f"chosen and rejected differ from message {border} on, which is not an assistant's"
            losses.append(Loss(f"$.{name}", "undecidable", detail))
    return Pair((*prompt, *better[:border]), better[border:], worse[border:])


def refuse_repeated(row: Mapping[str, Any], better: tuple[Message, ...], losses: list[Loss]) -> None:
    """Refuse answers of text that both begin with the text of the prompt: it may be theirs, or said twice."""
    prompt, *answers = (row.get(name) for name in ("prompt", "chosen", "rejected"))
    if not isinstance(prompt, str) or not prompt or better != (Message("assistant", row.get("chosen")),):
        return
    if all(isinstance(answer, str) and _may_repeat(prompt, answer) for answer in answers):
        losses.append(Loss("$.prompt", "undecidable", "both answers begin with the prompt, which may be a repetition"))


def _may_repeat(prompt: str, answer: str) -> bool:
    """Tell whether an answer begins with the prompt as a text of its own; a greeting returned is none."""
    is_word = prompt.isalnum()
    return answer.startswith(prompt) and not is_word and (prompt[-1].isspace() or answer[len(prompt) :][:1].isspace())


# proof --------------------------------------------------------------------------------------------


def _is_proved(text: str, reading: Reading) -> bool:
    """Tell whether the turns with the marks of the format around them are the text, and no other reading is."""
    grammar, messages = grammar_of(reading.format), reading.conversation.messages
    if grammar.reader is not None or any(other.format != "plain" for other in reading.alternatives):
        return False
    if grammar.is_certain and reading.verdict == "ambiguous":
        return False  # a content holds marks of the format
    if not grammar.is_certain and not _take_turns(messages):
        return False
    cue = grammar.cue if reading.conversation.cue == "reply" else ""
    wanted = (text.rstrip() if cue else text).lstrip("\n")
    return any(
        _begins(whole.lstrip("\n") + cue.rstrip(), wanted, cue, last) for whole, last in _written(messages, grammar)
    )


def _take_turns(messages: Sequence[Message]) -> bool:
    """Tell whether user and assistant alternate from a user on, after a system text or none."""
    spoken = [message.role for message in messages]
    spoken = spoken[1:] if spoken[:1] == ["system"] else spoken
    return bool(spoken) and spoken == (["user", "assistant"] * len(spoken))[: len(spoken)]


def _begins(whole: str, text: str, cue: str, close: str) -> bool:
    """Tell whether the text is all of it but for the end of the last turn's close."""
    if cue:
        return whole == text
    return whole.startswith(text) and close.endswith(whole[len(text) :])


def _written(messages: Sequence[Message], grammar: Grammar) -> list[tuple[str, str]]:
    """Return the text of the turns with nothing trimmed, and the close of the last; with and without a preamble."""
    pieces: list[str] = []
    close = ""
    for index, message in enumerate(messages):
        turn = _turn(index, message, grammar)
        if turn is None:
            return []
        pieces += [grammar.separator if index else "", turn.open, message.text, turn.close]
        close = turn.close
    whole = "".join(pieces)
    if grammar.is_implied and grammar.default_system and messages and messages[0].role != "system":
        wrap = grammar.system_turn
        return [(whole, close), (f"{wrap.open}{grammar.default_system}{wrap.close}{whole}", close)]
    return [(whole, close)]


def _turn(index: int, message: Message, grammar: Grammar) -> Turn | None:
    if message.role == "system" and index == 0 and grammar.system == "prefix":
        return grammar.system_turn
    return grammar.turns.get(message.role)


def _closed(messages: tuple[Message, ...], name: str) -> tuple[Message, ...]:
    """Return messages without the close of the last turn, where it is white space that the reader leaves to it."""
    last = messages[-1]
    turn = grammar_of(name).turns.get(last.role)
    if turn is None or not turn.close or turn.close.strip() or not last.text.endswith(turn.close):
        return messages
    return (*messages[:-1], last.with_text(last.text.removesuffix(turn.close)))


def _with_input(talk: Talk, path: str) -> Talk:
    """Return a talk in which the further input of an Alpaca text follows its instruction, as in a row of Alpaca."""
    messages = talk.messages
    if talk.format != "alpaca" or not any(_has_input(message) for message in messages):
        return talk
    messages = messages[1:] if messages[0] == Message("system", _PREAMBLE) else messages
    joined = tuple(m.with_text(m.text.replace(_INPUT, "\n", 1)) if _has_input(m) else m for m in messages)
    return talk._replace(messages=joined, losses=(Loss(path, "merged", "instruction and input became one message"),))


def _has_input(message: Message) -> bool:
    return message.role == "user" and _INPUT in message.text


# prompts said twice -------------------------------------------------------------------------------


def said_once(
    prompt: tuple[Message, ...], answers: Mapping[str, tuple[Message, ...]], losses: list[Loss]
) -> tuple[tuple[Message, ...], list[tuple[Message, ...]]]:
    """Return the prompt, and the answers (by their paths) without it.

    A system message that every answer puts before the prompt becomes the prompt's.
    """
    heads = {answer[:1] for answer in answers.values()}
    system = next(iter(heads))
    whole = (*system, *prompt)
    if len(heads) == 1 and system and system[0].role == "system":
        prompt = whole if all(answer[: len(whole)] == whole for answer in answers.values()) else prompt
    return prompt, [unrepeated(prompt, answer, path, losses) for path, answer in answers.items()]


def unrepeated(
    prompt: Sequence[Message], answer: tuple[Message, ...], path: str, losses: list[Loss]
) -> tuple[Message, ...]:
    """Return an answer without the prompt that it begins with, and report it.

    The prompt may be repeated as a whole, or its last turns. An answer that asks otherwise after
    a prompt that already asks is refused: nothing says which of the two is the prompt.
    """
    most = min(len(prompt), len(answer))
    said = next((n for n in range(most, 0, -1) if tuple(prompt[-n:]) == answer[:n] and _asks(answer[:n])), 0)
    if said and said == len(answer):
        losses.append(Loss(path, "undecidable", "the answer repeats the prompt and holds nothing else"))
    elif said:
        messages = "message" if said == 1 else "messages"
        losses.append(Loss(path, "renamed", f"the answer repeats {said} {messages} of the prompt"))
    elif prompt and prompt[-1].role == "user" and answer and answer[0].role in ("system", "developer", "user"):
        detail = f"the answer begins with a {answer[0].role} message, which does not repeat the prompt"
        losses.append(Loss(f"{path}[0]", "undecidable", detail))
    return answer[said:]


def _asks(messages: Sequence[Message]) -> bool:
    return any(message.role == "user" for message in messages)
