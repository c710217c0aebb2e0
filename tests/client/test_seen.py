"""What a server shows of a request, asked over HTTP: vLLM's render and detokenize, llama.cpp's template and tokens.

The doubles answer in the shapes that their documentation has: vLLM's ``/v1/chat/completions/render`` with a
``GenerateRequest`` (``token_ids``, ``sampling_params``), ``/v1/completions/render`` with a list of them, and
``/detokenize`` with ``prompt`` (docs.vllm.ai, entrypoints/scale_out/token_in_token_out); llama.cpp's
``/apply-template`` with ``prompt`` and ``/tokenize`` with ``tokens``.
"""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from diptych import ChatTemplate, Client, ClientError, convert

TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
OPENED = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TEMPLATE = ChatTemplate(TURNS + OPENED)
PROMPT = "<|im_start|>user\nHi é<|im_end|>\n<|im_start|>assistant\n"


def rendered(body):
    return TEMPLATE.render(body["messages"], add_generation_prompt=body.get("add_generation_prompt", True))


def asked(text):
    """Return vLLM's request to its own engine."""
    return {"request_id": "r", "token_ids": [*map(ord, text)], "sampling_params": {"temperature": 1.0}, "model": "m"}


def vllm(path, body):
    if path == "/v1/chat/completions/render":
        return asked(rendered(body))
    if path == "/v1/completions/render":
        return [asked(body["prompt"])]
    return {"prompt": "".join(map(chr, body["tokens"]))} if path == "/detokenize" else None


def vllm_with_a_first_mark(path, body):
    """As a tokenizer that adds a mark of the beginning to what has none: to the old prompt alone."""
    found = vllm(path, body)
    if path == "/v1/completions/render":
        found[0]["token_ids"].insert(0, 1)
    return found


def llama(path, body):
    if path == "/apply-template":
        return {"prompt": rendered(body)}
    return {"tokens": [*map(ord, body["content"])]} if path == "/tokenize" else None


def of_no_tokens(path, body):
    return {"ids": [1]} if path.endswith("/render") else None


@contextmanager
def serving(answer):
    """Serve a function of path and body; None is a 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            found = answer(self.path, json.loads(self.rfile.read(int(self.headers["content-length"]))))
            data = json.dumps({"error": {"message": "Not Found"}} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{server.server_port}/v1", api_key="k") as client:
            yield client
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("server", [vllm, llama])
def test_a_server_shows_text_and_tokens(server):
    with serving(server) as client:
        assert client.seen({"model": "m", "prompt": PROMPT}) == (PROMPT, [*map(ord, PROMPT)])
        chat = client.seen({"model": "m", "messages": [{"role": "user", "content": "Hi é"}]})
        assert chat == (PROMPT, [*map(ord, PROMPT)])


@pytest.mark.parametrize(
    ("server", "prompt", "difference"),
    [
        (vllm, PROMPT, None),
        (llama, PROMPT, None),
        (vllm, PROMPT.replace("Hi é", " Hi"), None),
        (vllm_with_a_first_mark, PROMPT, "at character 0"),
        (vllm, PROMPT.replace("<|im_end|>\n<|im", "<|im_end|><|im"), "character"),
    ],
)
def test_a_prompt_is_proved_by_a_server(server, prompt, difference):
    with serving(server) as client:
        proof = convert(prompt, source="chatml", prove=client, on_loss="ignore").proof
    assert (proof.equal, proof.by) == (difference is None, "server")
    assert (difference or "") in (proof.first_difference or "")


def test_an_answer_without_tokens_is_no_proof():
    with serving(of_no_tokens) as client, pytest.raises(ClientError, match="token_ids"):
        client.seen({"model": "m", "prompt": PROMPT})
