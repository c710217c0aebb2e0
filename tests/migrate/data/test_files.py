"""Files of every kind: packed, tables, cut in parts; what was not to be touched is byte for byte the same."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.errors import FormatError, MigrationError
from diptych.migrate import Spec, convert_dataset, convert_shard, plan_dataset
from diptych.migrate.data.files import Writing, blocks, sweep
from diptych.migrate.data.packing import MAGIC
from diptych.migrate.data.rows import line_of, loads
from diptych.migrate.data.sources import source_of

LEGACY = {"from": "finetune_legacy", "to": "finetune_chat"}


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def read(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def unpacked(file):
    return b"".join(iter(lambda: file.read(100), b""))


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def chat(text, answer="ok"):
    return {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]}


# lines ------------------------------------------------------------------------------------------


def test_what_is_not_touched_is_byte_for_byte_the_same(tmp_path):
    lines = [
        b'{ "messages" : [{"role":"user","content":"\\u00e9 \xc3\xa9"},{"role":"assistant","content":"a"}]}',
        b'{"messages": [{"content": [{"type": "text", "text": "x"}], "role": "user"}, {"role":"assistant","content":"a"}]}\r',
    ]
    source = write(tmp_path / "in.jsonl", lines)
    counts = convert_shard(source, tmp_path / "out.jsonl", {"from": "finetune_chat", "to": "finetune_chat"})
    assert counts.converted == 2
    assert (tmp_path / "out.jsonl").read_bytes() == b"".join(line.rstrip(b"\r") + b"\n" for line in lines)


def test_numbers_keep_every_digit(tmp_path):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"maximum": 123456789012345678901234567890}}}
    row = {
        "conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": '{"name": "f", "arguments": {}}'},
                          {"from": "observation", "value": "1"}, {"from": "gpt", "value": "b"}],
        "tools": [tool["function"]],
    }  # fmt: skip
    counts = convert_shard(
        write(tmp_path / "in.jsonl", [row]), tmp_path / "out.jsonl", {"from": "sharegpt", "on_loss": "ignore"}
    )
    assert counts.converted == 1, (tmp_path / "out.jsonl.rejects.jsonl").read_text()
    out = read(tmp_path / "out.jsonl")[0]
    assert out["tools"][0]["function"]["parameters"] == tool["function"]["parameters"]
    assert out["messages"][1]["tool_calls"][0]["function"] == call["function"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"a": {"b": 1, "b": 2}}', "stands twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e999}', "larger than any float"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a": "\xff"}', "not JSON"),
        (b'{"a"', "not JSON"),
        (b"9" * 5000, "not JSON"),
    ],
)
def test_what_json_would_lose_is_an_error(line, why):
    with pytest.raises(FormatError, match=why):
        loads(line)


def test_lone_surrogates_are_written_as_escapes():
    assert line_of({"a": "é"}) == '{"a":"é"}\n'.encode()
    assert line_of({"a": "\ud800é"}) == b'{"a":"\\ud800\\u00e9"}\n'


@pytest.mark.parametrize("target", ["sharegpt", "finetune_chat"])
def test_ends_of_lines_marks_and_blank_lines(tmp_path, target):
    row = b'{"prompt": "a ->", "completion": " b"}'
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + row + b"\r\n\n  \nbad\r\n" + row)
    counts = convert_shard(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {"from": "finetune_legacy", "to": target})
    assert (counts.rows, counts.converted, counts.rejected) == (3, 2, 1)
    assert [(r["line"], r["row"]) for r in read(tmp_path / "out.jsonl.rejects.jsonl")] == [(4, "bad")]


@given(st.lists(st.binary(max_size=9)), st.integers(1, 12), st.booleans())
def test_blocks_end_where_lines_end(pieces, size, is_bounded):
    import io

    data = b"\n".join(pieces)
    found = list(blocks(io.BytesIO(data + b"rest"), len(data) if is_bounded else None, size))
    # A line that begins within the bound is read to its end.
    assert b"".join(found) == (data if is_bounded and (not data or data.endswith(b"\n")) else data + b"rest")
    assert all(block.endswith(b"\n") for block in found[:-1])


def test_an_error_is_raised_at_once_where_that_is_asked_for(tmp_path):
    source = write(tmp_path / "in.jsonl", [{"prompt": "a ->", "completion": " b"}, {"prompt": 1, "completion": " b"}])
    with pytest.raises(MigrationError, match=r"row 2: .*prompt"):
        convert_shard(source, tmp_path / "out.jsonl", {**LEGACY, "fail_fast": True})
    assert names(tmp_path) == ["in.jsonl"]


def test_columns_are_renamed_and_dropped(tmp_path):
    source = write(tmp_path / "in.jsonl", [{"q": "a ->", "a": " b", "note": "more to say"}])
    columns = {"columns": {"prompt": "q", "completion": "a"}}
    assert convert_shard(source, tmp_path / "1.jsonl", {**columns, "drop": ["note"]}).losses == {}
    assert read(tmp_path / "1.jsonl") == [chat("a", "b")]
    kept = convert_shard(source, tmp_path / "2.jsonl", columns)
    assert (kept.rejected, kept.losses) == (1, {"field-dropped": 1})
    twice = write(tmp_path / "b.jsonl", [{"q": "a", "prompt": "b", "completion": "c"}])
    clash = convert_shard(twice, tmp_path / "3.jsonl", {**LEGACY, "columns": {"prompt": "q"}})
    assert clash.rejected == 1
    assert "two columns are the 'prompt'" in read(tmp_path / "3.jsonl.rejects.jsonl")[0]["error"]["message"]


def test_a_layout_is_found_or_asked_for(tmp_path):
    rows = [{"prompt": "a", "completion": "b"}, {"instruction": "a", "output": "b"}]
    source = write(tmp_path / "in.jsonl", rows)
    with pytest.raises(MigrationError, match=r"layout is not certain.*alpaca_row") as caught:
        convert_shard(source, tmp_path / "out.jsonl", {})
    assert "row 2" in str(caught.value)
    assert convert_shard(source, tmp_path / "out.jsonl", {"from": "alpaca"}).converted == 1
    with pytest.raises(FormatError, match="did you mean 'sharegpt'"):
        convert_shard(source, tmp_path / "x.jsonl", {"from": "sharegtp"})


def test_separators_are_those_of_the_data_set(tmp_path):
    """A row alone looks as if its full stop were an END mark; a folder's files are looked at together."""
    write(tmp_path / "in" / "a.jsonl", [{"prompt": "a ->", "completion": " b END"}])
    write(tmp_path / "in" / "b.jsonl", [{"prompt": "c ->", "completion": " d"}])
    counts = convert_dataset(tmp_path / "in", tmp_path / "out", {**LEGACY, "on_loss": "report"})
    assert read(tmp_path / "out" / "a.jsonl") == [chat("a", "b END")]
    assert read(tmp_path / "out" / "b.jsonl") == [chat("c", "d")]
    assert json.loads((tmp_path / "out" / "manifest.json").read_bytes())["counts"]["rows"] == 2
    (told,) = counts.told.values()
    assert (told["file"], told["line"]) == ("a.jsonl", 1)
    assert "' END'" in told["message"]


