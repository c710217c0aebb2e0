"""A plain text with holes: ``{name}`` of an f-string or ``str.format``, or Jinja's.

Rule: holes are opaque while the text is read, so that a prompt in a known text format
(ChatML, ``Human:`` and the like) becomes messages and its holes stay holes. What the language
of a text is, only its marks can tell: where they leave a doubt, the verdict is ``ambiguous``.

=============================  ==================================================
``{name}``                     ``{{ name }}``
``{{`` ``}}``                  one brace, where ``{name}`` stands elsewhere
``{x:>9}`` ``{x!r}`` ``{0}``   ambiguous: a hole, or text (``{0}`` stays text)
``{{ name }}``                 as it stands; white space as Jinja's defaults have it
``{{#if x}}``                  ambiguous: read as Handlebars
``$x`` ``%(x)s``               ambiguous: read as a hole, where all of the text is taken
``%s`` ``<%= x %>`` ``#{x}``   ambiguous: they stay text
``{{ x }} {y}``, ``{x} $y``    refused: marks of two languages; name the layout of one
a text in a format of marks    messages, by the reader of its format
``Human: …``, ``<system>``     ambiguous: messages, or one message
a template of Diptych          refused: there is nothing to migrate
another ending than            ambiguous; refused where the ending is that of
``.txt``, ``.md``, ``.jinja``  another language (``.poml``, ``.baml``, ``.ejs`` …)
=============================  ==================================================
"""

from __future__ import annotations

import keyword
import re
from pathlib import PurePath
from typing import Final

from ...errors import DiptychError
from ...templating.frontmatter import KNOWN_KEYS
from ...templating.template import Template
from ...text.marks import place_of
from ...text.template_text import to_template
from .draft import RESERVED, Draft
from .handlebars import write_handlebars
from .holes import DOLLARS, PERCENTS, ended, format_meaning
from .jinja import plain_renderer, rewrite
from .languages import Language, language_of, speakers_of
from .model import Layout, Source

#: Languages whose engine is asked what a text means.
_ENGINES: Final = {"dollar": DOLLARS, "percent": PERCENTS}
#: Endings that say nothing about the language, and those that name Jinja.
_NEUTRAL: Final = ("", ".txt", ".text", ".md", ".markdown")
_JINJA: Final = (".jinja", ".jinja2", ".j2")
#: Endings of other template languages, which are not read.
_FOREIGN: Final = {
    ".poml": "POML", ".baml": "BAML",
    ".erb": "ERB", ".ejs": "EJS", ".promptl": "PromptL", ".gotmpl": "Go",
    ".cshtml": "Razor", ".twig": "Twig", ".vm": "Velocity", ".ftl": "FreeMarker",
}  # fmt: skip
_VSCODE: Final = re.compile(r"\$\{(?:input|file|selection|workspaceFolder)\w*(?::[^}\n]*)?\}")
_FRONT: Final = re.compile(r"\A---[ \t]*\n.*?^---[ \t]*$", re.DOTALL | re.M)
#: Tags of messages that no other tool has, and keys of front matter.
_OURS: Final = re.compile(r"\{%[-+]?\s*(?:end(?:system|developer|user|assistant)|history\s+\w)")
_OUR_KEYS: Final = re.compile(r"^(?:inputs|params|samples|response_format|trim)[ \t]*:", re.M)
_FORMAT_HOLE: Final = re.compile(r"\{\{|\}\}|\{(?P<name>[^\W\d]\w*)[^{}]*\}")


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a text with holes. Raises MigrationError."""
    ending = PurePath(source.name).suffix
    _check_ending(ending, source, draft)
    found = language_of(source.text)
    language: Language = "jinja" if ending in _JINJA else found.language
    for doubt in () if ending in _JINJA else found.doubts:
        draft.doubt(doubt)
    if found.mixed and ending not in _JINJA and not source.is_named:
        hint = "name the layout of the language that is meant: jinja, str-format, string-template or percent-format"
        place = re.findall(r"at (\d+:\d+)", found.mixed)[-1]
        raise draft.refuse(f"the text mixes template languages: {found.mixed}", place, hint=hint)
    if language == "handlebars":
        write_handlebars(source.text, draft, {})
    else:
        _read_holes(source.text, language, draft)


def _check_ending(ending: str, source: Source, draft: Draft) -> None:
    """Refuse the files of other languages, and doubt those whose name or front matter is unknown."""
    if source.is_named:
        return
    if ending in _FOREIGN:
        hint = "rewrite it in Jinja, or name the layout text to take it as it stands"
        raise draft.refuse(f"templates in {_FOREIGN[ending]} are not read", "1:1", hint=hint)
    if _is_ours(source.text):
        raise draft.refuse("the file is a template of Diptych already", hint="there is nothing to migrate")
    if source.name.endswith(".prompt.md") and (found := _VSCODE.search(source.text)):
        hint = "write it as {{ name }}"
        raise draft.refuse(
            f"{found.group()} is filled in by an editor", place_of(source.text, found.start()), hint=hint
        )
    if ending not in (*_NEUTRAL, *_JINJA):
        draft.doubt(f"the ending {ending} is of no known template language: name the layout, text if it is one")
    if _FRONT.match(source.text):
        draft.doubt("front matter at 1:1 is kept as text: name the layout, if the file is of another tool")


def _is_ours(text: str) -> bool:
    """True for a text with Diptych's own tags, or a key of its front matter that no other tool has, that loads."""
    front = _FRONT.match(text)
    if not _OURS.search(text) and not (front and _OUR_KEYS.search(front.group())):
        return False
    try:
        return not Template.from_string(text).metadata.keys() - KNOWN_KEYS
    except DiptychError:
        return False


def _read_holes(text: str, language: Language, draft: Draft) -> None:
    if language == "fstring":
        _check_names(text, draft)
    engine = _ENGINES.get(language)
    if engine is not None:
        found = to_template(engine.of_holes(text, draft), syntax="jinja")
    else:
        found = to_template(
            text, syntax="fstring" if language == "fstring" else "jinja" if language == "jinja" else "none"
        )
    draft.losses += found.losses
    if found.verdict == "ambiguous":
        draft.doubt(found.detail)
    elif found.format == "plain" and (said := speakers_of(text)):
        draft.doubt(said)
    draft.prompt(str(found.output))
    if not draft.is_prompt:
        return
    body = text.removesuffix("\n")
    if language == "jinja":
        draft.prompt(ended(rewrite(body, draft)))
        draft.meaning = lambda inputs: [("user", plain_renderer(body)(inputs))]
    elif engine is not None:
        draft.prompt(ended(engine.of_holes(body, draft)))
        draft.meaning = lambda inputs: [("user", engine.meaning(body, inputs))]
    elif language == "fstring" and not draft.doubts:
        draft.meaning = lambda inputs: [("user", format_meaning(body, inputs))]


def _check_names(text: str, draft: Draft) -> None:
    """Refuse a hole whose name is a word of Jinja: it would print something else."""
    for found in _FORMAT_HOLE.finditer(text):
        name = found["name"]
        if name and (name in RESERVED or keyword.iskeyword(name)):
            hint = "rename it, or double its braces if it is text"
            place = place_of(text, found.start())
            raise draft.refuse(f"the name of the hole {found.group()[:40]} is a word of Jinja", place, hint=hint)


def _is_likely(source: Source) -> bool:
    return not source.name.endswith((".json", ".yaml", ".yml", ".py"))


LAYOUT: Final = Layout("text", read, lambda _: False, _is_likely, rank=99, oracle="str.format of Python, and Jinja 3.1")
