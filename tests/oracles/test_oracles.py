"""The oracles themselves: what they make is valid by the SDK's own check, and none is skipped where its SDK is there."""

import json
from importlib import metadata

import pytest
from hypothesis import given

import diptych

from .features import FEATURES
from .laws import leaves
from .sdk import TYPES, oracle
from .types import WORD

APIS = [entry.name for entry in diptych.list_formats("api")]
#: The distributions whose types judge; ``dev`` declares them, so that no run can do without.
SDKS = ("openai", "anthropic", "google-genai", "botocore", "ollama")


@pytest.mark.parametrize("name", SDKS)
def test_every_sdk_is_there(name):
    assert metadata.version(name)


def test_every_api_has_an_oracle():
    assert set(APIS) <= set(TYPES)


@pytest.mark.parametrize("kind", ["request", "response"])
@pytest.mark.parametrize("api", TYPES)
def test_what_is_made_is_valid_and_no_word_stands_twice(api, kind):
    @given(oracle(api, kind).values)
    def law(body):
        assert not oracle(api, kind).fault(body)
        assert body == json.loads(json.dumps(body))
        words = [WORD.search(leaf)[0] for _, leaf in leaves(body) if isinstance(leaf, str) and WORD.search(leaf)]
        assert len(words) - len(set(words)) <= sum("call_w" in json.dumps(leaf) for _, leaf in leaves(body))

    law()


@pytest.mark.parametrize(("api", "name"), [(api, name) for api, bodies in FEATURES.items() for name in bodies])
def test_every_feature_is_valid(api, name):
    assert not oracle(api).fault(FEATURES[api][name])
