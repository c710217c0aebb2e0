"""Template files of other tools become Diptych templates, each with its losses; and back to Prompty v2 and dotprompt.

Rule: roles are read in the author's text alone, once, here. What the target cannot say is a
loss with a path; what would change what is asked is refused. The result is proved before it
is handed out: it loads, it renders, and it says what its source says.

One module a layout: its docstring lists what becomes what. ``registry`` finds them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import DiptychError, MigrationError
from .draft import Draft
from .finish import finish
from .model import Layout, Source, TemplateMigration, TemplateMigrations
from .registry import certain_layout, layout_for, layout_named, layouts
from .write_dotprompt import to_dotprompt
from .write_prompty import to_prompty

__all__ = [
    "TemplateMigration",
    "TemplateMigrations",
    "is_template",
    "layout_names",
    "layout_of",
    "migrate_template",
    "migrate_templates",
    "names_beside",
    "to_dotprompt",
    "to_prompty",
]


def layout_names() -> tuple[str, ...]:
    """Return the names of the layouts that are read, sorted.

    >>> layout_names()[:3]
    ('anthropic-request', 'banks', 'builders-python')
    """
    return tuple(sorted(layouts()))


def layout_of(text: str, filename: str = "") -> str:
    """Return the layout that a file is in, by its name and then by its keys.

    Raises MigrationError for a JSON or YAML file of no known shape.

    >>> layout_of("{}", "a.prompt.yml"), layout_of("Translate {text}", "a.txt")
    ('github-prompt', 'text')
    """
    return layout_for(_source(text, filename)).name


def is_template(text: str, filename: str) -> bool:
    """Return True where a file is a template of another tool without doubt, as in a search of a folder.

    >>> is_template('{"_type": "prompt", "template": "Hi {name}"}', "a.json"), is_template("{}", "a.json")
    (True, False)
    """
    try:
        return certain_layout(_source(text, filename)) is not None
    except DiptychError:
        return False


def names_beside(filename: str, *, layout: str = "auto") -> tuple[str, ...]:
    """Return the names of files that belong to a template file where they stand beside it.

    >>> names_beside("Summarize/skprompt.txt")
    ('config.json',)
    """
    if layout != "auto":
        return layout_named(layout).beside
    found = certain_layout(_source("", filename))
    return found.beside if found else ()


def migrate_template(
    text: str, filename: str = "<string>", *, layout: str = "auto", partials: Mapping[str, str] | None = None
) -> TemplateMigration:
    """Migrate one template file to a Diptych template.

    ``layout`` is one of :func:`layout_names`, by default what name and keys say; ``partials``
    are the texts that ``{{> name}}`` of dotprompt takes in, and of files that :func:`names_beside`
    asks for. Raises MigrationError for a file that is no such template, or one that asks for
    something that a Diptych template cannot do, or that holds several templates.

    >>> print(migrate_template("system:\\nYou are brief.\\n\\nuser:\\nHi {{name}}\\n", "a.prompty").source)
    {% system %}You are brief.{% endsystem %}
    {% user %}Hi {{name}}{% enduser %}
    <BLANKLINE>
    """
    found = migrate_templates(text, filename, layout=layout, partials=partials)
    if found.refusals:
        raise found.refusals[0]
    if len(found) != 1:
        hint = "take them by migrate_templates" if len(found) else "definitions bound to a name are read"
        raise MigrationError(f"the file holds {len(found) or 'no'} templates", path=filename, hint=hint)
    return found.migrations[0]


def migrate_templates(
    text: str, filename: str = "<string>", *, layout: str = "auto", partials: Mapping[str, str] | None = None
) -> TemplateMigrations:
    """Migrate every template that a file holds: a Python source may hold several, each with a name.

    ``layout`` and ``partials`` are those of :func:`migrate_template`.

    Raises MigrationError for a file that is not a template; a definition among others that is
    refused stands in ``refusals``, with its place.

    >>> source = 'from langchain_core.prompts import PromptTemplate\\nhello = PromptTemplate.from_template("Hi {name}")'
    >>> [(found.name, found.source) for found in migrate_templates(source, "a.py")]
    [('hello', 'Hi {{ name }}')]
    """
    source = _source(text, filename, is_named=layout != "auto", partials=partials)
    chosen = layout_for(source) if layout == "auto" else layout_named(layout)
    try:
        if layout == "auto" and source.name.endswith(".py") and chosen.read_all is not None:
            several = [one for one in layouts().values() if one.read_all is not None and one.is_certain(source)]
            found = [_finish_all(one, source) for one in several or [chosen] if one.read_all is not None]
            return TemplateMigrations(sum((x.migrations for x in found), ()), sum((x.refusals for x in found), ()))
        if chosen.read_all is not None and chosen.several(source):
            return _finish_all(chosen, source)
        draft = Draft(source.filename, text=source.text)
        draft.partials = source.partials
        chosen.read(source, draft)
        return TemplateMigrations((finish(draft, chosen),))
    except RecursionError:
        raise MigrationError("the file is nested too deeply", path=filename) from None


def _source(text: str, filename: str, *, is_named: bool = False, partials: Mapping[str, str] | None = None) -> Source:
    return Source(text.replace("\r\n", "\n").removeprefix("\ufeff"), filename, is_named, partials or {})


def _finish_all(layout: Layout, source: Source) -> TemplateMigrations:
    assert layout.read_all is not None
    drafts, refusals = layout.read_all(source)
    finished: list[TemplateMigration] = []
    for draft in drafts:
        try:
            finished.append(finish(draft, layout))
        except MigrationError as error:
            refusals.append(error)
    return TemplateMigrations(tuple(finished), tuple(refusals))
