"""The tests themselves: none depends on the speed of a machine, and workers that run them share nothing by chance."""

import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).resolve().parents[1]
#: The only place that may look at a clock: it waits for conditions and gives up on a hang.
CLOCK = TESTS / "conftest.py"
FILES = sorted(path for path in TESTS.rglob("*.py") if "cases" not in path.parts and path != CLOCK)
#: Seconds: a shorter limit is an expectation of speed, a longer one only ends what hangs.
HANG = 300
CLOCKS = {"sleep", "time", "monotonic", "perf_counter", "process_time", "monotonic_ns", "perf_counter_ns", "time_ns"}
#: Methods whose first argument is a number of seconds.
WAITS = {"wait", "join", "result", "communicate", "acquire"}


def number_of(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


def looks_at_a_clock(call):
    """``time.monotonic()`` and the like; ``asyncio.sleep(0)`` only lets other tasks go on."""
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return False
    if call.func.value.id == "asyncio":
        return call.func.attr == "sleep" and number_of(call.args[0]) != 0
    return call.func.value.id == "time" and call.func.attr in CLOCKS


def gives_up_early(call):
    found = [number_of(word.value) for word in call.keywords if word.arg == "timeout"]
    if isinstance(call.func, ast.Attribute) and call.func.attr in WAITS and not call.keywords:
        found += [number_of(argument) for argument in call.args[:1]]
    return any(number is not None and not isinstance(number, bool) and number < HANG for number in found)


def fixes_examples(call):
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "settings" and any(
        word.arg == "deadline" or (word.arg == "max_examples" and number_of(word.value) is not None)
        for word in call.keywords
    )


RULES = {
    "waits for a time or measures one: wait for a condition with the fixture `until`": looks_at_a_clock,
    f"gives up in less than {HANG} s: a limit in a test only ends what hangs": gives_up_early,
    "fixes the examples of a property: say settings.default.max_examples // n, so that `make laws` can raise it": fixes_examples,
}


def faults_of(source):
    """Yield the line and the fault of every call that breaks a rule; ``# clock: why`` on its line excuses it."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and not re.search("# clock: .", lines[node.lineno - 1]):
            yield from ((node.lineno, fault) for fault, breaks in RULES.items() if breaks(node))


@pytest.mark.parametrize("path", FILES, ids=[path.relative_to(TESTS).as_posix() for path in FILES])
def test_no_test_depends_on_speed(path):
    faults = [f"{path.relative_to(TESTS)}:{line}: {fault}" for line, fault in faults_of(path.read_text("utf-8"))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("time.sleep(1)", 1),
        ("begun = time.perf_counter()", 1),
        ("await_(asyncio.sleep(0.1))", 1),
        ("asyncio.sleep(0)", 0),
        ("subprocess.run([], timeout=20)", 1),
        ("subprocess.run([], timeout=900)", 0),
        ("thread.join(5); done.wait(timeout=5)", 2),
        ("limits.wait(0, now=11.0)", 0),
        ("thread.join(); ','.join(words); lock.acquire(True)", 0),
        ("settings(max_examples=20)", 1),
        ("settings(max_examples=settings.default.max_examples // 3)", 0),
        ("hypothesis.settings(deadline=200)", 1),
        ("time.sleep(1)  # clock: the other side has to fall asleep first", 0),
    ],
)
def test_the_rules_see_what_they_are_for(source, count):
    assert len(list(faults_of(source))) == count


# hypothesis ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dev", "ci"])
def test_the_short_profiles_are_the_same_every_time(name):
    profile = settings.get_profile(name)
    assert (profile.derandomize, profile.deadline) == (True, None)
    assert profile.max_examples <= 50


def test_the_long_profile_tries_many_and_can_be_repeated():
    profile = settings.get_profile("laws")
    assert (profile.derandomize, profile.deadline) == (False, None)
    assert profile.max_examples > settings.get_profile("ci").max_examples


# a small suite with the same conftest ----------------------------------------------------------------

COSTLY = """
import pytest
@pytest.fixture(scope="module")
def costly(tmp_path_factory):
    made = tmp_path_factory.getbasetemp().parent / "made"
    with made.open("a") as file:
        file.write(__name__ + "\\n")
@pytest.mark.parametrize("n", range(6))
def test_costly(costly, n): pass
@pytest.mark.parametrize("n", range(6))
def test_cheap(n): pass
"""
GOLDEN = """
from pathlib import Path
def test_golden(golden):
    golden(Path(__file__).with_name("golden.txt"), "one\\ntwo\\n")
"""
LEAK = """
import os
def test_leak(tmp_path):
    (tmp_path / "log").write_text(os.environ["OPENAI_API_KEY"])
"""
LAW = """
from hypothesis import given, strategies as st
def test_no_law(): pass
@given(st.integers())
def test_law(n):
    with open(__file__ + ".log", "a") as file:
        file.write(f"{n}\\n")
"""
#: What ``make test`` says to pytest-xdist, with two workers on every machine.
WORKERS = re.search(r"^WORKERS := (.*)$", (TESTS.parent / "Makefile").read_text("utf-8"), re.MULTILINE)[1].split()
WORKERS = [*WORKERS, "-n2"]


@pytest.fixture
def suite():
    """Write tests beside a copy of this suite's conftest and run them in a process of their own."""
    pytest.importorskip("xdist", reason="pytest-xdist comes with the extra `dev`")

    def run(files, *options, **environment):
        for name, source in files.items():
            (tests / name).write_text(source)
        base = ("-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}", f"--basetemp={folder / 'base'}")
        used = ("-p", "xdist.plugin", "-p", "_hypothesis_pytestplugin")
        command = [sys.executable, "-m", "pytest", *used, *base, *options, str(tests)]
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **environment,
        }  # fmt: skip
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    # Not below tmp_path: what these tests write there would fail this run, too.
    with tempfile.TemporaryDirectory() as name:
        folder = run.folder = Path(name)
        tests = folder / "tests"
        tests.mkdir()
        (tests / "conftest.py").write_text(CLOCK.read_text("utf-8"))
        yield run


