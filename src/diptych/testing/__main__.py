"""Start the test server from a shell: ``python -m diptych.testing --port 8000 --strict``."""

from __future__ import annotations

import argparse
import math
import sys
import threading
from collections.abc import Sequence

from .server import Server


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; the base URL is the one line on standard output. Exit with status 2 for a port in use."""
    parser = argparse.ArgumentParser(
        prog="python -m diptych.testing", description="A deterministic server of the message APIs on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--strict", action="store_true", help="refuse what the real servers refuse")
    parser.add_argument("--delay", type=_seconds, default=0.0, help="seconds before each answer (default: 0)")
    parser.add_argument("--answer", help="text of every answer (default: the last message again)")
    options = parser.parse_args(arguments)
    text: str | None = options.answer
    answer = None if text is None else lambda _body: text
    try:
        server = Server(answer, strict=options.strict, delay=options.delay, port=options.port).start()
    except (OSError, OverflowError) as error:
        print(f"cannot listen on port {options.port}: {error}", file=sys.stderr)
        return 2
    try:
        print(server.base_url, flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        return 130
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
