"""The ``response_template`` by which transformers 5 parses the replies of a chat template.

Rule: a field for the content, one for the reasoning, one for the calls; their marks are patterns whose
white space is free. Calls that none of its parsers reads are an error, never an approximation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from ..errors import FormatError
from ..sandbox.chat_template import ChatTemplate
from .reply_marks import HOLE, TOKEN, Calls, Keys, ReplyMarks, reply_marks

_NAME: Final = r"(?P<name>[\w.\-/:]+?)"


def response_template(template: ChatTemplate) -> dict[str, Any]:
    """Return the ``response_template`` by which transformers 5 parses replies of this chat template.

    Give the tools to its parser: they type arguments that are not JSON. Raises FormatError for calls
    that it has no parser for.

    >>> turns = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
    >>> found = response_template(ChatTemplate(turns + "{% if add_generation_prompt %}<assistant>{% endif %}"))
    >>> found["start_anchor_pattern"], sorted(found["fields"])
    ('</s><assistant>|<assistant>', ['content'])
    """
    marks = reply_marks(template)
    if marks is None:
        raise FormatError("the chat template writes no assistant message: it has no response template")
    opened, headers = marks.reasoning_open, list(marks.headers)
    if marks.reasoning_close and not opened:
        opened, headers = _opened_by_header(headers)
    over = [_pattern(marks.content_close)] if marks.content_close else []
    over += [f"(?:{_any(marks.ends)}).*"] if marks.ends else []  # nothing belongs to the reply after its end
    content: dict[str, Any] = {"content": "text", "repeats": True, "join": ""}
    content |= {"close_pattern": "|".join(over)} if over else {}
    fields: dict[str, Any] = {"content": content}
    if opened:
        close = _pattern(marks.reasoning_close)
        bare = f"|(?={close})" if marks.lead == marks.reasoning_close else ""
        fields["reasoning_content"] = {"open_pattern": _pattern(opened) + bare, "close_pattern": close}
    if marks.lead and marks.lead not in (marks.reasoning_close, opened):
        content["open_pattern"] = _pattern(marks.lead)
    if marks.calls:
        fields["tool_calls"] = _call_field(marks.calls, marks)
    anchor = "|".join(f"{re.escape(header)}" for header in headers)
    return {
        "version": 1,
        "defaults": {"role": "assistant"},
        "start_anchor_pattern": anchor,
        "fields": fields,
    }


def _opened_by_header(headers: list[str]) -> tuple[str, list[str]]:
    """Return the mark of reasoning that the generation prompt writes, and the headers without it."""
    found = [*TOKEN.finditer(headers[0].rstrip())]
    if not found or found[-1].end() != len(headers[0].rstrip()):
        raise FormatError("what opens the reasoning cannot be told from the header: no response template")
    mark = found[-1][0]
    return mark, [header[: header.rindex(mark)] for header in headers if mark in header]


def _any(texts: Sequence[str]) -> str:
    return "|".join(map(_pattern, sorted(texts, key=len, reverse=True)))


def _pattern(mark: str) -> str:
    """Return the pattern of a mark, its white space being free."""
    words = (r"[\w.\-/:]*?".join(map(re.escape, word.split(HOLE))) for word in mark.split())
    return r"\s*".join(words)


def _call_field(calls: Calls, marks: ReplyMarks) -> dict[str, Any]:
    section, open_ = _pattern(calls.section_open), _pattern(calls.open)
    section = f"(?:{section}|{_pattern(calls.bare)})" if calls.bare else section
    start = rf"(?:{section}\s*)?{open_}" if section and open_ else section or open_
    close = {"close_pattern": one} if (one := _call_close(calls, marks)) else {}
    if calls.lead:
        raise FormatError("what stands before a content that calls follow has no form in a response template")
    if calls.kind == "json":
        return _json_field(calls, start, close)
    if calls.kind == "name":
        function = {"name": "{name}", "arguments": "{content}"}
        opened = rf"{start}\s*{_NAME}\s*{_pattern(calls.middle)}\s*(?=\{{)"
        return _repeated(opened, close, "json", {}, function)
    assert calls.keys is not None
    return _keys_field(calls, calls.keys, start, close)


def _call_close(calls: Calls, marks: ReplyMarks) -> str:
    """Return the pattern of what ends a call: its own mark, and then perhaps that of the section."""
    section = _pattern(calls.section_close)
    own = [rf"{_pattern(calls.close)}(?:\s*{section})?"] if calls.close and section else []
    own = own or ([_pattern(calls.close)] if calls.close else [])
    own += [_any([one for one in (calls.sep, calls.section_close) if one])] if calls.sep or section else []
    own += [f"(?={_pattern(calls.open)})"] if calls.open and not (calls.close or calls.sep) else []
    return "|".join([*own, *([f"(?:{_any(marks.ends)}).*"] if marks.ends else [])])


def _repeated(opened: str, close: dict[str, str], content: str, args: dict[str, Any], function: Any) -> dict[str, Any]:
    transform = {"type": "function", "function": function}
    more = {"content_args": args} if args else {}
    return {"open_pattern": opened, **close, "content": content, **more, "repeats": True, "transform": transform}


def _json_field(calls: Calls, start: str, close: dict[str, str]) -> dict[str, Any]:
    if calls.name is None or not all(isinstance(step, str) for step in (*calls.name, *calls.arguments)):
        raise FormatError("calls whose name is a key of JSON have no form in a response template")
    name, arguments = ".".join(calls.name), ".".join(calls.arguments)
    if calls.is_list:
        transform = {"type": "function", "function": {"name": f"{{{name}}}", "arguments": f"{{{arguments}}}"}}
        field = {"open_pattern": start or r"(?=\[\s*\{)", **close, "content": "json"}
        return {**field, "transform": transform, "transform_each": True}
    function = {"name": f"{{content.{name}}}", "arguments": f"{{content.{arguments}}}"}
    last = "" if calls.open else calls.close or calls.sep
    following = rf"|(?<={_pattern(last)})\s*(?=\{{)" if last else ""
    return _repeated((start or rf'(?=\{{\s*"{calls.name[0]}")') + following, close, "json", {}, function)


def _keys_field(calls: Calls, keys: Keys, start: str, close: dict[str, str]) -> dict[str, Any]:
    if calls.middle.endswith("(") and keys.quotes == ('"', '"') and calls.section_open == "[":
        transform = {"type": "function", "function": {"name": "{name}", "arguments": "{arguments}"}}
        field = {"open_pattern": r"(?=\[\s*[\w.\-]+\()", "close_pattern": r"(?<=\)\s*\])"}
        return {**field, "content": "python-call-list", "transform": transform, "transform_each": True}
    function = {"name": "{name}", "arguments": "{content}"}
    if calls.middle.endswith("{") and calls.close.startswith("}"):
        opened = rf"{start}\s*{_NAME}\s*{_pattern(calls.middle[:-1])}(?=\{{)"
        args = {"unquoted_keys": True, "string_delims": [list(keys.quotes)]}
        section = rf"(?:\s*{_pattern(calls.section_close)})?" if calls.section_close else ""
        return _repeated(opened, {"close_pattern": _pattern(calls.close[1:]) + section}, "json", args, function)
    if not keys.close.strip() or keys.quotes[0]:
        raise FormatError("calls with arguments in quotes of their own have no form in a response template")
    after = _pattern(calls.middle) or r"(?=[<\n])"
    between, ending = keys.between.strip(), keys.close.strip()
    tag = rf"{_pattern(keys.open)}(?P<key>[^<>\n\"]+?){_pattern(between)}"
    blank, last = keys.between[len(keys.between.rstrip()) :], keys.close[: len(keys.close) - len(keys.close.lstrip())]
    value = rf"(?:{re.escape(blank)})?(?P<value>.*?)(?:{re.escape(last)})?{_pattern(ending)}"
    return _repeated(rf"{start}\s*{_NAME}\s*{after}", close, "xml-inline", {"tag_pattern": tag + value}, function)