@pytest.mark.parametrize("odd", [0, 11, 700])
@pytest.mark.parametrize("on_loss", ["raise", "report"])
def test_a_row_without_the_end_mark_is_told_wherever_it_stands(tmp_path, odd, on_loss):
    rows = [{"prompt": f"{n} ->", "completion": f" answer {n}{'' if n == odd else ' END'}"} for n in range(odd + 12)]
    source = write(tmp_path / "in.jsonl", rows)
    counts = convert_dataset(source, tmp_path / "out.jsonl", {**LEGACY, "on_loss": on_loss}, workers=1, part=4096)
    assert counts.converted == len(rows) - (on_loss == "raise")
    ((_, group),) = (counts.reasons or counts.told).items()
    assert (group["rows"], group["file"], group["line"]) == (1, "in.jsonl", odd + 1)
    assert "does not end in ' END'" in group["message"]
    written = read(tmp_path / "out.jsonl")
    assert not any("END" in row["messages"][1]["content"] for row in written)


@pytest.mark.parametrize("name", ["out.json", "out.JSON", "out.json.gz"])
@pytest.mark.parametrize("part", [None, 200])
def test_a_target_called_json_is_an_array(tmp_path, name, part):
    rows = [{"prompt": f"{n} ->", "completion": f" {n}\u2028"} for n in range(20)]
    source = write(tmp_path / "in.jsonl", rows)
    convert_dataset(source, tmp_path / name, LEGACY, workers=1, part=part)
    data = (tmp_path / name).read_bytes()
    found = json.loads(gzip.decompress(data) if name.endswith("gz") else data)
    assert found == [chat(str(n), f"{n}\u2028") for n in range(20)]
    assert convert_dataset(tmp_path / name, tmp_path / "again.jsonl", {"to": "sharegpt"}, workers=1).converted == 20


