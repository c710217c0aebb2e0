"""Filters for templates in a worker process: functions of a module, which pickle copies by their names."""

import os
import signal
import tempfile


def shout(value):
    return value.upper() + "!"


def reached(_):
    return ""


def environment(_):
    return sorted(os.environ)


def write(_):
    """What a template that got out of the sandbox might do."""
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 10_000)
        file.flush()


def start(_):
    return os.fork()


def sleep(_):
    signal.pause()


def crash(_):
    os.abort()


def process(_):
    return os.getpid()


class Evil:
    """A value that runs something where it is read."""

    def __reduce__(self):
        return os.system, ("echo evil",)


def evil():
    return Evil()
