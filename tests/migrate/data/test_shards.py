"""Shards: every row converted or rejected with its reason, whole or not at all."""

import json

import pytest

import diptych
from diptych.migrate import Spec, convert_dataset, convert_shard
from diptych.migrate.data import rows as shards

ROWS = [{"prompt": f"q{n}\n\n###\n\n", "completion": f" a{n} END"} for n in range(20)]
SPEC = {"from": "finetune_legacy", "to": "finetune_chat"}


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return path


def read(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_rows_are_converted(tmp_path):
    out = tmp_path / "out.jsonl"
    counts = convert_shard(write(tmp_path / "in.jsonl", ROWS), out, SPEC)
    assert (counts.rows, counts.converted, counts.rejected) == (20, 20, 0)
    assert read(out)[3]["messages"] == [{"role": "user", "content": "q3"}, {"role": "assistant", "content": "a3"}]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl", "out.jsonl.manifest.json"]


def test_bad_rows_are_rejected_with_line_and_reason(tmp_path):
    rows = [ROWS[0], "not json", {"prompt": 3, "completion": ""}, "", {**ROWS[1], "extra": "more to say"}]
    out = tmp_path / "out.jsonl"
    counts = convert_shard(write(tmp_path / "in.jsonl", rows), out, SPEC)
    rejected = read(tmp_path / "out.jsonl.rejects.jsonl")
    assert (counts.rows, counts.converted, counts.rejected) == (4, 1, 3)
    assert [(r["line"], r["error"]["code"]) for r in rejected] == [(2, "format"), (3, "format"), (5, "loss")]
    assert rejected[0]["row"] == "not json"
    assert counts.losses == {"field-dropped": 1}
    kept = convert_shard(tmp_path / "in.jsonl", tmp_path / "b.jsonl", {**SPEC, "on_loss": "ignore"})
    assert (kept.converted, kept.losses) == (2, {"field-dropped": 1})


def test_what_is_done_is_not_done_again(tmp_path):
    source, out = write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    assert not convert_shard(source, out, SPEC).skipped
    stamp = out.stat().st_mtime_ns
    assert convert_shard(source, out, SPEC).skipped
    assert out.stat().st_mtime_ns == stamp
    write(source, ROWS[:5])
    assert convert_shard(source, out, SPEC).rows == 5
    assert not convert_shard(source, out, {**SPEC, "to": "sharegpt"}).skipped


def test_a_shard_that_is_interrupted_leaves_nothing_behind(tmp_path, monkeypatch):
    source, out = write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    calls = iter(range(100))

    def broken(*args):
        if next(calls) == 7:
            raise KeyboardInterrupt
        return real(*args)

    real = shards.Rows._converted
    monkeypatch.setattr(shards.Rows, "_converted", broken)
    with pytest.raises(KeyboardInterrupt):
        convert_shard(source, out, {**SPEC, "to": "sharegpt"})
    assert [p.name for p in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_folder_in_processes(tmp_path):
    for n in range(3):
        write(tmp_path / "in" / f"sub{n}" / "a.jsonl", ROWS)
    counts = convert_dataset(tmp_path / "in", tmp_path / "out", SPEC, workers=2)
    assert (counts.rows, counts.converted) == (60, 60)
    assert len(read(tmp_path / "out" / "sub2" / "a.jsonl")) == 20


def test_what_cannot_be_done(tmp_path):
    source = write(tmp_path / "in.jsonl", ROWS)
    for call in (
        lambda: convert_shard(source, source, SPEC),
        lambda: convert_shard(tmp_path / "none.jsonl", tmp_path / "x", SPEC),
        lambda: convert_dataset(tmp_path / "none", tmp_path / "x", SPEC),
        lambda: Spec.of({"form": "x"}),
    ):
        with pytest.raises(diptych.MigrationError):
            call()


def test_every_character_survives(tmp_path):
    text = "a\u2028b\x00\ue000 <|im_end|> {x}"
    source = write(tmp_path / "in.jsonl", [{"prompt": text + " ->", "completion": " ok"}])
    convert_shard(source, tmp_path / "out.jsonl", SPEC)
    assert read(tmp_path / "out.jsonl")[0]["messages"][0]["content"] == text


def test_packed_shards_hold_the_same_rows_in_the_same_bytes(tmp_path):
    import gzip

    rows = [{"prompt": f"Say {n}", "completion": f" {n}"} for n in range(50)]
    text = "".join(json.dumps(row) + "\n" for row in rows).encode() + b"broken\n"
    (tmp_path / "a.jsonl").write_bytes(text)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text))
    spec = Spec("finetune_legacy", "finetune_chat", "ignore")
    plain = convert_shard(tmp_path / "a.jsonl", tmp_path / "out.jsonl", spec)
    packed = convert_shard(tmp_path / "a.jsonl.gz", tmp_path / "out.jsonl.gz", spec)
    assert (plain.rows, plain.rejected) == (packed.rows, packed.rejected) == (51, 1)
    assert gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()) == (tmp_path / "out.jsonl").read_bytes()
    first = (tmp_path / "out.jsonl.gz").read_bytes()
    convert_shard(tmp_path / "a.jsonl.gz", tmp_path / "again.jsonl.gz", spec)
    assert (tmp_path / "again.jsonl.gz").read_bytes() == first
