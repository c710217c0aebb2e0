"""``diptych migrate templates``: template files of other tools become Diptych templates, and back."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from .options import Json, NoIgnore, OnLoss, on_loss_option


class Target(StrEnum):
    """What is written."""

    diptych = "diptych"
    prompty = "prompty"
    dotprompt = "dotprompt"


def _complete_layout(incomplete: str) -> list[str]:
    from ..migrate.templates import layout_names

    return [name for name in ("auto", *layout_names()) if name.startswith(incomplete)]


def templates_command(
    paths: Annotated[list[str], typer.Argument(help="Template files of other tools, or folders; - is standard input.")],
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="The folder to write to; without it they are shown.")
    ] = None,
    from_: Annotated[
        str,
        typer.Option("--from", help="The layout, by default what name and keys say.", autocompletion=_complete_layout),
    ] = "auto",
    to: Annotated[
        Target, typer.Option("--to", help="diptych, or prompty or dotprompt for the way back.")
    ] = Target.diptych,
    on_loss: Annotated[
        OnLoss, on_loss_option("report: losses go to standard error. raise: a file that loses anything is refused.")
    ] = OnLoss.report,
    force: Annotated[bool, typer.Option("--force", help="Write over files that differ.")] = False,
    no_ignore: NoIgnore = False,
    json_: Json = False,
) -> None:
    """Turn template files of other tools (Prompty, LangChain, promptfoo, Dify and others) into Diptych templates.

    diptych migrate templates prompts --out templates
    """
    from .output import write_document, write_text

    run = _Run(Path(out) if out is not None else None, to, on_loss, force)
    for file in _template_files(paths, to, not no_ignore):
        run.migrate(file, from_)
    if not run.documents:
        shown = ", ".join(paths)
        print(f"nothing was found in {shown}: a file whose layout is not certain has to be named", file=sys.stderr)
    several = sum("source" in document for document in run.documents) > 1
    for document in run.documents:
        source = document.pop("source", None)
        if source is not None and out is None:
            if json_:
                document["source"] = source
            else:
                write_text(_headed(source, document) if several else source)
    if json_:
        write_document(files=run.documents)
    if out is not None:
        written = sum("written" in document for document in run.documents)
        print(f"{written} template{'' if written == 1 else 's'} written to {out}", file=sys.stderr)
    if run.refused:
        raise typer.Exit(1)


def _headed(source: str, document: dict[str, Any]) -> str:
    """Return a template under a line with the name of its file, and its own in a file of several."""
    name = f" {document['name']}" if document.get("name") else ""
    return f"==> {document['file']}{name} <==\n{source.rstrip(chr(10))}\n\n"


class _Run:
    """One call of the command: what was written where, and what was refused."""

    def __init__(self, out: Path | None, to: Target, on_loss: OnLoss, force: bool) -> None:
        self.out, self.to, self.on_loss, self.force = out, to, on_loss, force
        self.documents: list[dict[str, Any]] = []
        self.refused = 0
        self._written: dict[Path, str] = {}

    def migrate(self, file: Path, layout: str) -> None:
        """Migrate every template of a file; what is refused is told and counted."""
        from ..errors import DiptychError

        try:
            found, refusals = self._migrations(file, layout)
        except DiptychError as error:
            self._refuse(file, error)
            return
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not UTF-8 text"
            self._refuse(file, reason)
            return
        if not found and not refusals:
            self._refuse(file, "nothing was found: no definition in it is a template of a layout that is read")
        for migration in found:
            self._take(file, migration)
        for refusal in refusals:
            self._refuse(file, refusal)

    def _migrations(self, file: Path, layout: str) -> tuple[Any, Any]:
        from ..migrate.templates import migrate_templates, names_beside, to_dotprompt, to_prompty
        from ..templating.template import Template

        is_stdin = str(file) == "-"
        text = (sys.stdin.buffer.read() if is_stdin else file.read_bytes()).decode("utf-8-sig")
        if self.to is not Target.diptych:
            write = to_prompty if self.to is Target.prompty else to_dotprompt
            return [write(Template.from_string(text, name=str(file)), name=file.stem)], ()
        name = "<stdin>" if is_stdin else str(file)
        partials = {} if is_stdin else _partials_of(file) | _beside(file, names_beside(name, layout=layout))
        found = migrate_templates(text, name, layout=layout, partials=partials)
        return found.migrations, found.refusals

    def _take(self, file: Path, migration: Any) -> None:
        name = migration.name if self.to is Target.diptych else ""
        document: dict[str, Any] = {
            "file": str(file),
            **({"name": name} if name else {}),
            "layout": migration.layout,
            "verdict": migration.verdict,
            **({"detail": migration.detail} if migration.detail else {}),
            "losses": [loss.to_json() for loss in migration.losses],
        }
        if self.on_loss is not OnLoss.ignore:
            for loss in migration.losses:
                print(f"{file}{f' ({name})' if name else ''}: {loss}", file=sys.stderr)
            if migration.detail:
                print(f"{file}{f' ({name})' if name else ''}: ambiguous: {migration.detail}", file=sys.stderr)
        if self.on_loss is OnLoss.raise_ and migration.verdict != "lossless":
            self.refused += 1
            what = "it is ambiguous" if migration.verdict == "ambiguous" else "it would lose something"
            self.documents.append({**document, "error": f"{what}, and --on-loss is raise"})
            return
        if self.out is None:
            self.documents.append({**document, "source": migration.source})
            return
        try:
            target = self._write(self.out / f"{name or _stem(file)}{_SUFFIXES[self.to]}", migration.source, str(file))
            self.documents.append({**document, "written": str(target)})
        except (FileExistsError, OSError) as error:
            self._refuse(file, str(error) if isinstance(error, FileExistsError) else error.strerror or "not written")

    def _write(self, target: Path, source: str, origin: str) -> Path:
        """Write a file whole or not at all; another template's place is never taken."""
        if (other := self._written.get(target)) is not None:
            raise FileExistsError(f"{target} is written already, from {other}")
        if target.exists() and not self.force and target.read_bytes() != source.encode():
            raise FileExistsError(f"{target} is there already and differs: --force writes over it")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(source.encode())
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)
            Path(temporary).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
        self._written[target] = origin
        return target

    def _refuse(self, file: Path, error: Any) -> None:
        from ..errors import DiptychError

        self.refused += 1
        reason = error.message if isinstance(error, DiptychError) else str(error)
        place = (error.where() if isinstance(error, DiptychError) else None) or str(file)
        place = place if place.startswith(str(file)) else str(file)
        self.documents.append({"file": str(file), "error": reason, "place": place})
        hint = f"\n  hint: {error.hint}" if isinstance(error, DiptychError) and error.hint else ""
        print(f"{place}: refused: {reason}{hint}", file=sys.stderr)