def test_an_array_of_no_rows(tmp_path):
    source = write(tmp_path / "in.jsonl", [{"prompt": "", "completion": ""}])
    convert_dataset(source, tmp_path / "out.json", LEGACY, workers=1)
    assert json.loads((tmp_path / "out.json").read_bytes()) == []


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.jsonl", b'{"a": 1} {"b": 2}\n', "Extra data"),
        ("a.jsonl", b'"a"\n"b"\n', "not str"),
        ("a.csv", b"question,answer\nHi?,Hello.,more\n", "cells"),
        ("a.jsonl", b"\n\n", "it is empty"),
    ],
)
def test_a_file_without_a_row_says_what_its_first_line_is(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MigrationError, match=said):
        convert_dataset(tmp_path / name, tmp_path / "out.jsonl", {}, workers=1)


def test_the_counts_say_why_a_layout_was_taken(tmp_path):
    source = write(tmp_path / "in.jsonl", [{"question": "a", "answer": "b", "id": 3}] * 12 + [{"id": 1}])
    found = convert_dataset(source, tmp_path / "out.jsonl", {}, workers=1)
    assert found.layout_reasons == {"question_answer": "12 of the first 13 rows by answer, question"}
    named = convert_dataset(source, tmp_path / "named.jsonl", {"from": "question_answer"}, workers=1)
    assert named.layout_reasons == {}


# batch files --------------------------------------------------------------------------------------


def batch_line(prompt, id_="r1", **body):
    line = {"custom_id": id_, "method": "POST", "url": "/v1/completions"}
    return {**line, "body": {"model": "my-model", "prompt": prompt, "max_tokens": 5, **body}}


def test_batch_lines_become_chat_lines(tmp_path):
    source = write(tmp_path / "in.jsonl", [batch_line("Hi"), batch_line(["a", "b"], "r2"), batch_line({})])
    spec = {"from": "batch", "to": "batch", "on_loss": "warn"}
    counts = convert_shard(source, tmp_path / "out.jsonl", spec)
    out = read(tmp_path / "out.jsonl")
    assert (counts.rows, counts.converted, counts.written, counts.rejected) == (3, 2, 3, 1)
    assert [line["custom_id"] for line in out] == ["r1", "r2-0", "r2-1"]
    assert [line["body"]["messages"][0]["content"] for line in out] == ["Hi", "a", "b"]
    assert {line["url"] for line in out} == {"/v1/chat/completions"}
    assert out[0]["body"]["max_completion_tokens"] == 5


def test_questions_become_a_batch(tmp_path):
    source = write(tmp_path / "in.jsonl", [{"prompt": [{"role": "user", "content": text}]} for text in ("a", "b")])
    spec = {"from": "trl_prompt", "to": "openai_batch", "request": {"model": "gpt-4o-mini", "seed": 7}}
    assert convert_shard(source, tmp_path / "out.jsonl", spec).converted == 2
    assert [(line["custom_id"], line["body"]["seed"]) for line in read(tmp_path / "out.jsonl")] == [
        ("row-1", 7),
        ("row-2", 7),
    ]
    without = convert_shard(source, tmp_path / "b.jsonl", {**spec, "request": {}})
    assert without.rejected == 2


