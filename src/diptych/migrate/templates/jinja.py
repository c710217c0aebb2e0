"""Jinja bodies of other tools: their white space, their names, and what Diptych's sandbox lacks.

Rule: most tools run Jinja with its defaults, in which the line break after a tag stays and
``tojson`` escapes for HTML. A body is taken apart by Jinja's own lexer and written so that it
means the same. A filter, test, function or tag that Diptych has not is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import jinja2
from jinja2 import nodes

from ...errors import DiptychError
from ...sandbox import make_environment
from ...sandbox.filters import JSON_OF_JINJA, tojson
from ...sandbox.mistakes import mistake_of
from ...sandbox.names import undeclared_names
from ...templating.engine import Engine
from ...text.template_text import Syntax, holes_of
from .draft import Draft
from .pieces import Kind, Piece, is_trimmed, tree_of, write
from .wrong import place_of_last, syntax_refusal

_BLOCKS: Final = {"if", "for", "macro", "call", "filter", "with", "autoescape", "block"}


@lru_cache(maxsize=2)
def _plain(trim_blocks: bool = False) -> Any:
    environment = jinja2.Environment(keep_trailing_newline=True, autoescape=False)  # noqa: S701 - it only reads tokens
    environment.trim_blocks = trim_blocks
    return environment


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return Engine()


def pieces_of(
    body: str, draft: Draft, line: int = 1, *, trim: str | None = None, trim_blocks: bool = False
) -> list[Piece]:
    """Return the pieces of a body of plain Jinja, or of a Diptych template with its rule for white space.

    ``trim_blocks`` is that option of Jinja, by which a tag takes the line break after it away.

    Raises MigrationError where it does not lex.
    """
    pieces: list[Piece] = []
    gathered: list[str] = []
    try:
        tokens = _engine().environment.lexers[trim].tokeniter(body, None) if trim else _plain(trim_blocks).lex(body)
        for number, token, value in tokens:
            if token in ("data", "raw_begin", "raw_end"):
                if token == "data":
                    pieces.append(Piece("text", value, line + number - 1))
                continue
            gathered.append(value)
            if token in ("variable_end", "block_end", "comment_end"):
                code = "".join(gathered if trim else _with_json(gathered)).rstrip()
                gathered.clear()
                pieces.append(Piece(_kind_of(token, code), code, line + number - 1))
    except jinja2.TemplateSyntaxError as error:
        raise syntax_refusal(error, body, draft) from None
    return pieces


def _with_json(code: list[str]) -> list[str]:
    """Return the tokens of a tag with the options by which ``tojson`` writes what Jinja's own does.

    >>> "".join(_with_json(["{{", "x", "|", "tojson", "(", "2", ")", "}}"]))
    '{{x|tojson(2, html=true, ensure_ascii=true, sort_keys=true)}}'
    """
    written = [*code]
    for index in range(len(code) - 1, 0, -1):
        before = next((token for token in reversed(code[:index]) if token.strip()), "")
        if code[index] != "tojson" or before not in ("|", "filter"):
            continue
        following = next((at for at in range(index + 1, len(code)) if code[at].strip()), len(code))
        if written[following : following + 1] != ["("]:
            written[index] = f"tojson({JSON_OF_JINJA})"
            continue
        depth, end = 1, following + 1
        while depth and end < len(written):
            depth += (written[end] in ("(", "[", "{")) - (written[end] in (")", "]", "}"))
            end += 1
        is_empty = not "".join(written[following + 1 : end - 1]).strip()
        written.insert(end - 1, JSON_OF_JINJA if is_empty else f", {JSON_OF_JINJA}")
    return written


def keep_json(body: str) -> str:
    """Return a body whose ``tojson`` writes what Jinja's own does, and nothing else of it changed.

    >>> keep_json("{{ x|tojson }} tojson")
    '{{ x|tojson(html=true, ensure_ascii=true, sort_keys=true) }} tojson'
    """
    return re.sub(r"\{[{%].*?[}%]\}", _tag_with_json, body, flags=re.DOTALL) if "tojson" in body else body


def _tag_with_json(found: re.Match[str]) -> str:
    if "tojson" not in found[0]:
        return found[0]
    try:
        return "".join(_with_json([value for _, _, value in _plain().lex(found[0])]))
    except jinja2.TemplateSyntaxError:  # no tag by itself: the body's own error says more
        return found[0]


def _kind_of(token: str, code: str) -> Kind:
    if token == "variable_end":
        return "print"
    found = re.match(r"\{%[-+]?\s*(\w+)", code)
    word = found[1] if found and token == "block_end" else ""
    if word in _BLOCKS or (word == "set" and "=" not in code):
        return "open"
    if word in ("else", "elif"):
        return "mid"
    return "close" if word.startswith("end") and word[3:] in {*_BLOCKS, "set"} else "tag"


def syntax_of(text: str) -> Syntax:
    """Return which holes a text has: Jinja's where its marks are and parse, else ``{name}`` where one is.

    >>> syntax_of("{{ x }} {y}"), syntax_of('{{"a": 1}} {y}'), syntax_of("{}")
    ('jinja', 'fstring', 'none')
    """
    has_marks = bool(holes_of(text, "jinja"))
    if has_marks and parses(text):
        return "jinja"
    if any(hole.written.startswith("{{") for hole in holes_of(text, "fstring")):
        return "fstring"
    return "jinja" if has_marks else "none"


def parses(text: str) -> bool:
    """Return whether a text parses as a Diptych template's body.

    >>> parses("{{ x }}"), parses("{{#x}}")
    (True, False)
    """
    try:
        _engine().environment._parse(text, None, None)
    except Exception:  # Jinja lets errors of Python through: whatever it is, the text does not parse
        return False
    return True


def rewrite(body: str, draft: Draft, line: int = 1) -> str:
    """Return a body of plain Jinja as one for ``trim: blocks``.

    >>> rewrite("{% if x %}\\na\\n{% endif %}", Draft("a"))
    '{% if x +%}\\na\\n{% endif %}'
    """
    return write(pieces_of(body.replace("\r\n", "\n"), draft, line))


def write_message(role: str, source: str, draft: Draft, place: str = "$.messages", name: Any = None) -> None:
    """Write a message of a tool that keeps the line breaks at its ends; in a message tag they are layout.

    >>> draft = Draft("a")
    >>> write_message("user", "{% for x in xs +%}\\n- {{ x }}{% endfor %}", draft)
    >>> draft.losses[0].kind
    'trimmed'
    """
    is_cut = source != source.strip("\n")
    if is_cut or ("{%" in source and is_trimmed(tree_of(pieces_of(source, draft, trim="blocks"), draft))):
        draft.lose(place, "trimmed", "line breaks at the ends of a message are layout")
    draft.message(role, source, name)


# what the sandbox has ------------------------------------------------------------------------


def check(source: str, draft: Draft) -> nodes.Template:
    """Return the syntax tree of a Diptych template's body. Raises MigrationError naming what it lacks."""
    environment = _engine().environment
    body = re.sub(r"\A---\n.*?^---\n", lambda front: "\n" * front.group().count("\n"), source, flags=re.DOTALL | re.M)
    try:
        tree: nodes.Template = environment._parse(body, draft.filename, draft.filename)
        for reason, pattern in _lacks(tree, environment):
            raise draft.refuse(reason, place_of_last(draft, pattern))
        undeclared_names(tree)  # compiles, and finds what parsing does not
    except DiptychError:
        raise
    except jinja2.TemplateSyntaxError as error:
        raise _refusal(error, body, draft, environment) from None
    except Exception as error:  # Jinja lets errors of Python through
        raise draft.refuse(_unread(error, environment)) from None
    return tree


