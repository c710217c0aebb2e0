"""Going on with a reply that the prompt has begun: how a server is told, if at all.

Rule: a trailing assistant message starts a new turn unless the server is told otherwise.
The catalogue says how; a model of which it says nothing is taken for an open model behind a
server that knows ``continue_final_message``.
"""

from __future__ import annotations

from typing import Any, Final

from ...catalogue import approximate_row
from ...catalogue.table import Prefill
from ...loss import Loss
from ...model import EMPTY, FrozenMap
from ...request import Request
from ..ledger import Ledger

Way = Prefill
#: How a Chat body says that the last message is gone on with: in the body, and in the message.
FLAGS: Final = {"continue_final_message": True, "add_generation_prompt": False}
MARK: Final = "prefix"
_INSTRUCTION: Final = "Continue this reply. Write only what follows it:"


def way_of(model: str) -> Way:
    """Return how a model goes on with a reply that was begun.

    >>> way_of("deepseek-chat"), way_of("Qwen2.5-7B")
    ('prefix', 'continue_final_message')
    """
    row = approximate_row(model.lower())
    return (row.prefill if row is not None else None) or "continue_final_message"


def plan(
    messages: list[dict[str, Any]], model: str, way: Way | None
) -> tuple[list[dict[str, Any]], dict[str, Any], list[Loss]]:
    """Return messages, further parameters and losses for a chat that ends in a begun reply."""
    way = way or way_of(model)
    *before, last = messages
    if way == "prefix":
        return [*before, {**last, MARK: True}], {}, [Loss("$.prompt", "synthesised", "prefix: true")]
    if way == "continue_final_message":
        return messages, dict(FLAGS), [Loss("$.prompt", "synthesised", "continue_final_message: true")]
    if way == "instruction":
        asked = {"role": "user", "content": f"{_INSTRUCTION}\n\n{last['content']}"}
        return [*before, asked], {}, [Loss("$.prompt", "substituted", "the begun reply became an instruction")]
    detail = f"{model} does not go on with a reply that was begun"
    return messages, {}, [Loss("$.prompt", "unsupported", detail)]


def going_on(request: Request, ledger: Ledger) -> Request:
    """Return a request without the marks of Chat for a reply that was begun: this server goes on with it by itself."""
    *before, last = request.conversation.messages
    own, said = dict(request.native.get("chat", EMPTY)), dict(last.extra)
    paths = [f"$.{name}" for name, value in FLAGS.items() if name in own and own.pop(name) is value]
    paths += [f"{ledger.path(last)}.{MARK}"] if said.pop(MARK, None) else []
    for path in paths:
        ledger.report(path, "renamed", "the server goes on with a last message of the assistant")
    if not paths:
        return request
    made = last.replace(native=_native(last.native, said))
    ledger.same(made, last)
    return request.replace(messages=(*before, made), native=_native(request.native, own))


def _native(native: FrozenMap, own: dict[str, Any]) -> FrozenMap:
    others = {name: fields for name, fields in native.items() if name != "chat"}
    return FrozenMap({**others, "chat": own} if own else others)
