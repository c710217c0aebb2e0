"""Counting a text once: a small memo of texts and their tokens, an encoding each.

Rule: the memo changes no result. It keeps texts of at most :data:`LONGEST` characters
and at most :data:`ENTRIES` of them, so it holds at most some 30 MB an encoding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ..encodings.text import count_text

#: Texts remembered an encoding: the messages of many conversations.
ENTRIES: Final = 4096
#: Longer texts are counted anew each time: hashing them is no great gain over their memory.
LONGEST: Final = 8192


@lru_cache(maxsize=8)
def message_memo(encoding_name: str) -> Callable[[str], int]:
    """Return a function that counts a text in this encoding and remembers short ones.

    >>> message_memo("o200k_base")("Hello there")
    2
    """

    @lru_cache(maxsize=ENTRIES)
    def remembered(text: str) -> int:
        return count_text(text, encoding_name=encoding_name)

    def counted(text: str) -> int:
        return remembered(text) if len(text) <= LONGEST else count_text(text, encoding_name=encoding_name)

    return counted
