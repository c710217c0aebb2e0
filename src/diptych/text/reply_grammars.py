"""A chat template's replies as grammars, for servers that hold a model to them.

Rule: everything comes from ``reply_marks`` and from renderings of calls. Two forms: a GBNF grammar
(llama.cpp), and a structural tag (xgrammar, as vLLM and SGLang take it). What a form cannot express is
an error, never an approximation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import FormatError
from ..sandbox.chat_template import ChatTemplate
from .reply_marks import HOLE, IDS, KEYS, NAMES, TEXTS, TOKEN, Calls, Keys, Probe, ReplyMarks, reply_marks
from .reply_schemas import JSON_RULES, literal, schema_rule, without


def known(template: ChatTemplate, form: str) -> tuple[ReplyMarks, Calls]:
    """Return the marks of replies and of calls. Raises FormatError where a template writes no calls."""
    marks = reply_marks(template)
    if marks is None or marks.calls is None:
        raise FormatError(f"the chat template writes no tool calls: there is nothing to export as {form}")
    return marks, marks.calls


# frames: what stands around the arguments of each tool -------------------------------------------


@dataclass(frozen=True)
class Frames:
    """What a template writes around the arguments of calls: before the first, between two, after the last.

    The names of the two probe tools stand for those of real ones; ids and numbers of calls are holes.
    ``keys`` is None where the arguments are one JSON object; ``is_python``: lists and objects among the
    arguments are written as Python does.
    """

    before: str
    between: str | None
    after: str
    keys: Keys | None = None
    key_sep: str = ""
    is_python: bool = False

    def opened(self, name: str) -> str:
        """Return what opens a call of this tool."""
        return self.before.replace(NAMES[0], name)

    def joined(self, name: str, following: str) -> str | None:
        """Return what stands between two calls, None where the template writes one alone."""
        return None if self.between is None else self.between.replace(NAMES[0], name).replace(NAMES[1], following)

    def closed(self, name: str) -> str:
        """Return what closes the last call."""
        return self.after.replace(NAMES[0], name)


def frames(template: ChatTemplate, form: str) -> Frames:
    """Return what a template writes around calls. Raises FormatError where it cannot be told."""
    marks, calls = known(template, form)
    one, two = (_called(template, marks, count) for count in (1, 2))
    cut = _cut_keys if calls.kind == "keys" else _cut_json
    single, pair = cut(one, 1), cut(two, 2) if two else None
    if single is None:
        raise FormatError(f"the arguments of a call cannot be told from what is around them: no {form}")
    between = _holed(pair[1]) if pair and NAMES[1] in two else None
    found = Frames(_holed(single[0]), between, _holed(single[-1]))
    if calls.keys is None:
        return found
    text = _called(template, marks, 1, dict(zip(KEYS, TEXTS, strict=True)))
    python = "'zq'" in _called(template, marks, 1, {KEYS[0]: {"zq": 1}})
    closed = calls.keys.quotes[1]
    sep = text.partition(TEXTS[0])[2].partition(KEYS[1])[0].removeprefix(closed)
    after, inner = found.after.removeprefix(closed), found.between and found.between.removeprefix(closed)
    return replace(found, keys=calls.keys, key_sep=sep, is_python=python, after=after, between=inner)


def _called(template: ChatTemplate, marks: ReplyMarks, count: int, given: dict[str, Any] | None = None) -> str:
    """Return what a template writes for calls, between the header and the end of the reply."""
    arguments = {KEYS[0]: TEXTS[0]} if given is None else given
    text = Probe(template).said("", [(name, arguments) for name in NAMES[:count]]) or ""
    header = next((one for one in marks.headers if one in text), "")
    text = text.partition(header)[2] if header else text
    for mark in (marks.reasoning_close, marks.lead, marks.content_close):
        text = text.partition(mark)[2] if mark and text.lstrip().startswith(mark) else text
    text = text.rpartition(marks.reasoning_close)[2] if marks.reasoning_close else text
    ends = [at for end in marks.ends if end and (at := text.find(end)) >= 0]
    return text[: min(ends, default=len(text))].strip()


def _cut_json(text: str, count: int) -> list[str] | None:
    """Return what stands around the JSON objects of the arguments."""
    pieces, last = [], 0
    for found in re.finditer(r"\{", text):
        if found.start() < last:
            continue
        try:
            value, end = json.JSONDecoder().raw_decode(text, found.start())
        except ValueError:
            continue
        if value == {KEYS[0]: TEXTS[0]}:
            pieces.append(text[last : found.start()])
            last = end
    return [*pieces, text[last:]] if len(pieces) == count else None


def _cut_keys(text: str, count: int) -> list[str] | None:
    """Return what stands around the arguments: from a first key to the value."""
    pieces = re.split(rf"{KEYS[0]}.*?{TEXTS[0]}", text, flags=re.DOTALL)
    return pieces if len(pieces) == count + 1 else None


def _holed(text: str) -> str:
    for one in IDS:
        text = text.replace(one, HOLE)
    return re.sub(r"(?<![\w.])\d{1,2}(?![\w.])", HOLE, text)


# GBNF -----------------------------------------------------------------------------------------


def gbnf(template: ChatTemplate, tools: Sequence[Mapping[str, Any]], *, required: bool = False) -> str:
    """Return a GBNF grammar of the replies: reasoning, a text, and calls of these tools.

    ``required`` allows calls alone. The grammar begins where the model does: after the prompt with its
    generation prompt, which may have opened the reasoning. Raises FormatError where it cannot be derived.

    >>> source = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% for c in m.tool_calls or [] %}"
    >>> source += '<c>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</c>'
    >>> template = ChatTemplate(source + "{% endfor %}<|end|>{% endfor %}")
    >>> print(gbnf(template, [{"name": "f", "parameters": {"type": "object"}}], required=True).splitlines()[0])
    root ::= ws calls ws
    """
    marks, calls = known(template, "GBNF")
    found = frames(template, "GBNF")
    rules = _call_rules(found, _functions(tools, "GBNF"))
    rules["text"] = without(_triggers(found, tools))
    thought = ""
    if marks.reasoning_close:
        opened = f"{literal(marks.reasoning_open)} " if marks.reasoning_open else ""
        optional = "?" if marks.reasoning_open else ""  # elsewhere the prompt has opened it already
        thought = f"(ws ({opened}){optional} thought {literal(marks.reasoning_close)})? " if opened else ""
        thought = thought or f"(thought {literal(marks.reasoning_close)})? "
        rules["thought"] = without([marks.reasoning_close])
    leads = " | ".join(literal(one) for one in dict.fromkeys((marks.lead, calls.lead)) if one)
    lead = f"(ws ({leads}))? " if leads else ""
    close = f" ({literal(marks.content_close)} ws)?" if marks.content_close else ""
    said = f"{lead}text{close}"
    free = f"(ws calls ws text | {said} (calls ws)?)" if calls.is_first else f"{said} (calls ws)?"
    root = f"{thought}ws calls ws" if required else f"{thought}{free}"
    return _grammar({"root": root, **rules}, is_python=found.keys is not None)


def _grammar(rules: Mapping[str, str], *, is_python: bool) -> str:
    lines = {**rules, "ws": r"[ \t\n]*", "id": "[a-zA-Z0-9_.-]+", **JSON_RULES}
    if is_python:
        lines["boolean"] += ' | "True" | "False"'
        lines["null"] += ' | "None"'
    return "".join(f"{name} ::= {body}\n" for name, body in lines.items())


def _functions(tools: Sequence[Mapping[str, Any]], form: str) -> list[Mapping[str, Any]]:
    if not tools:
        raise FormatError(f"without tools there is nothing to export as {form}", path="$.tools")
    return [tool.get("function", tool) for tool in tools]


def _call_rules(found: Frames, tools: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the rules of a row of calls: after each, its end or what stands before the next."""
    rules: dict[str, str] = {}
    for index, tool in enumerate(tools):
        schema = tool.get("parameters") or {"type": "object"}
        rules[f"args-{index}"] = _arguments(found, schema, f"a{index}", rules)
        tails = [_hole_literal(found.closed(tool["name"]))]
        for number, other in enumerate(tools):
            joint = found.joined(tool["name"], other["name"])
            tails += [] if joint is None else [f"{_hole_literal(joint)} args-{number} tail-{number}"]
        rules[f"tail-{index}"] = " | ".join(tails)
    opens = (f"{_hole_literal(found.opened(tool['name']))} args-{i} tail-{i}" for i, tool in enumerate(tools))
    return {"calls": " | ".join(opens), **rules}


