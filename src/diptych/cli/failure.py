"""What a person sees when a command fails, and with which code it ends."""

from __future__ import annotations

import os
import re
import sys
from typing import Final

from ..errors import BudgetExceeded, ClientError, DiptychError

OK, FINDINGS, USAGE, NETWORK, INTERRUPTED = 0, 1, 2, 3, 130


#: How the Python library words a way out, and how the command line words it.
_WORDINGS: Final = (
    (
        r"pass api_key=… or set (\w+); api_key='' sends none",
        r"set \1; --base-url names another server, --dry-run sends nothing",
    ),
    (r"or pass api_key='' where the server needs none", "or unset the key where the server needs none"),
    (r"pass it as api_key=…", "set it in the environment, as OPENAI_API_KEY"),
    (r"record anew with mode 'new' or 'all'|record anew with mode 'all'", "record anew with --record"),
    (r"raise the budget", "raise --max-cost"),
    (r"pass max_tokens=…", "set max_tokens in the request, or under `params` in the template"),
    (r"pass trust_env=False", "unset the proxy in the environment"),
    (r"a budget in tokens needs no price", "leave out --max-cost, or name a model with a known price"),
    (r"name it with source=", "name it with --from"),
    (r"\b(on_loss|model|api)=(?:…|'(\w+)')", lambda found: f"--{found[1].replace('_', '-')} {found[2] or '…'}"),
)


def as_flags(text: str) -> str:
    """Return an error's text with the flags of the command line in place of Python's arguments.

    >>> as_flags("hint: pass on_loss='report'")
    'hint: pass --on-loss report'
    """
    for wording, flag in _WORDINGS:
        text = re.sub(wording, flag, text)
    return text


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of an error."""
    if isinstance(error, BudgetExceeded):
        return FINDINGS
    # The class itself, and none below it, says that a call was never made: a bad address, a file in the way.
    if isinstance(error, ClientError) and type(error) is not ClientError:
        return NETWORK
    return USAGE


def report(error: BaseException) -> None:
    """Print an error to standard error; unexpected ones say how to see more."""
    if isinstance(error, DiptychError):
        text = as_flags(str(error))
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"{os.fspath(error.filename)}: {error.strerror}"
    else:
        text = f"unexpected {type(error).__name__}: {error}\nhint: run again with --debug and report it"
    safe = text.encode("utf-8", "replace").decode()
    if _coloured():
        first, _, rest = safe.partition("\n")
        safe = f"\x1b[1;31merror:\x1b[0m {first}" + (f"\n{rest}" if rest else "")
    else:
        safe = f"error: {safe}"
    print(safe, file=sys.stderr)


def _coloured() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stderr.isatty()
