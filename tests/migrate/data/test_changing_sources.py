"""A source that changes under way is an error, and a manifest's hash is that of the bytes that were read."""

import gzip
import hashlib
import json
import os
from types import SimpleNamespace

import pytest

import diptych
from diptych.migrate import convert_dataset, convert_shard, plan_dataset
from diptych.migrate.data import ShardRef, files, parquet, ray_cluster
from diptych.migrate.data import rows as rows_of_shard
from diptych.migrate.data.sources import source_of

ENDINGS = ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"]
SPEC = {"from": "sharegpt", "to": "finetune_chat"}
MANY = 800


def rows(word, count=MANY):
    turns = (("human", f"{word}?"), ("gpt", f"{word}!"))
    return [{"conversations": [{"from": who, "value": f"{text} {n:06}"} for who, text in turns]} for n in range(count)]


def write(path, found, group=200):
    """Write rows as a file of this ending, in row groups where it has some."""
    data = "".join(json.dumps(row) + "\n" for row in found).encode()
    if path.name.endswith(".parquet"):
        arrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist(found), path, row_group_size=group)
    elif path.name.endswith(".zst"):
        path.write_bytes(pytest.importorskip("zstandard").ZstdCompressor().compress(data))
    else:
        path.write_bytes(gzip.compress(data, mtime=0) if path.name.endswith(".gz") else data)
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest_of(out):
    return json.loads(out.with_name(f"{out.name}.manifest.json").read_text())


def changed_at(monkeypatch, row, change):
    """Call ``change`` once, before this row is converted."""
    real, calls = rows_of_shard.Rows._converted, iter(range(10**6))

    def converted(self, *args):
        if next(calls) == row:
            change()
        return real(self, *args)

    monkeypatch.setattr(rows_of_shard, "plain_converter", lambda *_: None)  # it would not call that
    monkeypatch.setattr(rows_of_shard.Rows, "_converted", converted)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("whole", [convert_shard, convert_dataset])
