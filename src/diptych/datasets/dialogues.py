"""Rows whose conversation stands in one column, under the names that data sets and tools use.

- ``talk_row``: the column is ``conversation``, ``dialog``, ``dialogue``, ``dialogs``, ``turns``, ``items``, ``data`` or
  ``chat``; written is ``conversation``. Its turns are objects of ``role`` and ``content``, ``from`` and ``value`` or
  ``speaker`` and ``text``, pairs of ``human`` and ``assistant``, ``user`` and ``assistant`` or ``input`` and ``output``
  (with ``system``; XTuner), or texts of user and assistant in turn (UltraChat). ``system`` and ``tools`` stand beside
- ``openai_evals``: ``input``, the messages that ask, and ``ideal``, the answer (OpenAI evals); of several right
  answers the first is taken (``field-dropped``)

Further fields of a row are lost (``field-dropped``) and told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..apis.chat import messages as openai_chat
from ..errors import FormatError
from ..format import Format
from ..loss import Loss
from ..model import Conversation, Example, Message
from .finetune import body_parts
from .rows import (
    Read,
    Written,
    border_kept,
    border_of,
    example_of,
    functions_of,
    other,
    proven_row,
    refusal,
    row_of,
    with_system,
)
from .turns import Turns

_COLUMNS: Final = ("conversation", "dialog", "dialogue", "dialogs", "turns", "items", "data", "chat")
_PAIRS: Final = (("human", "assistant"), ("user", "assistant"), ("input", "output"), ("human", "gpt"),
                 ("prompt", "response"), ("question", "answer"))  # fmt: skip
#: A turn's keys of the speaker and of the text.
_KEYS: Final = (("role", "content"), ("from", "value"), ("role", "value"), ("speaker", "text"), ("role", "text"),
                ("speaker", "content"), ("from", "content"), ("from", "text"))  # fmt: skip
#: Columns that make a row one of another layout.
_OTHERS: Final = frozenset({"messages", "conversations", "chosen", "rejected", "completion", "label", "input"})


def _read(value: Any) -> Read:
    row = row_of(value)
    column = next((name for name in _COLUMNS if isinstance(row.get(name), list | tuple)), None)
    if column is None:
        raise FormatError(f"the row has no list of turns ({', '.join(_COLUMNS)})", path="$")
    losses: list[Loss] = []
    if column != "conversation":
        losses.append(Loss(f"$.{column}", "renamed", "conversation"))
    turns = _turns(row[column], f"$.{column}", losses)
    messages = with_system(row, Turns(losses).read(turns, f"$.{column}"), losses)
    losses += other(row, (column, "system", "tools", "functions"))
    return example_of(messages, losses, tools=functions_of(row, losses))


def _turns(turns: Sequence[Any], path: str, losses: list[Loss]) -> list[Any]:
    """Return turns as objects of role and content. Pairs and texts are the roles' in turn."""
    if turns and all(isinstance(turn, str) for turn in turns):
        return [{"role": ("user", "assistant")[index % 2], "content": turn} for index, turn in enumerate(turns)]
    found: list[Any] = []
    for index, turn in enumerate(turns):
        pair = _pair(turn)
        if pair is None:
            found.append(_turn(turn, f"{path}[{index}]", losses))
            continue
        losses += other(turn, ("system", *pair), f"{path}[{index}]")
        system = turn.get("system")
        found += [{"role": "system", "content": system}] if system and not found else []
        if system and index:
            said = "a system text in the midst of the conversation"
            losses.append(Loss(f"{path}[{index}].system", "undecidable", said))
        found += [{"role": role, "content": turn[name]} for role, name in zip(("user", "assistant"), pair, strict=True)]
    return found


def _pair(turn: Any) -> tuple[str, str] | None:
    if not isinstance(turn, Mapping) or "role" in turn or "from" in turn:
        return None
    return next((pair for pair in _PAIRS if all(isinstance(turn.get(name), str) for name in pair)), None)


def _turn(turn: Any, path: str, losses: list[Loss]) -> Any:
    keys = next((keys for keys in _KEYS if isinstance(turn, Mapping) and {*keys} <= turn.keys()), None)
    if keys is None or keys in (("role", "content"), ("from", "value")):
        return turn
    speaker, text = keys
    losses.append(Loss(f"{path}.{text}", "renamed", "content"))
    left = {name: item for name, item in turn.items() if name not in keys}
    return {"role": turn[speaker], "content": turn[text], **left}


def _write(conversation: Conversation) -> Written:
    example = Example.of(conversation)
    row = {"conversation": [openai_chat.write_message(message) for message in example.messages], **body_parts(example)}
    row.pop("parallel_tool_calls", None)
    return row, proven_row(example, border_kept(example), _read, row)


def _detect(value: Any) -> float:
    if not isinstance(value, Mapping) or _OTHERS & value.keys():
        return 0.0
    columns = [name for name in _COLUMNS if isinstance(value.get(name), list | tuple) and value[name]]
    if len(columns) != 1:
        return 0.0
    turns = value[columns[0]]
    if all(isinstance(turn, str) for turn in turns):
        return 0.8 if len(turns) > 1 else 0.0
    is_talk = all(
        _pair(turn) or (isinstance(turn, Mapping) and any({*keys} <= turn.keys() for keys in _KEYS)) for turn in turns
    )
    return 0.93 if is_talk else 0.0


# evaluations --------------------------------------------------------------------------------


def _read_evals(value: Any) -> Read:
    row = row_of(value)
    losses = other(row, ("input", "ideal"))
    asked = row.get("input")
    messages = [Message("user", asked)] if isinstance(asked, str) else [*Turns(losses).read(asked, "$.input")]
    ideal = row.get("ideal")
    if isinstance(ideal, list | tuple) and ideal:
        losses += [Loss(f"$.ideal[{index}]", "field-dropped", "another right answer") for index in range(1, len(ideal))]
        ideal = ideal[0]
    if not isinstance(ideal, str):
        raise FormatError("the ideal answer is a text, or a list of them", path="$.ideal")
    return example_of([*messages, Message("assistant", ideal)], losses, answer=len(messages))


def _write_evals(conversation: Conversation) -> Written:
    example, losses = Example.of(conversation), list[Loss]()
    border = border_of(example, losses)
    answer = example.messages[border:]
    if [message.role for message in answer] != ["assistant"] or not isinstance(answer[0].content, str):
        return {}, refusal("$.answer", "a row has one answer of text")
    asked = [openai_chat.write_message(message) for message in example.messages[:border]]
    row = {"input": asked, "ideal": answer[0].text}
    return row, proven_row(example, losses, _read_evals, row)


def _is_evals(value: Any) -> float:
    if not isinstance(value, Mapping) or "ideal" not in value or "model" in value:
        return 0.0
    return 0.97 if isinstance(value.get("input"), str | list) else 0.0


FORMATS: Final = (
    Format("talk_row", "dataset", "conversation (or dialog, turns, items, data): turns, pairs or texts", _read, _write,
           _detect, ("conversation", "dialog", "ultrachat", "openchat", "xtuner"), frozenset({"answer"})),
    Format("openai_evals", "dataset", "input and ideal of an evaluation", _read_evals, _write_evals, _is_evals,
           ("evals",), frozenset({"answer"})),
)  # fmt: skip