def _hole_literal(text: str) -> str:
    return " id ".join(literal(piece) for piece in text.split(HOLE))


def _arguments(found: Frames, schema: Mapping[str, Any], name: str, rules: dict[str, str]) -> str:
    """Return the rule of the arguments of a call."""
    if found.keys is None:
        return schema_rule(schema, name, rules)
    pairs = []
    for index, (key, inner) in enumerate((schema.get("properties") or {}).items()):
        rules[f"{name}-{index}"] = _key_value(found, inner, f"{name}-{index}v", rules)
        pairs.append(f"{_hole_literal(key + found.keys.between)} {name}-{index}")
    pair = f"({' | '.join(pairs)})" if pairs else '""'
    return f"{pair} ({literal(found.key_sep)} {pair})*"


def _key_value(found: Frames, schema: Any, name: str, rules: dict[str, str]) -> str:
    """Return the rule of one argument's value: a text as it stands, or JSON."""
    assert found.keys is not None
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    opened, closed = found.keys.quotes
    text = without([_token((closed or found.keys.close or found.key_sep or found.after).strip())])
    if kind in ("string", None) and "enum" not in (schema or {}):
        return "string" if opened == '"' else f"{literal(opened)} {text} {literal(closed)}" if opened else text
    is_free = kind in ("object", "array") and (found.is_python or (opened and opened != '"'))
    return text if is_free else schema_rule(schema, name, rules)


