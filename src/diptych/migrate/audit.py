"""What a migration would touch: call sites, models with shutdown dates, prompts, data sets.

Rule: nothing is changed and nothing is sent. A finding has its place and what is known for
certain: a model stands on the dated list by its exact name, a call is certain or refused
by the code migration itself, a prompt's format comes with its confidence.
"""

from __future__ import annotations

import ast
import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ..errors import DiptychError, MigrationError, MissingExtra
from ..formats.convert import to_messages
from ..formats.openai_chat import write
from ..formats.reading import dialects
from ..formats.registry import get, list_formats
from ..prices.usage import price_usage
from ..tokens import count
from ..wire.substitution import TO_CHAT
from .code import migrate_code

#: Rows of a data set that are converted to say what they cost; the rest is counted in proportion.
SAMPLE: Final = 2_000
#: Folders that hold other people's code or what tools made.
SKIPPED: Final = frozenset({"node_modules", "__pycache__", "site-packages", "build", "dist", "venv", "env"})
_TEMPLATES: Final = {
    ".jinja": "jinja", ".j2": "jinja", ".jinja2": "jinja", ".prompty": "prompty", ".prompt": "dotprompt",
    ".prompt.yml": "github-prompt", ".prompt.yaml": "github-prompt",
}  # fmt: skip
_LARGEST: Final = 5_000_000
#: The kinds of change that are a call each.
_CALLS: Final = ("call", "langchain", "http")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a migration touches: what kind, where (``file:line:col``), and the facts."""

    kind: str
    place: str
    facts: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return {"kind": self.kind, "place": self.place, **self.facts}


@dataclass
class Audit:
    """Everything found, in the order of the files.

    ``dated`` are the uses of models whose shutdown is on the list; ``tokens`` are those of
    the data sets before and after, ``cost`` their USD at the stand-in's price.
    """

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    unread: list[str] = field(default_factory=list)

    @property
    def dated(self) -> list[Finding]:
        """The findings whose model has a shutdown date."""
        return [finding for finding in self.findings if finding.facts.get("shutdown_date")]

    def of(self, kind: str) -> list[Finding]:
        """Return the findings of one kind: call, model, prompt, dataset or template."""
        return [finding for finding in self.findings if finding.kind == kind]

    def to_json(self) -> dict[str, Any]:
        """Return the audit as a JSON object."""
        kinds = ("call", "model", "prompt", "dataset", "template")
        return {
            "files": self.files,
            "summary": {kind: len(self.of(kind)) for kind in kinds} | {"dated": len(self.dated)},
            "findings": [finding.to_json() for finding in self.findings],
            "unread": self.unread,
        }


def audit(*paths: str | os.PathLike[str]) -> Audit:
    """Look through files and folders for what a migration to Chat would touch.

    Reads Python (and notebooks' code cells), JSON bodies, JSON lines and template files.
    Hidden folders and those of other people's code are left out. Raises MigrationError for
    a path that does not exist.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> source = "import openai\\nopenai.Completion.create(model='text-davinci-003', prompt='Hi')"
    >>> _ = (folder / "a.py").write_text(source)
    >>> [(f.kind, f.facts.get("shutdown_date")) for f in audit(folder).findings]
    [('call', None), ('model', '2024-01-04'), ('prompt', None)]
    """
    found = Audit()
    for path in paths:
        root = Path(path)
        if not root.exists():
            raise MigrationError("there is no such file or folder", path=os.fspath(path))
        for file in [root] if root.is_file() else _files(root):
            name = file.as_posix()
            reader = _reader_of(file)
            if reader is None:
                continue
            found.files += 1
            try:
                found.findings += reader(file, name)
            except (OSError, ValueError, RecursionError, DiptychError) as error:
                found.unread.append(f"{name}: {getattr(error, 'message', None) or error}")
    return found


def _files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(
            n for n in names if not n.startswith(".") and n not in SKIPPED and not n.endswith(".egg-info")
        )
        yield from (Path(folder) / name for name in sorted(files))


def _reader_of(file: Path) -> Any:
    lower = file.name.lower()
    if lower.endswith(".py"):
        return _python
    if lower.endswith(".ipynb"):
        return _notebook
    if lower.endswith(".jsonl"):
        return _dataset
    if any(lower.endswith(ending) for ending in _TEMPLATES):
        return _template
    return _body if lower.endswith(".json") and file.stat().st_size < _LARGEST else None


# Python -----------------------------------------------------------------------------


def _python(file: Path, name: str) -> list[Finding]:
    return _source(file.read_bytes().decode("utf-8-sig"), name)


def _notebook(file: Path, name: str) -> list[Finding]:
    cells = json.loads(file.read_text("utf-8")).get("cells") or []
    found: list[Finding] = []
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") == "code":
            source = "".join(cell.get("source") or ())
            lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
            found += _source("\n".join(lines), f"{name}[cell {number}]")
    return found


def _source(source: str, name: str) -> list[Finding]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes are the audited code's own affair
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            raise MigrationError(f"the source does not parse: {error.msg}", path=f"{name}:{error.lineno}") from None
    found = _calls(source, name)
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "prompt":
            text = _text_of(node.value)
            if text:
                found.append(_prompt(text, f"{name}:{node.value.lineno}:{node.value.col_offset + 1}"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TO_CHAT:
            found.append(_model(node.value, f"{name}:{node.lineno}:{node.col_offset + 1}"))
    return sorted(found, key=lambda finding: _line_of(finding.place))


def _calls(source: str, name: str) -> list[Finding]:
    try:
        migrated = migrate_code(source, name)
    except MissingExtra:
        return []
    calls = [Finding("call", str(c.place), {"migrates": True}) for c in migrated.changes if c.kind in _CALLS]
    calls += [Finding("call", str(r.place), {"migrates": False, "reason": r.reason}) for r in migrated.refusals]
    return calls


def _line_of(place: str) -> tuple[int, int]:
    _, line, column = place.rsplit(":", 2)
    return int(line), int(column)


def _text_of(node: ast.expr) -> str | None:
    """Return a literal's text; the holes of an f-string stand as ``{name}``."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{" + ast.unparse(part.value) + "}"
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _text_of(node.func.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text_of(node.left), _text_of(node.right)
        return None if left is None and right is None else (left or "{…}") + (right or "{…}")
    return None


# models and prompts -----------------------------------------------------------------------


def _model(name: str, place: str) -> Finding:
    stand_in = TO_CHAT[name]
    facts = {"model": name, "shutdown_date": stand_in.shutdown, "stand_in": stand_in.model, "source": stand_in.source}
    return Finding("model", place, facts)


def _prompt(text: str, place: str) -> Finding:
    format_, confidence, verdict, _ = dialects(text)[0]
    before, after = count(text, "gpt-3.5-turbo-instruct"), count([{"role": "user", "content": text}], "gpt-4o-mini")
    facts = {"format": format_, "confidence": round(confidence, 2), "verdict": verdict}
    return Finding("prompt", place, {**facts, "tokens_before": before.tokens, "tokens_after": after.tokens})


def _body(file: Path, name: str) -> list[Finding]:
    value = json.loads(file.read_text("utf-8-sig"))
    if not isinstance(value, dict) or not isinstance(value.get("prompt"), str | list):
        return []
    found = [_prompt(value["prompt"], f"{name}:1:1")] if isinstance(value["prompt"], str) else []
    model = value.get("model")
    return [*found, _model(model, f"{name}:1:1")] if isinstance(model, str) and model in TO_CHAT else found


def _template(file: Path, name: str) -> list[Finding]:
    kind = next(kind for ending, kind in _TEMPLATES.items() if file.name.lower().endswith(ending))
    text = file.read_text("utf-8-sig")
    found = [Finding("template", f"{name}:1:1", {"layout": kind, "tokens": count(text, "gpt-4o-mini").tokens})]
    for number, line in enumerate(text.splitlines(), 1):
        for model in TO_CHAT:
            column = _whole_word(line, model)
            if column:
                found.append(_model(model, f"{name}:{number}:{column}"))
    return found


def _whole_word(line: str, word: str) -> int:
    """Return the 1-based column of a word that stands alone in a line, 0 where it does not."""
    at = line.find(word)
    while at >= 0:
        before, after = line[at - 1 : at], line[at + len(word) : at + len(word) + 1]
        if not (before.isalnum() or before in ("-", "_")) and not (after.isalnum() or after in ("-", "_")):
            return at + 1
        at = line.find(word, at + 1)
    return 0


# data sets ----------------------------------------------------------------------------


def _dataset(file: Path, name: str) -> list[Finding]:
    rows = bad = 0
    sample: list[Any] = []
    with file.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            rows += 1
            if len(sample) + bad < SAMPLE:
                try:
                    sample.append(json.loads(line))
                except ValueError:
                    bad += 1
    objects: list[Mapping[str, Any]] = [row for row in sample if isinstance(row, dict)]
    layout = _layout_of(objects)
    facts: dict[str, Any] = {"layout": layout, "rows": rows, "sampled": len(sample) + bad, "bad": bad}
    if layout is not None and objects:
        facts |= _cost_of(objects, layout, rows / len(objects))
    models = sorted(
        {str(row.get("model") or (row.get("body") or {}).get("model")) for row in objects if _names_model(row)}
    )
    found = [Finding("dataset", f"{name}:1:1", facts)]
    return found + [_model(model, f"{name}:1:1") for model in models if model in TO_CHAT]


def _names_model(row: Mapping[str, Any]) -> bool:
    body = row.get("body")
    return isinstance(row.get("model"), str) or (isinstance(body, Mapping) and isinstance(body.get("model"), str))


def _layout_of(rows: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the layout that the rows have in common, None where no layout is theirs."""
    first = next(iter(rows), None)
    if first is None:
        return None
    if {"custom_id", "body"} <= first.keys():
        return "openai_batch"
    if isinstance(first.get("messages"), list):
        return "finetune_chat"
    layouts = [entry for entry in list_formats() if entry.kind == "dataset" and entry.detect is not None]
    sure = {entry.name: entry.detect(first) for entry in layouts if entry.detect is not None}
    best = max(sure, key=sure.__getitem__)
    return best if sure[best] > 0 else None


def _cost_of(rows: list[Mapping[str, Any]], layout: str, factor: float) -> dict[str, Any]:
    before = after = 0
    for row in rows:
        try:
            text, messages = _both_forms(row, layout)
        except (DiptychError, KeyError, TypeError):
            continue
        counted = count(messages, "gpt-4o-mini").tokens or 0
        after += counted
        before += counted if text is None else (count(text, "gpt-3.5-turbo-instruct").tokens or 0)
    total = round(after * factor)
    usd: Decimal | None = price_usage("gpt-4o-mini", {"prompt_tokens": total, "completion_tokens": 0})
    facts = {"tokens_before": round(before * factor), "tokens_after": total}
    return {**facts, "usd_after": None if usd is None else f"{usd.normalize():f}"}


def _both_forms(row: Mapping[str, Any], layout: str) -> tuple[str | None, list[dict[str, Any]]]:
    """Return the prompt of a row, None where it has messages already, and the messages it becomes."""
    if layout == "openai_batch":
        body = row["body"]
        if "messages" in body:
            return None, body["messages"]
        return body["prompt"], to_messages(body["prompt"]).messages
    read = get(layout).read
    assert read is not None
    text = row.get("prompt")
    return (text if isinstance(text, str) else None), write(read(row)[0])
