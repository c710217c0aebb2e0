"""The page of every public name of the package: what it takes and gives, its errors, an executed example.

The text is that of the docstrings; the tests run their examples.
"""

from __future__ import annotations

import inspect
import re
from functools import cached_property
from typing import Any

import diptych
import diptych.client
import diptych.testing

#: Headings, and the modules whose public names stand under each; a name of no other module stands last.
SUBJECTS = (
    ("Templates", ("templating", "sandbox.limits")),
    ("Conversion", ("conversion", "format", "loss", "policy", "sandbox.chat_template", "text")),
    ("Tokens and money", ("tokens", "prices")),
    ("The client", ("client",)),
    ("Values", ("model", "request", "response")),
    ("Errors", ("errors",)),
)
#: What has no docstring of its own: names for types.
ALIASES = {
    "Verdict": (
        'One of `"lossless"`, `"lossy"`, `"ambiguous"`: what a reading or a conversion proved.\n\n'
        ">>> from diptych import to_messages\n>>> to_messages(\"Hello\").verdict\n'lossless'"
    )
}
HEAD = """# Python

Look up a public name of `diptych`: what it takes, what it gives, its errors, its methods. Each example is
executed by the tests.

"""
#: Modules whose further public names stand in a section of their own, and what they are for.
MODULES = {
    "client": "What stands beside `Client` and `AsyncClient`; import it from `diptych.client`.",
    "testing": "A server for your own tests, and the faults it plays; import it from `diptych.testing`. "
    "`server.next(…)` takes any number of faults, one for each request.",
}


def python_page() -> str:
    """Return the page."""
    homes = {name: _home(name) for name in diptych.__all__}
    parts = [HEAD]
    for heading, modules in SUBJECTS:
        names = sorted(name for name, home in homes.items() if home.startswith(modules))
        parts.append(f"## {heading}\n\n" + "\n".join(entry(name) for name in names))
    return "\n".join([*parts, *map(_module_section, MODULES)])


def further_names(module: str) -> list[str]:
    """Return the public names of a module that the package itself does not have."""
    found = getattr(diptych, module)
    here = ((name, getattr(found, name)) for name in found.__all__)
    return sorted((name for name, value in here if getattr(diptych, name, None) is not value), key=str.lower)


def _module_section(module: str) -> str:
    values = {f"{module}.{name}": getattr(getattr(diptych, module), name) for name in further_names(module)}
    entries = (_table_entry(name, of) if isinstance(of, dict) else _entry(name, of) for name, of in values.items())
    return f"## diptych.{module}\n\n{MODULES[module]}\n\n" + "\n".join(entries)


def _table_entry(name: str, rows: dict[str, Any]) -> str:
    """Return the entry of a table of rows: a column for each field."""
    found = [row.to_json() for row in rows.values()]
    lines = [found[0].keys(), ["---"] * len(found[0]), *(row.values() for row in found)]
    said = f"A dict of `{type(next(iter(rows.values()))).__name__}` by name; that class says what the columns mean."
    return f"### {name}\n\n{said}\n\n" + "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: Any) -> str:
    words = {True: "yes", False: "no", None: "–"}
    return words[value] if value is None or isinstance(value, bool) else str(value).replace("|", "\\|")


def _home(name: str) -> str:
    return "loss" if name in ALIASES else getattr(diptych, name).__module__.removeprefix("diptych.")


def text_of(name: str) -> str:
    """Return the docstring of a public name, with its example."""
    return ALIASES.get(name) or inspect.getdoc(getattr(diptych, name)) or ""


def entry(name: str) -> str:
    """Return the entry of one public name."""
    return f"### {name}\n\n{_markdown(text_of(name))}\n" if name in ALIASES else _entry(name, getattr(diptych, name))


def _entry(name: str, value: Any) -> str:
    shown = f"```text\n{name.rpartition('.')[2]}{_signature(value)}\n```\n\n"
    members = _members(value) if inspect.isclass(value) else ""
    return f"### {name}\n\n{shown}{_markdown(inspect.getdoc(value) or '')}\n{members}"


class _Bare(str):
    """An annotation that is shown without quotes."""

    def __repr__(self) -> str:
        return str(self)


def _bare(annotation: Any) -> Any:
    return _Bare(annotation) if isinstance(annotation, str) else annotation


def _signature(value: Any, *, drop: int = 0) -> str:
    """Return the signature as text without its first ``drop`` parameters, a parameter a line where it is long."""
    try:
        whole = inspect.signature(value)
        parameters = [one.replace(annotation=_bare(one.annotation)) for one in whole.parameters.values()][drop:]
        signature = whole.replace(parameters=parameters, return_annotation=_bare(whole.return_annotation))
    except (TypeError, ValueError):
        return ""
    text = re.sub(r"<[^<>]+ at 0x[0-9a-f]+>", "…", str(signature))
    if len(text) <= 90:
        return text
    inner, arrow, result = text.removeprefix("(").rpartition(") -> ") if ") -> " in text else (text[1:-1], "", "")
    return "(\n    " + ",\n    ".join(_arguments(inner)) + f"\n){' -> ' + result if arrow else ''}"


def _arguments(text: str) -> list[str]:
    """Split arguments at the commas that stand in no bracket."""
    found, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [one.strip() for one in found]


def public_members(cls: type) -> dict[str, Any]:
    """Return the documented public methods and properties that a class of the package defines or inherits there."""
    found: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.startswith("diptych"):
            found |= {name: of for name, of in vars(owner).items() if not name.startswith("_") and _is_told(of)}
    return found


def _is_told(member: Any) -> bool:
    target = _target(member)
    return inspect.isroutine(target) and bool(inspect.getdoc(target))


def _target(member: Any) -> Any:
    if isinstance(member, cached_property):
        return member.func
    return getattr(member, "fget", None) or getattr(member, "__func__", member)


def _members(cls: type) -> str:
    """Return a table of the properties of a class, and an entry for each of its methods."""
    rows, entries = [], []
    for name, member in public_members(cls).items():
        if isinstance(member, property | cached_property):
            said = _markdown(inspect.getdoc(_target(member)) or "").partition("\n\n")[0]
            rows.append(f"| `.{name}` | {_cell(' '.join(said.split()))} |\n")
        else:
            entries.append(_method(cls, name, member))
    table = "\n| property | is |\n|---|---|\n" + "".join(rows) if rows else ""
    return table + "".join(entries)


def _method(cls: type, name: str, member: Any) -> str:
    """Return the entry of a method: how it is called and all that its docstring says."""
    target, is_bound = _target(member), not isinstance(member, staticmethod)
    word = "async " if inspect.iscoroutinefunction(target) else ""
    shown = f"{word}{cls.__name__}.{name}" if isinstance(member, classmethod) else f"{word}.{name}"
    signature = _signature(target, drop=1 if is_bound else 0)
    return (
        f"\n#### {cls.__name__}.{name}\n\n```text\n{shown}{signature}\n```\n\n{_markdown(inspect.getdoc(target) or '')}"
    )


def _markdown(text: str) -> str:
    """Return a docstring as Markdown: literals in one backtick, roles as code, examples fenced."""
    text = re.sub(r":[a-z]+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
    blocks = [
        f"```pycon\n{block}\n```" if block.lstrip().startswith(">>>") else block for block in re.split(r"\n\n+", text)
    ]
    return "\n\n".join(blocks) + "\n"
