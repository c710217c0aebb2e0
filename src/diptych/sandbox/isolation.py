"""Run a function in a worker process under limits of the system: ``Limits(isolate=True)``.

Rule: the result is what the function returns here, or the error that it raises; a worker that runs out of time,
memory or anything else is a ResourceLimit, whatever it was doing. Workers are started once and wait; each piece
of work runs in a fork of its own. A worker sees none of this process's memory and little of its environment, and
what it answers is read with a list of allowed classes, so that an answer cannot run anything here.
"""

from __future__ import annotations

import atexit
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any, Final, TypeVar

from ..errors import DiptychError, ResourceLimit, TemplateError
from ..loss import Loss
from ..model import Message
from .limits import Limits

T = TypeVar("T")

#: No cap of the caller's lets a worker run longer (seconds) or grow by more (bytes of address space).
MOST_SECONDS: Final = 10.0
MOST_MEMORY: Final = 224 * 1024 * 1024
#: Beside the seconds of the caps: the worker's own clock should end a render first, with a place in its error.
_GRACE: Final = 0.5
#: And the time to start a worker and to send work on a machine that does a lot else.
_PATIENCE: Final = 20.0
#: What an answer may be made of, beside the modules that the caller names: values, and errors.
_VALUES: Final = tuple(sys.modules[kind.__module__] for kind in (DiptychError, Loss, Message))
#: What a worker sees of the environment: no key, no token.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONHASHSEED", "LD_LIBRARY_PATH")


def run_isolated(
    function: Callable[..., T], *arguments: Any, limits: Limits, classes: tuple[ModuleType, ...] = ()
) -> T:
    """Return ``function(*arguments)``, run in a worker process under limits of the system.

    ``function`` is a function of a module, ``arguments`` can be pickled; ``classes`` are the modules whose classes
    the result may hold, beside those of the neutral model. Of ``limits``, ``seconds`` counts, up to 10; the address
    space of the worker may grow by 224 MiB. Raises the DiptychError that the function raises,
    ResourceLimit where the worker had to be stopped, and TemplateError where there can be no worker.
    """
    refuse_elsewhere()
    seconds = min(limits.seconds, MOST_SECONDS) + _GRACE
    work = _packed(((seconds, MOST_MEMORY), function, arguments))
    worker = _POOL.take()
    try:
        answer = worker.ask(work, seconds)
    except BaseException:
        worker.stop()
        raise
    _POOL.give(worker)
    status, rest = _split(answer)
    if status:
        raise ResourceLimit(_stopped(status, seconds - _GRACE), hint="simplify the template")
    try:
        is_result, value = _Reader(io.BytesIO(rest), classes).load()
    except pickle.UnpicklingError as error:
        raise TemplateError(f"the worker process answered what it may not: {error}") from None
    if is_result:
        return value  # type: ignore[no-any-return]
    raise value if isinstance(value, DiptychError) else TemplateError(f"the worker process failed: {value}")


def refuse_elsewhere() -> None:
    """Raise TemplateError where the system has no such limits."""
    if not sys.platform.startswith("linux"):
        raise TemplateError(
            f"Limits(isolate=True) works on Linux only, not on {sys.platform}",
            hint="leave isolate out: the caps of Limits hold in this process, too",
        )
    if not sys.executable:
        raise TemplateError("Limits(isolate=True) needs sys.executable, the path of a Python interpreter")


def _packed(work: Any) -> bytes:
    try:
        return pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise TemplateError(
            f"with Limits(isolate=True), filters, globals and inputs must be such that pickle can copy them: {error}",
            hint="use functions of a module in place of lambdas",
        ) from None


def _split(answer: bytes) -> tuple[int, bytes]:
    stream = io.BytesIO(answer)
    status = _Reader(stream, ()).load()
    return int(status), stream.read()


def _stopped(status: int, seconds: float) -> str:
    from .worker import TOO_LONG

    if status in (-signal.SIGALRM, -signal.SIGXCPU):
        return f"the render takes longer than {seconds:g} s"
    if status == TOO_LONG:
        return "the output of the render is too large"
    name = signal.Signals(-status).name if status < 0 else f"status {status}"
    return f"the render used up the memory of its worker process, or made it fail ({name})"


class _Reader(pickle.Unpickler):
    """Read an answer: plain data, and what these modules themselves define: values, errors, and their makers."""

    def __init__(self, stream: io.BytesIO, classes: tuple[ModuleType, ...]) -> None:
        super().__init__(stream)
        self._modules = {module.__name__: module for module in (*_VALUES, *classes)}

    def find_class(self, module: str, name: str) -> Any:
        found = getattr(self._modules.get(module), name, None)
        if callable(found) and found.__module__ == module:
            return found
        raise pickle.UnpicklingError(f"an answer may not hold {module}.{name}")


class _Worker:
    """One process that waits for work, all modules that a render may need loaded."""

    def __init__(self) -> None:
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self._process = subprocess.Popen(  # noqa: S603 - our own module, in the same interpreter
            [sys.executable, "-m", f"{__package__}.worker", *_loaded()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**kept, "PYTHONPATH": paths}, start_new_session=True, cwd=os.getcwd(),
        )  # fmt: skip
        self.process_id = self._process.pid

    def ask(self, work: bytes, seconds: float) -> bytes:
        """Return the answer. Raises ResourceLimit where there is none in time."""
        from .worker import read_frame, write_frame

        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = threading.Timer(seconds + _PATIENCE, self.stop)  # also where the worker does not even read
        late.daemon = True
        late.start()
        try:
            write_frame(self._process.stdin, work)
            answer = read_frame(self._process.stdout)
        except OSError:
            answer = None
        finally:
            late.cancel()
        if answer is None:
            raise ResourceLimit("the worker process ended without an answer", hint="simplify the template")
        return answer

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process and its child."""
        with suppress(OSError):
            os.killpg(self.process_id, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired, OSError):
            self._process.wait(1)
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError, ValueError):
                stream.close()  # type: ignore[union-attr]


def _loaded() -> list[str]:
    """Return the modules of the package that this process has loaded, and that make templates."""
    package = DiptychError.__module__.partition(".")[0]
    heads = tuple(f"{package}.{name}." for name in ("sandbox", "templating"))
    return sorted(name for name in sys.modules if name.startswith(heads))


class _Pool:
    """Workers that are free; at most one per thread that renders is alive, and few wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[_Worker] = []
        self._most = max(2, os.cpu_count() or 2)

    def take(self) -> _Worker:
        while True:
            with self._lock:
                worker = self._free.pop() if self._free else None
            if worker is None:
                return _Worker()
            if worker.is_alive:
                return worker
            worker.stop()

    def give(self, worker: _Worker) -> None:
        with self._lock:
            if len(self._free) < self._most:
                self._free.append(worker)
                return
        worker.stop()

    def clear(self) -> None:
        """End all workers that wait."""
        with self._lock:
            free, self._free = self._free, []
        for worker in free:
            worker.stop()

    def forget(self) -> None:
        """In a fork of this process: its workers are those of the parent."""
        self._lock, self._free = threading.Lock(), []


_POOL: Final = _Pool()
atexit.register(_POOL.clear)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.forget)
