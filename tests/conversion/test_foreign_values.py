"""Whatever comes in, only errors of Diptych come out: every format of the registry, every reader of the client.

Good values are damaged: leaves are replaced by values of other types, lists and objects by each other. The
registry says what is tried; a format that is added is tried, too.
"""

from __future__ import annotations

import copy
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.client.answer import StreamReader, check_complete
from diptych.client.endpoints import ENDPOINTS
from diptych.client.errors_of import api_error
from diptych.conversion.registry import list_formats
from diptych.testing import answers, others
from diptych.testing.refusals import BadRequestError

FORMATS = list_formats()
APIS = sorted(one.name for one in FORMATS if one.kind == "api")
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": "data:,"}}]},
    {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "Hm."},
    {"role": "tool", "tool_call_id": "c", "content": "7"},
    {"role": "assistant", "content": "Seven."},
    {"role": "user", "content": "Thanks."},
]
BODY = {"model": "gpt-4o", "messages": MESSAGES, "tools": [TOOL], "tool_choice": "auto", "max_tokens": 50, "stop": ["x"],
        "temperature": 1, "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}}  # fmt: skip
#: What stands in a leaf's place.
ODD = [None, True, 0, -1, 1.5, 10**30, float("inf"), "", "x", "\ud800", [], {}, [None], ["a"], [1.5], {"type": []},
       {"a": None}, "tool", "text", "tool_use", "function_call", {"role": "user"}, [[]], [{}]]  # fmt: skip


def made(target, kind="api"):
    """Return a good value of a format, made from a Chat body; None where it has no such form."""
    try:
        value = BODY if kind == "api" else {"messages": [m for m in MESSAGES if m.get("content") and m["role"] != "tool"]}
        return diptych.convert(copy.deepcopy(value), source="chat", target=target, on_loss="ignore").output
    except diptych.DiptychError:
        return None


def damaged(value, seed):
    """Return a copy of a value with one to three places replaced, removed or exchanged."""
    source = random.Random(seed)
    value = copy.deepcopy(value)
    for _ in range(source.randint(1, 3)):
        places = list(_places(value))
        if not places:
            return source.choice(ODD)
        holder, key = source.choice(places)
        if source.random() < 0.15 and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = copy.deepcopy(source.choice(ODD))
    return value


def _places(value):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


SEEDS = {name: good for name in APIS if (good := made(name)) is not None}
ROWS = {one.name: good for one in FORMATS if one.kind == "dataset" and (good := made(f"dataset:{one.name}", "row"))}
seeds = st.integers(0, 2**32)


def ours(call, *allowed):
    """Call; only errors of Diptych may come out."""
    try:
        call()
    except (diptych.DiptychError, *allowed):
        pass


def test_good_values_are_good():
    assert len(SEEDS) >= len(APIS) - 1
    assert len(ROWS) > 2
    for name, good in SEEDS.items():
        diptych.convert(good, source=name, target="chat", on_loss="ignore")


@pytest.mark.parametrize("name", sorted(SEEDS))
@given(seed=seeds)
def test_requests_of_every_api(name, seed):
    value = damaged(SEEDS[name], seed)
    for target in APIS:
        ours(lambda: diptych.convert_request(value, source=name, to=target, on_loss="ignore"))
    ours(lambda: diptych.convert(value, source="auto", target="chat", on_loss="ignore"))
    ours(lambda: diptych.count(value, "gpt-4o"))
    ours(lambda: diptych.estimate(value, "gpt-4o"))


@pytest.mark.parametrize("name", sorted(SEEDS))
@given(seed=seeds)
def test_answers_of_every_api(name, seed):
    pair = name in ("chat", "completions")
    body = {"model": "test", "prompt": "Hi"} if name == "completions" else SEEDS[name]
    maker = answers if pair else others
    good = maker.whole(name, body)
    value = damaged(good, seed)
    for target in APIS:
        ours(lambda: diptych.convert_response(value, source=name, to=target, on_loss="ignore"))
    read(name, json.dumps(value).encode("utf-8", "surrogatepass"))
    ours(lambda: api_error(400, json.dumps(value).encode("utf-8", "surrogatepass")))


def read(name, *pieces):
    """Read bytes as the client does."""

    def go():
        reader = StreamReader(name, 1)
        for data in pieces:
            reader.feed(data)
        reader.finish()
        check_complete(reader, streamed=True)
        reader.answer()

    ours(go)


@pytest.mark.parametrize("name", sorted(SEEDS))
@given(seed=seeds)
def test_streams_of_every_api(name, seed):
    source = random.Random(seed)
    body = {"model": "test", "prompt": "Hi"} if name == "completions" else {**SEEDS[name], "stream": True}
    maker = answers if name in ("chat", "completions") else others
    events = list(maker.events(name, body))
    whole = b"".join(events)
    at = source.randrange(len(whole))
    noise = bytes(source.choices(range(256), k=source.randrange(5)))
    read(name, whole[:at] + noise + whole[at + source.randrange(9) :])
    chunks = []
    for event in events:
        text = event.decode("utf-8", "replace").rpartition("data: ")[2].strip()
        if text.startswith("{"):
            chunks.append(json.loads(text))
    if chunks and name != "bedrock":
        place = source.randrange(len(chunks))
        chunks[place] = damaged(chunks[place], seed)
        framed = [json.dumps(c).encode("utf-8", "surrogatepass") for c in chunks]
        read(name, *((line + b"\n" if name == "ollama" else b"data: " + line + b"\n\n") for line in framed))
        for target in APIS:
            ours(lambda: list(diptych.convert_stream(iter(chunks), source=name, to=target, on_loss="ignore")))


@pytest.mark.parametrize("name", sorted(ROWS))
@given(seed=seeds)
def test_rows_of_every_data_set(name, seed):
    value = damaged(ROWS[name], seed)
    for target in ("chat", "dataset:trl_text", "dataset:sharegpt", "anthropic"):
        ours(lambda: diptych.convert(value, source=f"dataset:{name}", target=target, on_loss="ignore"))


@given(value=st.sampled_from(ODD) | st.recursive(st.sampled_from(ODD), lambda x: st.lists(x, max_size=3) | st.dictionaries(
    st.sampled_from(["role", "content", "messages", "prompt", "type", "text", "parts", "contents", "input", "choices"]), x,
    max_size=4), max_leaves=8))  # fmt: skip
def test_values_of_no_format(value):
    for one in FORMATS:
        kind = f"{one.kind}:{one.name}"
        ours(lambda: diptych.convert(value, source=kind, target="chat", on_loss="ignore"))
        ours(lambda: diptych.convert(value, source="chat", target=kind, on_loss="ignore"))
    ours(lambda: diptych.convert(value, target="chat", on_loss="ignore"))


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
@given(seed=seeds)
def test_the_test_server_refuses_what_it_cannot_answer(name, seed):
    if name == "completions":
        good = {"model": "test", "prompt": ["a", "b"], "n": 1, "stop": ["x"], "logprobs": 1, "max_tokens": 5}
    else:
        good = SEEDS[name]
    maker = answers if name in ("chat", "completions") else others
    value = damaged(good, seed)
    if isinstance(value, dict):
        for strict in (False, True):
            ours(lambda: maker.whole(name, value, answers.Rules(strict=strict)), BadRequestError)
