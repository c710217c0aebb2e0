"""Sources: the content says what a file holds, and every form gives the same rows."""

import csv
import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.errors import MigrationError
from diptych.migrate import convert_dataset
from diptych.migrate.data import arrays
from diptych.migrate.data.files import Writing
from diptych.migrate.data.packing import MAGIC, packing_of
from diptych.migrate.data.sources import source_of

ROWS = [{"instruction": f"ä{n}, \"x\"\n[{{", "output": f"b\\{n}"} for n in range(7)]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def as_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_records(rows, delimiter=","):
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


FORMS = {
    "lines": ("jsonl", as_lines),
    "lines called json": ("json", as_lines),
    "lines called txt": ("txt", as_lines),
    "lines that end in CRLF": ("ndjson", lambda rows: as_lines(rows).replace("\n", "\r\n")),
    "array": ("json", json.dumps),
    "array called jsonl": ("jsonl", json.dumps),
    "indented array": ("json", lambda rows: json.dumps(rows, indent=4, ensure_ascii=False)),
    "array of lines": ("json", lambda rows: "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n"),
    "array that ends in a comma": ("json", lambda rows: "[" + "".join(json.dumps(row) + "," for row in rows) + "]"),
    "arrays one behind another": ("json", lambda rows: json.dumps(rows[:2]) + "\n" + json.dumps(rows[2:], indent=1)),
    "indented values": ("json", lambda rows: "\n".join(json.dumps(row, indent=2) for row in rows)),
    "CSV": ("csv", as_records),
    "CSV of semicolons": ("csv", lambda rows: as_records(rows, ";")),
    "CSV that ends in LF": ("CSV", lambda rows: as_records(rows).replace("\r\n", "\n")),
    "TSV": ("tsv", lambda rows: as_records(rows, "\t")),
}
MANY = 12_000
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]


def written(path, text, packing="", encoding="utf-8"):
    path = path.with_name(path.name + packing)
    with Writing(path) as writing:
        writing.file.write(text.encode(encoding))
        writing.keep()
    return path


def rows_of(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    counts = convert_dataset(written(folder / "in.jsonl", as_lines(ROWS)), folder / "out.jsonl", {})
    assert counts.converted == len(ROWS)
    return (folder / "out.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("form", "packing"), [*((form, "") for form in FORMS), *((form, end) for form in ("array", "CSV") for end in MAGIC)]
)
def test_every_form_gives_the_same_rows(tmp_path, expected, form, packing):
    if packing == ".zst":
        pytest.importorskip("zstandard", reason="zstandard comes with the extra `data`")
    ending, write = FORMS[form]
    for encoding in ENCODINGS[: 1 if packing else 3]:
        source = written(tmp_path / f"in.{ending}", write(ROWS), packing, encoding)
        counts = convert_dataset(source, tmp_path / "out.jsonl", {}, workers=1)
        assert (counts.converted, counts.rejected) == (len(ROWS), 0), (form, encoding)
        assert (tmp_path / "out.jsonl").read_bytes() == expected


@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), min_size=1, max_size=6), st.sampled_from([None, 1, "\t"]),
       st.integers(1, 40))  # fmt: skip
def test_an_array_is_its_elements(rows, indent, size):
    data = json.dumps(rows, indent=indent, ensure_ascii=False).encode("utf-8")
    file = io.BytesIO(data)
    short = type("Short", (), {"read": lambda self, n: file.read(min(n, size))})()
    reader = arrays.Elements(short, "x", is_array=True)
    found = b"".join(iter(reader.read, b"")).split(b"\n")[:-1]
    assert [json.loads(line) for line in found] == rows


def test_compression_is_told_by_its_bytes(tmp_path, expected):
    source = written(tmp_path / "in.jsonl", as_lines(ROWS), ".gz")
    source.rename(tmp_path / "unnamed.jsonl")
    convert_dataset(tmp_path / "unnamed.jsonl", tmp_path / "out.jsonl", {})
    assert (tmp_path / "out.jsonl").read_bytes() == expected
    assert packing_of("a.jsonl.gz", b'{"a": 1}') == "", "unpacked on its way here"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"instruction": "a", "output": "b"}', "not closed: the file is cut off"),
        ('[{"instruction": "a", "output": "b"}, {"instruc', "not closed: the file is cut off"),
        ('[{"instruction": "a", "output": "b"}]}', "a bracket is closed that was not opened"),
        ('[{"instruction": "a", "output": "b"}] and more', "text outside of the array"),
    ],
)
def test_an_array_that_is_cut_off_or_goes_on_is_an_error(tmp_path, text, said):
    (tmp_path / "in.json").write_text(text)
    with pytest.raises(MigrationError, match=said):
        convert_dataset(tmp_path / "in.json", tmp_path / "out.jsonl", {"from": "alpaca"})
    assert not (tmp_path / "out.jsonl").exists()


def test_a_broken_element_is_a_reject_with_its_number(tmp_path):
    good = json.dumps(ROWS[0])
    broken = ['{"instruction": "a" "output": "b"}', '{"instruction": "a\nb", "output": "c"}', "7", "nothing"]
    (tmp_path / "in.json").write_text("[" + ",\n".join([good, *broken, good]) + "]")
    counts = convert_dataset(tmp_path / "in.json", tmp_path / "out.jsonl", {})
    assert (counts.converted, counts.rejected) == (2, len(broken))
    rejects = rows_of(tmp_path / "out.jsonl.rejects.jsonl")
    assert [reject["line"] for reject in rejects] == [2, 3, 4, 5]


