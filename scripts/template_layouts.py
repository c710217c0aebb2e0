"""The page on the layouts of other tools' template files, made of the modules that read them."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any, Final

from diptych.migrate.templates.registry import layouts

_HEAD: Final = """# Layouts of template files

Look up what becomes of a file of another tool: what a Diptych template carries, what is reported as a
loss or as ambiguous, and what is refused with its place. `diptych migrate templates` reads these
layouts; [Migrate templates](../how-to/migrate-templates.md) shows how.

```bash
diptych migrate templates prompts --out templates
```

*Compared with* names the program, and its version, that rendered the same templates when the layout was
tested. Where no program could be asked, the tool's documentation was the source.

"""
#: How the second column begins where something is not carried.
_KINDS: Final = {"lost": "Reported", "reported": "Reported", "ambiguous": "Reported", "refused": "Refused"}
_ORDER: Final = ("Carried", "In part", "Reported", "Refused")


def layouts_page() -> str:
    """Return the page: one section per layout, one table each."""
    sections = [_section(name, layout) for name, layout in sorted(layouts().items())]
    return _HEAD + "\n".join(sections)


def _section(name: str, layout: Any) -> str:
    doc = inspect.cleandoc(importlib.import_module(layout.read.__module__).__doc__ or "")
    first = " ".join(doc.partition("\n\n")[0].split())
    rows = sorted(_rows(doc), key=lambda row: _ORDER.index(_kind(row[1])))
    lines = [f"| {_cell(left)} | {_kind(right).lower()} | {_cell(right)} |" for left, right in rows]
    table = "| in the file | is | in the template |\n|---|---|---|\n" + "\n".join(lines)
    return f"## {name}\n\n{_literal(first)}\n\nCompared with: {layout.oracle}.\n\n{table}\n"


def _rows(doc: str) -> list[tuple[str, str]]:
    """Return the rows of the docstring's table; a row goes on where its first column is blank or ended in a comma."""
    lines = doc.splitlines()
    borders = [index for index, line in enumerate(lines) if re.fullmatch(r"=+ +=+", line)]
    if len(borders) < 2:
        return []
    at = lines[borders[0]].index(" ") + 1
    rows: list[tuple[str, str]] = []
    for line in lines[borders[0] + 1 : borders[-1]]:
        left, right = (line[:at].strip(), line[at:].strip()) if line[at - 1 : at].isspace() else (line.strip(), "")
        if rows and (not left or rows[-1][0].endswith(",") or not right):
            rows[-1] = (f"{rows[-1][0]} {left}".strip(), f"{rows[-1][1]} {right}".strip())
        else:
            rows.append((left, right))
    return rows


def _kind(text: str) -> str:
    word = re.match(r"\w+", text)
    found = _KINDS.get(word[0]) if word else None
    return found or ("In part" if re.search(r"\b(?:lost|reported|ambiguous|refused)\b", text) else "Carried")


def _literal(text: str) -> str:
    return re.sub(r":mod:`\.?(\w+)`", r"`\1`", text).replace("``", "`")


def _cell(text: str) -> str:
    return _literal(text).replace("|", "\\|")
