"""Places of data sets: other machines as source and target, folders of parts, plans that read nothing, locks."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import diptych
from diptych.migrate import convert_dataset as convert_in_processes
from diptych.migrate import convert_shard, plan_dataset
from diptych.migrate.data import storage
from diptych.migrate.data.storage import Remote, place

SPEC = {"from": "finetune_legacy", "to": "finetune_chat"}
COUNT = 60


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """An empty file system in memory; nothing of it may become a folder of this one."""
    monkeypatch.chdir(tmp_path)
    fs = pytest.importorskip("fsspec", reason="fsspec comes with the extra `remote`").filesystem("memory")
    fs.rm("/", recursive=True) if fs.find("/") else None
    yield fs
    fs.rm("/", recursive=True) if fs.find("/") else None
    assert not [path for path in tmp_path.iterdir() if ":" in path.name]


def lines(count=COUNT, bad=()):
    rows = [json.dumps({"prompt": f"{n}? ->", "completion": f" {n * n}"}) for n in range(count)]
    return "".join(("bad" if n in bad else row) + "\n" for n, row in enumerate(rows)).encode()


def local_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def remote_files(fs, folder):
    return {name.removeprefix(folder).lstrip("/"): fs.cat_file(name) for name in fs.find(folder)}


def plainly(files):
    """Files without what a manifest says of the file that was read."""
    found = dict(files)
    for name in [name for name in found if name.endswith("manifest.json")]:
        value = json.loads(found[name])
        value.get("source", {}).pop("state", None)
        found[name] = value
    return found


def convert_dataset(*args, **options):
    """Convert in this process alone: others cost a start each."""
    return convert_in_processes(*args, **{"workers": 1, **options})


# elsewhere ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [None, 500])
@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet"])
@pytest.mark.parametrize("join", [True, False])
def test_the_same_bytes_here_and_elsewhere(tmp_path, memory, part, ending, join):
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow comes with the extra `data`")
    data, out = lines(bad=(7, 44)), f"out.{ending}"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_bytes(data)
    memory.pipe_file("/in/a.jsonl", data)
    here = convert_dataset(tmp_path / "in/a.jsonl", tmp_path / "made" / out, SPEC, part=part, join=join)
    there = convert_dataset("memory://in/a.jsonl", f"memory://made/{out}", SPEC, part=part, join=join)
    assert here == there
    assert plainly(local_files(tmp_path / "made")) == plainly(remote_files(memory, "/made"))
    assert [json.loads(line)["line"] for line in memory.cat_file(f"/made/{out}.rejects.jsonl").splitlines()] == [8, 45]
    assert convert_dataset("memory://in/a.jsonl", f"memory://made/{out}", SPEC, part=part, join=join).skipped


def test_folders_elsewhere(tmp_path, memory):
    for name in ("a.jsonl", "deep/b.jsonl", "deep/notes.txt"):
        memory.pipe_file(f"/in/{name}", lines())
    convert_dataset("memory://in", tmp_path / "out", SPEC)
    convert_dataset(tmp_path / "out", "memory://back", {"from": "finetune_chat", "to": "sharegpt"})
    names = {name for name in remote_files(memory, "/back") if not name.endswith("manifest.json")}
    assert names == {"a.jsonl", "deep/b.jsonl"}


def test_tables_are_read_elsewhere(memory):
    pytest.importorskip("pyarrow", reason="pyarrow comes with the extra `data`")
    memory.pipe_file("/in.jsonl", lines())
    convert_dataset("memory://in.jsonl", "memory://t.parquet", SPEC)
    convert_dataset("memory://t.parquet", "memory://back.jsonl", {"from": "finetune_chat", "to": "sharegpt"})
    assert len(memory.cat_file("/back.jsonl").splitlines()) == COUNT


def test_a_source_elsewhere_that_changed_is_refused(memory):
    memory.pipe_file("/in.jsonl", lines())
    plan = plan_dataset("memory://in.jsonl", "memory://out.jsonl", SPEC, part=500)
    convert_shard(*plan.shards[0])
    memory.pipe_file("/in.jsonl", lines(COUNT + 1))
    with pytest.raises(diptych.MigrationError, match="changed"):
        convert_shard(*plan.shards[1])
    assert not memory.exists("/out.jsonl")


@pytest.mark.parametrize("side", ["src", "dst"])
@pytest.mark.parametrize("name", ["s4://bucket/a.jsonl", "htps://example.com/a.jsonl", "foo+bar://x"])
def test_an_unknown_scheme_is_an_error_and_no_folder(tmp_path, monkeypatch, side, name):
    pytest.importorskip("fsspec", reason="fsspec comes with the extra `remote`")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_bytes(lines())
    pair = (name, "out.jsonl") if side == "src" else ("a.jsonl", name)
    with pytest.raises(diptych.MigrationError, match="unknown scheme") as caught:
        convert_dataset(*pair, SPEC)
    assert caught.value.path == name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl"]


def test_without_fsspec_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(diptych.MissingExtra, match=r"diptych\[remote\]"):
        place("s3://bucket/a.jsonl")


def test_a_place_that_takes_no_files_is_an_error(tmp_path, memory, monkeypatch):
    def refuse(*_, **__):
        raise NotImplementedError

    (tmp_path / "a.jsonl").write_bytes(lines())
    monkeypatch.setattr(type(memory), "put_file", refuse)
    with pytest.raises(diptych.MigrationError, match="cannot be written"):
        convert_dataset(tmp_path / "a.jsonl", "memory://out.jsonl", SPEC)
    assert not list(Path(storage.__file__).parent.glob("*.part"))


@pytest.mark.parametrize("name", ["a/b.jsonl", "deep/er/c.parquet", "x"])
def test_places_elsewhere_are_like_paths(memory, name):
    far, near = place(f"memory://base/{name}"), Path("/base") / name
    assert isinstance(far, Remote)
    assert (far.name, far.suffix, far.parent.name) == (near.name, near.suffix, near.parent.name)
    assert far.with_name("z").name == "z"
    assert str(far.relative_to(place("memory://base"))) == name
    assert place("memory://base") in far.parents
    assert str(place("memory://x.jsonl").with_name("y")) == "memory://y"
    assert str(place("memory://base/") / "a" / "b") == "memory://base/a/b"
    assert pickle.loads(pickle.dumps(far)) == far
    assert place("file:///tmp/x") == Path("/tmp/x")


# folders of parts ---------------------------------------------------------------------------------


def test_a_folder_of_parts_holds_the_parts_alone(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines(bad=(3, 50)))
    whole = convert_dataset(tmp_path / "in.jsonl", tmp_path / "whole.jsonl", SPEC, part=500)
    parts = convert_dataset(tmp_path / "in.jsonl", tmp_path / "parts", SPEC, part=500, join=False)
    names = sorted(path.name for path in (tmp_path / "parts").iterdir())
    assert len(names) > 3
    assert names == [f"part-{n:06}.jsonl" for n in range(len(names))]
    assert (
        b"".join((tmp_path / "parts" / name).read_bytes() for name in names) == (tmp_path / "whole.jsonl").read_bytes()
    )
    rejects = [(tmp_path / f"{name}.rejects.jsonl").read_bytes() for name in ("parts", "whole.jsonl")]
    assert rejects[0] == rejects[1]
    assert parts == whole
    manifest = json.loads((tmp_path / "parts.manifest.json").read_bytes())
    assert sum(part["rows"] for part in manifest["parts"]) == parts.written
    assert [part["name"] for part in manifest["parts"]] == names
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_each_part_of_a_table_has_its_own_writer(tmp_path, monkeypatch):
    """The rows of a part are written where they are converted: what finishes reads no row."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow comes with the extra `data`")
    (tmp_path / "in.jsonl").write_bytes(lines())
    plan = plan_dataset(tmp_path / "in.jsonl", tmp_path / "t.parquet", SPEC, part=500, join=False)
    for shard in plan.shards:
        convert_shard(*shard)
    monkeypatch.setattr("diptych.migrate.data.parquet.write", None)
    monkeypatch.setattr("diptych.migrate.data.parquet.rows", None)
    plan.finish()
    assert parquet.read_table(tmp_path / "t.parquet").num_rows == COUNT


