"""A process that has imported a worker once and forks a child for every row: what a child does ends with it.

``python forks.py WORKER.py`` imports the worker, then reads JSON rows on standard input, a line each. For each it
forks; the child does ``run(row)`` of the worker and prints what that returns, if anything. The answer is a JSON line:
how the child ended, what it wrote to standard output and to standard error.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"


class Forks:
    """Run rows in children of one process that stays; started at the first row, ended by ``close``."""

    def __init__(self, worker):
        self.worker, self.process = worker, None

    def ended(self, row):
        """Return how the child of ``row`` ended: its status, its standard output and its standard error."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, __file__, str(self.worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=os.environ | {"PYTHONPATH": str(SOURCE)},
            )  # fmt: skip
        print(json.dumps(row), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def __call__(self, row):
        """Return what the worker returns for ``row``; a child that died fails the test."""
        status, printed, complained = self.ended(row)
        assert status == 0, f"the process died ({status}): {complained[-800:]}"
        return json.loads(printed)

    def close(self):
        if self.process is not None:
            self.process.communicate()


def serve(worker):
    spec = importlib.util.spec_from_file_location("worker", worker)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if not child:
                _run(module, json.loads(line), out.fileno(), err.fileno())
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print(json.dumps([status, *map(_text, (out, err))]), flush=True)


def _run(module, row, out, err):
    """Be the child: never returns, and leaves without what Python does at an end, which is its parent's to do."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    status = 1
    try:
        if (made := module.run(row)) is not None:
            print(json.dumps(made))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _text(file):
    file.seek(0)
    return file.read().decode(errors="replace")


if __name__ == "__main__":
    serve(sys.argv[1])
