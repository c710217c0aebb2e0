"""Conversions a second per format, as ratios to a floor measured in the same run.

    python benchmarks/convert.py

Floor of writing and reading: a plain copy of the messages as dicts. Floor of chat
templates: the same compiled template rendered by Jinja's own immutable sandbox. Reading
is also shown on long and hostile text, where the time per character must not grow.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
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


def seconds(calls: dict[str, Callable[[], Any]], number: int) -> dict[str, float]:
    """Return the median seconds of a call of each, all measured in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begun = time.perf_counter()
            for _ in range(number):
                call()
            times[name].append((time.perf_counter() - begun) / number)
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


def chat_templates() -> None:
    plain = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(TEMPLATE)
    ours = diptych.ChatTemplate(TEMPLATE)
    found = seconds(
        {
            "floor": lambda: plain.render(messages=CHAT, add_generation_prompt=True),
            "ours": lambda: ours.render(CHAT, add_generation_prompt=True),
        },
        2000,
    )
    print(f"\nchat template: {found['ours'] / found['floor']:.2f} times Jinja's own immutable sandbox")


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


if __name__ == "__main__":
    formats()
    chat_templates()
    long_texts()
