"""``diptych convert`` on requests and replies of every API, and on recorded streams."""

import json
from importlib.util import find_spec

import pytest

import diptych
from diptych.cli.convert_stream import is_stream, read_events, shown

from ..oracles.features import FEATURES
from .test_cli import run  # noqa: F401 - a fixture

APIS = sorted(entry.name for entry in diptych.list_formats("api"))
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
CHUNKS = [
    {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    for delta, reason in (
        ({"role": "assistant", "content": ""}, None), ({"content": "Hel"}, None), ({"content": "lo"}, None), ({}, "stop"),
    )
]  # fmt: skip
STREAMED = [api for api in APIS if find_spec(f"diptych.apis.{api}.stream")]


@pytest.mark.parametrize("target", APIS)
@pytest.mark.parametrize("source", sorted(set(APIS) & set(FEATURES)))
def test_the_command_says_what_the_function_says(run, source, target):  # noqa: F811
    body = FEATURES[source]["temperature" if target == "completions" or source == "completions" else "tools"]
    wanted = diptych.convert(body, source=source, target=target, on_loss="ignore")
    found = run("convert", "-", "--from", source, "--to", target, stdin=json.dumps(body))
    above = [loss for loss in wanted.losses if loss.severity > 0]
    assert found.json == json.loads(json.dumps(wanted.output))
    assert found.code == (1 if above else 0)
    assert all(str(loss) in found.err for loss in above)


@pytest.mark.parametrize("target", STREAMED)
def test_a_recorded_stream_is_converted_as_its_server_frames_it(run, target):  # noqa: F811
    recorded = shown(CHUNKS, "chat")
    found = run("convert", "-", "--to", target, "--from", "chat", stdin=recorded)
    wanted = list(diptych.convert_stream(CHUNKS, to=target, source="chat", on_loss="ignore"))
    assert is_stream(found.out) == (target not in ("ollama", "bedrock"))
    assert read_events(found.out) == wanted
    assert found.out.endswith("data: [DONE]\n\n") == (target in ("chat", "completions"))
    assert ("event: " in found.out) == (target in ("anthropic", "responses"))


def test_json_lines_are_a_stream_where_that_is_asked(run, tmp_path):  # noqa: F811
    (tmp_path / "s.jsonl").write_text("".join(json.dumps(chunk) + "\n" for chunk in CHUNKS))
    found = run("convert", "s.jsonl", "--stream", "--to", "completions", "--json").json
    assert "".join(event["choices"][0]["text"] for event in found["events"]) == "Hello"


def test_a_broken_event_has_its_number(run):  # noqa: F811
    found = run("convert", "-", "--to", "chat", stdin='data: {"a": 1}\n\ndata: {"a\n\n')
    assert (found.code, "event 2 is not valid JSON" in found.err) == (2, True)


def test_what_a_stream_loses_is_said_and_counts(run):  # noqa: F811
    delta = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}
    chunks = [{**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}, CHUNKS[-1]]
    recorded = shown(chunks, "chat")
    found = run("convert", "-", "--to", "completions", stdin=recorded)
    assert (found.code, "reasoning" in found.err) == (1, True)
    assert run("convert", "-", "--to", "completions", "--on-loss", "raise", stdin=recorded).code == 2


def test_a_text_that_speaks_of_data_is_no_stream(run):  # noqa: F811
    assert run("convert", "-", "--to", "chat", stdin="data: today\nis a prompt").json[0]["content"].startswith("data: ")


@pytest.mark.parametrize("cut", [CHUNKS[:-1], [*CHUNKS[:2], {"error": {"message": "boom"}}]])
def test_a_stream_that_broke_off_does_not_say_that_it_is_done(run, cut):  # noqa: F811
    found = run("convert", "-", "--to", "completions", "--from", "chat", stdin=shown(cut, "chat"))
    assert "Hel" in found.out
    assert "[DONE]" not in found.out
    assert "[DONE]" in run("convert", "-", "--to", "completions", stdin=shown(CHUNKS, "chat")).out