def test_what_a_file_breaks_is_told(tmp_path):
    source = write(tmp_path / "in.jsonl", [batch_line("a"), batch_line("b")])
    counts = convert_shard(source, tmp_path / "out.jsonl", {"from": "batch", "to": "batch", "on_loss": "warn"})
    assert [problem for problem in counts.problems if "custom_id" in problem]
    few = convert_shard(write(tmp_path / "b.jsonl", [chat("a")] * 3), tmp_path / "c.jsonl", {"to": "finetune_chat"})
    assert few.problems == ["$: unsupported: 3 rows: fine-tuning takes at least 10"]
    assert not convert_shard(write(tmp_path / "d.jsonl", [chat("a")] * 10), tmp_path / "e.jsonl", {}).problems


def test_the_size_of_a_file_is_counted_once(tmp_path, monkeypatch):
    """Rows that are spliced and rows that go the general way stand in one block."""
    from diptych.datasets import openai_rules

    rows = [{"prompt": f"{n} ->", "completion": f" {n}", **({"id": n} if n % 2 else {})} for n in range(20)]
    source = write(tmp_path / "in.jsonl", rows)
    convert_shard(source, tmp_path / "a.jsonl", {**LEGACY, "on_loss": "ignore"})
    size = (tmp_path / "a.jsonl").stat().st_size
    for limit, told in ((size, 0), (size - 1, 1)):
        monkeypatch.setattr(openai_rules, "TRAINING_BYTES", limit)
        counts = convert_shard(source, tmp_path / f"{limit}.jsonl", {**LEGACY, "on_loss": "ignore"})
        assert (counts.converted, len(counts.problems)) == (20, told), counts.problems


# packed files and tables ---------------------------------------------------------------------------


@pytest.mark.parametrize("ending", sorted(MAGIC))
def test_packed_files(tmp_path, ending):
    if ending == ".zst":
        pytest.importorskip("zstandard", reason="zstandard comes with the extra `data`")
    rows = [{"prompt": f"é{n} ->", "completion": f" {n}"} for n in range(500)]
    plain = write(tmp_path / "in.jsonl", rows)
    packed = tmp_path / f"in.jsonl{ending}"
    with Writing(packed) as writing:
        writing.file.write(plain.read_bytes())
        writing.keep()
    assert packed.stat().st_size < plain.stat().st_size
    for source in (plain, packed):
        counts = convert_shard(source, tmp_path / f"out{source.suffix}.jsonl{ending}", LEGACY)
        assert counts.converted == 500
    outs = [tmp_path / f"out{suffix}.jsonl{ending}" for suffix in (".jsonl", ending)]
    assert outs[0].read_bytes() == outs[1].read_bytes()
    with source_of(outs[0]).opened() as file:
        assert unpacked(file).count(b"\n") == 500


@pytest.mark.parametrize("ending", [ending[1:] for ending in sorted(MAGIC)])
@pytest.mark.parametrize(
    "damage", [lambda data: data[:-20], lambda data: data[:4], lambda data: data[:50] + b"xxxx" + data[54:]]
)
def test_a_packed_file_that_is_damaged_is_an_error_and_leaves_nothing(tmp_path, ending, damage):
    if ending == "zst":
        pytest.importorskip("zstandard", reason="zstandard comes with the extra `data`")
    name = f"in.jsonl.{ending}"
    with Writing(tmp_path / name) as writing:
        for n in range(9000):
            writing.file.write(b'{"prompt": "a%d ->", "completion": " b"}\n' % n)
        writing.keep()
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    with pytest.raises(MigrationError, match=name):
        convert_shard(tmp_path / name, tmp_path / "out.jsonl", LEGACY)
    with pytest.raises(MigrationError, match=name):
        convert_dataset(tmp_path / name, tmp_path / "out.jsonl", {})
    assert names(tmp_path) == [name]


def test_frames_one_behind_another_are_one_file(tmp_path):
    pytest.importorskip("zstandard", reason="zstandard comes with the extra `data`")
    source = write(tmp_path / "in.jsonl", mixed_rows(3000))
    convert_dataset(source, tmp_path / "out.jsonl.zst", LEGACY, workers=1, part=9_000)
    convert_dataset(source, tmp_path / "out.jsonl", LEGACY, workers=1)
    with source_of(tmp_path / "out.jsonl.zst").opened() as file:
        assert unpacked(file) == (tmp_path / "out.jsonl").read_bytes()


