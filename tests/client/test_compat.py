"""An old-style script over a Chat server."""

import warnings

import pytest

import diptych
from diptych.client.compat import Completions
from diptych.testing import Server


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def completions(server):
    with diptych.Client(server.base_url) as client:
        yield Completions(client)


def test_an_old_call_is_served_by_chat(server, completions):
    reply = completions.create(engine="my-model", prompt="Say hi", max_tokens=5, echo=True, n=1)
    assert reply.choices[0].text == reply["choices"][0]["text"] == "Say hiSay hi"
    assert reply.object == "text_completion"
    assert reply.usage.completion_tokens == 2
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].body["max_completion_tokens"] == 5
    assert isinstance(reply.model_dump()["choices"], list)


def test_several_prompts_are_one_reply(server, completions):
    with pytest.warns(diptych.LossWarning):
        reply = completions.create(model="m", prompt=["a", "b"], max_tokens=5)
    assert [(c.index, c.text) for c in reply.choices] == [(0, "a"), (1, "b")]
    assert len(server.requests) == 2


def test_a_stream_has_the_old_shape(server, completions):
    chunks = list(completions.create(model="m", prompt="one two", max_tokens=5, stream=True))
    assert "".join(c.choices[0].text for c in chunks if c.choices) == "one two"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert all(c.object == "text_completion" for c in chunks)


def test_equal_chunks_are_all_kept(completions):
    chunks = completions.create(model="m", prompt="ha ha ha ha", max_tokens=9, stream=True, n=2)
    texts = {0: "", 1: ""}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == {0: "ha ha ha ha", 1: "ha ha ha ha"}


def test_losses_are_told_once(completions):
    with pytest.warns(diptych.LossWarning, match="substituted"):
        completions.create(model="davinci-002", prompt="Hi", max_tokens=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        completions.create(model="davinci-002", prompt="Hi", max_tokens=5)


def test_what_chat_cannot_do_raises(completions):
    with pytest.raises(diptych.LossError):
        completions.create(model="m", prompt="Hi", suffix="there", max_tokens=5)
