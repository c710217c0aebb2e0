"""Checked by mypy, never run: the public names have the types that the docs say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_type

import httpx

import diptych
from diptych.client import Delta, RateLimits


@dataclass
class City:
    name: str


def templates() -> None:
    library = diptych.Library("templates")
    template = library["translate"]
    assert_type(template, diptych.Template)
    rendered = template.render(text="Hello")
    assert_type(rendered, diptych.Rendered)
    assert_type(rendered.prompt, str)
    assert_type(rendered.messages, list[dict[str, Any]])
    assert_type(rendered.request("chat", model="gpt-4o-mini"), dict[str, Any])
    assert_type(rendered.request("anthropic", model="claude-opus-4-5", max_tokens=9), dict[str, Any])
    assert_type(rendered.token_ids(model="gpt-4o-mini"), list[int])
    assert_type(rendered.conversation, diptych.Conversation)
    assert_type(template.counter(model="gpt-4o-mini"), Callable[..., int])
    assert_type(diptych.render("translate.jinja", text="Hello"), diptych.Rendered)


def conversion() -> None:
    assert_type(diptych.to_messages("Hello"), diptych.Reading)
    assert_type(diptych.to_prompt([{"role": "user", "content": "Hello"}], format="chatml"), diptych.Writing)
    conversion = diptych.convert("Hello", source="auto", target="openai_chat", on_loss="raise")
    assert_type(conversion, diptych.Conversion)
    assert_type(conversion.losses, tuple[diptych.Loss, ...])


def money() -> None:
    assert_type(diptych.count("Hello"), diptych.TokenCount)
    assert_type(diptych.count("Hello").tokens, int | None)
    estimate = diptych.estimate("Hello", "gpt-4o-mini")
    if estimate.cost is not None:
        assert_type(estimate.cost.expected, Decimal)


def client() -> None:
    with diptych.Client("http://127.0.0.1:8080/v1", budget=diptych.Budget(usd="0.10")) as c:
        reply = c.send("Hello", model="m", seed=7)
        assert_type(reply, diptych.Reply)
        assert_type(reply.cost, Decimal | None)
        assert_type(c.send_many(["a", "b"]), list[diptych.Reply | diptych.DiptychError])
        with c.stream("Hello", model="m") as deltas:
            for delta in deltas:
                assert_type(delta, Delta)
            assert_type(deltas.reply, diptych.Reply)
        assert_type(c.parse("Hello", City).parsed, City)
        assert_type(c.parse("Hello", list[int]).parsed, list[int])
        assert_type(c.parse("Hello", int | str).parsed, Any)
    diptych.Client(http=httpx.Client())
    diptych.Client(http=httpx.AsyncClient())  # type: ignore[arg-type]
    diptych.Client(timeout=diptych.Timeouts(total=3), limits=RateLimits(requests_per_minute=60))
    diptych.Client(timeout=diptych.Timeout("no answer"))  # type: ignore[arg-type]  # the exception is no setting


async def async_client() -> None:
    diptych.AsyncClient(http=httpx.AsyncClient())
    async with diptych.AsyncClient("http://127.0.0.1:8080/v1") as c:
        assert_type(await c.send("Hello", model="m"), diptych.Reply)
        assert_type((await c.parse("Hello", City)).parsed, City)
        async with c.stream("Hello", model="m") as deltas:
            async for delta in deltas:
                assert_type(delta, Delta)
