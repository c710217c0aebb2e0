"""Claude Code's commands: Markdown under ``.claude/commands`` with ``$ARGUMENTS``.

====================================  ====================================================
``$ARGUMENTS``                        ``{{ arguments }}``, empty where none is given
``$1`` … ``$9``, ``$ARGUMENTS[0]``    ``{{ argument_1 }}`` …
no hole at all                        arguments stand behind the text there: reported
``!`git status` ``                    an input: its output stands there
``@path/to/file``                     text; the file's content is reported as lost
``description``, ``model``            ``description``, ``model``
``argument-hint``                     the description of ``arguments``
``allowed-tools``                     lost
====================================  ====================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ...errors import MigrationError
from .draft import Draft
from .holes import ended
from .model import Layout, Source
from .pieces import Piece, write
from .reading import split_front

_HOLE: Final = re.compile(r"\$ARGUMENTS\[(?P<index>\d)\]|\$(?P<all>ARGUMENTS)\b|\$(?P<at>[1-9])\b|!`(?P<run>[^`\n]+)`")
_FILE: Final = re.compile(r"(?<![\w@`.])@([\w~$][\w./-]*[\w/])")
_PLACE: Final = re.compile(r"(?:^|[\\/])\.claude[\\/]commands[\\/].*\.md$", re.I)
#: Front matter of one field a line.
_FIELD: Final = re.compile(r"^([\w-]+):[ \t]*(.*?)[ \t]*$", re.M)
_LINES: Final = re.compile(r"\A---[ \t]*\n((?:[\w-]+:[^\n]*\n)+)---[ \t]*(?:\n|\Z)")
_OWN: Final = {"allowed-tools", "argument-hint"}


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a command. Raises MigrationError."""
    meta, body = _front(source, draft)
    body = body.strip("\n")
    if not body:
        raise draft.refuse("there is no text")
    draft.text_field("description", meta.get("description"))
    draft.text_field("model", meta.get("model"))
    if meta.get("allowed-tools"):
        draft.lose("$.allowed-tools", "tools-dropped", "they are names of the program's own tools")
    draft.drop(meta, ("description", "model", *_OWN))
    line = source.text.count("\n", 0, source.text.find(body)) + 1
    names = _write(body, draft, line)
    _report(body, names, draft, line)
    _declare(meta, draft)
    draft.meaning = lambda inputs: [("user", _HOLE.sub(lambda found: str(inputs[names[found.start()]]), body))]


def _front(source: Source, draft: Draft) -> tuple[dict[str, Any], str]:
    """Return front matter and body; hints in brackets often make no YAML, and each line is a field then."""
    try:
        return split_front(source.text, source.filename)
    except MigrationError as error:
        found = _LINES.match(source.text)
        if found is None:
            raise
        draft.doubt(f"{error.path}: the front matter is no valid YAML: each line of it is read as one field")
        return dict(_FIELD.findall(found[1])), source.text[found.end() :]


def _write(body: str, draft: Draft, line: int) -> dict[int, str]:
    """Write the body and return the name of each hole by its place."""
    pieces, last, names = [], 0, {}
    for found in _HOLE.finditer(body):
        names[found.start()] = _name(found)
        at = line + body.count("\n", 0, found.start())
        if found["run"]:
            detail = f"{found[0][:60]} runs a command: give its output as the input {names[found.start()]}"
            draft.lose(f"line {at}", "substituted", detail)
        pieces += [Piece("text", body[last : found.start()], at)]
        pieces += [Piece("print", f"{{{{ {draft.input_name(names[found.start()])} }}}}", at)]
        last = found.end()
    draft.prompt(ended(write([*pieces, Piece("text", body[last:])])))
    return names


def _name(found: re.Match[str]) -> str:
    if found["run"]:
        return f"output_of_{re.sub(r'[^a-z0-9]+', '_', found['run'].lower()).strip('_')[:40]}"
    number = found["at"] or (int(found["index"]) + 1 if found["index"] else "")
    return f"argument_{number}" if number else "arguments"


def _report(body: str, names: Mapping[int, str], draft: Draft, line: int) -> None:
    for found in _FILE.finditer(body):
        at = line + body.count("\n", 0, found.start())
        draft.lose(f"line {at}", "text-dropped", f"the content of {found[1]} is added there; its name stays")
    if not any(name.startswith("argument") for name in names.values()):
        draft.lose("$.arguments", "text-dropped", "arguments that are given stand behind the text there")


def _declare(meta: Mapping[str, Any], draft: Draft) -> None:
    for name in list(draft.names):
        if name == "arguments":
            draft.lose("$.arguments", "defaulted", "arguments that are not given are empty")
            draft.add_input(name, {"type": "string"}, description=meta.get("argument-hint"), default="")
        else:
            draft.add_input(name, {"type": "string"})


def _is_certain(source: Source) -> bool:
    return _PLACE.search(source.filename) is not None


def _is_likely(source: Source) -> bool:
    if not source.name.endswith(".md"):
        return False
    has_meta = re.match(rf"\A---\n(?:.*\n)*?(?:{'|'.join(_OWN)}):", source.text) is not None
    return has_meta or "$ARGUMENTS" in source.text


LAYOUT: Final = Layout("claude-command", read, _is_certain, _is_likely, rank=35)
