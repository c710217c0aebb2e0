"""Calls of the Completions API in files that are no Python: Markdown, shell, JavaScript, JSON.

Rule: nothing of them is changed. A line is a call where it is code: inside a fence of Markdown, a line of a
script, an address of a JSON document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from .model import Place, Refusal

_JAVASCRIPT: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx")
#: Endings of the files that are looked at.
ENDINGS: Final = (".md", ".markdown", ".rst", ".sh", ".bash", ".zsh", ".json", *_JAVASCRIPT)
_PYTHON: Final = r"\b(?:openai\.Completion\.a?create|(?<!chat)\.completions\.create|\.createCompletion)\s*\("
_ADDRESS: Final = r"(?<!/chat)/(?:v1|engines/[^/\s\"']+|deployments/[^/\s\"']+)/completions\b"
_IN_CODE: Final = re.compile(rf"{_PYTHON}|{_ADDRESS}|\bopenai\s+api\s+completions\.create\b")
_LITELLM: Final = re.compile(r"(?<!def )\ba?text_completion\s*\(")
_IN_JSON: Final = re.compile(rf'"(?:url|uri|raw|path|endpoint|href)"\s*:\s*"[^"]*{_ADDRESS}')
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)")


def seen_elsewhere(text: str, name: str) -> list[Refusal]:
    """Return the calls that a file of another language holds, each with its place.

    >>> [str(r.place) for r in seen_elsewhere("curl https://api.openai.com/v1/completions", "ask.sh")]
    ['ask.sh:1:28']
    """
    if "ompletion" not in text:
        return []
    suffix = PurePosixPath(name).suffix.lower()
    lines = _fenced(text) if suffix in (".md", ".markdown") else enumerate(text.split("\n"), 1)
    pattern = _IN_JSON if suffix == ".json" else _IN_CODE
    is_litellm = "litellm" in text and suffix != ".json"
    is_anthropic = "nthropic" in text and "openai" not in text.lower()
    found = []
    for number, line in lines:
        match = None if line.lstrip().startswith(("#", "//")) else pattern.search(line)
        if match is None and is_litellm:
            match = _LITELLM.search(line)
        if match is not None and is_anthropic and ".completions." in match.group():
            continue
        if match is not None:
            said = match.group().strip()
            found.append(Refusal.of(Place(name, number, match.start() + 1), "other-language", said[:80]))
    return found


def _fenced(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of Markdown that stand in a fence or are indented as code."""
    is_inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if _FENCE.match(line):
            is_inside = not is_inside
        elif is_inside or line.startswith("    "):
            yield number, line
