"""Encodings: loaded on first use from the packed ranks in the wheel, never from the network.

Rule: an encoding is built once a process, under one lock, in whichever thread asks
first; a second one is never loaded unasked. It is not registered with tiktoken and
no environment variable is read. tiktoken itself is imported only to build one.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from ..catalogue.models import model_info
from ..errors import TokenError

if TYPE_CHECKING:
    from tiktoken import Encoding


class Recipe(NamedTuple):
    """What an encoding is made of: a packed file, how many ranks of it, a split pattern, control tokens."""

    file: str
    ranks: int | None
    pattern: str
    special: dict[str, int]


# The split patterns and control tokens below define the encodings; they are those that
# tiktoken 0.14.0 publishes (MIT, see ranks/LICENSE) and tests compare every one of them.
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

_loaded: dict[str, Encoding] = {}
_lock = threading.RLock()


def _renew_lock() -> None:
    # A fork while another thread loads would leave the child with a lock that nobody holds open.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def encoding(name: str) -> Encoding:
    """Return the encoding of this name as a ``tiktoken.Encoding``.

    It pickles by name. Raises TokenError for a name that is not in :data:`RECIPES`.

    >>> encoding("r50k_base").encode_ordinary("hello world")
    [31373, 995]
    """
    found = _loaded.get(name)
    if found is not None:
        return found
    if name not in RECIPES:
        raise TokenError(f"{name!r} is not an encoding", hint=f"one of {', '.join(RECIPES)}")
    with _lock:
        if name not in _loaded:
            from .packed import PackedEncoding

            _loaded[name] = PackedEncoding(name)
        return _loaded[name]


def encoding_for_model(model: str) -> Encoding:
    """Return the encoding that ``model`` uses.

    A model that is not in the table gets the encoding of its family (`gpt-9` that of
    the newest models). Raises TokenError where no family is known.

    >>> encoding_for_model("gpt-5.4-mini").name
    'o200k_base'
    """
    return encoding(encoding_name_for_model(model))


@lru_cache(maxsize=512)
def encoding_name_for_model(model: str) -> str:
    """Return the name of the encoding that ``model`` uses, without loading it.

    >>> encoding_name_for_model("gpt-3.5-turbo-0125")
    'cl100k_base'
    """
    info = model_info(model)
    if info.encoding is None:
        raise TokenError(
            f"no encoding is known for the model {model!r}",
            hint="name an OpenAI model, or pass an encoding's name",
        )
    return info.encoding


def preload(name: str = "o200k_base") -> threading.Thread:
    """Load an encoding in a background thread; join the returned thread to wait for it.

    >>> preload("r50k_base").join()
    """
    if name not in RECIPES:
        raise TokenError(f"{name!r} is not an encoding", hint=f"one of {', '.join(RECIPES)}")
    thread = threading.Thread(target=encoding, args=(name,), name=f"diptych-load-{name}", daemon=True)
    thread.start()
    return thread


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
