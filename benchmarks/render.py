"""Rendering and starting, as ratios to a floor measured in the same run.

    python benchmarks/render.py

Floor of rendering: the same text by a compiled Jinja2 template. Floor of starting: a
bare interpreter. Peers that are installed join in by themselves.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jinja2

from diptych import Template

ROUNDS = 7
RUNNING = 'Translate the following English text to French: "{{ text }}"'


def interleaved(contenders: dict[str, Callable[[], Any]], number: int) -> dict[str, float]:
    """Return the median seconds per call of each, all measured in turn."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            start = time.perf_counter()
            for _ in range(number):
                call()
            times[name].append((time.perf_counter() - start) / number)
    return {name: statistics.median(values) for name, values in times.items()}


def row(work: str, contenders: dict[str, Callable[[], Any]], number: int, target: float) -> bool:
    measured = interleaved(contenders, number)
    floor = measured.pop("floor")
    ours = measured["diptych"] / floor
    others = ", ".join(f"{n} {s / floor:.2f}" for n, s in measured.items() if n != "diptych")
    verdict = "met" if ours <= target else "MISSED"
    print(f"{work:<34} {floor * 1e6:9.1f} µs {ours:8.3f} {target:8.2f}  {verdict:<7} {others}")
    return ours <= target


def chat(source: str) -> str:
    return "{% user %}" + source + "{% enduser %}"


def peers(text: str) -> dict[str, Callable[[], Any]]:
    """Return the installed peers' way to render the running example."""
    found: dict[str, Callable[[], Any]] = {}
    try:
        from langchain_core.prompts import PromptTemplate

        template = PromptTemplate.from_template('Translate the following English text to French: "{text}"')
        found["langchain"] = lambda: template.format(text=text)
    except ImportError:
        pass
    try:
        from banks import Prompt

        banks = Prompt(RUNNING)
        found["banks"] = lambda: banks.text({"text": text})
    except ImportError:
        pass
    try:
        from haystack.components.builders import PromptBuilder

        builder = PromptBuilder(RUNNING)
        found["haystack"] = lambda: builder.run(text=text)["prompt"]
    except ImportError:
        pass
    return found


def render_rows() -> list[bool]:
    print(f"{'render':<34} {'floor':>12} {'ratio':>8} {'target':>8}")
    floor_template = jinja2.Environment().from_string(RUNNING)
    prompt, as_chat = Template.from_string(RUNNING), Template.from_string(chat(RUNNING))
    floor = lambda: floor_template.render(text="Hello")  # noqa: E731
    met = [
        row("translation → prompt", {
            "floor": floor, "diptych": lambda: prompt.render(text="Hello").prompt,
            "str.format": lambda: 'Translate the following English text to French: "{text}"'.format(text="Hello"),
            **peers("Hello")}, 5000, 0.15),
        row(
            "translation → messages",
            {"floor": floor, "diptych": lambda: as_chat.render(text="Hello").messages}, 5000, 0.25,
        ),
    ]  # fmt: skip
    met.append(few_shot())
    met.append(history())
    big = "x" * 100_000
    met.append(row("100 kB input", {
        "floor": lambda: floor_template.render(text=big), "diptych": lambda: prompt.render(text=big).prompt,
        "memcpy": lambda: (big + "y")}, 1000, 1.3))  # fmt: skip
    met.append(loops())
    return met


def few_shot() -> bool:
    shots = "".join(
        f"{{% user %}}Translate: cheese {i}{{% enduser %}}{{% assistant %}}fromage {i}{{% endassistant %}}"
        for i in range(5)
    )
    source = "{% system %}You are a translator.{% endsystem %}" + shots + chat("{{ text }} in {{ language }}")
    bare = source
    for tag in ("system", "user", "assistant"):
        bare = bare.replace(f"{{% {tag} %}}", "").replace(f"{{% end{tag} %}}", "")
    template, floor = Template.from_string(source), jinja2.Environment().from_string(bare)
    return row("system + 5 few-shot turns", {
        "floor": lambda: floor.render(text="a", language="b"),
        "diptych": lambda: template.render(text="a", language="b").messages}, 5000, 0.6)  # fmt: skip


def history() -> bool:
    past = [{"role": "user" if i % 2 == 0 else "assistant", "content": f"message number {i}"} for i in range(200)]
    template = Template.from_string("{% history past %}" + chat("{{ q }}"))
    floor = jinja2.Environment().from_string("{% for m in past %}{{ m.role }}: {{ m.content }}\n{% endfor %}{{ q }}")
    return row("200-message history + 1", {
        "floor": lambda: floor.render(past=past, q="x"),
        "diptych": lambda: template.render(past=past, q="x").messages, "list copy": lambda: [dict(m) for m in past]},
        300, 0.15)  # fmt: skip


def loops() -> bool:
    source = (
        "{% macro row(x) %}<{{ x.a }}|{{ x.b }}>{% endmacro %}"
        "{% for x in xs %}- {{ x.a }}: {{ x.b }}\n{% if x.c %}{{ row(x) }}{% endif %}{% endfor %}"
        "{% set c %}[{{ q }}]{% endset %}{{ c }}"
    )
    xs = [{"a": f"aa {i}", "b": "bb", "c": i % 3 == 0} for i in range(30)]
    template = Template.from_string(source)
    floor = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(source)
    assert template.render(xs=xs, q="q").prompt == floor.render(xs=xs, q="q")
    return row("loops, macros, capture", {
        "floor": lambda: floor.render(xs=xs, q="q"), "diptych": lambda: template.render(xs=xs, q="q").prompt},
        300, 1.8)  # fmt: skip


# starting ----------------------------------------------------------------------------------


def start_rows() -> list[bool]:
    print(f"\n{'start':<34} {'over bare':>12} {'target':>8}")
    python = [sys.executable, "-c"]
    works = {
        "import diptych": ([*python, "import diptych"], 15.0),
        "diptych --version": ([sys.executable, "-m", "diptych", "--version"], 60.0),
        "diptych --help": ([sys.executable, "-m", "diptych", "--help"], 200.0),
        "diptych render translate": (
            [sys.executable, "-m", "diptych", "render", "translate", "-p", "text=Hello"],
            300.0,
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in ["bare", *works]}
    for command, _ in works.values():
        run(command)
    for _ in range(ROUNDS):
        for name, command in [("bare", [*python, "pass"]), *((n, c) for n, (c, _) in works.items())]:
            times[name].append(run(command))
    bare = statistics.median(times["bare"])
    met = []
    for name, (_, target) in works.items():
        over = (statistics.median(times[name]) - bare) * 1000
        met.append(over <= target)
        print(f"{name:<34} {over:9.1f} ms {target:8.0f}  {'met' if over <= target else 'MISSED'}")
    return met


def run(command: list[str]) -> float:
    # Installed packages have their bytecode beside them: it is not to be made at each start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


if __name__ == "__main__":
    results = [*render_rows(), *start_rows()]
    print(f"\n{sum(results)} of {len(results)} targets met")
