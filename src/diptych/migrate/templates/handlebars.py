"""Simple Handlebars, as dotprompt uses it, in pieces of Jinja.

Rule: what a tag means is decided by Handlebars' own rules, not by likeness. A tag alone on
its line takes the line with it; an item of a loop hides the names outside; nothing is
escaped for HTML. What cannot be known without running it is refused with its line.

==========================================  ==============================================
``{{x}}`` ``{{{x}}}`` ``{{&x}}``            ``{{ x }}``; a boolean in lower case, a list with
                                            commas, where the schema says so
``{{#if x}} {{else if y}} {{else}}``        ``{% if x %} {% elif y %} {% else %}``
``{{#unless x}}`` ``{{^if x}}``             ``{% if not x %}``
``{{#each xs}} {{this}} {{../y}}``          ``{% for item in xs %} {{ item }} {{ y }}``
``{{#each xs as |x i|}}``                   the same with its own names
``@index @first @last @key @root``          ``loop.index0`` … the key; over an object: ``xs|items``
``{{#with o}} {{x}}``                       ``{% if o %} {{ o.x }}``
``{{#ifEquals a b}}`` ``{{#unlessEquals}}`` ``{% if a == b %}``
``{{json x}}``                              ``{{ x|tojson }}``: the same value, spelt another way
``{{lookup o k}}`` ``{{a.[0]}}``            ``{{ o[k] }}`` ``{{ a[0] }}``
``{{role "x"}} {{history}} {{media url=x}}``  a message, the history, ``{% image x %}``
``~``, comments, ``\\{{``                    white space taken away, nothing, text
partials, ``{{section}}``, other helpers    refused
==========================================  ==============================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .draft import Draft
from .holes import ended
from .paths import Context, Expression, step, type_of, types_of
from .pieces import Piece, has_messages, tree_of, write, write_messages

_TAG: Final = re.compile(
    r"(?<!\\)(\\*+)\{\{(?:\{(?P<left3>~?)(?P<raw>[^{].*?)(?P<right3>~?)\}\}\}|(?P<left>~?)(?P<in>!--.*?--|.*?)(?P<right>~?)\}\})",
    re.DOTALL,
)
_TOKEN: Final = re.compile(r"""\s*(?:(\w+)=)?("[^"]*"|'[^']*'|\(.*\)|\|[^|]*\||(?:[^\s()|\[]|\[[^\]]*\])+)""")
_SEGMENT: Final = re.compile(r"\[([^\]]*)\]|([^./\[\]]+)")
_LITERALS: Final = {"true": "true", "false": "false", "null": "none", "undefined": "none"}


@dataclass
class _Block:
    helper: str
    line: int
    closing: str
    pushed: bool = False


@dataclass
class _Tag:
    """One tag as it stands in the text."""

    inner: str
    start: int
    end: int
    line: int
    strips: tuple[bool, bool]
    #: Backslashes before it that are not text.
    cut: int
    words: list[tuple[str, str]] = field(default_factory=list)


def write_handlebars(text: str, draft: Draft, schema: Mapping[str, Any], line: int = 1) -> None:
    """Read Handlebars into the draft: as messages where it has roles, else as one prompt."""
    pieces = Handlebars(text, draft, schema, line).read()
    tree = tree_of(pieces, draft)
    if has_messages(tree):
        draft.tells_trim = True
        write_messages(tree, draft, first="user", after_history="assistant", keep_empty=False)
    else:
        draft.prompt(ended(write(pieces)))


