"""Fixtures of conftest.py that give OpenAI clients: what a test's parameter of that name is.

Rule: a fixture counts where its annotation or its body names a client of openai's, and the file imports openai.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FIXTURE: Final = re.compile(
    r"^@pytest(?:_asyncio)?\.fixture\b[^\n]*(?:\n@[^\n]*)*\n(?:async )?def (?P<name>\w+)"
    r"(?P<body>[^\n]*\n(?:[ \t][^\n]*\n|\n)*)",
    re.MULTILINE,
)
_CLIENT: Final = re.compile(r"\b(?:Async)?(?:Azure)?OpenAI\b")


def fixtures_of(text: str) -> frozenset[str]:
    """Return the names of the fixtures that give an OpenAI client.

    >>> sorted(fixtures_of("import openai\\n@pytest.fixture\\ndef ai():\\n    return openai.OpenAI()\\n"))
    ['ai']
    """
    if not re.search(r"^\s*(?:from|import) openai\b", text, re.MULTILINE):
        return frozenset()
    return frozenset(each["name"] for each in _FIXTURE.finditer(text + "\n") if _CLIENT.search(each["body"]))


def around(file: Path, conftests: Mapping[Path, frozenset[str]]) -> frozenset[str]:
    """Return the fixtures that a file of tests may ask for: those of its own folder and of those above."""
    folder = file.resolve().parent
    return frozenset().union(*(names for where, names in conftests.items() if where in (folder, *folder.parents)))
