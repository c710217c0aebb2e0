"""The command line: one module a command, nothing heavy before it is needed.

Rule: data on standard output, everything else on standard error. Exit codes: 0 ok,
1 findings or over a limit, 2 usage or configuration, 3 network or server, 130
interrupted. No traceback without ``--debug``.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; always leaves by SystemExit."""
    from .app import make_app
    from .failure import exit_code_of, report

    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
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
