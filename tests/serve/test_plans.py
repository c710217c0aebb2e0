"""A law of plans: whatever a body holds, it becomes bodies for the upstream or a refusal of the client's mistake."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.client.endpoints import ENDPOINTS
from diptych.errors import DiptychError
from diptych.loss import Loss, Severity
from diptych.serve.faces import FACES
from diptych.serve.plans import make_plan
from diptych.serve.policy import DEFAULTS, TABLE, said_nothing, settled, unknown_fields
from diptych.serve.refusals import RefusedError, refusal_of
from diptych.serve.settings import Settings

SAID = {
    "completions": {"prompt": "Say hello"},
    "chat": {"messages": [{"role": "user", "content": "Say hello"}]},
    "responses": {"input": "Say hello"},
    "anthropic": {"max_tokens": 9, "messages": [{"role": "user", "content": "Say hello"}]},
}
NAMES = (
    "prompt", "messages", "input", "system", "tools", "tool_choice", "stop", "max_tokens", "n", "best_of", "echo",
    "logprobs", "logit_bias", "stream", "stream_options", "response_format", "text", "reasoning", "metadata", "suffix",
    "functions", "thinking", "temperature", "model",
)  # fmt: skip
INNER = st.sampled_from(("role", "content", "type", "text", "name", "function", "tool_calls", "source", "image_url"))
VALUES = st.recursive(
    st.sampled_from((None, True, False, 0, 3, -1, 1.5, 10**30, "", "x", "user", "text", "\ud800", [1, 2])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER, inner, max_size=4),
    max_leaves=8,
)


def planned(api, body, settings):
    """Return the plan for a body, or why there is none."""
    try:
        return make_plan(FACES[api], body, settings), None
    except (DiptychError, RefusedError) as error:
        return None, refusal_of(error)


@pytest.mark.parametrize("upstream_api", sorted(ENDPOINTS))
@given(st.sampled_from(sorted(FACES)), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
def test_a_body_becomes_bodies_or_is_refused(upstream_api, api, more):
    settings = Settings(upstream="http://127.0.0.1/v1", upstream_api=upstream_api)
    body = {"model": "gpt-4o", **SAID[api], **more}
    plan, refusal = planned(api, body, settings)
    if plan is None:
        assert 400 <= refusal.status < 500
        return
    assert plan.asks
    for ask in plan.asks:
        json.dumps(ask.body)
        assert (ask.choices, ask.tools) is not None
        assert ask.api == upstream_api
    assert len(plan.requests) == len(plan.asks)
    assert all(loss.severity is not Severity.REFUSED for loss in plan.signal.losses)


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_a_default_says_nothing_and_anything_else_does(name):
    for value in (*DEFAULTS[name], None, "", [], {}):
        assert said_nothing(name, value)
    assert not said_nothing(name, "something")
    assert not said_nothing("temperature", 0)


def test_the_table_has_a_row_for_every_severity():
    assert TABLE.keys() == set(Severity)
    dropped = Loss("$.seed", "parameter-dropped")
    assert settled([dropped, dropped], strict=False).losses == (dropped,)
    with pytest.raises(DiptychError):
        settled([dropped], strict=True)


@pytest.mark.parametrize("api", sorted(FACES))
def test_what_an_api_has_is_known_to_it(api):
    from openai.types import completion_create_params, responses
    from openai.types.chat import completion_create_params as chat

    kinds = {
        "completions": completion_create_params.CompletionCreateParamsBase,
        "chat": chat.CompletionCreateParamsBase,
        "responses": responses.response_create_params.ResponseCreateParamsBase,
    }
    if api == "anthropic":
        from anthropic.types.message_create_params import MessageCreateParamsBase

        kinds[api] = MessageCreateParamsBase
    names = dict.fromkeys((*kinds[api].__annotations__, "stream"))
    assert unknown_fields(names, api) == []
    assert unknown_fields({"no_such_field": 1}, api) == ["no_such_field"]
