"""Shared by all tests: where the samples lie, and how hypothesis runs."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "diptych", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "diptych"))

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch, tmp_path_factory):
    """No test sees the settings or keys of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("DIPTYCH_", "OPENAI_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared():
    """The folder of samples beside the checkout; its tests skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of samples is not beside this checkout")
    return folder
