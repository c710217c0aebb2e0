"""Five outcomes of asking twice."""

import pytest

from diptych.client.drift import compare, worst

SAME = {"text": "a", "system_fingerprint": "fp1", "model": "m"}


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        ({}, "identical"),
        ({"text": "b"}, "nondeterminism"),
        ({"text": "b", "system_fingerprint": "fp2"}, "backend-drift"),
        ({"text": "b", "system_fingerprint": None}, "fingerprint-unknown"),
        ({"text": "b", "system_fingerprint": ""}, "fingerprint-unknown"),
        ({"text": "b", "system_fingerprint": "b0-unknown"}, "fingerprint-unknown"),
        ({"model": "m-2"}, "model-moved"),
    ],
)
def test_outcomes(other, outcome):
    assert compare(SAME, {**SAME, **other}).outcome == outcome


def test_the_worst_of_several():
    assert worst([SAME]).outcome == "identical"
    assert worst([SAME, SAME, {**SAME, "text": "b"}]).outcome == "nondeterminism"
