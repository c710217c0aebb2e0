"""What Diptych makes of some 3,700 inputs is what it made before.

A line of ``behaviour.jsonl`` changes only together with the reason in the commit:
``python tests/record/behaviour.py`` writes the record anew.
"""

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("behaviour", HERE / "behaviour.py")
behaviour = importlib.util.module_from_spec(spec)
spec.loader.exec_module(behaviour)


def group_of(name):
    return name.partition("/")[0]


def test_behaviour_is_as_recorded():
    frozen = {json.loads(line)["id"]: line for line in behaviour.RECORD.read_text("utf-8").splitlines()}
    today = {json.loads(line)["id"]: line for line in behaviour.record()}
    groups = {group_of(name) for name in today}
    wanted = {name: line for name, line in frozen.items() if group_of(name) in groups}
    changed = [f"- {wanted.get(name)}\n+ {today.get(name)}" for name in {**wanted, **today}
               if wanted.get(name) != today.get(name)]  # fmt: skip
    assert not changed, f"{len(changed)} of {len(today)} lines differ, the first:\n" + "\n".join(changed[:10])
    if not behaviour.SHARED.is_dir():
        pytest.skip("the samples are not beside this checkout: only the record's own inputs were compared")
