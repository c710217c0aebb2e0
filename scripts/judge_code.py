"""Print how the code migration does on public call sites that were judged by hand.

    python scripts/judge_code.py FOLDER

FOLDER holds unpacked distributions, each in a folder ``NAME-VERSION…`` (`pip download --no-deps NAME==VERSION`,
then unpack), and public repositories of GitHub, each in a folder ``OWNER__NAME``. The references are
``tests/migrate/code/judged.tsv``: distribution (or OWNER/NAME), version (or "github"), path, line and verdict.
No code of theirs is in this repository; what is not in FOLDER is left out.

``migrate``: whoever knows both APIs would migrate it with certainty. ``refuse``: it cannot be migrated from what
stands there. ``leave``: another API's, the project's own, or only spoken of: it must stay as it is.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

JUDGED = Path(__file__).parents[1] / "tests" / "migrate" / "code" / "judged.tsv"
VERDICTS = ("migrate", "refuse", "leave")
#: Kinds of change that are a site.
SITES = ("call", "langchain", "http", "mock")


class Judged(NamedTuple):
    """A site and its verdict."""

    package: str
    version: str
    path: str
    line: int
    verdict: str


def read() -> list[Judged]:
    """Return the references."""
    rows = [line.split("\t") for line in JUDGED.read_text("utf-8").splitlines()[1:]]
    return [Judged(package, version, path, int(line), verdict) for package, version, path, line, verdict in rows]


def folder_of(root: Path, judged: Judged) -> Path | None:
    """Return where a distribution is unpacked or a repository stands, None where neither does."""
    if judged.version == "github":
        found = root / judged.package.replace("/", "__")
        return found if found.is_dir() else None
    return next(iter(sorted(root.glob(f"{judged.package}-{judged.version}*"))), None)


def outcomes(root: Path) -> dict[Judged, str]:
    """Return what becomes of every site that is there: migrated, refused CODE, untouched."""
    from diptych.migrate.code.files import migrate_files

    found: dict[Judged, str] = {}
    rows = read()
    for folder in sorted({folder for row in rows if (folder := folder_of(root, row)) is not None}):
        own = [row for row in rows if folder_of(root, row) == folder]
        files = {
            file.file: file for file in migrate_files([folder, *(folder / row.path for row in own)], ignore=False).files
        }
        for row in own:
            file = files.get((folder / row.path).as_posix())
            changed = {change.place.line for change in file.changes if change.kind in SITES} if file else set()
            refused = {refusal.place.line: refusal.code for refusal in file.refusals} if file else {}
            if "syntax" in refused.values():  # that is said of the file
                refused[row.line] = "syntax"
            is_refused = f"refused {refused[row.line]}" if row.line in refused else "untouched"
            found[row] = "migrated" if row.line in changed else is_refused
    return found


def shares(found: dict[Judged, str]) -> dict[str, str]:
    """Return the shares in words."""
    certain = [said for row, said in found.items() if row.verdict == "migrate"]
    sites = {row: said for row, said in found.items() if row.verdict != "leave"}
    others = [said for row, said in found.items() if row.verdict == "leave"]
    right = [
        row for row, said in sites.items() if (said == "migrated") == (row.verdict == "migrate") and said != "untouched"
    ]
    right_or_refused = [row for row, said in sites.items() if row in right or said.startswith("refused")]
    codes = Counter(said.partition(" ")[2] for said in sites.values() if said.startswith("refused"))
    return {
        "sites": f"{len(found)} judged, {len(sites)} of the API, {len(others)} of others",
        "certain sites migrated": _share(certain.count("migrated"), len(certain)),
        "right, or refused with a reason": _share(len(right_or_refused), len(sites)),
        "wrong": str(sum(said == "migrated" and row.verdict == "refuse" for row, said in sites.items())),
        "missed in silence": str(sum(said == "untouched" for said in sites.values())),
        "others touched": str(others.count("migrated")),
        "codes": ", ".join(f"{code} {_share(number, len(sites))}" for code, number in codes.most_common()),
    }


def _share(number: int, of: int) -> str:
    return f"{number} of {of} ({number / of:.0%})" if of else "none"


def main() -> None:
    """Print the shares, and every site that is not as judged."""
    found = outcomes(Path(sys.argv[1]))
    for name, said in shares(found).items():
        print(f"{name}: {said}")
    wanted = {"migrate": "migrated", "refuse": "refused", "leave": "untouched"}
    for row, said in found.items():
        if not said.startswith(wanted[row.verdict]) and not (row.verdict == "leave" and said.startswith("refused")):
            print(f"{row.package}-{row.version}/{row.path}:{row.line}: judged {row.verdict}, {said}")


if __name__ == "__main__":
    main()
