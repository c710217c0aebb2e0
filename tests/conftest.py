"""Shared by all tests: where the samples lie, how hypothesis runs, how tests wait, golden files."""

import asyncio
import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# how hypothesis runs --------------------------------------------------------------------------------

#: Examples per property. ``dev`` and ``ci`` try the same ones every time; ``laws`` tries many, from a seed.
EXAMPLES = {"dev": 50, "ci": 50, "laws": int(os.environ.get("LAWS_EXAMPLES", "1000"))}
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")

for _name, _count in EXAMPLES.items():
    settings.register_profile(
        _name,
        max_examples=_count,
        derandomize=_name != "laws",
        print_blob=True,
        deadline=None,  # a slow machine is not a failure
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile(PROFILE)


def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true", help="rewrite the golden files with what the tests found")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if config.option.accept and os.environ.get("CI"):
        raise pytest.UsageError("--accept rewrites golden files: run it where somebody looks at the difference")
    if PROFILE == "laws" and config.option.hypothesis_seed is None:
        # Parallel workers inherit the environment, not the options: all draw from one seed.
        seed = os.environ.setdefault("LAWS_SEED", str(random.SystemRandom().randrange(2**32)))
        config.option.hypothesis_seed = seed


def pytest_report_header(config):
    if PROFILE == "laws":
        return _seed(config)
    return f"hypothesis: profile {PROFILE!r}, {settings.default.max_examples} examples per property"


def pytest_terminal_summary(terminalreporter, config):
    if PROFILE == "laws":  # once more: a failure is read at the end, and -q shows no header
        terminalreporter.write_line(_seed(config))


def _seed(config):
    return f"laws: {EXAMPLES['laws']} examples per property; LAWS_SEED={config.option.hypothesis_seed} repeats them"


# how tests wait -------------------------------------------------------------------------------------

#: Seconds before a test says that something hangs: far more than any machine under any load needs.
PATIENCE = 900.0


class Until:
    """Waits for a condition instead of for a time: a slow machine passes, and only a hang fails."""

    def __call__(self, condition, what, patience=PATIENCE):
        """Return the first true value of ``condition()``."""
        last = time.monotonic() + patience
        while not (found := condition()):
            self._give_up_after(last, what)
            time.sleep(0.005)
        return found

    async def awaited(self, condition, what, patience=PATIENCE):
        """Do the same while other tasks of the event loop run."""
        last = time.monotonic() + patience
        while not (found := condition()):
            self._give_up_after(last, what)
            await asyncio.sleep(0.005)
        return found

    def _give_up_after(self, last, what):
        if time.monotonic() > last:
            pytest.fail(f"hangs: {what} did not come")


@pytest.fixture(scope="session")
def until():
    """``until(condition, what)`` waits until the condition holds."""
    return Until()


# golden files ---------------------------------------------------------------------------------------


@pytest.fixture
def golden(request):
    """``golden(path, text)``: the file holds these bytes and no others; ``pytest --accept`` writes them."""

    def check(path, text):
        found = text.encode("utf-8", "surrogatepass")
        if request.config.option.accept:
            path.write_bytes(found)
        wanted = path.read_bytes() if path.is_file() else b""
        if found != wanted:
            pairs = enumerate(zip(found, wanted, strict=False))
            at = next((n for n, (a, b) in pairs if a != b), min(len(found), len(wanted)))
            line = wanted[:at].count(b"\n") + 1
            near = f"expected {wanted[at : at + 60]!r}, found {found[at : at + 60]!r}"
            pytest.fail(f"{path.name}:{line}, byte {at}: {near}\nif the new text is right: pytest --accept")

    return check


# what every test finds -----------------------------------------------------------------------------


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
    """Search what all tests have written. A worker's folder lies in that of the process that started it."""
    if hasattr(session.config, "workerinput"):
        return
    base = getattr(session.config, "_tmp_path_factory", None)
    base = base._basetemp if base is not None else None
    held = [
        path for path in (base.rglob("*") if base else ()) if path.is_file() and CANARY.encode() in path.read_bytes()
    ]
    if held:
        session.exitstatus = 1
        print(f"\nthe key of the environment was written into {held[0]} and {len(held) - 1} more files")
