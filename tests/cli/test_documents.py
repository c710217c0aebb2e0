"""What ``--json`` prints follows the schema that ``diptych schema COMMAND`` prints, for every command."""

import json
import sys

import jsonschema
import pytest
import typer

from diptych.cli import main
from diptych.cli.app import make_app
from diptych.cli.documents import DOCUMENTS, schema_of
from diptych.testing import Server

from .documents import best_of, name_of

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi", "name": "ann"}], "n": 2}
CODE = """import openai
client = openai.OpenAI()
r = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hi", max_tokens=5)
print(r.choices[0].text)
client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hi", suffix="x")
"""
FILES = {
    "prompt.txt": "User: Hi\nAssistant:",
    "chatml.txt": "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "body.json": json.dumps(CHAT),
    "unknown.json": json.dumps({**CHAT, "model": "no-such-model"}),
    "claude.json": json.dumps({"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}),
    "prompts.json": json.dumps({"model": "gpt-3.5-turbo-instruct", "prompt": ["a", "b"]}),
    "bodies.jsonl": json.dumps(CHAT) + "\n" + json.dumps({**CHAT, "model": "no-such-model"}) + "\nnot json\n",
    "rows.jsonl": '{"prompt": "a", "completion": "b"}\n{"prompt": "c", "completion": ""}\n',
    "train.jsonl": '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}\n',
    "stream.sse": 'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    '[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    "batch.jsonl": json.dumps({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {**CHAT, "model": "test", "n": 1}})
    + "\n" + json.dumps({"custom_id": "2", "method": "POST", "url": "/v1/nowhere", "body": {}}) + "\n",
    "call.py": CODE,
    "dotted.prompt": "---\nmodel: googleai/gemini-2.0-flash\n---\nHi {{name}}",
    "t/greet.jinja": "---\ninputs: {name: string}\n---\nHi {{ name }}",
    "t/talk.jinja": "{% user %}Hi {{ name }}{% enduser %}",
    "broken/broken.jinja": "{{ x }",
}  # fmt: skip

#: Calls of every command; the exit status may be that of findings.
CALLS = [
    "render t/greet.jinja -p name=Ann",
    "render t/talk.jinja -p name=Ann --format chatml",
    "render t/talk.jinja -p name=Ann --as request",
    "convert prompt.txt --to chat",
    "convert body.json --to anthropic",
    "convert prompts.json --to chat",
    "convert stream.sse --to responses",
    "convert prompt.txt --diff",
    "count prompt.txt",
    "count body.json",
    "count claude.json",
    "count unknown.json",
    "tokens prompt.txt",
    "cost body.json",
    "cost unknown.json",
    "cost claude.json",
    "cost body.json --model gpt-4o,gpt-5.4-mini",
    "cost bodies.jsonl",
    "cost bodies.jsonl --output 10",
    "cost train.jsonl --model gpt-4o",
    "run t/greet.jinja -p name=Ann --dry-run",
    "run t/greet.jinja -p name=Ann --base-url {server} --model test",
    "run t/talk.jinja -p name=Ann --base-url {server} --model test --repeat 2",
    "batch batch.jsonl --out results.jsonl --base-url {server}",
    "batch batch.jsonl --out other.jsonl --dry-run",
    "formats",
    "models",
    "check t",
    "check broken",
    "diff t/greet.jinja t/talk.jinja",
    "types t",
    "explain T001",
    "audit .",
    "report t/greet.jinja -p name=Ann",
    "report body.json --to anthropic",
    "report .",
    "doctor",
    "migrate data rows.jsonl out.jsonl --to openai_chat",
    "migrate data rows.jsonl out.jsonl --to openai_chat --preview 1",
    "migrate code call.py",
    "migrate code call.py --new-sdk",
    "migrate templates dotted.prompt broken/broken.jinja",
    "templates list",
    "templates show translate",
    "templates path",
]


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running.base_url


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leaves(command, path=()):
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


def test_every_command_with_json_has_a_schema_and_is_called_here():
    commands = dict(leaves(typer.main.get_command(make_app())))
    with_json = {name for name, command in commands.items() if any("--json" in one.opts for one in command.params)}
    assert with_json == DOCUMENTS.keys()
    assert with_json == {name_of(call) for call in CALLS}


@pytest.mark.parametrize("call", CALLS)
def test_what_a_command_prints_follows_its_schema(call, folder, server, monkeypatch, capfdbinary):
    words = [word.format(server=server) for word in call.split()]
    monkeypatch.setattr(sys, "argv", ["diptych", *words, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capfdbinary.readouterr()
    assert ended.value.code in (0, 1, None), err
    document = json.loads(out)
    assert document["version"] == 1
    best = best_of(document, call)
    assert best is None, f"{best.json_path}: {best.message[:300]}"


@pytest.mark.parametrize("command", DOCUMENTS)
def test_a_schema_is_one(command, monkeypatch, capfdbinary):
    monkeypatch.setattr(sys, "argv", ["diptych", "schema", *command.split()])
    with pytest.raises(SystemExit):
        main()
    schema = json.loads(capfdbinary.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == schema_of(command)
