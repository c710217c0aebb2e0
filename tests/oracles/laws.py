"""What the laws of conversion ask of one value: each function returns what breaks its law, by path.

A leaf is *carried* where the output follows it: with another value in its place, another output comes
out. So nothing here knows which field of one API is which of another. A leaf that is not carried
has a loss at its path or at that of an object around it; a loss says that something is gone, and so
no word of what it names stands in the output.
"""

import copy
import json
import re

import diptych
from diptych.loss import Severity

from .types import WORD


def response(value, *, source, target, on_loss):
    """Convert a response: the door of responses in the shape of :func:`diptych.convert`."""
    return diptych.convert_response(value, source=source, to=target, on_loss=on_loss)


#: What converts a value of each sort.
DOORS = {"request": diptych.convert, "response": response}
#: What follows from other leaves: the sums of tokens.
DERIVED = ("total_tokens", "totalTokens", "totalTokenCount")


def leaves(value, path="$"):
    """Yield path and value of every scalar; what is null or empty is as good as absent."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif value not in (None, ""):
        yield path, value


def places(value, way=()):
    """Yield the keys that lead to every scalar."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*way, key))
    elif value not in (None, ""):
        yield way


def plain(path):
    """Return a path without quotes: ``$["a"]`` is ``$.a``."""
    return re.sub(r"\[(\"|')(.*?)\1\]", r".\2", path)


def is_under(path, above):
    above = plain(above)
    return path == above or (path.startswith(above) and path[len(above)] in ".[")


def changed(value, way):
    """Return a copy in which the leaf at the end of ``way`` has another value."""
    copied = copy.copy(value)
    copied[way[0]] = changed(value[way[0]], way[1:]) if way[1:] else other(value[way[0]])
    return copied


def other(leaf):
    if isinstance(leaf, bool):
        return not leaf
    if isinstance(leaf, str) and WORD.search(leaf):
        return re.sub(r"w(\d+)", r"w99\1", leaf)
    if isinstance(leaf, str):
        return f"OTk5{leaf}" if leaf.endswith("=") else f"{leaf}x"
    return leaf / 2 if isinstance(leaf, float) else leaf + 1


class Refused(Exception):
    """A conversion that ``on_loss="ignore"`` does not let through."""


def seen(value, source, target, kind="request"):
    """Return output and losses; an error has to say where and why."""
    try:
        made = DOORS[kind](value, source=source, target=target, on_loss="ignore")
    except diptych.LossError as error:
        raise Refused([(loss.path, loss.kind, loss.detail) for loss in error.losses]) from None
    except diptych.FormatError as error:
        raise Refused([(error.path, "unreadable", str(error))]) from None
    return made


def silent(value, made, source, target, kind="request"):
    """Return the path of every leaf that neither the output nor a loss knows."""
    told = {loss.path for loss in made.losses} - {"$"}
    before = json.dumps(made.output, default=str)
    lost = []
    for (path, _), way in zip(leaves(value), places(value), strict=True):
        if path.endswith(DERIVED) or any(is_under(path, above) for above in told):
            continue
        try:
            again = seen(changed(value, way), source, target, kind)
        except Refused:
            continue  # it was looked at
        if json.dumps(again.output, default=str) == before and told == {loss.path for loss in again.losses} - {"$"}:
            lost.append(path)
    return lost


def overbooked(value, made):
    """Return every loss of something gone that stands in the output still."""
    shown = json.dumps(made.output, default=str)
    words = {path: leaf for path, leaf in leaves(value) if isinstance(leaf, str) and WORD.search(leaf)}
    gone = [loss for loss in made.losses if loss.severity is Severity.DROPPED]
    return [
        (loss.path, loss.kind, path)
        for loss in gone
        for path, leaf in words.items()
        if is_under(path, loss.path) and _stands(leaf, shown)
    ]


def _stands(leaf, shown):
    word = WORD.search(leaf)[0]
    return re.search(re.escape(word) + r"(?!\d)", shown) is not None


def unplaced(value, made):
    """Return every loss whose path is no place of the value; a change may name a field that a body lacks."""
    known = {*objects(value), *(path for path, _ in leaves(value))}
    return [
        (loss.path, loss.kind)
        for loss in made.losses
        if loss.severity > Severity.EXACT
        and plain(loss.path) not in known
        and not (loss.severity is Severity.CHANGED and plain(loss.path).count(".") == 1)
    ]


def objects(value, path="$"):
    """Yield the path of every object and list."""
    if isinstance(value, dict | list):
        yield path
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from objects(item, f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}")


def is_lossless(made):
    return made.verdict == "lossless" and not any(loss.severity > Severity.EXACT for loss in made.losses)


def general(path):
    """Return a path without its numbers: what many findings have in common."""
    return re.sub(r"\[\d+\]", "[]", path)