def test_what_an_earlier_data_set_left_in_the_folder_goes(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines())
    convert_dataset(tmp_path / "in.jsonl", tmp_path / "out", SPEC, part=300, join=False)
    (tmp_path / "in.jsonl").write_bytes(lines(10))
    counts = convert_dataset(tmp_path / "in.jsonl", tmp_path / "out", SPEC, part=300, join=False)
    found = b"".join(path.read_bytes() for path in sorted((tmp_path / "out").iterdir()))
    assert counts.written == 10 == len(found.splitlines())


@pytest.mark.parametrize("join", [True, False])
def test_a_target_of_something_else_is_refused(tmp_path, join):
    (tmp_path / "in.jsonl").write_bytes(lines())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    if join:
        convert_dataset(tmp_path / "in.jsonl", tmp_path / "out", SPEC)
        assert (tmp_path / "out" / "in.jsonl").exists()
        return
    for name, said in (("out", "something else"), ("file", "over a file")):
        with pytest.raises(diptych.MigrationError, match=said):
            convert_dataset(tmp_path / "in.jsonl", tmp_path / name, SPEC, join=False)
    assert (tmp_path / "out" / "mine.txt").read_text() == "x"


# runs that go on ----------------------------------------------------------------------------------


@pytest.mark.parametrize("join", [True, False])
def test_a_source_that_changed_since_an_interrupted_run_is_refused(tmp_path, join):
    (tmp_path / "in.jsonl").write_bytes(lines())
    plan = plan_dataset(tmp_path / "in.jsonl", tmp_path / "out", SPEC, part=500, join=join)
    convert_shard(*plan.shards[0])
    (tmp_path / "in.jsonl").write_bytes(lines()[::-1].replace(b"\n", b"", 1) + b"\n")
    with pytest.raises(diptych.MigrationError, match="changed since") as caught:
        convert_dataset(tmp_path / "in.jsonl", tmp_path / "out", SPEC, part=500, join=join)
    assert "restart" in (caught.value.hint or "")
    (tmp_path / "in.jsonl").write_bytes(lines(COUNT * 2))
    counts = convert_dataset(tmp_path / "in.jsonl", tmp_path / "out", SPEC, part=500, join=join, restart=True)
    assert counts.converted == COUNT * 2


