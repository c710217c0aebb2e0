"""How a model writes one reply, found by rendering its chat template.

Rule: no family is known. An assistant message is rendered with and without reasoning, content and
tool calls, with sentinels for everything that varies; the bytes between them are the marks. Three
kinds of calls come out of it: a JSON value that holds name and arguments (``json``), a name and
arguments as JSON (``name``), and a name and one marked text per argument (``keys``). What varies
with the number or the id of a call becomes a hole. Marks are kept without their outer white space,
since models are not exact about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from ..errors import DiptychError
from ..sandbox.chat_template import ChatTemplate
from .derived import reasoning_field, sentinel

NAMES: Final = ("zqfna", "zqfnb")
KEYS: Final = ("zqka", "zqkb")
IDS: Final = ("zqcall00a", "zqcall00b")
_USER, _SAID, _THOUGHT = sentinel(1), sentinel(2), sentinel(3)
TEXTS: Final = ("zqva", "zqvb")
_NUMBER: Final = 31337
_TOOLS: Final = [
    {"type": "function", "function": {"name": name, "description": "d", "parameters": {
        "type": "object", "properties": {key: {"type": "string"} for key in KEYS}, "required": [KEYS[0]]}}}
    for name in NAMES
]  # fmt: skip
#: Stands in a mark for what varies with the call.
HOLE: Final = "\ue103"
Path = tuple[Any, ...]


@dataclass(frozen=True)
class Keys:
    """Arguments of a call as one marked text each: ``open`` key ``between`` value ``close``.

    ``quotes`` stand around the value where it is a text and not around others; ``sep`` stands between two.
    """

    open: str
    between: str
    close: str
    sep: str
    quotes: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Calls:
    """How tool calls are written: a section of calls, each opened and closed.

    ``bare`` opens the section where nothing precedes it, if that is not ``section_open``; ``lead`` stands
    before a content that calls follow; ``is_first``: calls stand before the content. ``kind`` is ``json``
    (``name`` and ``arguments`` are paths into the value; ``name`` is None where the name is the key of
    the arguments; ``is_list``: all calls are one list), ``name`` or ``keys`` (``middle`` stands between
    the name and the arguments). ``id`` is the path of the call's id in a JSON value.
    """

    section_open: str
    open: str
    close: str
    sep: str
    section_close: str
    kind: str
    middle: str = ""
    name: Path | None = None
    arguments: Path = ()
    id: Path | None = None
    is_list: bool = False
    keys: Keys | None = None
    bare: str = ""
    lead: str = ""
    is_first: bool = False


@dataclass(frozen=True)
class ReplyMarks:
    """What stands around the parts of a reply.

    ``headers`` end what precedes it, ``ends`` close it; ``trailing`` is what the template writes after that;
    ``blanks`` are the white space that it writes before and after a content.
    """

    headers: tuple[str, ...]
    ends: tuple[str, ...]
    lead: str = ""
    content_close: str = ""
    reasoning_open: str = ""
    reasoning_close: str = ""
    calls: Calls | None = None
    trailing: str = ""
    blanks: tuple[str, str] = ("", "")


class Probe:
    """Renders assistant messages after one user message."""

    def __init__(self, template: ChatTemplate) -> None:
        self.template, self.field = template, reasoning_field(template, {})
        self.before = self.render([], asks=True)

    def render(self, more: list[dict[str, Any]], *, asks: bool = False) -> str | None:
        """Return what stands after the user's text, None where the template refuses the messages."""
        messages = [{"role": "user", "content": _USER}, *more]
        for tools in (_TOOLS, None):
            try:
                text = self.template.render(messages, tools=tools, add_generation_prompt=asks)
            except DiptychError:
                continue
            return text.rpartition(_USER)[2] if _USER in text else None
        return None

    def said(self, content: str = "", calls: Any = (), thought: str = "") -> str | None:
        """Return the rendering of one assistant message."""
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if thought and self.field:
            message[self.field] = thought
        if calls:
            message["tool_calls"] = [
                {"id": IDS[i], "type": "function", "function": {"name": name, "arguments": arguments}}
                for i, (name, arguments) in enumerate(calls)
            ]
        return self.render([message])


