"""The recipes for other engines, as they stand in the documentation, where their engine is installed."""

import re
import sys
from pathlib import Path

import pytest

from diptych.migrate import convert_shard, plan_dataset

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "migrate-data.md"


def recipe(engine):
    (line,) = re.findall(rf"^```{engine}\n(.*)\n```$", PAGE.read_text("utf-8"), re.MULTILINE)
    return line


@pytest.fixture
def plan(tmp_path):
    rows = "".join(f'{{"prompt": "{n} ->", "completion": " {n}"}}\n' for n in range(400))
    (tmp_path / "in.jsonl").write_text(rows)
    convert_shard(tmp_path / "in.jsonl", tmp_path / "whole.jsonl", {})
    made = plan_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {}, part=2_000)
    assert len(made.shards) > 3
    return made


def assert_whole(plan):
    assert plan.finish().converted == 400
    (file,) = plan.files
    assert file.out.read_bytes() == file.out.with_name("whole.jsonl").read_bytes()


@pytest.mark.filterwarnings("default")
def test_dask(plan):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True) as client:
        assert len(eval(recipe("dask"), {"client": client, "plan": plan, "convert_shard": convert_shard})) > 3
    assert_whole(plan)


@pytest.mark.filterwarnings("default")
def test_spark(plan, monkeypatch):
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)  # Spark would take the python3 of the PATH
    sql = pytest.importorskip("pyspark.sql", reason="Spark is not installed")
    session = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        scope = {"sc": session.sparkContext, "plan": plan, "convert_shard": convert_shard}
        assert len(eval(recipe("spark"), scope)) > 3
    finally:
        session.stop()
    assert_whole(plan)


@pytest.mark.filterwarnings("default")
def test_daft(plan):
    daft = pytest.importorskip("daft", reason="Daft is not installed")
    eval(recipe("daft"), {"daft": daft, "plan": plan, "convert_shard": convert_shard})
    assert_whole(plan)
