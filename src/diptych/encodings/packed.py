"""The bridge to tiktoken: an ``Encoding`` that is built from the packed ranks.

Rule: the only module of this package that imports tiktoken, so that counting bytes
or looking up a model costs no import. It pickles by name and keeps no second copy
of the ranks: the Rust side holds them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tiktoken

from .recipes import RECIPES, read_packed


class PackedEncoding(tiktoken.Encoding):
    """A ``tiktoken.Encoding`` made offline; ``pickle`` and ``copy`` give the loaded one back.

    >>> import pickle
    >>> from diptych.encodings.encoding import encoding
    >>> loaded = encoding("r50k_base")
    >>> pickle.loads(pickle.dumps(loaded)) is loaded
    True
    """

    def __init__(self, name: str, load: Callable[[str], tiktoken.Encoding]) -> None:
        recipe = RECIPES[name]
        self._load = load
        super().__init__(
            name,
            pat_str=recipe.pattern,
            mergeable_ranks=read_packed(recipe.file, recipe.ranks),
            special_tokens=dict(recipe.special),
        )

    @property
    def _mergeable_ranks(self) -> dict[bytes, int]:
        """The ranks, read anew: tiktoken needs them once, and 200,000 of them weigh 25 MB."""
        recipe = RECIPES[self.name]
        return read_packed(recipe.file, recipe.ranks)

    @_mergeable_ranks.setter
    def _mergeable_ranks(self, ranks: dict[bytes, int]) -> None:
        """Forget what the constructor of tiktoken stores."""

    def count_many(self, texts: list[str]) -> int:
        """Return the tokens of many texts, none of them longer than ``text.LONG_RUN``: with no detour for each.

        >>> from diptych.encodings.encoding import encoding
        >>> encoding("r50k_base").count_many(["hello world", "<|endoftext|>", chr(0xD800)])
        10
        """
        try:
            return sum(map(len, map(self._core_bpe.encode_ordinary, texts)))
        except UnicodeEncodeError:  # a lone surrogate, which the method above replaces
            return sum(map(len, map(self.encode_ordinary, texts)))

    def __reduce__(self) -> tuple[Any, ...]:
        return (self._load, (self.name,))