class Handlebars:
    """A reader of one body: :meth:`read` gives its pieces.

    ``schema`` is that of the inputs as one object, empty where none is declared.
    """

    def __init__(self, body: str, draft: Draft, schema: Mapping[str, Any], line: int = 1) -> None:
        self.body = body
        self.draft = draft
        self.first_line = line
        self.contexts = [Context(Expression("", schema))]
        self.blocks: list[_Block] = []
        self.pieces: list[Piece] = []

    def read(self) -> list[Piece]:
        """Return the pieces of the body. Raises MigrationError with the line of what is refused."""
        tags = list(self._tags())
        position, strip_next = 0, False
        for number, tag in enumerate(tags):
            text = self.body[position : tag.start - tag.cut]
            text = text.lstrip() if strip_next else text
            before, after, is_alone = self._around(tag)
            if tag.strips[0]:
                text = text.rstrip()
            elif is_alone and before:
                text = text.removesuffix(before)
            self._text(text)
            position, strip_next = tag.end, tag.strips[1]
            if is_alone and not strip_next:
                # The line break goes with the tag in both engines; without a tag it must go here.
                position += len(after) if self._is_comment(tag) else len(after.rstrip("\n"))
            self._tag(tag, is_alone and not strip_next and after.endswith("\n"), tags[number + 1 :])
        self._text(self.body[position:].lstrip() if strip_next else self.body[position:])
        if self.blocks:
            raise self.draft.refuse(f"the block {{{{#{self.blocks[-1].helper}}}}} is not closed", self.blocks[-1].line)
        return self.pieces

    def _tags(self) -> Iterator[_Tag]:
        """Yield the tags; a backslash before one makes it text, and two make one."""
        # Nothing behind the last closing can be a tag: unclosed ones would be searched for again and again.
        for found in _TAG.finditer(self.body, 0, self.body.rfind("}}") + 2):
            slashes = len(found[1])
            if slashes == 1:
                continue
            # Three braces print, whatever stands in them: {{{else}}} is a name.
            inner = found["in"] if found["raw"] is None else f"&{found['raw']}"
            left, right = found["left3"] or found["left"], found["right3"] or found["right"]
            line = self.first_line + self.body.count("\n", 0, found.start())
            strips = (bool(left), bool(right))
            yield _Tag(inner.strip(), found.start() + slashes, found.end(), line, strips, cut=int(slashes > 1))

    def _text(self, text: str) -> None:
        # What a backslash kept from being a tag is text without it.
        text = re.sub(r"\\(?=\{\{)", "", text)
        self.pieces.append(Piece("text", text, self.first_line))

    @staticmethod
    def _is_comment(tag: _Tag) -> bool:
        return tag.inner.startswith("!")

    def _around(self, tag: _Tag) -> tuple[str, str, bool]:
        """Return the blanks before and after a tag, and whether it takes its line with it."""
        line_start = self.body.rfind("\n", 0, tag.start) + 1
        before = self.body[line_start : tag.start]
        after = re.compile(r"[ \t]*(?:\n|\Z)").match(self.body, tag.end)
        is_block = re.match(r"[#/^!>]|else\b", tag.inner) is not None
        is_alone = is_block and not before.strip(" \t") and after is not None
        return before, after.group() if after else "", is_alone

    # tags ------------------------------------------------------------------------------------

    def _tag(self, tag: _Tag, is_native: bool, following: list[_Tag]) -> None:
        inner = tag.inner
        if self._is_comment(tag):
            return
        if inner.startswith(("{{", ">", "#>", "#*", "*")):
            raise self._refused(tag, "it is more than simple Handlebars: it needs another file")
        tag.words = [(found[1] or "", found[2]) for found in _TOKEN.finditer(inner.lstrip("#^/&"))]
        if inner.startswith("/"):
            self._close(tag, is_native)
        elif inner in ("else", "^") or inner.startswith("else "):
            self._else(tag, is_native)
        elif inner[:1] in ("#", "^"):
            self._open(tag, is_native, following)
        else:
            self._mustache(tag)

    def _open(self, tag: _Tag, is_native: bool, following: list[_Tag]) -> None:
        if not tag.words:
            raise self._refused(tag, "a block needs a name")
        helper = tag.words[0][1]
        arguments = [word for key, word in tag.words[1:] if not key]
        is_inverse = tag.inner.startswith("^")
        if helper in ("if", "unless", "with") and len(arguments) == 1 and len(tag.words) == 2:
            subject = self.resolve(arguments[0], tag)
            is_not = (helper == "unless") != is_inverse
            self._begin(tag, helper, f"if {'not ' if is_not else ''}{self._test(subject)}", "endif", is_native)
            if helper == "with" and not is_inverse:
                self._push(Context(subject._replace(may_miss=False)))
        elif helper in ("ifEquals", "unlessEquals") and len(arguments) == 2 and not is_inverse:
            left, right = (self.resolve(argument, tag).source for argument in arguments)
            sign = "==" if helper == "ifEquals" else "!="
            self._begin(tag, helper, f"if {left} {sign} {right}", "endif", is_native)
        elif helper == "each" and arguments and not is_inverse:
            self._each(tag, arguments, is_native, following)
        else:
            raise self._refused(tag, "it is more than simple Handlebars")

    def _each(self, tag: _Tag, arguments: list[str], is_native: bool, following: list[_Tag]) -> None:
        subject = self.resolve(arguments[0], tag)
        named = arguments[2].strip("|").split() if len(arguments) == 3 and arguments[1] == "as" else []
        if len(arguments) not in (1, 3) or (len(arguments) == 3 and not named):
            raise self._refused(tag, "it is more than simple Handlebars")
        depth = sum(context.is_loop for context in self.contexts)
        item = self.draft.input_name(named[0]) if named else f"item{depth + 1 if depth else ''}"
        kind = type_of(subject.schema)
        source = f"{subject.source}|default([])" if subject.may_miss else subject.source
        is_object = kind == "object" or (kind != "array" and _asks_key(following))
        item_schema = subject.schema.get("additionalProperties" if is_object else "items")
        here = Expression(item, item_schema if isinstance(item_schema, Mapping) else {})
        key = (named[1] if len(named) > 1 else f"key{depth + 1 if depth else ''}") if is_object else ""
        names = {named[0]: here} if named else {}
        if len(named) > 1:
            names[named[1]] = Expression(key or "loop.index0", {"type": "string" if key else "integer"})
        self._begin(tag, "each", f"for {f'{key}, ' if key else ''}{item} in {source}{'|items' if is_object else ''}",
                    "endfor", is_native)  # fmt: skip
        self._push(Context(here, True, key, names))

    def _begin(self, tag: _Tag, helper: str, code: str, closing: str, is_native: bool) -> None:
        self.blocks.append(_Block(helper, tag.line, closing))
        self.pieces.append(Piece("open", f"{{% {code} %}}", tag.line, is_native))

    def _push(self, context: Context) -> None:
        self.contexts.append(context)
        self.blocks[-1].pushed = True

    def _pop(self) -> None:
        if self.blocks[-1].pushed:
            self.contexts.pop()
            self.blocks[-1].pushed = False

    def _else(self, tag: _Tag, is_native: bool) -> None:
        if not self.blocks:
            raise self._refused(tag, "it closes nothing")
        self._pop()  # the other branch of a loop stands outside of its items
        code = "else"
        if len(tag.words) > 1:
            words = [word for _, word in tag.words[1:]]
            if self.blocks[-1].closing != "endif" or words[0] not in ("if", "unless") or len(words) != 2:
                raise self._refused(tag, "it is more than simple Handlebars")
            test = self._test(self.resolve(words[1], tag))
            code = f"elif {'not ' if words[0] == 'unless' else ''}{test}"
        self.pieces.append(Piece("mid", f"{{% {code} %}}", tag.line, is_native))

    def _close(self, tag: _Tag, is_native: bool) -> None:
        name = tag.inner[1:].strip()
        if not self.blocks or self.blocks[-1].helper != name:
            raise self._refused(tag, "it closes nothing that is open")
        self._pop()
        self.pieces.append(Piece("close", f"{{% {self.blocks.pop().closing} %}}", tag.line, is_native))

    # values ----------------------------------------------------------------------------------

    def _mustache(self, tag: _Tag) -> None:
        if not tag.words:
            raise self._refused(tag, "there is nothing in it")
        helper = tag.words[0][1]
        arguments = [word for key, word in tag.words[1:] if not key]
        named = {key: word for key, word in tag.words[1:] if key}
        if helper == "history" and len(tag.words) == 1:
            self.pieces.append(Piece("history", "history", tag.line))
        elif helper == "role":
            self._role(tag, arguments, named)
        elif helper == "media" and "url" in named:
            self._media(tag, named)
        elif helper == "json" and len(arguments) == 1:
            indent = f"(indent={named['indent']})" if named.get("indent", "").isdigit() else ""
            self._print(tag, f"{self.resolve(arguments[0], tag).source}|tojson{indent}")
            self.draft.lose(
                f"line {tag.line}", "substituted", "the same JSON value, its keys sorted and < > & ' escaped"
            )
        elif helper == "lookup" and len(arguments) == 2:
            source, key = (self.resolve(argument, tag).source for argument in arguments)
            self._print(tag, f"{source}[{key}]")
        elif len(tag.words) == 1:
            self._print(tag, self._shown(self.resolve(helper, tag), tag))
        else:
            raise self._refused(tag, "it is more than simple Handlebars: the helper stands elsewhere")

    def _print(self, tag: _Tag, code: str) -> None:
        self.pieces.append(Piece("print", f"{{{{ {code} }}}}", tag.line))

    def _role(self, tag: _Tag, arguments: list[str], named: Mapping[str, str]) -> None:
        if len(arguments) != 1 or arguments[0][0] not in "\"'":
            raise self._refused(tag, "the data would decide a role")
        for name in named:
            self.draft.lose(f"line {tag.line}", "field-dropped", f"the message's {name}")
        self.pieces.append(Piece("role", arguments[0][1:-1], tag.line))

    def _media(self, tag: _Tag, named: Mapping[str, str]) -> None:
        url = self.resolve(named["url"], tag).source
        content_type = named.get("contentType", "").strip("\"'")
        part = {"audio": "audio", "image": "image", "": "image"}.get(content_type.partition("/")[0], "file")
        form = f" format={content_type.partition('/')[2].removeprefix('x-')!r}" if part == "audio" else ""
        if content_type and part != "audio":
            self.draft.lose(f"line {tag.line}", "field-dropped", "contentType: the address or its data say it")
        self.pieces.append(Piece("tag", f"{{% {part} {url}{form} %}}", tag.line))

    def _shown(self, value: Expression, tag: _Tag) -> str:
        """Return how JavaScript prints a value: ``true``, ``a,b``, and nothing for null."""
        kind, source = type_of(value.schema), value.source
        if value.schema.get("type") == "null":
            return "''"
        if kind == "object":
            self.draft.lose(
                f"line {tag.line}", "substituted", "an object is printed as [object Object] there, as JSON here"
            )
            return f"{source}|tojson"
        shown = {"boolean": f"{source}|lower", "array": f"{source}|join(',')"}.get(kind, source)
        if value.may_miss:
            return f"{source}|default('')" if shown == source else f"{shown} if {source} is defined else ''"
        is_null = "null" in types_of(value.schema) or value.schema.get("x-null")
        return f"{shown} if {source} is not none else ''" if is_null else shown

    def _test(self, value: Expression) -> str:
        """Return the test for what Handlebars takes for true: an empty object is, zero and [] are not."""
        source = f"{value.source}|default(none)" if value.may_miss else value.source
        return f"{source} is not none" if type_of(value.schema) == "object" else source

    def resolve(self, path: str, tag: _Tag) -> Expression:
        """Return what a path or literal stands for where it is written. Raises MigrationError."""
        if path[0] in "\"'":
            return Expression(repr(path[1:-1]), {"type": "string"})
        if path in _LITERALS or re.fullmatch(r"-?\d+(\.\d+)?", path):
            kind = {"true": "boolean", "false": "boolean", "null": "null", "undefined": "null"}.get(path, "number")
            return Expression(_LITERALS.get(path, path), {"type": kind})
        if path.startswith("("):
            raise self._refused(tag, "a helper inside of a helper is more than simple Handlebars")
        if path.startswith("@") and not path.startswith("@root"):
            return self._loop_variable(path, tag)
        contexts = self.contexts[:1] if path.startswith("@root") else list(self.contexts)
        path = path.removeprefix("@root").lstrip(".") if path.startswith("@root") else path
        while path.startswith(".."):
            path = path[2:].lstrip("/")
            contexts.pop()
            if not contexts:
                raise self._refused(tag, "there is nothing outside of it")
        segments = [found[1] if found[1] is not None else found[2] for found in _SEGMENT.finditer(path)]
        if segments[:1] == ["this"]:
            segments = segments[1:]
        elif segments and (bound := self._bound(segments[0])) is not None:
            return self._walk(bound, segments[1:], tag)
        return self._walk(contexts[-1].here, segments, tag)

    def _bound(self, name: str) -> Expression | None:
        return next((context.names[name] for context in reversed(self.contexts) if name in context.names), None)

    def _loop_variable(self, path: str, tag: _Tag) -> Expression:
        loop = next((context for context in reversed(self.contexts) if context.is_loop), None)
        known = {"@index": "loop.index0", "@first": "loop.first", "@last": "loop.last", "@key": "loop.index0"}
        if loop is None or path not in known:
            raise self._refused(tag, f"{path} is more than simple Handlebars")
        if path == "@key" and loop.key:
            return Expression(loop.key, {"type": "string"})
        return Expression(known[path], {"type": "boolean" if path in ("@first", "@last") else "integer"})

    def _walk(self, start: Expression, segments: list[str], tag: _Tag) -> Expression:
        source, schema, may_miss = start
        for segment in segments:
            properties = schema.get("properties")
            known = properties.get(segment) if isinstance(properties, Mapping) else None
            if not source:
                source = self.draft.input_name(segment)
            elif segment == "length" and known is None and type_of(schema) in ("array", "string", ""):
                return Expression(f"{source}|length", {"type": "integer"})
            else:
                # What is missing in the middle of a path is nothing, and so is what would be in it.
                source = step(f"({source}|default({{}}, true))" if may_miss else source, segment)
                is_needed = isinstance(schema.get("required"), list) and segment in schema["required"]
                may_miss = may_miss or not is_needed
            items = schema.get("items") if segment.isdigit() else None
            schema = next((found for found in (known, items) if isinstance(found, Mapping)), {})
        if not source:
            raise self._refused(tag, "all inputs at once are no value here")
        return Expression(source, schema, may_miss)

    def _refused(self, tag: _Tag, why: str) -> Exception:
        shown = tag.inner if len(tag.inner) <= 40 else tag.inner[:39] + "…"
        return self.draft.refuse(f"{{{{{shown}}}}} cannot be migrated: {why}", tag.line, hint="rewrite it in Jinja")


def _asks_key(following: list[_Tag]) -> bool:
    """True where a loop's own body uses ``@key``: what it runs over is an object."""
    depth = 0
    for tag in following:
        if tag.inner.startswith("#each"):
            depth += 1
        elif tag.inner.startswith("/each"):
            if depth == 0:
                return False
            depth -= 1
        elif depth == 0 and "@key" in tag.inner:
            return True
    return False