def _refusal(error: jinja2.TemplateSyntaxError, body: str, draft: Draft, environment: Any) -> DiptychError:
    mistake = mistake_of(error, environment)
    if mistake is not None and mistake.pattern:
        return draft.refuse(f"{mistake.message} in the body", place_of_last(draft, mistake.pattern))
    return syntax_refusal(error, body, draft)


def _unread(error: Exception, environment: Any) -> str:
    """Return why a body that Python does not take cannot be migrated."""
    mistake = mistake_of(error, environment)
    if mistake is None:
        return "the body is nested too deeply"
    return f"the body is no Jinja that Diptych reads: {mistake.message}"


def _lacks(tree: nodes.Template, environment: Any) -> Iterator[tuple[str, str]]:
    """Yield what a tree uses and the environment has not, and a pattern of how it is written."""
    macros = {node.name for node in tree.find_all(nodes.Macro)}
    assigned = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"} | {"caller", "super"}
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        tag = "from" if isinstance(node, nodes.FromImport) else type(node).__name__.lower()
        yield f"the tag {tag!r} cannot be migrated: it loads another template", rf"\{{%[-+]?\s*{tag}\b"
    for filter_ in tree.find_all(nodes.Filter):
        if filter_.name not in environment.filters:
            written = rf"(?<=\|)\s*{re.escape(filter_.name)}\b|\{{%[-+]?\s*filter\b"
            yield f"the filter {filter_.name!r} is not in Diptych's sandbox", written
    for test in tree.find_all(nodes.Test):
        if test.name not in environment.tests:
            yield f"the test {test.name!r} is not in Diptych's sandbox", rf"\bis\s+(?:not\s+)?{re.escape(test.name)}\b"
    for call in tree.find_all(nodes.Call):
        called = call.node
        if isinstance(called, nodes.Name) and called.name not in {*environment.globals, *macros, *assigned}:
            yield f"the function {called.name!r} is not in Diptych's sandbox", rf"\b{re.escape(called.name)}\s*\("