@lru_cache(maxsize=64)
def reply_marks(template: ChatTemplate) -> ReplyMarks | None:
    """Return the marks of a template's replies, None where it writes no assistant message.

    >>> reply_marks(ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}")).ends
    ('</s>',)
    """
    probe = Probe(template)
    plain = probe.said(_SAID)
    if plain is None or _SAID not in plain:
        return None
    before, _, last = plain.partition(_SAID)
    after, following = _closing(probe, last)
    thought = probe.said(_SAID, thought=_THOUGHT) if probe.field else None
    thought = thought if thought and _THOUGHT in thought and _SAID in thought else None
    one = _called(probe, 1)
    starts = [before, thought and thought.partition(_THOUGHT)[0], one and one.partition(NAMES[0])[0], probe.before]
    header = _common([start for start in starts if start])
    inner, opened, closed = before[len(header) :], "", ""
    blanks = inner[len(inner.rstrip()) :], after[: len(after) - len(after.lstrip())]
    if thought:
        opened, _, rest = thought[len(header) :].partition(_THOUGHT)
        closed = rest.partition(_SAID)[0]
        opened, closed, inner = _thinking(opened.strip(), closed.strip(), inner.strip())
    beside = _beside(probe) if one else ""
    is_first = NAMES[0] in beside.partition(_SAID)[0]
    content_close = "" if is_first else _common([after, beside.partition(_SAID)[2]]).strip()
    end = after.strip().removeprefix(content_close).strip()
    following = () if end or content_close else following
    calls = _calls(probe, header, content_close, end) if one else None
    if calls is not None and one is not None:
        said = "" if is_first else beside[len(header) :].partition(_SAID)[0]
        said = (said.rpartition(closed)[2] if closed else said).strip().removeprefix(opened).strip()
        calls = _surrounded(calls, one[len(header) :], "" if said == inner.strip() else said, is_first)
    ends = tuple(dict.fromkeys(filter(None, (end, *following, template.special.get("eos_token")))))
    marks = (_headers(probe, header), ends, inner.strip(), content_close, opened, closed, calls)
    return ReplyMarks(*marks, trailing=last[len(after) :].strip(), blanks=blanks)


def _surrounded(calls: Calls, bare: str, lead: str, is_first: bool) -> Calls:
    """Return calls with what stands before a section without content, and before a content with calls."""
    before = bare.partition(NAMES[0])[0].strip()
    holds = calls.section_open in before if calls.section_open else True
    more = "" if holds or calls.kind == "json" else before.removesuffix(calls.open).strip()
    return replace(calls, bare=more, lead=lead, is_first=is_first)


def _closing(probe: Probe, last: str) -> tuple[str, tuple[str, ...]]:
    """Return what closes a content, whether more follows or not, and the mark of the turn that follows."""
    more = [{"role": "assistant", "content": _SAID}, {"role": "user", "content": sentinel(4)}]
    text = (probe.render(more) or "").partition(_SAID)[2].partition(sentinel(4))[0]
    common = _common([last, text])
    follows = _ATOM.match(text.strip())
    marks = (follows[0],) if follows and len(follows[0]) > 2 else ()
    return (common if common.strip() or text else last), marks


def _thinking(opened: str, closed: str, inner: str) -> tuple[str, str, str]:
    """Return the marks around reasoning, and what stands before a content without it."""
    if inner and closed.endswith(inner):  # the channel of a content is opened after that of reasoning
        return opened, closed.removesuffix(inner).strip() or closed, inner
    before, found, after = inner.partition(closed)
    return (opened, closed, after) if found and before.strip() == opened else (opened, closed, inner)


def _headers(probe: Probe, header: str) -> tuple[str, ...]:
    """Return what a prefix may end with before a reply, the longest first: after a user, after a tool."""
    closed = _common([header, probe.render([], asks=False) or ""])
    found = [header, header[len(closed) :], header.lstrip()]
    return tuple(dict.fromkeys(one for one in found if one.strip()))


def _beside(probe: Probe) -> str:
    return probe.said(_SAID, [(NAMES[0], {KEYS[0]: TEXTS[0]})]) or ""


# calls ----------------------------------------------------------------------------------------


