"""The command's door: the version is answered before the command line library loads."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the ``diptych`` command."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from . import __version__

        print(f"diptych {__version__}")
        return
    from .cli import main as run

    run()


if __name__ == "__main__":
    main()
