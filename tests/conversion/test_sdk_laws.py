"""The laws of conversion over what official SDKs call valid, for every pair of APIs of the registry.

Whole requests and responses: every leaf is carried or told at its place, nothing is told that stands in
its place, what comes out as lossless is valid for its receiver, the own API is the identity, and few
values are refused, each with a path and a reason.
"""

import pytest
from hypothesis import given

import diptych

from ..oracles.features import FEATURES
from ..oracles.laws import Refused, disordered, invalid, is_identity, overbooked, seen, silent, unbooked, unplaced
from ..oracles.sdk import oracle

APIS = sorted(entry.name for entry in diptych.list_formats("api"))
#: Of valid values, so many in a hundred may be refused under ``on_loss="ignore"``.
MOST_REFUSED = 8


@pytest.mark.parametrize("source", APIS)
@pytest.mark.parametrize("kind", ["request", "response"])
def test_every_leaf_is_carried_or_told(kind, source):
    tried, refused = [], []

    @given(oracle(source, kind).values)
    def law(value):
        for target in APIS:
            tried.append(target)
            try:
                made = seen(value, source, target, kind)
            except Refused as error:
                refused.extend(error.args if (kind, target) != ("response", "completions") else ())  # it takes texts alone
                continue
            holds(value, made, source, target, kind)

    law()
    assert all(path and why for losses in refused for path, _, why in losses)
    assert len(refused) * 100 <= len(tried) * MOST_REFUSED


def holds(value, made, source, target, kind):
    """Assert what has to hold of one conversion."""
    assert not silent(value, made, source, target, kind), target
    assert not overbooked(value, made), target
    assert not unplaced(value, made, source), target
    assert not disordered(value, made), target
    assert not invalid(value, made, source, target, kind), target
    assert source != target or is_identity(value, made)
    assert kind == "response" or not unbooked(value, made, source, target), target


@pytest.mark.parametrize("target", APIS)
@pytest.mark.parametrize(
    ("source", "feature"), [(api, name) for api in FEATURES for name in FEATURES[api] if api in APIS]
)
def test_every_feature_is_carried_or_told(source, feature, target):
    body = FEATURES[source][feature]
    try:
        holds(body, seen(body, source, target), source, target, "request")
    except Refused as error:
        found = error.args[0]
    else:
        return
    assert all(path and why for path, _, why in found)
