"""``diptych diff A B``: two versions of a template, sample by sample."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, Model

if TYPE_CHECKING:
    from ..templating.compare import Difference
    from ..templating.template import Template


def diff_command(
    before: Annotated[str, typer.Argument(help="A template file, or REVISION:PATH of Git.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
    data: Annotated[str | None, typer.Option("--data", help="JSONL of inputs, in place of the samples.")] = None,
    model: Model = None,
    json_: Json = False,
) -> None:
    """Compare two versions of a template over its samples: text, roles, tokens, cost, cached prefix.

    diptych diff HEAD~1:templates/translate.jinja templates/translate.jinja
    """
    from ..templating.compare import compare
    from .count import model_of
    from .output import write_document, write_text

    rows = rows_of(data) if data else None
    one, two = template_of(before), template_of(after)
    chosen = model_of(model, one if one.model else two)
    found = list(compare(one, two, model=chosen, samples=rows))
    if json_:
        write_document(differences=[one.to_json() for one in found])
    else:
        write_text("\n".join(map(_shown, found)))
    if not all(one.is_same for one in found):
        raise typer.Exit(1)


def template_of(name: str) -> Template:
    """Return the template of a file, or of ``REVISION:PATH`` in Git."""
    from ..errors import TemplateNotFound
    from ..templating.library import Library, load

    if Path(name).is_file():
        return load(name)
    revision, colon, path = name.partition(":")
    done = subprocess.run(["git", "show", f"{revision}:./{path}"], capture_output=True, check=False) if colon else None  # noqa: S603, S607
    if done is None or done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() if done else "there is no such file"
        raise TemplateNotFound(f"{name}: {said}", hint="give a file, or REVISION:PATH as for git show")
    folder = Path(path).parent
    library = Library(folder) if folder.is_dir() else Library()
    return library.from_text(done.stdout.decode("utf-8"), name=Path(path).name, file=name)


def rows_of(name: str) -> dict[str, Any]:
    """Return the inputs of each line of a JSONL file, by what to call them."""
    from .inputs import iter_jsonl

    return {f"row {number}": row for number, row in enumerate(iter_jsonl(name), 1) if isinstance(row, dict)}


def _shown(one: Difference) -> str:
    head = f"{one.sample}: " + ("the same" if one.is_same else "differs")
    lines = [head, *_errors(one)]
    if not one.is_same:
        lines += _texts(one)
    lines.append(f"  tokens {_number(one.before.tokens)} → {_number(one.after.tokens)}")
    lines.append(f"  cost   {_money(one.before.cost)} → {_money(one.after.cost)}")
    broken = f", broken by {one.prefix.broken_by!r}" if one.prefix.broken_by else ""
    lines.append(f"  prefix {one.prefix.tokens:,} of {one.prefix.total:,} tokens are shared{broken}")
    return "\n".join(lines) + "\n"


def _errors(one: Difference) -> list[str]:
    sides = (("before", one.before), ("after", one.after))
    return [f"  {name} does not render: {side.error}" for name, side in sides if side.error]


def _texts(one: Difference) -> list[str]:
    before, after = (_lines(side.messages) for side in (one.before, one.after))
    return [f"  {line}" for line in list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]]


def _lines(messages: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    for message in messages:
        content = message.get("content")
        lines += [f"[{message['role']}]", *(content if isinstance(content, str) else str(content)).split("\n")]
    return lines


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _money(value: Any) -> str:
    return "unknown" if value is None else f"{value:f} USD"
