"""Columns that stand beside a conversation, and fields of its turns, that say something about it: what may be left out.

Rule: a column is left out where its name and its value both say that it is no part of the conversation,
or where it repeats the conversation (a rendered ``text``, ``messages`` beside ``chosen``). Any other column
that a layout has no place for is a loss. What is left out is counted by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..loss import Loss
from ..model import Example, thaw

#: Names of columns that describe a row, as public data sets have them.
_NAMES: Final = re.compile(
    r"(?:.*_)?(?:id|ids|uid|uuid|idx|index|hash|source|sources|src|dataset|subset|split|origin|category|categories|task|"
    r"tasks|type|kind|topic|topics|subtopic|domain|tag|tags|lang|language|locale|license|url|urls|link|title|author|date|"
    r"time|timestamp|created|version|score|scores|rating|ratings|quality|difficulty|rank|reward|margin|length|tokens|"
    r"num|count|turns|model|models|generator|annotator|worker|meta|metadata|info|__index_level_0__|toxicity|redacted|"
    r"role_\d+|moderation|openai_moderation|detoxify|emojis|labels|deleted|synthetic|review|level|subject|theme|intent|flags?|turn|toxic|header|"
    r"country|state|hashed_ip)"
    r"(?:_(?:identifier|id|ids|name|type|date|at|level|state|code|key|chosen|rejected|count|total))?",
    re.IGNORECASE,
)
#: Names that may hold what is said, whatever else they are called.
_SAID: Final = re.compile(
    r"messages?|conversations?|dialog(?:ue|s)?|history|system(?:_prompt|_message)?|instructions?|inputs?|outputs?|"
    r"contexts?|questions?|answers?|prompts?|responses?|completions?|query|text|chosen|rejected|tools?|functions?|"
    r"thinking|reasoning(?:_content)?|images?|videos?|audios?|documents?|label|kto_tag|weight",
    re.IGNORECASE,
)
#: A field of a turn.
_OF_TURN: Final = re.compile(r"\$\.(messages|rejected)\[(\d+)\]\.(\w+)")
_DROPPED: Final = ("field-dropped", "parameter-dropped")
#: Keys that make an object a turn.
_TURN: Final = frozenset({"role", "from", "content", "value", "speaker"})
#: Losses that a convention of the layout brings with every row: two columns are one message.
_CONVENTIONS: Final = (("$.input", "merged"), ("$.context", "merged"), ("$.text", "merged"))


def is_convention(loss: Loss) -> bool:
    """Tell whether a loss is the layout's own way of joining its columns: counted, and no reason to refuse a row."""
    return (loss.path, loss.kind) in _CONVENTIONS


def left_out(losses: tuple[Loss, ...], row: Any, example: Example) -> tuple[list[str], tuple[Loss, ...]]:
    """Return the columns of a row that may be left out, and the losses without theirs.

    >>> row = {"id": "a7", "question": "Why?", "answer": "So.", "note": "Check this answer again."}
    >>> lost = (Loss("$.id", "field-dropped"), Loss("$.note", "field-dropped"))
    >>> names, losses = left_out(lost, row, Example(()))
    >>> names, [loss.path for loss in losses]
    (['id'], ['$.note'])
    """
    if not isinstance(row, Mapping) or not any(loss.kind in _DROPPED for loss in losses):
        return [], losses
    names: list[str] = []
    kept: list[Loss] = []
    for loss in losses:
        name = loss.path.removeprefix("$.")
        is_column = loss.kind in _DROPPED and name in row and loss.path.startswith("$.")
        if is_column and (_describes(name, row[name]) or _repeats(row[name], example)):
            names.append(name)
        elif loss.kind == "field-dropped" and (field := _of_turn(loss.path, example)):
            names.append(field)
        else:
            kept.append(loss)
    return [*dict.fromkeys(names)], tuple(kept)


def _of_turn(path: str, example: Example) -> str | None:
    """Return the name of a turn's field that only describes the turn: its name alone decides, a flag may be more."""
    found = _OF_TURN.fullmatch(path)
    if found is None or _SAID.fullmatch(found[3]) or _NAMES.fullmatch(found[3]) is None:
        return None
    messages = example.messages if found[1] == "messages" else example.rejected or ()
    value = messages[int(found[2])].extra.get(found[3])
    return None if value is None or _holds_turns(thaw(value)) else f"{found[1]}[].{found[3]}"


def _describes(name: str, value: Any) -> bool:
    if _SAID.fullmatch(name) or _holds_turns(value):
        return False
    return _NAMES.fullmatch(name) is not None or _is_mark(value)


def _is_mark(value: Any) -> bool:
    """Tell whether a value is a number, a truth value or an identifier, or a list of such."""
    if isinstance(value, bool | int | float):
        return True
    if isinstance(value, list | tuple):
        return all(not isinstance(item, str) and _is_mark(item) for item in value)
    return isinstance(value, str) and (value == "" or (any(c.isdigit() for c in value) and not re.search(r"\s", value)))


def _holds_turns(value: Any) -> bool:
    if isinstance(value, Mapping):
        return len(_TURN & value.keys()) > 1 or any(_holds_turns(item) for item in value.values())
    return isinstance(value, list | tuple) and any(_holds_turns(item) for item in value)


def _repeats(value: Any, example: Example) -> bool:
    """Tell whether a value holds the texts of the conversation, and a list of turns no others."""
    said = [message.text for message in example.messages if message.text]
    worse = {message.text for message in example.rejected or ()}
    if isinstance(value, str):
        lines = [line for text in said for line in text.split("\n")]
        return bool(value.strip()) and (value in said or (len(said) > 1 and all(line in value for line in lines)))
    texts = [*_texts(value)]
    return bool(texts) and isinstance(value, list | tuple) and {*texts} <= {*said, *worse}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        found = (value.get(name) for name in ("content", "value", "text"))
        yield from (item for item in found if isinstance(item, str))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
