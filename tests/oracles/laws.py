"""What the laws of conversion ask of one value: each function returns what breaks its law, by path.

A leaf is *carried* where the output follows it: with another value in its place, another output comes
out. So nothing here knows which field of one API is which of another. A leaf that is not carried
has a loss at its path or at that of an object around it; a loss says that something is gone, and so
no word of what it names stands in the output.
"""

import collections
import copy
import json
import re
from importlib import import_module

import diptych
from diptych.conversion.registry import get
from diptych.loss import Severity

from .sdk import TYPES, oracle
from .types import WORD


def response(value, *, source, target, on_loss):
    """Convert a response: the door of responses in the shape of :func:`diptych.convert`."""
    return diptych.convert_response(value, source=source, to=target, on_loss=on_loss)


#: What converts a value of each sort.
DOORS = {"request": diptych.convert, "response": response}
#: What follows from other leaves: the sums of tokens, the number of a reply, where a token begins.
DERIVED = re.compile(r"otal_?[tT]okens?(Count)?$|\.index$|text_offset\[\d+\]$")


#: Stands for another value of the same sort.
OTHER = object()


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


def changed(value, way, by=OTHER):
    """Return a copy in which the leaf at the end of ``way`` has another value, or is not there."""
    copied = copy.copy(value)
    if way[1:]:
        copied[way[0]] = changed(value[way[0]], way[1:], by)
    elif by is OTHER:
        copied[way[0]] = other(value[way[0]])
    else:
        del copied[way[0]]
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
        refused = [loss for loss in error.losses if loss.severity is Severity.REFUSED]
        raise Refused([(loss.path, loss.kind, loss.detail) for loss in refused]) from None
    except diptych.FormatError as error:
        raise Refused([(error.path, "unreadable", str(error))]) from None
    return made


def silent(value, made, source, target, kind="request"):
    """Return the path of every leaf that neither the output nor a loss knows."""
    told = {loss.path for loss in made.losses} - {"$"}
    lost = []
    for (path, _), way in zip(leaves(value), places(value), strict=True):
        if not DERIVED.search(path) and not any(is_under(path, above) for above in told):
            others = (changed(value, way), changed(value, way, None))
            if _shown(made) == _shown(_tried(others[0], source, target, kind)):
                lost += [path] if any(_is_same(made, other, source, target, kind) for other in others) else []
    return lost


def _is_same(made, other, source, target, kind):
    """Tell whether another value that the SDK calls valid comes out as the same."""
    is_valid = source not in TYPES or not oracle(source, kind).fault(other)
    return is_valid and _shown(made) == _shown(_tried(other, source, target, kind))


def _tried(value, source, target, kind):
    try:
        return seen(value, source, target, kind)
    except Refused:
        return None  # it was looked at


def _shown(made):
    return made and (json.dumps(made.output, default=str), {loss.path for loss in made.losses} - {"$"})


def overbooked(value, made):
    """Return every loss of something gone that stands in the output still."""
    shown = json.dumps(made.output, default=str)
    once = collections.Counter(WORD.findall(json.dumps(value)))
    texts = [(path, leaf) for path, leaf in leaves(value) if isinstance(leaf, str)]
    words = {path: leaf for path, leaf in texts if (word := WORD.search(leaf)) and once[word[0]] == 1}
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


def unplaced(value, made, source):
    """Return every loss whose path is no place of the value; a change, or a link by order, may name an absent field."""
    around = {*objects(value)}
    known = around | {path for path, _ in leaves(value)}
    absent = {f"$.{row.path}" for row in getattr(get(source).api, "params", ())}
    return [
        (loss.path, loss.kind)
        for loss in above(made)
        if plain(loss.path) not in known
        and not (_may_be_absent(loss) and (plain(loss.path) in absent or _around(loss) in around))
    ]


def _may_be_absent(loss):
    return loss.severity is Severity.CHANGED or loss.kind == "tool-calls-dropped"


def _around(loss):
    return plain(loss.path).rpartition(".")[0]


def objects(value, path="$"):
    """Yield the path of every object and list."""
    if isinstance(value, dict | list):
        yield path
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from objects(item, f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}")


def disordered(value, made):
    """Return the words of the messages that stand in another order than their messages, where that is not reported."""
    listed = next((value[name] for name in TALK if isinstance(value.get(name), list)), [])
    shown = json.dumps(made.output, default=str)
    found = [at for message in listed if (at := _first(message, shown)) >= 0]
    is_told = any(loss.kind == "reordered" for loss in made.losses)
    return [] if is_told or found == sorted(found) else found


#: The fields of a request that hold its messages.
TALK = ("messages", "contents", "input")


def _first(message, shown):
    texts = (leaf for _, leaf in leaves(message) if isinstance(leaf, str) and leaf.startswith("word w"))
    return min((at.start() for leaf in texts if (at := re.search(rf"{leaf}(?!\d)", shown))), default=-1)


def above(made):
    """Return the losses that cost something; that the value breaks a rule of the server is none of the conversion."""
    return [loss for loss in made.losses if loss.severity > Severity.EXACT and loss.kind != "rule-breach"]


def is_identity(value, made):
    return made.output == value and not above(made)


def invalid(value, made, source, target, kind):
    """Return what the SDK says of an output that is called lossless, an empty text where it is valid."""
    if made.verdict != "lossless" or not isinstance(made.output, dict):
        return ""
    missing = REQUIRED[target] if kind == "request" and not {"model", "modelId"} & {*value} else {}
    if target == "anthropic" and kind == "request" and is_talk(value, source):
        missing = missing | {"max_tokens": 9}
    return oracle(target, kind).fault(missing | made.output)


#: What a body needs that its source may not have said: conversations alone, and Gemini's, name no model.
REQUIRED = {api: {"modelId" if api == "bedrock" else "model": "m"} for api in TYPES if api != "gemini"} | {"gemini": {}}


def is_talk(value, source):
    """Tell whether a request holds a conversation alone, which is not a whole body."""
    return get(source).wire.talk.issuperset(value)


def unbooked(value, made, source, target):
    """Return the breaches of the server's rules by an output, where none is reported."""
    rules = import_module(f"diptych.apis.{target}.rules").RULES
    if any(loss.kind == "rule-breach" for loss in made.losses) or not isinstance(made.output, dict):
        return []
    return [*rules.breaches(made.output, whole=not is_talk(value, source))]


def general(path):
    """Return a path without its numbers: what many findings have in common."""
    return re.sub(r"\[\d+\]", "[]", path)
