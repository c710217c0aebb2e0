"""The bridge against a pass-through, as ratios measured in turn in one run: processor time, latency, memory.

    python benchmarks/serve.py [--rounds 5] [--calls 100] [--others]

Floor: a starlette + httpx application that parses the JSON of each body and of each chunk and dumps it again, and
converts nothing. Behind every contender stands one raw server on loopback, which writes prepared bytes, chunks one
at a time. Processor time and memory are those of the contender's process (``/proc``); latency is the median of
the calls of a plain client. ``--others`` adds gateways that are installed: LiteLLM's proxy, llm-rosetta's gateway.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

CHUNKS = 200
#: A raw server of Chat: one prepared answer, or a stream of chunks, each in a segment of its own.
MOCK = f"""
import asyncio, json
head = {{"id": "chatcmpl-1", "created": 1, "model": "gpt-4o", "system_fingerprint": "fp"}}
usage = {{"prompt_tokens": 9, "completion_tokens": {CHUNKS}, "total_tokens": {CHUNKS + 9}}}
message = {{"role": "assistant", "content": "Bonjour le monde"}}
whole = json.dumps({{**head, "object": "chat.completion", "usage": usage,
    "choices": [{{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}}]}}).encode()
def event(value):
    return b"data: " + json.dumps(value).encode() + b"\\n\\n"
def chunk(delta, reason=None, **more):
    choices = [{{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}}]
    return event({{**head, "object": "chat.completion.chunk", "choices": choices, **more}})
chunks = [chunk({{"role": "assistant", "content": ""}}), *[chunk({{"content": f" mot{{n}}"}}) for n in range({CHUNKS})],
    chunk({{}}, "stop"), event({{**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}}),
    b"data: [DONE]\\n\\n"]
ok = b"HTTP/1.1 200 OK\\r\\ncontent-type: "
streams = ok + b"text/event-stream\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n"
answers = ok + b"application/json\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(whole) + whole
async def serve(reader, writer):
    try:
        while True:
            top = await reader.readuntil(b"\\r\\n\\r\\n")
            length = int((top.lower().split(b"content-length:") + [b"0"])[1].split(b"\\r\\n")[0])
            body = json.loads(await reader.readexactly(length) or b"{{}}")
            if body.get("stream"):
                writer.write(streams)
                for one in chunks:
                    writer.write(b"%x\\r\\n" % len(one) + one + b"\\r\\n")
                    await writer.drain()
                    await asyncio.sleep(0.0005)
                writer.write(b"0\\r\\n\\r\\n")
            else:
                writer.write(answers)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
#: The floor: every body and every chunk is parsed and dumped, nothing more.
PASS = """
import json, sys
from contextlib import asynccontextmanager
import httpx, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
upstream = sys.argv[1]
http = httpx.AsyncClient(timeout=None, trust_env=False, limits=httpx.Limits(max_connections=None))
async def call(request):
    body = json.loads(await request.body())
    url = upstream + "/chat/completions"
    if not body.get("stream"):
        answer = await http.post(url, json=body)
        return Response(json.dumps(answer.json()), media_type="application/json")
    sent = http.build_request("POST", url, json=body)
    answer = await http.send(sent, stream=True)
    async def lines():
        try:
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    yield f"data: {json.dumps(json.loads(line[6:]))}\\n\\n"
                elif line:
                    yield f"{line}\\n\\n"
        finally:
            await answer.aclose()
    return StreamingResponse(lines(), media_type="text/event-stream")
app = Starlette(routes=[Route("/v1/chat/completions", call, methods=["POST"])])
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)
Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False)).run()
"""
SAID = [{"role": "user", "content": "Say something."}]
CHAT: dict[str, Any] = {"model": "gpt-4o", "messages": SAID, "max_tokens": 300}
COMPLETIONS: dict[str, Any] = {"model": "gpt-4o", "prompt": "Say something.", "max_tokens": 300}
MESSAGES: dict[str, Any] = {**CHAT}
RESPONSES: dict[str, Any] = {"model": "gpt-4o", "input": "Say something.", "max_output_tokens": 300}


class Contender(NamedTuple):
    """One way through: a process, the path that is called, and the body."""

    name: str
    pid: int
    port: int
    path: str
    body: dict[str, Any]
    converts: bool = True


class Figures(NamedTuple):
    """Of one round: processor and wall seconds of a call, processor seconds of a chunk."""

    cpu: float
    latency: float
    chunk: float


@contextmanager
def process(*command: str, stderr: bool = False) -> Iterator[tuple[int, int]]:
    """Start a server that says its port; give its process id and the port."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe if stderr else None, text=True) as started:
        try:
            said = started.stderr if stderr else started.stdout
            assert said is not None
            line = said.readline()
            yield started.pid, int("".join(c if c.isdigit() else " " for c in line).split()[-1 if not stderr else 4])
        finally:
            started.terminate()
            started.wait(20)


def processor(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])  # nanoseconds on a processor
    return total / 1e9


def resident(pid: int) -> float:
    """Return the resident megabytes of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


