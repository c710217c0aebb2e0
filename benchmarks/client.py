"""Calls on loopback, as ratios to a floor measured in the same run: processor time per call.

    python benchmarks/client.py

Floor of a call: ``httpx.Client.post`` and ``json.loads``. Floor of a stream: a loop over
its lines with ``json.loads``. Floor of 200 at once: ``httpx.AsyncClient``. The server runs
in a process of its own. The openai SDK joins in where it is installed.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

import diptych

ROUNDS = 7
CHAT = [{"role": "user", "content": "Say something."}]
BODY = {"model": "test", "messages": CHAT}
WORDS = "word " * 400
SERVER = """
import sys, time
from diptych.testing import Server
server = Server(answer=lambda body: "word " * 400 if body.get("stream") else "Hi").start()
print(server.base_url, flush=True)
sys.stdin.read()
"""


def measured(calls: dict[str, Callable[[], Any]], number: int) -> dict[str, float]:
    """Return the median processor seconds of a call of each, all measured in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begun = time.process_time()
            for _ in range(number):
                call()
            times[name].append((time.process_time() - begun) / number)
    return {name: statistics.median(values) for name, values in times.items()}


def row(what: str, found: dict[str, float], target: float, per: int = 1) -> None:
    floor = found.pop("floor")
    ours = found.pop("diptych") / floor
    others = ", ".join(f"{name} {value / floor:.2f}" for name, value in found.items())
    verdict = "met" if ours <= target else "MISSED"
    print(f"{what:<24}{floor / per * 1e6:9.1f} µs {ours:7.2f} {target:6.2f}  {verdict}  {others}")


def calls(url: str, http: httpx.Client, client: diptych.Client) -> None:
    path = f"{url}/chat/completions"
    contenders: dict[str, Callable[[], Any]] = {
        "floor": lambda: json.loads(http.post(path, json=BODY).content),
        "diptych": lambda: client.send(BODY),
    }
    if sdk := _openai(url):
        contenders["openai"] = lambda: sdk.chat.completions.create(**BODY)
    row("a call", measured(contenders, 100), 1.0)


def streams(url: str, http: httpx.Client, client: diptych.Client) -> None:
    path, body = f"{url}/chat/completions", {**BODY, "stream": True}

    def floor() -> None:
        with http.stream("POST", path, json=body) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    json.loads(line[6:])

    def ours() -> None:
        with client.stream(BODY) as deltas:
            for _ in deltas:
                pass

    contenders: dict[str, Callable[[], Any]] = {"floor": floor, "diptych": ours}
    if sdk := _openai(url):
        contenders["openai"] = lambda: list(sdk.chat.completions.create(**BODY, stream=True))
    row("a chunk of a stream", measured(contenders, 5), 1.4, per=403)


def many(url: str) -> None:
    path = f"{url}/chat/completions"

    async def floor() -> None:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=60) as http:
            answers = await asyncio.gather(*(http.post(path, json=BODY) for _ in range(200)))
            assert all(json.loads(answer.content) for answer in answers)

    async def ours() -> None:
        async with diptych.AsyncClient(url) as client:
            found = await client.send_many([BODY] * 200, concurrency=200)
            assert all(isinstance(reply, diptych.Reply) for reply in found)

    contenders = {"floor": lambda: asyncio.run(floor()), "diptych": lambda: asyncio.run(ours())}
    row("200 at once, each", measured(contenders, 1), 0.4, per=200)


def _openai(url: str) -> Any:
    try:
        import openai
    except ImportError:
        return None
    return openai.OpenAI(base_url=url, api_key="none")


def main() -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    try:
        with httpx.Client(timeout=60) as http, diptych.Client(url) as client:
            print(f"{'what':<24}{'floor':>12} {'ratio':>7} {'target':>6}")
            calls(url, http, client)
            streams(url, http, client)
        many(url)
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
