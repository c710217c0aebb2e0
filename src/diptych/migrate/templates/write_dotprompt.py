"""A Diptych template as a dotprompt file; proved by reading it back.

Rule: the body is written so that Handlebars takes no white space away that Diptych keeps. What its
tags cannot say (:mod:`.handlebars_written`) is refused with its line.

====================================  =====================================================
``{% system %}`` …                    ``{{role "system"}}`` …; assistant is ``model``
no message                            the text, which is one of the user
``{% history h %}``                   ``{{history}}``: its messages come beside the inputs
``{% image x %}``                     ``{{media url=x}}``
``{% if %}``, ``{% for %}``           ``{{#if}}``, ``{{#each}}``, around messages, too
``inputs``                            ``input.schema`` as JSON Schema, and ``input.default``
``params``                            ``config``; ``max_tokens`` is ``maxOutputTokens``
``response_format``                   ``output.schema``, or ``output.format: json``
``tools``                             ``toolDefs``
a participant's name, ``strict``      lost
``{% set %}``, macros, other filters  refused
====================================  =====================================================

Data that holds dotprompt's own marks can make a role there, which it cannot here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import jinja2
import yaml
from jinja2 import nodes

from ...templating.frontmatter import split
from ...templating.template import Template
from . import dotprompt
from .draft import Draft
from .handlebars_written import Expressions, text_of
from .jinja import pieces_of
from .model import TemplateMigration
from .pieces import Piece
from .written_back import FIELD, HISTORY, MESSAGE, MESSAGE_END, prove_back, thawed

_MEDIA: Final = re.compile(r"\{%[-+]?\s*image\s+(.*?)\s*[-+]?%\}", re.DOTALL)
_CONFIG: Final = {
    "top_p": "topP", "stop": "stopSequences", "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "frequency_penalty": "frequencyPenalty", "presence_penalty": "presencePenalty",
}  # fmt: skip
_ROLES: Final = {"system": "system", "user": "user", "assistant": "model", "developer": "system"}


def to_dotprompt(template: Template, *, name: str = "prompt") -> TemplateMigration:
    """Return a template as a dotprompt file.

    Raises MigrationError for what Handlebars cannot say, with its line.

    >>> t = Template.from_string("{% system %}Brief.{% endsystem %}{% user %}Hi {{ name }}{% enduser %}")
    >>> print(to_dotprompt(t).source)
    {{role "system"}}Brief.{{role "user"}}Hi {{name}}
    """
    draft = Draft(name)
    body = _Body(template, draft)
    text = body.write()
    meta = _front(template, body.histories, draft)
    known = ("name", "description", "model", "params", "inputs", "response_format", "tools", "trim")
    draft.drop(template.metadata, known)
    if meta:
        if text != text.strip():
            draft.lose("$.messages", "trimmed", "dotprompt takes white space off the ends of the body")
        front = yaml.safe_dump(meta, sort_keys=False, allow_unicode=True, width=1000)
        text = f"---\n{front}---\n{text}\n"
    elif text.startswith("---"):
        raise draft.refuse("the text begins as front matter does", hint="describe the template, or declare its inputs")
    prove_back(template, text, f"{name}.prompt", dotprompt.LAYOUT, draft, dict.fromkeys(body.histories, "history"))
    return TemplateMigration(text, "dotprompt", tuple(draft.losses), name)


# the body --------------------------------------------------------------------------------------


class _Body:
    """Writes the pieces of a body, tag by tag."""

    def __init__(self, template: Template, draft: Draft) -> None:
        self._template = template
        self._draft = draft
        self._say = Expressions({name: item.schema for name, item in template.inputs.items()}, draft)
        self._out: list[tuple[bool, str]] = []
        self._blocks: list[str] = []
        self._parser = jinja2.Environment(autoescape=False)  # noqa: S701 - it only parses
        self.histories: list[str] = []

    def write(self) -> str:
        """Return the body. Raises MigrationError."""
        parts = split(self._template.source, self._template.file)
        line = self._template.source.count("\n", 0, len(self._template.source) - len(parts.body)) + 1
        pieces = pieces_of(parts.body.replace("\r\n", "\n"), self._draft, line, trim=parts.trim)
        is_chat = any(piece.kind not in ("text", "print") and _is_message(piece.value) for piece in pieces)
        is_inside, begin = not is_chat, 0
        for index, piece in enumerate(pieces):
            self._say.line = piece.line
            if piece.kind == "text":
                if is_inside:
                    self._text(_at_ends(piece.value, pieces, index) if is_chat else piece.value)
                continue
            if piece.kind != "print" and (found := MESSAGE.fullmatch(piece.value)):
                self._tag(self._role(found))
                is_inside, begin = True, len(self._out)
            elif piece.kind != "print" and MESSAGE_END.fullmatch(piece.value):
                is_inside = False
                if _keeps_breaks(self._out[begin:]) or _keeps_breaks(self._out[begin:], is_end=True):
                    self._draft.lose(
                        "$.messages", "substituted", "a line break of a block at the end of a message stays"
                    )
            else:
                self._piece(piece)
        return _joined(self._out)

    def _text(self, value: str) -> None:
        if self._out and not self._out[-1][0]:
            value = self._out.pop()[1] + value
        if "\\{{" in value:
            raise self._say.refused("a backslash before two braces")
        self._out.append((False, value))

    def _tag(self, value: str) -> None:
        self._out.append((True, value))

    def _role(self, found: re.Match[str]) -> str:
        fields = {key: double or single or number for key, double, single, number in FIELD.findall(found[2])}
        role = fields.pop("role", None) or ("" if found[1] in ("message", "chat") else found[1])
        if role not in _ROLES:
            raise self._say.refused(f"a message of the role {role or 'that data decides'!r}")
        if role == "developer":
            self._draft.lose("$.messages", "role-changed", "developer: dotprompt has system, user and model")
        for field in fields:
            kind = "name-dropped" if field == "name" else "field-dropped"
            self._draft.lose("$.messages", kind, f"{field} of a message")
        return f'{{{{role "{_ROLES[role]}"}}}}'

    def _piece(self, piece: Piece) -> None:
        if piece.value.startswith("{#"):
            return
        if piece.kind == "print":
            found = self._parsed(piece.value).find(nodes.Output)
            assert found is not None
            for node in found.nodes:
                text = getattr(node, "data", getattr(node, "value", None))
                self._text(text) if isinstance(text, str) else self._tag(self._say.printed(node))
        elif history := HISTORY.fullmatch(piece.value):
            if self.histories or self._blocks:
                raise self._say.refused("a second history, or one in a block,")
            self.histories.append(history[1])
            self._tag("{{history}}")
            if history[1] != "history":
                self._draft.lose(f"$.inputs.{history[1]}", "renamed", "its messages come beside the inputs")
        elif media := _MEDIA.fullmatch(piece.value):
            self._tag(f"{{{{media url={self._address(media[1])}}}}}")
        else:
            self._block(piece)

    def _address(self, written: str) -> str:
        """Return where a picture is, as a path or a text. Raises MigrationError for options."""
        if re.search(r"\w\s*=[^=]", written):
            raise self._say.refused("an option of a picture")
        found = self._parsed(f"{{{{ {written} }}}}").find(nodes.Output)
        node = found.nodes[0] if found is not None else nodes.Const(None)
        text = getattr(node, "data", getattr(node, "value", None))
        return f'"{text}"' if isinstance(text, str) else self._say.path(node).written

    def _parsed(self, source: str) -> nodes.Template:
        try:
            return self._parser.parse(source)
        except jinja2.TemplateSyntaxError:
            raise self._say.refused(source[:40]) from None

    def _block(self, piece: Piece) -> None:
        word = (re.match(r"\{%[-+]?\s*(\w+)", piece.value) or [""])[1] if piece.value else ""
        code = piece.value[2:-2].strip("+-").strip()
        if word == "if":
            test = self._test(code)
            self._blocks.append(test.split()[0])
            self._tag(f"{{{{#{test}}}}}")
        elif word == "for":
            loop = self._parsed(f"{{% {code} %}}{{% endfor %}}").find(nodes.For)
            assert loop is not None
            self._tag(f"{{{{#{self._say.loop(loop)}}}}}")
            self._blocks.append("each")
        elif word == "elif":
            self._tag(f"{{{{else {self._test(code.removeprefix('el'))}}}}}")
        elif word == "else":
            if self._blocks[-1] == "each":
                self._blocks[-1] = "each-else"
                self._say.loops.pop()
            self._tag("{{else}}")
        elif word in ("endif", "endfor"):
            if (block := self._blocks.pop()) == "each":
                self._say.loops.pop()
            self._tag(f"{{{{/{block.removesuffix('-else')}}}}}")
        else:
            raise self._say.refused(f"the tag {word!r}")

    def _test(self, code: str) -> str:
        found = self._parsed(f"{{% {code} %}}{{% endif %}}").find(nodes.If)
        assert found is not None
        return self._say.test(found.test)


def _is_message(value: str) -> bool:
    return bool(MESSAGE.fullmatch(value) or HISTORY.fullmatch(value))


def _at_ends(value: str, pieces: list[Piece], index: int) -> str:
    """Return a text without the line breaks that are layout: at the ends of a message, and beside a part."""
    before = pieces[index - 1].value if index else ""
    after = pieces[index + 1].value if index + 1 < len(pieces) else ""
    if MESSAGE.fullmatch(before) or _MEDIA.fullmatch(before):
        value = value.lstrip("\n")
    return value.rstrip("\n") if MESSAGE_END.fullmatch(after) or _MEDIA.fullmatch(after) else value


def _keeps_breaks(out: list[tuple[bool, str]], *, is_end: bool = False) -> bool:
    """Return whether a message begins (or ends) with a block that may leave a line break there, which goes here."""
    depth, is_block = 0, False
    for is_tag, value in reversed(out) if is_end else out:
        if is_tag and re.fullmatch(r"\{\{[#/][^{}]*\}\}", value):
            depth += 1 if value.startswith("{{/" if is_end else "{{#") else -1
            is_block = True
        elif is_tag and not value.startswith("{{else"):
            if depth == 0:
                return False
        elif not is_tag:
            if is_block and (value.endswith("\n") if is_end else value.startswith("\n")):
                return True
            if depth == 0 and value.strip("\n"):
                return False
    return False


def _joined(out: list[tuple[bool, str]]) -> str:
    """Join texts and tags so that no tag takes its line with it, and no brace makes another tag of one."""
    written = ""
    for index, (is_tag, value) in enumerate(out):
        if is_tag and re.match(r"\{\{(?:[#/]|else\b)", value):
            following = "".join(one for _, one in out[index + 1 :])
            is_alone = re.search(r"(?:^|\n)[ \t]*\Z", written) and re.match(r"[ \t]*(?:\n|\Z)", following)
            # Behind a comment a tag is not alone on its line.
            value = f"{{{{!}}}}{value}" if is_alone else value
        if is_tag and value.startswith("{{"):
            if written.endswith("\\"):  # one more says that the others are text
                written += "\\"
            elif written.endswith("{"):  # three braces are another tag: ~ takes the blank between them away
                written, value = f"{written} ", f"{{{{~{value[2:]}"
        elif value.startswith("}") and index and written.endswith("}}"):
            written = f"{written[:-2]}~}}}} "
        written += value if is_tag else text_of(value)
    return written


# the front matter --------------------------------------------------------------------------------


def _front(template: Template, histories: list[str], draft: Draft) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    if template.model:
        meta["model"] = template.model
    if template.description:
        meta["description"] = template.description
    if config := _config(template.params, draft):
        meta["config"] = config
    if "inputs" in template.metadata and (given := _inputs(template, histories)):
        meta["input"] = given
    form = template.response_format
    if form is not None and form.type != "text":
        schema = thawed(form.schema) if form.type == "json_schema" else None
        meta["output"] = {"format": "json", **({"schema": schema} if schema else {})}
    if template.tools:
        meta["toolDefs"] = [_tool(tool, draft) for tool in template.tools]
    return meta


def _config(params: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in params.items():
        target = _CONFIG.get(name, name)
        if target in found:
            draft.lose(f"$.params.{name}", "parameter-dropped", f"there is one {target}")
            continue
        found[target] = thawed(value)
        if name == "max_completion_tokens":
            draft.lose("$.params.max_completion_tokens", "renamed", "maxOutputTokens")
    return found


def _inputs(template: Template, histories: list[str]) -> dict[str, Any]:
    inputs = {name: item for name, item in template.inputs.items() if name not in histories}
    properties = {}
    for name, item in inputs.items():
        about = {"description": item.description} if item.description else {}
        properties[name] = {**thawed(item.schema), **about}
    required = [name for name, item in inputs.items() if item.required]
    schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    default = {
        name: thawed(item.default) for name, item in inputs.items() if not item.required and item.default is not None
    }
    return {"schema": schema, **({"default": default} if default else {})} if inputs else {}


def _tool(tool: Any, draft: Draft) -> dict[str, Any]:
    if tool.strict:
        draft.lose(f"$.tools.{tool.name}.strict", "field-dropped", "dotprompt's tools have no such field")
    about = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **about, "inputSchema": thawed(tool.parameters) or {"type": "object"}}
