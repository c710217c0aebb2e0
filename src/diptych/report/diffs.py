"""Differences of texts as lines."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any


def unified(before: str, after: str) -> list[str]:
    """Return a unified diff of two texts, its two header lines left out.

    >>> unified("a", "b")
    ['@@ -1 +1 @@', '-a', '+b']
    """
    return list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=2))[2:]


def text_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return messages as one text for a diff: the role in brackets, then the content."""
    return "\n".join(f"[{one['role']}]\n{one.get('content')}" for one in messages)
