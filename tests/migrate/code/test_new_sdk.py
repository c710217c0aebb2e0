"""Code of openai before 1 as client code of openai 1: what moves, what keeps a source back, what runs afterwards."""

import asyncio
import textwrap

import pytest

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code
from diptych.migrate.code.files import migrate_files
from diptych.migrate.code.requirements import requirement_notes
from diptych.testing import Server


def moved(source):
    return migrate_code(textwrap.dedent(source).lstrip("\n"), "a.py", new_sdk=True)


BEFORE = """
import os
import json
import openai
from openai.error import RateLimitError, InvalidRequestError

openai.api_key = os.getenv("KEY")
openai.organization = "org"


def ask(messages):
    try:
        r = openai.ChatCompletion.create(model="gpt-4", messages=messages, request_timeout=5)
    except (RateLimitError, openai.error.Timeout, InvalidRequestError):
        return None
    messages.append(r["choices"][0]["message"])
    print(json.dumps(r))
    if r.get("usage"):
        print(r["usage"]["total_tokens"])
    for c in r.choices:
        print(c["message"].get("content", "none"))
    return r["choices"][0]["message"]["content"]


def old(q):
    return openai.Completion.create(engine="text-davinci-003", prompt=q, max_tokens=5)["choices"][0]["text"]


def embed(x):
    return [d["embedding"] for d in openai.Embedding.create(model="text-embedding-ada-002", input=x)["data"]]


def stream(messages):
    for chunk in openai.ChatCompletion.create(model="gpt-4", messages=messages, stream=True):
        delta = chunk["choices"][0]["delta"]
        if "content" in delta:
            yield delta["content"]
        print(chunk["choices"][0].get("delta", {}).get("content"))


async def later(messages):
    r = await openai.ChatCompletion.acreate(model="gpt-4", messages=messages)
    return r.choices[0].message["content"]


def hear(path):
    return openai.Audio.transcribe("whisper-1", open(path, "rb"))["text"]
"""

AFTER = """
import os
import json
import openai
from openai import RateLimitError, BadRequestError as InvalidRequestError

client = openai.OpenAI(api_key=os.getenv("KEY"), organization="org")
async_client = openai.AsyncOpenAI(api_key=os.getenv("KEY"), organization="org")


def ask(messages):
    try:
        r = client.chat.completions.create(model="gpt-4", messages=messages, timeout=5)
    except (RateLimitError, openai.APITimeoutError, InvalidRequestError):
        return None
    messages.append(r.choices[0].message.model_dump(exclude_none=True))
    print(json.dumps(r.model_dump()))
    if r.usage:
        print(r.usage.total_tokens)
    for c in r.choices:
        print((c.message.content or "none"))
    return r.choices[0].message.content


def old(q):
    return client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content


def embed(x):
    return [d.embedding for d in client.embeddings.create(model="text-embedding-ada-002", input=x).data]


def stream(messages):
    for chunk in client.chat.completions.create(model="gpt-4", messages=messages, stream=True):
        delta = chunk.choices[0].delta
        if delta.content is not None:
            yield delta.content
        print(chunk.choices[0].delta.content)


async def later(messages):
    r = await async_client.chat.completions.create(model="gpt-4", messages=messages)
    return r.choices[0].message.content


def hear(path):
    return client.audio.transcriptions.create(model="whisper-1", file=open(path, "rb")).text
"""


def test_a_source_moves_as_a_whole():
    found = moved(BEFORE)
    assert found.source == AFTER.lstrip("\n")
    assert found.refusals == ()
    again = migrate_code(found.source, "a.py", new_sdk=True)
    assert (again.source, again.changes) == (found.source, ())


def test_without_the_option_the_sdk_stays():
    assert "openai.ChatCompletion.create" in migrate_code(BEFORE).source


