"""One builder of bodies: what is shown is what is counted, estimated and sent, and why by this API."""

import json
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

import diptych
from diptych.catalogue import DEFAULT_MODEL, apis_of
from diptych.cli.app import make_app
from diptych.client.requests import check_alive
from diptych.conversion.requests import build, choose_api
from diptych.model import Conversation, Message, ToolSpec
from diptych.request import Request
from diptych.testing import Server

#: The APIs whose requests can be counted.
APIS = ("chat", "completions")
ROOT = Path(__file__).resolve().parents[2]
MODELS = ("gpt-4o", "gpt-3.5-turbo-instruct", "gpt-5.4-mini", "o3", "my-llama")
PROMPT = diptych.Template.from_string('Translate the following English text to French: "{{ text }}"')
CHAT = diptych.Template.from_string("{% system %}Be brief.{% endsystem %}{% user %}{{ text }}{% enduser %}")
TOOLS = diptych.Template.from_string(
    "---\ntools: [{name: f, description: d, parameters: {type: object}}]\nresponse_format: json_object\n---\n"
    "{% user %}Answer {{ text }} in JSON.{% enduser %}"
)


def stock():
    for file in sorted((ROOT / "templates").glob("*.jinja")):
        template = diptych.load(file)
        missing = [name for name, field in template.inputs.items() if field.required]
        yield file.stem, template, dict.fromkeys(missing, "Hello")


STOCK = list(stock())


# which API -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "model", "options", "api"),
    [
        ("completions", "gpt-4o", {}, "chat"),
        ("chat", "gpt-4o", {}, "chat"),
        ("chat", "gpt-3.5-turbo-instruct", {}, "completions"),
        ("completions", "gpt-3.5-turbo-instruct", {}, "completions"),
        ("completions", "my-llama", {}, "completions"),
        ("completions", None, {}, "completions"),
        ("completions", "gpt-4o", {"own_server": False}, "completions"),
        ("chat", "davinci-002", {"own_server": False}, "chat"),
        ("chat", "davinci-002", {"api": "chat"}, "chat"),
        ("completions", "gpt-4o", {"api": "completions"}, "completions"),
        ("chat", "o1-pro", {"must_serve": False}, "chat"),
    ],
)
def test_the_model_decides_where_it_lists_one_api(shape, model, options, api):
    assert choose_api(shape, model, **options)[0] == api


def test_a_model_of_neither_api_is_an_error_that_names_its_apis():
    with pytest.raises(diptych.FormatError, match="o1-pro is served by responses"):
        choose_api("chat", "o1-pro")
    with pytest.raises(diptych.FormatError, match="unknown API 'chats'"):
        choose_api("chat", "gpt-4o", api="chats")


# one body ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("api", [None, *APIS])
@pytest.mark.parametrize(("name", "template", "inputs"), STOCK, ids=[row[0] for row in STOCK])
def test_what_is_shown_is_what_is_counted(name, template, inputs, api, model):
    rendered = template.render(**inputs)
    try:
        body = rendered.request(api, model=model, on_loss="ignore")
    except diptych.LossError:
        with pytest.raises(diptych.LossError):
            diptych.count(rendered, model, api=api)
        return
    counted = diptych.count(rendered, model, api=api)
    assert counted.tokens == diptych.count(body, model).tokens
    if counted.tokens is not None:
        assert template.counter(model, api=api)(**inputs) == counted.tokens
        assert diptych.estimate(rendered, model, api=api).cost == diptych.estimate(body, model).cost


@pytest.fixture
def own(monkeypatch):
    """A server that counts as OpenAI's own."""
    monkeypatch.setattr("diptych.client.requests._OPENAI_HOSTS", {"127.0.0.1"})
    with Server() as server:
        yield server


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5.4-mini", "o3", "my-llama"])
@pytest.mark.parametrize("template", [PROMPT, CHAT, TOOLS])
def test_what_is_shown_is_what_is_sent(own, template, model):
    """To OpenAI's own server the body of ``request``; the reply says which API was used and why."""
    rendered = template.render(text="Hello")
    shown = build(rendered, model=model)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with diptych.Client(own.base_url, retries=0) as client:
        client._setup = replace(client._setup, now=lambda: now)
        reply = client.send(rendered, model=model)
    assert own.requests[-1].body == shown.body == rendered.request(model=model)
    assert (reply.api, reply.api_reason) == (shown.api, shown.reason)