class Caller:
    """A connection to a contender, and what its calls took."""

    def __init__(self, contender: Contender) -> None:
        self.contender, self.waits = contender, list[float]()
        self._connection = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=60)
        self._whole = json.dumps(contender.body)
        self._stream = json.dumps({**contender.body, "stream": True})
        first = self._ask(self._whole)
        assert b"Bonjour" in first, first[:500]

    def _ask(self, body: str) -> bytes:
        self._connection.request("POST", self.contender.path, body, {"content-type": "application/json"})
        return self._connection.getresponse().read()

    def call(self) -> None:
        """Make a call and note what it took."""
        begun = time.perf_counter()
        self._ask(self._whole)
        self.waits.append(time.perf_counter() - begun)

    def stream(self) -> None:
        """Read a stream to its end."""
        found = self._ask(self._stream)
        assert found.count(b"mot") >= CHUNKS, found[-500:]


def round_of(entered: list[Contender], calls: int, streams: int) -> dict[str, Figures]:
    """Call all contenders in turn, so often each, and read as many streams: what loads the machine loads them all.

    Several contenders may be one process: its processor time is taken around each call.
    """
    callers = [Caller(one) for one in entered]
    spent: dict[str, list[float]] = {one.name: [0.0, 0.0] for one in entered}
    for kind, number in ((0, calls), (1, streams)):
        for _ in range(number):
            for caller in callers:
                begun = processor(caller.contender.pid)
                caller.stream() if kind else caller.call()
                spent[caller.contender.name][kind] += (processor(caller.contender.pid) - begun) / number
    found = {}
    for caller in callers:
        cpu, stream = spent[caller.contender.name]
        chunk = max(stream - cpu, 0.0) / CHUNKS
        found[caller.contender.name] = Figures(cpu, statistics.median(caller.waits), chunk)
    return found


def contenders(stack: ExitStack, upstream: str, others: bool) -> list[Contender]:
    """Start every contender: the floor first."""
    python = sys.executable
    pid, port = stack.enter_context(process(python, "-c", PASS, upstream))
    found = [Contender("pass-through", pid, port, "/v1/chat/completions", CHAT, False)]
    command = [python, "-m", "diptych", "serve", "--upstream", upstream, "--port", "0", "--quiet"]
    pid, port = stack.enter_context(process(*command, stderr=True))
    found += [
        Contender("diptych chat", pid, port, "/v1/chat/completions", CHAT, False),
        Contender("diptych completions", pid, port, "/v1/completions", COMPLETIONS),
        Contender("diptych messages", pid, port, "/v1/messages", MESSAGES),
        Contender("diptych responses", pid, port, "/v1/responses", RESPONSES),
    ]
    return found + (_others(stack, upstream) if others else [])


def _others(stack: ExitStack, upstream: str) -> list[Contender]:
    """Start the gateways that are installed: each by its own command, with a configuration of one model."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    config = {"model_list": [{"model_name": "gpt-4o", "litellm_params": {
        "model": "openai/gpt-4o", "api_base": upstream, "api_key": "none"}}]}  # fmt: skip
    found = _other(stack, folder, "litellm", 4973, config, "/health/liveliness")
    provider = {"api_key": "none", "base_url": upstream}
    server = {"host": "127.0.0.1", "port": 4974, "open_on_no_keys": True}
    config = {"providers": {"openai_chat": provider}, "models": {"gpt-4o": "openai_chat"}, "server": server}
    return found + _other(stack, folder, "llm-rosetta-gateway", 4974, config, "/health")


def _other(
    stack: ExitStack, folder: str, name: str, port: int, config: dict[str, Any], health: str
) -> list[Contender]:
    if not (command := shutil.which(name)):
        print(f"{name} is not installed")
        return []
    path = f"{folder}/{name}.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)
    more = ["--data-dir", folder, "--log-level", "warning"] if "rosetta" in name else ["--port", str(port)]
    quiet = subprocess.DEVNULL
    home = {**os.environ, "HOME": folder, "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
    started = subprocess.Popen([command, "--config", path, *more], stdout=quiet, stderr=quiet, env=home)
    stack.callback(started.wait)
    stack.callback(started.terminate)
    while not _answers(port, health):
        if started.poll() is not None:
            print(f"{name} does not start")
            return []
        time.sleep(0.2)
    return [Contender(name[:11], started.pid, port, "/v1/chat/completions", CHAT)]


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def main() -> None:
    """Print a row per contender."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--others", action="store_true")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        _, port = stack.enter_context(process(sys.executable, "-c", MOCK))
        entered = contenders(stack, f"http://127.0.0.1:{port}/v1", chosen.others)
        rounds: dict[str, list[Figures]] = {one.name: [] for one in entered}
        for _ in range(chosen.rounds):
            for name, found in round_of(entered, chosen.calls, chosen.streams).items():
                rounds[name].append(found)
        print(f"{'':<22}{'CPU/call':>12}{'×':>6}{'latency':>12}{'×':>6}{'CPU/chunk':>12}{'×':>6}{'memory':>10}")
        floor = _median(rounds["pass-through"])
        for one in entered:
            own = _median(rounds[one.name])
            cells = "".join(f"{a * 1e3:9.3f} ms{a / b:6.2f}" for a, b in zip(own, floor, strict=True))
            print(f"{one.name:<22}{cells}{resident(one.pid):7.1f} MB")


def _median(found: list[Figures]) -> Figures:
    return Figures(*(statistics.median(values) for values in zip(*found, strict=True)))


if __name__ == "__main__":
    main()
