"""Rows of nothing but plain turns, from one layout to another without the neutral model.

Rule: a row goes this way only where the general one would write the same bytes and report nothing: an
optional system message, then user and assistant in turn, all of them texts that say something, in the very
fields of the layout. Every other row is left to the general way (tests/migrate/data/test_plain.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring as quoted
from typing import Any, Final

#: Roles and texts in turn: the system's first, where there is one.
Talk = list[tuple[str, str]]
_Read = Callable[[dict[str, Any]], Talk | None]
_Write = Callable[[Talk], str | None]
#: Converts a line without its end; None where it is not plain.
Plain = Callable[[bytes], bytes | None]

_scan: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_ROLES: Final = {"system": "system", "user": "user", "assistant": "assistant"}
_FROM: Final = {"human": "user", "gpt": "assistant", "system": "system"}


def plain_converter(source: str, target: str, seen: list[Talk] | None = None) -> Plain | None:
    """Return what converts plain lines of one layout to another, None where there is no such way.

    ``seen`` takes the turns of each line that is converted.

    >>> plain_converter("sharegpt", "finetune_chat")(
    ...     b'{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes?"}]}'
    ... )
    b'{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yes?"}]}\\n'
    """
    read, write = _READERS.get(source), _WRITERS.get(target)
    if read is None or write is None or source == target:
        return None

    def convert(line: bytes) -> bytes | None:
        try:
            text = line.decode().strip(" \t\r")
            row, end = _scan(text, 0)
            if end != len(text) or type(row) is not dict:
                return None
            talk = read(row)
            if talk is None or _strings(text) != _strings_of(row):
                return None
            found = write(talk)
            if found is None:
                return None
            line = found.encode()
            if seen is not None:
                seen.append(talk)
            return line
        except (ValueError, StopIteration, RecursionError, KeyError, TypeError, AttributeError):
            # not UTF-8, not JSON, a lone surrogate; another speaker, a turn of other keys, or none
            return None

    return convert


def _strings(text: str) -> int:
    """Return how many strings a JSON text holds: a key that stands twice is one too many."""
    text = text.replace("\\\\", "") if "\\\\" in text else text
    return (text.count('"') - text.count('\\"')) // 2


def _strings_of(row: Mapping[str, Any]) -> int:
    """Return how many strings a row of texts and of turns of two texts holds."""
    return sum([2 if type(item) is str else 1 + 4 * len(item) for item in row.values()])


# reading --------------------------------------------------------------------------------------


def _turns(turns: Any, speaker: str, said: str, names: Mapping[str, str], system: str | None = None) -> Talk | None:
    """Return the talk of a list of turns in which user and assistant speak in turn, the assistant last."""
    if type(turns) is not list or not turns:
        return None
    talk = [("system", system)] if system else []
    wanted = "user"
    for turn in turns:
        text, role = turn[said], names[turn[speaker]]
        if role != wanted:
            if role != "system" or talk:
                return None
        else:
            wanted = "assistant" if role == "user" else "user"
        if len(turn) != 2 or type(text) is not str or not text or text.isspace():
            return None
        talk.append((role, text))
    return talk if wanted == "user" and len(talk) > 1 else None


def _chat(row: dict[str, Any]) -> Talk | None:
    return _turns(row.get("messages"), "role", "content", _ROLES) if len(row) == 1 else None


def _sharegpt(row: dict[str, Any]) -> Talk | None:
    system = row.get("system")
    if len(row) != (1 if system is None else 2) or not (system is None or _says(system)):
        return None
    return _turns(row.get("conversations"), "from", "value", _FROM, system)


def _says(text: Any) -> bool:
    return type(text) is str and text != "" and not text.isspace()


def _columns(user: str, assistant: str, *blank: str, system: str | None = None) -> _Read:
    """Return what reads a row of columns; those of ``blank`` say nothing."""
    names = {user, assistant, *blank, *([system] if system else [])}

    def read(row: dict[str, Any]) -> Talk | None:
        if not row.keys() <= names or not all(type(item) is str for item in row.values()):
            return None
        told = row.get(system) if system else None
        if not _says(row.get(user)) or not _says(row.get(assistant)) or any(row.get(name) for name in blank):
            return None
        if told and not _says(told):
            return None
        return [*([("system", told)] if told else []), ("user", row[user]), ("assistant", row[assistant])]

    return read


_READERS: Final[Mapping[str, _Read]] = {
    "finetune_chat": _chat,
    "sharegpt": _sharegpt,
    "alpaca_row": _columns("instruction", "output", "input", system="system"),
    "question_answer": _columns("question", "answer"),
    "system_question": _columns("question", "response", system="system_prompt"),
    "input_output": _columns("input", "output"),
}


# writing --------------------------------------------------------------------------------------


def _written(talk: Talk, name: str, opening: Mapping[str, str]) -> str:
    turns = ",".join([f"{opening[role]}{quoted(text)}}}" for role, text in talk])
    return f'{{"{name}":[{turns}]'


def _as_chat(talk: Talk) -> str:
    return f"{_written(talk, 'messages', _CHAT_OPEN)}}}\n"


def _as_sharegpt(talk: Talk) -> str:
    system = f',"system":{quoted(talk[0][1])}' if talk[0][0] == "system" else ""
    return f"{_written(talk[bool(system) :], 'conversations', _SHAREGPT_OPEN)}{system}}}\n"


def _as_alpaca(talk: Talk) -> str | None:
    system = f',"system":{quoted(talk[0][1])}' if talk[0][0] == "system" else ""
    turns = talk[bool(system) :]
    if len(turns) != 2:
        return None
    (_, asked), (_, answer) = turns
    return f'{{"instruction":{quoted(asked)},"input":"","output":{quoted(answer)}{system}}}\n'


_CHAT_OPEN: Final = {role: f'{{"role":"{role}","content":' for role in _ROLES}
_SHAREGPT_OPEN: Final = {role: f'{{"from":"{name}","value":' for name, role in _FROM.items()}
_WRITERS: Final[Mapping[str, _Write]] = {
    "finetune_chat": _as_chat,
    "sharegpt": _as_sharegpt,
    "alpaca_row": _as_alpaca,
}
