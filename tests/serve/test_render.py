"""/render and /derender: what a request becomes before a model sees it, and back."""

import pytest

from diptych import ChatTemplate, tokens
from diptych.testing import Server, status

SAID = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say <|im_start|> twice"}]
BODIES = {
    "chat/completions": {"model": "gpt-4o", "messages": SAID},
    "messages": {"model": "gpt-4o", "max_tokens": 9, "system": SAID[0]["content"], "messages": SAID[1:]},
    "responses": {"model": "gpt-4o", "input": SAID},
}
TEMPLATE = ChatTemplate(
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.mark.parametrize("path", sorted(BODIES))
def test_a_request_is_shown_as_text_tokens_and_spans(upstream, start_bridge, path):
    with start_bridge(upstream.base_url, render_format="chatml") as bridge:
        found = bridge.post(f"/v1/{path}/render", BODIES[path]).json()
    text = found["text"]
    assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n")
    assert text.endswith("<|im_start|>assistant\n")
    assert "".join(text[span["start"] : span["end"]] for span in found["spans"]) == text
    data = [text[span["start"] : span["end"]] for span in found["spans"] if span["source"] == "data"]
    assert data == ["Be brief.", "Say <|im_start|> twice"]
    assert tokens.encoding_for_model("gpt-4o").decode(found["token_ids"]) == text
    assert found["request"]["messages"][-1]["content"] == SAID[1]["content"]
    assert not [request for request in upstream.requests if "render" in request.path]


def test_the_models_own_template_renders_and_reads(upstream, start_bridge):
    with start_bridge(upstream.base_url, chat_template=TEMPLATE) as bridge:
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
        text = bridge.post("/v1/chat/completions/render", body).json()["text"]
        assert text == "<|user|>Hi<|end|><|assistant|>"
        ids = tokens.encoding_for_model("gpt-4o").encode_ordinary("Hello<|end|>")
        raw = {"model": "gpt-4o", "token_ids": ids, "prompt_tokens": 5}
        for given in ({"prompt": text}, {"request": body}):
            found = bridge.post("/v1/chat/completions/derender", {**raw, **given}).json()
            assert found["choices"][0]["message"]["content"] == "Hello"
            assert found["usage"]["completion_tokens"] == len(ids)
        message = bridge.post("/v1/messages/derender", {"model": "gpt-4o", "text": "Hello", "prompt": text}).json()
        assert message["content"] == [{"type": "text", "text": "Hello"}]
        assert bridge.post("/v1/messages/derender", {"model": "gpt-4o", "text": "Hello"}).status_code == 400


def test_prompts_of_a_list_are_shown_one_by_one(upstream, start_bridge):
    with start_bridge(upstream.base_url, render_format="chatml") as bridge:
        found = bridge.post("/v1/completions/render", {"model": "gpt-4o", "prompt": ["a", "b"]}).json()
    assert [one["request"]["messages"][0]["content"] for one in found["data"]] == ["a", "b"]


def test_the_upstream_shows_what_nobody_else_can(start_bridge):
    body = {"model": "m", "messages": SAID}
    with Server() as upstream, start_bridge(upstream.base_url) as bridge:
        upstream.next(status(404), status(200, body={"prompt": "<s>Hi"}), status(200, body={"tokens": [1, 2]}))
        found = bridge.post("/v1/chat/completions/render", body).json()
        assert (found["text"], found["token_ids"], found["spans"]) == ("<s>Hi", [1, 2], None)
        assert found["unknown"]
        upstream.next(status(404), status(404))
        assert bridge.post("/v1/chat/completions/render", body).status_code == 501


# templates -------------------------------------------------------------------------------------------------


@pytest.fixture
def templates(tmp_path):
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "greet.jinja").write_text("{% system %}Be kind.{% endsystem %}{% user %}Greet {{ name }}.{% enduser %}")
    (folder / "slow.jinja").write_text("{% for a in range(99999999) %}{{ a }}{% endfor %}")
    (tmp_path / "secret.jinja").write_text("secret")
    return folder


def test_a_request_may_name_a_template_of_the_folder(upstream, start_bridge, templates):
    with start_bridge(upstream.base_url, templates=templates) as bridge:
        for path in BODIES:
            named = {"model": "gpt-4o", "max_tokens": 9, "diptych": {"template": "greet", "inputs": {"name": "Ann"}}}
            if path == "responses":
                del named["max_tokens"]
            assert bridge.post(f"/v1/{path}", named).status_code == 200
            sent = upstream.requests[-1].body
            assert sent["messages"][-1]["content"] == "Greet Ann."
            assert "diptych" not in sent


def test_no_other_template_is_rendered(upstream, start_bridge, templates):
    path = "/v1/chat/completions"
    with start_bridge(upstream.base_url, templates=templates) as bridge:

        def ask(**more):
            return bridge.post(path, {"model": "gpt-4o", **more})

        for name in ("../secret", "nothing", str(templates.parent / "secret.jinja"), 7):
            assert ask(diptych={"template": name}).status_code in (400, 404)
        assert ask(diptych={"template": "greet"}).status_code == 400  # an input is missing
        assert ask(diptych={"template": "slow"}).status_code == 400
        assert ask(diptych={"template": "greet", "inputs": []}).status_code == 400
        assert ask(diptych={"template": "greet", "inputs": {"name": "A"}}, messages=SAID).status_code == 400
    with start_bridge(upstream.base_url) as bridge:
        assert bridge.post(path, {"model": "gpt-4o", "diptych": {"template": "greet"}}).status_code == 400