# names that are not given ----------------------------------------------------------------------


def complete_inputs(draft: Draft, tree: nodes.Template, *, is_lenient: bool) -> None:
    """Declare what the body uses and nobody declared, where anything is declared at all.

    In a lenient engine a name that is not given prints nothing and is false: one that is only
    asked about, or looped over, gets the default that means so.
    """
    used = undeclared_names(tree) - set(_engine().environment.globals)
    missing = sorted(used - draft.inputs.keys())
    defaults = _lenient_defaults(tree) if is_lenient else {}
    asked = {name for name in missing if name in defaults}
    if not draft.inputs and (not asked or _asks_defined(tree)):
        return
    for name in missing:
        if name in asked:
            draft.inputs[name] = {"default": defaults[name]}
            draft.lose(f"$.inputs.{name}", "defaulted", "a name that may be missing has the default that means so")
        else:
            draft.inputs[name] = {}
            draft.lose(f"$.inputs.{name}", "synthesised", "the body uses it and nothing declares it")
    for name in sorted(_asks_defined(tree) & draft.inputs.keys()):
        draft.lose(f"$.inputs.{name}", "substituted", "an input that is declared is always defined")


def _lenient_defaults(tree: nodes.Template) -> dict[str, Any]:
    """Return names that are asked about or looped over, with what stands for a missing one."""
    found: dict[str, Any] = {}
    tests: list[nodes.If | nodes.CondExpr] = [*tree.find_all(nodes.If), *tree.find_all(nodes.CondExpr)]
    for choice in tests:
        found |= dict.fromkeys(_bare(choice.test))
    for loop in tree.find_all(nodes.For):
        found |= dict.fromkeys(_bare(loop.iter), ())
    for given in tree.find_all(nodes.Filter):
        if given.name in ("default", "d") and isinstance(given.node, nodes.Name):
            args = given.args or []
            if args and isinstance(args[0], nodes.Const):
                found[given.node.name] = args[0].value
    return {name: [] if value == () else value for name, value in found.items()}


def _bare(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Not):
        return _bare(node.node)
    if isinstance(node, nodes.And | nodes.Or):
        return [*_bare(node.left), *_bare(node.right)]
    return _compared(node) if isinstance(node, nodes.Compare) else []


def _compared(node: nodes.Compare) -> list[str]:
    """Return the names that are asked whether they equal something: a missing one equals nothing but itself."""
    sides = [node.expr, *(operand.expr for operand in node.ops)]
    is_asked = all(operand.op in ("eq", "ne") for operand in node.ops)
    is_none = any(isinstance(side, nodes.Const) and side.value is None for side in sides)
    return [side.name for side in sides if isinstance(side, nodes.Name)] if is_asked and not is_none else []


def _asks_defined(tree: nodes.Template) -> set[str]:
    return {
        test.node.name
        for test in tree.find_all(nodes.Test)
        if test.name in ("defined", "undefined") and isinstance(test.node, nodes.Name)
    }


# the other tool's engine ------------------------------------------------------------------------


def _tojson_of_jinja(value: Any, indent: int | None = None) -> str:
    return tojson(value, indent, html=True, ensure_ascii=True, sort_keys=True)


def plain_renderer(body: str, *, trims: bool = False, trim_blocks: bool = False) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that renders a body as Jinja does by default: missing names print nothing.

    >>> plain_renderer("{% if x %}\\na{% endif %}{{ y }}")({"x": 1})
    '\\na'
    """
    environment = make_environment(undefined=jinja2.Undefined)
    environment.trim_blocks, environment.lstrip_blocks = trims or trim_blocks, trims
    environment.filters["tojson"] = _tojson_of_jinja
    try:
        template = environment.from_string(body)
    except Exception as error:  # Jinja lets errors of Python through
        raise ValueError(str(error)) from None

    def render(inputs: Mapping[str, Any]) -> str:
        try:
            return str(template.render(dict(inputs)))
        except Exception as error:  # a template can raise whatever Python can
            raise ValueError(type(error).__name__) from None

    return render