def test_a_costly_fixture_is_set_up_once_whatever_the_workers(suite):
    done = suite({"test_a.py": COSTLY, "test_b.py": COSTLY}, *WORKERS)
    assert "24 passed" in done.stdout, done.stdout
    assert sorted((suite.folder / "base" / "made").read_text().split()) == ["test_a", "test_b"]


@pytest.mark.parametrize("options", [[], WORKERS], ids=["serial", "parallel"])
def test_a_key_that_was_written_fails_the_run(suite, options):
    done = suite({"test_leak.py": LEAK}, *options)
    assert "1 passed" in done.stdout, done.stdout
    assert done.stdout.count("the key of the environment was written into") == 1
    assert done.returncode == 1


def test_laws_say_their_seed_and_repeat_by_it(suite):
    """Without a seed one is drawn, the same for all workers."""

    def drawn(*options, **environment):
        laws = ("-q", "-m", "hypothesis", *options)
        done = suite(
            {"test_a.py": LAW, "test_b.py": LAW}, *laws, HYPOTHESIS_PROFILE="laws", LAWS_EXAMPLES="60", **environment
        )
        assert "2 passed" in done.stdout, done.stdout
        logs = sorted(suite.folder.glob("tests/*.log"))
        found = [log.read_text().split() for log in logs]
        for log in logs:
            log.unlink()
        return re.search("LAWS_SEED=([0-9]+) repeats", done.stdout)[1], found

    seed, first = drawn(*WORKERS)
    assert [len(tried) >= 60 for tried in first] == [True, True]
    assert drawn(LAWS_SEED=seed) == (seed, first)
    assert drawn(LAWS_SEED=str(int(seed) + 1))[1] != first


def test_golden_files_say_where_they_differ_and_can_be_accepted(suite):
    file = suite.folder / "tests" / "golden.txt"
    file.write_bytes(b"one\nten\n")
    done = suite({"test_golden.py": GOLDEN})
    assert "golden.txt:2, byte 5: expected b'en\\n', found b'wo\\n'" in done.stdout, done.stdout
    assert suite({}, "--accept", CI="true").returncode != 0
    assert file.read_bytes() == b"one\nten\n"
    assert suite({}, "--accept").returncode == 0
    assert file.read_bytes() == b"one\ntwo\n"
