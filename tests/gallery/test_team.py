"""The ten templates of examples/prompts: they are clean, and render what the golden files show."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import Library, count
from diptych.templating.check import check_paths
from diptych.testing.prompts import snapshot_of

ROOT = Path(__file__).parents[2]
PROMPTS = ROOT / "examples/prompts"
LIBRARY = Library(PROMPTS)
NAMES = sorted(name for name in LIBRARY if "/" not in name)
SAMPLES = [(name, sample) for name in NAMES for sample in LIBRARY[name].samples]


def test_there_are_ten_and_every_one_has_a_sample() -> None:
    assert len(NAMES) == 10
    assert {name for name, _ in SAMPLES} == set(NAMES)


def test_they_are_clean() -> None:
    assert list(check_paths([PROMPTS], select=["ALL"], ignore=["UP"])) == []


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_what_they_render(name: str, sample: str, golden) -> None:  # type: ignore[no-untyped-def]
    template = LIBRARY[name]
    inputs = template.samples[sample]
    rendered = template.render(inputs)
    assert template.counter(model="gpt-4o")(**inputs) == count(rendered, "gpt-4o").tokens
    file = Path(__file__).parent / "team" / f"{template.name}-{sample.replace(' ', '-')}.txt"
    golden(file, snapshot_of(rendered, model="gpt-4o"))