def test_tables_go_in_and_out(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow comes with the extra `data`")
    rows = [{"prompt": f"a{n} ->", "completion": f" b{n}"} for n in range(300)]
    source = write(tmp_path / "in.jsonl", [*rows, {"prompt": 1, "completion": " x"}])
    counts = convert_shard(source, tmp_path / "out.parquet", LEGACY)
    assert (counts.converted, counts.rejected) == (300, 1)
    table = parquet.read_table(tmp_path / "out.parquet")
    assert str(table.schema.field("messages").type) == "list<element: struct<role: string, content: string>>"
    assert table.to_pylist()[7] == chat("a7", "b7")
    back = convert_shard(tmp_path / "out.parquet", tmp_path / "back.jsonl", {"to": "finetune_legacy"})
    assert back.converted == 300
    assert read(tmp_path / "back.jsonl")[0] == {"prompt": "a0\n\n###\n\n", "completion": " b0 END"}
    first = (tmp_path / "out.parquet").read_bytes()
    convert_shard(source, tmp_path / "again.parquet", LEGACY)
    assert (tmp_path / "again.parquet").read_bytes() == first


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
CONTENTS = (
    st.text(max_size=5) | st.just("\ud800") | st.lists(st.just({"type": "text", "text": "x"}), min_size=1, max_size=2)
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1), min_size=1, max_size=5))
def test_a_table_holds_any_rows(tmp_path_factory, rows):
    """Every value comes back, of every type, mixed in a column; only a null is absent."""
    parquet = pytest.importorskip("diptych.migrate.data.parquet")
    pytest.importorskip("pyarrow", reason="pyarrow comes with the extra `data`")
    folder = tmp_path_factory.mktemp("table")
    write(folder / "rows.jsonl", rows)
    parquet.write(folder / "rows.jsonl", folder / "t.parquet")
    found = [row for _, row in parquet.rows(folder / "t.parquet")]
    assert found == [{name: value for name, value in row.items() if value is not None} for row in rows]


