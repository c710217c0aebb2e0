"""The rows that people have: converted by the first command, or refused with the reason. Contents are invented."""

import json
from pathlib import Path

import pytest

from diptych.errors import DiptychError
from diptych.migrate import convert_dataset, convert_rows
from diptych.migrate.data.rows import loads

#: The data set or tool that has such rows, the target, the row, and what is written or why it is refused. The page on
#: formats shows them.
ROWS = [json.loads(line) for line in Path(__file__).with_name("known.jsonl").read_text("utf-8").splitlines()]
KNOWN = [row for row in ROWS if "wanted" in row]
REFUSED = [row for row in ROWS if "refused" in row]
PLAIN = {"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]}


def converted(folder, row, target):
    (folder / "in.jsonl").write_text((json.dumps(row) + "\n") * 2)
    counts = convert_dataset(folder / "in.jsonl", folder / "out.jsonl", {"to": target}, workers=1)
    return counts, [loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("known", KNOWN, ids=[known["name"] for known in KNOWN])
def test_the_first_command_converts(tmp_path, known):
    counts, rows = converted(tmp_path, known["row"], known["to"])
    assert counts.rejected == 0, counts.reasons
    assert rows == [known["wanted"]] * 2
    assert [*convert_rows([known["row"]] * 2, {"to": known["to"]})] == rows


def test_most_of_sixty_formats_are_converted():
    assert len(ROWS) >= 60
    assert len(KNOWN) >= 50


@pytest.mark.parametrize("refused", REFUSED, ids=[refused["name"] for refused in REFUSED])
def test_what_is_not_understood_is_refused_with_its_reason(tmp_path, refused):
    with pytest.raises(DiptychError, match=refused["refused"]):
        counts, _ = converted(tmp_path, refused["row"], refused["to"])
        (reason,) = counts.reasons.values()
        assert (reason["rows"], reason["line"]) == (2, 1)
        raise DiptychError(reason["message"])


def test_a_single_row_of_another_kind_is_a_reject(tmp_path):
    rows = [PLAIN] * 12 + [{"nothing": "x"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts = convert_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {})
    assert (counts.converted, counts.rejected, counts.layouts) == (12, 1, {"finetune_chat": 13})


def test_rows_in_memory_that_cannot_be_converted_are_kept_or_raise():
    bad = {**PLAIN, "notes": "Ask again."}
    rejects = []
    assert [*convert_rows([PLAIN, bad, PLAIN], {}, rejects=rejects)] == [PLAIN, PLAIN]
    assert [reject["line"] for reject in rejects] == [2]
    with pytest.raises(DiptychError, match="row 2"):
        list(convert_rows(iter([PLAIN, bad]), {}))
    assert list(convert_rows([], {})) == []
