"""Counting, as ratios to a floor measured in the same run; every timed count is checked first.

    python benchmarks/count.py

Floor of a template: tiktoken on the whole rendered text. Floor of messages: the loop of
OpenAI's cookbook. Floor of a price: one look-up in a dict and a multiplication in
Decimal. litellm and tokencost join in where they are installed.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from diptych import Template, count
from diptych.encodings.encoding import encoding
from diptych.prices import price_usage

ROUNDS = 13
MODEL = "gpt-5.4-mini"
BPE = encoding("o200k_base")
WORDS = tuple("the quick brown fox jumps over a lazy dog while seven wizards brew their evening tea".split())  # noqa: SIM905


def interleaved(contenders: dict[str, Callable[[], Any]], number: int) -> dict[str, float]:
    """Return the least CPU seconds per call of each, all measured in turn: what else runs only ever adds."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            start = time.process_time()
            for _ in range(number):
                call()
            times[name].append((time.process_time() - start) / number)
    return {name: min(values) for name, values in times.items()}


def row(work: str, contenders: dict[str, Callable[[], Any]], number: int, target: float, *, faster: bool) -> bool:
    """Print one line: times faster than the floor, or times its cost, against the target."""
    measured = interleaved(contenders, number)
    floor, ours = measured.pop("floor"), measured.pop("diptych")
    ratio = floor / ours if faster else ours / floor
    is_met = ratio >= target if faster else ratio <= target
    others = ", ".join(f"{name} {seconds / floor:.2f} of the floor" for name, seconds in measured.items())
    sense = "x faster" if faster else "of floor"
    print(
        f"{work:<34} {floor * 1e6:9.2f} µs {ours * 1e6:9.2f} µs {ratio:8.2f} {sense}"
        f" {target:7.2f}  {'met' if is_met else 'MISSED':<7} {others}"
    )
    return is_met


def words(tokens: int) -> str:
    """Return text of about this many tokens."""
    return " ".join(random.choices(WORDS, k=tokens))


def template_row(static: int, dynamic: int, target: float) -> bool:
    half = words(static // 2)
    template = Template.from_string(f"{half}: {{{{ text }}}}. {words(static - static // 2)}")
    counter = template.counter(model=MODEL, api="completions")
    values = [words(dynamic) for _ in range(64)]
    texts = [template.render(text=value).prompt for value in values]
    for value, text in zip(values, texts, strict=True):
        assert counter(text=value) == len(BPE.encode_ordinary(text))
    turn = iter(range(10**9))
    return row(
        f"static {static} + input of {dynamic}",
        {
            "floor": lambda: len(BPE.encode_ordinary(texts[next(turn) % 64])),
            "diptych": lambda: counter(text=values[next(turn) % 64]),
        },
        400,
        target,
        faster=True,
    )


def cookbook(messages: list[dict[str, str]]) -> int:
    """The loop of OpenAI's cookbook, with the constants of gpt-5: 2 for the reply, 2 more for each past one."""
    total = 2
    for message in messages:
        total += 5 if message["role"] == "assistant" else 3
        for key, value in message.items():
            total += len(BPE.encode_ordinary(value))
            if key == "name":
                total += 1
    return total


def peers(messages: list[dict[str, str]]) -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    try:
        import litellm

        found["litellm"] = lambda: litellm.token_counter(model=MODEL, messages=messages)
    except ImportError:
        pass
    try:
        import tokencost

        found["tokencost"] = lambda: tokencost.count_message_tokens(messages, MODEL)
    except ImportError:
        pass
    return found


def message_rows() -> list[bool]:
    history = [{"role": ("user", "assistant")[i % 2], "content": words(random.randint(20, 60))} for i in range(199)]
    tails = [[*history, {"role": "user", "content": f"{i} {words(30)}"}] for i in range(400)]
    for messages in tails[:20]:
        assert count(messages, MODEL).tokens == cookbook(messages)
    ours, floors = iter(tails * 1000), iter(tails * 1000)
    done = row(
        "200 messages, one new",
        {
            "floor": lambda: cookbook(next(floors)),
            "diptych": lambda: count(next(ours), MODEL).tokens,
            **peers(tails[0]),
        },
        40,
        12,
        faster=True,
    )
    fresh = [[{"role": "user", "content": words(70)} for _ in range(5)] for _ in range(20_000)]
    for messages in fresh[:50]:
        assert count(messages, MODEL).tokens == cookbook(messages)
    first, second = iter(fresh[50:] * 9), iter(fresh[50:] * 9)
    return [
        done,
        row(
            "5 messages, all new",
            {
                "floor": lambda: cookbook(next(first)),
                "diptych": lambda: count(next(second), MODEL).tokens,
                **peers(fresh[0]),
            },
            1500,
            1.15,
            faster=False,
        ),
    ]


def price_row() -> bool:
    rates = {MODEL: (Decimal("0.75"), Decimal("4.5"))}
    usage = {"prompt_tokens": 1200, "completion_tokens": 300}

    def floor() -> Decimal:
        prompt, completion = rates[MODEL]
        return (prompt * 1200 + completion * 300) / 1_000_000

    assert price_usage(MODEL, usage) == floor()
    seconds = interleaved({"diptych": lambda: price_usage(MODEL, usage), "floor": floor}, 20_000)
    is_met = seconds["diptych"] <= 3e-6
    verdict = "met" if is_met else "MISSED"
    print(
        f"{'price of a known usage':<34} {seconds['floor'] * 1e6:9.2f} µs {seconds['diptych'] * 1e6:9.2f} µs"
        f"{'':>18} <= 3 µs  {verdict}"
    )
    return is_met


def main() -> int:
    random.seed(7)
    print(f"{'work':<34} {'floor':>12} {'diptych':>12} {'ratio':>17} {'target':>7}")
    assert count(words(500), MODEL).tokens
    done = [
        template_row(500, 5, 18),
        template_row(100, 20, 2.8),
        template_row(500, 200, 2.9),
        template_row(2000, 20, 35),
        *message_rows(),
        price_row(),
    ]
    print(f"{sum(done)} of {len(done)} targets met")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