_SUFFIXES: Final = {Target.diptych: ".jinja", Target.prompty: ".prompty", Target.dotprompt: ".prompt"}
#: What a folder is searched for; a file that is named is read whatever its name.
_ENDINGS: Final = (".prompty", ".prompt", ".json", ".yaml", ".yml", ".txt", ".md", ".py", ".jinja", ".jinja2", ".j2")
_OWN_ENDINGS: Final = (".jinja", ".jinja2", ".j2")
#: Larger than any template: not opened in a search.
_MAX_BYTES: Final = 2_000_000


def _beside(file: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the texts of the files that belong to one and stand beside it."""
    return {
        name: (file.parent / name).read_bytes().decode("utf-8-sig") for name in names if (file.parent / name).is_file()
    }


def _stem(file: Path) -> str:
    if str(file) == "-":
        return "stdin"
    if file.name.lower() == "skprompt.txt" and file.parent.name:
        return file.parent.name  # the folder is its name
    name = file.name.removesuffix(".yml").removesuffix(".yaml")
    return name.rpartition(".")[0] or file.stem


def _template_files(paths: list[str], to: Target, ignore: bool) -> Iterator[Path]:
    """Yield the files that are named, and of folders those that are templates without doubt."""
    from ..walk import iter_files

    for path in map(Path, paths):
        if path.is_dir():
            yield from (file for file in iter_files(path, ignore=ignore) if _is_template(file, to))
        else:
            yield path


def _is_template(file: Path, to: Target) -> bool:
    from ..migrate.templates import is_template

    if to is not Target.diptych:
        return file.name.lower().endswith(_OWN_ENDINGS)
    if not file.name.lower().endswith(_ENDINGS):
        return False
    return (text := _text_of(file)) is None or is_template(text, str(file))


def _partials_of(file: Path) -> dict[str, str]:
    """Return the partials of dotprompt that stand beside a file, or in the folder above, by their names."""
    if file.suffix.lower() != ".prompt":
        return {}
    beside = [*file.parent.parent.glob("_*.prompt"), *file.parent.glob("_*.prompt")]
    return {one.name[1 : -len(".prompt")]: _text_of(one, is_whole=True) or "" for one in beside}


def _text_of(file: Path, *, is_whole: bool = False) -> str | None:
    """Return the text of a file for a look at it; empty where it is none, None where only its name tells."""
    if not is_whole and file.name.lower().endswith((".prompty", ".prompt", ".prompt.yml", ".prompt.yaml")):
        return None
    try:
        return file.read_bytes().decode("utf-8-sig") if file.stat().st_size <= _MAX_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return ""
