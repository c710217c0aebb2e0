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
``{{json x}}``                              ``{{ x|tojson(…) }}``, as JSON.stringify writes it
``{{lookup o k}}`` ``{{a.[0]}}``            ``{{ o[k] }}`` ``{{ a[0] }}``
``{{role "x"}} {{history}} {{media url=x}}``  a message, the history, ``{% image x %}``
``{{> name}}`` ``{{> name ctx x=y}}``        the text of the partial, where it is given
``{{@state.x}}`` ``{{@auth}}`` …            an input of that name, which may be missing
``{{section "x"}}``                         lost: what stands there is filled in by a server
``~``, comments, ``\\{{``                    white space taken away, nothing, text
other helpers, inline partials              refused
==========================================  ==============================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .draft import Draft
from .handlebars_values import Tag, Values, given
from .holes import ended
from .paths import Context, Expression, type_of
from .pieces import Piece, has_messages, is_part, tree_of, write, write_messages

_TAG: Final = re.compile(
    r"(?<!\\)(\\*+)\{\{(?:\{(?P<left3>~?)(?P<raw>[^{].*?)(?P<right3>~?)\}\}\}|(?P<left>~?)(?P<in>!--.*?--|.*?)(?P<right>~?)\}\})",
    re.DOTALL,
)
_TOKEN: Final = re.compile(r"""\s*(?:(\w+)=)?("[^"]*"|'[^']*'|\(.*\)|\|[^|]*\||(?:[^\s()|\[]|\[[^\]]*\])+)""")
#: Partials that stand in each other; Handlebars itself ends at the size of its stack.
_MAX_DEPTH: Final = 20


@dataclass
class _Block:
    helper: str
    line: int
    closing: str
    pushed: bool = False


def write_handlebars(text: str, draft: Draft, schema: Mapping[str, Any], line: int = 1) -> None:
    """Read Handlebars into the draft: as messages where it has roles, else as one prompt."""
    pieces = Handlebars(text, draft, schema, line).read()
    tree = tree_of(pieces, draft)
    # A picture is a part of a message: without a role it is the user's.
    if has_messages(tree) or any(map(is_part, pieces)):
        draft.tells_trim = True
        write_messages(tree, draft, first="user", after_history="assistant", keep_empty=False)
    else:
        draft.prompt(ended(write(pieces)))


class Handlebars(Values):
    """A reader of one body: :meth:`read` gives its pieces.

    ``schema`` is that of the inputs as one object, empty where none is declared.
    """

    def __init__(self, body: str, draft: Draft, schema: Mapping[str, Any], line: int = 1, *, depth: int = 0) -> None:
        self.body = body
        self.draft = draft
        self.first_line = line
        #: In how many partials the body stands.
        self.depth = depth
        self.contexts = [Context(Expression("", schema))]
        self.blocks: list[_Block] = []
        self.pieces: list[Piece] = []
        #: True where ``{{role}}``, ``{{history}}`` and ``{{media}}`` are helpers, as in dotprompt.
        self.has_roles = True

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
                is_gone = self._is_comment(tag) or tag.inner.startswith(">")
                position += len(after) if is_gone else len(after.rstrip("\n"))
            tag.indent = before if is_alone else ""
            self._tag(tag, is_alone and not strip_next and after.endswith("\n"), tags[number + 1 :])
        self._text(self.body[position:].lstrip() if strip_next else self.body[position:])
        if self.blocks:
            raise self.draft.refuse(f"the block {{{{#{self.blocks[-1].helper}}}}} is not closed", self.blocks[-1].line)
        return self.pieces

    def _tags(self) -> Iterator[Tag]:
        """Yield the tags; a backslash before one makes it text, and two make one."""
        # Nothing behind the last closing can be a tag: unclosed ones would be searched for again and again.
        position, end = 0, self.body.rfind("}}") + 2
        while found := _TAG.search(self.body, position, end):
            slashes = len(found[1])
            if slashes == 1:  # only the two braces are text: the next ones are a tag again
                position = found.start() + 3
                continue
            position = found.end()
            # Three braces print, whatever stands in them: {{{else}}} is a name.
            inner = found["in"] if found["raw"] is None else f"&{found['raw']}"
            left, right = found["left3"] or found["left"], found["right3"] or found["right"]
            # The lines of a partial are those of another file: what is said of it stands where it is used.
            line = self.first_line + (0 if self.depth else self.body.count("\n", 0, found.start()))
            strips = (bool(left), bool(right))
            yield Tag(inner.strip(), found.start() + slashes, found.end(), line, strips, cut=int(slashes > 1))

    def _text(self, text: str) -> None:
        # What a backslash kept from being a tag is text without it.
        text = re.sub(r"\\(?=\{\{)", "", text)
        self.pieces.append(Piece("text", text, self.first_line))

    @staticmethod
    def _is_comment(tag: Tag) -> bool:
        return tag.inner.startswith("!")

    def _around(self, tag: Tag) -> tuple[str, str, bool]:
        """Return the blanks before and after a tag, and whether it takes its line with it."""
        line_start = self.body.rfind("\n", 0, tag.start) + 1
        before = self.body[line_start : tag.start]
        after = re.compile(r"[ \t]*(?:\n|\Z)").match(self.body, tag.end)
        is_block = re.match(r"[#/^!>]|else\b", tag.inner) is not None
        is_alone = is_block and not before.strip(" \t") and after is not None
        return before, after.group() if after else "", is_alone

    # tags ------------------------------------------------------------------------------------

    def _tag(self, tag: Tag, is_native: bool, following: list[Tag]) -> None:
        inner = tag.inner
        if self._is_comment(tag):
            return
        if inner.startswith(("{{", "#>", "#*", "*")):
            raise self.refused(tag, "it is more than simple Handlebars: it needs another file")
        tag.words = [(found[1] or "", found[2]) for found in _TOKEN.finditer(inner.lstrip("#^/&>"))]
        if inner.startswith(">"):
            self._partial(tag)
        elif inner.startswith("/"):
            self._close(tag, is_native)
        elif inner in ("else", "^") or inner.startswith("else "):
            self._else(tag, is_native)
        elif inner[:1] in ("#", "^"):
            self._open(tag, is_native, following)
        else:
            self._mustache(tag)

    def _open(self, tag: Tag, is_native: bool, following: list[Tag]) -> None:
        if not tag.words:
            raise self.refused(tag, "a block needs a name")
        helper = tag.words[0][1]
        arguments = [word for key, word in tag.words[1:] if not key]
        is_inverse = tag.inner.startswith("^")
        if helper == "with" and len(arguments) == 1 and len(tag.words) == 2 and not is_inverse:
            subject = self.resolve(arguments[0], tag)
            self._begin(tag, helper, f"if {self.test(subject)}", "endif", is_native)
            self._push(Context(subject._replace(may_miss=False)))
        elif helper == "each" and arguments and not is_inverse:
            self._each(tag, arguments, is_native, following)
        elif len(arguments) + 1 == len(tag.words):
            self._begin(tag, helper, f"if {self._condition(helper, arguments, tag, is_inverse)}", "endif", is_native)
        else:
            raise self.refused(tag, "it is more than simple Handlebars")

    def _condition(self, helper: str, arguments: list[str], tag: Tag, is_inverse: bool = False) -> str:
        """Return the test of a block in Jinja. Raises MigrationError for a helper that is none of a test."""
        if helper in ("if", "unless", "with") and len(arguments) == 1:
            is_not = (helper == "unless") != is_inverse
            return f"{'not ' if is_not else ''}{self.test(self.resolve(arguments[0], tag))}"
        if helper in ("ifEquals", "unlessEquals") and len(arguments) == 2 and not is_inverse:
            left, right = (self.resolve(argument, tag) for argument in arguments)
            return f"{given(left)} {'==' if helper == 'ifEquals' else '!='} {given(right)}"
        raise self.refused(tag, "it is more than simple Handlebars")

    def _each(self, tag: Tag, arguments: list[str], is_native: bool, following: list[Tag]) -> None:
        subject = self.resolve(arguments[0], tag)
        named = arguments[2].strip("|").split() if len(arguments) == 3 and arguments[1] == "as" else []
        if len(arguments) not in (1, 3) or (len(arguments) == 3 and not named):
            raise self.refused(tag, "it is more than simple Handlebars")
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

    def _begin(self, tag: Tag, helper: str, code: str, closing: str, is_native: bool) -> None:
        self.blocks.append(_Block(helper, tag.line, closing))
        self.pieces.append(Piece("open", f"{{% {code} %}}", tag.line, is_native))

    def _push(self, context: Context) -> None:
        self.contexts.append(context)
        self.blocks[-1].pushed = True

    def _pop(self) -> None:
        if self.blocks[-1].pushed:
            self.contexts.pop()
            self.blocks[-1].pushed = False

    def _else(self, tag: Tag, is_native: bool) -> None:
        if not self.blocks:
            raise self.refused(tag, "it closes nothing")
        self._pop()  # the other branch of a loop stands outside of its items
        code = "else"
        if len(tag.words) > 1:
            words = [word for _, word in tag.words[1:]]
            if self.blocks[-1].closing != "endif":
                raise self.refused(tag, "it is more than simple Handlebars")
            code = f"elif {self._condition(words[0], words[1:], tag)}"
        self.pieces.append(Piece("mid", f"{{% {code} %}}", tag.line, is_native))

    def _close(self, tag: Tag, is_native: bool) -> None:
        name = tag.inner[1:].strip()
        if not self.blocks or self.blocks[-1].helper != name:
            raise self.refused(tag, "it closes nothing that is open")
        self._pop()
        self.pieces.append(Piece("close", f"{{% {self.blocks.pop().closing} %}}", tag.line, is_native))

    def _partial(self, tag: Tag) -> None:
        """Read the text of a partial where it is used, in its context."""
        name = tag.words[0][1].strip("\"'") if tag.words else ""
        text = self.draft.partials.get(name)
        if text is None or self.depth >= _MAX_DEPTH:
            why = "it stands in itself" if text is not None else f"there is no partial {name!r}"
            hint = f"put its file _{name}.prompt beside this one, or give its text by partials="
            raise self.draft.refuse(f"{{{{> {name[:40]}}}}} cannot be migrated: {why}", tag.line, hint=hint)
        arguments = [self.resolve(word, tag) for key, word in tag.words[1:] if not key]
        own = {key: self.resolve(word, tag) for key, word in tag.words[1:] if key}
        if tag.indent:
            self.draft.lose(f"line {tag.line}", "substituted", "lines of data in an indented partial are not indented")
        inner = Handlebars(_indented(text, tag.indent), self.draft, {}, tag.line, depth=self.depth + 1)
        inner.contexts = [*self.contexts]
        if arguments or own:
            here = arguments[0]._replace(may_miss=False) if arguments else self.contexts[-1].here
            inherited = {} if arguments else self.contexts[-1].own
            inner.contexts.append(Context(here, own={**inherited, **own}))
        self.pieces += inner.read()

    # values ----------------------------------------------------------------------------------

    def _mustache(self, tag: Tag) -> None:
        if not tag.words:
            raise self.refused(tag, "there is nothing in it")
        helper = tag.words[0][1]
        arguments = [word for key, word in tag.words[1:] if not key]
        named = {key: word for key, word in tag.words[1:] if key}
        if self.has_roles and helper == "history" and len(tag.words) == 1:
            self.pieces.append(Piece("history", "history", tag.line))
        elif self.has_roles and helper == "role":
            self._role(tag, arguments, named)
        elif helper == "media" and "url" in named:
            self._media(tag, named)
        elif helper == "section" and len(arguments) == 1:
            self.draft.lose(f"line {tag.line}", "field-dropped", "a section is filled in by a server")
        elif helper == "json" and len(arguments) == 1:
            # As JSON.stringify writes it.
            options = (
                f"indent={named['indent']}"
                if named.get("indent", "0").strip("0").isdigit()
                else "separators=[',', ':']"
            )
            self._print(tag, f"{self.resolve(arguments[0], tag).source}|tojson({options})")
        elif helper == "lookup" and len(arguments) == 2:
            source, key = (self.resolve(argument, tag).source for argument in arguments)
            self._print(tag, f"{source}[{key}]")
        elif len(tag.words) == 1:
            self._print(tag, self.shown(self.resolve(helper, tag), tag))
        else:
            raise self.refused(tag, "it is more than simple Handlebars: the helper stands elsewhere")

    def _print(self, tag: Tag, code: str) -> None:
        self.pieces.append(Piece("print", f"{{{{ {code} }}}}", tag.line))

    def _role(self, tag: Tag, arguments: list[str], named: Mapping[str, str]) -> None:
        if len(arguments) != 1 or arguments[0][0] not in "\"'":
            raise self.refused(tag, "the data would decide a role")
        for name in named:
            self.draft.lose(f"line {tag.line}", "field-dropped", f"the message's {name}")
        self.pieces.append(Piece("role", arguments[0][1:-1], tag.line))

    def _media(self, tag: Tag, named: Mapping[str, str]) -> None:
        url = self.resolve(named["url"], tag).source
        content_type = named.get("contentType", "").strip("\"'")
        if content_type and named["contentType"][0] not in "\"'":
            raise self.refused(tag, "the data would decide what kind of part it is")
        part = {"audio": "audio", "image": "image", "": "image"}.get(content_type.partition("/")[0], "file")
        form = f" format={content_type.partition('/')[2].removeprefix('x-')!r}" if part == "audio" else ""
        if content_type and part != "audio":
            self.draft.lose(f"line {tag.line}", "field-dropped", "contentType: the address or its data say it")
        self.pieces.append(Piece("tag", f"{{% {part} {url}{form} %}}", tag.line))


def _indented(text: str, indent: str) -> str:
    """Return a text with each line indented, but for an empty one at its end."""
    return re.sub(r"^(?!\Z)", indent, text, flags=re.M) if indent else text


def _asks_key(following: list[Tag]) -> bool:
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
