"""Standard output: data, exactly; one JSON document; tables for people."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

#: The version of every JSON document that a command prints.
VERSION = 1


def write_text(text: str) -> None:
    """Write text exactly; on a terminal a line break follows, so that the prompt stands clear."""
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    if sys.stdout.isatty() and not text.endswith("\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.flush()


def write_json(value: Any, *, indent: int | None = 2) -> None:
    """Write one JSON value and a line break."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.flush()


def _plain(value: Any) -> str:
    """Return bytes as base64, as raw JSON has them, and any other value as text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def write_document(**fields: Any) -> None:
    """Write the one JSON document of ``--json``."""
    write_json({"version": VERSION, **fields})


def console(*, stderr: bool = False) -> Any:
    """Return a rich console; it honours NO_COLOR and FORCE_COLOR."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)