def _triggers(found: Frames, tools: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the marks that calls begin with."""
    return sorted({_token(found.opened(tool["name"])) for tool in _functions(tools, "tags")})


def _token(text: str) -> str:
    """Return the mark that a text begins with, whole where it is a control token."""
    token = TOKEN.match(text)
    return token[0] if token else text.partition(HOLE)[0][:8]


# structural tags --------------------------------------------------------------------------------


def structural_tag(
    template: ChatTemplate, tools: Sequence[Mapping[str, Any]], *, required: bool = False
) -> dict[str, Any]:
    """Return the structural tag of xgrammar that lets a model call these tools as its template writes calls.

    Each call is a tag of its own. Raises FormatError where a call's marks vary (ids, numbers) or cannot
    be derived.
    """
    found = frames(template, "structural tag")
    if HOLE in found.before + found.after:
        raise FormatError("calls hold an id or a number of their own: no structural tag")
    tags = []
    for tool in _functions(tools, "structural tag"):
        schema = tool.get("parameters") or {"type": "object"}
        content: dict[str, Any] = {"type": "json_schema", "json_schema": dict(schema)}
        if found.keys is not None:
            rules: dict[str, str] = {}
            root = _arguments(found, schema, "a", rules)
            content = {"type": "grammar", "grammar": _grammar({"root": root, **rules}, is_python=True)}
        ends = {"begin": found.opened(tool["name"]), "end": found.closed(tool["name"])}
        tags.append({"type": "tag", "content": content, **ends})
    inner = {"type": "triggered_tags", "triggers": _triggers(found, tools), "tags": tags, "at_least_one": required}
    return {"type": "structural_tag", "format": {**inner, "stop_after_first": False}}
