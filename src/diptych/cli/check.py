"""``diptych check``: lint templates. Findings on standard output, a summary on standard error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from .options import Json, Model, NoIgnore

if TYPE_CHECKING:
    from ..templating.check import Finding

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


class Form(StrEnum):
    """How findings are written."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


Codes = Annotated[list[str] | None, typer.Option("--select", help="Codes, or their beginnings; ALL is every rule.")]
Ignored = Annotated[list[str] | None, typer.Option("--ignore", help="Codes, or their beginnings, to leave out.")]


def check_command(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Template files, or folders of them; - is standard input.")
    ] = None,
    select: Codes = None,
    ignore: Ignored = None,
    fix: Annotated[bool, typer.Option("--fix", help="Make the safe fixes in the files.")] = False,
    output_format: Annotated[Form, typer.Option("--output-format", help="How findings are written.")] = Form.text,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=0, help="Cap on the tokens of a sample.")
    ] = None,
    max_cost: Annotated[float | None, typer.Option("--max-cost", min=0, help="Cap on a sample's cost, in USD.")] = None,
    model: Model = None,
    no_ignore: NoIgnore = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with status 0 whatever is found.")] = False,
    json_: Json = False,
) -> None:
    """Check templates: syntax, inputs, parameters, roles, white space, caching. Exit with status 1 on findings.

    diptych check templates --select T1,T2 --output-format github
    """
    found, files = _found(paths or ["."], _codes(select), _codes(ignore), max_tokens, max_cost, model, not no_ignore)
    if fix:
        left = {file: _mend(file, findings) for file, findings in found.items()}
        print(f"{sum(map(len, found.values())) - sum(map(len, left.values()))} fixed", file=sys.stderr)
        found = left
    findings = [one for each in found.values() for one in each]
    _WRITERS[Form.json if json_ else output_format](findings)
    if output_format is Form.text and not json_:
        _summary(findings, files)
    if findings and not exit_zero:
        raise typer.Exit(1)


def _mend(file: str, findings: list[Finding]) -> list[Finding]:
    """Make the fixes in a file, and return the findings that have none; standard input stays as it is."""
    from ..templating.check import fixed

    mended = [one for one in findings if one.fix and file != "-"]
    if mended:
        text = Path(file).read_bytes().decode("utf-8")
        Path(file).write_bytes(fixed(text, mended).encode("utf-8"))
    return [one for one in findings if one not in mended]


def _codes(given: list[str] | None) -> list[str] | None:
    return [code for one in given for code in one.replace(",", " ").split()] if given else None


def _found(
    paths: Sequence[str],
    select: list[str] | None,
    ignore: list[str] | None,
    max_tokens: int | None,
    max_cost: float | None,
    model: str | None,
    ignores: bool,
) -> tuple[dict[str, list[Finding]], int]:
    import datetime
    import multiprocessing

    from ..catalogue import DEFAULT_MODEL
    from ..config import setting
    from ..templating.check import Settings, check_files, check_text, files_of, selected
    from .inputs import read_file

    rules = selected(select, ignore)
    chosen = setting("model", model) or DEFAULT_MODEL
    settings = Settings(datetime.date.today(), max_tokens, max_cost, chosen)
    found = {"-": check_text(read_file("-"), rules, settings, file="<stdin>")} if "-" in paths else {}
    files = list(files_of([path for path in paths if path != "-"], ignore=ignores))
    start = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"  # nothing here has threads
    for file, findings in check_files(files, select=select, ignore=ignore, settings=settings, start=start):
        found[file.as_posix()] = findings
    return found, len(found)


def _summary(findings: Sequence[Finding], files: int) -> None:
    counted = Counter(one.code for one in findings)
    said = ", ".join(f"{code} × {number}" for code, number in sorted(counted.items()))
    plural = "" if files == 1 else "s"
    print(f"{files} file{plural} checked: " + (said or "nothing found"), file=sys.stderr)
    if findings:
        print(f"diptych explain {findings[0].code} says why, and shows what to write", file=sys.stderr)


def _text(findings: Sequence[Finding]) -> None:
    from .output import write_text

    write_text("".join(f"{one}\n" for one in findings))


def _json(findings: Sequence[Finding]) -> None:
    from .output import write_document

    write_document(findings=[one.to_json() for one in findings])


def _github(findings: Sequence[Finding]) -> None:
    from .output import write_text

    for one in findings:
        place = one.location
        said = one.message + (f" ({one.hint})" if one.hint else "")
        fields = f"file={_escaped(place.file, ',:')},line={place.line},col={place.column},title={one.code}"
        write_text(f"::error {fields}::{_escaped(said)}\n")


def _escaped(text: str, more: str = "") -> str:
    """Return a text as GitHub's workflow commands take it."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _sarif(findings: Sequence[Finding]) -> None:
    from .. import __version__
    from ..templating.check import all_rules
    from .output import write_json

    rules: list[dict[str, Any]] = [
        {
            "id": rule.code,
            "name": rule.name,
            "shortDescription": {"text": rule.explanation.split("\n", 1)[0]},
            "fullDescription": {"text": rule.explanation},
        }
        for rule in all_rules()
    ]
    driver = {"name": "diptych", "version": __version__, "rules": rules}
    results = [_result(one) for one in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    write_json({"$schema": _SARIF, "version": "2.1.0", "runs": [run]})


def _result(one: Finding) -> dict[str, Any]:
    place = one.location
    region = {"startLine": place.line, "startColumn": place.column, "endColumn": place.column + place.width}
    physical = {"artifactLocation": {"uri": quote(place.file)}, "region": region}
    message = one.message + (f" ({one.hint})" if one.hint else "")
    return {
        "ruleId": one.code,
        "level": "warning",
        "message": {"text": message},
        "locations": [{"physicalLocation": physical}],
    }


_WRITERS = {Form.text: _text, Form.json: _json, Form.github: _github, Form.sarif: _sarif}