def _called(probe: Probe, count: int, arguments: Mapping[str, Any] | None = None) -> str | None:
    """Return the rendering of tool calls, None where it does not show them."""
    given = {KEYS[0]: TEXTS[0]} if arguments is None else arguments
    text = probe.said("", [(NAMES[i], given) for i in range(count)])
    shown = [*NAMES[:count], *map(str, given)]
    return text if text and all(one in text for one in shown) else None


def _calls(probe: Probe, header: str, content_close: str, end: str) -> Calls | None:
    """Return how calls are written, from a call beside a content and two calls."""
    one, two = _called(probe, 1), _called(probe, 2)
    if one is None:
        return None
    text, single = one[len(header) :], _json_call(one[len(header) :])
    if single is None:
        return _named(probe, header, content_close, end)
    start, stop, shape = single
    text = one[len(header) :]
    said = _after(_beside(probe).partition(_SAID)[2], content_close)
    found = _json_call(said)
    section, close = (said[: found[0]], said[found[1] :]) if found else (text[:start], text[stop:])
    close = _without(close, end)
    if shape["is_list"] or two is None:
        return Calls(section.strip(), "", "", "", close.strip(), "json", **shape)
    rest = two[len(header) :]
    first = _json_call(rest)
    second = _json_call(rest[first[1] :], NAMES[1]) if first else None
    if first is None or second is None:
        return Calls(section.strip(), "", close.strip(), "", "", "json", **shape)
    between, tail = rest[first[1] :][: second[0]], _without(rest[first[1] + second[1] :], end)
    return _sectioned(section, between, tail, "json", **shape)


def _sectioned(before: str, between: str, after: str, kind: str, **more: Any) -> Calls:
    """Return calls from what stands before the first, between two, and after the last."""
    opened = _common([before, between], backwards=True)
    closed = _common([between[: len(between) - len(opened)], after])
    sep = between[len(closed) : len(between) - len(opened)]
    section = before[: len(before) - len(opened)]
    last = after[len(closed) :].strip()
    return Calls(section.strip(), opened.strip(), closed.strip(), sep.strip(), last, kind, **more)


#: A tag or control token, a word in square brackets: what is never cut in two.
TOKEN: Final = re.compile(r"<[^<>\n]*>|\[/?[A-Z_]+\]")
_ATOM: Final = re.compile(TOKEN.pattern + "|.", re.DOTALL)


def _common(texts: list[str], *, backwards: bool = False) -> str:
    """Return the longest common beginning (or end) of texts that ends (begins) between two tokens."""
    order = -1 if backwards else 1
    found: list[str] = []
    for pieces in zip(*(_ATOM.findall(text)[::order] for text in texts), strict=False):
        if len(set(pieces)) > 1:
            break
        found.append(pieces[0])
    return "".join(found[::order])


def _after(text: str, mark: str) -> str:
    """Return what stands after a mark, if it stands first."""
    return text.lstrip()[len(mark) :] if mark and text.lstrip().startswith(mark) else text


def _without(text: str, end: str) -> str:
    """Return what stands before the end of the reply."""
    at = text.rfind(end) if end else -1
    return text[:at] if at >= 0 else text


def _json_call(text: str, name: str = NAMES[0]) -> tuple[int, int, dict[str, Any]] | None:
    """Return where the JSON value stands that holds a call, and where name, arguments and id are in it."""
    at = text.find(name)
    for found in re.finditer(r"[{\[]", text[: max(at, 0)]):
        try:
            value, stop = json.JSONDecoder().raw_decode(text, found.start())
        except ValueError:
            continue
        item = value[0] if isinstance(value, list) and value else value
        if stop > at and isinstance(item, dict) and (shape := _shape(item, name)):
            return found.start(), stop, {**shape, "is_list": isinstance(value, list)}
    return None


def _shape(item: dict[str, Any], name: str) -> dict[str, Any] | None:
    arguments = next(_paths(item, {KEYS[0]: TEXTS[0]}), None)
    if arguments is None:
        return None
    named = next(_paths(item, name), None)
    by_key = named is None and arguments[-1:] == (name,)
    if named is None and not by_key:
        return None
    return {"name": named, "arguments": arguments[:-1] if by_key else arguments, "id": _id_path(item)}


def _id_path(item: dict[str, Any]) -> Path | None:
    return next((path for one in IDS for path in _paths(item, one)), None)


