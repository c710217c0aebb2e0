"""The page to edit templates: who may ask, which files it touches, what it shows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.errors import DiptychError, TemplateNotFound
from diptych.play import files, work
from diptych.play.app import Play, make_app
from diptych.play.door import NAMES, refusal
from diptych.testing import Server

testclient = pytest.importorskip("starlette.testclient", reason="starlette comes with the extra serve")
ROOT = Path(__file__).parents[2]
TOKEN = "a-token"
ASKED = {"host": "127.0.0.1:1", "origin": "http://127.0.0.1:1", "x-diptych-token": TOKEN}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "greet.jinja").write_text("---\nsamples:\n  - {name: Ann}\n---\nHello {{ name }}")
    return tmp_path


def client(folder: Path, **more: Any) -> Any:
    return testclient.TestClient(make_app(Play(folder, TOKEN, **more)), base_url="http://127.0.0.1:1")


# the door ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost:1", "[::1]:9", "localhost"])
def test_this_machine_may_ask(host: str) -> None:
    assert refusal({"host": host, "origin": f"http://{host}"}, TOKEN, TOKEN, changes=True) is None


@given(st.text(max_size=30), st.sampled_from(["", ":80", "@127.0.0.1", ".localhost", "#127.0.0.1"]))
def test_no_other_name_may_ask(name: str, more: str) -> None:
    host = name + more
    if host.partition(":")[0] not in NAMES and not host.startswith("[::1]"):
        assert refusal({"host": host, "origin": f"http://{host}"}, TOKEN, TOKEN, changes=True)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:2"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"x-diptych-token": "another"},
        {"x-diptych-token": ""},
        {"host": "evil.example"},
    ],
)
def test_every_answer_asks_for_name_origin_and_token(folder: Path, change: dict[str, str]) -> None:
    before = (folder / "greet.jinja").read_bytes()
    draft = {"name": "greet.jinja", "source": "changed", "inputs": "{}", "mark": files.mark_of(before)}
    asked = client(folder)
    for path, method in (("start", "GET"), ("template", "PUT"), ("show", "POST"), ("check", "POST"), ("send", "POST")):
        given_ = {**ASKED, **change}
        answer = asked.request(method, f"/api/{path}", headers=given_, json=None if method == "GET" else draft)
        assert answer.status_code == 403, (path, change)
    assert (folder / "greet.jinja").read_bytes() == before


def test_the_page_needs_its_token_and_may_run_nothing_from_elsewhere(folder: Path) -> None:
    asked = client(folder)
    assert asked.get("/").status_code == 403
    page = asked.get(f"/?token={TOKEN}")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert asked.get("/play.js").headers["content-type"].startswith("text/javascript")


# files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../x.jinja", "/etc/x.jinja", "a/../../x.jinja", "x.txt", "", "a\0.jinja", "link.jinja"])
def test_no_name_leaves_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    outside = tmp_path_factory.mktemp("outside") / "x.jinja"
    outside.write_text("secret")
    (folder / "link.jinja").symlink_to(outside)
    with pytest.raises(TemplateNotFound):
        files.opened(folder, name)
    with pytest.raises(TemplateNotFound):
        files.saved(folder, name, "changed", None)
    assert outside.read_text() == "secret"
    assert files.names(folder) == ["greet.jinja"]


def test_what_somebody_else_wrote_is_not_overwritten(folder: Path) -> None:
    found = files.opened(folder, "greet.jinja")
    mark = files.saved(folder, "greet.jinja", "one", found["mark"])
    with pytest.raises(DiptychError, match="changed by somebody else"):
        files.saved(folder, "greet.jinja", "two", found["mark"])
    with pytest.raises(DiptychError, match="changed by somebody else"):
        files.saved(folder, "greet.jinja", "two", None)
    files.saved(folder, "greet.jinja", "three\r\n", mark)
    assert (folder / "greet.jinja").read_bytes() == b"three\r\n"
    assert [name for name in os.listdir(folder) if name.endswith(".tmp")] == []


# what is shown -----------------------------------------------------------------------------------


def test_what_is_shown_is_what_a_render_gives() -> None:
    folder = ROOT / "examples" / "prompts"
    for name in ("few-shot-classifier.jinja", "compare-images.jinja"):
        template = diptych.Library(folder)[name]
        inputs = next(iter(template.samples.values()))
        found = work.shown(folder, work.Draft(name, (folder / name).read_text("utf-8"), json.dumps(inputs)))
        rendered = template.render(inputs)
        assert found["error"] is None
        assert "".join(piece["text"] for piece in found["sample"]["prompt"]) == rendered.prompt
        assert found["hash"] == template.hash
        bodies = {one["api"]: one["body"] for one in found["bodies"]}
        assert bodies["chat"]["messages"] == rendered.messages
        assert set(bodies) == {"chat", "completions", "responses", "anthropic", "gemini", "bedrock", "ollama"}


@pytest.mark.parametrize(
    ("source", "inputs", "said"),
    [
        ("{{ text", "{}", "template-syntax"),
        ("Hello {{ name }}", "{}", "'name' is undefined"),
        ("Hello", "[1]", "the inputs must be an object"),
        ("Hello", "{", "the inputs are not JSON"),
        ("{% for i in range(10**9) %}x{% endfor %}", "{}", "resource-limit"),
    ],
)
def test_an_error_is_shown_and_ends_nothing(tmp_path: Path, source: str, inputs: str, said: str) -> None:
    found = work.shown(tmp_path, work.Draft("a.jinja", source, inputs))
    assert said in found["error"]["message"]


def test_findings_are_those_of_check(folder: Path) -> None:
    found = work.findings(folder, work.Draft("a.jinja", "{{ x | uper }}"))
    assert [(one["code"], one["location"]["line"], one["location"]["column"]) for one in found] == [("T002", 1, 8)]


def test_an_answer_is_streamed_with_its_cost(folder: Path) -> None:
    draft = {"name": "a.jinja", "source": "{% user %}one two{% enduser %}", "inputs": "{}"}
    refused = client(folder).post("/api/send", json=draft, headers=ASKED)
    assert (refused.status_code, "nothing is sent" in refused.json()["error"]["message"]) == (400, True)
    with Server() as server:
        sending = diptych.AsyncClient(server.base_url)
        with client(folder, client=sending, model="gpt-5.4-mini", told="to the server of the tests") as asked:
            answer = asked.post("/api/send", json=draft, headers=ASKED)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert "".join(line.get("text", "") for line in lines) == "one two"
    assert lines[-1]["done"]
    assert lines[-1]["cost"] is not None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"name": 1}', b"[" * 100_000])
def test_a_malformed_request_is_refused(folder: Path, body: bytes) -> None:
    answer = client(folder).post("/api/show", content=body, headers=ASKED)
    assert answer.status_code == 400
    assert "not understood" in answer.json()["error"]["message"]
