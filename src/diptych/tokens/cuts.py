"""Safe cuts: places where a text may be split so that the tokens of both sides add up.

Rule: no split pattern joins a character that is no white space with white space after
it, line breaks apart; nor an ASCII letter or digit with a line break after it; nor, in
o200k_base and cl100k_base, a line break with an ASCII letter or digit after it. A cut
depends on its two neighbours alone, whatever stands further off. Property tests prove
it in every encoding (tests/tokens/test_cuts.py).
"""

from __future__ import annotations

import re
from typing import Final

from ..encodings.text import WHITE

_NO_BREAK: Final = WHITE.replace("\n", "").replace("\r", "")
# Letters beyond ASCII are left out: Unicode versions differ on what is one.
_EVERYWHERE: Final = rf"(?<=[^{WHITE}])(?=[{_NO_BREAK}])|(?<=[0-9A-Za-z])(?=[\r\n])"
_AFTER_BREAK: Final = rf"{_EVERYWHERE}|(?<=[\r\n])(?=[0-9A-Za-z])"
_CUTS: Final = {
    name: re.compile(_AFTER_BREAK if name.startswith(("o200k", "cl100k")) else _EVERYWHERE)
    for name in ("o200k_base", "o200k_harmony", "cl100k_base", "p50k_base", "p50k_edit", "r50k_base")
}


def safe_cuts(text: str, encoding_name: str = "o200k_base") -> list[int]:
    """Return every position at which ``text`` may be cut, the count staying the same.

    >>> safe_cuts("One two\\nthree")
    [3, 7, 8]
    """
    return [match.start() for match in _CUTS[encoding_name].finditer(text)]


def split_static(text: str, encoding_name: str) -> tuple[str, str, str] | None:
    """Return head, middle and tail of a text around its outermost safe cuts, None where it has none.

    >>> split_static("my dear friend,", "o200k_base")
    ('my', ' dear', ' friend,')
    """
    cuts = safe_cuts(text, encoding_name)
    if not cuts:
        return None
    return text[: cuts[0]], text[cuts[0] : cuts[-1]], text[cuts[-1] :]
