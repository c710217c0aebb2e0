"""Workers and drivers are killed at random points: the rerun completes to the identical bytes.

The job is one of 2 GB in its shape: a file in 256 parts and a folder of files, broken rows among
them; the rows are few, so that ten kills fit into a test.
"""

import contextlib
import json
import logging
import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from diptych.migrate import convert_dataset

PART = 4_000
KILLS = 10
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog"]
SPEC = {"from": "finetune_legacy", "to": "finetune_chat"}  # a tokenizer would cost each process half a second
DRIVER = """
import sys
from diptych.migrate import convert_dataset
if __name__ == "__main__":
    src, out, engine, part = sys.argv[1:]
    spec = {"from": "finetune_legacy", "to": "finetune_chat"}
    convert_dataset(src, out, spec, workers=2, engine=engine, part=int(part))
"""
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are found in /proc")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """The source, and the files of an undisturbed run."""
    folder = tmp_path_factory.mktemp("job")
    pick = random.Random(11)
    for name, parts in (("large.jsonl", 240), ("a/small.jsonl", 4), ("b/small.jsonl", 4)):
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            while file.tell() < parts * PART:
                prompt = " ".join(pick.choices(WORDS, k=60))
                row = {"prompt": f"{prompt}\n\n###\n\n", "completion": f" {prompt[:50]} END"}
                file.write(("broken" if pick.random() < 0.04 else json.dumps(row)) + "\n")
    counts = convert_dataset(folder / "in", folder / "undisturbed", SPEC, workers=1, part=PART)
    assert counts.rejected > 50
    return folder / "in", files_of(folder / "undisturbed")


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def processes():
    """Return the parent and the command of every process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat, command = (entry / "stat").read_text(), (entry / "cmdline").read_bytes()
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(entry.name)] = (int(parent), command.replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


def workers_of(root, engine):
    """Return the processes below ``root``, a driver or a cluster, that convert shards."""
    # Ray names its workers by what they do; "ray::" also stands among the arguments of its other processes.
    every, inside = processes(), {root}
    for _ in range(6):
        inside |= {pid for pid, (parent, _) in every.items() if parent in inside}
    commands = {pid: every[pid][1] for pid in inside - {root}}
    if engine == "ray":
        return sorted(pid for pid, command in commands.items() if command.startswith("ray::convert_shard"))
    return sorted(pid for pid, command in commands.items() if "spawn_main" in command)


@pytest.fixture
def cluster():
    """A Ray cluster of one machine, as ``ray start`` makes it: its process and its address."""
    pytest.importorskip("ray", reason="Ray comes with the extra `ray`")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Its sockets' paths must be short.
    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as folder:
        options = ["--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2", "--object-store-memory=80000000"]
        quiet = ["--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}", "--block"]
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", *options, *quiet]
        head = subprocess.Popen(command, env=environment(), start_new_session=True, stdout=subprocess.DEVNULL)
        try:
            yield head.pid, f"127.0.0.1:{port}"
        finally:
            end_tree(head)


def environment(**more):
    paths = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": paths, "RAY_AUTH_MODE": "disabled", **more}


def start(script, source, out, engine, address=""):
    command = [sys.executable, str(script), str(source), str(out), engine, str(PART)]
    return subprocess.Popen(
        command, env=environment(RAY_ADDRESS=address), start_new_session=True, stderr=subprocess.PIPE, text=True
    )


class Here:
    """A folder of this machine that a job is written to."""

    def __init__(self, out):
        self.out = out

    def finished(self):
        """Return how many parts of the large file are finished."""
        return len(list((self.out / ".large.jsonl.parts").glob("*")))

    def files(self):
        return files_of(self.out)

    def remove(self):
        shutil.rmtree(self.out)


class There:
    """A folder of a bucket."""

    def __init__(self, fs, out):
        self._fs, self.out = fs, out

    def finished(self):
        time.sleep(0.1)  # clock: between two looks, which the server answers in the place of its other work
        return len(self._fs.find(f"{self.out}/.large.jsonl.parts"))

    def files(self):
        inside = self.out.removeprefix("s3://")
        return {name.removeprefix(f"{inside}/"): self._fs.cat_file(name) for name in self._fs.find(self.out)}

    def remove(self):
        self._fs.rm(self.out, recursive=True)


def disturb(job, folder, place, until, engine, root=None, address="", kills=KILLS):
    """Run the job, with so many kills of workers, all that are at work at once, and drivers.

    A job that is done before its ten kills (the machine may have left this process waiting) is
    as it should be; then it is begun anew.
    """
    (source, expected), script, out, pick = job, folder / "driver.py", place.out, random.Random(5)
    script.write_text(DRIVER)
    plan, killed = pick.sample(["workers"] * 6 + ["driver"] * 4, 10), 0
    driver = start(script, source, out, engine, address)
    try:
        while killed < kills:
            before = place.finished()
            victims = until(lambda: work_of(driver, place, before, engine, root), "a finished part")
            if driver.poll() is not None:
                assert driver.returncode == 0, driver.stderr.read()
                assert_undisturbed(place, expected)
                place.remove()
            elif plan[-1] == "workers":
                time.sleep(pick.uniform(0, 0.05))  # clock: about as long as a shard takes, to hit it anywhere
                so_far = killed
                for victim in victims[: kills - killed]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                        killed += 1
                if killed > so_far:
                    plan.pop()
                continue
            else:
                driver.kill()
                plan.pop()
                killed += 1
            driver.communicate()
            driver = start(script, source, out, engine, address)
        _, errors = driver.communicate(timeout=3600)
        assert driver.returncode == 0, errors
        assert_undisturbed(place, expected)
    finally:
        end_tree(driver)


def work_of(driver, place, before, engine, root=None):
    """Return the processes that convert, once a further part is finished; True where the driver has ended."""
    if driver.poll() is not None:
        return True
    return place.finished() > before and workers_of(root or driver.pid, engine)


def end_tree(process):
    """Kill a process and everything below it."""
    every, inside = processes(), {process.pid}
    for _ in range(8):
        inside |= {pid for pid, (parent, _) in every.items() if parent in inside}
    for pid in inside:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def assert_undisturbed(place, expected):
    found = place.files()
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_ten_kills_change_no_byte(job, tmp_path, until):
    disturb(job, tmp_path, Here(tmp_path / "out"), until, "local")


def test_ten_kills_on_a_cluster_change_no_byte(job, tmp_path, until, cluster):
    disturb(job, tmp_path, Here(tmp_path / "out"), until, "ray", *cluster)


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of a server of S3, and its file system."""
    fsspec = pytest.importorskip("fsspec", reason="fsspec comes with the extra `remote`")
    pytest.importorskip("s3fs", reason="s3fs comes with the extra `remote`")
    server = pytest.importorskip("moto.server", reason="the server of S3 is moto").ThreadedMotoServer("127.0.0.1", 0)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (("ENDPOINT_URL", f"http://{host}:{port}"), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "y")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    fs = fsspec.filesystem("s3", skip_instance_cache=True, use_listings_cache=False)
    fs.mkdir("bucket")
    yield fs
    server.stop()


def test_ten_kills_in_a_bucket_change_no_byte(job, tmp_path, until, bucket):
    data = (job[0] / "large.jsonl").read_bytes()
    bucket.pipe_file("s3://bucket/in/large.jsonl", data[: data.index(b"\n", 14 * PART) + 1])
    bucket.pipe_file("s3://bucket/in/a/small.jsonl", (job[0] / "a" / "small.jsonl").read_bytes())
    source, undisturbed, place = (
        "s3://bucket/in",
        There(bucket, "s3://bucket/undisturbed"),
        There(bucket, "s3://bucket/out"),
    )
    convert_dataset(source, undisturbed.out, SPEC, workers=1, part=PART)
    expected = undisturbed.files()
    convert_dataset(job[0] / "a", tmp_path / "here", SPEC, workers=1, part=PART)
    assert expected["a/small.jsonl"] == (tmp_path / "here" / "small.jsonl").read_bytes()
    disturb((source, expected), tmp_path, place, until, "local", kills=2)
    place.remove()
    # Programs that convert in their own process: those of a fork server need not be started.
    context, pick = multiprocessing.get_context("forkserver"), random.Random(5)
    context.set_forkserver_preload(["diptych.migrate", "s3fs"])
    for _ in range(KILLS - 2):
        before, one = place.finished(), {"workers": 1, "part": PART}
        program = context.Process(target=convert_dataset, args=(source, place.out, SPEC), kwargs=one)
        program.start()
        until(lambda: place.finished() > before or not program.is_alive(), "a finished part")
        time.sleep(pick.uniform(0, 0.05))  # clock: about as long as a part takes, to hit it anywhere
        program.kill()
        program.join()
    assert len(place.files()) > 3
    convert_dataset(source, place.out, SPEC, workers=1, part=PART)
    assert_undisturbed(place, expected)


def test_workers_end_with_their_driver(job, tmp_path, until):
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    driver = start(script, job[0], tmp_path / "out", "local")
    workers = until(lambda: work_of(driver, Here(tmp_path / "out"), 0, "local"), "a finished part")
    assert workers is not True, driver.stderr.read()
    driver.kill()
    driver.communicate()
    until(lambda: not set(workers) & set(processes()), "the end of the workers")
