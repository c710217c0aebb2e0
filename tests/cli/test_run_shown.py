"""What ``run`` shows beside text, what ``--replay`` needs, and how costs are printed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.commands import diptych_command

from diptych import Template, estimate
from diptych.testing import Server, raw

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"q": 1}'}}


def run(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "DIPTYCH_"))}
    return diptych_command(*args, cwd=cwd, env={**kept, **env})


def answer(message: dict[str, object]) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
    return head.encode() + text


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ({"role": "assistant", "content": None, "tool_calls": [CALL]}, '[tool call c1] look({"q": 1})'),
        ({"role": "assistant", "content": "So:", "tool_calls": [CALL]}, 'So:\n[tool call c1] look({"q": 1})'),
        ({"role": "assistant", "content": None, "refusal": "No."}, "[refused] No."),
    ],
)
def test_calls_and_refusals_are_shown(tmp_path: Path, message: dict[str, object], shown: str) -> None:
    with Server() as server:
        server.next(raw(answer(message)))
        done = run("run", "tool-use", "--base-url", server.base_url, "--model", "m", cwd=tmp_path)
    assert done.stdout.rstrip("\n") == shown, done.stderr


def test_a_replay_needs_no_key_and_no_address(tmp_path: Path) -> None:
    with Server() as server:
        recorded = run(
            "run", "translate", "-p", "text=x", "--base-url", server.base_url, "--model", "m", "--record", "t.jsonl",
            cwd=tmp_path,
        )  # fmt: skip
    assert recorded.returncode == 0, recorded.stderr
    played = run("run", "translate", "-p", "text=x", "--model", "m", "--replay", "t.jsonl", cwd=tmp_path)
    assert (played.returncode, played.stdout) == (0, recorded.stdout), played.stderr


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_no_number_of_a_cost_is_cut(tmp_path: Path, columns: int) -> None:
    models = ["gpt-4o-mini", "gpt-4.1", "o3", "gpt-5", "gpt-4o", "gpt-4"]
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 200}
    (tmp_path / "r.json").write_text(json.dumps(body))
    done = run("cost", "r.json", "-m", ",".join(models), cwd=tmp_path, COLUMNS=str(columns))
    assert "…" not in done.stdout
    for model in models:
        cost = estimate({**body, "model": model}).to_json()["cost"]
        assert model in done.stdout
        assert all(str(cost[name]) in done.stdout for name in ("low", "expected", "high"))


def test_p_reads_texts_files_and_json(tmp_path: Path) -> None:
    (tmp_path / "t.jinja").write_text("---\ninputs: {n: integer, s: string, x: any}\n---\n{{ n + 1 }} {{ s }} {{ x }}")
    (tmp_path / "f.txt").write_text("file")
    done = run("render", "t.jinja", "-p", "n=3", "-p", "s=@f.txt", "-p", "x:=[1, null]", cwd=tmp_path)
    assert done.stdout == "4 file [1, None]", done.stderr
    assert run("render", "t.jinja", "-p", "n=3", "-p", "s=@@f", "-p", "x=false", cwd=tmp_path).stdout == "4 @f false"
    missing = run("render", "t.jinja", "-p", "n=3", "-p", "s=@nope.txt", "-p", "x=1", cwd=tmp_path)
    assert (missing.returncode, "nope.txt: No such file" in missing.stderr) == (2, True)
    wrong = run("render", "t.jinja", "-p", "n=three", "-p", "s=a", "-p", "x:={", cwd=tmp_path)
    assert wrong.returncode == 2


def test_parts_that_are_no_text_are_visible() -> None:
    template = Template.from_string(
        "{% user %}Image: {% image u %} what?{% enduser %}{% assistant %}{% tool_call 'look' id='c1' %}{% endassistant %}"
    )
    shown = template.render(u="https://a.b/c.png")._repr_html_()
    assert shown.index("Image:") < shown.index("[image: https://a.b/c.png]") < shown.index("what?")
    assert "[tool call: look({})]" in shown
    inline = template.render(u="data:image/png;base64," + "A" * 400)._repr_html_()
    assert "[image: image/png, 300 bytes]" in inline


def test_costs_add_up() -> None:
    costs = [estimate("x", model="gpt-4o", output=5).cost for _ in range(3)]
    assert all(costs)
    total = sum(cost for cost in costs if cost)
    assert total.expected == 3 * costs[0].expected  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "data", "tag"), [
    ("a.png", b"\x89PNG\r\n\x1a\n\xff\x00", "image"), ("a.pdf", b"%PDF-1.7\n", "file"), ("a.wav", b"RIFF\xff\xff\x00\x00WAVE", "audio"),
])  # fmt: skip
def test_a_picture_is_given_as_a_file(tmp_path: Path, name: str, data: bytes, tag: str) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "t.jinja").write_text(f"{{% user %}}{{% {tag} pic %}}{{% enduser %}}")
    done = run("render", "t.jinja", "--as", "messages", "-p", f"pic=@{name}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert base64.b64encode(data).decode() in done.stdout
    refused = run("render", "t.jinja", "--as", "messages", "-p", f"pic={name}", cwd=tmp_path)
    assert refused.returncode
    assert "cannot take the path" in refused.stderr
    assert "@FILE" in refused.stderr
