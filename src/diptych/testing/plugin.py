"""A pytest plugin: ``pytest_plugins = ["diptych.testing.plugin"]``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .server import Server


@pytest.fixture
def diptych_server() -> Iterator[Server]:
    """A running :class:`diptych.testing.Server`, a new one for each test."""
    with Server() as server:
        yield server
