"""Conversions a second per format, as ratios to a floor measured in the same run.

    python benchmarks/convert.py

Floor of writing and reading: a plain copy of the messages as dicts. Floor of the rows
with a target: the ChatML template of one line, rendered by Jinja's own immutable sandbox;
reading has a speed for a target. Reading is also shown on long and hostile text, where the
time per character must not grow.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

import diptych
from diptych.conversion.registry import get
from diptych.text.registry import grammars
from diptych.text.turns import messages_of

ROUNDS = 5
CHAT = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Who won the world series in 2020?"},
    {"role": "assistant", "content": "The Los Angeles Dodgers won the World Series in 2020."},
    {"role": "user", "content": "Where was it played?"},
]
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def seconds(
    calls: dict[str, Callable[[], Any]], number: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the median seconds of a call of each, all measured in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begun = clock()
            for _ in range(number):
                call()
            times[name].append((clock() - begun) / number)
    return {name: statistics.median(values) for name, values in times.items()}


def formats() -> None:
    print(f"{'format':<18}{'write/s':>10}{'ratio':>8}{'read/s':>10}{'ratio':>8}")
    for name in grammars():
        text = diptych.to_prompt(CHAT, format=name).text
        found = seconds(
            {
                "floor": lambda: [dict(m) for m in CHAT],
                "write": lambda name=name: diptych.to_prompt(CHAT, format=name),
                "read": lambda text=text, name=name: diptych.to_messages(text, format=name),
            },
            200,
        )
        line(name, found)
    for name in ("anthropic", "gemini", "bedrock", "responses"):
        body = diptych.convert(CHAT, target=name).output
        api = get(name)
        found = seconds(
            {
                "floor": lambda: [dict(m) for m in CHAT],
                "write": lambda name=name: diptych.convert(CHAT, source="chat", target=name),
                "read": lambda body=body, api=api: api.read(body),
            },
            200,
        )
        line(name, found)


def line(name: str, found: dict[str, float]) -> None:
    floor, write, read = found["floor"], found["write"], found["read"]
    print(f"{name:<18}{1 / write:>10,.0f}{write / floor:>8.0f}{1 / read:>10,.0f}{read / floor:>8.0f}")


def ten_messages() -> list[bool]:
    """Show what ten messages cost as ChatML."""
    plain = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(TEMPLATE)
    ours = diptych.ChatTemplate(TEMPLATE)
    chat = [CHAT[0], *(CHAT[1 + i % 3] for i in range(9))]
    floor = lambda: plain.render(messages=chat, add_generation_prompt=True)  # noqa: E731
    render = lambda: ours.render(chat, add_generation_prompt=True)  # noqa: E731
    write = lambda: diptych.to_prompt(chat, "chatml").text  # noqa: E731
    assert floor() == render() == write()
    found = seconds({"floor": floor, "render": render, "write": write}, 1000)
    print(f"\n{'ten messages as ChatML':<42}{'floor':>9}{'ratio':>8}{'target':>8}")
    rows = (("ChatTemplate.render", "render", 2.0), ("to_prompt(…, 'chatml').text", "write", 2.5))
    return [met(f"{what:<42}", found["floor"] * 1e6, found[key] / found["floor"], target) for what, key, target in rows]


def met(what: str, floor: float, ratio: float, target: float) -> bool:
    print(f"{what}{floor:>6.1f} µs{ratio:>8.2f}{target:>8.1f}  {'met' if ratio <= target else 'MISSED'}")
    return ratio <= target


def reading() -> list[bool]:
    """Show how fast a prompt of a megabyte is read, by the name of its format and without."""
    print(f"\n{'read a 1 MB prompt, MB a CPU-second':<42}{'by name':>9}{'auto':>8}{'target':>8}")
    done = []
    for name in ("chatml", "llama3", "gemma", "mistral-tekken", "claude", "transcript", "harmony"):
        chat = [{"role": role, "content": "word " * 9 + "word"} for role in ("user", "assistant")]
        chat *= 10_000_000 // len(diptych.to_prompt(chat * 10, name).text)
        speeds = reading_speeds(diptych.to_prompt(chat, name, add_generation_prompt=False).text, name)
        done.append(speeds[0] >= 20)
        print(f"{f'turns of {name}':<42}{speeds[0]:>9.1f}{speeds[1]:>8.1f}{20:>8}  {'met' if done[-1] else 'MISSED'}")
    unit = grammars()["chatml"].turns["user"].open + "x"
    speeds = reading_speeds(unit * (1_000_000 // len(unit)), "chatml")
    print(f"{'bare opening marks of chatml':<42}{speeds[0]:>9.1f}{speeds[1]:>8.1f}")
    return done


def reading_speeds(text: str, name: str) -> list[float]:
    """Return the megabytes a second of CPU time, by name and by detection."""
    calls = {"name": lambda: diptych.to_messages(text, name), "auto": lambda: diptych.to_messages(text)}
    return [len(text) / 1e6 / spent for spent in seconds(calls, 1, time.process_time).values()]


def long_texts() -> None:
    print("\nreading, ns a character at 0.1, 1 and 10 MB")
    for name in ("chatml", "llama2", "claude", "transcript", "harmony"):
        grammar = grammars()[name]
        turn = grammar.turns["user"]
        for what, unit in (
            ("turns", turn.open + "word " * 10 + turn.close),
            ("opens", turn.open + "x"),
            ("near", "<|im_\n\n "),
        ):
            cells = []
            for size in (100_000, 1_000_000, 10_000_000):
                text = unit * (size // len(unit))
                begun = time.perf_counter()
                messages_of(text, grammar)
                cells.append((time.perf_counter() - begun) / size * 1e9)
            verdict = "linear" if cells[2] < 3 * max(cells[0], cells[1]) else "NOT LINEAR"
            print(f"{name:<12}{what:<8}{cells[0]:>9.1f}{cells[1]:>9.1f}{cells[2]:>9.1f}  {verdict}")


# whole bodies and streams between APIs -----------------------------------------------------------------


def bodies() -> list[bool]:
    """Show what a request of ten messages costs between any two APIs; floor: deep copy and JSON dump."""
    apis = [entry.name for entry in diptych.list_formats("api")]
    chat = {"model": "m", "max_completion_tokens": 99, "messages": [CHAT[0], *(CHAT[1 + i % 3] for i in range(9))]}
    made = {api: diptych.convert(chat, source="chat", target=api, on_loss="ignore").output for api in apis}
    print(f"\n{'request of ten messages, ratio to the floor':<42}" + "".join(f"{api[:9]:>11}" for api in apis))
    done = []
    for source, body in made.items():
        convert = partial(diptych.convert, body, source=source, on_loss="ignore")
        calls = {api: partial(convert, target=api) for api in apis}
        found = seconds({"floor": lambda body=body: json.dumps(deepcopy(body)), **calls}, 200)
        ratios = [found[api] / found["floor"] for api in apis]
        done += [ratio <= 3 for ratio in ratios]
        print(f"{source:<42}" + "".join(f"{ratio:>10.2f}{' ' if ratio <= 3 else '!'}" for ratio in ratios))
    return done


def streams() -> list[bool]:
    """Show what a chunk costs on its way from each API to each other; floor: the chunk parsed and dumped."""
    apis = [entry.name for entry in diptych.list_formats("api")]
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    texts = [{"content": f"word {number} "} for number in range(200)]
    deltas = [({"role": "assistant", "content": ""}, None), *((delta, None) for delta in texts), ({}, "stop")]
    chat = [{**head, "choices": [{"index": 0, "delta": d, "finish_reason": reason}]} for d, reason in deltas]
    streamed = partial(diptych.convert_stream, on_loss="ignore")
    made = {api: [*streamed(chat, to=api, source="chat")] for api in apis}
    print(f"\n{'chunk of a stream, ratio to the floor':<42}" + "".join(f"{api[:9]:>11}" for api in apis))
    done = []
    for source, chunks in made.items():
        lines = [json.dumps(chunk) for chunk in chunks]
        calls = {api: lambda api=api, c=chunks, s=source: [*streamed(c, to=api, source=s)] for api in apis}
        found = seconds({"floor": lambda lines=lines: [json.dumps(json.loads(line)) for line in lines], **calls}, 5)
        ratios = [found[api] / found["floor"] for api in apis]
        done += [ratio <= 2 for ratio in ratios]
        print(f"{source:<42}" + "".join(f"{ratio:>10.2f}{' ' if ratio <= 2 else '!'}" for ratio in ratios))
    return done


def contenders() -> None:
    """Show what other libraries make of the same request, Chat to Anthropic, where they are installed."""
    chat = {"model": CLAUDE, "max_tokens": 99, "messages": [CHAT[0], *(CHAT[1 + i % 3] for i in range(9))]}
    print(f"\n{'Chat to Anthropic, ratio to the floor':<42}")
    for name, make in (("diptych", _diptych), ("litellm", _litellm), ("llm_rosetta", _rosetta)):
        try:
            convert = make(chat)
        except ImportError:
            print(f"{name:<42}not installed")
            continue
        found = seconds({"floor": lambda: json.dumps(deepcopy(chat)), name: convert}, 200)
        print(f"{name:<42}{found[name] / found['floor']:>8.2f}")


CLAUDE = "claude-sonnet-4-5"


def _diptych(body: dict[str, Any]) -> Callable[[], Any]:
    return lambda: diptych.convert(body, source="chat", target="anthropic", on_loss="ignore")


def _litellm(body: dict[str, Any]) -> Callable[[], Any]:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or its import waits for the network
    from litellm import AnthropicConfig

    config = AnthropicConfig()
    return lambda: config.transform_request(CLAUDE, deepcopy(body["messages"]), {"max_tokens": 99}, {}, {})


def _rosetta(body: dict[str, Any]) -> Callable[[], Any]:
    from llm_rosetta import convert

    return lambda: convert(body, "anthropic", source_provider="openai_chat")


if __name__ == "__main__":
    formats()
    results = [*ten_messages(), *reading(), *bodies(), *streams()]
    contenders()
    long_texts()
    print(f"\n{sum(results)} of {len(results)} targets met")
