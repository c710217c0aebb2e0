"""Recipes: what each encoding is made of, and the packed ranks in the wheel that it is made from.

The split patterns and control tokens are those that tiktoken 0.14.0 publishes (MIT, see
ranks/LICENSE); tests compare every one of them.
"""

from __future__ import annotations

import struct
import zlib
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import Final, NamedTuple


class Recipe(NamedTuple):
    """What an encoding is made of: a packed file, how many ranks of it, a split pattern, control tokens."""

    file: str
    ranks: int | None
    pattern: str
    special: dict[str, int]


_R50K: Final = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
_CL100K: Final = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"""
    r"""| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)
_LOWER: Final = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_UPPER: Final = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_TAIL: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_O200K: Final = "|".join(
    (
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_TAIL}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_TAIL}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
_END: Final = "<|endoftext|>"
_FIM: Final = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")


def _harmony() -> dict[str, int]:
    """Return the control tokens of the harmony format; ids between the named ones are reserved."""
    named = {
        "<|startoftext|>": 199998, _END: 199999, "<|return|>": 200002, "<|constrain|>": 200003,
        "<|channel|>": 200005, "<|start|>": 200006, "<|end|>": 200007, "<|message|>": 200008,
        "<|call|>": 200012,
    }  # fmt: skip
    taken = set(named.values())
    reserved = {f"<|reserved_{i}|>": i for i in range(200000, 201088) if i not in taken}
    return {**named, **reserved, "<|endofprompt|>": 200018}


RECIPES: Final[dict[str, Recipe]] = {
    "r50k_base": Recipe("p50k_base", 50256, _R50K, {_END: 50256}),
    "p50k_base": Recipe("p50k_base", None, _R50K, {_END: 50256}),
    "p50k_edit": Recipe("p50k_base", None, _R50K, {_END: 50256, **{t: 50281 + i for i, t in enumerate(_FIM)}}),
    "cl100k_base": Recipe(
        "cl100k_base",
        None,
        _CL100K,
        {_END: 100257, **{t: 100258 + i for i, t in enumerate(_FIM)}, "<|endofprompt|>": 100276},
    ),
    "o200k_base": Recipe("o200k_base", None, _O200K, {_END: 199999, "<|endofprompt|>": 200018}),
    "o200k_harmony": Recipe("o200k_base", None, _O200K, _harmony()),
}


def read_packed(file: str, ranks: int | None = None) -> dict[bytes, int]:
    """Return token to rank of a packed file, its first ``ranks`` ranks where given.

    The packed form is written down in ``scripts/pack_ranks.py``.
    """
    data = zlib.decompress(files(__package__).joinpath("ranks", f"{file}.bin").read_bytes())
    (total,) = struct.unpack_from("<I", data)
    count = total if ranks is None else ranks
    ends = list(accumulate(data[4 : 4 + count], initial=4 + total))
    tokens = {data[start:end]: rank for rank, (start, end) in enumerate(pairwise(ends))}
    tokens.pop(b"", None)  # a rank of length 0 holds no token (p50k_base, 50256)
    return tokens
