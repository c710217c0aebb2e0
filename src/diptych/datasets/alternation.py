"""Rules of receivers that hold only where they are asked for: speakers in turn.

Chat templates of Mistral, Gemma and Llama 2 raise "Conversation roles must alternate user/assistant/…";
LLaMA-Factory's data page wants ``human`` and ``observation`` in odd places, ``gpt`` and ``function_call`` in even ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from ..loss import Loss
from ..model import Example, Message

_SYSTEM: Final = ("system", "developer")


def alternation(example: Example) -> Iterator[Loss]:
    """Yield each message of an example that is not of the speaker whose turn it is.

    After system messages at the beginning a user speaks first; an assistant answers every user and every run of tool
    results, and tool results follow the calls of an assistant alone.

    >>> from diptych.model import Example, Message
    >>> talk = Example((Message("user", "a"), Message("user", "b"), Message("assistant", "c")))
    >>> [str(loss) for loss in alternation(talk)]
    ["$.messages[1]: unsupported: it is the assistant's turn, not the user's"]
    """
    yield from _in_turn(example.messages, "$.messages")
    if example.rejected is not None and example.answer is not None:
        for loss in _in_turn((*example.messages[: example.answer], *example.rejected), "$.rejected"):
            index = int(loss.path[len("$.rejected[") : -1]) - example.answer
            if index >= 0:
                yield loss._replace(path=f"$.rejected[{index}]")


def _in_turn(messages: Sequence[Message], path: str) -> Iterator[Loss]:
    before: Message | None = None
    for index, message in enumerate(messages):
        if before is None and message.role in _SYSTEM:
            continue
        is_further_result = before is not None and before.role == message.role == "tool"
        if (wanted := _next(before)) != message.role and not is_further_result:
            detail = f"it is the {wanted}'s turn, not the {message.role}'s"
            yield Loss(f"{path}[{index}]", "unsupported", detail)
        before = message


def _next(before: Message | None) -> str:
    """Return whose turn it is."""
    if before is not None and before.role == "assistant" and before.tool_calls:
        return "tool"
    return "user" if before is None or before.role == "assistant" else "assistant"


#: What may be asked of rows beside the rules of their layout, by name.
ASKED: Final[Mapping[str, Callable[[Example], Iterator[Loss]]]] = {"alternation": alternation}