def test_the_hash_is_that_of_the_bytes_read(tmp_path, ending, whole):
    source, out = write(tmp_path / f"in.{ending}", rows("a", 20)), tmp_path / "out.jsonl"
    whole(source, out, SPEC)
    assert manifest_of(out)["source"]["sha256"] == sha256(source)
    assert whole(source, out, SPEC).skipped


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("way", ["written over", "replaced", "grown", "cut", "gone"])
def test_a_source_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch, ending, way):
    """The whole file is converted in one shard; it changes after the first row."""
    source, out = write(tmp_path / f"in.{ending}", rows("a", 2 * MANY)), tmp_path / "out.jsonl"
    other = write(tmp_path / f"other.{ending}", rows("b", 2 * MANY))

    def change():
        if way == "written over":
            source.write_bytes(other.read_bytes())
        elif way == "replaced":
            other.replace(source)
        elif way == "cut":
            os.truncate(source, source.stat().st_size // 3)
        elif way == "grown":
            with source.open("ab") as file:
                file.write(other.read_bytes())
        else:
            source.unlink()

    changed_at(monkeypatch, 1, change)
    with pytest.raises(diptych.MigrationError, match="changed") as caught:
        convert_shard(source, out, SPEC)
    assert caught.value.path == str(source)
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_source_that_changes_behind_its_time_stamp_is_an_error(tmp_path, ending):
    """Same size, same inode, same times: the hash says it. The plan was made of the old bytes."""
    source, out = write(tmp_path / f"in.{ending}", rows("a")), tmp_path / "out.jsonl"
    other = write(tmp_path / f"other.{ending}", rows("b"))
    before = source.stat()
    (shard,) = plan_dataset(source, out, SPEC).shards
    assert shard.src.is_whole
    source.write_bytes(other.read_bytes()[: before.st_size].ljust(before.st_size))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(diptych.MigrationError):
        convert_shard(*shard)
    assert not out.exists()


def in_parts(folder, ending, monkeypatch):
    """A source, its target, and the plan of its parts."""
    monkeypatch.setattr("diptych.migrate.data.parts._PART_ROWS", 200)
    source, out = write(folder / f"in.{ending}", rows("a")), folder / "out.jsonl"
    plan = plan_dataset(source, out, SPEC, part=20_000)
    assert len(plan.shards) > 3
    return source, out, plan


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_part_is_of_the_bytes_that_were_planned(tmp_path, monkeypatch, ending):
    source, out, plan = in_parts(tmp_path, ending, monkeypatch)
    counts = [convert_shard(*shard) for shard in plan.shards]
    notes = [json.loads(path.read_bytes()) for path in sorted((tmp_path / ".out.jsonl.parts").glob("*.manifest.json"))]
    hashes = [note["source"]["sha256"] for note in notes]
    assert sum(count.converted for count in counts) == MANY == plan.finish().converted
    assert manifest_of(out)["source"]["sha256_of_parts"] == hashlib.sha256("".join(hashes).encode()).hexdigest()
    if ending == "jsonl":  # the parts are all of the file: each hash is of its bytes
        data, ends = source.read_bytes(), [0]
        for note in notes:
            end = data.find(b"\n", note["source"]["end"] - 1) + 1
            ends.append(end)
            assert note["source"]["sha256"] == hashlib.sha256(data[ends[-2] : end]).hexdigest()
        assert ends[-1] == len(data)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_source_that_changes_between_its_parts_is_an_error(tmp_path, monkeypatch, ending):
    source, out, plan = in_parts(tmp_path, ending, monkeypatch)
    before, first, *others = source.stat(), *plan.shards
    convert_shard(*first)
    write(source, rows("b"))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(diptych.MigrationError, match="changed"):
        for shard in others:
            convert_shard(*shard)
        plan.finish()
    assert not out.exists()
    # Nothing that was made of either goes into what is made now.
    assert convert_dataset(source, out, SPEC, part=20_000, workers=1).converted == MANY
    assert b"a?" not in out.read_bytes()


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_workers_report_a_source_that_changed(tmp_path, monkeypatch, ending):
    """Processes of their own: the source changes after the plan, before the first worker reads it."""
    from diptych.migrate.data import local

    source, out = write(tmp_path / f"in.{ending}", rows("a")), tmp_path / "out.jsonl"
    real = local.run

    def run(shards, workers):
        write(source, rows("b"))
        return real(shards, workers)

    monkeypatch.setattr("diptych.migrate.data.parts._PART_ROWS", 200)
    monkeypatch.setattr(local, "run", run)
    with pytest.raises(diptych.MigrationError, match="changed"):
        convert_dataset(source, out, SPEC, workers=2, part=20_000)
    assert not out.exists()


def test_a_cluster_reports_what_a_shard_raised():
    """Ray wraps what a task raises; what leaves is the error itself."""

    class TaskError(Exception):
        cause = diptych.MigrationError("the source changed while it was being converted", path="in.jsonl")

    def get(_):
        raise TaskError

    ray = SimpleNamespace(get=get, exceptions=SimpleNamespace(RayTaskError=TaskError))
    with pytest.raises(diptych.MigrationError) as caught:
        ray_cluster._counts(ray, [])
    assert caught.value is TaskError.cause


def test_a_range_of_ones_own_is_of_one_file(tmp_path, monkeypatch):
    source, out = write(tmp_path / "in.jsonl", rows("a", 10)), tmp_path / "out.jsonl"
    half = len(source.read_bytes()) // 2
    ref = ShardRef(str(source), 0, half)
    assert convert_shard(ref, out, SPEC).converted == 5
    assert manifest_of(out)["source"]["sha256"] == hashlib.sha256(source.read_bytes()[:half]).hexdigest()
    assert convert_shard(ref, out, SPEC).skipped
    changed_at(monkeypatch, 1, lambda: write(source, rows("b", 10)))
    with pytest.raises(diptych.MigrationError, match="changed"):
        convert_shard(ref, tmp_path / "other.jsonl", SPEC)


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_bytes_are_hashed_once_and_all(tmp_path, ending):
    """What an unpacker reads ahead, several members, and what stands behind the last line."""
    source = write(tmp_path / f"in.{ending}", rows("a", 50))
    source.write_bytes(source.read_bytes() * 3)
    digest = files.Digest()
    with source_of(source).opened(digest) as file:
        assert sum(map(len, files.blocks(file, size=1000))) == 3 * len(rows("a", 50)) * len(
            json.dumps(rows("a", 1)[0]) + "\n"
        )
        assert digest.to_the_end() == sha256(source)


def test_a_table_is_read_from_the_bytes_it_says(tmp_path):
    source = write(tmp_path / "in.parquet", rows("a", 10))
    assert [row for _, row in parquet.rows(source)] == rows("a", 10)
