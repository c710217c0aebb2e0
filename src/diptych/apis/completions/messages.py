"""OpenAI Completions: the ``prompt`` of a ``/v1/completions`` body.

- ``prompt`` is a text: it is read by the text formats, and written as ChatML with its stop list
- a text stays as it stands, whatever its format: converted to ``completions`` it is the ``prompt``
- a whole body becomes a Chat body, and the other way round, by the table of parameters: see
  ``convert_request``. Into any other format a parameter has no place (``parameter-dropped``)
- several prompts in one body are several requests, and prompts of token ids belong to a model: both
  are left to ``convert_request``
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...errors import FormatError
from ...format import Format, Wire
from ...loss import Loss
from ...model import Conversation
from ...text.reading import read_text
from ...text.writing import write_text

#: Any of these beside a prompt makes a row of data a body of a request.
_OF_REQUESTS: Final = frozenset({"model", "max_tokens", "temperature", "stop", "logprobs", "echo", "best_of"})
_OF_ROWS: Final = frozenset({"completion", "completions", "chosen", "rejected", "messages", "label"})


def prompt_of(body: Any) -> str:
    """Return the prompt of a body. Raises FormatError for anything but one text."""
    prompt = body.get("prompt") if isinstance(body, Mapping) else None
    if not isinstance(prompt, str):
        hint = "convert_request takes several prompts, and token ids"
        raise FormatError(f"a prompt is one text here, not {type(prompt).__name__}", path="$.prompt", hint=hint)
    return prompt


def _read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    reading = read_text(prompt_of(value))
    return reading.conversation, tuple(loss._replace(path="$.prompt") for loss in reading.losses)


def _write(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    begun = conversation.cue == "continue"
    writing = write_text(conversation, "chatml", add_generation_prompt=not begun)
    close = "<|im_end|>\n" if begun else ""
    return {"prompt": writing.text.removesuffix(close), "stop": list(writing.stop)}, writing.losses


def _detect(value: Any) -> float:
    is_body = isinstance(value, Mapping) and isinstance(value.get("prompt"), str | list)
    return 0.97 if is_body and _OF_REQUESTS & value.keys() and not _OF_ROWS & value.keys() else 0.0


FORMAT = Format(
    name="completions",
    kind="api",
    mapping="prompt: a text in any of the text formats; written as ChatML with its stop list",
    read=_read,
    write=_write,
    detect=_detect,
    aliases=("openai_completions",),
    wire=Wire(holds=frozenset({"prompt"}), proved=frozenset({"prompt"})),
)
