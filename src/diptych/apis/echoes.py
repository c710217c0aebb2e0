"""Reasoning goes back to who made it, and to nobody else: what is left out, and what a server misses.

Rule: the API says who made a reasoning, and the vendor of a model that the catalogue knows where several APIs serve it.
The catalogue also says which models refuse a call without their reasoning, and under which key they take it. Looked at
are the calls of the turn that goes on: those after the last message of the user that is no result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..catalogue.echoes import echo_of
from ..loss import Loss
from ..model import Message, ReasoningPart
from ..request import Request
from .fields import MISSING, dig
from .ledger import Ledger

#: Names under which servers of Chat give reasoning.
_KEYS: Final = ("reasoning_content", "reasoning", "reasoning_details")
#: The servers of Chat and Completions are the same: a reasoning of one, or of a text, belongs to both.
_SHARED: Final = ("chat", "completions", None)


def own_reasoning(api: str, request: Request, before: str | None, ledger: Ledger) -> Request:
    """Return a request without the reasoning that another API made; ``before`` is the model that the source named."""
    messages = request.conversation.messages
    if all(message.is_plain for message in messages) or is_same_vendor(api, before, request.model):
        return request
    origins = _SHARED if api in _SHARED else (api,)
    made = tuple(message if message.is_plain else _without(message, origins, api, ledger) for message in messages)
    return request if all(map(lambda one, two: one is two, made, messages)) else request.replace(messages=made)


def is_same_vendor(api: str, before: str | None, model: str | None) -> bool:
    """Tell whether a model takes back the reasoning of another, whatever API it came through."""
    echo = echo_of(model) if model else None
    return echo is not None and api in echo.keys and bool(before) and echo is echo_of(str(before))


def _without(message: Message, origins: tuple[str | None, ...], api: str, ledger: Ledger) -> Message:
    foreign = [part for part in message.parts if isinstance(part, ReasoningPart) and part.origin not in origins]
    if not foreign:
        return message
    for part in foreign:
        ledger.lose(part, detail=f"it goes back to {part.origin or 'Chat'} alone, not to {api}")
    made = message.replace(parts=[part for part in message.parts if not any(part is one for one in foreign)])
    ledger.same(made, message)
    return made


def renamed_reasoning(body: dict[str, Any]) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Return a Chat body whose calls have their reasoning under the key that the model requires, and what was renamed.

    >>> call = {"role": "assistant", "content": "", "reasoning": "Hm", "tool_calls": [{"id": "a"}]}
    >>> renamed_reasoning({"model": "kimi-k2.5", "messages": [call]})[0]["messages"][0]["reasoning_content"]
    'Hm'
    """
    echo = echo_of(str(body.get("model") or ""))
    key = echo.keys.get("chat", ".") if echo is not None and echo.required else "."
    if "." in key:
        return body, ()
    messages, losses = list(body["messages"]), []
    for path, other in _in_chat(body, key):
        index = int(path[len("$.messages[") : -1])
        if other and isinstance(messages[index][other], str):
            messages[index] = {key if name == other else name: value for name, value in messages[index].items()}
            losses.append(Loss(f"{path}.{other}", "renamed", f"{key}: {body['model']} requires it"))
    return ({**body, "messages": messages}, tuple(losses)) if losses else (body, ())


def missing_reasoning(api: str, body: Any) -> Iterator[tuple[str, str]]:
    """Yield the path of every call without the reasoning that its model requires, and what is missing.

    >>> call = {"role": "assistant", "content": "", "tool_calls": [{"id": "a", "type": "function", "function": {}}]}
    >>> list(missing_reasoning("chat", {"model": "kimi-k2.5", "messages": [call]}))
    [('$.messages[0]', 'kimi-k2.5 refuses a call without its reasoning_content')]
    """
    model = str(body.get("model") or "") if isinstance(body, Mapping) else ""
    echo = echo_of(model) if model else None
    if echo is None or not echo.required or api not in echo.keys or api not in _FINDERS or _is_off(body):
        return
    key = echo.keys[api]
    for path, other in _FINDERS[api](body, key):
        beside = f"; it stands under {other}" if other else ""
        yield path, f"{model} refuses a call without its {key}{beside}"


def _is_off(body: Mapping[str, Any]) -> bool:
    return dig(body, "thinking.type") == "disabled" or body.get("reasoning_effort") == "none"


def _in_chat(body: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    messages = [one if isinstance(one, Mapping) else {} for one in body.get("messages") or ()]
    of_calls = "." in key  # a signature stands in the call
    start = _start([one.get("role") == "user" for one in messages]) if of_calls else 0
    for index, message in enumerate(messages[start:], start):
        calls = message.get("tool_calls")
        if message.get("role") != "assistant" or not isinstance(calls, list) or not calls:
            continue
        if of_calls and isinstance(calls[0], Mapping) and dig(calls[0], key) is MISSING:
            yield f"$.messages[{index}].tool_calls[0]", ""
        elif not of_calls and not isinstance(message.get(key), str):
            yield f"$.messages[{index}]", next((one for one in _KEYS if message.get(one)), "")


def _in_gemini(body: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    contents = [one if isinstance(one, Mapping) else {} for one in body.get("contents") or ()]
    parts = [[one for one in content.get("parts") or () if isinstance(one, Mapping)] for content in contents]
    of_user = [content.get("role") == "user" for content in contents]
    start = _start([user and any("text" in part for part in own) for user, own in zip(of_user, parts, strict=True)])
    for index, own in enumerate(parts[start:], start):
        first = next((number for number, part in enumerate(own) if "functionCall" in part), None)
        if first is not None and not own[first].get(key):
            yield f"$.contents[{index}].parts[{first}]", ""


def _start(asked: list[bool]) -> int:
    """Return where the turn begins that the user has asked for last."""
    return next((index for index in range(len(asked) - 1, -1, -1) if asked[index]), 0)


def _in_anthropic(body: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    messages = [one if isinstance(one, Mapping) else {} for one in body.get("messages") or ()]
    if dig(body, "thinking.type") not in ("enabled", "adaptive"):
        return
    last = len(messages) - 2  # the results of its calls stand after it
    blocks = messages[last].get("content") if last >= 0 and messages[last].get("role") == "assistant" else None
    kinds = [block.get("type") for block in blocks if isinstance(block, Mapping)] if isinstance(blocks, list) else []
    if "tool_use" in kinds and kinds[0] not in (key, "redacted_thinking"):
        yield f"$.messages[{last}].content[0]", ""


_FINDERS: Final = {"chat": _in_chat, "gemini": _in_gemini, "anthropic": _in_anthropic}