def test_another_server_keeps_the_shape_that_was_given():
    with Server() as server, diptych.Client(server.base_url, retries=0) as client:
        reply = client.send(PROMPT.render(text="Hi"), model="gpt-4o")
        assert (reply.api, reply.api_reason) == ("completions", "the shape that was given")
        assert client.send("Hi", model="gpt-4o").api == "completions"


def test_a_prompt_becomes_one_user_message():
    assert build("Say hi", model="gpt-4o").body["messages"] == [{"role": "user", "content": "Say hi"}]
    body = build({"prompt": "Say hi", "model": "gpt-4o", "max_tokens": 5}).body
    assert body["messages"] == [{"role": "user", "content": "Say hi"}]
    with pytest.raises(diptych.FormatError, match="cannot be one Chat request"):
        build(["a", "b"], model="gpt-4o")


def test_a_request_is_built_like_a_template():
    tool = ToolSpec("f", "d")
    request = Request(Conversation((Message("user", "Hi"),), (tool,)), model="gpt-4o", params={"temperature": 0})
    body = build(request).body
    assert (body["model"], body["temperature"], body["tools"][0]["function"]["name"]) == ("gpt-4o", 0, "f")
    with pytest.raises(diptych.LossError, match="no tools"):
        build(request, api="completions")


# what an API cannot carry ----------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["request", "send", "stream"])
def test_tools_on_completions_are_refused(call):
    rendered = TOOLS.render(text="a")
    with Server() as server, diptych.Client(server.base_url, retries=0) as client:
        with pytest.raises(diptych.LossError, match=r"\$\.tools"):
            if call == "request":
                rendered.request("completions", model="m")
            else:
                getattr(client, call)(rendered, model="m", api="completions")
        assert not server.requests


def test_the_policy_reports_or_ignores_what_is_dropped():
    template = diptych.Template.from_string("---\nresponse_format: json_object\n---\nJSON: {{ text }}")
    rendered = template.render(text="a")
    with pytest.raises(diptych.LossError, match=r"\$\.response_format: schema-dropped"):
        rendered.request("completions", model="m")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        body = rendered.request("completions", model="m", on_loss="warn")
    assert "response_format" not in body
    assert any("schema-dropped" in str(warning.message) for warning in caught)
    assert rendered.request("completions", model="m", on_loss="ignore") == body


def test_a_chat_as_a_prompt_stops_at_the_ends_of_its_turns():
    assert CHAT.render(text="Hi").request("completions", model="m")["stop"]


def test_json_mode_needs_its_word():
    with pytest.raises(diptych.FormatError, match="JSON mode needs the word JSON"):
        build([{"role": "user", "content": "Hi"}], model="gpt-4o", response_format={"type": "json_object"})
    build([{"role": "user", "content": "As json."}], model="gpt-4o", response_format={"type": "json_object"})
    build([{"role": "user", "content": "Hi"}], own_server=False, model="m", response_format={"type": "json_object"})


@pytest.mark.parametrize(("model", "cap"), [("gpt-5.4-mini", "max_completion_tokens"), ("gpt-4o", "max_tokens"), ("m", "max_tokens")])
def test_the_cap_has_the_name_that_the_model_takes(model, cap):
    body = build([{"role": "user", "content": "Hi"}], model=model, max_tokens=5).body
    assert [name for name in body if "tokens" in name] == [cap]
    assert "max_tokens" in build([{"role": "user", "content": "Hi"}], model=model, max_tokens=5, own_server=False).body


# models that are gone ----------------------------------------------------------------------------------


def test_sending_to_a_model_past_its_last_day_names_the_replacement():
    with pytest.raises(diptych.FormatError, match="davinci-002 was shut down on 2026-09-28") as caught:
        check_alive("davinci-002", "2026-09-29")
    assert DEFAULT_MODEL in caught.value.hint
    check_alive("davinci-002", "2026-09-28")
    check_alive("my-llama", "2099-01-01")