@given(st.lists(st.lists(CONTENTS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_a_table_of_messages_keeps_mixed_contents(tmp_path_factory, talks):
    parquet = pytest.importorskip("diptych.migrate.data.parquet")
    pytest.importorskip("pyarrow", reason="pyarrow comes with the extra `data`")
    folder = tmp_path_factory.mktemp("table")
    rows = [{"messages": [{"role": "user", "content": content} for content in talk]} for talk in talks]
    write(folder / "rows.jsonl", rows)
    parquet.write(folder / "rows.jsonl", folder / "t.parquet")
    assert [row for _, row in parquet.rows(folder / "t.parquet")] == rows


# large files in parts ------------------------------------------------------------------------------


def mixed_rows(count):
    for n in range(count):
        yield b"broken" if n % 97 == 5 else {"prompt": f"q{n}\n\n###\n\n", "completion": f" {'x' * (n % 40)}{n} END"}


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet"])
def test_parts_give_the_bytes_of_the_whole(tmp_path, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow comes with the extra `data`")
    source = write(tmp_path / "in.jsonl", mixed_rows(2000))
    whole = convert_dataset(source, tmp_path / f"whole.{ending}", LEGACY, workers=1)
    cut = convert_dataset(source, tmp_path / f"cut.{ending}", LEGACY, workers=2, part=20_000)
    assert whole.to_json() == cut.to_json()
    assert (whole.rows, whole.rejected) == (2000, 21)
    rejects = [tmp_path / f"{name}.{ending}.rejects.jsonl" for name in ("whole", "cut")]
    assert rejects[0].read_bytes() == rejects[1].read_bytes()
    assert [r["line"] for r in read(rejects[0])][:2] == [6, 103]
    if ending == "jsonl.gz":
        contents = [gzip.decompress((tmp_path / f"{name}.{ending}").read_bytes()) for name in ("whole", "cut")]
    else:
        contents = [(tmp_path / f"{name}.{ending}").read_bytes() for name in ("whole", "cut")]
    assert contents[0] == contents[1]
    assert convert_dataset(source, tmp_path / f"cut.{ending}", LEGACY, part=20_000).skipped
    assert not [name for name in names(tmp_path) if "parts" in name or name.endswith(".part")]


def test_row_groups_are_parts(tmp_path, monkeypatch):
    arrow = pytest.importorskip("pyarrow", reason="pyarrow comes with the extra `data`")
    from pyarrow import parquet

    from diptych.migrate.data import parts

    rows = [{"prompt": f"a{n} ->", "completion": f" b{n}" if n != 450 else None} for n in range(1000)]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "in.parquet", row_group_size=100)
    monkeypatch.setattr(parts, "_PART_ROWS", 250)
    found = plan_dataset(tmp_path / "in.parquet", tmp_path / "out.jsonl", LEGACY)
    assert [(shard.src.start, shard.src.end, shard.src.first) for shard in found.shards] == [
        (0, 3, 1), (3, 6, 301), (6, 9, 601), (9, 10, 901)
    ]  # fmt: skip
    counts = convert_dataset(tmp_path / "in.parquet", tmp_path / "out.jsonl", LEGACY, workers=1)
    assert (counts.converted, counts.rejected) == (999, 1)
    assert read(tmp_path / "out.jsonl.rejects.jsonl")[0]["line"] == 451
    assert read(tmp_path / "out.jsonl")[500] == chat("a501", "b501")


def test_an_engine_of_ones_own(tmp_path):
    """What the recipes for other engines do: any map over the shards, then finish."""
    source = write(tmp_path / "in.jsonl", mixed_rows(500))
    plan = plan_dataset(source, tmp_path / "out.jsonl", LEGACY, part=4_000)
    assert len(plan.shards) > 5
    with pytest.raises(MigrationError, match="has not been converted"):
        plan.finish()
    for shard in reversed(plan.shards):
        convert_shard(*shard)
    counts = plan.finish()
    convert_shard(source, tmp_path / "whole.jsonl", LEGACY)
    assert counts.rows == 500
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_source_that_changed_is_converted_anew(tmp_path):
    source, out = write(tmp_path / "in.jsonl", [chat("a")]), tmp_path / "out.jsonl"
    assert not convert_dataset(source, out, {}).skipped
    assert convert_dataset(source, out, {}).skipped
    out.write_bytes(b"cut")
    assert not convert_dataset(source, out, {}).skipped
    write(source, [chat("b")])
    assert not convert_dataset(source, out, {}).skipped
    assert not convert_dataset(source, out, {"to": "sharegpt"}).skipped


def test_what_a_killed_writer_left_is_swept(tmp_path):
    source = write(tmp_path / "in.jsonl", [chat("a")])
    for left in (".out.jsonl.1-ab.part", ".out.jsonl.rejects.jsonl.1-ab.part"):
        (tmp_path / left).write_bytes(b"half")
    (tmp_path / ".other.jsonl.1-ab.part").write_bytes(b"someone else's")
    convert_dataset(source, tmp_path / "out.jsonl", {})
    assert names(tmp_path) == [".other.jsonl.1-ab.part", "in.jsonl", "out.jsonl", "out.jsonl.manifest.json"]
    (tmp_path / ".a[1].jsonl.1-ab.part").write_bytes(b"half")
    sweep(tmp_path / "a[1].jsonl")
    assert not (tmp_path / ".a[1].jsonl.1-ab.part").exists()


def test_a_manifest_says_what_was_done(tmp_path):
    import hashlib

    source = write(tmp_path / "in.jsonl", [{"prompt": "2+2? ->", "completion": " 4"}, b"x"])
    spec = Spec("auto", "finetune_chat", model="gpt-4o-mini", source_model="gpt-3.5-turbo-instruct")
    convert_dataset(source, tmp_path / "out.jsonl", spec)
    manifest = json.loads((tmp_path / "out.jsonl.manifest.json").read_bytes())
    assert manifest["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert manifest["spec"]["separators"] == [" ->", " ", ""]
    assert (manifest["counts"]["rows"], manifest["counts"]["rejected"]) == (2, 1)
    assert manifest["tokens"] == {"before": 7, "after": 16}
    assert manifest["cost"] == {"before": "0.0000105", "after": "0.0000024"}
    assert str(tmp_path) not in (tmp_path / "out.jsonl.manifest.json").read_text()
