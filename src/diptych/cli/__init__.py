"""The command line: one module a command, nothing heavy before it is needed.

Rule: data on standard output, everything else on standard error. Exit codes: 0 ok,
1 findings or over a limit, 2 usage or configuration, 3 network or server, 130
interrupted. No traceback without ``--debug``; with ``--quiet`` standard error has errors alone.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any, NoReturn


def main() -> NoReturn:
    """Run the command line; always leaves by SystemExit."""
    from .app import make_app
    from .failure import exit_code_of, report

    debug = _taken("--debug")
    warnings.showwarning = _warn
    try:
        with _noted(quiet=sys.argv[1:2] != ["serve"] and _taken("--quiet")):
            make_app()()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        # The reader went away, as `| head` does: not our failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if debug:
            raise
        report(error)
        code = exit_code_of(error)
    sys.exit(code)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as the commands show their notes: without the place in the code."""
    print(f"warning: {message}", file=sys.stderr)


def _taken(flag: str) -> bool:
    """Return whether a flag that every command has is given, and take it away."""
    given = flag in sys.argv[1:]
    if given:
        sys.argv.remove(flag)
    return given


@contextlib.contextmanager
def _noted(*, quiet: bool) -> Iterator[None]:
    """Hold back what is written to standard error; it is printed where the command cannot be run."""
    if not quiet:
        yield
        return
    notes, standard = io.StringIO(), sys.stderr
    sys.stderr = notes
    try:
        yield
    except SystemExit as stop:
        if stop.code not in (None, 0, 1):
            standard.write(notes.getvalue())
        raise
    finally:
        sys.stderr = standard