def test_what_moved_runs_on_the_sdk_of_today(monkeypatch):
    pytest.importorskip("openai", reason="openai comes with the extra `dev`")
    with Server() as server:
        monkeypatch.setenv("KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        scope = {"__name__": "case"}
        exec(compile(moved(BEFORE).source, "case", "exec"), scope)
        messages = [{"role": "user", "content": "Hi"}]
        said = scope["ask"](list(messages))
        assert said
        assert scope["old"]("Hi")

        async def later():
            async with scope["async_client"]:
                return await scope["later"](messages)

        assert asyncio.run(later()) == said
        scope["client"].close()
        assert all(request.path.endswith("/chat/completions") for request in server.requests)


PLACES = [
    ("import openai\nr = openai.Moderation.create(input='x')\n", "\nclient = openai.OpenAI()\nr = client.moderations.create("),
    ("import openai as ai\nai.api_key = 'k'\nr = ai.Image.create(prompt='x')['data'][0]['url']\n", "client = ai.OpenAI(api_key='k')\nr = client.images.generate(prompt='x').data[0].url"),
    ("import openai\nclient = 1\nr = openai.Model.list()\n", "openai_client = openai.OpenAI()"),
    (
        "import openai\nopenai.api_type = 'azure'\nopenai.api_base = 'https://x'\nopenai.api_version = '2024-02-01'\n"
        "r = openai.ChatCompletion.create(engine='d', messages=[])\n",
        "client = openai.AzureOpenAI(azure_endpoint='https://x', api_version='2024-02-01')\nr = client.chat.completions.create(model='d', messages=[])",
    ),
    ("import openai\ndef a(k):\n    openai.api_key = k\n    openai.api_base = 'https://x'\n    return openai.Image.create(prompt='x')['data'][0]['url']\n", "    openai.api_key = k\n    openai.base_url = 'https://x'\n    return openai.images.generate(prompt='x').data[0].url"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "part"), PLACES)
def test_a_client_stands_where_the_settings_stood(source, part):
    found = moved(source)
    assert found.refusals == ()
    assert part in found.source
    compile(found.source, "a.py", "exec")


KEPT = {
    "passed on": "ask = wrap(openai.ChatCompletion.create)",
    "per-call key": "openai.ChatCompletion.create(messages=[], api_key='k')",
    "out of sight": "def f():\n    return openai.ChatCompletion.create(messages=[])",
    "unknown function": "keep(openai.ChatCompletion.create(messages=[]))",
    "unknown error": "x = openai.error.SignatureVerificationError",
    "another resource": "openai.File.create(file=1, purpose='x')",
    "key that is not a literal": "print(openai.ChatCompletion.create(messages=[])[k])",
    "imported class": "from openai import ChatCompletion\nChatCompletion.create(messages=[])",
    "something else": "r = openai.ChatCompletion.create(messages=[])\nif r:\n    r = load()\nprint(r['choices'])",
}


@pytest.mark.parametrize("name", KEPT)
def test_one_use_keeps_the_source_back(name):
    source = (
        f"import openai\nprint(openai.Embedding.create(model='m', input='x')['data'][0]['embedding'])\n{KEPT[name]}\n"
    )
    found = moved(source)
    assert found.source == source
    assert {refusal.code for refusal in found.refusals} == {"old-sdk"}


def test_a_dead_endpoint_keeps_nothing_back():
    found = moved("import openai\nopenai.Edit.create(input='x')\nprint(openai.Model.list()['data'][0]['id'])\n")
    assert "client.models.list().data[0].id" in found.source
    assert [str(refusal.place) for refusal in found.refusals] == ["a.py:2:1"]


def test_settings_of_another_module_stay_settings(tmp_path):
    (tmp_path / "config.py").write_text("import openai\nopenai.api_key = 'k'\n")
    (tmp_path / "app.py").write_text("import config, openai\nprint(openai.Model.list()['data'])\n")
    (tmp_path / "requirements.txt").write_text("openai==0.28.1\nopenai-whisper\n")
    report = migrate_files([tmp_path], new_sdk=True, write=True)
    assert "openai.models.list().data" in (tmp_path / "app.py").read_text()
    notes = [str(c.place) for file in report.files for c in file.changes if "openai>=1" in c.what]
    assert [note.rpartition("/")[2] for note in notes] == ["requirements.txt:1:1"]


@pytest.mark.parametrize(
    ("line", "is_old"),
    [
        ("openai==0.28.1", True), ("openai<1", True), ("openai", True), ('dependencies = ["openai~=0.27", "x"]', True),
        ('openai = "^0.28"', True), ("openai>=1.2", False), ("openai~=1.0", False), ("openai-whisper", False),
        ("# openai==0.28", False), ("langchain-openai==0.1", False), ('openai = "^1.3"', False),
    ],
)  # fmt: skip
def test_requirements_below_one_are_noted(line, is_old):
    assert bool(requirement_notes(line, "requirements.txt")) is is_old
    assert requirement_notes(line, "notes.txt") == []


def test_the_cells_of_a_notebook_move_as_a_whole(tmp_path):
    import json

    def notebook(*cells):
        return json.dumps(
            {"cells": [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]}
        )

    first = "%pip install openai\nimport openai\nopenai.api_key = 'k'\n"
    second = "r = openai.ChatCompletion.create(model='m', messages=[])\nprint(r['choices'][0]['message']['content'])\n"
    third = "print(openai.Completion.create(model='davinci-002', prompt=q)['choices'][0]['text'])\n"
    file = tmp_path / "n.ipynb"
    file.write_text(notebook(first, second, third))
    (found,) = migrate_files([file], new_sdk=True).files
    cells = ["".join(cell["source"]) for cell in json.loads(found.after)["cells"]]
    assert cells[0] == "%pip install openai\nimport openai\nclient = openai.OpenAI(api_key='k')\n"
    assert (
        cells[1] == "r = client.chat.completions.create(model='m', messages=[])\nprint(r.choices[0].message.content)\n"
    )
    assert "client.chat.completions.create(model='gpt-5.4-mini'" in cells[2]
    file.write_text(found.after)
    assert migrate_files([file], new_sdk=True).files[0].changes == ()
    file.write_text(notebook(first, second, "keep(openai.ChatCompletion.create(messages=[]))\n"))
    (kept,) = migrate_files([file], new_sdk=True).files
    assert kept.after == kept.before
    assert [str(r.place).rpartition("n.ipynb")[2] for r in kept.refusals] == ["[cell 3]:1:6"]