def test_another_spec_begins_anew(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines())
    plan = plan_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", SPEC, part=500)
    convert_shard(*plan.shards[0])
    convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {**SPEC, "to": "sharegpt"}, part=500)
    assert b"conversations" in (tmp_path / "out.jsonl").read_bytes().splitlines()[0]


def test_the_same_bytes_in_another_file_are_not_converted_again(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines())
    assert not convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", SPEC).skipped
    (tmp_path / "in.jsonl").unlink()
    (tmp_path / "in.jsonl").write_bytes(lines())
    written = (tmp_path / "out.jsonl").stat().st_mtime_ns
    convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", SPEC)
    assert (tmp_path / "out.jsonl").stat().st_mtime_ns == written
    assert convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", SPEC).skipped


HOLD = """
import sys
from diptych.migrate.data.lock import held
from pathlib import Path
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["ends", "is killed"])
def test_a_target_has_one_run_at_a_time(tmp_path, end):
    (tmp_path / "in.jsonl").write_bytes(lines())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out.jsonl")]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(diptych.MigrationError, match="another process") as caught:
            convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", SPEC)
        assert caught.value.path == str(tmp_path / "out.jsonl")
        assert not (tmp_path / "out.jsonl").exists()
        other.kill() if end == "is killed" else other.stdin.close()
        other.wait()
    assert convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", SPEC).converted == COUNT
    assert not (tmp_path / ".out.jsonl.lock").exists()


# size ---------------------------------------------------------------------------------------------


class Counted(storage.Remote):
    """A file of a terabyte that exists only where it is read: lines of rows, one like the other."""

    SIZE = 10**12
    ROW = lines(1)
    read = 0

    def size(self):
        return self.SIZE

    def state(self):
        return (self.SIZE, "1")

    def is_dir(self):
        return False

    def is_file(self):
        return True

    def open(self, mode="rb"):
        assert mode == "rb"
        return Rows(self.SIZE, self.ROW)


class Rows:
    def __init__(self, size, row):
        self._size, self._row, self._at = size, row, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def seek(self, at):
        self._at = at
        return at

    def read(self, size):
        size = min(size, self._size - self._at)
        first = self._at % len(self._row)
        data = (self._row * (size // len(self._row) + 2))[first : first + size]
        self._at += size
        Counted.read += size
        return data


@pytest.mark.parametrize("join", [True, False])
def test_work_on_a_terabyte_begins_at_once(tmp_path, memory, monkeypatch, join):
    """The driver reads a sample and nothing else (how long that takes, benchmarks/datasets.py prints)."""
    source = Counted("memory://terabyte.jsonl", memory)
    monkeypatch.setattr(
        "diptych.migrate.data.plan.place", lambda name: source if str(name).startswith("memory:") else place(name)
    )
    monkeypatch.setattr("diptych.migrate.data.layout.place", lambda name: source)
    Counted.read = 0
    plan = plan_dataset(source, tmp_path / "out", {"to": "finetune_chat"}, join=join)
    shards = plan.shards
    assert Counted.read < Counted.SIZE / 100_000
    assert [shard.src.start for shard in shards[1:]] == [shard.src.end for shard in shards[:-1]]
    assert (shards[0].src.start, shards[-1].src.end) == (0, Counted.SIZE)
    assert 1000 < len(shards) <= 4096
