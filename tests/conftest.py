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
    """No test sees the settings or keys of whoever runs it; a key that must show nowhere is set."""
    for name in list(os.environ):
        if name.startswith(("DIPTYCH_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)


@pytest.fixture(scope="session")
def shared():
    """The folder of samples beside the checkout; its tests skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of samples is not beside this checkout")
    return folder


# a key that must show nowhere ----------------------------------------------------------------------

#: Stands in the environment of every test as the API key; what shows it anywhere fails.
CANARY = "sk-canary-2b7e151628aed2a6"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    shown = "".join(text for _, text in report.sections) + (report.longreprtext or "")
    if call.excinfo is not None:
        error = call.excinfo.value
        shown += repr(error) + str(error) + repr(getattr(error, "__dict__", ""))
    if CANARY in shown:
        report.outcome, report.longrepr = (
            "failed",
            "the key of the environment was shown in an output, a log or an error",
        )
    return report


def pytest_sessionfinish(session):
    base = getattr(session.config, "_tmp_path_factory", None)
    base = base._basetemp if base is not None else None
    held = [
        path for path in (base.rglob("*") if base else ()) if path.is_file() and CANARY.encode() in path.read_bytes()
    ]
    if held:
        session.exitstatus = 1
        print(f"\nthe key of the environment was written into {held[0]} and {len(held) - 1} more files")
