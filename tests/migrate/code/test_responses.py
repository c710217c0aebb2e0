"""``target="responses"``: the cases that run do so on both endpoints, and what Responses does not have is refused."""

import json
import re

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")
openai = pytest.importorskip("openai", reason="openai comes with the extra `dev`")

from openai.types.responses import response_create_params  # noqa: E402
from pydantic import TypeAdapter  # noqa: E402

from diptych import convert  # noqa: E402
from diptych.migrate import migrate_code  # noqa: E402
from diptych.migrate.code.files import migrate_file  # noqa: E402
from diptych.migrate.code.models import Models  # noqa: E402
from diptych.migrate.code.targets import RESPONSES  # noqa: E402
from diptych.testing import Server  # noqa: E402

from . import test_cases  # noqa: E402
from .test_cases import RUN, STRUCTURED, asked_for, run  # noqa: E402

WHOLE = TypeAdapter(response_create_params.ResponseCreateParamsNonStreaming)
STREAMING = TypeAdapter(response_create_params.ResponseCreateParamsStreaming)
#: Responses gives 16 tokens or more; the cases ask for fewer.
_FEW = re.compile(r"""(max_tokens["']?\]?\s*[=:]\s*)([1-9])\b""")


def read(name):
    return _FEW.sub(r"\g<1>4\2", test_cases.read(name, "before"))


def to_responses(source, **options):
    return migrate_code(source, "case.py", target="responses", **options)


@pytest.mark.parametrize("name", RUN)
def test_cases_run_on_both_endpoints(name, capsys):
    found = to_responses(read(name))
    again = to_responses(found.source)
    assert (again.source, again.changes) == (found.source, ())
    if found.refusals:
        compile(found.source, name, "exec")
        return
    with Server() as server:
        before = run(read(name), server.base_url)
        asked = [request for request in server.requests if "/chat/" not in request.path]
        server.requests.clear()
        after = run(found.source, server.base_url)
        answered = list(server.requests)
    assert answered
    assert all(request.path.endswith("/responses") for request in answered)
    assert after == before if name not in STRUCTURED else type(after) is type(before)
    if "gather" in name:  # what is asked at once arrives in any order
        asked.sort(key=lambda request: request.body["prompt"])
        answered.sort(key=lambda request: request.body["input"])
    bodies = [each for request in asked for each in asked_for(request.body)]
    for old, new in zip(bodies, answered, strict=True):
        check(old, new.body, name in STRUCTURED)


def check(old, new, is_structured):
    """The SDK's types take the new body, and the converter of bodies makes the same of the old one."""
    (STREAMING if new.get("stream") else WHOLE).validate_python(new)
    assert new["max_output_tokens"] == (16 if old.get("max_tokens") is None else old["max_tokens"])
    if not is_structured:
        made = convert({**old, "echo": False}, source="completions", target="responses", on_loss="ignore").output
        assert new["input"] == old["prompt"]
        assert {k: made.get(k) for k in ("temperature", "top_p", "user")} == {
            k: new.get(k) for k in ("temperature", "top_p", "user")
        }
    else:
        assert new.get("instructions") is None or new["instructions"] in old["prompt"]
        assert all(said in old["prompt"] for said in texts(new["input"]))


def texts(given):
    return [given] if isinstance(given, str) else [message["content"] for message in given]


CALL = "import openai\nclient = openai.OpenAI()\n"
REFUSED = {
    "n=2": "n", "n=k": "n", "stop=['x']": "stop", "stop=s": "stop", "seed=1": "seed", "logprobs=2": "logprobs",
    "logit_bias={'50256': -100}": "logit_bias", "presence_penalty=0.5": "presence_penalty",
    "frequency_penalty=p": "frequency_penalty", "stream_options={'include_usage': True}": "stream_options",
    "max_tokens=5": "max_tokens=5", "response_format=f": "response_format",
}  # fmt: skip


@pytest.mark.parametrize("given", REFUSED)
def test_a_parameter_that_responses_does_not_have_is_refused_by_name(given):
    source = f"{CALL}print(client.completions.create(model='davinci-002', prompt=q, {given}).choices[0].text)\n"
    found = to_responses(source)
    assert found.source == source
    ((code, reason),) = {(r.code, r.reason) for r in found.refusals}
    assert code == "responses"
    assert REFUSED[given] in reason


@pytest.mark.parametrize(
    "given",
    ["n=1", "stop=None", "stop=[]", "presence_penalty=0", "logprobs=None", "logit_bias={}", "seed=None", "best_of=1"],
)
def test_a_parameter_that_says_nothing_goes(given):
    found = to_responses(
        f"{CALL}print(client.completions.create(model='davinci-002', prompt=q, {given}).choices[0].text)\n"
    )
    assert found.refusals == ()
    assert f"{given.partition('=')[0]}=" not in found.source


