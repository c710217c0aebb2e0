"""What ``make demo`` shows: one template from file to answer, without a key.

Renders both forms, converts, counts and prices, then asks a real language model over
real HTTP on this machine, through both endpoints.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

import diptych
from diptych.catalogue import DEFAULT_MODEL
from diptych.local import LocalServer
from diptych.report.page import page_of
from diptych.report.templates import template_document

ROOT = Path(__file__).resolve().parents[1]
console = Console(highlight=False, width=100)
MODELS = (DEFAULT_MODEL, "gpt-5.4", "gpt-5.6-luna")


class Review(BaseModel):
    """What the answer of part 6 must be."""

    sentiment: Literal["positive", "negative"]
    dish: Literal["soup", "bread", "fish"]


def title(text: str) -> None:
    console.print(f"\n[bold]{text}[/bold]")


def show(label: str, value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.rstrip("\n").replace("\n", "\n" + " " * 14)
    console.print(Text(f"  {label:<12}{text}"), soft_wrap=True)


def render_both() -> diptych.Rendered:
    title("1. One template, both panels")
    rendered = diptych.Library(ROOT / "templates")["translate"].render(text="Hello")
    show("prompt", rendered.prompt)
    show("messages", rendered.messages)
    data = [rendered.prompt[s.start : s.end] for s in rendered.spans if s.source == "data"]
    show("data", f"{data} came from the inputs; every other character is the author's")
    return rendered


def convert_both_ways() -> None:
    title("2. Conversion, with the truth about it")
    dialogue = diptych.Library(ROOT / "templates")["world-series"].render()
    written = diptych.to_prompt(dialogue.messages, format="chatml")
    show("chatml", written.text)
    reading = diptych.to_messages(written.text)
    show("back", f"{reading.format}, {reading.verdict}, identical: {reading.messages == dialogue.messages}")


def estimate(rendered: diptych.Rendered) -> None:
    title("3. Tokens and cost before the call (200 tokens of answer expected)")
    table = Table("model", "prompt tokens", "basis", "USD expected", "USD at most", "prices of")
    for model in MODELS:
        e = diptych.estimate(rendered.messages, model=model, output=200).to_json()
        count = diptych.count(rendered.messages, model=model)
        cost = e["cost"] or {}
        cells = (
            model,
            count.tokens,
            count.basis,
            cost.get("expected"),
            cost.get("high"),
            e["price_date"],
        )
        table.add_row(*["unknown" if cell is None else str(cell) for cell in cells])
    console.print(table)


def ask(client: diptych.Client, template: str, api: str, model: str, **options: Any) -> diptych.Reply:
    inputs = options.pop("inputs", {})
    rendered = diptych.Library(ROOT / "templates")[template].render(**inputs)
    reply = client.send(rendered, model=model, api=api, **options)
    usage = reply.usage
    used = f"{usage.prompt_tokens} + {usage.completion_tokens} tokens" if usage else "no usage"
    show(api, reply.text.strip())
    show("", f"[{used}, fingerprint {reply.system_fingerprint}]")
    return reply


def answers() -> None:
    title("4. Answers of a real model on this machine, over HTTP, no key")
    console.print(
        "  SmolLM2-135M is tiny. Its French is poor and can be rude: the answers show that the wire works.",
        style="dim",
    )
    with LocalServer() as server, diptych.Client(server.base_url, timeout=120) as client:
        show("prompt", "The capital of France is")
        ask(client, "complete-capital", "completions", server.model)
        show("chat", "Who won the world series in 2020? … Where was it played?")
        ask(client, "world-series", "chat", server.model)
        title("5. The translation template, through both endpoints")
        inputs = {"text": "Hello"}
        ask(client, "translate", "completions", server.model, inputs=inputs, max_tokens=12)
        ask(client, "translate", "chat", server.model, inputs=inputs, max_tokens=12)
        title("6. JSON mode and a schema; the same seed twice")
        review = "Review: The fish was cold and the waiter rude.\nGive the sentiment and the dish as JSON."
        show("user", review)
        reply = client.parse(
            [{"role": "user", "content": review}],
            Review,
            model=server.model,
            temperature=0,
            seed=7,
            max_tokens=40,
        )
        show("parsed", repr(reply.parsed))
        first, second = (
            client.send("Once upon a time", model=server.model, seed=7, temperature=0.8, max_tokens=12).text
            for _ in range(2)
        )
        show("seed 7", f"identical: {first == second}")


def report() -> None:
    """Write what was rendered as a page, and say where it lies."""
    title("7. Look at it")
    file = ROOT / "build" / "demo.html"
    file.parent.mkdir(exist_ok=True)
    template = diptych.Library(ROOT / "templates")["translate-chat"]
    file.write_text(page_of(template_document(template, {"Hello": {"text": "Hello"}}, models=MODELS)), "utf-8")
    show("open", file.relative_to(ROOT).as_posix())


def main() -> None:
    rendered = render_both()
    convert_both_ways()
    estimate(rendered)
    answers()
    report()


if __name__ == "__main__":
    main()
