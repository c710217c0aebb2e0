"""Encodings: loaded on first use from the packed ranks in the wheel, never from the network.

Rule: an encoding is built once a process, under one lock, in whichever thread asks
first; a second one is never loaded unasked. It is not registered with tiktoken and
no environment variable is read. tiktoken itself is imported only to build one.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from ..catalogue.models import model_info
from ..errors import TokenError
from ..suggest import suggest
from .recipes import RECIPES

if TYPE_CHECKING:
    from tiktoken import Encoding

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

    It pickles by name. Raises TokenError for a name that is not in :data:`~diptych.encodings.recipes.RECIPES`.

    >>> encoding("r50k_base").encode_ordinary("hello world")
    [31373, 995]
    """
    found = _loaded.get(name)
    if found is not None:
        return found
    if name not in RECIPES:
        raise TokenError(f"{name!r} is not an encoding", hint=suggest(name, RECIPES))
    with _lock:
        if name not in _loaded:
            from .packed import PackedEncoding

            _loaded[name] = PackedEncoding(name, encoding)
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
        raise TokenError(f"{name!r} is not an encoding", hint=suggest(name, RECIPES))
    thread = threading.Thread(target=encoding, args=(name,), name=f"diptych-load-{name}", daemon=True)
    thread.start()
    return thread