def test_a_bad_record_is_a_reject_with_its_reason(tmp_path):
    (tmp_path / "in.csv").write_bytes(b'question,answer\r\na,b\r\na,b,c\r\nd\r\n\xff,e\r\n"f"g,h\r\ni,j\r\n')
    counts = convert_dataset(tmp_path / "in.csv", tmp_path / "out.jsonl", {})
    assert (counts.converted, counts.rejected) == (2, 4)
    rejects = rows_of(tmp_path / "out.jsonl.rejects.jsonl")
    said = ["has 3 cells, the header 2", "has 1 cells, the header 2", "not UTF-8", "cannot be read"]
    assert all(part in reject["error"]["message"] for part, reject in zip(said, rejects, strict=True)), rejects
    assert [reject["line"] for reject in rejects] == [3, 4, 5, 6], "as a spreadsheet numbers them"


TURNS = [{"from": "human", "value": "it's"}, {"from": "gpt", "value": 'say "b"'}]


@pytest.mark.parametrize("cell", [json.dumps(TURNS), repr(TURNS)])
def test_cells_of_lists_are_what_they_say(tmp_path, cell):
    (tmp_path / "in.csv").write_text(as_records([{"conversations": cell}] * 2), newline="")
    convert_dataset(tmp_path / "in.csv", tmp_path / "out.jsonl", {})
    assert rows_of(tmp_path / "out.jsonl")[1]["messages"][1] == {"role": "assistant", "content": 'say "b"'}


def test_cells_of_texts_are_texts(tmp_path):
    row = {"prompt": '{"city": "Rome"}', "completion": "[1]", "label": "False"}
    (tmp_path / "in.csv").write_text(as_records([row]), newline="")
    convert_dataset(tmp_path / "in.csv", tmp_path / "out.jsonl", {"to": "trl_unpaired"})
    (found,) = rows_of(tmp_path / "out.jsonl")
    assert found["prompt"] == [{"role": "user", "content": row["prompt"]}]
    assert (found["completion"], found["label"]) == ([{"role": "assistant", "content": "[1]"}], False)


@pytest.mark.parametrize(
    ("head", "said"),
    [(b"PK\x03\x04....", "a ZIP archive"), (b"ARROW1\0\0", "an Arrow file"), (b"SQLite format 3\0", "an SQLite"),
     (b"\x80\x04\x95", "a Python pickle"), (b"\x93NUMPY\x01\0", "binary data")],
)  # fmt: skip
def test_what_holds_no_rows_is_said_to_be_what_it_is(tmp_path, head, said):
    (tmp_path / "in.jsonl").write_bytes(head)
    with pytest.raises(MigrationError, match=said):
        convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {})


def test_a_folder_of_every_form_leaves_nothing_out_in_silence(tmp_path, expected):
    source = tmp_path / "in"
    source.mkdir()
    for number, (ending, write) in enumerate(FORMS.values()):
        if ending != "txt":
            written(source / f"{number:02}.{ending}", write(ROWS), ".gz" if number % 2 else "")
    (source / "README.md").write_text("# rows")
    (source / "empty.json").write_text("")
    (source / "dataset_info.json").write_text("{}")
    counts = convert_dataset(source, tmp_path / "out", {}, workers=1)
    assert counts.converted == len(ROWS) * (len(FORMS) - 1)
    left_out = [problem.partition(":")[0] for problem in counts.problems if "left out" in problem]
    assert sorted(left_out) == ["README.md", "dataset_info.json", "empty.json"]
    made = [path for path in (tmp_path / "out").iterdir() if not path.name.endswith("manifest.json")]
    assert len(made) == len(FORMS) - 1
    assert all(".jsonl" in path.name or ".ndjson" in path.name for path in made), made


def test_targets_of_one_name_are_kept_apart(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for ending in ("csv", "json", "jsonl"):
        written(source / f"a.{ending}", dict(FORMS.values())[ending](ROWS))
    convert_dataset(source, tmp_path / "out", {}, workers=1)
    made = sorted(path.name for path in (tmp_path / "out").glob("a.*") if not path.name.endswith("manifest.json"))
    assert made == ["a.csv.jsonl", "a.json.jsonl", "a.jsonl"]


@pytest.mark.parametrize("form", ["array", "CSV"])
def test_memory_does_not_grow_with_the_file(tmp_path, form):
    ending, write = FORMS[form]
    source = written(tmp_path / f"in.{ending}", write([{"instruction": "a" * 1000, "output": "b"}] * MANY), ".gz")
    source = source_of(source)
    tracemalloc.start()
    with source.opened() as file:
        assert sum(data.count(b"\n") for data in iter(lambda: file.read(1 << 16), b"")) >= MANY
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MANY * 1000 // 3, f"{peak:,} bytes for {MANY * 1000:,}"


def test_an_element_without_an_end_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "LARGEST", 1 << 18)
    (tmp_path / "in.json").write_text('[{"instruction": "' + "a, " * 200_000)
    with pytest.raises(MigrationError, match="an element has no end"):
        convert_dataset(tmp_path / "in.json", tmp_path / "out.jsonl", {})