READS = {
    "r.choices[0].text": "r.output_text",
    "r.choices[0].text.strip()": "r.output_text.strip()",
    "r.usage.prompt_tokens + r.usage.completion_tokens": "r.usage.input_tokens + r.usage.output_tokens",
    "r.choices[0].finish_reason == 'stop'": "r.status == 'completed'",
    "[c.text for c in r.choices]": "[c.output_text for c in [r]]",
    "r.choices[-1].text": "[r][-1].output_text",
    "r.choices and r.choices[0].text": "r.output and r.output_text",
    "(r.choices[0]).text": "(r).output_text",
    "r.id, r.model": "r.id, r.model",
    "r.created": "r.created_at",
}
UNREAD = [
    "r['choices'][0]['text']", "r.model_dump()['choices']", "r.choices[0].finish_reason", "r.choices[0].logprobs",
    "r.usage", "r.choices[0].index", "r.choices[0].finish_reason == 'length'", "r.system_fingerprint",
]  # fmt: skip


@pytest.mark.parametrize("read", READS)
def test_reads_of_an_answer(read):
    source = f"{CALL}def f(q):\n    r = client.completions.create(model='davinci-002', prompt=q)\n    return {read}\n"
    found = to_responses(source)
    assert found.refusals == ()
    assert f"    return {READS[read]}\n" in found.source


@pytest.mark.parametrize("read", UNREAD)
def test_reads_without_a_counterpart_are_refused(read):
    source = f"{CALL}def f(q):\n    r = client.completions.create(model='davinci-002', prompt=q)\n    return {read}\n"
    found = to_responses(source)
    assert found.source == source
    assert {r.code for r in found.refusals} <= {"responses", "result-escapes"}


ELSEWHERE = {
    "import openai\nprint(openai.Completion.create(model='davinci-002', prompt='x')['choices'][0]['text'])\n": "--new-sdk",
    "import openai\nclient = openai.OpenAI(base_url='http://localhost:8000/v1')\nprint(client.completions.create(model='m', prompt='x').choices[0].text)\n": "server",
    "import requests\nprint(requests.post('https://api.openai.com/v1/completions', json={'model': 'davinci-002', 'prompt': 'x'}).json()['choices'][0]['text'])\n": "HTTP",
}


@pytest.mark.parametrize("source", ELSEWHERE)
def test_what_cannot_become_a_call_of_responses(source):
    found = to_responses(source)
    assert found.source == source
    assert [r.code for r in found.refusals] == ["responses"]
    assert ELSEWHERE[source] in found.refusals[0].reason


def test_a_format_of_the_answer_is_text_format():
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True}}
    found = to_responses(
        f"{CALL}print(client.completions.create(model='davinci-002', prompt=q, response_format={schema}).choices[0].text)\n"
    )
    given = re.search(r"text=(\{.*\}), max", found.source)
    assert eval(given[1]) == {
        "format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}
    }


MOCK = """from types import SimpleNamespace
from unittest.mock import MagicMock, patch
import openai
client = openai.OpenAI(api_key="k")


def ask(q):
    return client.completions.create(model="davinci-002", prompt=q).choices[0].text


def test_one():
    with patch.object(client.completions, "create", return_value=SimpleNamespace(choices=[SimpleNamespace(text="a")])):
        return ask("x")


@patch("openai.resources.completions.Completions.create")
def test_two(create):
    create.return_value.choices[0].text = "b"
    return ask("x")
"""


def test_mocks_change_with_their_calls():
    found = to_responses(MOCK)
    assert found.refusals == ()
    scope = {}
    exec(compile(found.source, "mock", "exec"), scope)
    assert (scope["test_one"](), scope["test_two"]()) == ("a", "b")
    assert "completions" not in found.source


@pytest.mark.parametrize("answer", ["{'choices': [{'text': 'a'}]}", "SimpleNamespace(choices=[a, b])"])
def test_a_mock_of_another_shape_keeps_its_calls(answer):
    source = MOCK.replace('SimpleNamespace(choices=[SimpleNamespace(text="a")])', answer)
    found = to_responses(source)
    assert found.source == source
    assert "mock-shape" in {r.code for r in found.refusals}


def test_old_code_moves_to_the_new_sdk_first(monkeypatch):
    source = "import openai\n\n\ndef old(q):\n    return openai.Completion.create(engine='text-davinci-003', prompt=q)['choices'][0]['text']\n"
    found = to_responses(source, new_sdk=True)
    assert found.refusals == ()
    with Server() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        scope = {}
        exec(compile(found.source, "old", "exec"), scope)
        assert "Hello" in scope["old"]("Hello")
        scope["client"].close()
        assert [request.path for request in server.requests] == ["/v1/responses"]


def test_a_notebook_has_the_same_target(tmp_path):
    cells = [
        {"cell_type": "code", "source": [CALL]},
        {
            "cell_type": "code",
            "source": ["print(client.completions.create(model='davinci-002', prompt=q).choices[0].text)"],
        },
    ]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    found = migrate_file(tmp_path / "n.ipynb", models=Models(target=RESPONSES))
    assert (
        "print(client.responses.create(model='gpt-5.4-mini', input=q, max_output_tokens=16).output_text)" in found.after
    )


def test_another_target_is_unknown():
    with pytest.raises(Exception, match=r"unknown target 'messages' \(known: chat, responses\)"):
        migrate_code("client.completions.create(prompt=p)", target="messages")
