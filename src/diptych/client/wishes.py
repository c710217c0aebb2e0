"""What was asked for and is not in the answer, as notes of the reply.

Rule: a server that ignores a parameter answers as if nothing had happened; whoever reads the reply is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..apis.completions.response import prompts_of
from ..response import Response
from .requests import Ask


def unmet(ask: Ask, response: Response) -> tuple[str, ...]:
    """Return a note for each wish of a body that the answer leaves out.

    >>> from diptych.model import Message
    >>> from diptych.response import ResponseChoice
    >>> answer = Response((ResponseChoice(Message("assistant", "Hi"), "stop"),))
    >>> unmet(Ask("chat", {"messages": [], "n": 2}), answer)
    ('asked for 2 choices, the server sent 1',)
    """
    return (*_choices(ask, response), *_echo(ask, response), *_call(ask, response))


def _choices(ask: Ask, response: Response) -> Iterator[str]:
    if (count := len(response.choices)) < ask.choices:
        yield f"asked for {ask.choices} choices, the server sent {count}"


def _echo(ask: Ask, response: Response) -> Iterator[str]:
    if ask.api != "completions" or not ask.body.get("echo"):
        return
    prompts, n = prompts_of(ask.body), ask.body.get("n")
    each = n if isinstance(n, int) and n > 0 else 1
    for choice in response.choices:
        prompt = prompts[min(choice.index // each, len(prompts) - 1)]
        if not choice.message.text.startswith(prompt):
            yield "the server ignored echo: the text does not begin with the prompt"
            return


def _call(ask: Ask, response: Response) -> Iterator[str]:
    """Tell of a call that was forced and was not made; an answer that was cut off or refused may lack it."""
    if ask.api != "chat" or not (ask.body.get("tools") or ask.body.get("functions")):
        return
    name, wished = _forced(ask.body)
    if not wished:
        return
    for choice in response.choices:
        called = [call.name for call in choice.message.tool_calls]
        if choice.finish_reason in ("stop", "tool_calls", "function_call") and not _is_met(name, called):
            wish = f"the call of {name!r}" if name else "a tool call"
            yield f"the server ignored {wished}: {wish} was forced, and the answer has none"
            return


def _is_met(name: str | None, called: list[str]) -> bool:
    return bool(called) if name is None else name in called


def _forced(body: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the name of the tool that a body forces (None: any), and the parameter that forces one."""
    choice, function = body.get("tool_choice"), body.get("function_call")
    if choice in ("required", "any"):
        return None, "tool_choice"
    if isinstance(choice, Mapping) and choice.get("type") in ("function", "custom"):
        inner = choice.get(choice["type"])
        return (str(inner.get("name")) if isinstance(inner, Mapping) else None), "tool_choice"
    if isinstance(function, Mapping):
        return str(function.get("name")), "function_call"
    return None, ""