def test_counting_and_building_for_it_stay_possible():
    rendered = PROMPT.render(text="Hi")
    assert rendered.request(model="davinci-002")["prompt"]
    assert diptych.count(rendered, "davinci-002").tokens


def test_the_client_asks_the_clock(own):
    with diptych.Client(own.base_url, retries=0) as client, pytest.raises(diptych.FormatError, match="was shut down"):
        client.send("Hi", model="text-davinci-003")
    assert not own.requests


# the command line ----------------------------------------------------------------------------------------


def command(*args):
    done = CliRunner().invoke(make_app(), list(args))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_dry_run_shows_the_body_that_the_default_model_takes():
    body = json.loads(command("run", "translate", "-p", "text=Hello", "--dry-run", "--model", DEFAULT_MODEL))
    assert "chat" in apis_of(DEFAULT_MODEL)
    assert body["messages"][0]["content"].endswith('"Hello"')
    document = json.loads(
        command("run", "translate", "-p", "text=Hello", "--dry-run", "--json", "--model", DEFAULT_MODEL)
    )
    assert (document["request"], document["api"]) == (body, "chat")
    assert "served by Chat" in document["api_reason"]
    with Server() as server:
        assert httpx.post(f"{server.base_url}/chat/completions", json=body).status_code == 200


def test_render_and_run_raise_what_cannot_be_carried():
    args = ["tool-use", "--api", "completions", "--model", "m"]
    for start in (["render", *args, "--as", "request"], ["run", *args, "--dry-run"]):
        done = CliRunner().invoke(make_app(), start)
        assert isinstance(done.exception, diptych.LossError)
        assert "Completions has no tools" in str(done.exception)


@pytest.mark.parametrize("name", ["messages", "prompt"])
@pytest.mark.parametrize("x", [PROMPT.render(text="Hi"), "Hi", [{"role": "user", "content": "Hi"}]])
def test_what_is_sent_is_no_parameter(x, name):
    with pytest.raises(diptych.FormatError, match=f"{name} is no parameter"):
        build(x, model="gpt-4o", **{name: ["x"]})


def test_a_model_that_is_no_name_is_told():
    with pytest.raises(diptych.TokenError, match=r"\$\.model"):
        diptych.count({"model": 5, "prompt": "a"}, api="chat")


OTHERS = ("responses", "anthropic", "gemini", "bedrock", "ollama")


@pytest.mark.parametrize("api", OTHERS)
def test_messages_become_a_body_of_every_api(api):
    built = build([{"role": "user", "content": "Hi"}], model="m", api=api, max_tokens=20)
    assert built.api == api
    assert "Hi" in json.dumps(built.body)
    assert "20" in json.dumps(built.body)


@pytest.mark.parametrize("api", OTHERS)
def test_a_rendered_template_becomes_a_body_of_every_api(api):
    rendered = diptych.Template.from_string("{% user %}Say {{ x }}{% enduser %}").render(x="Hi")
    assert "Say Hi" in json.dumps(rendered.request(api, model="m", max_tokens=20))


def test_a_parameter_that_only_the_api_has_is_added():
    body = build("Hi", model="m", api="anthropic", max_tokens=5, top_k=4, thinking={"type": "disabled"}).body
    assert (body["top_k"], body["thinking"]) == (4, {"type": "disabled"})


def test_what_the_api_lacks_is_reported():
    with pytest.raises(diptych.LossError, match="seed"):
        build("Hi", model="m", api="anthropic", max_tokens=5, seed=7)


def test_a_body_of_the_api_stays_as_it_is():
    body = {"system": [{"type": "text", "text": "S"}], "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    assert build(body, model="m", api="anthropic").body == {**body, "model": "m"}


def test_a_body_of_one_api_becomes_one_of_another():
    body = {"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 5}}
    built = build(body, model="m", api="anthropic")
    assert built.body == {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    assert build(body, model="m").api == "gemini"
