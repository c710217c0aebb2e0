"""The command ``diptych`` in processes of its own that need not import it each time."""

import atexit
import os
import subprocess
import sys
import tempfile

if __name__ == "worker":
    import diptych.cli
else:
    from .forks import Forks

    FORKS = Forks(__file__)
    atexit.register(FORKS.close)


def diptych_command(*words, cwd, env=None, input=""):
    """Run ``diptych WORDS`` in the folder ``cwd``; ``env`` is the whole environment, without it this process's."""
    row = {"words": words, "cwd": str(cwd), "env": dict(os.environ if env is None else env), "input": input}
    return subprocess.CompletedProcess(words, *FORKS.ended(row))


def run(row):
    """Be the command: standard output and error are those of the process."""
    os.chdir(row["cwd"])
    os.environ.clear()
    os.environ.update(row["env"])
    with tempfile.TemporaryFile() as given:
        given.write(row["input"].encode())
        given.seek(0)
        os.dup2(given.fileno(), 0)
    sys.argv = ["diptych", *row["words"]]
    diptych.cli.main()
