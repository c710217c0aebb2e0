"""A pytest plugin: ``pytest_plugins = ["diptych.testing.plugin"]``.

It gives the fixtures ``diptych_server`` and ``diptych_snapshot``, and the option ``--accept``,
which writes snapshots.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from .prompts import Snapshots
from .server import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--accept``, unless the project has an option of that name."""
    with suppress(ValueError):
        parser.addoption("--accept", action="store_true", default=False, help="write the snapshots that differ")


@pytest.fixture
def diptych_server() -> Iterator[Server]:
    """A running :class:`diptych.testing.Server`, a new one for each test."""
    with Server() as server:
        yield server


@pytest.fixture
def diptych_snapshot(request: pytest.FixtureRequest) -> Snapshots:
    """Compare what is rendered with the snapshot of the test: ``diptych_snapshot(template.render(…))``.

    The files stand in ``__snapshots__`` beside the test; ``pytest --accept`` writes them.
    """
    folder = request.path.parent / "__snapshots__"
    accepts = bool(request.config.getoption("--accept", default=False))
    group = f"{request.cls.__qualname__}." if request.cls else ""
    return Snapshots(folder, f"{request.path.stem}-{group}{request.node.name}", accepts=accepts)
