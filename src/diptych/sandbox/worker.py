"""The process that runs strangers' templates: a warm parent that forks a child for each piece of work.

Rule: the parent reads work, forks, and passes on what the child wrote; it never runs a template itself. The child
has limits of the system that nothing in it can lift (processor time, address space, no file written, no process
started), does one piece of work, and ends: nothing of one render is left for the next. Work is a pickled function
with its arguments, from a caller that is trusted; an answer is read by the caller with a list of allowed classes.
"""

from __future__ import annotations

import gc
import math
import os
import pickle
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import IO, Any, Final

#: An answer is so many bytes at most: the largest output that the default caps allow, four bytes a character.
MOST_ANSWER: Final = 48_000_000
#: Files that a child may hold open at once: it reads what a template includes, and modules.
_MOST_FILES: Final = 64
_HEAD: Final = struct.Struct(">Q")
#: Exit status of a child whose answer is too long.
TOO_LONG: Final = 90


def write_frame(out: IO[bytes], data: bytes) -> None:
    """Write a length and the data."""
    out.write(_HEAD.pack(len(data)))
    out.write(data)
    out.flush()


def read_frame(source: IO[bytes]) -> bytes | None:
    """Return the data of the next frame, or None at the end."""
    head = source.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    (size,) = _HEAD.unpack(head)
    data = source.read(size)
    return data if len(data) == size else None


def serve(modules: list[str]) -> None:
    """Answer work from standard input on standard output until it ends; ``modules`` are imported first.

    One that has a function ``prepare_worker`` makes there what each render would have to make again.
    """
    work, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nothing:
        for number in (0, 1, 2):
            os.dup2(nothing.fileno(), number)  # a print of anybody's is not an answer
    for module in map(import_module, modules):
        prepare = getattr(module, "prepare_worker", None)
        if prepare is not None:
            prepare()
    gc.freeze()
    while (data := read_frame(work)) is not None:
        status, answer = _run_in_child(data, (work, answers))
        write_frame(answers, pickle.dumps(status) + answer)


def _run_in_child(data: bytes, channels: tuple[IO[bytes], ...]) -> tuple[int, bytes]:
    """Return the exit code of the child (negative: a signal) and what it wrote."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _be_child(data, writing, [reading, *(channel.fileno() for channel in channels)])
    os.close(writing)
    answer = b"".join(_pieces(reading, child))
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return (TOO_LONG, b"") if len(answer) > MOST_ANSWER else (status, answer if status == 0 else b"")


def _pieces(reading: int, child: int) -> Iterator[bytes]:
    """Yield what a child writes; one that writes too much is stopped."""
    size = 0
    while piece := os.read(reading, 1 << 16):
        yield piece
        size += len(piece)
        if size > MOST_ANSWER:
            os.kill(child, signal.SIGKILL)
            return


def _be_child(data: bytes, writing: int, foreign: list[int]) -> None:
    """Do the work of one frame, write the answer, and end the process."""
    status = 1
    with suppress(BaseException):
        for number in foreign:
            os.close(number)
        caps, function, arguments = pickle.loads(data)  # noqa: S301 - from the process that started this one
        _limit(*caps)
        answer = _answer(function, arguments)
        view = memoryview(answer)
        while view:
            view = view[os.write(writing, view) :]
        status = 0
    os._exit(status)


def _answer(function: Any, arguments: tuple[Any, ...]) -> bytes:
    try:
        return pickle.dumps((True, function(*arguments)), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        error.__cause__ = error.__context__ = error.__traceback__ = None
        return pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)


def _limit(seconds: float, memory: int) -> None:
    """Take limits of the system that this process cannot lift again: of time, and of memory beside what is there."""
    space, whole = _address_space() + memory, math.ceil(seconds)
    for what, most in (
        (resource.RLIMIT_AS, space), (resource.RLIMIT_CPU, whole), (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _MOST_FILES), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, 0),
    ):  # fmt: skip
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)  # ends the process, even inside of one long operation


def _address_space() -> int:
    with open("/proc/self/statm", "rb") as table:
        return int(table.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    serve(sys.argv[1:])
