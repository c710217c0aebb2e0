"""Conversions a second per format, as ratios to a floor measured in the same run.

    python benchmarks/convert.py

Floor of writing and reading: a plain copy of the messages as dicts. Floor of the rows
with a target: the ChatML template of one line, rendered by Jinja's own immutable sandbox;
reading has a speed for a target, by name, with detection (``auto``), and of opening marks alone
(``bare``). Reading is also shown on hostile text: twice the text may take 2.6 times the CPU time.
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


#: Formats of special tokens, and some of labels beside them.
READ = [*(name for name, g in grammars().items() if g.is_certain and not g.plain), "claude", "transcript"]


def reading() -> list[bool]:
    """Show how fast long prompts are read, by the name of their format and without it."""
    print(f"\n{'read a long prompt, MB a CPU-second':<42}{'by name':>9}{'auto':>8}{'bare':>8}{'target':>8}")
    done = []
    for name in READ:
        chat = [{"role": role, "content": "word " * 9 + "word"} for role in ("user", "assistant")]
        chat *= 5_000_000 // len(diptych.to_prompt(chat * 10, name).text)
        speeds = reading_speeds(diptych.to_prompt(chat, name, add_generation_prompt=False).text, name)
        unit = (grammars()[name].turns["user"].open or "x") + "x"
        speeds.append(reading_speeds(unit * (200_000 // len(unit)), name)[1])
        done.append(speeds[1] >= 10)
        cells = f"{speeds[0]:>9.1f}{speeds[1]:>8.1f}{speeds[2]:>8.1f}{10:>8}"
        print(f"{f'turns of {name}':<42}{cells}  {'met' if done[-1] else 'MISSED'}")
    return done


def reading_speeds(text: str, name: str) -> list[float]:
    """Return the megabytes a second of CPU time, by name and by detection; the fastest of a few rounds."""
    found = []
    for source in (name, "auto"):
        found.append(len(text) / 1e6 / min(cpu(lambda f=source: diptych.to_messages(text, f)) for _ in range(3)))
    return found


def cpu(call: Callable[[], Any]) -> float:
    """Return the CPU seconds of a call."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def long_texts() -> list[bool]:
    """Show that twice the text takes about twice the CPU time, on ordinary and on hostile texts."""
    print("\nCPU time of twice the text, as a ratio; at most 2.6")
    done = []
    for name in READ:
        turn = grammars()[name].turns["user"]
        units = {
            "turns": turn.open + "word " * 10 + turn.close,
            "opens": turn.open + "x",
            "closes": turn.open + "x" + turn.close * 2,
            "junk": turn.open + "x" + turn.close + "y\n",
            "near": "<|im_\n\n ",
            "half": turn.open.strip()[:-1],
            "blanks": turn.open + " \n" * 20,
        }
        ratios = {what: doubling(unit or "x") for what, unit in units.items()}
        done += [ratio <= 2.6 for ratio in ratios.values()]
        cells = "".join(f"{what:>8} {ratio:4.2f}{' ' if ratio <= 2.6 else '!'}" for what, ratio in ratios.items())
        print(f"{name:<24}{cells}")
    return done


#: Units of hostile texts without control tokens: labels, what may stand around them, and what quotes them.
LABELLED = [
    "User: x\nAssistant: y\n", "User\n", "User" + " " * 50, "a b c d: ", "Question: x\nThought: y\n", "a: b\n",
    "User: x Assistant: y ", "User: x\n---\n", "User: x\n```\n", "[10:31] ", "10:31 User: a\n", "1 1 ", "### User\n",
    "[User]\n", "=", "*", "<a>\n", '"""\n', "[BEGIN X]\n", "\nsummarize this chat", "User: a\n\nWrite it.\n\n",
    "\ufeff", "<user>:\n", "[|user|]", "<think>", "\n", " ",
]  # fmt: skip


def long_labelled_texts() -> list[bool]:
    """Show the same for texts of labels, alone and between turns."""
    done = []
    for unit in LABELLED:
        ratios = [doubling(unit), doubling(unit, around=("User: a\nAssistant: b\n", "\nUser: c\nAssistant:"))]
        done += [ratio <= 2.6 for ratio in ratios]
        cells = "".join(f"{ratio:>8.2f}{' ' if ratio <= 2.6 else '!'}" for ratio in ratios)
        print(f"{unit[:20]!r:<24}{cells}")
    return done


def doubling(unit: str, size: int = 50_000, around: tuple[str, str] = ("", "")) -> float:
    """Return how many times as long a text of twice the size takes to read."""
    once, twice = (around[0] + unit * (n * size // len(unit)) + around[1] for n in (1, 2))
    spent = [(cpu(lambda: diptych.to_messages(once)), cpu(lambda: diptych.to_messages(twice))) for _ in range(3)]
    return min(two for _, two in spent) / min(one for one, _ in spent)


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
    results = [*ten_messages(), *reading(), *long_texts(), *long_labelled_texts(), *bodies(), *streams()]
    contenders()
    print(f"\n{sum(results)} of {len(results)} targets met")