def _paths(value: Any, wanted: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths at which a JSON value holds another."""
    if value == wanted or (isinstance(wanted, dict) and isinstance(value, str) and _decoded(value) == wanted):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, wanted, (*path, key))


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _named(probe: Probe, header: str, content_close: str, end: str) -> Calls | None:
    """Return how calls are written whose name stands outside of any JSON."""
    one, two = _called(probe, 1), _called(probe, 2)
    assert one is not None
    said = _after(_beside(probe).partition(_SAID)[2], content_close)
    text = said if NAMES[0] in said else one[len(header) :]
    at = text.find(NAMES[0])
    before, rest = text[:at], text[at + len(NAMES[0]) :]
    opening = re.search(r"\{", rest)
    dumped = None
    if opening and (value := _raw(rest, opening.start())) and value[0] == {KEYS[0]: TEXTS[0]}:
        dumped = (opening.start(), value[1])
    named: dict[str, Any] = {"kind": "name", "middle": _holed(rest[: dumped[0]])} if dumped else {}
    shape = named or _keyed(probe, rest, end)
    if shape is None:
        return None
    tail = rest[dumped[1] :] if dumped else shape.pop("tail")
    if two is None:
        return Calls(before.strip(), "", _without(tail, end).strip(), "", "", **shape)
    both = two[len(header) :]
    after = both[both.find(NAMES[0]) :]
    stop = after.find(NAMES[1])
    inner, last = after[:stop], after[stop + len(NAMES[1]) :]
    tail_one, tail_two = (_tail(piece, shape) for piece in (inner, last))
    return _sectioned(_holed(before), _holed(tail_one), _holed(_without(tail_two, end)), **shape)


def _raw(text: str, at: int) -> tuple[Any, int] | None:
    try:
        return json.JSONDecoder().raw_decode(text, at)
    except ValueError:
        return None


def _tail(text: str, shape: dict[str, Any]) -> str:
    """Return what stands after the arguments of a call."""
    if shape["kind"] == "name":
        at = text.find("{")
        found = _raw(text, at) if at >= 0 else None
        return text[found[1] :] if found else ""
    keys: Keys = shape["keys"]
    return text.rpartition(TEXTS[0])[2].removeprefix(keys.quotes[1]).removeprefix(keys.close)


def _keyed(probe: Probe, rest: str, end: str) -> dict[str, Any] | None:
    """Return how arguments are written one by one, from two texts and from a number."""
    texts = _called(probe, 1, dict(zip(KEYS, TEXTS, strict=True)))
    number = _called(probe, 1, {KEYS[0]: _NUMBER})
    if texts is None or TEXTS[0] not in rest or not all(value in texts for value in TEXTS):
        return None
    middle, _, after = rest.partition(KEYS[0])
    between, _, tail = after.partition(TEXTS[0])
    sep = texts.partition(TEXTS[0])[2].partition(KEYS[1])[0]
    second = texts.rpartition(KEYS[1])[2].partition(TEXTS[1])[0]
    quotes = ("", "")
    if number and str(_NUMBER) in number and number.rpartition(KEYS[0])[2]:
        bare, _, bare_tail = number.rpartition(KEYS[0])[2].partition(str(_NUMBER))
        if second.startswith(bare) and bare != second:
            quotes = (second[len(bare) :], tail[: len(tail) - len(bare_tail)] if tail.endswith(bare_tail) else "")
            between = bare
        elif bare != second:
            first, last = _common([bare, second]), _common([bare, second], backwards=True)
            between = first + HOLE + last
    tail, sep = tail[len(quotes[1]) :], sep[len(quotes[1]) :]
    opened = _common([middle, sep], backwards=True)
    closed = _common([sep[: len(sep) - len(opened)], _without(tail, end)])
    joint = sep[len(closed) : len(sep) - len(opened)]
    keys = Keys(opened.strip(), between, closed, joint.strip(), quotes)
    middle = _holed(middle[: len(middle) - len(opened)])
    return {"kind": "keys", "middle": middle.strip(), "keys": keys, "tail": tail.removeprefix(keys.close)}


def _holed(text: str) -> str:
    """Return a mark with holes for ids, names and numbers of calls."""
    for one in (*IDS, *NAMES):
        text = text.replace(one, HOLE)
    return re.sub(r"(?<![\w.])\d{1,2}(?![\w.])", HOLE, text)
