"""The page of every public name of the package: what it takes and gives, its errors, an executed example.

The text is that of the docstrings; the tests run their examples.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import diptych

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

Every public name of `diptych`, in the order of the work. Each example is executed by the tests.

"""


def python_page() -> str:
    """Return the page."""
    homes = {name: _home(name) for name in diptych.__all__}
    parts = [HEAD]
    for heading, modules in SUBJECTS:
        names = sorted(name for name, home in homes.items() if home.startswith(modules))
        parts.append(f"## {heading}\n\n" + "\n".join(entry(name) for name in names))
    return "\n".join(parts)


def _home(name: str) -> str:
    return "loss" if name in ALIASES else getattr(diptych, name).__module__.removeprefix("diptych.")


def text_of(name: str) -> str:
    """Return the docstring of a public name, with its example."""
    return ALIASES.get(name) or inspect.getdoc(getattr(diptych, name)) or ""


def entry(name: str) -> str:
    """Return the entry of one public name."""
    value = getattr(diptych, name)
    shown = f"```text\n{name}{_signature(value)}\n```\n\n" if name not in ALIASES else ""
    return f"### {name}\n\n{shown}{_markdown(text_of(name))}\n{_members(value) if inspect.isclass(value) else ''}"


def _signature(value: Any) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    text = re.sub(r"<object object at 0x[0-9a-f]+>", "…", str(signature)).replace("'", "")
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


def _members(cls: type) -> str:
    """Return a table of the public methods and properties that a class itself defines."""
    rows: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if not owner.__module__.startswith("diptych"):
            continue
        for name, member in vars(owner).items():
            target = getattr(member, "fget", None) or getattr(member, "__func__", member)
            text = inspect.getdoc(target) if inspect.isroutine(target) else None
            if not name.startswith("_") and text:
                shown = name if isinstance(member, property) else f"{name}()"
                said = _markdown(text).partition("\n")[0].replace("|", "\\|")
                rows[name] = f"| `.{shown}` | {said} |"
    return "\n| member | does |\n|---|---|\n" + "\n".join(rows.values()) + "\n" if rows else ""


def _markdown(text: str) -> str:
    """Return a docstring as Markdown: literals in one backtick, roles as code, examples fenced."""
    text = re.sub(r":[a-z]+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
    blocks = [
        f"```pycon\n{block}\n```" if block.lstrip().startswith(">>>") else block for block in re.split(r"\n\n+", text)
    ]
    return "\n\n".join(blocks) + "\n"
