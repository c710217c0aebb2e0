"""What a person sees when a command fails, and with which code it ends."""

from __future__ import annotations

import os
import sys

from ..errors import BudgetExceeded, ClientError, DiptychError

OK, FINDINGS, USAGE, NETWORK, INTERRUPTED = 0, 1, 2, 3, 130


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
        text = str(error).replace("on_loss='report'", "--on-loss report")
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
