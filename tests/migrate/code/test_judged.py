"""The judged public sites: the list is whole, and what is known of them holds where they are unpacked.

``DIPTYCH_JUDGED`` names the folder; see ``scripts/judge_code.py``.
"""

import importlib.util
import os
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "judge_code.py"
FOLDER = os.environ.get("DIPTYCH_JUDGED", "")


@pytest.fixture(scope="module")
def judge():
    spec = importlib.util.spec_from_file_location("judge_code", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_is_whole(judge):
    rows = judge.read()
    assert len(rows) == len({row[:4] for row in rows}) >= 150
    assert {row.verdict for row in rows} == set(judge.VERDICTS)
    assert sum(row.verdict != "leave" for row in rows) >= 100
    assert all(row.line > 0 and not row.path.startswith("/") for row in rows)


def test_the_shares_of_outcomes_that_are_given(judge):
    rows = judge.read()
    certain = [row for row in rows if row.verdict == "migrate"]
    found = {row: "migrated" if row.verdict == "migrate" else "untouched" for row in rows}
    found[certain[0]] = "refused suffix"
    told = judge.shares(found)
    refuse = sum(row.verdict == "refuse" for row in rows)
    assert told["certain sites migrated"].startswith(f"{len(certain) - 1} of {len(certain)}")
    assert told["missed in silence"] == str(refuse)
    assert (told["wrong"], told["others touched"]) == ("0", "0")


@pytest.mark.skipif(not FOLDER, reason="DIPTYCH_JUDGED names no folder of unpacked distributions")
def test_nothing_is_wrong_missed_or_touched(judge):
    pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")
    told = judge.shares(judge.outcomes(Path(FOLDER)))
    assert (told["wrong"], told["missed in silence"], told["others touched"]) == ("0", "0", "0")
